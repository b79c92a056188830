//! The records behind a text, each read by its key.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    CheckpointBehind, FailureBehind, Lineage, LineageError, PromptBehind, RolloutsBehind, Standing, StepBehind,
    StepsBehind, TraceBehind, TrainingText, decisions, find, nearest,
};
use crate::domain::{Band, SampleKind};
use crate::pipeline::plan::BASE;
use crate::pipeline::stages::difficulty::edges;
use crate::recipe::Recipe;
use crate::session::records::{
    Asked, BridgedTrace, CheckpointInfo, Prepared, Recycled, RolloutGroup, Scores, TauD, Trace,
};
use crate::session::{Record, Session};
use crate::teacher::Prompts;
use crate::teacher::prompts::PromptKind;

/// Everything behind the training text of an id (or of a record's key, `stage/position`).
///
/// # Errors
/// An id that is not there, with the nearest ones; a session that cannot be read.
pub fn lineage(session: &Session, recipe: &Recipe, id: &str) -> Result<Lineage, LineageError> {
    let Some((key, text)) = find::find(session, id)? else {
        return Err(LineageError::Unknown { id: id.into(), near: nearest(session, id)? });
    };
    lineage_of(session, recipe, &key, text)
}

/// Everything behind a training text that is at hand, also one that no stage has fixed yet; `key` is `stage/position`.
///
/// # Errors
/// A session that cannot be read.
pub fn lineage_of(session: &Session, recipe: &Recipe, key: &str, text: Prepared) -> Result<Lineage, LineageError> {
    let stage = key.split('/').next().unwrap_or_default().to_owned();
    let mut found = Lineage { session: session.name().into(), ..Lineage::default() };
    found.question = question(session, &text.sample.question)?;
    for from in &text.sample.lineage {
        read(session, recipe, from, &mut found)?;
    }
    found.decisions = decisions::of_records(session, &text.sample.lineage)?;
    found.prompts = prompts(&found, &text);
    found.checkpoints = checkpoints(session, &stage)?;
    let Prepared { sample, tokens, .. } = text;
    let kind = sample.kind.as_str().into();
    found.text = TrainingText {
        id: sample.id,
        key: key.into(),
        kind,
        stage,
        tokens,
        messages: sample.messages,
        lineage: sample.lineage,
    };
    Ok(found)
}

fn question(session: &Session, id: &str) -> Result<Option<crate::domain::Question>, LineageError> {
    if id.is_empty() {
        return Ok(None);
    }
    Ok(session.get::<Asked>(&format!("train/{id}"))?.map(|asked| asked.question))
}

/// Reads the record of one key of a lineage into its place.
fn read(session: &Session, recipe: &Recipe, from: &str, found: &mut Lineage) -> Result<(), LineageError> {
    let (table, key) = from.split_once('/').unwrap_or((from, ""));
    let there = match table {
        RolloutGroup::TABLE => match session.get::<RolloutGroup>(key)? {
            Some(group) => {
                found.rollouts.push(rollouts(from, recipe, group));
                true
            }
            None => false,
        },
        Trace::TABLE => match session.get::<Trace>(key)? {
            Some(trace) => {
                let standing = standing(&trace);
                let Trace { text, teacher, attempts, .. } = trace;
                found.trace = Some(TraceBehind { key: from.into(), teacher, attempts, standing, text });
                true
            }
            None => false,
        },
        Scores::TABLE | BridgedTrace::TABLE => {
            if found.steps.is_none() {
                found.steps = steps(session, recipe, key)?;
            }
            if table == Scores::TABLE { found.steps.is_some() } else { session.contains::<BridgedTrace>(key)? }
        }
        Recycled::TABLE => match session.get::<Recycled>(key)? {
            Some(record) => {
                found.failure = Some(failure(from, record));
                true
            }
            None => false,
        },
        // A table of a later version is no damage; its decisions are listed all the same.
        _ => true,
    };
    if !there {
        found.missing.push(from.into());
    }
    Ok(())
}

fn rollouts(key: &str, recipe: &Recipe, group: RolloutGroup) -> RolloutsBehind {
    let (correct, n) = (group.correct(), group.n());
    let bands = key.starts_with("rollouts/1-difficulty/");
    let band = bands.then(|| Band::of(correct, n, &edges(recipe)).as_str().to_owned());
    let RolloutGroup { provenance, sampling, rollouts, .. } = group;
    RolloutsBehind {
        key: key.into(),
        correct,
        n,
        band,
        verifier: provenance.verifier,
        prompt: provenance.prompt,
        checkpoint: provenance.checkpoint,
        sampling,
        rollouts,
    }
}

