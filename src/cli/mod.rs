//! The shell's verbs, one file each.

pub mod sessions;
