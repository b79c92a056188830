//! Curves of training: the reward as measured, lightly, the smoothed curve over it, marks where an iteration begins,
//! below it the reward above the same prompts' rate before RL (the step reward alone is noisy), and beside them small
//! readouts of everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::workbench::curves::{Curve, Family, SMOOTHING};
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::stages::kind_name;
use crate::workbench::state::State;
use crate::workbench::text;
use crate::workbench::widgets::plot::{Form, Plot, Window};
use crate::workbench::widgets::{header, joined, put, put_right};

/// Reward minus the same prompts' rate before RL.
const ABOVE: &str = "reward-above-before";
/// Columns of the labels left of a chart.
const LABELS: u16 = 7;
/// Columns of the readouts.
const READOUTS: u16 = 30;
/// The readouts that say most, first.
const TELLING: [&str; 11] =
    [ABOVE, "kl", "length", "all-zero", "mixed", "all-one", "clip-fraction", "entropy", "grad-norm", "loss", "lr"];

/// Draws the chart and, where there is room, the readouts.
pub fn draw(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, chosen: Option<&(Family, String)>) {
    let (state, look) = (seen.run, seen.look);
    let chosen = chosen.map(|(family, name)| (*family, name.as_str()));
    let Some(curve) =
        chosen.or_else(|| state.telling_curve()).and_then(|(family, name)| state.curves.get(family, name))
    else {
        let body = header(buf, area, look, "reward", false, vec![]);
        let words = "   nothing measured yet: the first curve comes with training";
        return put(buf, body, vec![Span::styled(words, look.theme.dim)]);
    };
    let body = header(buf, area, look, &curve.name, false, legend(curve, look));
    if body.height < 2 {
        return;
    }
    let beside = if body.width >= 2 * READOUTS { READOUTS } else { 0 };
    let left = Rect { width: body.width - beside, ..body };
    let above = state.curves.get(Family::Rl, ABOVE).filter(|_| curve.name == "reward" && left.height >= 11);
    let lower = above.map_or(0, |_| (left.height / 3).max(4));
    chart(buf, Rect { height: left.height - lower, ..left }, state, look, curve, look.theme.smooth);
    if let Some(above) = above {
        let area = Rect { y: left.bottom() - lower, height: lower, ..left };
        put(buf, area, vec![Span::styled(format!("{:>8}reward above before RL", ""), look.theme.above)]);
        chart(buf, Rect { y: area.y + 1, height: lower - 1, ..area }, state, look, above, look.theme.above);
    }
    let right = Rect { x: left.right() + 1, width: beside.saturating_sub(2), ..body };
    readouts(buf, right, state, look, curve);
}

fn legend(curve: &Curve, look: &Look) -> Vec<Span<'static>> {
    let Some(last) = curve.last() else { return vec![] };
    vec![
        Span::styled(format!("{} ", look.glyphs.raw), look.theme.raw),
        Span::styled(format!("raw {}  ", text::figure(last.raw)), look.theme.dim),
        Span::styled(format!("{} ", look.glyphs.smooth), look.theme.smooth),
        Span::styled(format!("smoothed {} (ema {SMOOTHING})", text::figure(last.smooth)), look.theme.text),
    ]
}

/// One chart with its labels: values left, iterations below.
fn chart(buf: &mut Buffer, area: Rect, state: &State, look: &Look, curve: &Curve, style: Style) {
    if area.width < LABELS + 4 || area.height < 2 {
        return;
    }
    let inner = Rect { x: area.x + LABELS, width: area.width - LABELS - 1, height: area.height - 1, ..area };
    let window = window(state, curve);
    let plot = Plot::new(inner, window, look.glyphs.braille);
    marks(buf, inner, &plot, state, look, curve.family);
    if let Some(y) = plot.row(0.0).filter(|_| curve.name == ABOVE) {
        for x in inner.left()..inner.right() {
            buf.set_string(x, y, look.glyphs.rule, look.theme.mark);
        }
    }
    let raw: Vec<_> = curve.points.iter().map(|point| (point.x, point.raw)).collect();
    plot.curve(buf, &raw, Form::Dots, '.', look.theme.raw);
    let smooth: Vec<_> = curve.points.iter().map(|point| (point.x, point.smooth)).collect();
    for (from, to) in pieces(state, curve) {
        plot.curve(buf, &smooth[from..to], Form::Line, '*', style);
    }
    let label = |value: f64| format!("{:>6}", text::figure(value));
    let mut labels = vec![(inner.top(), window.y[1]), (inner.bottom() - 1, window.y[0])];
    if curve.name == ABOVE {
        labels.extend(plot.row(0.0).map(|y| (y, 0.0)));
    } else if inner.height >= 5 {
        labels.push((inner.top() + (inner.height - 1) / 2, (window.y[0] + window.y[1]) / 2.0));
    }
    for (y, value) in labels {
        buf.set_string(area.x, y, label(value), look.theme.dim);
    }
}

