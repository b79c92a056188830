//! What the pane knows: the evaluations of the session, those of sessions beside it, and what differs between two of
//! them. Everything here runs behind the screen.

use std::sync::Arc;

use crate::evaluate::{Answers, BySplit, Change, DEV, Values, changes};
use crate::export::{BesideError, Comparison, Examined, side, standings};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::StageId;
use crate::pipeline::plan::plan;
use crate::recipe::Recipe;
use crate::session::records::{Asked, RolloutGroup, StageDone};
use crate::session::{Session, Sessions};
use crate::workbench::jobs::Cancel;

/// What was found in the session and beside it.
pub struct Found {
    /// Complete stages; while these are the same, so are the figures.
    done: Vec<String>,
    /// The plan.
    pub stages: Vec<StageId>,
    recipe: Recipe,
    /// The session's own figures and answers.
    pub mine: Arc<Examined>,
    /// Sessions beside it, in the order in which they were chosen.
    pub beside: Vec<Beside>,
}

/// A session beside.
#[derive(Clone)]
pub struct Beside {
    /// Its name.
    pub name: String,
    /// What it holds, or why it can't stand here.
    pub outcome: Result<Arc<Neighbour>, String>,
    /// What the shown session has over it, checkpoint by checkpoint.
    pub differences: Vec<Comparison>,
    /// Where training was not equal.
    pub notes: Vec<String>,
}

/// Another session, read only.
pub struct Neighbour {
    session: Session,
    recipe: Recipe,
    /// Its figures and answers.
    pub examined: Examined,
}

impl Neighbour {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.examined.report.session
    }
}

impl Found {
    /// The sessions that may stand beside.
    pub fn neighbours(&self) -> impl Iterator<Item = &Neighbour> {
        self.beside.iter().filter_map(|beside| beside.outcome.as_deref().ok())
    }

    /// Answers of a checkpoint, of this session or one beside it.
    fn answers(&self, place: &Place) -> Option<&Answers> {
        match &place.session {
            None => self.mine.answers.get(&place.checkpoint),
            Some(name) => {
                self.neighbours().find(|n| n.name() == name).and_then(|n| n.examined.answers.get(&place.checkpoint))
            }
        }
    }
}

/// Reads the session and the sessions named `beside`. What `before` holds and what still stands is not read again.
///
/// # Errors
/// In words.
pub fn found(
    session: &Session,
    sessions: &Sessions,
    beside: &[String],
    before: Option<Arc<Found>>,
    cancel: &Cancel,
) -> Result<Arc<Found>, String> {
    let done: Vec<String> = session.keys::<StageDone>("").collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let same = before.as_ref().filter(|before| before.done == done);
    if let Some(before) = same.filter(|before| before.beside.iter().map(|b| &b.name).eq(beside)) {
        return Ok(Arc::clone(before));
    }
    let recipe = recipe_of(session)?;
    let mine = match same {
        Some(before) => Arc::clone(&before.mine),
        None => Arc::new(examined(session, &recipe, cancel)?),
    };
    let mut sides = Vec::with_capacity(beside.len());
    for name in beside {
        cancel.check()?;
        let known = before.iter().flat_map(|before| &before.beside).find(|known| known.name == *name);
        let known = known.and_then(|known| known.outcome.as_ref().ok()).map(Arc::clone);
        sides.push(stand(name, known, sessions, (&mine, &recipe), cancel)?);
    }
    Ok(Arc::new(Found { done, stages: plan(&recipe), recipe, mine, beside: sides }))
}

fn examined(session: &Session, recipe: &Recipe, cancel: &Cancel) -> Result<Examined, String> {
    let found = standings(session, recipe, &|| !cancel.cancelled()).map_err(|error| error.to_string())?;
    found.ok_or_else(|| "given up".to_string())
}

/// Puts a session beside, where its figures are figures of the same thing.
fn stand(
    name: &str,
    known: Option<Arc<Neighbour>>,
    sessions: &Sessions,
    ours: (&Examined, &Recipe),
    cancel: &Cancel,
) -> Result<Beside, String> {
    let refused =
        |why: String| Beside { name: name.to_string(), outcome: Err(why), differences: Vec::new(), notes: Vec::new() };
    let neighbour = match known.map_or_else(|| neighbour(name, sessions, cancel).map(Arc::new), Ok) {
        Ok(neighbour) => neighbour,
        Err(why) => {
            cancel.check()?;
            return Ok(refused(why));
        }
    };
    Ok(match side(ours, &[(&neighbour.examined, &neighbour.recipe)]) {
        Ok(side) => {
            Beside { name: name.to_string(), outcome: Ok(neighbour), differences: side.differences, notes: side.notes }
        }
        Err(error @ (BesideError::Differs { .. } | BesideError::NothingShared { .. } | BesideError::Twice(_))) => {
            refused(error.to_string())
        }
        Err(BesideError::Session(error)) => refused(error.to_string()),
    })
}

fn neighbour(name: &str, sessions: &Sessions, cancel: &Cancel) -> Result<Neighbour, String> {
    let session = sessions.open_read_only(name).map_err(|error| error.to_string())?;
    let recipe = recipe_of(&session)?;
    let examined = examined(&session, &recipe, cancel)?;
    Ok(Neighbour { session, recipe, examined })
}

