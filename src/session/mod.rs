//! Sled and the journal beneath it: records, lineage, repair.
