//! `sessions repair`.
/// What `repair` did.
#[derive(Clone, Debug)]
pub struct RepairReport {}
