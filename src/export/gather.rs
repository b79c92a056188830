//! Reads a session, finished or not, into a report.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::report::{CheckpointRow, Comparison, Report, Results, Timing};
use super::sources::sources;
use super::training;
use crate::domain::Provenance;
use crate::evaluate::{
    Answers, BySplit, DEV, Estimate, by_steps, changes, format_control, mean_of_columns, measure, values,
};
use crate::pipeline::answers::spending;
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::plan::{BASE, plan};
use crate::pipeline::stages::evaluate::FALL;
use crate::recipe::{Arm, Recipe};
use crate::session::records::{Asked, Sourced, StageDone};
use crate::session::{Record, RolloutBrief, Session, SessionError};

pub(super) type Result<T> = std::result::Result<T, SessionError>;

const TRAIN: &str = "train";
const TEST: &str = "test";

/// The report of a session, as far as it has come.
pub fn gather(session: &Session, recipe: &Recipe) -> Result<Report> {
    Ok(examine(session, recipe)?.report)
}

/// A report with what stands behind it: the answers, question by question.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The report.
    pub report: Report,
    /// By checkpoint.
    pub answers: BTreeMap<String, Answers>,
    /// Solution steps of the test questions.
    pub steps: BTreeMap<String, u32>,
    /// Verifier and prompt hash behind every figure of a split; what was measured otherwise is left out.
    pub measured: BTreeMap<String, (String, String)>,
}

/// What the evaluations of a session found, with the questions' bands and the SFT runs, and without what only a whole
/// report tells (training texts, GRPO). `None` when `go_on` said no on the way.
///
/// # Errors
/// When the session can't be read.
pub fn standings(session: &Session, recipe: &Recipe, go_on: &dyn Fn() -> bool) -> Result<Option<Examined>> {
    let Some((mut examined, stages)) = evaluated(session, recipe, go_on)? else { return Ok(None) };
    training::measured(session, recipe, &stages, &mut examined.report.results)?;
    warn(&mut examined.report.results);
    Ok(go_on().then_some(examined))
}

pub(super) fn examine(session: &Session, recipe: &Recipe) -> Result<Examined> {
    let Some((mut examined, stages)) = evaluated(session, recipe, &|| true)? else {
        // Nobody said no.
        return Err(SessionError::Meta { path: session.dir().to_path_buf(), what: "its report was given up".into() });
    };
    training::fill(session, recipe, &stages, &mut examined.report.results)?;
    warn(&mut examined.report.results);
    Ok(examined)
}

/// The report as far as evaluations fill it in, and the plan of the run.
fn evaluated(session: &Session, recipe: &Recipe, go_on: &dyn Fn() -> bool) -> Result<Option<(Examined, Vec<StageId>)>> {
    let stages = plan(recipe);
    let mut timing = Vec::new();
    for stage in &stages {
        if let Some(done) = session.get::<StageDone>(&stage.key())? {
            let rate = done.tokens as f64 / done.seconds.max(1e-9);
            let StageDone { summary, seconds, tokens } = done;
            timing.push(Timing { stage: stage.key(), seconds, tokens, rate, summary });
        }
    }
    let mut results = Results {
        seed: recipe.seed,
        arm: recipe.arm.name().into(),
        verifier: recipe.data.verifier.clone(),
        k: recipe.evaluate.k,
        ..Results::default()
    };
    let questions = Questions::read(session)?;
    results.data.clone_from(&questions.hash);
    let mut measured = Measured::new();
    let Some(answers) = checkpoints(session, recipe, &stages, &questions, &mut measured, &mut results, go_on)? else {
        return Ok(None);
    };
    let prompts = measured.iter().map(|(split, (_, prompt))| (split.clone(), prompt.clone())).collect();
    results.sources = sources(session, &prompts)?;
    results.best = best(&results.checkpoints);
    if !go_on() {
        return Ok(None);
    }
    compare(recipe, &answers, &questions.test_steps, timing.len() == stages.len(), &mut results);
    let report = Report {
        session: session.name().into(),
        complete: timing.len() == stages.len(),
        stages: [timing.len(), stages.len()],
        results,
        beside: None,
        timing,
        spending: spending(session)?,
    };
    Ok(Some((Examined { report, answers, steps: questions.test_steps, measured }, stages)))
}

pub(super) fn all<R: Record>(session: &Session, prefix: &str) -> Result<Vec<(String, R)>> {
    session.scan::<R>(prefix).collect()
}

