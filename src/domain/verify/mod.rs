//! Rule-based verifiers: does this answer reach the gold answer (eq. 2)?
//!
//! Results of different verifiers are never mixed in one figure (reading.md, row 3), so each has a name, and the name is
//! stored with every reward. The public rules are reproduced with their quirks; `numeric` is our own.

mod algebra;
mod answer;
mod choice;
mod latex;
mod math;
mod numeric;
mod public;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A rule that reads a final answer out of a text and compares it with the gold answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verifier {
    /// The last `#### number` within the last 300 characters, commas removed, compared as text. Rewards of GSM8K
    /// reinforcement learning (verl) follow it.
    Gsm8kStrict,
    /// The last thing that looks like a number within the last 300 characters, compared as text (verl).
    Gsm8kFlexible,
    /// The first `#### number`, compared as text without commas, dollars and a last full stop
    /// (lm-evaluation-harness, `strict-match`).
    LmEvalStrict,
    /// The last thing that looks like a number, compared in the same way (lm-evaluation-harness, `flexible-extract`).
    LmEvalFlexible,
    /// What follows the last `####` that something follows, read as a number and compared by value.
    Numeric,
    /// The last `\boxed{…}`, equal by the string normalisation of Hendrycks' MATH or by exact value; `####` where
    /// nothing is boxed.
    Math,
    /// The same by the string normalisation alone, as public harnesses have it.
    Hendrycks,
    /// The letter of an option.
    Choice,
}

/// What a verifier found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The final answer as read; `None` when nothing could be parsed, which counts as wrong (reading.md, row 8).
    pub answer: Option<String>,
    /// The reward r of eq. 2.
    pub correct: bool,
}

/// A name that is no verifier's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no verifier `{0}`; the verifiers are {names}", names = Verifier::ALL.map(Verifier::name).join(", "))]
pub struct UnknownVerifier(pub String);

impl Verifier {
    /// All verifiers.
    pub const ALL: [Verifier; 8] = [
        Verifier::Gsm8kStrict,
        Verifier::Gsm8kFlexible,
        Verifier::LmEvalStrict,
        Verifier::LmEvalFlexible,
        Verifier::Numeric,
        Verifier::Math,
        Verifier::Hendrycks,
        Verifier::Choice,
    ];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Verifier::Gsm8kStrict => "gsm8k-strict",
            Verifier::Gsm8kFlexible => "gsm8k-flexible",
            Verifier::LmEvalStrict => "lm-eval-strict",
            Verifier::LmEvalFlexible => "lm-eval-flexible",
            Verifier::Numeric => "numeric",
            Verifier::Math => "math",
            Verifier::Hendrycks => "hendrycks",
            Verifier::Choice => "choice",
        }
    }

    /// Judges an answer. Takes any text, in time linear in its length.
    pub fn judge(self, output: &str, gold: &str) -> Verdict {
        match self {
            Verifier::Gsm8kStrict => public::gsm8k_strict(output, gold),
            Verifier::Gsm8kFlexible => public::gsm8k_flexible(output, gold),
            Verifier::LmEvalStrict => public::lm_eval_strict(output, gold),
            Verifier::LmEvalFlexible => public::lm_eval_flexible(output, gold),
            Verifier::Numeric => numeric::judge(output, gold),
            Verifier::Math => math::judge(output, gold, math::equal),
            Verifier::Hendrycks => math::judge(output, gold, math::equivalent),
            Verifier::Choice => choice::judge(output, gold),
        }
    }

    /// The gold answer in the form this verifier compares with, from a data set's answer column: what follows `####` or
    /// stands in the last box, if there is one. The number rules lose thousands commas, a leading dollar, a last full
    /// stop and a fraction of zeros (`24.0`), because they compare texts.
    pub fn normalise_gold(self, answer: &str) -> String {
        match self {
            Verifier::Math | Verifier::Hendrycks => math::boxed(answer).unwrap_or_else(|| gold_from_solution(answer)),
            Verifier::Choice => choice::normalise(&gold_from_solution(answer)),
            _ => numeric::plain_gold(&gold_from_solution(answer)),
        }
    }

    /// Whether a normalised gold answer is one that this verifier could ever find right.
    pub fn reads_gold(self, gold: &str) -> bool {
        match self {
            Verifier::Math | Verifier::Hendrycks => math::reads(gold),
            Verifier::Numeric => numeric::reads(gold),
            Verifier::Choice => gold.len() == 1 && gold.bytes().all(|byte| byte.is_ascii_uppercase()),
            _ => numeric::is_plain(gold),
        }
    }

    /// Whether a text's last line is `#### gold` by this verifier; asked of traces, edits and diagnoses (reading.md, rows
    /// 17 and 43).
    pub fn ends_with_gold(self, text: &str, gold: &str) -> bool {
        let Some(line) = super::steps::split_answer(text).1 else { return false };
        let written = self.normalise_gold(line);
        let gold = self.normalise_gold(gold);
        !written.is_empty() && (written == gold || self.same(&written, &gold))
    }

    /// Two normalised answers mean the same.
    fn same(self, one: &str, other: &str) -> bool {
        match self {
            Verifier::Math => math::equal(one, other),
            Verifier::Hendrycks => math::equivalent(one, other),
            Verifier::Numeric => numeric::equal(one, other),
            _ => one == other,
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Verifier {
    type Err = UnknownVerifier;

    fn from_str(name: &str) -> Result<Self, UnknownVerifier> {
        Verifier::ALL.into_iter().find(|v| v.name() == name).ok_or_else(|| UnknownVerifier(name.to_string()))
    }
}

/// The answer of a worked solution: what follows the last `####`, trimmed; the whole text, trimmed, where there is none.
pub fn gold_from_solution(solution: &str) -> String {
    solution.rsplit("####").next().unwrap_or(solution).trim().to_string()
}
