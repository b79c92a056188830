//! The pre-training documents as conversations, put with the same prompts that lessons are put with later.

use super::prompts::{PromptError, Prompts};
use crate::{
    data::world::{
        diagnose::{diagnose, first_fault},
        pretrain::{Document, Documents, Phase},
        trace::plain_trace,
    },
    domain::{Diagnosis, Message},
};

/// One conversation; every assistant turn is trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The turns.
    pub messages: Vec<Message>,
}

/// The endless stream of one phase and seed, as conversations of one question and one answer.
#[derive(Debug)]
pub struct PretrainStream {
    documents: Documents,
    prompts: Prompts,
}

impl PretrainStream {
    /// The stream of `phase`; another `seed` is another stream.
    pub fn new(phase: Phase, seed: u64) -> Result<Self, PromptError> {
        Ok(Self { documents: Documents::new(phase, seed), prompts: Prompts::world()? })
    }
}

impl Iterator for PretrainStream {
    type Item = Conversation;

    fn next(&mut self) -> Option<Conversation> {
        let prompts = &self.prompts;
        self.documents.by_ref().find_map(|document| conversation(prompts, &document).ok().flatten())
    }
}

/// `document` as a question and an answer; `None` for a wrong answer in which no error is found.
pub fn conversation(prompts: &Prompts, document: &Document) -> Result<Option<Conversation>, PromptError> {
    let (ask, answer) = match document {
        Document::Solve { problem, solution } => (prompts.student(&problem.question())?, solution.clone()),
        Document::Drill { ask, lines } => ((*ask).to_owned(), lines.clone()),
        Document::Again { problem } => (prompts.new_trace(&problem.question())?, plain_trace(problem)),
        Document::Diagnose { problem, response } => {
            let Some(diagnosis) = diagnose(problem, response) else { return Ok(None) };
            let ask = prompts.diagnose(&problem.question(), response)?;
            (ask, prompts.diagnosis_target(&diagnosis)?)
        }
        Document::Repair { problem, response } => {
            let (Some(diagnosis), Some((line, _))) = (diagnose(problem, response), first_fault(problem, response))
            else {
                return Ok(None);
            };
            let ask = prompts.repair(&problem.question(), before(response, line), &diagnosis)?;
            let Diagnosis { correct_next_step, .. } = diagnosis;
            (ask, correct_next_step)
        }
    };
    Ok(Some(Conversation { messages: vec![Message::user(ask), Message::assistant(answer)] }))
}

/// The lines of `response` before `line`, which is a part of it.
fn before<'a>(response: &'a str, line: &str) -> &'a str {
    let end = response.lines().take_while(|other| !std::ptr::eq(*other, line)).map(|other| other.len() + 1).sum();
    response.get(..end).unwrap_or(response)
}
