//! What a session's run would have said so far, read from its records: so that panes learn of a run that is over, or at
//! work elsewhere, in the same way as of one that is at work here.

use super::jobs::Cancel;
use crate::pipeline::events::{Event, StageId, StageKind};
use crate::pipeline::plan::plan;
use crate::recipe::Loaded;
use crate::session::Session;
use crate::session::records::{GrpoStep, SftUpdate, StageDone};

/// The events of a session, in the order of its stages: what there is to do, what came out, every measured point.
///
/// # Errors
/// In words, when the session or its recipe can't be read.
pub fn events(session: &Session, cancel: &Cancel) -> Result<Vec<Event>, String> {
    let (text, path) = session.recipe().map_err(|e| e.to_string())?;
    let recipe = Loaded::parse(&text, &path.display().to_string()).map_err(|e| e.to_string())?.recipe;
    let stages = plan(&recipe);
    let name = session.name().to_string();
    let mut events = vec![Event::RunStarted { session: name, seed: recipe.seed, stages: stages.clone() }];
    for stage in stages {
        cancel.check()?;
        events.extend(points(session, &stage)?);
        if let Some(done) = session.get::<StageDone>(&stage.key()).map_err(|e| e.to_string())? {
            let StageDone { summary, seconds, tokens } = done;
            events.push(Event::StageFinished { stage, summary, seconds, tokens });
        }
    }
    Ok(events)
}

/// The measured points of a training stage, under the names the stage itself gives them.
fn points(session: &Session, stage: &StageId) -> Result<Vec<Event>, String> {
    let prefix = format!("{}/", stage.key());
    let point = |at: usize, name: &str, value: f64| Event::Metric {
        stage: stage.clone(),
        step: at as u64 + 1,
        name: name.to_string(),
        value,
    };
    let mut events = Vec::new();
    match stage.kind {
        StageKind::Grpo => {
            for (at, item) in session.scan::<GrpoStep>(&prefix).enumerate() {
                let (_, step) = item.map_err(|e| e.to_string())?;
                events.push(point(at, "reward", step.reward));
                events.push(point(at, "reward-above-before", step.reward_above_before));
                events.extend(step.metrics.iter().map(|(name, value)| point(at, name, *value)));
            }
        }
        kind if kind.trains() => {
            for (at, item) in session.scan::<SftUpdate>(&prefix).enumerate() {
                let (_, update) = item.map_err(|e| e.to_string())?;
                for (name, value) in [("loss", update.loss), ("lr", update.lr), ("grad-norm", update.grad_norm)] {
                    events.push(point(at, name, value));
                }
            }
        }
        _ => {}
    }
    Ok(events)
}
