//! Curves over training steps, bounded in memory: raw value and smoothed value of every point.
//!
//! Smoothing happens before any thinning, so that a thinned curve still shows what was measured. The smoothed value is
//! an exponential mean without start-up bias; it starts afresh with every stage, because another data set begins there.
//! Steps of successive stages of one family stand side by side on one axis; a stage that repeats a step (it was resumed
//! before its last saved state) replaces what stood there.

use crate::pipeline::events::{StageId, StageKind};

/// Weight of the past in the smoothed value.
pub const SMOOTHING: f64 = 0.8;
/// Points kept per curve; beyond, every second one goes.
const MOST_POINTS: usize = 4096;
/// Values beyond this are drawn at this.
const LARGEST: f64 = 1e30;

/// Which stages share an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// GRPO.
    Rl,
    /// The SFT stages.
    Sft,
    /// Everything else.
    Other,
}

impl Family {
    /// The family of a stage.
    pub fn of(kind: StageKind) -> Self {
        match kind {
            StageKind::Grpo => Family::Rl,
            StageKind::SftMedium | StageKind::SftBridged | StageKind::SftRecycled => Family::Sft,
            _ => Family::Other,
        }
    }
}

/// One measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Step on the family's axis.
    pub x: f64,
    /// As measured.
    pub raw: f64,
    /// Smoothed up to here.
    pub smooth: f64,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Which axis it stands on.
    pub family: Family,
    /// Its name, such as `reward`.
    pub name: String,
    /// Its points, by rising step.
    pub points: Vec<Point>,
    mean: f64,
    weight: f64,
    span: usize,
    /// Where its points of that span begin.
    start: f64,
}

/// Where one stage lies on its family's axis.
#[derive(Clone, Debug)]
pub struct Span {
    /// The stage.
    pub stage: StageId,
    /// Its family.
    pub family: Family,
    /// Its step 0 on the axis.
    pub offset: u64,
    /// Its last step seen.
    pub steps: u64,
}

/// All curves of a run.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    curves: Vec<Curve>,
    spans: Vec<Span>,
}

impl Curves {
    /// Adds a point. False when the value is no number, and nothing was added.
    pub fn add(&mut self, stage: &StageId, step: u64, name: &str, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let family = Family::of(stage.kind);
        let span = self.span(stage, family);
        self.spans[span].steps = self.spans[span].steps.max(step);
        let x = self.spans[span].offset.saturating_add(step) as f64;
        let at = self.curves.iter().position(|c| c.family == family && c.name == name).unwrap_or_else(|| {
            let fresh =
                Curve { family, name: name.to_string(), points: vec![], mean: 0.0, weight: 0.0, span, start: x };
            self.curves.push(fresh);
            self.curves.len() - 1
        });
        self.curves[at].push(span, x, value.clamp(-LARGEST, LARGEST));
        true
    }

    /// The curve of this name, if it has any points.
    pub fn get(&self, family: Family, name: &str) -> Option<&Curve> {
        self.curves.iter().find(|c| c.family == family && c.name == name)
    }

    /// Every curve, in order of first appearance.
    pub fn all(&self) -> &[Curve] {
        &self.curves
    }

    /// The stages on a family's axis, in order.
    pub fn spans(&self, family: Family) -> impl DoubleEndedIterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.family == family)
    }

    /// Puts what was measured in an earlier part of the run before what was measured since.
    pub fn precede(&mut self, past: Curves) {
        let since = std::mem::replace(self, past);
        for curve in &since.curves {
            for point in &curve.points {
                let found = since.spans(curve.family).rfind(|span| (span.offset as f64) < point.x);
                if let Some(span) = found {
                    self.add(&span.stage, point.x as u64 - span.offset, &curve.name, point.raw);
                }
            }
        }
    }

    fn span(&mut self, stage: &StageId, family: Family) -> usize {
        if let Some(at) = self.spans.iter().position(|span| span.stage == *stage) {
            return at;
        }
        let offset = self.spans(family).map(|span| span.offset.saturating_add(span.steps)).max().unwrap_or(0);
        self.spans.push(Span { stage: stage.clone(), family, offset, steps: 0 });
        self.spans.len() - 1
    }
}

