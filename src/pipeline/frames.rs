//! Products on their way into the journal: those of a teacher that is slow or paid one by one, those of rules in frames.

use super::context::{Context, StageError};
use crate::session::{Author, Batch, Record};

/// Records per frame where a product costs nothing.
const FRAME: usize = 32;

/// Gathers a stage's products and says how far it is. What was put is written by [`Frames::write`] at the latest; call it
/// also where the stage stops early.
pub struct Frames<'a> {
    cx: &'a Context<'a>,
    batch: Batch,
    at: usize,
    done: u64,
    total: u64,
}

impl<'a> Frames<'a> {
    /// `done` of `total` are there already.
    pub fn new(cx: &'a Context<'a>, done: u64, total: u64, unit: &str) -> Self {
        cx.emit.started(cx.stage, done, total, unit);
        Self { done, total, ..Self::silent(cx) }
    }

    /// For a stage that says itself how far it is.
    pub fn silent(cx: &'a Context<'a>) -> Self {
        let at = if cx.teacher.concurrency() > 1 { 1 } else { FRAME };
        Self { cx, batch: Batch::new(Author::Pipeline), at, done: 0, total: 0 }
    }

    /// Adds a product.
    ///
    /// # Errors
    /// A session that cannot be written.
    pub fn put<R: Record>(&mut self, key: &str, record: &R) -> Result<(), StageError> {
        self.batch.put(key, record);
        if self.batch.len() >= self.at { self.write() } else { Ok(()) }
    }

    /// Applies the researcher's requests, on products that are all written.
    ///
    /// # Errors
    /// A session that cannot be read or written.
    pub fn attend(&mut self) -> Result<(), StageError> {
        if self.cx.control.reviews_wait() {
            self.write()?;
            self.cx.attend()?;
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// A session that cannot be written.
    pub fn write(&mut self) -> Result<(), StageError> {
        let batch = std::mem::replace(&mut self.batch, Batch::new(Author::Pipeline));
        self.done += batch.len() as u64;
        self.cx.session.write(batch)?;
        if self.total > 0 {
            self.cx.emit.progress(self.cx.stage, self.done, self.total, 0);
        }
        Ok(())
    }
}
