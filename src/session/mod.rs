//! A session: everything one run knows, on disk, in a form that survives `kill -9` and a damaged disk.
//!
//! ```text
//! sessions/<name>/
//!   recipe.toml            the run, as it was started
//!   meta.json              schema version, name, creation time, seed
//!   state.json             one line on how far the run has come; a convenience for lists, never read back by the run
//!   journal/000001.fbj     append-only, checksummed frames: the truth, and the audit log
//!   store/                 sled: what is queried; can be rebuilt from the journal at any time
//!   checkpoints/<id>/      files with a manifest of SHA-256 sums
//!   lock                   held while a process writes; names its pid
//! ```
//!
//! Large values lie in the journal only, compressed one by one; store and memory keep their places (`blobs`). Beside every
//! group of rollouts stands a brief of it (`briefs`), so that lists never read the texts.
//!
//! There is one write path, [`Session::write`]: a [`Batch`] becomes one frame of the journal, the journal is synced,
//! then the same batch goes to sled together with the frame's number. Opening replays the frames sled has not seen.
//! Reading without the lock ([`Sessions::open_read_only`]) never touches sled: it reads the journal into memory, large
//! values left where they lie.

mod audit;
mod batch;
mod blobs;
mod briefs;
mod catalogue;
mod check;
mod checkpoints;
mod decisions;
mod error;
mod files;
mod journal;
mod layout;
mod ledger;
mod live;
mod lock;
mod memory;
mod meta;
mod quiet;
mod record;
pub mod records;
mod repair;
mod rescue;
mod scan;
mod store;
pub mod token_logs;
mod view;
mod written;

pub use audit::{Audit, AuditEntry, AuditFilter, PastValue};
pub use batch::{Author, Batch};
pub use briefs::{RolloutBrief, RolloutBriefs};
pub use catalogue::{Activity, SessionSummary, Sessions};
pub use check::CheckReport;
pub use checkpoints::{Checkpoint, CheckpointStore, FileEntry, Manifest};
pub use error::{Result, SessionError};
pub use files::{show_size, show_time};
pub use layout::{SessionName, session_word};
pub use meta::{Meta, NewSession, StateLine};
pub use record::{Record, Value};
pub use repair::RepairReport;
pub use scan::{Keys, Scan};
pub use view::Session;
pub use written::{Draft, Written};
