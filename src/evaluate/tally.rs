//! One student on one benchmark, counted from briefs so that no text is held: greedy accuracy, what could be read, and
//! mean@n and pass@k for any number of k.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measure::{Estimate, mean_of_columns};
use crate::domain::pass_at_k;
use crate::session::RolloutBrief;

/// Counts of the groups seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    right: usize,
    parsed: usize,
    cut: usize,
    tokens: u64,
    greedy: usize,
    /// n and c of each sampled question.
    sampled: Vec<(u32, u32)>,
}

/// What a benchmark came to. Shares are in [0, 1], with 95 % intervals over questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Questions with a greedy answer, N.
    pub questions: usize,
    /// Share of greedy answers that are right.
    pub accuracy: Estimate,
    /// Share of greedy answers from which an answer could be read (reading.md, row 8).
    pub parse_rate: Estimate,
    /// Share of greedy answers that ran into the longest length.
    pub cut: f64,
    /// Mean tokens of a greedy answer.
    pub mean_tokens: f64,
    /// Questions with samples, where there are any.
    pub sampled: usize,
    /// Samples per question, n; 0 when none were drawn.
    pub n: u32,
    /// Mean over questions of the share of right samples.
    pub mean_at_n: Option<Estimate>,
    /// Mean over questions of the unbiased pass@k, by k (reading.md, row 10).
    pub pass_at_k: BTreeMap<u32, Estimate>,
}

impl Tally {
    /// Counts a greedy answer.
    pub fn greedy(&mut self, answer: &RolloutBrief) {
        self.greedy += 1;
        self.right += usize::from(answer.correct > 0);
        self.parsed += usize::from(answer.parsed > 0);
        self.cut += usize::from(answer.cut > 0);
        self.tokens += answer.tokens;
    }

    /// Counts the samples of a question.
    pub fn sampled(&mut self, answers: &RolloutBrief) {
        self.sampled.push((answers.n, answers.correct));
    }

    /// The figures, with pass@k for each of `ks`; no k above the number of samples has one.
    pub fn figures(&self, ks: &[u32]) -> Figures {
        let share = |k: usize| Estimate::share(k, self.greedy);
        let mean = |of: &dyn Fn(u32, u32) -> f64| {
            Estimate::mean(&self.sampled.iter().map(|(n, c)| of(*n, *c)).collect::<Vec<_>>())
        };
        let n = self.sampled.iter().map(|(n, _)| *n).min().unwrap_or(0);
        let pass = |k: u32| mean(&|n, c| pass_at_k(u64::from(n), u64::from(c), u64::from(k)));
        let count = self.greedy.max(1) as f64;
        Figures {
            questions: self.greedy,
            accuracy: share(self.right),
            parse_rate: share(self.parsed),
            cut: self.cut as f64 / count,
            mean_tokens: self.tokens as f64 / count,
            sampled: self.sampled.len(),
            n,
            mean_at_n: (n > 0).then(|| mean(&|n, c| f64::from(c) / f64::from(n.max(1)))),
            pass_at_k: ks.iter().filter(|k| **k <= n).map(|k| (*k, pass(*k))).collect(),
        }
    }
}

/// The plain mean of the columns, as the paper's (reading.md, row 6); a figure that a benchmark lacks has no mean.
pub fn average(of: &[Figures]) -> Figures {
    let mean = |columns: Vec<Option<Estimate>>| -> Option<Estimate> {
        let columns: Option<Vec<Estimate>> = columns.into_iter().collect();
        columns.filter(|columns| !columns.is_empty()).map(|columns| mean_of_columns(&columns))
    };
    let ks: Vec<u32> = of.first().map(|f| f.pass_at_k.keys().copied().collect()).unwrap_or_default();
    let pass = |k: u32| mean(of.iter().map(|f| f.pass_at_k.get(&k).copied()).collect()).map(|e| (k, e));
    let count = of.len().max(1) as f64;
    Figures {
        questions: of.iter().map(|f| f.questions).sum(),
        accuracy: mean(of.iter().map(|f| Some(f.accuracy)).collect()).unwrap_or_default(),
        parse_rate: mean(of.iter().map(|f| Some(f.parse_rate)).collect()).unwrap_or_default(),
        cut: of.iter().map(|f| f.cut).sum::<f64>() / count,
        mean_tokens: of.iter().map(|f| f.mean_tokens).sum::<f64>() / count,
        sampled: of.iter().map(|f| f.sampled).sum(),
        n: of.iter().map(|f| f.n).min().unwrap_or(0),
        mean_at_n: mean(of.iter().map(|f| f.mean_at_n).collect()),
        pass_at_k: ks.into_iter().filter_map(pass).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::{Finish, Provenance};
    use crate::recipe::SamplingRecipe;

    fn group(correct: &[bool], finish: Finish) -> RolloutBrief {
        let count = |of: bool| correct.iter().filter(|c| **c == of).count() as u32;
        let n = correct.len() as u32;
        RolloutBrief {
            question: "q".into(),
            provenance: Provenance { verifier: "v".into(), prompt: "p".into(), checkpoint: "c".into() },
            sampling: SamplingRecipe::default(),
            n,
            correct: count(true),
            parsed: count(true),
            cut: if finish == Finish::Length { n } else { 0 },
            tokens: 10 * u64::from(n),
        }
    }

    #[test]
    fn figures_follow_the_counts_for_every_k() {
        let mut tally = Tally::default();
        for right in [true, false, true, true] {
            tally.greedy(&group(&[right], if right { Finish::EndOfTurn } else { Finish::Length }));
        }
        tally.sampled(&group(&[true, false, false, false], Finish::EndOfTurn));
        tally.sampled(&group(&[true, true, false, false], Finish::EndOfTurn));
        let figures = tally.figures(&[1, 2, 4, 8]);
        assert_eq!((figures.questions, figures.accuracy.value, figures.parse_rate.value), (4, 0.75, 0.75));
        assert_eq!((figures.cut, figures.mean_tokens, figures.n, figures.sampled), (0.25, 10.0, 4, 2));
        assert_eq!(figures.mean_at_n.unwrap().value, 0.375);
        let pass: Vec<(u32, f64)> = figures.pass_at_k.iter().map(|(k, e)| (*k, e.value)).collect();
        // 1 − C(3,2)/C(4,2) = 1/2 and 1 − C(2,2)/C(4,2) = 5/6.
        let two = (0.5 + 5.0 / 6.0) / 2.0;
        assert_eq!(pass.iter().map(|(k, _)| *k).collect::<Vec<_>>(), [1, 2, 4]);
        assert!((pass[0].1 - 0.375).abs() < 1e-12 && (pass[1].1 - two).abs() < 1e-12 && pass[2].1 == 1.0);
    }

    #[test]
    fn the_average_counts_columns_alike_and_needs_all_of_them() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.greedy(&group(&[false], Finish::EndOfTurn));
        (0..9).for_each(|_| other.greedy(&group(&[true], Finish::EndOfTurn)));
        other.sampled(&group(&[true, false], Finish::EndOfTurn));
        let mean = average(&[one.figures(&[1]), other.figures(&[1])]);
        assert_eq!((mean.accuracy.value, mean.questions, mean.mean_at_n), (0.5, 10, None));
        assert!(mean.pass_at_k.is_empty());
        assert_eq!(average(&[other.figures(&[1])]).pass_at_k[&1].value, 0.5);
        assert_eq!(average(&[]), Figures::default());
    }
}
