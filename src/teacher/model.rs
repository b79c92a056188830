//! A teacher that is a language model: renders the prompt of a product, asks, and reads the answer strictly.
//!
//! An answer that is not what was asked for (a judge's essay, a diagnosis with six fields, an edit without its result, a
//! text cut off in the middle) is asked for anew, with the next sample number, as often as the recipe allows; then the
//! product is [`TeacherError::Unanswered`] with the reason of the last answer, and goes to review. Nothing is guessed: an
//! answer is never read as 0 or as an empty text because it could not be read.

pub mod read;

use std::sync::Arc;

use super::prompts::{PromptKind, Prompts};
use super::{Chat, ChatRequest, Completion, Teacher, TeacherError};
use crate::domain::{Action, Diagnosis, Message, Question, check_edit, parse_diagnosis, strip_control};

/// How a model is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelSettings {
    /// Sampling temperature.
    pub temperature: f64,
    /// Nucleus.
    pub top_p: f64,
    /// Longest answer in tokens.
    pub max_tokens: u32,
    /// Times an answer that cannot be read is asked for again.
    pub max_retries: u32,
}

/// A model as teacher.
pub struct ModelTeacher<C: ?Sized> {
    prompts: Arc<Prompts>,
    settings: ModelSettings,
    chat: Arc<C>,
}

impl<C: Chat + ?Sized> ModelTeacher<C> {
    /// A teacher that asks `chat` with these prompts.
    pub fn new(chat: Arc<C>, prompts: Arc<Prompts>, settings: ModelSettings) -> Self {
        Self { prompts, settings, chat }
    }

    /// Asks until an answer can be read. `attempt` is the caller's: each has sample numbers of its own.
    fn ask<T>(
        &self,
        kind: PromptKind,
        messages: Vec<Message>,
        attempt: u32,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, TeacherError> {
        let tries = self.settings.max_retries.saturating_add(1);
        let mut request = ChatRequest {
            purpose: kind.name(),
            messages,
            temperature: self.settings.temperature,
            top_p: self.settings.top_p,
            max_tokens: self.settings.max_tokens,
            sample: 0,
        };
        let mut reason = String::new();
        for number in 0..tries {
            request.sample = attempt.saturating_mul(tries).saturating_add(number);
            match self.usable(&self.chat.complete(&request)?).and_then(|text| read(&text)) {
                Ok(product) => return Ok(product),
                Err(fault) => reason = fault,
            }
        }
        Err(TeacherError::Unanswered(format!("{}: {reason} ({tries} answers)", kind.name())))
    }

    /// The text of a whole answer, without thoughts and control characters.
    fn usable(&self, completion: &Completion) -> Result<String, String> {
        if completion.cut {
            return Err(format!("the answer was cut off at {} tokens", self.settings.max_tokens));
        }
        let text = strip_control(read::without_thoughts(&completion.text)?).trim().to_owned();
        if text.is_empty() { Err("the answer is empty".into()) } else { Ok(text) }
    }

    fn edit(
        &self,
        action: Action,
        question: &Question,
        (prefix, step): (&str, &str),
        attempt: u32,
    ) -> Result<String, TeacherError> {
        let kind = match action {
            Action::Compress => PromptKind::Compress,
            Action::Expand => PromptKind::Expand,
            Action::Keep | Action::Drop | Action::Localize => PromptKind::Localize,
        };
        self.ask(kind, self.prompts.stepwise(kind, question, prefix, step)?, attempt, |text| {
            let edited = read::edit(text, action == Action::Compress)?;
            check_edit(action, step, &edited).map_err(|fault| fault.to_string())?;
            Ok(edited)
        })
    }
}

impl<C: Chat + ?Sized> Teacher for ModelTeacher<C> {
    fn name(&self) -> &str {
        self.chat.name()
    }

    fn concurrency(&self) -> usize {
        self.chat.concurrency()
    }

    fn prompt(&self, kind: PromptKind) -> Option<String> {
        Some(self.prompts.hash(kind))
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        self.ask(PromptKind::Trace, self.prompts.trace(question)?, attempt, read::trace)
    }

    fn importance(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        has_step(question, steps, index)?;
        self.ask(PromptKind::Importance, self.prompts.importance(question, steps, index)?, attempt, read::score)
    }

    fn jumpiness(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        attempt: u32,
    ) -> Result<f64, TeacherError> {
        has_step(question, steps, index)?;
        if index == 0 {
            return Ok(0.0);
        }
        self.ask(PromptKind::Jumpiness, self.prompts.jumpiness(question, steps, index)?, attempt, read::score)
    }

    fn compress(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.edit(Action::Compress, question, (prefix, step), attempt)
    }

    fn expand(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.edit(Action::Expand, question, (prefix, step), attempt)
    }

    fn localize(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.edit(Action::Localize, question, (prefix, step), attempt)
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        let messages = self.prompts.diagnosis(question, response, reference)?;
        self.ask(PromptKind::Diagnosis, messages, attempt, |text| {
            parse_diagnosis(text).map_err(|fault| fault.to_string())
        })
    }
}

fn has_step(question: &Question, steps: &[String], index: usize) -> Result<(), TeacherError> {
    let missing = || TeacherError::NoSuchStep { question: question.id.clone(), index, steps: steps.len() };
    steps.get(index).map(|_| ()).ok_or_else(missing)
}
