//! What a session's run would have said so far, read from its records: so that panes learn of a run that is over, or at
//! work elsewhere, in the same way as of one that is at work here.
//!
//! Of the steps of training only the numbers are read, never the texts, and only those that are not known yet; the last
//! known one is read again, in case it was begun anew. Once a stage is complete, all of it is read once more: a run that was
//! resumed repeats the steps behind its last saved state, and on a GPU not to the last digit.

use std::collections::BTreeMap;

use super::jobs::Cancel;
use super::training::{Known, Row, read};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::{Event, StageId};
use crate::pipeline::plan::plan;
use crate::session::Session;
use crate::session::records::StageDone;

/// What is measured of a step and not said: it is a count, no curve.
const UNSAID: &str = "tokens";

/// What was read of a session's training before.
#[derive(Debug, Default)]
pub struct Past {
    legs: BTreeMap<String, Leg>,
}

/// The steps of one stage.
#[derive(Debug, Default)]
struct Leg {
    steps: Vec<Row>,
    /// Whether they were read when the stage was complete.
    complete: bool,
}

impl Past {
    /// The events of a session, in the order of its stages: what there is to do, what came out, every measured point.
    ///
    /// # Errors
    /// In words, when the session or its recipe can't be read; what is known stays as it was then.
    pub fn events(&mut self, session: &Session, cancel: &Cancel) -> Result<Vec<Event>, String> {
        let recipe = recipe_of(session)?;
        let stages = plan(&recipe);
        let mut done = BTreeMap::new();
        for stage in &stages {
            cancel.check()?;
            let key = stage.key();
            if let Some(record) = session.get::<StageDone>(&key).map_err(|e| e.to_string())? {
                done.insert(key, record);
            }
        }
        for addition in read::steps(session, &recipe, &self.known(&done), cancel)? {
            let leg = self.legs.entry(addition.stage.key()).or_default();
            leg.steps.truncate(addition.from);
            leg.steps.extend(addition.rows);
        }
        for (key, leg) in &mut self.legs {
            leg.complete = done.contains_key(key);
        }
        let name = session.name().to_string();
        let mut events = vec![Event::RunStarted { session: name, seed: recipe.seed, stages: stages.clone() }];
        for stage in stages {
            let key = stage.key();
            if let Some(leg) = self.legs.get(&key) {
                events.extend(points(&stage, &leg.steps));
            }
            if let Some(StageDone { summary, seconds, tokens }) = done.remove(&key) {
                events.push(Event::StageFinished { stage, summary, seconds, tokens });
            }
        }
        Ok(events)
    }

    /// Steps that need not be read again.
    fn known(&self, done: &BTreeMap<String, StageDone>) -> Known {
        let kept = |key: &String, leg: &Leg| match (leg.complete, done.contains_key(key)) {
            (true, true) => leg.steps.len(),
            (_, true) => 0,
            (_, false) => leg.steps.len().saturating_sub(1),
        };
        self.legs.iter().map(|(key, leg)| (key.clone(), kept(key, leg))).collect()
    }
}

/// The measured points of a training stage, under the names the stage itself gives them.
fn points<'a>(stage: &'a StageId, steps: &'a [Row]) -> impl Iterator<Item = Event> + 'a {
    let said = |row: &'a Row| row.values.iter().filter(|(name, _)| name != UNSAID);
    let point = |at: usize, (name, value): &(String, f64)| Event::Metric {
        stage: stage.clone(),
        step: at as u64 + 1,
        name: name.clone(),
        value: *value,
    };
    steps.iter().enumerate().flat_map(move |(at, row)| said(row).map(move |value| point(at, value)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::session::records::SftUpdate;
    use crate::session::{Author, Batch, NewSession, Sessions};

    fn write(session: &Session, losses: &[(usize, f64)]) {
        let mut batch = Batch::new(Author::Pipeline);
        for (step, loss) in losses {
            let update = SftUpdate { loss: *loss, lr: 0.1, grad_norm: 1.0, tokens: 9 };
            batch.put(&format!("1-sft-medium/{step:06}"), &update);
        }
        session.write(batch).unwrap();
    }

    fn losses(past: &mut Past, session: &Session) -> Vec<f64> {
        let loss = |event: &Event| match event {
            Event::Metric { name, value, .. } if name == "loss" => Some(*value),
            _ => None,
        };
        past.events(session, &Cancel::default()).unwrap().iter().filter_map(loss).collect()
    }

    #[test]
    fn only_what_is_new_is_read_until_a_stage_is_complete() {
        let home = tempfile::tempdir().unwrap();
        let recipe = Recipe::preset("demo").unwrap().to_toml();
        let session = Sessions::at(home.path()).create("s", &NewSession { recipe: &recipe, seed: 1 }).unwrap();
        let mut past = Past::default();
        assert!(losses(&mut past, &session).is_empty());
        write(&session, &[(0, 4.0), (1, 3.0)]);
        assert_eq!(losses(&mut past, &session), [4.0, 3.0]);
        // What stands before the last known step is not looked at again; that one is, and what is new.
        write(&session, &[(0, 9.0), (1, 8.0), (2, 2.0)]);
        assert_eq!(losses(&mut past, &session), [4.0, 8.0, 2.0]);
        let done = StageDone { summary: "done".into(), seconds: 1.0, tokens: 27 };
        let mut batch = Batch::new(Author::Pipeline);
        batch.put("1-sft-medium", &done);
        session.write(batch).unwrap();
        assert_eq!(losses(&mut past, &session), [9.0, 8.0, 2.0]);
        assert_eq!(losses(&mut past, &session), [9.0, 8.0, 2.0]);
        let events = past.events(&session, &Cancel::default()).unwrap();
        let again = Past::default().events(&session, &Cancel::default()).unwrap();
        assert_eq!(events, again);
        let names: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::Metric { name, step: 1, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["loss", "lr", "grad-norm"]);
        assert!(
            matches!(&events[0], Event::RunStarted { .. })
                && matches!(events.last(), Some(Event::StageFinished { .. }))
        );
    }
}
