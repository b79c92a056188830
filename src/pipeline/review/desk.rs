//! What a decision is made with: the session, its recipe, and whoever is at hand to help.

use super::error::ReviewError;
use super::product::{Kind, Product, ProductId};
use crate::domain::{Question, Thresholds, Verifier};
use crate::pipeline::context::StageError;
use crate::recipe::{Gate, Recipe};
use crate::session::Session;
use crate::session::records::{Asked, BridgedTrace, Scores, Status, TauD, Trace};
use crate::teacher::Teacher;

/// The loss of each token of each step, in nats, and the number of tokens of the whole trace.
#[derive(Clone, Debug, PartialEq)]
pub struct StepLosses {
    /// By step.
    pub steps: Vec<Vec<f32>>,
    /// Tokens of the trace, answer line and end of turn included.
    pub trace_tokens: u32,
}

/// Who measures D.
pub trait Losses {
    /// Losses of the steps of `trace` under `checkpoint`. A step begins at each code point of `starts` (its separator
    /// belongs to it); what lies behind `end` belongs to none.
    ///
    /// # Errors
    /// When the student cannot be used.
    fn losses(
        &self,
        question: &Question,
        trace: &str,
        bounds: (&[usize], usize),
        checkpoint: &str,
    ) -> Result<StepLosses, StageError>;
}

/// A session on the desk. Without a teacher, what needs one is refused; without a student, D of steps that changed is
/// carried over as well as it can be, and the scores go to review.
pub struct Desk<'a> {
    /// Open for writing.
    pub session: &'a Session,
    /// The session's.
    pub recipe: &'a Recipe,
    /// How answers are judged.
    pub verifier: Verifier,
    /// Who is asked for edits, scores and diagnoses.
    pub teacher: Option<&'a dyn Teacher>,
    /// Why there is no teacher, where that is known.
    pub absent: Option<String>,
    /// Who measures D.
    pub student: Option<&'a dyn Losses>,
}

impl<'a> Desk<'a> {
    /// A desk with nobody at hand.
    ///
    /// # Errors
    /// A verifier that is not known.
    pub fn new(session: &'a Session, recipe: &'a Recipe) -> Result<Self, ReviewError> {
        let verifier = recipe.data.verifier.parse::<Verifier>();
        let verifier = verifier.map_err(|error| ReviewError::Unfit(error.to_string()))?;
        Ok(Self { session, recipe, verifier, teacher: None, absent: None, student: None })
    }

    /// A product that must be there.
    pub(super) fn product(&self, id: &ProductId) -> Result<Product, ReviewError> {
        Product::read(self.session, id)?.ok_or_else(|| ReviewError::NoSuch(id.clone()))
    }

    pub(super) fn trace(&self, question: &str) -> Result<Trace, ReviewError> {
        let missing = || ReviewError::NoSuch(ProductId::new(Kind::Trace, question));
        self.session.get(question)?.ok_or_else(missing)
    }

    pub(super) fn scores(&self, question: &str) -> Result<Scores, ReviewError> {
        let missing = || ReviewError::NoSuch(ProductId::new(Kind::Scores, question));
        self.session.get(question)?.ok_or_else(missing)
    }

    pub(super) fn bridge(&self, question: &str) -> Result<BridgedTrace, ReviewError> {
        let missing = || ReviewError::NoSuch(ProductId::new(Kind::Bridge, question));
        self.session.get(question)?.ok_or_else(missing)
    }

    /// A training question.
    pub(super) fn question(&self, id: &str) -> Result<Question, ReviewError> {
        let asked = self.session.get::<Asked>(&format!("train/{id}"))?;
        asked.map(|asked| asked.question).ok_or_else(|| ReviewError::NoQuestion(id.into()))
    }

    /// The thresholds in force.
    pub(super) fn thresholds(&self) -> Result<Thresholds, ReviewError> {
        let tau = self.session.get::<TauD>("tau-d")?;
        let tau_d = tau.ok_or_else(|| ReviewError::Unfit("τ_D is not fixed yet; the stage scores does that".into()))?;
        Ok(Thresholds { tau_i: self.recipe.bridge.tau_i, tau_j: self.recipe.bridge.tau_j, tau_d: tau_d.value })
    }

    /// The teacher, or a refusal.
    pub(super) fn teacher(&self) -> Result<&'a dyn Teacher, ReviewError> {
        self.teacher.ok_or_else(|| ReviewError::Teacher(self.nobody()))
    }

    /// That nobody is there to ask, and why.
    pub(super) fn nobody(&self) -> String {
        let why = self.absent.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        format!("no teacher is at hand{why}")
    }
}

/// Where a product stands that nobody has decided on: what failed goes to review, the rest waits for its gate or passes.
pub fn standing(fault: Option<String>, gate: Gate) -> Status {
    match (fault, gate) {
        (Some(reason), _) => Status::Review { reason },
        (None, Gate::Review) => Status::Proposed,
        (None, Gate::Auto) => Status::Approved,
    }
}