/// A brief of every group below a prefix; the texts stay where they are.
pub(super) fn briefs(session: &Session, prefix: &str) -> Result<Vec<RolloutBrief>> {
    session.rollout_briefs(prefix).map(|item| item.map(|(_, brief)| brief)).collect()
}

/// What was asked.
struct Questions {
    /// Evaluated splits, in the order of their sources; those without one by name.
    splits: Vec<String>,
    test_steps: BTreeMap<String, u32>,
    /// The first 12 hex digits of the SHA-256 over split, id, text and gold answer of each.
    hash: String,
}

impl Questions {
    fn read(session: &Session) -> Result<Self> {
        let mut hash = Sha256::new();
        let (mut splits, mut test_steps) = (Vec::new(), BTreeMap::new());
        let all = all::<Asked>(session, "")?;
        for (_, Asked { split, question }) in &all {
            for part in [split, &question.id, &question.text, &question.gold] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
            if split != TRAIN && !splits.contains(split) {
                splits.push(split.clone());
            }
            if split == TEST {
                test_steps.extend(question.steps.map(|n| (question.id.clone(), n)));
            }
        }
        let mut place = BTreeMap::new();
        for entry in session.scan::<Sourced>("") {
            let (split, source) = entry?;
            place.insert(split, source.place);
        }
        splits.sort_by_key(|split| place.get(split).copied());
        let mut hash = if all.is_empty() { String::new() } else { hex::encode(hash.finalize()) };
        hash.truncate(12);
        Ok(Self { splits, test_steps, hash })
    }
}

/// The judged answers of one evaluation: per split greedy, sampled, and with the answer marker banned.
struct Evaluation(Vec<(String, [Vec<RolloutBrief>; 3])>);

impl Evaluation {
    fn read(session: &Session, stage: &StageId, splits: &[String]) -> Result<Self> {
        let mut measured = Vec::new();
        for split in splits {
            let of = |kind: &str| briefs(session, &format!("{}/{kind}/{split}/", stage.key()));
            measured.push((split.clone(), [of("greedy")?, of("sampled")?, of("control")?]));
        }
        Ok(Self(measured))
    }

    /// Split and provenance of every answer.
    fn provenance(&self) -> impl Iterator<Item = (&str, &Provenance)> {
        self.0.iter().flat_map(|(split, kinds)| kinds.iter().flatten().map(|g| (split.as_str(), &g.provenance)))
    }

    fn answers(&self, k: u32) -> Answers {
        let pick = |kind: usize, k: Option<u32>| -> BySplit<_> {
            let asked = self.0.iter().filter(|(_, kinds)| !kinds[kind].is_empty());
            asked.map(|(split, kinds)| (split.clone(), values(&kinds[kind], k))).collect()
        };
        Answers { greedy: pick(0, None), banned: pick(2, None), pass: pick(1, Some(k)) }
    }

    fn row(&self, checkpoint: &str, k: u32, test_steps: &BTreeMap<String, u32>) -> CheckpointRow {
        let test = self.0.iter().find(|(split, _)| split == TEST);
        let by_steps = test.map_or_else(BTreeMap::new, |(_, [greedy, ..])| by_steps(greedy, test_steps));
        let measured = |(split, [greedy, sampled, control]): &(String, [Vec<RolloutBrief>; 3])| {
            (split.clone(), measure(greedy, sampled, control, k))
        };
        let splits: BySplit<_> = self.0.iter().map(measured).collect();
        let columns: Vec<Estimate> = splits.reported().map(|(_, m)| m.accuracy).collect();
        CheckpointRow { checkpoint: checkpoint.into(), splits, mean: mean_of_columns(&columns), by_steps }
    }
}

/// Verifier and prompt of each split, as the first evaluation had them.
type Measured = BTreeMap<String, (String, String)>;

