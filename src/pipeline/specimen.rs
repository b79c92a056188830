//! One question with everything a prompt may want beside it: steps, a failed answer, a diagnosis. From a session where it
//! has them, else made up from the question's own solution; for looking at prompts and for trying out a teacher.

use super::begun::recipe_of;
use super::context::StageError;
use super::material::Material;
use crate::domain::Message;
use crate::domain::{Diagnosis, Question, Verifier, split_answer, split_steps};
use crate::recipe::Recipe;
use crate::session::Session;
use crate::session::records::{Asked, Recycled, Trace};
use crate::teacher::{PromptError, PromptKind, Prompts};

/// A question and what may stand beside it.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// The question.
    pub question: Question,
    /// Steps of a solution.
    pub steps: Vec<String>,
    /// An answer that is wrong.
    pub response: String,
    /// What is wrong with it.
    pub diagnosis: Diagnosis,
}

impl Specimen {
    /// Around a question, with `trace` as its solution.
    pub fn new(question: Question, trace: &str) -> Self {
        let (body, _) = split_answer(trace);
        let steps = split_steps(body, usize::MAX).iter().map(|span| span.of(body).to_owned()).collect::<Vec<_>>();
        let (response, wrong, right) = spoiled(body, &question.gold);
        let diagnosis = Diagnosis {
            first_error: wrong,
            error_type: "wrong calculation".into(),
            why_wrong: "The result is one too high.".into(),
            missing_knowledge: "Checking a result.".into(),
            minimal_fix: "Work the result out again.".into(),
            correct_next_step: right,
            short_correct_reasoning: format!("{body}\n#### {}", question.gold),
        };
        Self { question, steps, response, diagnosis }
    }

    /// Around a question without a session: from its own solution, or from a line that stands for one.
    pub fn of(question: Question) -> Self {
        let made_up = format!("1 + 1 = 2\nSo the answer is {0}.\n#### {0}", question.gold);
        let trace = question.solution.clone().unwrap_or(made_up);
        Self::new(question, &trace)
    }

    /// Around a question of a session, with its trace and its diagnosed failure where there are some.
    ///
    /// # Errors
    /// The session cannot be read.
    pub fn of_session(session: &Session, question: Question) -> Result<Self, StageError> {
        let trace = session.get::<Trace>(&question.id)?.filter(|trace| !trace.text.trim().is_empty());
        let mut specimen = match trace {
            Some(trace) => Self::new(question, &trace.text),
            None => Self::of(question),
        };
        for iteration in failures(session, &specimen.question.id)? {
            if let Some(failed) = session.get::<Recycled>(&format!("{iteration}/{}", specimen.question.id))? {
                specimen.response = failed.response;
                specimen.diagnosis = failed.diagnosis.unwrap_or(specimen.diagnosis);
            }
        }
        Ok(specimen)
    }

    /// The step that is asked about: the second, so that something stands before it.
    pub fn index(&self) -> usize {
        1.min(self.steps.len().saturating_sub(1))
    }

    /// The step itself.
    pub fn step(&self) -> &str {
        self.steps.get(self.index()).map_or("", String::as_str)
    }