/// A checkpoint, of the shown session or of one beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `None` for the shown session.
    pub session: Option<String>,
    /// The checkpoint.
    pub checkpoint: String,
}

impl Place {
    /// `1-grpo`, or `demo-2:1-grpo`.
    pub fn name(&self) -> String {
        self.session.as_ref().map_or_else(|| self.checkpoint.clone(), |name| format!("{name}:{}", self.checkpoint))
    }
}

/// Two checkpoints on one split, or on all reported ones (`None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Before.
    pub before: Place,
    /// After.
    pub after: Place,
    /// The split.
    pub split: Option<String>,
}

/// A question that two checkpoints answer differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its split.
    pub split: String,
    /// Its id.
    pub id: String,
    /// Right after, wrong before; else the other way round.
    pub gained: bool,
    /// The question.
    pub text: String,
}

/// What differs between two checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Which two.
    pub pair: Pair,
    /// Greedy accuracy, paired.
    pub greedy: Option<Change>,
    /// pass@k, paired.
    pub pass: Option<Change>,
    /// Questions whose greedy answer went from wrong to right, then those from right to wrong.
    pub changed: Vec<Changed>,
}

impl Compared {
    /// Questions gained and lost.
    pub fn counts(&self) -> (usize, usize) {
        let gained = self.changed.iter().filter(|changed| changed.gained).count();
        (gained, self.changed.len() - gained)
    }
}

/// Compares two checkpoints; `None` where one has no answers.
///
/// # Errors
/// In words, when the session can't be read.
pub fn compared(session: &Session, found: &Found, pair: &Pair, cancel: &Cancel) -> Result<Option<Compared>, String> {
    let (Some(before), Some(after)) = (found.answers(&pair.before), found.answers(&pair.after)) else {
        return Ok(None);
    };
    let wanted = |split: &str| pair.split.as_deref().map_or(split != DEV, |wanted| wanted == split);
    let only = |all: &BySplit<Values>| -> BySplit<Values> {
        all.iter().filter(|(split, _)| wanted(split)).map(|(split, v)| (split.to_string(), v.clone())).collect()
    };
    let of = |answers: &Answers| Answers {
        greedy: only(&answers.greedy),
        banned: BySplit::default(),
        pass: if pair.split.is_some() { only(&answers.pass) } else { BySplit::default() },
    };
    let (before, after) = (of(before), of(after));
    cancel.check()?;
    let found = changes(&before, &after, &Default::default());
    let (greedy, pass) = match &pair.split {
        Some(split) => (found.greedy.get(split).copied(), found.pass_at_k.get(split).copied()),
        None => (found.mean, None),
    };
    let mut changed = Vec::new();
    for (split, was) in before.greedy.iter() {
        let Some(is) = after.greedy.get(split) else { continue };
        for (id, before) in was {
            let Some(after) = is.get(id).filter(|after| *after != before) else { continue };
            cancel.check()?;
            let asked = session.get::<Asked>(&format!("{split}/{id}")).map_err(|error| error.to_string())?;
            let text = asked.map(|asked| asked.question.text).unwrap_or_default();
            changed.push(Changed { split: split.to_string(), id: id.clone(), gained: after > before, text });
        }
    }
    changed.sort_by_key(|changed| !changed.gained);
    Ok(Some(Compared { pair: pair.clone(), greedy, pass, changed }))
}

/// One greedy answer, as it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who answered.
    pub of: String,
    /// The whole text.
    pub text: String,
    /// What was read from it.
    pub answer: Option<String>,
    /// Whether it is right.
    pub right: bool,
}

/// A question with the answers of two checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BothAnswers {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: String,
    /// Its gold answer.
    pub gold: String,
    /// Before, after.
    pub answers: Vec<Answer>,
}

/// The greedy answers of both checkpoints of a pair to one question.
///
/// # Errors
/// In words.
pub fn both_answers(session: &Session, found: &Found, pair: &Pair, of: &Changed) -> Result<BothAnswers, String> {
    let told = |error: crate::session::SessionError| error.to_string();
    let asked = session.get::<Asked>(&format!("{}/{}", of.split, of.id)).map_err(told)?;
    let (question, gold) = asked.map(|asked| (asked.question.text, asked.question.gold)).unwrap_or_default();
    let mut answers = Vec::new();
    for place in [&pair.before, &pair.after] {
        let (session, recipe) = match &place.session {
            None => (session, &found.recipe),
            Some(name) => match found.neighbours().find(|n| n.name() == name) {
                Some(neighbour) => (&neighbour.session, &neighbour.recipe),
                None => continue,
            },
        };
        let Some(stage) = plan(recipe).into_iter().find(|stage| stage.of == place.checkpoint) else { continue };
        let key = format!("{}/greedy/{}/{}", stage.key(), of.split, of.id);
        let Some(group) = session.get::<RolloutGroup>(&key).map_err(told)? else { continue };
        for rollout in group.rollouts {
            let (text, answer, right) = (rollout.text, rollout.answer, rollout.correct);
            answers.push(Answer { of: place.name(), text, answer, right });
        }
    }
    Ok(BothAnswers { id: of.id.clone(), question, gold, answers })
}
