//! The large chart: values as measured, lightly; smoothed over them; other sessions beside; where iterations begin; the
//! cursor. On a logarithmic axis values that are not positive are left out, and said to be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::beside::{Beside, Standing};
use super::chart::{ABOVE, GROUPS};
use super::{groups, shown::Shown};
use crate::workbench::curves::Family;
use crate::workbench::stages::kind_name;
use crate::workbench::text;
use crate::workbench::widgets::plot::{Form, Plot, Window};
use crate::workbench::widgets::words;

/// Columns of the labels left of a chart.
const LABELS: u16 = 7;

/// Pieces of a curve: step, measured, smoothed.
type Pieces = Vec<Vec<(u64, f64, f64)>>;

/// Where values stand on the axis.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Whether by their logarithm.
    pub log: bool,
}

impl Scale {
    /// The place of a value; `None` for what has none.
    pub fn place(self, value: f64) -> Option<f64> {
        match self.log {
            _ if !value.is_finite() => None,
            true => (value > 0.0).then(|| value.log10()),
            false => Some(value),
        }
    }

    /// The value at a place.
    pub fn value(self, place: f64) -> f64 {
        if self.log { 10f64.powf(place) } else { place }
    }

    /// Runs of points that have a place; a curve breaks where one has none.
    pub fn runs(self, points: impl Iterator<Item = (u64, f64)>) -> Vec<Vec<(f64, f64)>> {
        let mut runs = vec![vec![]];
        for (x, value) in points {
            match (self.place(value), runs.last_mut()) {
                (Some(y), Some(run)) => run.push((x as f64, y)),
                _ => runs.push(vec![]),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }
}

/// How many measured values in sight have no place on a logarithmic axis.
pub fn left_out(shown: &Shown<'_>) -> usize {
    if !shown.view.log || shown.large == GROUPS {
        return 0;
    }
    let pieces = shown.book.points(shown.family, shown.large, shown.range);
    pieces.iter().flatten().filter(|point| point.1 <= 0.0).count()
}

/// Draws the chart; gives the area in which its steps lie.
pub fn draw(buf: &mut Buffer, area: Rect, shown: &Shown<'_>) -> Rect {
    if area.width < LABELS + 4 || area.height < 2 {
        return Rect::ZERO;
    }
    let inner = Rect { x: area.x + LABELS, width: area.width - LABELS - 1, height: area.height - 1, ..area };
    let scale = Scale { log: shown.view.log && shown.large != GROUPS };
    if shown.large == GROUPS {
        let plot = Plot::new(inner, window(shown, [0.0, 1.0]), shown.look.glyphs.braille);
        groups::stack(buf, inner, shown);
        marks(buf, inner, &plot, shown);
        cursor(buf, inner, &plot, shown);
        labels(buf, inner, [0.0, 1.0], scale, shown);
        return inner;
    }
    let pieces = shown.book.points(shown.family, shown.large, shown.range);
    let others: Vec<(&Beside, Pieces)> = shown.beside.iter().filter_map(|beside| other(beside, shown)).collect();
    let Some(y) = extent(&pieces, &others, scale, shown.large == ABOVE) else {
        let why = if shown.view.log { "no positive value here: L takes the logarithm off" } else { "no values here" };
        words(buf, inner, why, shown.look.theme.dim);
        return inner;
    };
    let plot = Plot::new(inner, window(shown, y), shown.look.glyphs.braille);
    marks(buf, inner, &plot, shown);
    if let Some(row) = plot.row(0.0).filter(|_| shown.large == ABOVE && !scale.log) {
        (inner.left()..inner.right())
            .for_each(|x| buf.set_string(x, row, shown.look.glyphs.rule, shown.look.theme.mark));
    }
    cursor(buf, inner, &plot, shown);
    curve(buf, &plot, inner, &pieces, scale, shown);
    for (beside, pieces) in &others {
        overlay(buf, &plot, inner, beside, pieces, scale, shown);
    }
    labels(buf, inner, y, scale, shown);
    inner
}

fn window(shown: &Shown<'_>, y: [f64; 2]) -> Window {
    Window::new([shown.range[0] as f64, shown.range[1] as f64], y)
}

fn other<'a>(beside: &'a Beside, shown: &Shown<'_>) -> Option<(&'a Beside, Pieces)> {
    let standing = beside.standing(shown.book, shown.family, shown.large, 0);
    let pieces = || beside.book.points(shown.family, shown.large, shown.range);
    matches!(standing, Standing::Shown(_)).then(|| (beside, pieces()))
}

/// From the least to the greatest place, with a little air; `None` where nothing has a place.
fn extent(own: &Pieces, others: &[(&Beside, Pieces)], scale: Scale, with_zero: bool) -> Option<[f64; 2]> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let own = own.iter().flatten().flat_map(|point| [point.1, point.2]);
    let others = others.iter().flat_map(|(_, pieces)| pieces.iter().flatten().map(|point| point.2));
    for place in own.chain(others).chain(with_zero.then_some(0.0)).filter_map(|value| scale.place(value)) {
        (low, high) = (low.min(place), high.max(place));
    }
    let air = (high - low) * 0.05;
    (low <= high).then_some([low - air, high + air])
}

/// As measured, then smoothed over it. Where columns hold many steps, what was measured is drawn from the least to the
/// greatest of each.
fn curve(buf: &mut Buffer, plot: &Plot, inner: Rect, pieces: &Pieces, scale: Scale, shown: &Shown<'_>) {
    let theme = &shown.look.theme;
    let crowded = shown.range[1] - shown.range[0] > 2 * u64::from(inner.width);
    let form = if crowded { Form::Line } else { Form::Dots };
    for piece in pieces {
        for run in scale.runs(piece.iter().map(|point| (point.0, point.1))) {
            plot.curve(buf, &run, form, '.', theme.raw);
        }
    }
    for piece in pieces {
        for run in scale.runs(piece.iter().map(|point| (point.0, point.2))) {
            plot.curve(buf, &run, Form::Line, '*', theme.smooth);
        }
    }
}

