//! Is a difference more than noise? Both checkpoints answered the same questions, so questions are paired and resampled
//! together: what makes a question easy for both cancels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::splits::BySplit;
use crate::domain::interval::{Difference, paired_bootstrap, paired_bootstrap_of_means};
use crate::domain::pass_at_k;
use crate::session::RolloutBrief;

/// Resamples of every bootstrap.
pub const RESAMPLES: u32 = 2_000;
/// Its seed is fixed, so that a report printed twice is the same.
const SEED: u64 = 1;
/// The split whose questions are looked at by number of steps.
const TEST: &str = "test";

/// A number in [0, 1] per question id.
pub type Values = BTreeMap<String, f64>;

/// What one checkpoint came to, question by question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// 1 where the greedy answer is right.
    pub greedy: BySplit<Values>,
    /// The same with the answer marker banned as first token.
    pub banned: BySplit<Values>,
    /// Unbiased pass@k.
    pub pass: BySplit<Values>,
}

/// Greedy answers, right or wrong, and pass@k of sampled ones, by question.
pub fn values(groups: &[RolloutBrief], k: Option<u32>) -> Values {
    let value = |g: &RolloutBrief| match k {
        None => f64::from(u8::from(g.correct > 0)),
        Some(k) => pass_at_k(u64::from(g.n), u64::from(g.correct), u64::from(k)),
    };
    groups.iter().map(|g| (g.question.clone(), value(g))).collect()
}

/// A paired difference `after − before`, as a share, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Mean difference.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Questions both sides answered.
    pub questions: usize,
    /// The interval holds 0: no claim can rest on it.
    pub within_noise: bool,
}

impl From<Difference> for Change {
    fn from(d: Difference) -> Self {
        Self { value: d.mean, low: d.low, high: d.high, questions: d.n, within_noise: !d.is_clear() }
    }
}

/// Every paired difference between two checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Greedy accuracy, by split.
    pub greedy: BySplit<Change>,
    /// Greedy accuracy in the plain mean over the reported splits.
    pub mean: Option<Change>,
    /// pass@k, by split.
    pub pass_at_k: BySplit<Change>,
    /// Greedy test accuracy by number of solution steps.
    pub by_steps: BTreeMap<u32, Change>,
}

/// Compares two checkpoints on the questions both answered. `steps` gives the solution steps of test questions.
pub fn changes(before: &Answers, after: &Answers, steps: &BTreeMap<String, u32>) -> Changes {
    let mut of_length: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    if let (Some(one), Some(other)) = (before.greedy.get(TEST), after.greedy.get(TEST)) {
        for (question, value) in one {
            if let (Some(after), Some(steps)) = (other.get(question), steps.get(question)) {
                of_length.entry(*steps).or_default().push((*value, *after));
            }
        }
    }
    Changes {
        greedy: by_split(&before.greedy, &after.greedy),
        mean: mean(&reported(&before.greedy, &after.greedy)),
        pass_at_k: by_split(&before.pass, &after.pass),
        by_steps: of_length
            .into_iter()
            .map(|(steps, pairs)| (steps, paired_bootstrap(&pairs, RESAMPLES, SEED).into()))
            .collect(),
    }
}

/// Is a gain one of format or of skill? A student that only learned to begin with the answer marker (or to leave it)
/// loses its gain when the marker is banned as first token (world.md, the first control).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormatControl {
    /// The first reported split (`test` where there is one), or `mean` over all of them.
    pub on: String,
    /// What was gained as asked.
    pub plain: Change,
    /// What was gained with the marker banned.
    pub banned: Change,
    /// The part of the plain gain that goes with the ban: plain − banned.
    pub by_format: Change,
}

impl FormatControl {
    /// In words.
    pub fn verdict(&self) -> &'static str {
        let up = |change: &Change| !change.within_noise && change.value > 0.0;
        match (up(&self.plain), up(&self.banned), up(&self.by_format)) {
            (true, true, false) => "the gain holds with the ban, so it is skill",
            (true, true, true) => "part of the gain is format, the rest skill",
            (true, false, true) => "the gain is format",
            (true, false, false) => "whether the gain is format or skill is within noise",
            (false, _, true) => "no clear gain, and what moved is format",
            (false, true, false) => "a gain with the ban only",
            (false, false, false) => "no clear gain to explain",
        }
    }
}

/// The format control of a difference, on the first reported split and in the mean; empty where the control was not measured.
pub fn format_control(before: &Answers, after: &Answers) -> Vec<FormatControl> {
    let plain = reported(&before.greedy, &after.greedy);
    let banned = reported(&before.banned, &after.banned);
    let gains = |gained: &Pairs| -> BySplit<Values> {
        let gain = |(split, pairs): (&str, &BTreeMap<String, (f64, f64)>)| {
            (split.to_string(), pairs.iter().map(|(q, (b, a))| (q.clone(), a - b)).collect())
        };
        gained.iter().map(gain).collect()
    };
    let by_format = reported(&gains(&banned), &gains(&plain));
    let on = |name: &str, pick: &dyn Fn(&Pairs) -> Option<Change>| {
        let (plain, banned, by_format) = (pick(&plain)?, pick(&banned)?, pick(&by_format)?);
        Some(FormatControl { on: name.into(), plain, banned, by_format })
    };
    let lead = plain.lead().unwrap_or(TEST);
    let first = |pairs: &Pairs| pairs.get(lead).and_then(of_pairs);
    [on(lead, &first), on("mean", &mean)].into_iter().flatten().collect()
}

