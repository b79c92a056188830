//! What the loop says and what it can be told. Events are notices: ids, counts, a metric point; payloads are pulled
//! from the session.

use serde::{Deserialize, Serialize};

use super::review::Request;

/// What a stage does. One file each under `pipeline/stages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageKind {
    /// Sample every training question and band it.
    Difficulty,
    /// The teacher writes a trace per medium and hard question.
    Traces,
    /// I, J and D of every step of the hard traces.
    Scores,
    /// Algorithm 1 and the edits.
    Bridge,
    /// SFT on medium questions.
    SftMedium,
    /// SFT on bridged hard questions, or on what the arm puts there.
    SftBridged,
    /// SFT on acquisition and recycled lessons together, from the second iteration on.
    SftRecycled,
    /// Rollouts before RL.
    Rollouts,
    /// Consolidation and failed sets.
    Split,
    /// GRPO on the consolidation set.
    Grpo,
    /// Near-miss, diagnosis, and the lessons made of it.
    Recycle,
    /// Accuracy, mean@n and pass@k of one checkpoint.
    Evaluate,
}

/// One stage of one run, in order of appearance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StageId {
    /// Iteration, from 1; 0 is before the first.
    pub iteration: u32,
    /// What it does.
    pub kind: StageKind,
    /// For evaluations: the checkpoint that is measured; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
}

/// How loud a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Narration.
    Info,
    /// Something the researcher should look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// Every stage is complete.
    Done,
    /// The researcher stopped it; it can be resumed.
    Cancelled,
    /// A stage failed; the session can be resumed after the cause is mended.
    Failed {
        /// What happened, where, what to do.
        reason: String,
    },
}

/// What the loop says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// First event: the stages in order.
    RunStarted {
        /// Session name.
        session: String,
        /// Seed of the run.
        seed: u64,
        /// Every stage that will run, in order.
        stages: Vec<StageId>,
    },
    /// A stage begins, or continues where it stopped.
    StageStarted {
        /// Which.
        stage: StageId,
        /// Items already complete.
        done: u64,
        /// Items in all.
        total: u64,
        /// What an item is: `questions`, `updates`, `traces`.
        unit: String,
    },
    /// Items were completed. Sent at most a few times a second.
    StageProgress {
        /// Which.
        stage: StageId,
        /// Items complete.
        done: u64,
        /// Items in all.
        total: u64,
        /// Tokens sampled or trained in this stage so far.
        tokens: u64,
        /// Tokens per second of wall time over the last moments.
        rate: f64,
    },
    /// A stage is complete.
    StageFinished {
        /// Which.
        stage: StageId,
        /// One line: what came out.
        summary: String,
        /// Seconds of wall time, over all its parts where it was interrupted.
        seconds: f64,
        /// Tokens sampled or trained.
        tokens: u64,
    },
    /// One point of a curve (`reward`, `reward-above-before`, `loss`, `lr`, `kl`, `clip-fraction`, `entropy`, …).
    Metric {
        /// Which stage.
        stage: StageId,
        /// Step within the stage, from 1.
        step: u64,
        /// Name of the curve.
        name: String,
        /// Value.
        value: f64,
    },
    /// A line for the log.
    Log {
        /// How loud.
        level: Level,
        /// The text, plain.
        message: String,
    },
    /// A gate waits for the researcher.
    GateWaiting {
        /// The stage whose products wait.
        stage: StageId,
        /// How many wait.
        pending: u64,
    },
    /// A researcher decided something; the products and the decision are in the session.
    Decided {
        /// Number of the decision.
        decision: u64,
        /// What was decided, in words.
        line: String,
        /// How many products it changed.
        count: u64,
        /// The first of them, at most 32: `bridge/train-0042`.
        products: Vec<String>,
        /// What the researcher should know about it.
        notes: Vec<String>,
    },
    /// A request of the researcher's was refused; nothing was changed.
    Refused {
        /// Why.
        reason: String,
    },
    /// Work stands still on request.
    Paused,
    /// Work goes on.
    Resumed,
    /// Last event.
    RunFinished {
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
        /// Seconds of wall time of this run of the program.
        seconds: f64,
    },
}

/// What the loop can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// Stand still after the current step.
    Pause,
    /// Go on.
    Resume,
    /// Stop after the current step; everything acknowledged is kept.
    Cancel,
    /// Let the waiting gate pass: approve what waits and passed its checks.
    PassGate,
    /// Let the waiting gate pass as it is: what is not approved or edited stays out.
    LeaveGate,
    /// Decide on products; answered by [`Event::Decided`] or [`Event::Refused`].
    Review(Request),
}
