//! The course of a session's training, step by step, as panes show it: every value that was measured, by stage, with
//! nothing thinned. Smoothing is an exponential mean over the measured values themselves, before any of them is left out
//! for want of columns; it starts afresh with every stage, because another data set begins there.
//!
//! | file | idea |
//! |---|---|
//! | `read` | the steps of a session that are not known yet, from its records |
//! | `beside` | what stands beside the steps: all-zero groups by iteration, format or skill |
//! | here | the book of what is known |

pub mod beside;
pub mod read;

use std::collections::BTreeMap;

use super::curves::Family;
use crate::pipeline::events::StageId;

/// Tokens per second: of the machine, not of the records. Heard while a run is at work, else the mean of a stage.
pub const RATE: &str = "tokens/s";

/// What a reward was measured with: figures for which it differs are never drawn as one (reading.md, row 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Name of the verifier.
    pub verifier: String,
    /// Hash of the prompt.
    pub prompt: String,
}

/// One step as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Values by name; NaN where there was none.
    pub values: Vec<(String, f64)>,
    /// What its rewards were measured with, where there are any.
    pub measured: Option<Measured>,
}

/// Steps of one stage that were read: those behind `from`, which take the place of what was known there.
#[derive(Clone, Debug)]
pub struct Addition {
    /// The stage's place in the plan.
    pub place: usize,
    /// The stage.
    pub stage: StageId,
    /// Steps before the first one here.
    pub from: usize,
    /// The steps.
    pub rows: Vec<Row>,
    /// Tokens per second over the whole stage, once it is complete.
    pub rate: Option<f64>,
}

/// Steps that are known, by key of the stage: what need not be read again.
pub type Known = BTreeMap<String, usize>;

/// One training stage.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Which.
    pub stage: StageId,
    /// Its steps.
    pub steps: usize,
    /// What its rewards were measured with; more than one where that was changed on the way.
    pub measured: Vec<Measured>,
    place: usize,
    columns: BTreeMap<String, [Vec<f64>; 2]>,
    rate: Option<f64>,
    /// Steps before the first that has to be read again.
    again: Option<usize>,
}

/// What is known.
#[derive(Clone, Debug)]
pub struct Book {
    legs: Vec<Leg>,
    rates: BTreeMap<StageId, BTreeMap<usize, f64>>,
    smoothing: f64,
}

impl Default for Book {
    fn default() -> Self {
        Self { legs: Vec::new(), rates: BTreeMap::new(), smoothing: super::curves::SMOOTHING }
    }
}

impl Book {
    /// What need not be read again. The last step is, in case it was begun anew.
    pub fn known(&self) -> Known {
        let kept = |leg: &Leg| leg.again.unwrap_or(leg.steps).min(leg.steps.saturating_sub(1));
        self.legs.iter().map(|leg| (leg.stage.key(), kept(leg))).collect()
    }

    /// Takes in what was read.
    pub fn merge(&mut self, additions: Vec<Addition>) {
        for addition in additions {
            let at = match self.legs.binary_search_by_key(&addition.place, |leg| leg.place) {
                Ok(at) => at,
                Err(at) => {
                    self.legs.insert(at, Leg::new(addition.place, addition.stage.clone()));
                    at
                }
            };
            self.legs[at].merge(addition);
            let (leg, weight) = (&mut self.legs[at], self.smoothing);
            leg.columns.values_mut().for_each(|[raw, smooth]| *smooth = smoothed(raw, weight));
        }
    }

