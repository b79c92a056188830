//! A teacher tried out on one question: one product of each kind, what came back, whether it passes its checks, what it
//! took. A model is asked once for each; nothing is kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use super::specimen::Specimen;
use super::teaching::Teaching;
use crate::domain::{Action, Question, Verifier, check_diagnosis, check_edit, strip_control};
use crate::recipe::{Recipe, TeacherRecipe};
use crate::teacher::{Chat, ChatRequest, Completion, PromptKind, Prompts, Teacher, TeacherError, Usage};

/// What came back for one prompt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Product {
    /// Name of the prompt.
    pub ask: &'static str,
    /// Who was asked.
    pub teacher: String,
    /// Hash of the prompt; `None` where rules answer.
    pub prompt: Option<String>,
    /// Wall time.
    pub seconds: f64,
    /// Tokens read, as the model counts them.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Money, at the recipe's prices.
    pub cost: f64,
    /// What was said, without control characters.
    pub said: String,
    /// Why it does not pass; `None` where it does.
    pub fault: Option<String>,
}

/// A chat that remembers what was said last and what it took.
struct Watched {
    chat: Arc<dyn Chat>,
    seen: Arc<Mutex<(String, Usage)>>,
}

impl Chat for Watched {
    fn name(&self) -> &str {
        self.chat.name()
    }

    fn concurrency(&self) -> usize {
        self.chat.concurrency()
    }

    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError> {
        let (outcome, took) = self.chat.ask(request);
        let said = outcome.as_ref().map(|completion| completion.text.clone()).unwrap_or_default();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (said, took);
        outcome
    }
}

/// Asks for one product of each kind and hands each to `each`. The trace that comes back is judged and edited further,
/// where it is one; else one that was made up.
///
/// # Errors
/// What no call can succeed with, as [`TeacherError::stops_the_run`] has it, and those of `each`.
pub fn try_out<E: From<TeacherError>>(
    teaching: Teaching,
    recipe: &Recipe,
    prompts: &Arc<Prompts>,
    question: Question,
    mut each: impl FnMut(&Product) -> Result<(), E>,
) -> Result<(), E> {
    let once = Recipe { teacher: TeacherRecipe { max_retries: 0, ..recipe.teacher.clone() }, ..recipe.clone() };
    let seen = Arc::new(Mutex::new((String::new(), Usage::default())));
    let watch = |chat| -> Arc<dyn Chat> { Arc::new(Watched { chat, seen: seen.clone() }) };
    let teacher = teaching.try_out(&once, prompts, watch)?;
    let verifier = recipe.data.verifier.parse::<Verifier>().unwrap_or(Verifier::Numeric);
    let trial = Trial { teacher: &*teacher, verifier, most: recipe.recycle.max_excerpt };
    let mut specimen = Specimen::of(question);
    for kind in PromptKind::ALL.into_iter().filter(|kind| kind.is_teachers()) {
        let begun = Instant::now();
        let (said, fault) = match trial.product(kind, &specimen) {
            Ok((said, fault)) => (said, fault),
            Err(error) if stops(&error) => return Err(error.into()),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        let seconds = begun.elapsed().as_secs_f64();
        if kind == PromptKind::Trace && !said.is_empty() {
            specimen = Specimen::new(specimen.question, &said);
        }
        let (raw, took) = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        each(&Product {
            ask: kind.name(),
            teacher: strip_control(teacher.name()).into_owned(),
            prompt: teacher.prompt(kind),
            seconds,
            prompt_tokens: took.prompt_tokens,
            completion_tokens: took.completion_tokens,
            cost: took.cost,
            said: strip_control(if raw.is_empty() { &said } else { &raw }).into_owned(),
            fault,
        })?;
    }
    Ok(())
}

/// Whether no further call can succeed. That the rules don't know something is a fault of this product only.
fn stops(error: &TeacherError) -> bool {
    matches!(error, TeacherError::Unusable(_) | TeacherError::BudgetSpent(_) | TeacherError::Cancelled)
}

struct Trial<'a> {
    teacher: &'a dyn Teacher,
    verifier: Verifier,
    /// Longest excerpt.
    most: usize,
}

impl Trial<'_> {
    /// A product in words, and what is wrong with it.
    fn product(&self, kind: PromptKind, on: &Specimen) -> Result<(String, Option<String>), TeacherError> {
        let (teacher, question, steps, index) = (self.teacher, &on.question, &on.steps, on.index());
        let edited = |action, text: String| {
            let fault = check_edit(action, on.step(), &text).err().map(|fault| fault.to_string());
            Ok((text, fault))
        };
        match kind {
            PromptKind::Importance => Ok((teacher.importance(question, steps, index, 0)?.to_string(), None)),
            PromptKind::Jumpiness => Ok((teacher.jumpiness(question, steps, index, 0)?.to_string(), None)),
            PromptKind::Compress => edited(Action::Compress, teacher.compress(question, &on.prefix(), on.step(), 0)?),
            PromptKind::Expand => edited(Action::Expand, teacher.expand(question, &on.prefix(), on.step(), 0)?),
            PromptKind::Localize => edited(Action::Localize, teacher.localize(question, &on.prefix(), on.step(), 0)?),
            PromptKind::Diagnosis => self.diagnosis(on),
            _ => {
                let text = teacher.trace(question, 0)?;
                let right = self.verifier.judge(&text, &question.gold).correct;
                let fault = (!right).then(|| format!("the trace does not reach {}", question.gold));
                Ok((text, fault))
            }
        }
    }

    fn diagnosis(&self, on: &Specimen) -> Result<(String, Option<String>), TeacherError> {
        let reference = format!("{}\n#### {}", on.steps.join("\n"), on.question.gold);
        let diagnosis = self.teacher.diagnose(&on.question, &on.response, Some(&reference), 0)?;
        let checked = check_diagnosis(&diagnosis, &on.response, &on.question.gold, self.verifier, self.most);
        let faults = checked.err().map(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        let unreadable = |error: serde_json::Error| TeacherError::Unanswered(error.to_string());
        Ok((serde_json::to_string_pretty(&diagnosis).map_err(unreadable)?, faults))
    }
}