/// Where the smoothed curve starts afresh: index ranges, one per stage.
fn pieces(state: &State, curve: &Curve) -> Vec<(usize, usize)> {
    let mut cuts: Vec<usize> = vec![0];
    for span in state.curves.spans(curve.family) {
        cuts.push(curve.points.partition_point(|point| point.x <= span.offset as f64));
    }
    cuts.push(curve.points.len());
    cuts.sort_unstable();
    cuts.windows(2).filter(|cut| cut[0] < cut[1]).map(|cut| (cut[0], cut[1])).collect()
}

/// The window over a family's whole axis and the values of this curve, with a little air.
fn window(state: &State, curve: &Curve) -> Window {
    let end = state.curves.spans(curve.family).map(|span| span.offset.saturating_add(span.steps)).max();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for point in &curve.points {
        (low, high) = (low.min(point.raw).min(point.smooth), high.max(point.raw).max(point.smooth));
    }
    if curve.name == ABOVE {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    let air = (high - low) * 0.05;
    Window::new([1.0, end.unwrap_or(1) as f64], [low - air, high + air])
}

/// Vertical marks where a stage begins, and its name in the row below the chart.
fn marks(buf: &mut Buffer, inner: Rect, plot: &Plot, state: &State, look: &Look, family: Family) {
    let mut free = inner.x;
    let mut last = 0;
    for span in state.curves.spans(family) {
        last = span.offset.saturating_add(span.steps);
        let Some(x) = plot.column(span.offset.saturating_add(1) as f64) else { continue };
        if span.offset > 0 {
            (inner.top()..inner.bottom()).for_each(|y| buf.set_string(x, y, look.glyphs.mark, look.theme.mark));
        }
        let name = match family {
            Family::Rl => format!("iteration {}", span.stage.iteration),
            _ => format!("{} {}", span.stage.iteration, kind_name(span.stage.kind)),
        };
        let room = inner.right().saturating_sub(x);
        if x >= free && usize::from(room) > name.len() {
            buf.set_string(x, inner.bottom(), &name, look.theme.dim);
            free = x + name.len() as u16 + 1;
        }
    }
    let end = format!("step {last}");
    let at = inner.right().saturating_sub(end.len() as u16);
    if at >= free {
        buf.set_string(at, inner.bottom(), end, look.theme.dim);
    }
}

/// A line for each other curve of the family: name, last value, a little curve.
fn readouts(buf: &mut Buffer, area: Rect, state: &State, look: &Look, main: &Curve) {
    let rank = |curve: &Curve| TELLING.iter().position(|name| *name == curve.name).unwrap_or(TELLING.len());
    let mut others: Vec<&Curve> =
        state.curves.all().iter().filter(|curve| curve.family == main.family && curve.name != main.name).collect();
    others.sort_by_key(|curve| rank(curve));
    for (y, curve) in (area.top()..area.bottom()).zip(others) {
        let row = Rect { y, height: 1, ..area };
        let Some(last) = curve.last() else { continue };
        let short = if curve.name == ABOVE { "above before" } else { &curve.name };
        let name = text::fit(short, 13, look.glyphs.ellipsis);
        let spans = joined(&[format!("{name:<13}")], look, look.theme.dim);
        put(buf, row, [spans, vec![Span::raw(format!(" {:>6} ", text::figure(last.smooth)))]].concat());
        put_right(buf, row, 20, vec![Span::styled(spark(curve, look, 7), look.theme.text)]);
    }
}

/// The smoothed curve in `columns` characters.
fn spark(curve: &Curve, look: &Look, columns: usize) -> String {
    let points = &curve.points;
    let (low, high) = points
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), point| (low.min(point.smooth), high.max(point.smooth)));
    let levels = look.glyphs.spark;
    let columns = columns.min(points.len());
    (0..columns)
        .map(|column| {
            let at = ((column + 1) * points.len() / columns).saturating_sub(1);
            let share = if high > low { (points[at].smooth - low) / (high - low) } else { 0.0 };
            levels[((share * (levels.len() - 1) as f64).round() as usize).min(levels.len() - 1)]
        })
        .collect()
}
