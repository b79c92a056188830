//! Which texts an SFT stage trains on. Only approved and edited products get in; every text names the records it came from.
//!
//! The texts are a function of the records and the prompts alone, so that a screen can show, without a student and before
//! the stage has begun, what it would train on now.

use super::context::{Context, StageError, Summary, all};
use super::events::{StageId, StageKind};
use super::fit::{Fit, encoded, fit, size_of};
use super::material::Material;
use super::stages::difficulty::banded;
use super::teaching;
use crate::domain::samples::Origin;
use crate::domain::{Band, Question, SftSample};
use crate::recipe::{Arm, Recipe};
use crate::session::Session;
use crate::session::records::{BridgedTrace, Recycled, Trace};
use crate::teacher::{PromptError, Prompts};

/// What texts are made from.
#[derive(Clone, Copy)]
pub struct Lessons<'a> {
    /// The records.
    pub session: &'a Session,
    /// Band edges and arm.
    pub recipe: &'a Recipe,
    /// The wording of the user turns.
    pub prompts: &'a Prompts,
    /// The questions.
    pub material: &'a Material,
    /// The stage that is to train on them.
    pub stage: &'a StageId,
}

impl<'a> Lessons<'a> {
    /// Those of a stage at work.
    pub fn of(cx: &Context<'a>) -> Self {
        let Context { session, recipe, prompts, material, stage, .. } = *cx;
        Self { session, recipe, prompts, material, stage }
    }
}

/// The texts that a stage would train on if it began now; `None` where it trains on none of the records' texts (a stage
/// that is no SFT, and the neutral arm, whose texts are drawn from the pre-training mix when it begins).
///
/// # Errors
/// When the session can't be read, or its prompts are malformed.
pub fn planned(session: &Session, recipe: &Recipe, stage: &StageId) -> Result<Option<Vec<SftSample>>, StageError> {
    if recipe.arm == Arm::Neutral {
        return Ok(None);
    }
    let begun_with = teaching::prompts(&teaching::resumed(recipe, session))?;
    let prompts = teaching::prompts_of(session, begun_with)?;
    let material = Material::recorded(session)?;
    let lessons = Lessons { session, recipe, prompts: &prompts, material: &material, stage };
    Ok(match stage.kind {
        StageKind::SftMedium => Some(medium(&lessons)?),
        StageKind::SftBridged if recipe.arm == Arm::RawHard => Some(raw_hard(&lessons)?),
        StageKind::SftBridged => Some(bridged(&lessons)?),
        StageKind::SftRecycled => Some(acquired_and_recycled(&lessons)?),
        _ => None,
    })
}

/// Medium questions with their traces.
pub fn medium(cx: &Lessons) -> Result<Vec<SftSample>, StageError> {
    traces(cx, Band::Medium, |origin, user, trace| origin.medium(user, trace))
}

/// Hard questions with their traces as the teacher wrote them.
pub fn raw_hard(cx: &Lessons) -> Result<Vec<SftSample>, StageError> {
    traces(cx, Band::Hard, |origin, user, trace| origin.raw_hard(user, trace))
}

/// Medium, bridged and recycled texts, in this order (eq. 20).
pub fn acquired_and_recycled(cx: &Lessons) -> Result<Vec<SftSample>, StageError> {
    let mut samples = medium(cx)?;
    samples.extend(bridged(cx)?);
    samples.extend(recycled(cx, cx.stage.iteration.saturating_sub(1))?);
    Ok(samples)
}

fn traces(
    cx: &Lessons,
    band: Band,
    sample: impl Fn(&Origin, &str, &str) -> SftSample,
) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for question in banded(cx.session, cx.recipe, cx.material, band)? {
        let Some(trace) = cx.session.get::<Trace>(&question.id)? else { continue };
        if trace.status.may_train() {
            let lineage = [difficulty_key(question), format!("trace/{}", question.id)];
            let user = cx.prompts.student(question)?;
            samples.push(sample(&origin(cx, question, &lineage), &user, &trace.text));
        }
    }
    Ok(samples)
}

