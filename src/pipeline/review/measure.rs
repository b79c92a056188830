//! D of steps that were changed by hand, measured by the engine as the stage does.

use super::desk::{Losses, StepLosses};
use crate::domain::{Message, Question};
use crate::pipeline::context::StageError;
use crate::pipeline::engine::Engine;
use crate::pipeline::stages::scores::losses_by_step;
use crate::session::Session;
use crate::teacher::Prompts;

/// The student on the engine. It takes the engine's policy, so it is for gates and for sessions that stand still.
pub struct EngineLosses<'a> {
    /// The device.
    pub engine: &'a Engine,
    /// Where checkpoints lie.
    pub session: &'a Session,
    /// What the student is asked with.
    pub prompts: &'a Prompts,
}

impl Losses for EngineLosses<'_> {
    fn losses(
        &self,
        question: &Question,
        trace: &str,
        (starts, end): (&[usize], usize),
        checkpoint: &str,
    ) -> Result<StepLosses, StageError> {
        let mut messages = self.prompts.ask(question)?;
        messages.push(Message::assistant(trace));
        let chat = self.engine.text().encode_chat(&messages)?;
        self.engine.use_checkpoint(self.session, checkpoint)?;
        let nll = self.engine.score(vec![chat.clone()])?.pop().unwrap_or_default();
        Ok(StepLosses { steps: losses_by_step(&chat, starts, end, &nll), trace_tokens: nll.len() as u32 })
    }
}