    /// A step is made that may take the place of a known one: from shortly before it on, steps are read again.
    pub fn repeated(&mut self, stage: &StageId, step: u64) {
        let from = usize::try_from(step).unwrap_or(usize::MAX).saturating_sub(2);
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.stage == *stage && from < leg.steps) {
            leg.again = Some(leg.again.map_or(from, |again| again.min(from)));
        }
    }

    /// The speed at a step, as it was heard. What is no number is left out.
    pub fn heard_rate(&mut self, stage: &StageId, step: u64, rate: f64) {
        if step > 0 && rate.is_finite() && rate > 0.0 {
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            self.rates.entry(stage.clone()).or_default().insert(step, rate);
        }
    }

    /// Another weight of the past, in [0, 1).
    pub fn smooth(&mut self, weight: f64) {
        self.smoothing = weight;
        for [raw, smooth] in self.legs.iter_mut().flat_map(|leg| leg.columns.values_mut()) {
            *smooth = smoothed(raw, weight);
        }
    }

    /// The stages of a family in order, each with the steps before it.
    pub fn legs(&self, family: Family) -> impl Iterator<Item = (u64, &Leg)> {
        let mut before = 0;
        self.legs.iter().filter(move |leg| Family::of(leg.stage.kind) == family).map(move |leg| {
            let offset = before;
            before += leg.steps as u64;
            (offset, leg)
        })
    }

    /// Steps of a family.
    pub fn steps(&self, family: Family) -> u64 {
        self.legs(family).map(|(_, leg)| leg.steps as u64).sum()
    }

    /// The stage of a step on a family's axis, and the step within it, from 1.
    pub fn place(&self, family: Family, x: u64) -> Option<(&Leg, u64)> {
        let found = self.legs(family).find(|(offset, leg)| (1..=leg.steps as u64).contains(&x.saturating_sub(*offset)));
        found.map(|(offset, leg)| (leg, x - offset))
    }

    /// Names of everything that was measured in a family, sorted.
    pub fn names(&self, family: Family) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.legs(family).flat_map(|(_, leg)| leg.columns.keys().map(String::as_str)).collect();
        let rated = |leg: &Leg| leg.rate.is_some() || self.rates.contains_key(&leg.stage);
        names.extend(self.legs(family).any(|(_, leg)| rated(leg)).then_some(RATE));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A value as measured and smoothed, if there is one at this step.
    pub fn at(&self, family: Family, name: &str, x: u64) -> Option<(f64, f64)> {
        let (leg, step) = self.place(family, x)?;
        let at = usize::try_from(step).ok()?.checked_sub(1)?;
        if name == RATE {
            return self.rate(leg, at).map(|rate| (rate, rate));
        }
        let [raw, smooth] = leg.columns.get(name)?;
        Some((*raw.get(at)?, *smooth.get(at)?)).filter(|(raw, _)| raw.is_finite())
    }

    /// The points of a curve between two steps, a list for each stage that has any there: step, measured, smoothed.
    pub fn points(&self, family: Family, name: &str, [low, high]: [u64; 2]) -> Vec<Vec<(u64, f64, f64)>> {
        let mut pieces = Vec::new();
        for (offset, leg) in self.legs(family) {
            let first = low.saturating_sub(offset).saturating_sub(1) as usize;
            let last = (high.saturating_sub(offset) as usize).min(leg.steps);
            let x = |at: usize| offset + at as u64 + 1;
            let piece: Vec<_> = match leg.columns.get(name) {
                _ if first >= last => continue,
                _ if name == RATE => {
                    (first..last).filter_map(|at| self.rate(leg, at).map(|rate| (x(at), rate, rate))).collect()
                }
                None => continue,
                Some([raw, smooth]) => {
                    (first..last).map(|at| (x(at), raw[at], smooth[at])).filter(|point| point.1.is_finite()).collect()
                }
            };
            if !piece.is_empty() {
                pieces.push(piece);
            }
        }
        pieces
    }

    /// What the rewards of a family were measured with: nothing where there are none.
    pub fn measured(&self, family: Family) -> Vec<&Measured> {
        let mut all: Vec<&Measured> = Vec::new();
        for measured in self.legs(family).flat_map(|(_, leg)| &leg.measured) {
            if !all.contains(&measured) {
                all.push(measured);
            }
        }
        all
    }

    fn rate(&self, leg: &Leg, at: usize) -> Option<f64> {
        self.rates.get(&leg.stage).and_then(|rates| rates.get(&(at + 1)).copied()).or(leg.rate)
    }
}

impl Leg {
    fn new(place: usize, stage: StageId) -> Self {
        Self { stage, steps: 0, measured: vec![], place, columns: BTreeMap::new(), rate: None, again: None }
    }

    fn merge(&mut self, addition: Addition) {
        let from = addition.from.min(self.steps);
        self.columns.values_mut().for_each(|[raw, _]| raw.truncate(from));
        self.steps = from;
        for row in addition.rows {
            for (name, value) in row.values {
                let [raw, _] = self.columns.entry(name).or_default();
                raw.resize(self.steps, f64::NAN);
                raw.push(value);
            }
            self.measured.extend(row.measured.filter(|measured| !self.measured.contains(measured)));
            self.steps += 1;
        }
        let steps = self.steps;
        self.columns.values_mut().for_each(|[raw, _]| raw.resize(steps, f64::NAN));
        self.rate = addition.rate.or(self.rate);
        self.again = self.again.filter(|again| *again < addition.from);
    }
}

