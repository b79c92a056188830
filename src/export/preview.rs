//! What an SFT stage really trains on: every text as the student's template renders it, with the tokens that are
//! trained, and the mix of kinds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lineage::nearest;
use crate::data::hub::Hub;
use crate::domain::{Message, SampleKind};
use crate::pipeline::events::StageId;
use crate::pipeline::locate::{LocateError, WORLD, locate_with};
use crate::pipeline::plan::plan;
use crate::recipe::Recipe;
use crate::session::records::Prepared;
use crate::session::{Session, SessionError};
use crate::student::speech::Speech;
use crate::student::{ChatTokens, ModelConfig, StudentError, StudentFiles};

/// Why texts cannot be shown.
#[derive(Debug, Error)]
pub enum PreviewError {
    /// The session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The student's tokenizer or template could not be used.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// The student is not where the recipe says.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// Nothing has this id.
    #[error("no training text has the id `{id}`{}", offer(.near))]
    Unknown {
        /// As asked for.
        id: String,
        /// The nearest ids.
        near: Vec<String>,
    },
    /// No stage of this name has texts.
    #[error("stage `{stage}` has no training texts{}", stages_with_texts(.known))]
    Stage {
        /// As asked for.
        stage: String,
        /// Stages that have some.
        known: Vec<String>,
    },
}

/// `; the nearest are a, b`, or nothing.
pub(super) fn offer(ids: &[String]) -> String {
    if ids.is_empty() { String::new() } else { format!("; the nearest are {}", ids.join(", ")) }
}

fn stages_with_texts(stages: &[String]) -> String {
    if stages.is_empty() {
        return "; no stage of this session has any yet".into();
    }
    format!("; those that have some: {}", stages.join(", "))
}

/// Texts and their mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The session.
    pub session: String,
    /// The mix of each stage, in the order of the stages.
    pub mixes: Vec<Mix>,
    /// The texts that were asked for.
    pub texts: Vec<Shown>,
}

/// What a stage trains on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// The stage.
    pub stage: String,
    /// Texts.
    pub texts: usize,
    /// Trained tokens.
    pub tokens: u64,
    /// By kind, in the order in which the kinds come.
    pub kinds: Vec<KindMix>,
}

/// One kind's part in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindMix {
    /// The kind.
    pub kind: String,
    /// Texts.
    pub texts: usize,
    /// Trained tokens.
    pub tokens: u64,
    /// Its share of the stage's trained tokens, 0 to 1.
    pub share: f64,
}

/// A text as the student is trained on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Its record's key: stage and position.
    pub key: String,
    /// Its kind.
    pub kind: String,
    /// The question it stems from.
    pub question: String,
    /// Tokens of the rendered text up to the recipe's length.
    pub tokens: usize,
    /// Those of them that are trained.
    pub trained: usize,
    /// Trained tokens as the run counted them; another number says that tokenizer or template are not the run's.
    pub recorded: u32,
    /// The rendered text in pieces; together they are the whole of it.
    pub pieces: Vec<Piece>,
}

/// A piece of a rendered text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is to the training.
    pub part: Part,
    /// The text, as it stands.
    pub text: String,
}

/// What a token is to the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Read, not trained.
    Read,
    /// The loss is on it.
    Trained,
    /// Behind the recipe's longest text (`sft.max_tokens`) or the student's context; never seen.
    Cut,
}

/// Which texts to show.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Only of this stage.
    pub stage: Option<&'a str>,
    /// Only the one of this id.
    pub id: Option<&'a str>,
    /// At most so many.
    pub limit: usize,
}

/// Renders texts of a session and counts its mixes. Reads the student's small files, never its weights.
///
/// # Errors
/// An id or a stage that is not there; a student whose tokenizer or template cannot be read.
pub fn preview(session: &Session, recipe: &Recipe, wanted: &Wanted) -> Result<Preview, PreviewError> {
    let mut mixes: BTreeMap<String, Vec<(SampleKind, u32)>> = BTreeMap::new();
    let mut chosen = Vec::new();
    for item in session.scan::<Prepared>("") {
        let (key, text) = item?;
        let stage = key.split('/').next().unwrap_or_default().to_owned();
        mixes.entry(stage.clone()).or_default().push((text.sample.kind, text.tokens));
        let of_stage = wanted.stage.is_none_or(|wanted| wanted == stage);
        let of_id = wanted.id.is_none_or(|id| id == text.sample.id || id == key);
        if of_stage && of_id && chosen.len() < wanted.limit {
            chosen.push((key, text));
        }
    }
    if let Some(stage) = wanted.stage.filter(|stage| !mixes.contains_key(*stage)) {
        return Err(PreviewError::Stage { stage: stage.into(), known: mixes.into_keys().collect() });
    }
    if let (Some(id), true) = (wanted.id, chosen.is_empty() && wanted.limit > 0) {
        return Err(PreviewError::Unknown { id: id.into(), near: nearest(session, id)? });
    }
    let mut mixes: Vec<Mix> = mixes.into_iter().map(|(stage, texts)| Mix::of(&stage, texts)).collect();
    mixes.retain(|mix| wanted.stage.is_none_or(|stage| stage == mix.stage));
    let order: Vec<String> = plan(recipe).iter().map(StageId::key).collect();
    mixes.sort_by_key(|mix| order.iter().position(|stage| *stage == mix.stage).unwrap_or(usize::MAX));
    let texts = if chosen.is_empty() { Vec::new() } else { render(session, recipe, chosen)? };
    Ok(Preview { session: session.name().into(), mixes, texts })
}

