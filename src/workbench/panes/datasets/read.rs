//! The sets of a session, read behind the screen: what SFT stages trained on or would train on now, and what GRPO and
//! recycling take from a split. What has begun is fixed and read once; what has not is made anew from what is approved.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::domain::SampleKind;
use crate::export::preview::Renderer;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::{StageId, StageKind};
use crate::pipeline::lessons::planned;
use crate::pipeline::plan::plan;
use crate::recipe::{Arm, Recipe};
use crate::session::records::{
    Asked, BridgedTrace, Prepared, Recycled, ReviewDecision, SftUpdate, SplitSets, StageDone, Trace,
};
use crate::session::{Session, SessionError};
use crate::workbench::jobs::Cancel;

/// What renders texts, made once for each session; or why there is none.
pub type SharedRenderer = Arc<OnceLock<Result<Renderer, String>>>;

/// What a member of a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A training text.
    Text(SampleKind),
    /// A question with right and wrong rollouts.
    Mixed,
    /// A question with right rollouts only.
    AllOne,
    /// A question without a right rollout.
    AllZero,
}

impl Kind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text(kind) => kind.as_str(),
            Kind::Mixed => "mixed",
            Kind::AllOne => "all-one",
            Kind::AllZero => "all-zero",
        }
    }
}

/// A member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Id of the text, or of the question where the set holds questions.
    pub id: String,
    /// Key of the record; for texts that no stage has fixed the key they would have.
    pub key: String,
    /// What it is.
    pub kind: Kind,
    /// Id of its question; empty for neutral text.
    pub question: String,
    /// Tokens it trains; `None` where they can't be counted.
    pub tokens: Option<u32>,
}

/// How a set stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A stage has trained on it; it is fixed.
    Trained,
    /// No update has been made: it is what the stage would train on now.
    Planned,
    /// Questions that a split has parted.
    Parted,
    /// There is nothing, and why.
    Empty(&'static str),
}

/// A set.
#[derive(Clone)]
pub struct Set {
    /// `1-sft-medium`, `1-split consolidation`.
    pub name: String,
    /// Its part in the method.
    pub role: &'static str,
    /// The stage.
    pub stage: StageId,
    /// How it stands.
    pub standing: Standing,
    /// Members and trained tokens of each kind, in the order of the set.
    pub kinds: Vec<(Kind, usize, u64)>,
    /// Trained tokens; `None` where they are not counted.
    pub tokens: Option<u64>,
    /// Its members, in the order of the set.
    pub rows: Arc<Vec<Row>>,
    /// The texts themselves, of a set that is not fixed.
    pub texts: Arc<Vec<Prepared>>,
    /// Of a set that is not fixed, what there was to make it from: while that is the same, so is the set.
    made_from: [u64; 5],
}

impl Set {
    /// The same set with these members.
    fn with(self, rows: Vec<Row>) -> Self {
        let mut kinds: Vec<(Kind, usize, u64)> = Vec::new();
        for row in &rows {
            let at = kinds.iter().position(|(kind, ..)| *kind == row.kind).unwrap_or(kinds.len());
            if at == kinds.len() {
                kinds.push((row.kind, 0, 0));
            }
            kinds[at].1 += 1;
            kinds[at].2 += u64::from(row.tokens.unwrap_or_default());
        }
        let tokens = rows.iter().map(|row| row.tokens.map(u64::from)).sum::<Option<u64>>();
        Self { kinds, tokens: tokens.filter(|_| !rows.is_empty()), rows: Arc::new(rows), ..self }
    }
}

/// All sets of a session.
pub struct Sets {
    /// In the order of the stages.
    pub sets: Vec<Set>,
    /// Training questions by id.
    pub questions: Arc<HashMap<String, String>>,
    /// The recipe.
    pub recipe: Arc<Recipe>,
}

/// Reads all sets. Of `before` that is kept which can't have changed.
///
/// # Errors
/// In words.
pub fn sets(
    session: &Session,
    renderer: &SharedRenderer,
    before: Option<&Sets>,
    cancel: &Cancel,
) -> Result<Sets, String> {
    let recipe = recipe_of(session)?;
    let questions = match before.filter(|before| !before.questions.is_empty()) {
        Some(before) => Arc::clone(&before.questions),
        None => Arc::new(questions(session).map_err(told)?),
    };
    let mut sets = Vec::new();
    for stage in plan(&recipe) {
        cancel.check()?;
        let known = |name: &str| before.and_then(|before| before.sets.iter().find(|set| set.name == name));
        match stage.kind {
            StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled => {
                let known = known(&stage.key());
                sets.push(sft(session, &recipe, stage, renderer, known, cancel)?);
            }
            StageKind::Split => {
                for set in split(session, &stage).map_err(told)? {
                    let same =
                        known(&set.name).filter(|known| known.rows == set.rows && known.standing == set.standing);
                    sets.push(same.cloned().unwrap_or(set));
                }
            }
            _ => {}
        }
    }
    Ok(Sets { sets, questions, recipe: Arc::new(recipe) })
}

fn told(error: SessionError) -> String {
    error.to_string()
}

fn questions(session: &Session) -> Result<HashMap<String, String>, SessionError> {
    let asked = session.scan::<Asked>("train/");
    asked.map(|item| item.map(|(_, asked)| (asked.question.id, asked.question.text))).collect()
}

fn role(recipe: &Recipe, kind: StageKind) -> &'static str {
    match (kind, recipe.arm) {
        (_, Arm::Neutral) => "neutral text",
        (StageKind::SftMedium, _) => "acquisition: medium",
        (StageKind::SftBridged, Arm::RawHard) => "acquisition: raw hard",
        (StageKind::SftBridged, _) => "acquisition: bridged, local",
        _ => "acquisition and recycled",
    }
}

