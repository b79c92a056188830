//! The shell's verbs, one file each.
