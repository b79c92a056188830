//! The read side of a session, as panes use it: the records of the run in this process, or those on disk.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::session::{Result, Session, Sessions};

/// A session that can be read at any time. While its run is at work in this process, the run's own records are read; once
/// that is over, or where another process runs it, the journal on disk.
pub struct Source {
    name: String,
    sessions: Sessions,
    live: Weak<Session>,
    apart: RwLock<Option<Session>>,
}

impl Source {
    /// A session by its name; `live` is the run's own while one is at work here, else `Weak::new()`.
    pub fn new(sessions: Sessions, name: &str, live: Weak<Session>) -> Self {
        Self { name: name.to_string(), sessions, live, apart: RwLock::new(None) }
    }

    /// A session that is open already, for tests.
    pub fn of(session: Session) -> Self {
        let name = session.name().to_string();
        let root = session.dir().parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        Self { name, sessions: Sessions::at(root), live: Weak::new(), apart: RwLock::new(Some(session)) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies beside others.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Whether the run of this session is at work in this process.
    pub fn is_live(&self) -> bool {
        self.live.strong_count() > 0
    }

    /// Reads something. Not for the thread that draws: the first reading of a session that stands still reads its journal.
    ///
    /// # Errors
    /// When the session can't be opened.
    pub fn read<T>(&self, work: impl FnOnce(&Session) -> T) -> Result<T> {
        if let Some(session) = self.live.upgrade() {
            return Ok(work(&session));
        }
        let open = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = open.as_ref() {
            return Ok(work(session));
        }
        drop(open);
        let mut open = self.apart.write().unwrap_or_else(PoisonError::into_inner);
        let session = match open.take() {
            Some(session) => session,
            None => self.sessions.open_read_only(&self.name)?,
        };
        Ok(work(open.insert(session)))
    }

    /// Reads what was written to a session on disk since it was opened; gives the number of the last frame. Not for the
    /// thread that draws.
    ///
    /// # Errors
    /// When the session can't be read.
    pub fn refresh(&self) -> Result<u64> {
        if let Some(session) = self.live.upgrade() {
            return Ok(session.sequence());
        }
        self.read(|_| ())?;
        let mut open = self.apart.write().unwrap_or_else(PoisonError::into_inner);
        match open.as_mut() {
            Some(session) => {
                session.refresh()?;
                Ok(session.sequence())
            }
            None => Ok(0),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).field("live", &self.is_live()).finish()
    }
}

/// An `Arc` of it is what queries take along.
pub type SharedSource = Arc<Source>;