/// Another session, smoothed: its letter at its end, or the mark of the baseline all along.
fn overlay(
    buf: &mut Buffer,
    plot: &Plot,
    inner: Rect,
    beside: &Beside,
    pieces: &Pieces,
    scale: Scale,
    shown: &Shown<'_>,
) {
    let style = beside.style(shown.look);
    for run in pieces.iter().flat_map(|piece| scale.runs(piece.iter().map(|point| (point.0, point.2)))) {
        if beside.baseline {
            baseline(buf, plot, inner, &run, style, shown);
            continue;
        }
        plot.curve(buf, &run, Form::Line, beside.letter, style);
        if let Some((x, y)) = run.last().and_then(|(x, y)| plot.column(*x).zip(plot.row(*y))) {
            buf.set_string(x, y, beside.letter.to_string(), style);
        }
    }
}

/// A mark in every second column.
fn baseline(buf: &mut Buffer, plot: &Plot, inner: Rect, run: &[(f64, f64)], style: Style, shown: &Shown<'_>) {
    for column in (0..inner.width).step_by(2) {
        let x = shown.step_at(column, inner.width) as f64;
        let at = run.partition_point(|point| point.0 < x);
        let Some(point) = run.get(at).filter(|point| point.0 - x < 1.0 || at > 0) else { continue };
        if let Some(y) = plot.row(point.1) {
            buf.set_string(inner.x + column, y, shown.look.glyphs.baseline, style);
        }
    }
}

fn cursor(buf: &mut Buffer, inner: Rect, plot: &Plot, shown: &Shown<'_>) {
    let Some(x) = shown.cursor.and_then(|step| plot.column(step as f64)) else { return };
    for y in inner.top()..inner.bottom() {
        buf.set_string(x, y, shown.look.glyphs.cursor, shown.look.theme.key);
    }
}

fn labels(buf: &mut Buffer, inner: Rect, [low, high]: [f64; 2], scale: Scale, shown: &Shown<'_>) {
    let mut labels = vec![(inner.top(), high), (inner.bottom() - 1, low)];
    if inner.height >= 5 {
        labels.push((inner.top() + (inner.height - 1) / 2, (low + high) / 2.0));
    }
    for (y, place) in labels {
        let label = format!("{:>6}", text::figure(scale.value(place)));
        buf.set_string(inner.x - LABELS, y, label, shown.look.theme.dim);
    }
}

/// Vertical marks where a stage begins, its name below, and the steps in sight at the end of that row.
fn marks(buf: &mut Buffer, inner: Rect, plot: &Plot, shown: &Shown<'_>) {
    let (look, [low, high]) = (shown.look, shown.range);
    let end = if shown.total == 0 { String::new() } else { format!("steps {low} to {high}") };
    let end_at = inner.right().saturating_sub(end.len() as u16);
    let mut free = inner.x;
    let mut before = None;
    for (offset, leg) in shown.book.legs(shown.family) {
        let first = offset + 1;
        let changed = before.replace(&leg.measured).is_some_and(|before| before != &leg.measured);
        let Some(x) = plot.column(first.max(low) as f64).filter(|_| first <= high && offset + leg.steps as u64 >= low)
        else {
            continue;
        };
        if first > low && offset > 0 {
            (inner.top()..inner.bottom()).for_each(|y| buf.set_string(x, y, look.glyphs.mark, look.theme.mark));
        }
        let name = match shown.family {
            Family::Sft => format!("{} {}", leg.stage.iteration, kind_name(leg.stage.kind)),
            _ => format!("iteration {}", leg.stage.iteration),
        };
        let name = if changed { format!("{name}, judged otherwise") } else { name };
        if x >= free && usize::from(end_at.saturating_sub(x)) > name.len() {
            buf.set_string(x, inner.bottom(), &name, look.theme.dim);
            free = x + name.len() as u16 + 1;
        }
    }
    // Close to the name of an iteration it would read as that iteration's.
    for end in [end, format!("steps {low}-{high}")] {
        let end_at = inner.right().saturating_sub(end.len() as u16);
        if end_at >= free + 2 && shown.total > 0 {
            return buf.set_string(end_at, inner.bottom(), end, look.theme.dim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_leaves_out_what_has_no_logarithm() {
        let log = Scale { log: true };
        assert_eq!(log.place(0.01), Some(-2.0));
        assert!([0.0, -1.0, f64::NAN, f64::INFINITY].iter().all(|value| log.place(*value).is_none()));
        assert_eq!(log.value(-2.0), 0.01);
        let points = [(1, 10.0), (2, 0.0), (3, 100.0), (4, 1000.0)];
        assert_eq!(log.runs(points.into_iter()), [vec![(1.0, 1.0)], vec![(3.0, 2.0), (4.0, 3.0)]]);
        assert!(log.runs([(1, -1.0)].into_iter()).is_empty());
    }

    #[test]
    fn a_plain_axis_leaves_out_what_is_no_number() {
        let plain = Scale { log: false };
        assert_eq!((plain.place(-1.0), plain.place(f64::NAN)), (Some(-1.0), None));
        assert_eq!(extent(&vec![vec![(1, f64::NAN, f64::NAN)]], &[], plain, false), None);
        assert_eq!(extent(&vec![vec![(1, 1.0, 1.0)]], &[], plain, true), Some([-0.05, 1.05]));
    }
}
