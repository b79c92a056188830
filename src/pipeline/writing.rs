//! Finished items on their way into the session: written as they come, several in one frame where they come fast.

use std::time::{Duration, Instant};

use super::context::StageError;
use crate::session::{Author, Batch, Record, Session};

/// Most records of a frame.
const FRAME: usize = 32;
/// A frame that is open for longer is written with the next record.
const EVERY: Duration = Duration::from_millis(50);

/// Gathers records into frames.
pub struct Writer<'a> {
    session: &'a Session,
    batch: Batch,
    since: Instant,
}

impl<'a> Writer<'a> {
    /// Writes to `session`.
    pub fn new(session: &'a Session) -> Self {
        Self { session, batch: Batch::new(Author::Pipeline), since: Instant::now() }
    }

    /// Takes one record; it is written at the latest with [`Writer::finish`].
    ///
    /// # Errors
    /// The session cannot be written.
    pub fn push<R: Record>(&mut self, key: &str, record: &R) -> Result<(), StageError> {
        self.batch.put(key, record);
        if self.batch.len() >= FRAME || self.since.elapsed() > EVERY {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StageError> {
        let batch = std::mem::replace(&mut self.batch, Batch::new(Author::Pipeline));
        self.session.write(batch)?;
        self.since = Instant::now();
        Ok(())
    }

    /// Writes what is left, also behind a failure: what was made is kept.
    ///
    /// # Errors
    /// That of `outcome`, else of the session.
    pub fn finish(mut self, outcome: Result<(), StageError>) -> Result<(), StageError> {
        let written = self.write();
        outcome.and(written)
    }
}