impl Curve {
    /// The last point.
    pub fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }

    fn push(&mut self, span: usize, x: f64, raw: f64) {
        if self.points.last().is_some_and(|last| last.x >= x) {
            self.points.retain(|point| point.x < x);
            self.rewind();
        }
        if self.span != span || self.points.is_empty() {
            (self.mean, self.weight, self.span) = (0.0, 0.0, span);
        }
        if self.weight == 0.0 {
            self.start = x;
        }
        self.mean = SMOOTHING * self.mean + (1.0 - SMOOTHING) * raw;
        self.weight = SMOOTHING * self.weight + (1.0 - SMOOTHING);
        self.points.push(Point { x, raw, smooth: self.mean / self.weight });
        self.thin();
    }

    /// The mean as it was at the last point that is left: what was taken back weighs nothing.
    fn rewind(&mut self) {
        let last = self.points.last().filter(|last| last.x >= self.start);
        let steps = last.map_or(0.0, |last| last.x - self.start + 1.0);
        self.weight = 1.0 - SMOOTHING.powf(steps);
        self.mean = last.map_or(0.0, |last| last.smooth * self.weight);
    }

    /// Beyond the most, every second point goes.
    fn thin(&mut self) {
        if self.points.len() > MOST_POINTS {
            let mut at = 0;
            let newest = self.points.len() - 1;
            self.points.retain(|_| {
                at += 1;
                at % 2 == 1 || at - 1 == newest
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn grpo(iteration: u32) -> StageId {
        StageId { iteration, kind: StageKind::Grpo, of: String::new() }
    }

    fn xs(curves: &Curves) -> Vec<f64> {
        curves.get(Family::Rl, "reward").unwrap().points.iter().map(|p| p.x).collect()
    }

    #[test]
    fn iterations_stand_side_by_side() {
        let mut curves = Curves::default();
        for step in 1..=3 {
            curves.add(&grpo(1), step, "reward", 0.5);
        }
        curves.add(&grpo(2), 1, "reward", 0.6);
        curves.add(&grpo(2), 1, "kl", 0.1);
        assert_eq!(xs(&curves), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(curves.get(Family::Rl, "kl").unwrap().points[0].x, 4.0);
        assert_eq!(curves.spans(Family::Rl).map(|s| s.offset).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn smoothing_has_no_start_up_bias_and_starts_afresh_with_a_stage() {
        let mut curves = Curves::default();
        curves.add(&grpo(1), 1, "reward", 0.4);
        curves.add(&grpo(1), 2, "reward", 0.8);
        curves.add(&grpo(2), 1, "reward", 0.1);
        let smooth: Vec<f64> = curves.get(Family::Rl, "reward").unwrap().points.iter().map(|p| p.smooth).collect();
        let second = (0.8 * 0.2 * 0.4 + 0.2 * 0.8) / (0.8 * 0.2 + 0.2);
        for (got, want) in smooth.iter().zip([0.4, second, 0.1]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }

    #[test]
    fn a_repeated_step_replaces_what_stood_there() {
        let mut curves = Curves::default();
        for step in 1..=5 {
            curves.add(&grpo(1), step, "reward", 0.5);
        }
        curves.add(&grpo(1), 3, "reward", 0.9);
        assert_eq!(xs(&curves), [1.0, 2.0, 3.0]);
        assert_eq!(curves.get(Family::Rl, "reward").unwrap().last().unwrap().raw, 0.9);
    }

    #[test]
    fn a_step_that_was_taken_back_weighs_nothing_in_the_smoothed_value() {
        let smooth = |steps: &[(u32, u64, f64)]| {
            let mut curves = Curves::default();
            for (iteration, step, value) in steps {
                assert!(curves.add(&grpo(*iteration), *step, "reward", *value));
            }
            curves.get(Family::Rl, "reward").unwrap().last().unwrap().smooth
        };
        let before = [(1, 1, 0.9), (1, 2, 0.7), (2, 1, 0.2), (2, 2, 0.4)];
        let straight = smooth(&[&before[..], &[(2, 3, 0.6)]].concat());
        let repeated = smooth(&[&before[..], &[(2, 3, 9.0), (2, 4, 8.0), (2, 3, 0.6)]].concat());
        assert!((straight - repeated).abs() < 1e-12, "{straight} {repeated}");
        assert_eq!(smooth(&[&before[..], &[(2, 1, 0.6)]].concat()), 0.6, "a stage that begins anew");
    }

    #[test]
    fn memory_is_bounded_and_the_newest_point_stays() {
        let mut curves = Curves::default();
        for step in 1..=20_000 {
            curves.add(&grpo(1), step, "reward", step as f64);
            assert_eq!(curves.get(Family::Rl, "reward").unwrap().last().unwrap().x, step as f64);
        }
        let kept = curves.get(Family::Rl, "reward").unwrap().points.len();
        assert!((2_000..=4_096).contains(&kept), "{kept}");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let mut curves = Curves::default();
        assert!(!curves.add(&grpo(1), 1, "loss", f64::NAN));
        assert!(curves.add(&grpo(1), u64::MAX, "loss", f64::MAX));
        assert!(curves.add(&grpo(2), u64::MAX, "loss", -1.0));
    }
}