    /// What stands before it.
    pub fn prefix(&self) -> String {
        self.steps.iter().take(self.index()).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The turns of a prompt about it.
    ///
    /// # Errors
    /// Those of the prompts.
    pub fn render(&self, prompts: &Prompts, kind: PromptKind) -> Result<Vec<Message>, PromptError> {
        use PromptKind::{
            Compress, Diagnose, Diagnosis, DiagnosisTarget, Expand, Importance, Jumpiness, Local, Localize, NewTrace,
            Question, QuestionBoxed, QuestionChoice, Repair, Trace,
        };
        let (question, prefix) = (&self.question, self.prefix());
        let user = |text: Result<String, PromptError>| Ok(vec![Message::user(text?)]);
        match kind {
            Question | QuestionBoxed | QuestionChoice => {
                let ask = crate::domain::AskKind::ALL.into_iter().find(|ask| PromptKind::asking(*ask) == kind);
                prompts.ask(&crate::domain::Question { ask: ask.unwrap_or_default(), ..question.clone() })
            }
            Local => user(prompts.local(question, &prefix)),
            Diagnose => user(prompts.diagnose(question, &self.response)),
            DiagnosisTarget => Ok(vec![Message::assistant(prompts.diagnosis_target(&self.diagnosis)?)]),
            Repair => user(prompts.repair(question, &prefix, &self.diagnosis)),
            NewTrace => user(prompts.new_trace(question)),
            Trace => prompts.trace(question),
            Importance => prompts.importance(question, &self.steps, self.index()),
            Jumpiness => prompts.jumpiness(question, &self.steps, self.index()),
            Compress | Expand | Localize => prompts.stepwise(kind, question, &prefix, self.step()),
            Diagnosis => prompts.diagnosis(question, &self.response, Some(&self.steps.join("\n"))),
        }
    }
}

/// The iterations in which a question of a session failed, oldest first. Looks for these records alone, whatever else there is.
///
/// # Errors
/// The session or its recipe cannot be read.
pub fn failures(session: &Session, id: &str) -> Result<Vec<u32>, StageError> {
    let recipe = recipe_of(session)?;
    let mut failed = Vec::new();
    for iteration in 1..=recipe.iterations {
        if session.contains::<Recycled>(&format!("{iteration}/{id}"))? {
            failed.push(iteration);
        }
    }
    Ok(failed)
}

/// A wrong answer out of a right one: the first result one too high, and so the final answer. With it the line that is
/// wrong and the line as it should be.
fn spoiled(body: &str, gold: &str) -> (String, String, String) {
    let answer = gold.parse::<i64>().map_or_else(|_| format!("not {gold}"), |gold| gold.saturating_add(1).to_string());
    for line in body.lines() {
        let Some((before, after)) = line.rsplit_once('=') else { continue };
        let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
        let Ok(result) = digits.parse::<i64>() else { continue };
        let gap = &after[..after.len() - after.trim_start().len()];
        let rest = &after.trim_start()[digits.len()..];
        let wrong = format!("{before}={gap}{}{rest}", result.saturating_add(1));
        let text = body.replacen(line, &wrong, 1);
        return (format!("{text}\n#### {answer}"), wrong.trim().to_owned(), line.trim().to_owned());
    }
    (format!("{body}\n#### {answer}"), format!("#### {answer}"), format!("#### {gold}"))
}

/// A question of a recipe by its id; the first training question where none is named.
///
/// # Errors
/// The questions cannot be read; there is no such question.
pub fn question_of(recipe: &Recipe, id: Option<&str>) -> Result<Question, StageError> {
    let verifier = recipe.data.verifier.parse::<Verifier>().map_err(|e| StageError::Recipe(e.to_string()))?;
    let material = Material::of(recipe, verifier)?;
    let mut all = material.train.iter().chain(material.evaluated.iter().flat_map(|split| &split.questions));
    let found = all.clone().find(|question| id.is_none_or(|id| question.id == id)).cloned();
    found.ok_or_else(|| match (id, all.next()) {
        (Some(id), Some(first)) => {
            StageError::Recipe(format!("there is no question `{id}` in this recipe; its ids look like `{}`", first.id))
        }
        _ => StageError::Recipe("this recipe has no questions; give one by --text".into()),
    })
}

/// A question of a session by its id.
///
/// # Errors
/// The session cannot be read, or has no such question.
pub fn question_in(session: &Session, id: &str) -> Result<Question, StageError> {
    if let Some(asked) = session.get::<Asked>(&format!("train/{id}"))? {
        return Ok(asked.question);
    }
    let mut first = None;
    for record in session.scan::<Asked>("") {
        let (_, asked) = record?;
        if asked.question.id == id {
            return Ok(asked.question);
        }
        first.get_or_insert(asked.question.id);
    }
    let like = first.map(|id| format!("; its ids look like `{id}`")).unwrap_or_default();
    Err(StageError::Recipe(format!("there is no question `{id}` in session `{}`{like}", session.name())))
}
