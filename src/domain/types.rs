//! The nouns that every floor shares. Rules that act on them stand in the sibling modules.

use serde::{Deserialize, Serialize};

/// How a question is asked: which wording goes around its text, and in which form the answer is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskKind {
    /// A final answer on the last line, after `####`.
    #[default]
    Answer,
    /// A final answer in `\boxed{…}`, as mathematics is written.
    Boxed,
    /// The letter of one of the options that the question's text lists.
    Choice,
}

impl AskKind {
    /// All of them.
    pub const ALL: [AskKind; 3] = [AskKind::Answer, AskKind::Boxed, AskKind::Choice];

    /// The word for it, as in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            AskKind::Answer => "answer",
            AskKind::Boxed => "boxed",
            AskKind::Choice => "choice",
        }
    }

    fn is_default(&self) -> bool {
        *self == AskKind::default()
    }
}

/// A question with its ground-truth answer, `(q, a*)` of section 3.1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Unique within a session, stable across runs, for example `train-0042`.
    pub id: String,
    /// The question as the student reads it.
    pub text: String,
    /// The ground-truth answer, already normalised by the data set's loader.
    pub gold: String,
    /// A worked solution that came with the data set, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Number of solution steps where the source knows it (the generated world does).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// How it is asked; left out of records where it is the usual way.
    #[serde(default, skip_serializing_if = "AskKind::is_default")]
    pub ask: AskKind,
}

/// Who speaks in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions before the conversation.
    System,
    /// The question.
    User,
    /// The student; the only role that is trained on.
    Assistant,
}

impl Role {
    /// The name chat templates use.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, as plain text.
    pub content: String,
}

impl Message {
    /// A turn of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// A turn of the student.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }

    /// Instructions before the conversation.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The student ended its turn.
    EndOfTurn,
    /// The budget of new tokens ran out.
    Length,
}

/// One sampled answer of the student, judged by a verifier (eqs. 1 and 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// The text without the end-of-turn token.
    pub text: String,
    /// Number of generated tokens, the end-of-turn token included.
    pub tokens: u32,
    /// Why it ended.
    pub finish: Finish,
    /// What the verifier read as the final answer; `None` when nothing could be parsed.
    pub answer: Option<String>,
    /// The rule-based reward `r` of eq. 2.
    pub correct: bool,
}

/// What a number was measured with. Figures whose provenance differs are never drawn as one (reading.md, row 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the verifier.
    pub verifier: String,
    /// Hash of the prompt template the student was asked with.
    pub prompt: String,
    /// Id of the checkpoint that answered.
    pub checkpoint: String,
}

/// The judge's and the student's scores of one step of a trace (eqs. 5, 7 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepScores {
    /// Importance I on {0, .25, .5, .75, 1}; `None` while no judge's answer passed the checks.
    pub importance: Option<f64>,
    /// Jumpiness J on the same grid; the first step has 0 without a call.
    pub jumpiness: Option<f64>,
    /// Difficulty D: mean negative log-likelihood per token, in nats.
    pub difficulty: f64,
}

/// The five operations of the bridge (section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Leave the step as it is.
    Keep,
    /// Say it shorter.
    Compress,
    /// Add the missing intermediate reasoning.
    Expand,
    /// Leave it out.
    Drop,
    /// Rewrite it easier and train it on its own as well.
    Localize,
}

/// The teacher's structured diagnosis of a failed rollout, seven fields (eq. 17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// Excerpt of the first wrong step, at most 120 characters, found in the response.
    pub first_error: String,
    /// Short label of the error category.
    pub error_type: String,
    /// One or two sentences: why the step is wrong.
    pub why_wrong: String,
    /// The concept or pattern the student lacks.
    pub missing_knowledge: String,
    /// One sentence that would put the step right.
    pub minimal_fix: String,
    /// The step that should stand there instead.
    pub correct_next_step: String,
    /// A short correct solution; its last line is `#### gold`.
    pub short_correct_reasoning: String,
}

/// What a training text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleKind {
    /// Question and teacher trace of a medium question.
    Medium,
    /// Question and bridged trace of a hard question (eq. 11).
    Bridged,
    /// One localized (or hard expanded) step with its prefix (Algorithm 1, lines 23 and 27).
    Local,
    /// Question and raw trace of a hard question; only the raw-hard arm trains on it.
    RawHard,
    /// Question and near-miss to error type, first error and why (eq. 18).
    Diagnose,
    /// Question, prefix, error and hint to the right next step (eq. 18).
    Repair,
    /// Question to a new short trace (eq. 18).
    NewTrace,
    /// More of the pre-training mix; only the neutral arm trains on it.
    Neutral,
}

/// One conversation to train on, with its way back to where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SftSample {
    /// Unique within a session.
    pub id: String,
    /// What it is for.
    pub kind: SampleKind,
    /// The question it stems from; empty for neutral text.
    pub question: String,
    /// The conversation; every assistant turn is trained.
    pub messages: Vec<Message>,
    /// Keys of the records it was made from (trace, scores, decisions, rollouts, diagnosis).
    pub lineage: Vec<String>,
}
