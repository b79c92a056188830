//! Everything that can go wrong with a session, each as one line: what happened, where, what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for results of this module.
pub type Result<T, E = SessionError> = std::result::Result<T, E>;

/// A failure of the session layer. `Display` is one line fit for the user.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The name cannot be a session's.
    #[error("`{name}` cannot name a session: {reason}; use letters, digits, `-`, `_` and `.`, at most 64")]
    BadName {
        /// As given.
        name: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A session of this name is there already.
    #[error(
        "session `{name}` exists already; continue it with `footbridge resume {name}`, choose another name, or remove it with `footbridge sessions rm {name} --yes`"
    )]
    Exists {
        /// The session.
        name: String,
    },
    /// No session of this name.
    #[error("there is no session `{name}` in {}{hint}; `footbridge sessions list` names them", root.display())]
    Unknown {
        /// As asked for.
        name: String,
        /// Where it was looked for.
        root: PathBuf,
        /// ` (did you mean ...?)`, or empty.
        hint: String,
    },
    /// Another process holds the session.
    #[error("session `{name}` is in use by {holder}; stop that one first, or look on with `footbridge report {name}`")]
    InUse {
        /// The session.
        name: String,
        /// `process 123 since ...`.
        holder: String,
    },
    /// Something was written through a session that was opened for reading.
    #[error("session `{name}` was opened for reading only; nothing can be written to it here")]
    ReadOnly {
        /// The session.
        name: String,
    },
    /// The operating system refused a file operation.
    #[error("cannot {doing} {}: {advice}", path.display())]
    Disk {
        /// What was tried, as a verb: `write`, `create`.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said and what to do.
        advice: String,
        /// The system's error.
        source: io::Error,
    },
    /// A frame of the journal is damaged, or frames are missing between two others.
    #[error("journal of session `{name}` is damaged: {} at byte {offset}: {what}; run `footbridge sessions repair {name}`", file.display())]
    JournalDamaged {
        /// The session.
        name: String,
        /// The segment.
        file: PathBuf,
        /// First byte of the bad frame.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The store has seen frames that the journal no longer has.
    #[error(
        "journal of session `{name}` ends at frame {journal}, but its store has seen frame {store}: the journal lost its end; run `footbridge sessions repair {name}`, which takes it from the store"
    )]
    JournalShort {
        /// The session.
        name: String,
        /// Last frame of the journal.
        journal: u64,
        /// Last frame the store has seen.
        store: u64,
    },
    /// Sled cannot read its files.
    #[error("store of session `{name}` is damaged ({what}); run `footbridge sessions repair {name}`")]
    StoreDamaged {
        /// The session.
        name: String,
        /// What sled said.
        what: String,
    },
    /// `meta.json` or another small file cannot be understood.
    #[error("{}: {what}", path.display())]
    Meta {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// A record cannot be written or read as its type.
    #[error("record `{table}/{key}`: {what}")]
    Record {
        /// Its table.
        table: String,
        /// Its key.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// A batch that does not fit a frame.
    #[error("a batch of {mib} MiB is too large for one frame of the journal (at most {limit} MiB); write it in parts")]
    BatchTooLarge {
        /// Its size.
        mib: u64,
        /// The limit.
        limit: u64,
    },
    /// An earlier write failed; nothing more is accepted, so that what is on disk stays a prefix of the run.
    #[error(
        "session `{name}` takes no more writes, because an earlier one failed ({reason}); mend the cause, then run `footbridge resume {name}`"
    )]
    Halted {
        /// The session.
        name: String,
        /// The earlier failure.
        reason: String,
    },
    /// A checkpoint is missing or does not match its manifest.
    #[error("checkpoint `{id}` of session `{name}` {what}")]
    Checkpoint {
        /// The session.
        name: String,
        /// The checkpoint.
        id: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// Removal was asked for without confirming it.
    #[error(
        "removing session `{name}` deletes its records and checkpoints for good ({size}); say `footbridge sessions rm {name} --yes`"
    )]
    Unconfirmed {
        /// The session.
        name: String,
        /// Size for people.
        size: String,
    },
}

impl SessionError {
    /// The line without its advice to run `repair`, for reports of `repair` itself.
    pub(crate) fn finding(&self) -> String {
        let line = self.to_string();
        line.split("; run `footbridge").next().unwrap_or(&line).to_owned()
    }

    /// Wraps an error of the operating system with the path and with advice that fits its kind.
    pub(crate) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let advice = advice(&source);
        SessionError::Disk { doing, path: path.to_path_buf(), advice, source }
    }
}

/// Whether the error speaks of the disk as a whole and not of the file's content.
pub(crate) fn is_about_the_disk(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ReadOnlyFilesystem | K::PermissionDenied | K::StorageFull | K::QuotaExceeded | K::FileTooLarge
    )
}

fn advice(error: &io::Error) -> String {
    use io::ErrorKind as K;
    match error.kind() {
        K::ReadOnlyFilesystem => "the disk is read-only; make it writable or keep sessions on another one".into(),
        K::PermissionDenied => "permission denied; change its owner or mode, or keep sessions elsewhere".into(),
        K::StorageFull => "the disk is full; free some space, then resume: what was acknowledged is kept".into(),
        K::QuotaExceeded => "your disk quota is used up; free some space, then resume".into(),
        K::FileTooLarge => {
            "the file may not grow further (`ulimit -f`, or the disk's own limit); raise it, then resume".into()
        }
        K::NotFound => "it does not exist".into(),
        K::NotADirectory => "a part of the path is a file, not a folder; name another place".into(),
        _ => error.to_string(),
    }
}
