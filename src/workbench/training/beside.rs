//! What stands beside the steps: how many groups were all-zero in each iteration, and whether a gain is one of format or
//! of skill. Both as the report counts them.

use crate::evaluate::{Answers, BySplit, FormatControl, format_control, values};
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::plan::{BASE, plan};
use crate::recipe::Recipe;
use crate::session::records::{Asked, StageDone};
use crate::session::{RolloutBrief, Session};
use crate::workbench::jobs::Cancel;
use crate::workbench::training::Measured;

/// All-zero groups of one stage that samples the training questions before or after RL.
#[derive(Clone, Debug, PartialEq)]
pub struct Zeros {
    /// The stage.
    pub stage: StageId,
    /// Groups without a right answer.
    pub zero: usize,
    /// Groups.
    pub groups: usize,
    /// Samples of a group, G.
    pub n: u32,
    /// What they were judged with.
    pub measured: Option<Measured>,
    /// Whether the stage is complete.
    pub complete: bool,
}

impl Zeros {
    /// The share of all-zero groups; 0 without groups.
    pub fn share(&self) -> f64 {
        self.zero as f64 / self.groups.max(1) as f64
    }

    /// What it is called: the iteration, or the end of the run.
    pub fn name(&self) -> String {
        if self.stage.of.is_empty() { self.stage.iteration.to_string() } else { self.stage.of.clone() }
    }
}

/// All-zero groups of every stage of rollouts that has begun. Complete stages that are `known` are not counted again.
///
/// # Errors
/// In words, when the session can't be read or the answer is no longer wanted.
pub fn zeros(session: &Session, recipe: &Recipe, known: &[Zeros], cancel: &Cancel) -> Result<Vec<Zeros>, String> {
    let mut all = Vec::new();
    for stage in plan(recipe).into_iter().filter(|stage| stage.kind == StageKind::Rollouts) {
        if let Some(known) = known.iter().find(|known| known.stage == stage && known.complete) {
            all.push(known.clone());
            continue;
        }
        let complete = session.contains::<StageDone>(&stage.key()).map_err(|e| e.to_string())?;
        let briefs = briefs(session, &format!("{}/", stage.key()), cancel)?;
        let Some(first) = briefs.first() else { continue };
        let (n, measured) = (first.n, Some(measured(first)));
        let zero = briefs.iter().filter(|group| group.n > 0 && group.correct == 0).count();
        all.push(Zeros { stage, zero, groups: briefs.len(), n, measured, complete });
    }
    Ok(all)
}

/// Format or skill: of the student as it came against the last checkpoint that was evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// The evaluation it is about.
    pub stage: StageId,
    /// What was found; `None` where the ban was not measured, or not in the same way before and after.
    pub found: Option<FormatControl>,
    /// Measured in another way than the base: they can't be compared.
    pub differs: bool,
}

/// The format control; `None` before there are two evaluations.
///
/// # Errors
/// In words, when the session can't be read or the answer is no longer wanted.
pub fn control(
    session: &Session,
    recipe: &Recipe,
    known: Option<&Control>,
    cancel: &Cancel,
) -> Result<Option<Control>, String> {
    let mut complete = Vec::new();
    for stage in plan(recipe).into_iter().filter(|stage| stage.kind == StageKind::Evaluate) {
        if session.contains::<StageDone>(&stage.key()).map_err(|e| e.to_string())? {
            complete.push(stage);
        }
    }
    let [first, .., last] = complete.as_slice() else { return Ok(None) };
    if first.of != BASE {
        return Ok(None);
    }
    if let Some(known) = known.filter(|known| known.stage == *last) {
        return Ok(Some(known.clone()));
    }
    let splits = splits(session)?;
    let before = answers(session, first, &splits, cancel)?;
    let after = answers(session, last, &splits, cancel)?;
    let differs = before.1 != after.1;
    let found = if differs { None } else { format_control(&before.0, &after.0).into_iter().next() };
    Ok(Some(Control { stage: last.clone(), found, differs }))
}

/// Splits that are evaluated.
fn splits(session: &Session) -> Result<Vec<String>, String> {
    let mut splits: Vec<String> = Vec::new();
    for key in session.keys::<Asked>("") {
        let key = key.map_err(|e| e.to_string())?;
        let split = key.split('/').next().unwrap_or_default();
        if split != "train" && splits.last().is_none_or(|last| last != split) {
            splits.push(split.to_string());
        }
    }
    Ok(splits)
}

/// What the answers of each split were judged with.
type Judged = Vec<(String, Measured)>;

/// Greedy answers, and those with the answer marker banned.
fn answers(
    session: &Session,
    stage: &StageId,
    splits: &[String],
    cancel: &Cancel,
) -> Result<(Answers, Judged), String> {
    let (mut greedy, mut banned, mut judged) = (Vec::new(), Vec::new(), Vec::new());
    for split in splits {
        for (kind, into) in [("greedy", &mut greedy), ("control", &mut banned)] {
            let groups = briefs(session, &format!("{}/{kind}/{split}/", stage.key()), cancel)?;
            if let Some(first) = groups.first() {
                judged.push((format!("{kind}/{split}"), measured(first)));
                into.push((split.clone(), values(&groups, None)));
            }
        }
    }
    let (greedy, banned) = (greedy.into_iter().collect(), banned.into_iter().collect());
    Ok((Answers { greedy, banned, pass: BySplit::default() }, judged))
}

fn measured(brief: &RolloutBrief) -> Measured {
    Measured { verifier: brief.provenance.verifier.clone(), prompt: brief.provenance.prompt.clone() }
}

fn briefs(session: &Session, prefix: &str, cancel: &Cancel) -> Result<Vec<RolloutBrief>, String> {
    let mut briefs = Vec::new();
    for (at, item) in session.rollout_briefs(prefix).enumerate() {
        if at % 256 == 0 {
            cancel.check()?;
        }
        briefs.push(item.map_err(|e| e.to_string())?.1);
    }
    Ok(briefs)
}
