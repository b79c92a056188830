//! SFT samples of every kind, with ids that do not depend on when they were made (eqs. 11, 18 and 19).
//!
//! Prompts live elsewhere: builders take the user turn as it is to be read and the assistant turn as it is to be trained.

use super::assemble::{Bridged, LocalStep};
use super::types::{Diagnosis, Message, SampleKind, SftSample};

/// Where a sample comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Iteration that makes it, from 1.
    pub iteration: u32,
    /// Id of the question; for neutral text any id of its own.
    pub question: &'a str,
    /// Keys of the records it is made from.
    pub lineage: &'a [String],
}

impl SampleKind {
    /// The word for it, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            SampleKind::Medium => "medium",
            SampleKind::Bridged => "bridged",
            SampleKind::Local => "local",
            SampleKind::RawHard => "raw-hard",
            SampleKind::Diagnose => "diagnose",
            SampleKind::Repair => "repair",
            SampleKind::NewTrace => "new-trace",
            SampleKind::Neutral => "neutral",
        }
    }

    /// The three kinds that recycling makes.
    pub fn is_recycled(self) -> bool {
        matches!(self, SampleKind::Diagnose | SampleKind::Repair | SampleKind::NewTrace)
    }
}

impl Origin<'_> {
    /// Question to the teacher's trace, unbridged.
    pub fn medium(&self, user: &str, trace: &str) -> SftSample {
        self.sample(SampleKind::Medium, None, user, trace)
    }

    /// Question to the raw trace of a hard question; the raw-hard arm.
    pub fn raw_hard(&self, user: &str, trace: &str) -> SftSample {
        self.sample(SampleKind::RawHard, None, user, trace)
    }

    /// Question to the bridged trace (eq. 11).
    pub fn bridged(&self, user: &str, bridged: &Bridged) -> SftSample {
        self.sample(SampleKind::Bridged, None, user, &bridged.text)
    }

    /// Question and prefix to one step (Algorithm 1, lines 23 and 27). `user` already holds the prefix.
    pub fn local(&self, user: &str, local: &LocalStep) -> SftSample {
        self.sample(SampleKind::Local, Some(local.step), user, &local.target)
    }

    /// Question and near-miss to what went wrong; `target` is the diagnosis as it is to be read.
    pub fn diagnose(&self, user: &str, target: &str) -> SftSample {
        self.sample(SampleKind::Diagnose, None, user, target)
    }

    /// Question, prefix, error and hint to the step that should stand there.
    pub fn repair(&self, user: &str, diagnosis: &Diagnosis) -> SftSample {
        self.sample(SampleKind::Repair, None, user, diagnosis.correct_next_step.trim())
    }

    /// Question to the new short trace.
    pub fn new_trace(&self, user: &str, diagnosis: &Diagnosis) -> SftSample {
        self.sample(SampleKind::NewTrace, None, user, diagnosis.short_correct_reasoning.trim())
    }

    /// A document of the pre-training mix; the neutral arm. It belongs to no question.
    pub fn neutral(&self, user: &str, text: &str) -> SftSample {
        SftSample { question: String::new(), ..self.sample(SampleKind::Neutral, None, user, text) }
    }

    /// Id `i1/local/train-0042/03`: iteration, kind, question, and for local samples the step, from 1.
    fn sample(&self, kind: SampleKind, step: Option<usize>, user: &str, assistant: &str) -> SftSample {
        let step = step.map_or(String::new(), |step| format!("/{:02}", step + 1));
        SftSample {
            id: format!("i{}/{}/{}{step}", self.iteration, kind.as_str(), self.question),
            kind,
            question: self.question.to_string(),
            messages: vec![Message::user(user), Message::assistant(assistant)],
            lineage: self.lineage.to_vec(),
        }
    }
}