fn sft(
    session: &Session,
    recipe: &Recipe,
    stage: StageId,
    renderer: &SharedRenderer,
    known: Option<&Set>,
    cancel: &Cancel,
) -> Result<Set, String> {
    let (name, prefix) = (stage.key(), format!("{}/", stage.key()));
    let begun =
        session.keys::<SftUpdate>(&prefix).next().is_some() || session.contains::<StageDone>(&name).map_err(told)?;
    if let Some(known) = known.filter(|known| begun && known.standing == Standing::Trained) {
        return Ok(known.clone());
    }
    let role = role(recipe, stage.kind);
    let empty = |standing| Set {
        name: name.clone(),
        role,
        stage: stage.clone(),
        standing,
        kinds: Vec::new(),
        tokens: None,
        rows: Arc::default(),
        texts: Arc::default(),
        made_from: [0; 5],
    };
    if begun {
        let mut rows = Vec::new();
        for item in session.scan::<Prepared>(&prefix) {
            cancel.check()?;
            let (key, text) = item.map_err(told)?;
            rows.push(row(key, &text, Some(text.tokens)));
        }
        let standing =
            if rows.is_empty() { Standing::Empty("the stage had nothing to train on") } else { Standing::Trained };
        return Ok(empty(standing).with(rows));
    }
    let made_from = products(session).map_err(told)?;
    if let Some(known) = known.filter(|known| known.made_from == made_from) {
        return Ok(known.clone());
    }
    let empty = |standing| Set { made_from, ..empty(standing) };
    let Some(samples) = planned(session, recipe, &stage).map_err(|error| error.to_string())? else {
        return Ok(empty(Standing::Empty("its texts are drawn when the stage begins")));
    };
    if samples.is_empty() {
        return Ok(empty(Standing::Empty("nothing is approved for it yet")));
    }
    let counted: HashMap<&str, &Prepared> =
        known.iter().flat_map(|known| known.texts.iter()).map(|text| (text.sample.id.as_str(), text)).collect();
    let renderer = rendering(session, recipe, renderer);
    let (mut rows, mut texts) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
    for (at, sample) in samples.into_iter().enumerate() {
        cancel.check()?;
        // A text that is as it was trains as many tokens as it did.
        let same = counted.get(sample.id.as_str()).filter(|known| known.sample.messages == sample.messages);
        let tokens = match (same, renderer) {
            (_, Err(_)) => None,
            (Some(known), Ok(_)) => Some(known.tokens),
            (None, Ok(renderer)) => Some(renderer.trained(&sample.messages).map_err(|error| error.to_string())?),
        };
        let text = Prepared { sample, tokens: tokens.unwrap_or_default(), prompt: String::new() };
        rows.push(row(format!("{prefix}{at:06}"), &text, tokens));
        texts.push(text);
    }
    Ok(Set { texts: Arc::new(texts), ..empty(Standing::Planned).with(rows) })
}

/// How much there is of everything that texts are made from.
fn products(session: &Session) -> Result<[u64; 5], SessionError> {
    Ok([
        session.count::<Trace>("")?,
        session.count::<BridgedTrace>("")?,
        session.count::<Recycled>("")?,
        session.count::<ReviewDecision>("")?,
        // Also 1 with nothing there, so that it differs from a set that is fixed.
        session.count::<StageDone>("")? + 1,
    ])
}

/// What renders texts, made when it is first needed.
pub fn rendering<'a>(session: &Session, recipe: &Recipe, renderer: &'a SharedRenderer) -> &'a Result<Renderer, String> {
    renderer.get_or_init(|| Renderer::of(session, recipe).map_err(|error| error.to_string()))
}

fn row(key: String, text: &Prepared, tokens: Option<u32>) -> Row {
    let sample = &text.sample;
    let (id, question) = (sample.id.clone(), sample.question.clone());
    Row { id, key, kind: Kind::Text(sample.kind), question, tokens }
}

/// The two sets of a split: what GRPO trains on, and what is recycled.
fn split(session: &Session, stage: &StageId) -> Result<[Set; 2], SessionError> {
    let parted = session.get::<SplitSets>(&stage.key())?;
    let standing = || match parted {
        Some(_) => Standing::Parted,
        None => Standing::Empty("the split comes after the rollouts"),
    };
    let sets = parted.as_ref().map(|parted| &parted.sets);
    let all_one: std::collections::HashSet<&str> =
        sets.iter().flat_map(|sets| sets.all_one.iter()).map(String::as_str).collect();
    let set = |word: &str, role: &'static str| Set {
        name: format!("{} {word}", stage.key()),
        role,
        stage: stage.clone(),
        standing: standing(),
        kinds: Vec::new(),
        tokens: None,
        rows: Arc::default(),
        texts: Arc::default(),
        made_from: [0; 5],
    };
    let set = |word: &str, role: &'static str, rows: Vec<Row>| set(word, role).with(rows);
    let question = |id: &String, kind: Kind| {
        let key = format!("{}-rollouts/{id}", stage.iteration);
        Row { id: id.clone(), key, kind, question: id.clone(), tokens: None }
    };
    let kind = |id: &str| if all_one.contains(id) { Kind::AllOne } else { Kind::Mixed };
    let consolidation = sets.map(|sets| sets.consolidation.iter().map(|id| question(id, kind(id))).collect());
    let failed = sets.map(|sets| sets.failed.iter().map(|id| question(id, Kind::AllZero)).collect());
    Ok([
        set("consolidation", "GRPO trains on them", consolidation.unwrap_or_default()),
        set("failed", "to be recycled", failed.unwrap_or_default()),
    ])
}
