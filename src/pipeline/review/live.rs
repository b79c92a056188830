//! Requests while a run is live. The run's process holds the session, so they come through its channel; the loop applies
//! them between two items and at its gates.

use std::sync::mpsc::RecvTimeoutError;

use super::desk::Desk;
use super::error::ReviewError;
use super::measure::EngineLosses;
use super::{Applied, Request, apply};
use crate::pipeline::context::{Context, StageError};
use crate::pipeline::engine::{Replies, Reply};
use crate::pipeline::events::{Event, StageKind};
use crate::pipeline::parallel::IDLE;

/// Products that an event names.
const NAMED: usize = 32;

impl Context<'_> {
    /// Stands still while paused, applies what the researcher decided meanwhile, and fails once cancelled.
    ///
    /// # Errors
    /// A run that was cancelled; a session that cannot be written.
    pub fn check(&self) -> Result<(), StageError> {
        loop {
            self.attend()?;
            if !self.control.check_or_review()? {
                return Ok(());
            }
        }
    }

    /// Applies every request that waits. True when there was one.
    ///
    /// # Errors
    /// A session that cannot be read or written; what is refused is only said.
    pub fn attend(&self) -> Result<bool, StageError> {
        let mut any = false;
        while let Some(request) = self.control.take_review() {
            any = true;
            self.decide(&request)?;
        }
        Ok(any)
    }

    /// Hands on every reply as it comes, and applies what the researcher decides meanwhile, also while nothing comes
    /// because the run stands still.
    ///
    /// # Errors
    /// Of the engine, of `each`, and as [`Context::attend`].
    pub fn each_reply(
        &self,
        replies: &Replies,
        mut each: impl FnMut(Reply) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        loop {
            match replies.within(IDLE) {
                Ok(reply) => each(reply?)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.attend()?;
        }
    }

    /// Works with a desk on which the run's teacher and, where the engine has time, its student are at hand.
    ///
    /// # Errors
    /// What `work` says; a verifier that is not known.
    pub fn with_desk<T>(&self, work: impl FnOnce(&Desk<'_>) -> Result<T, ReviewError>) -> Result<T, ReviewError> {
        let mut desk = Desk::new(self.session, self.recipe)?;
        let student = EngineLosses { engine: self.engine, session: self.session, prompts: self.prompts };
        desk.teacher = Some(self.teacher);
        // Elsewhere the engine is at work on weights of its own.
        if matches!(self.stage.kind, StageKind::Bridge | StageKind::Recycle) {
            desk.student = Some(&student);
        }
        work(&desk)
    }

    fn decide(&self, request: &Request) -> Result<(), StageError> {
        match self.with_desk(|desk| apply(desk, request)) {
            Ok(Applied { decision, line, products, notes }) => {
                let count = products.len() as u64;
                let products = products.iter().take(NAMED).map(ToString::to_string).collect();
                self.emit.send(Event::Decided { decision, line, count, products, notes });
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    fn refuse(&self, error: ReviewError) -> Result<(), StageError> {
        match error {
            ReviewError::Session(error) => Err(error.into()),
            error => {
                self.emit.send(Event::Refused { reason: error.to_string() });
                Ok(())
            }
        }
    }
}