/// Status and reason of a product, by the names under which every product stores them.
fn standing<R: Serialize>(product: &R) -> Standing {
    let value = serde_json::to_value(product).unwrap_or_default();
    let word = |name: &str| value[name].as_str().map(str::to_owned);
    Standing { status: word("status").unwrap_or_default(), reason: word("reason") }
}

fn steps(session: &Session, recipe: &Recipe, question: &str) -> Result<Option<StepsBehind>, LineageError> {
    let Some(scores) = session.get::<Scores>(question)? else { return Ok(None) };
    let bridged = session.get::<BridgedTrace>(question)?;
    let tau = session.get::<TauD>("tau-d")?;
    let mut steps = Vec::with_capacity(scores.steps.len());
    for (at, step) in scores.steps.into_iter().enumerate() {
        let edit = bridged.as_ref().and_then(|bridged| bridged.steps.get(at));
        steps.push(StepBehind {
            text: step.text,
            importance: step.scores.importance,
            jumpiness: step.scores.jumpiness,
            difficulty: step.scores.difficulty,
            tokens: step.tokens,
            action: edit.map(|edit| edit.action.as_str().to_owned()),
            reason: edit.map(|edit| edit.reason.clone()),
            edited: edit.map(|edit| edit.text.clone()),
            local: bridged.as_ref().is_some_and(|b| b.bridged.locals.iter().any(|local| local.step == at)),
        });
    }
    Ok(Some(StepsBehind {
        checkpoint: scores.checkpoint,
        tau_i: recipe.bridge.tau_i,
        tau_j: recipe.bridge.tau_j,
        tau_d: tau.as_ref().map(|tau| tau.value),
        tau_d_source: tau.map(|tau| tau.source),
        standing: bridged.as_ref().map(standing).unwrap_or_default(),
        steps,
    }))
}

fn failure(key: &str, record: Recycled) -> FailureBehind {
    let standing = standing(&record);
    FailureBehind {
        key: key.into(),
        near_miss: record.near_miss,
        score: record.score,
        repetition: record.repetition,
        response: record.response,
        prefix: record.prefix,
        diagnosis: record.diagnosis,
        reference: record.reference,
        standing,
    }
}

/// What was asked with which prompt: as recorded with the answers, and what this program would ask with for the text
/// itself, where its wording of the question is the recorded one.
fn prompts(found: &Lineage, text: &Prepared) -> Vec<PromptBehind> {
    let mut prompts: Vec<PromptBehind> = Vec::new();
    for group in &found.rollouts {
        let of = format!("question, asked by {} under {}", group.key, group.checkpoint);
        prompts.push(PromptBehind { of, hash: group.prompt.clone(), recorded: true });
    }
    let kinds: &[PromptKind] = match text.sample.kind {
        SampleKind::Medium | SampleKind::Bridged | SampleKind::RawHard => &[PromptKind::Question],
        SampleKind::Local => &[PromptKind::Local],
        SampleKind::Diagnose => &[PromptKind::Diagnose, PromptKind::DiagnosisTarget],
        SampleKind::Repair => &[PromptKind::Repair],
        SampleKind::NewTrace => &[PromptKind::NewTrace],
        SampleKind::Neutral => &[],
    };
    let recorded = |wording: &Prompts| found.rollouts.iter().any(|group| group.prompt == wording.student_hash());
    let wording = [Prompts::world(), Prompts::standard()].into_iter().flatten().find(recorded);
    for kind in kinds {
        let hash = wording.as_ref().map(|wording| wording.hash(*kind));
        prompts.extend(hash.map(|hash| PromptBehind {
            of: format!("{}, the text's own", kind.name()),
            recorded: prompts.iter().any(|known| known.hash == hash),
            hash,
        }));
    }
    prompts
}

/// The stage's checkpoint, its parent and so on. Empty before the stage has one.
fn checkpoints(session: &Session, stage: &str) -> Result<Vec<CheckpointBehind>, LineageError> {
    let (mut chain, mut seen) = (Vec::new(), HashSet::new());
    let mut id = stage.to_owned();
    // A chain that leads back into itself is damage; it ends where it closes.
    while seen.insert(id.clone()) {
        let Some(info) = session.get::<CheckpointInfo>(&id)? else { break };
        let CheckpointInfo { parent, recipe, data, weights, .. } = info;
        chain.push(CheckpointBehind { id, recipe, data, weights });
        id = parent;
    }
    if !chain.is_empty() && id == BASE {
        chain.push(CheckpointBehind { id, recipe: String::new(), data: String::new(), weights: String::new() });
    }
    Ok(chain)
}
