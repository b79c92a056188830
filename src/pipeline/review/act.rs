//! The commands, as they are sent: by a screen, by a line of JSON, by the shell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::list::Filter;
use super::product::ProductId;
use crate::domain::Action;

/// What one researcher wants. As JSON: `{"do":"reject","what":{"ids":["recycled/1/train-0007"]},"reason":"…"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who; the name of the user's account where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why; a rejection must say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

impl From<Act> for Request {
    fn from(act: Act) -> Self {
        Self { by: None, reason: None, act }
    }
}

/// What can be decided. Steps are counted from 1, as they are shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Act {
    /// These may be trained on. One that fails its check is refused; of several, those that fail stay as they are, and the
    /// notes name them.
    Approve {
        /// Which.
        what: Which,
    },
    /// These shall not be trained on, for the request's reason.
    Reject {
        /// Which.
        what: Which,
    },
    /// Replaces a trace. It must reach the gold answer; of a hard trace, the steps that changed are scored again.
    EditTrace {
        /// Question id.
        question: String,
        /// The whole trace, answer line included.
        text: String,
    },
    /// Sets one score of one step; the step's operation follows from it unless a researcher chose that.
    SetScore {
        /// Question id.
        question: String,
        /// Which step.
        step: usize,
        /// Which score.
        score: ScoreName,
        /// I and J on {0, .25, .5, .75, 1}; D in nats per token.
        value: f64,
    },
    /// Chooses the operation of one step.
    OverrideAction {
        /// Question id.
        question: String,
        /// Which step.
        step: usize,
        /// The operation.
        action: Action,
        /// Whether an expanded step is also a local sample. Localize always is, other operations never are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        local: Option<bool>,
        /// The step's text; without it an edit that was made before is used, else the teacher is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Chooses the operations of many steps, as one decision; texts that are needed are those made before, else the teacher
    /// is asked. A question that cannot be built so stays as it is, and is named.
    OverrideActions {
        /// Which steps become what.
        steps: Vec<Chosen>,
    },
    /// Replaces the text of a compressed, expanded or localized step in the bridged trace.
    EditStep {
        /// Question id.
        question: String,
        /// Which step.
        step: usize,
        /// Its text.
        text: String,
    },
    /// Cuts a step of the original trace in two.
    SplitStep {
        /// Question id.
        question: String,
        /// Which step.
        step: usize,
        /// Characters of the step that stay in the first part.
        at: usize,
    },
    /// Joins a step of the original trace with the one after it.
    MergeSteps {
        /// Question id.
        question: String,
        /// The first of the two.
        step: usize,
    },
    /// Changes fields of a diagnosis; the whole must pass the checks that the teacher's had to pass.
    EditDiagnosis {
        /// The recycled failure.
        product: ProductId,
        /// New texts by the name of the field; all seven where there was no diagnosis.
        fields: BTreeMap<String, String>,
    },
    /// Asks the teacher for this product once more.
    AskAgain {
        /// Which.
        product: ProductId,
        /// Of scores and bridged traces: only this step; else all steps that the teacher left open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
    },
    /// Takes back the last decision, or the last one on this product's question.
    Undo {
        /// Which product; the last decision of all without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<ProductId>,
    },
    /// Restores what was last taken back.
    Redo {
        /// Which product; the last undo of all without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<ProductId>,
    },
}

/// One product, all that are shown, or all of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Exactly these.
    Ids(Vec<ProductId>),
    /// Whatever fits. Where the filter names no status, only what waits for a decision is meant.
    All(Filter),
}

/// The operation of one step among many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// Question id.
    pub question: String,
    /// Which step.
    pub step: usize,
    /// The operation.
    pub action: Action,
    /// Whether an expanded step is also a local sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
}

/// A score of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScoreName {
    /// Importance.
    I,
    /// Jumpiness.
    J,
    /// Difficulty.
    D,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_it_is_written() {
        let cases = [
            r#"{"do":"undo"}"#,
            r#"{"by":"ada","reason":"no","do":"reject","what":{"ids":["recycled/1/train-0007"]}}"#,
            r#"{"do":"approve","what":{"all":{"kind":"bridge"}}}"#,
            r#"{"do":"override-action","question":"train-0001","step":2,"action":"keep"}"#,
            r#"{"do":"override-actions","steps":[{"question":"train-0001","step":2,"action":"drop"}]}"#,
            r#"{"do":"set-score","question":"train-0001","step":2,"score":"J","value":0.25}"#,
            r#"{"do":"edit-diagnosis","product":"recycled/1/q","fields":{"error_type":"slip"}}"#,
        ];
        for json in cases {
            let request: Request = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
        }
        let bad = serde_json::from_str::<Request>(r#"{"do":"ask-again","product":"sample/1"}"#).unwrap_err();
        assert!(bad.to_string().contains("trace/QUESTION"), "{bad}");
    }
}