/// Bridged hard questions and their local samples (eq. 11 and Algorithm 1, lines 34 and 35).
pub fn bridged(cx: &Lessons) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for (id, record) in all::<BridgedTrace>(cx.session, "")? {
        let Some(question) = cx.material.find(&id).filter(|_| record.status.may_train()) else { continue };
        let of = |table: &str| format!("{table}/{id}");
        let lineage = [difficulty_key(question), of("trace"), of("scores"), of("bridge")];
        let origin = origin(cx, question, &lineage);
        let user = cx.prompts.student(question)?;
        samples.push(origin.bridged(&user, &record.bridged));
        for local in &record.bridged.locals {
            let user = cx.prompts.local(question, &local.prefix)?;
            samples.push(origin.local(&user, local));
        }
    }
    Ok(samples)
}

/// The three lessons of each diagnosed failure of one iteration (eqs. 18 and 19).
pub fn recycled(cx: &Lessons, iteration: u32) -> Result<Vec<SftSample>, StageError> {
    let mut samples = Vec::new();
    for (key, record) in all::<Recycled>(cx.session, &format!("{iteration}/"))? {
        let (true, Some(question)) = (record.status.may_train(), cx.material.find(&record.question)) else { continue };
        let failure = Failure { iteration, key: &key, question, record: &record };
        samples.extend(failure.lessons(cx.prompts, cx.stage.iteration)?.into_iter().flatten());
    }
    Ok(samples)
}

/// A failed question on its way into lessons.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The iteration in which it failed, from 1.
    pub iteration: u32,
    /// Key of the record.
    pub key: &'a str,
    /// The question.
    pub question: &'a Question,
    /// The near-miss and its diagnosis.
    pub record: &'a Recycled,
}

impl Failure<'_> {
    /// What SFT of iteration `taught` trains on once the failure may be trained on: diagnose, repair, new trace (eqs. 18
    /// and 19). `None` without a diagnosis.
    ///
    /// # Errors
    /// A rendered prompt that is longer than any model reads.
    pub fn lessons(&self, prompts: &Prompts, taught: u32) -> Result<Option<[SftSample; 3]>, PromptError> {
        let Some(diagnosis) = &self.record.diagnosis else { return Ok(None) };
        let (question, record) = (self.question, self.record);
        let rollouts = format!("rollouts/{}-rollouts/{}", self.iteration, question.id);
        let lineage = [rollouts, format!("recycled/{}", self.key)];
        let origin = Origin { iteration: taught, question: &question.id, lineage: &lineage };
        let target = prompts.diagnosis_target(diagnosis)?;
        Ok(Some([
            origin.diagnose(&prompts.diagnose(question, &record.response)?, &target),
            origin.repair(&prompts.repair(question, &record.prefix, diagnosis)?, diagnosis),
            origin.new_trace(&prompts.new_trace(question)?, diagnosis),
        ]))
    }
}

fn origin<'a>(cx: &Lessons, question: &'a Question, lineage: &'a [String]) -> Origin<'a> {
    Origin { iteration: cx.stage.iteration, question: &question.id, lineage }
}

fn difficulty_key(question: &Question) -> String {
    format!("rollouts/1-difficulty/{}", question.id)
}

/// Trains on as much of the pre-training mix as `instead_of` has tokens, in as many updates: the neutral arm.
pub fn fit_neutral(cx: &Context, instead_of: &[SftSample], lr: f64) -> Result<Summary, StageError> {
    let matched = size_of(cx, instead_of)?;
    let mut samples = Vec::new();
    let mut tokens = 0;
    let seed = super::seeds::stream(cx.recipe.seed, &cx.stage.key(), "neutral");
    for document in cx.teacher.neutral(seed)? {
        if tokens >= matched.tokens {
            break;
        }
        let id = format!("{}-{:06}", cx.stage.kind.name(), samples.len());
        let origin = Origin { iteration: cx.stage.iteration, question: &id, lineage: &[] };
        let sample = SftSample { messages: document.messages, ..origin.neutral("", "") };
        tokens += encoded(cx, &sample)?.trained.len() as u64;
        samples.push(sample);
    }
    fit(cx, Fit { samples, lr, matched: Some(matched) })
}