impl Mix {
    /// The mix of a stage's texts, each by its kind and trained tokens, in the order in which they are trained.
    pub fn of(stage: &str, texts: impl IntoIterator<Item = (SampleKind, u32)>) -> Self {
        let mut mix = Self { stage: stage.to_owned(), ..Self::default() };
        for (kind, tokens) in texts {
            let (name, tokens) = (kind.as_str(), u64::from(tokens));
            mix.texts += 1;
            mix.tokens += tokens;
            match mix.kinds.iter_mut().find(|kind| kind.kind == name) {
                Some(kind) => {
                    kind.texts += 1;
                    kind.tokens += tokens;
                }
                None => mix.kinds.push(KindMix { kind: name.into(), texts: 1, tokens, share: 0.0 }),
            }
        }
        let all = mix.tokens.max(1) as f64;
        mix.kinds.iter_mut().for_each(|kind| kind.share = kind.tokens as f64 / all);
        mix
    }
}

fn render(session: &Session, recipe: &Recipe, chosen: Vec<(String, Prepared)>) -> Result<Vec<Shown>, PreviewError> {
    let renderer = Renderer::of(session, recipe)?;
    chosen.iter().map(|(key, text)| renderer.shown(key, text)).collect()
}

/// Renders texts as the session's student is trained on them. Holds its tokenizer and template, never its weights.
#[derive(Debug)]
pub struct Renderer {
    speech: Speech,
    most: usize,
}

impl Renderer {
    /// That of a session's student.
    ///
    /// # Errors
    /// A student whose tokenizer or template cannot be read.
    pub fn of(session: &Session, recipe: &Recipe) -> Result<Self, PreviewError> {
        let files = files_of(session, recipe)?;
        let context = ModelConfig::from_json(&files.config)?.max_positions;
        Ok(Self { speech: Speech::new(&files)?, most: recipe.sft.max_tokens.min(context) })
    }

    /// A text as it is trained on.
    ///
    /// # Errors
    /// From template or tokenizer.
    pub fn shown(
        &self,
        key: &str,
        Prepared { sample, tokens: recorded, .. }: &Prepared,
    ) -> Result<Shown, PreviewError> {
        let chat = self.speech.encode_chat(&sample.messages)?;
        let most = self.most;
        Ok(Shown {
            id: sample.id.clone(),
            key: key.into(),
            kind: sample.kind.as_str().into(),
            question: sample.question.clone(),
            tokens: chat.ids.len().min(most),
            trained: chat.trained.iter().filter(|at| **at < most).count(),
            recorded: *recorded,
            pieces: pieces(&chat, most),
        })
    }

    /// Tokens that a text trains.
    ///
    /// # Errors
    /// From template or tokenizer.
    pub fn trained(&self, messages: &[Message]) -> Result<u32, PreviewError> {
        let chat = self.speech.encode_chat(messages)?;
        Ok(chat.trained.iter().filter(|at| **at < self.most).count() as u32)
    }
}

/// The session's student as it reads and writes: the built-in one, else the small files of any of the session's own
/// checkpoints, which are complete folders, else those of the folder the recipe names.
///
/// # Errors
/// A tokenizer or a template that cannot be read.
pub fn speech_of(session: &Session, recipe: &Recipe) -> Result<Speech, PreviewError> {
    Ok(Speech::new(&files_of(session, recipe)?)?)
}

fn files_of(session: &Session, recipe: &Recipe) -> Result<StudentFiles, PreviewError> {
    if recipe.student.path != WORLD {
        let checkpoints = session.checkpoints();
        for id in checkpoints.list()? {
            let folder = checkpoints.dir(&id);
            if folder.join("tokenizer.json").is_file() {
                return Ok(StudentFiles::read(&folder)?);
            }
        }
    }
    // A student of the hub whose session holds no whole checkpoint lies in the hub's cache; nothing is fetched here.
    let alone = Hub { offline: true, ..Hub::from_env() };
    Ok(locate_with(&alone, &recipe.student.path, &mut |_| ())?.files()?)
}

/// The text cut where its part in the training changes. A character that several tokens share is trained if one of them
/// is.
fn pieces(chat: &ChatTokens, most: usize) -> Vec<Piece> {
    let mut parts = vec![Part::Read; chat.text.chars().count()];
    let mut mark = |positions: &mut dyn Iterator<Item = usize>, part: Part| {
        for (start, end) in positions.filter_map(|at| chat.offsets.get(at).copied()) {
            parts.iter_mut().take(end).skip(start).for_each(|at| *at = part);
        }
    };
    mark(&mut (most..chat.offsets.len()), Part::Cut);
    mark(&mut chat.trained.iter().copied().filter(|at| *at < most), Part::Trained);
    let mut pieces: Vec<Piece> = Vec::new();
    for (character, part) in chat.text.chars().zip(parts) {
        match pieces.last_mut() {
            Some(piece) if piece.part == part => piece.text.push(character),
            _ => pieces.push(Piece { part, text: character.to_string() }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_the_tokens_and_lose_no_character() {
        let chat = ChatTokens {
            text: "Q é A…x".into(),
            ids: vec![0; 7],
            // The third character stands in two tokens of which one is trained.
            offsets: vec![(0, 2), (2, 3), (2, 3), (3, 5), (5, 6), (6, 7), (7, 7)],
            trained: vec![2, 3, 4, 5],
            contents: Vec::new(),
        };
        let told = |most| pieces(&chat, most).into_iter().map(|p| (p.part, p.text)).collect::<Vec<_>>();
        let piece = |part, text: &str| (part, text.to_string());
        assert_eq!(told(99), [piece(Part::Read, "Q "), piece(Part::Trained, "é A…x")]);
        assert_eq!(told(4), [piece(Part::Read, "Q "), piece(Part::Trained, "é A"), piece(Part::Cut, "…x")]);
    }
}