/// An exponential mean without start-up bias. What is no number is passed over.
fn smoothed(raw: &[f64], weight: f64) -> Vec<f64> {
    let (mut mean, mut mass) = (0.0, 0.0);
    raw.iter()
        .map(|value| {
            if !value.is_finite() {
                return f64::NAN;
            }
            mean = weight * mean + (1.0 - weight) * value;
            mass = weight * mass + (1.0 - weight);
            mean / mass
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(in crate::workbench) mod tests {
    use super::*;
    use crate::pipeline::events::StageKind;

    pub fn grpo(iteration: u32) -> StageId {
        StageId { iteration, kind: StageKind::Grpo, of: String::new() }
    }

    pub fn addition(iteration: u32, from: usize, rewards: &[f64]) -> Addition {
        let measured = Measured { verifier: "strict".into(), prompt: "abc".into() };
        let row = |reward: &f64| Row { values: vec![("reward".into(), *reward)], measured: Some(measured.clone()) };
        let rows = rewards.iter().map(row).collect();
        Addition { place: iteration as usize, stage: grpo(iteration), from, rows, rate: None }
    }

    fn rewards(book: &Book, range: [u64; 2]) -> Vec<(u64, f64)> {
        book.points(Family::Rl, "reward", range).concat().iter().map(|point| (point.0, point.1)).collect()
    }

    #[test]
    fn stages_stand_side_by_side_in_the_order_of_the_plan() {
        let mut book = Book::default();
        book.merge(vec![addition(2, 0, &[0.6]), addition(1, 0, &[0.1, 0.2])]);
        assert_eq!(rewards(&book, [1, 9]), [(1, 0.1), (2, 0.2), (3, 0.6)]);
        assert_eq!(rewards(&book, [2, 2]), [(2, 0.2)]);
        assert_eq!(book.points(Family::Rl, "reward", [1, 3]).len(), 2, "the line breaks between stages");
        let (leg, step) = book.place(Family::Rl, 3).unwrap();
        assert_eq!((leg.stage.iteration, step), (2, 1));
        assert!(book.place(Family::Rl, 0).is_none() && book.place(Family::Rl, 4).is_none());
        assert_eq!((book.steps(Family::Rl), book.steps(Family::Sft)), (3, 0));
    }

    #[test]
    fn what_is_read_again_replaces_what_was_known() {
        let mut book = Book::default();
        book.merge(vec![addition(1, 0, &[0.1, 0.2, 0.3])]);
        assert_eq!(book.known()["1-grpo"], 2, "the last step is read again");
        book.merge(vec![addition(1, 2, &[0.35, 0.4])]);
        assert_eq!(rewards(&book, [1, 9]), [(1, 0.1), (2, 0.2), (3, 0.35), (4, 0.4)]);
        book.repeated(&grpo(1), 3);
        assert_eq!(book.known()["1-grpo"], 1);
        book.merge(vec![addition(1, 1, &[0.5])]);
        assert_eq!(rewards(&book, [1, 9]), [(1, 0.1), (2, 0.5)]);
        assert_eq!(book.known()["1-grpo"], 1);
        book.merge(vec![addition(1, 7, &[0.9])]);
        assert_eq!(book.steps(Family::Rl), 3, "a gap can't come about");
    }

    #[test]
    fn smoothing_has_no_start_up_bias_passes_over_gaps_and_starts_afresh() {
        let mut book = Book::default();
        book.smooth(0.8);
        book.merge(vec![addition(1, 0, &[0.4, f64::NAN, 0.8]), addition(2, 0, &[0.1])]);
        let second = (0.8 * 0.2 * 0.4 + 0.2 * 0.8) / (0.8 * 0.2 + 0.2);
        let got: Vec<f64> = book.points(Family::Rl, "reward", [1, 9]).concat().iter().map(|point| point.2).collect();
        for (got, want) in got.iter().zip([0.4, second, 0.1]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        assert_eq!(book.at(Family::Rl, "reward", 2), None);
        book.smooth(0.0);
        assert_eq!(book.at(Family::Rl, "reward", 3), Some((0.8, 0.8)));
    }

    #[test]
    fn a_metric_that_comes_late_leaves_a_gap_before_it() {
        let mut book = Book::default();
        let mut late = addition(1, 2, &[0.3]);
        late.rows[0].values.push(("kl".into(), 0.01));
        book.merge(vec![addition(1, 0, &[0.1, 0.2]), late]);
        assert_eq!(book.names(Family::Rl), ["kl", "reward"]);
        assert_eq!((book.at(Family::Rl, "kl", 2), book.at(Family::Rl, "kl", 3)), (None, Some((0.01, 0.01))));
    }

    #[test]
    fn speed_is_what_was_heard_else_the_mean_of_the_stage() {
        let mut book = Book::default();
        let mut done = addition(1, 0, &[0.1, 0.2]);
        done.rate = Some(100.0);
        book.merge(vec![done]);
        book.heard_rate(&grpo(1), 2, 140.0);
        book.heard_rate(&grpo(1), 1, f64::NAN);
        assert_eq!(book.at(Family::Rl, RATE, 1), Some((100.0, 100.0)));
        assert_eq!(book.at(Family::Rl, RATE, 2), Some((140.0, 140.0)));
        assert!(book.names(Family::Rl).contains(&RATE));
    }
}
