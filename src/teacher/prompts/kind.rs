//! What prompts there are: who is asked, for what, and which variables a template of that purpose may use.

use super::PromptSet;
use crate::domain::AskKind;

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PromptKind {
    /// The question, as it is usually asked.
    Question,
    /// The question, with its answer asked for in a box.
    QuestionBoxed,
    /// The question with its options, with a letter asked for.
    QuestionChoice,
    /// Question and processed prefix, to the next step (reading.md, row 19).
    Local,
    /// Question and failed answer, to its first error (eq. 18).
    Diagnose,
    /// The answer to that: error type, first error, why.
    DiagnosisTarget,
    /// Question, prefix, first error and hint, to the right next step (eq. 18).
    Repair,
    /// Question, to a new short solution (eq. 18).
    NewTrace,
    /// Asks the teacher for a worked solution.
    Trace,
    /// Asks the judge for the importance of a step (eq. 5).
    Importance,
    /// Asks the judge for the jumpiness of a step (eq. 7).
    Jumpiness,
    /// Asks the teacher to say a step shorter.
    Compress,
    /// Asks the teacher for the reasoning that a step jumps over.
    Expand,
    /// Asks the teacher to say a step so that a small student can follow (reading.md, row 18).
    Localize,
    /// Asks the teacher for the seven fields about a failed answer (eq. 17).
    Diagnosis,
}

use PromptKind::*;

/// Everything that is known about a purpose.
struct About {
    name: &'static str,
    words: &'static str,
    /// Variables that a template may use; those with `?` it may leave out, the others it must use.
    variables: &'static [&'static str],
}

impl PromptKind {
    /// All of them: first what the student is asked, then what the teacher is asked.
    pub const ALL: [PromptKind; 15] = [
        Question,
        QuestionBoxed,
        QuestionChoice,
        Local,
        Diagnose,
        DiagnosisTarget,
        Repair,
        NewTrace,
        Trace,
        Importance,
        Jumpiness,
        Compress,
        Expand,
        Localize,
        Diagnosis,
    ];

    /// How a question of this kind is asked.
    pub fn asking(ask: AskKind) -> Self {
        match ask {
            AskKind::Answer => Question,
            AskKind::Boxed => QuestionBoxed,
            AskKind::Choice => QuestionChoice,
        }
    }

    fn about(self) -> About {
        let about = |name, words, variables| About { name, words, variables };
        match self {
            Question => about("question", "a question", &["question"]),
            QuestionBoxed => about("question-boxed", "a question, with the answer in a box", &["question"]),
            QuestionChoice => about("question-choice", "a question with options, with a letter", &["question"]),
            Local => about("local", "the next step after a prefix", &["question", "prefix"]),
            Diagnose => about("diagnose", "lesson: the first error of a failed answer", &["question", "response"]),
            DiagnosisTarget => about(
                "diagnosis-target",
                "lesson: what the answer to `diagnose` says",
                &[
                    "diagnosis.error_type",
                    "diagnosis.first_error",
                    "diagnosis.why_wrong",
                    "diagnosis.missing_knowledge?",
                    "diagnosis.minimal_fix?",
                ],
            ),
            Repair => about(
                "repair",
                "lesson: the step that should stand in place of a wrong one",
                &[
                    "question",
                    "prefix",
                    "diagnosis.first_error",
                    "diagnosis.minimal_fix",
                    "diagnosis.error_type?",
                    "diagnosis.why_wrong?",
                    "diagnosis.missing_knowledge?",
                ],
            ),
            NewTrace => about("new-trace", "lesson: a new short solution", &["question"]),
            Trace => about("trace", "a worked solution", &["question"]),
            Importance => {
                about("importance", "how much a step matters", &["question", "gold", "trace?", "without", "step"])
            }
            Jumpiness => about("jumpiness", "how far a step jumps", &["question", "prefix", "step"]),
            Compress => about("compress", "a step said shorter", &["question?", "prefix?", "step"]),
            Expand => about("expand", "a step with what it jumps over", &["question", "prefix", "step"]),
            Localize => about("localize", "a step made easier to follow", &["question", "prefix", "step"]),
            Diagnosis => about(
                "diagnosis",
                "seven fields about a failed answer",
                &["question", "gold", "response", "reference?"],
            ),
        }
    }

    /// Its file's name without the ending.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// What is asked for, in a few words.
    pub fn words(self) -> &'static str {
        self.about().words
    }

    /// The prompt of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the teacher is asked, not the student.
    pub fn is_teachers(self) -> bool {
        self >= Trace
    }

    /// The variables a template of this kind may use, and whether it must.
    pub fn variables(self) -> impl Iterator<Item = (&'static str, bool)> {
        self.about().variables.iter().map(|name| match name.strip_suffix('?') {
            Some(name) => (name, false),
            None => (*name, true),
        })
    }

    /// The folder of the built-in template below `prompts`, and its text.
    pub(super) fn source(self, set: PromptSet) -> (&'static str, &'static str) {
        macro_rules! student {
            ($name:literal) => {
                match set {
                    PromptSet::World => ("world", include_str!(concat!("../../../prompts/world/", $name, ".j2"))),
                    PromptSet::Standard => {
                        ("standard", include_str!(concat!("../../../prompts/standard/", $name, ".j2")))
                    }
                }
            };
        }
        macro_rules! only {
            ($folder:literal, $name:literal) => {
                ($folder, include_str!(concat!("../../../prompts/", $folder, "/", $name, ".j2")))
            };
        }
        match self {
            Question => student!("question"),
            // The generated world has numbers only, so there is one wording of these.
            QuestionBoxed => only!("standard", "question-boxed"),
            QuestionChoice => only!("standard", "question-choice"),
            Local => student!("local"),
            Diagnose => student!("diagnose"),
            DiagnosisTarget => student!("diagnosis-target"),
            Repair => student!("repair"),
            NewTrace => student!("new-trace"),
            Trace => only!("teacher", "trace"),
            Importance => only!("teacher", "importance"),
            Jumpiness => only!("teacher", "jumpiness"),
            Compress => only!("teacher", "compress"),
            Expand => only!("teacher", "expand"),
            Localize => only!("teacher", "localize"),
            Diagnosis => only!("teacher", "diagnosis"),
        }
    }
}