/// (before, after) of each question, by split.
type Pairs = BySplit<BTreeMap<String, (f64, f64)>>;

fn pairs(before: &Values, after: &Values) -> BTreeMap<String, (f64, f64)> {
    before.iter().filter_map(|(question, b)| after.get(question).map(|a| (question.clone(), (*b, *a)))).collect()
}

fn reported(before: &BySplit<Values>, after: &BySplit<Values>) -> Pairs {
    let both = |(split, b): (&str, &Values)| after.get(split).map(|a| (split.to_string(), pairs(b, a)));
    before.reported().filter_map(both).collect()
}

fn of_pairs(pairs: &BTreeMap<String, (f64, f64)>) -> Option<Change> {
    let pairs: Vec<(f64, f64)> = pairs.values().copied().collect();
    (!pairs.is_empty()).then(|| paired_bootstrap(&pairs, RESAMPLES, SEED).into())
}

fn mean(splits: &Pairs) -> Option<Change> {
    let sets: Vec<Vec<(f64, f64)>> = splits.iter().map(|(_, pairs)| pairs.values().copied().collect()).collect();
    let sets: Vec<&[(f64, f64)]> = sets.iter().map(Vec::as_slice).filter(|set| !set.is_empty()).collect();
    (!sets.is_empty()).then(|| paired_bootstrap_of_means(&sets, RESAMPLES, SEED).into())
}

fn by_split(before: &BySplit<Values>, after: &BySplit<Values>) -> BySplit<Change> {
    let both = |(split, b): (&str, &Values)| Some((split.to_string(), of_pairs(&pairs(b, after.get(split)?))?));
    before.iter().filter_map(both).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answers(plain: &[(&str, Vec<f64>)], banned: &[(&str, Vec<f64>)]) -> Answers {
        let of = |splits: &[(&str, Vec<f64>)]| -> BySplit<Values> {
            let values = |v: &Vec<f64>| v.iter().enumerate().map(|(i, x)| (format!("q{i:03}"), *x)).collect();
            splits.iter().map(|(split, v)| ((*split).to_string(), values(v))).collect()
        };
        Answers { greedy: of(plain), banned: of(banned), pass: BySplit::default() }
    }

    fn right(k: usize, n: usize) -> Vec<f64> {
        (0..n).map(|i| f64::from(u8::from(i < k))).collect()
    }

    #[test]
    fn a_clear_gain_is_told_from_noise_and_the_mean_counts_splits_alike() {
        let before = answers(&[("test", right(40, 100)), ("b", right(10, 10)), ("dev", right(0, 10))], &[]);
        let after = answers(&[("test", right(60, 100)), ("b", right(9, 10)), ("dev", right(10, 10))], &[]);
        let steps = (0..100).map(|i| (format!("q{i:03}"), 1 + i / 50)).collect();
        let found = changes(&before, &after, &steps);
        let test = found.greedy.get("test").unwrap();
        assert!((test.value - 0.2).abs() < 1e-12 && !test.within_noise && test.low > 0.1);
        assert!(found.greedy.get("b").unwrap().within_noise);
        let mean = found.mean.unwrap();
        assert!((mean.value - 0.05).abs() < 1e-12, "dev is no part of it: {mean:?}");
        assert_eq!(mean.questions, 110);
        let steps: Vec<f64> = found.by_steps.values().map(|c| (c.value * 100.0).round()).collect();
        assert_eq!(steps, [20.0, 20.0]);
    }

    #[test]
    fn what_only_one_side_answered_does_not_count() {
        let found = changes(
            &answers(&[("test", right(1, 3))], &[]),
            &answers(&[("test", right(2, 2)), ("b", right(1, 1))], &[]),
            &BTreeMap::new(),
        );
        assert_eq!(found.greedy.get("test").map(|c| (c.questions, c.value)), Some((2, 0.5)));
        assert!(found.greedy.get("b").is_none() && found.pass_at_k.is_empty());
    }

    #[test]
    fn format_is_told_from_skill() {
        let base = answers(&[("test", right(40, 100))], &[("test", right(60, 100))]);
        let format = answers(&[("test", right(60, 100))], &[("test", right(60, 100))]);
        let skill = answers(&[("test", right(60, 100))], &[("test", right(80, 100))]);
        let of = |after: &Answers| format_control(&base, after).first().map(FormatControl::verdict);
        assert_eq!(of(&format), Some("the gain is format"));
        assert_eq!(of(&skill), Some("the gain holds with the ban, so it is skill"));
        assert_eq!(of(&base), Some("no clear gain to explain"));
        assert!(format_control(&base, &answers(&[("test", right(1, 100))], &[])).is_empty());
    }
}