/// A row per evaluation that is complete, and the answers behind it. Rows measured with another verifier or prompt than
/// the first are left out, with a warning: figures of different provenance are never drawn as one.
fn checkpoints(
    session: &Session,
    recipe: &Recipe,
    stages: &[StageId],
    questions: &Questions,
    measured: &mut Measured,
    results: &mut Results,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<BTreeMap<String, Answers>>> {
    let mut answers = BTreeMap::new();
    for stage in stages.iter().filter(|s| s.kind == StageKind::Evaluate) {
        if !go_on() {
            return Ok(None);
        }
        if !session.contains::<StageDone>(&stage.key())? {
            continue;
        }
        let evaluation = Evaluation::read(session, stage, &questions.splits)?;
        if evaluation.provenance().next().is_none() {
            continue;
        }
        if let Some(fault) = other_provenance(&evaluation, measured) {
            results.warnings.push(format!("{} {fault}; it is left out", stage.of));
            continue;
        }
        let Some(first) = measured.get(DEV).or_else(|| measured.values().next()) else { continue };
        (results.verifier, results.prompt) = first.clone();
        answers.insert(stage.of.clone(), evaluation.answers(recipe.evaluate.k));
        results.checkpoints.push(evaluation.row(&stage.of, recipe.evaluate.k, &questions.test_steps));
    }
    Ok(Some(answers))
}

/// What is not measured as it was before, in words.
fn other_provenance(evaluation: &Evaluation, measured: &mut Measured) -> Option<String> {
    for (split, p) in evaluation.provenance() {
        if !measured.contains_key(split) {
            measured.insert(split.to_string(), (p.verifier.clone(), p.prompt.clone()));
        }
        let (verifier, prompt) = &measured[split];
        if (verifier, prompt) != (&p.verifier, &p.prompt) {
            return Some(format!(
                "was measured with verifier {} and prompt {}, the rows before it with {verifier} and {prompt}",
                p.verifier, p.prompt
            ));
        }
    }
    None
}

/// The checkpoint with the best dev accuracy; the earliest of equals.
fn best(rows: &[CheckpointRow]) -> Option<String> {
    let mut best: Option<(&str, f64)> = None;
    for row in rows {
        let Some(dev) = row.splits.get(DEV).filter(|m| m.questions > 0) else { continue };
        if best.is_none_or(|(_, accuracy)| dev.accuracy.value > accuracy) {
            best = Some((&row.checkpoint, dev.accuracy.value));
        }
    }
    best.map(|(checkpoint, _)| checkpoint.to_string())
}

/// The differences a claim would rest on, and those that are known to be small.
fn compare(
    recipe: &Recipe,
    answers: &BTreeMap<String, Answers>,
    steps: &BTreeMap<String, u32>,
    complete: bool,
    results: &mut Results,
) {
    let (medium, bridged) = (StageKind::SftMedium, StageKind::SftBridged);
    let id = |t: u32, kind: StageKind| StageId { iteration: t, kind, of: String::new() }.key();
    let (medium, bridged) = (id(1, medium), id(1, bridged));
    let lesson = if recipe.arm == Arm::Bridged { "bridged" } else { recipe.arm.name() };
    let Some(last) = results.checkpoints.last().map(|row| row.checkpoint.clone()) else { return };
    let end = if complete { "final" } else { "latest" };
    let base = || BASE.to_string();
    let mut pairs = vec![
        (format!("base → {lesson}"), base(), bridged.clone()),
        (format!("{lesson} → {end}"), bridged.clone(), last.clone()),
        (format!("base → {end}"), base(), last.clone()),
        ("medium alone".into(), base(), medium.clone()),
        (format!("{lesson} alone"), medium, bridged.clone()),
        ("GRPO 1 alone".into(), bridged, id(1, StageKind::Grpo)),
    ];
    for t in 2..=recipe.iterations {
        let what = format!("iteration {t} alone");
        pairs.push((what, id(t - 1, StageKind::Grpo), id(t, StageKind::Grpo)));
    }
    for (what, before, after) in pairs {
        let drawn = |c: &Comparison| c.before == before && c.after == after;
        if before == after || results.comparisons.iter().any(drawn) {
            continue;
        }
        if let (Some(one), Some(other)) = (answers.get(&before), answers.get(&after)) {
            results.comparisons.push(Comparison { what, changes: changes(one, other, steps), before, after });
        }
    }
    if let (Some(base), Some(last)) = (answers.get(BASE), answers.get(&last).filter(|_| last != BASE)) {
        results.format_control = format_control(base, last);
    }
}

/// Stages that lowered the dev split (reading.md, row 40).
fn warn(results: &mut Results) {
    for pair in results.checkpoints.windows(2) {
        let [before, after] = pair else { continue };
        let dev = |row: &CheckpointRow| row.splits.get(DEV).map_or(0.0, |m| m.accuracy.value);
        if dev(after) < dev(before) - FALL {
            results.warnings.push(format!(
                "{} lowered the dev split from {:.1} to {:.1} %",
                after.checkpoint,
                100.0 * dev(before),
                100.0 * dev(after)
            ));
        }
    }
}
