//! From judged rollouts to numbers.
//!
//! Intervals: Wilson's for a proportion of questions; for means over questions (mean@n, pass@k) the normal one over the
//! per-question values. Questions are the unit in both, so samples of one question never count as independent evidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::interval::{mean_interval, wilson};
use crate::domain::pass_at_k;
use crate::session::RolloutBrief;

/// A number with its 95 % interval. Shares are in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A share `k` of `n`, with Wilson's interval.
    pub fn share(k: usize, n: usize) -> Self {
        let (low, high) = wilson(k as u64, n as u64);
        Self { value: k as f64 / (n.max(1)) as f64, low, high }
    }

    /// A mean of per-question values, with the normal interval.
    pub fn mean(values: &[f64]) -> Self {
        let (value, low, high) = mean_interval(values);
        Self { value, low, high }
    }
}

/// One checkpoint on one set of questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Number of questions, N.
    pub questions: usize,
    /// Share of greedy answers that are right.
    pub accuracy: Estimate,
    /// Share of greedy answers from which an answer could be read.
    pub parse_rate: f64,
    /// Mean tokens of a greedy answer.
    pub mean_tokens: f64,
    /// Samples per question, n; 0 when none were drawn.
    pub n: u32,
    /// Mean over questions of the share of right samples.
    pub mean_at_n: Option<Estimate>,
    /// The k of pass@k.
    pub k: u32,
    /// Mean over questions of the unbiased pass@k.
    pub pass_at_k: Option<Estimate>,
    /// Greedy accuracy with the answer marker banned as first token: format or skill?
    pub control: Option<Estimate>,
}

/// Measures one set of questions. The slices hold a brief per question; those of samples and of the control may be empty.
pub fn measure(greedy: &[RolloutBrief], sampled: &[RolloutBrief], control: &[RolloutBrief], k: u32) -> Measure {
    let right = |groups: &[RolloutBrief]| groups.iter().filter(|g| g.correct > 0).count();
    let parsed = greedy.iter().filter(|g| g.parsed > 0).count();
    let tokens: u64 = greedy.iter().map(|g| g.tokens).sum();
    let per_question = |value: &dyn Fn(&RolloutBrief) -> f64| {
        let values: Vec<f64> = sampled.iter().map(value).collect();
        (!values.is_empty()).then(|| Estimate::mean(&values))
    };
    Measure {
        questions: greedy.len(),
        accuracy: Estimate::share(right(greedy), greedy.len()),
        parse_rate: parsed as f64 / greedy.len().max(1) as f64,
        mean_tokens: tokens as f64 / greedy.len().max(1) as f64,
        n: sampled.first().map_or(0, |g| g.n),
        k,
        mean_at_n: per_question(&RolloutBrief::rho),
        pass_at_k: per_question(&|g| pass_at_k(u64::from(g.n), u64::from(g.correct), u64::from(k))),
        control: (!control.is_empty()).then(|| Estimate::share(right(control), control.len())),
    }
}

/// The plain mean of the columns, as the paper's "Average" (reading.md, row 6). The interval adds the columns'
/// variances, read off their intervals' half widths.
pub fn mean_of_columns(columns: &[Estimate]) -> Estimate {
    let n = columns.len().max(1) as f64;
    let value = columns.iter().map(|c| c.value).sum::<f64>() / n;
    let half = columns.iter().map(|c| ((c.high - c.low) / 2.0).powi(2)).sum::<f64>().sqrt() / n;
    Estimate { value, low: value - half, high: value + half }
}

/// Greedy accuracy by number of solution steps, where the source knows it.
pub fn by_steps(greedy: &[RolloutBrief], steps: &BTreeMap<String, u32>) -> BTreeMap<u32, Estimate> {
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for group in greedy {
        if let Some(&steps) = steps.get(&group.question) {
            let (right, all) = counts.entry(steps).or_default();
            *right += usize::from(group.correct > 0);
            *all += 1;
        }
    }
    counts.into_iter().map(|(steps, (right, all))| (steps, Estimate::share(right, all))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::{Finish, Provenance, Rollout};
    use crate::recipe::SamplingRecipe;
    use crate::session::records::RolloutGroup;

    fn group(question: &str, correct: &[bool]) -> RolloutBrief {
        let rollout = |&correct: &bool| Rollout {
            text: String::new(),
            tokens: 10,
            finish: Finish::EndOfTurn,
            answer: correct.then(|| "1".into()),
            correct,
        };
        RolloutBrief::of(&RolloutGroup {
            question: question.into(),
            provenance: Provenance { verifier: "v".into(), prompt: "p".into(), checkpoint: "c".into() },
            sampling: SamplingRecipe::default(),
            rollouts: correct.iter().map(rollout).collect(),
        })
    }

    #[test]
    fn counts_what_is_there() {
        let greedy = [group("a", &[true]), group("b", &[false]), group("c", &[true]), group("d", &[true])];
        let sampled = [group("a", &[true, true]), group("b", &[false, false]), group("c", &[true, false])];
        let measured = measure(&greedy, &sampled, &[], 2);
        assert_eq!((measured.questions, measured.accuracy.value, measured.parse_rate), (4, 0.75, 0.75));
        assert_eq!(measured.mean_at_n.unwrap().value, 0.5);
        assert!((measured.pass_at_k.unwrap().value - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((measured.n, measured.k, measured.mean_tokens, measured.control), (2, 2, 10.0, None));
        assert!(measured.accuracy.low > 0.2 && measured.accuracy.high < 1.0);
    }

    #[test]
    fn nothing_measured_is_zero_not_nan() {
        let measured = measure(&[], &[], &[], 8);
        assert_eq!((measured.questions, measured.accuracy.value, measured.parse_rate), (0, 0.0, 0.0));
    }

    #[test]
    fn columns_count_alike_whatever_their_size() {
        let mean = mean_of_columns(&[Estimate::share(1, 2), Estimate::share(100, 100)]);
        assert_eq!(mean.value, 0.75);
        assert!(mean.low < 0.75 && mean.high > 0.75);
    }

    #[test]
    fn steps_group_the_questions() {
        let steps = BTreeMap::from([("a".to_string(), 1), ("b".to_string(), 4), ("c".to_string(), 4)]);
        let table = by_steps(&[group("a", &[true]), group("b", &[false]), group("c", &[true])], &steps);
        assert_eq!(table.iter().map(|(s, e)| (*s, e.value)).collect::<Vec<_>>(), [(1, 1.0), (4, 0.5)]);
    }
}
