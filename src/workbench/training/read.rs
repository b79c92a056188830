//! The steps of a session's training from its records. Texts are passed over, and steps that are known are not unpacked.

use serde::{Deserialize, Serialize};

use super::{Addition, Known, Measured, Row};
use crate::domain::Provenance;
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::plan::plan;
use crate::recipe::Recipe;
use crate::session::records::{GrpoStep, SftUpdate, StageDone};
use crate::session::{Record, Session};
use crate::workbench::jobs::Cancel;

/// Steps between two looks at whether the answer is still wanted.
const BREATH: usize = 64;

/// A GRPO step without its rollouts.
#[derive(Serialize, Deserialize)]
struct Step {
    groups: Vec<Group>,
    reward: Option<f64>,
    reward_above_before: Option<f64>,
    metrics: Vec<(String, Option<f64>)>,
}

#[derive(Serialize, Deserialize)]
struct Group {
    provenance: Provenance,
}

impl Record for Step {
    const TABLE: &'static str = GrpoStep::TABLE;
    const VERSION: u32 = GrpoStep::VERSION;
}

/// An SFT update whose numbers may be missing.
#[derive(Serialize, Deserialize)]
struct Update {
    loss: Option<f64>,
    lr: Option<f64>,
    grad_norm: Option<f64>,
    tokens: Option<f64>,
}

impl Record for Update {
    const TABLE: &'static str = SftUpdate::TABLE;
    const VERSION: u32 = SftUpdate::VERSION;
}

impl From<Step> for Row {
    fn from(step: Step) -> Self {
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let mut values = vec![
            ("reward".to_string(), number(step.reward)),
            ("reward-above-before".to_string(), number(step.reward_above_before)),
        ];
        values.extend(step.metrics.into_iter().map(|(name, value)| (name, number(value))));
        let measured = |group: Group| {
            let Provenance { verifier, prompt, .. } = group.provenance;
            Measured { verifier, prompt }
        };
        Row { values, measured: step.groups.into_iter().next().map(measured) }
    }
}

impl From<Update> for Row {
    fn from(update: Update) -> Self {
        let named =
            [("loss", update.loss), ("lr", update.lr), ("grad-norm", update.grad_norm), ("tokens", update.tokens)];
        let value = |(name, value): (&str, Option<f64>)| (name.to_string(), value.unwrap_or(f64::NAN));
        Row { values: named.into_iter().map(value).collect(), measured: None }
    }
}

/// The steps that are not known yet, of every stage that has made any.
///
/// # Errors
/// In words, when the session can't be read or the answer is no longer wanted.
pub fn steps(session: &Session, recipe: &Recipe, known: &Known, cancel: &Cancel) -> Result<Vec<Addition>, String> {
    let mut additions = Vec::new();
    for (place, stage) in plan(recipe).into_iter().enumerate().filter(|(_, stage)| stage.kind.trains()) {
        let from = known.get(&stage.key()).copied().unwrap_or(0);
        let rows = match stage.kind {
            StageKind::Grpo => rows::<Step>(session, &stage, from, cancel)?,
            _ => rows::<Update>(session, &stage, from, cancel)?,
        };
        if !rows.is_empty() {
            let done = session.get::<StageDone>(&stage.key()).map_err(|e| e.to_string())?;
            let rate = done.filter(|done| done.seconds > 0.0).map(|done| done.tokens as f64 / done.seconds);
            additions.push(Addition { place, stage, from, rows, rate });
        }
    }
    Ok(additions)
}

fn rows<R: Record + Into<Row>>(
    session: &Session,
    stage: &StageId,
    from: usize,
    cancel: &Cancel,
) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (at, item) in session.scan::<R>(&format!("{}/", stage.key())).skip(from).enumerate() {
        if at % BREATH == 0 {
            cancel.check()?;
        }
        rows.push(item.map_err(|e| e.to_string())?.1.into());
    }
    Ok(rows)
}
