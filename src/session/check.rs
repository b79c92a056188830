//! `sessions check`.
/// What `check` found.
#[derive(Clone, Debug)]
pub struct CheckReport {}
