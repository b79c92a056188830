//! The table of steps: text, I, J and D as bars against their thresholds, the operation, and who decided.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::draw::{cell, take};
use super::page::{Page, Step};
use super::tune::{Tau, becomes};
use super::{Bridge, Mode, book, words};
use crate::domain::Thresholds;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::put;

/// Columns of the parts of a row.
struct Columns {
    text: usize,
    bar: usize,
    action: usize,
    by: usize,
}

impl Columns {
    fn of(width: usize, tuning: bool) -> Self {
        let bar = match width {
            0..64 => 0,
            64..96 => 3,
            96..130 => 5,
            _ => 8,
        };
        let action = if tuning {
            16
        } else if width >= 56 {
            11
        } else {
            3
        };
        let by = if width >= 72 && !tuning { 10 } else { 0 };
        let scores = 3 * (bar + 7);
        let text = width.saturating_sub(5 + scores + action + by);
        Self { text, bar, action, by }
    }
}

/// Draws the table, the selected step in sight.
pub fn draw(pane: &mut Bridge, page: &Page, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
    let look = seen.look;
    let tuning = pane.mode == Mode::Tune;
    let columns = Columns::of(usize::from(area.width), tuning);
    let thresholds = pane.thresholds();
    let mut at = area;
    if at.height > 2 {
        put(buf, take(&mut at, 1), heads(&columns, thresholds.as_ref(), look));
    }
    let height = usize::from(at.height);
    let from = pane.step.saturating_sub(height / 2).min(page.steps.len().saturating_sub(height));
    (pane.parts.steps, pane.parts.steps_from) = (at, from);
    for (y, (place, step)) in (at.top()..at.bottom()).zip(page.steps.iter().enumerate().skip(from)) {
        let selected = place == pane.step;
        let becomes = tuning.then(|| turned(step, thresholds.as_ref(), &page.ground)).flatten();
        let line = row(step, place, selected, &columns, (thresholds.as_ref(), becomes), look);
        let strip = Rect { y, height: 1, ..at };
        put(buf, strip, line);
        if selected {
            buf.set_style(strip, look.theme.selected);
        }
    }
}

/// What other thresholds would make of a step.
fn turned(step: &Step, thresholds: Option<&Thresholds>, ground: &book::Ground) -> Option<&'static str> {
    let brief = book::Brief { scores: step.scores?, action: step.action, local: step.local, fixed: step.fixed };
    let (to, local) = becomes(&brief, thresholds?, &ground.removed)?;
    ((Some(to), local) != (step.action, step.local)).then(|| to.as_str())
}

fn heads(columns: &Columns, thresholds: Option<&Thresholds>, look: &Look) -> Vec<Span<'static>> {
    let head = |tau: Tau| {
        let told = thresholds.map_or(String::new(), |t| format!(" {}{}", look.glyphs.tau, words::figure(tau.of(t))));
        let full = format!("{}{told}", tau.letter());
        let room = columns.bar + 7;
        let short = tau.letter().to_string();
        cell(if text::width(&full) < room { &full } else { &short }, room, look)
    };
    let scores: String = Tau::ALL.map(head).concat();
    let by = if columns.by > 0 { "by" } else { "" };
    let action = if columns.action > 3 { "operation" } else { "" };
    let line = format!("   # {}{scores}{}{by}", cell("step", columns.text, look), cell(action, columns.action, look));
    vec![Span::styled(line, look.theme.dim)]
}

fn row(
    step: &Step,
    place: usize,
    selected: bool,
    columns: &Columns,
    (thresholds, becomes): (Option<&Thresholds>, Option<&'static str>),
    look: &Look,
) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let words_style = if selected { theme.focus } else { theme.text };
    let pointer = if selected { look.glyphs.selected } else { " " };
    let own = text::fit(&text::printable(&step.text), columns.text.saturating_sub(1), look.glyphs.ellipsis);
    let mut spans = vec![
        Span::styled(pointer.to_string(), theme.focus),
        Span::styled(format!("{:>3} ", place + 1), words_style),
        Span::styled(cell(&own, columns.text, look), words_style),
    ];
    let scores = step.scores.as_ref();
    let values = [
        (Tau::Importance, scores.and_then(|s| s.importance)),
        (Tau::Jumpiness, scores.and_then(|s| s.jumpiness)),
        (Tau::Difficulty, scores.map(|s| s.difficulty)),
    ];
    for (tau, value) in values {
        spans.extend(score(tau, value, thresholds.map(|t| tau.of(t)), (scores.is_some(), columns.bar), look));
    }
    spans.extend(operation(step, becomes, columns.action, look));
    if columns.by > 0 {
        let style = if step.fixed { theme.key } else { theme.dim };
        spans.push(Span::styled(cell(&words::by(step), columns.by, look), style));
    }
    spans
}

/// A score: its bar with the threshold marked in it, its value, and `>` where it is above.
fn score(
    tau: Tau,
    value: Option<f64>,
    at: Option<f64>,
    (scored, bar): (bool, usize),
    look: &Look,
) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let Some(value) = value else {
        let words = if scored { "open" } else { "" };
        return vec![Span::styled(cell(words, bar + 7, look), theme.warn)];
    };
    let above = at.is_some_and(|at| value > at);
    let most = match tau {
        Tau::Importance | Tau::Jumpiness => 1.0,
        Tau::Difficulty => at.filter(|at| *at > 0.0).map_or(2.0, |at| 2.0 * at),
    };
    let mut spans = cells(value / most, at.map(|at| at / most), bar, above, look);
    let style = if above { theme.warn } else { theme.text };
    spans.push(Span::styled(format!("{:>5}", words::figure(value)), style));
    spans.push(Span::styled(if above { "> " } else { "  " }, style));
    spans
}

/// A bar of `columns` cells; where it does not reach the threshold, that is marked.
fn cells(share: f64, tau: Option<f64>, columns: usize, above: bool, look: &Look) -> Vec<Span<'static>> {
    let (theme, glyphs) = (&look.theme, &look.glyphs);
    let steps = glyphs.bar.len() - 1;
    let filled = (share.clamp(0.0, 1.0) * (columns * steps) as f64).round() as usize;
    let mark = tau.map(|tau| ((tau.clamp(0.0, 1.0) * columns as f64) as usize).min(columns.saturating_sub(1)));
    let style = if above { theme.warn } else { theme.bar };
    let cell = |at: usize| match filled.saturating_sub(at * steps).min(steps) {
        0 if mark == Some(at) => Span::styled(glyphs.mark, theme.mark),
        0 => Span::styled(glyphs.track, theme.track),
        part => Span::styled(glyphs.bar[part], style),
    };
    (0..columns).map(cell).collect()
}

/// The operation: its letter and word, `*` where it is a local sample, and what it would be.
fn operation(step: &Step, becomes: Option<&'static str>, columns: usize, look: &Look) -> Vec<Span<'static>> {
    let Some(action) = step.action else { return vec![Span::raw(" ".repeat(columns))] };
    let style = look.theme.action(action);
    let sample = if step.local { "*" } else { " " };
    let words = match (becomes, columns) {
        (Some(to), _) => format!("{}{sample}{} {to}", words::letter(action), look.glyphs.arrow),
        (None, 0..8) => format!("{}{sample}", words::letter(action)),
        (None, _) => format!("{}{sample}{}", words::letter(action), action.as_str()),
    };
    let style = if becomes.is_some() { look.theme.warn } else { style };
    vec![Span::styled(cell(&words, columns, look), style)]
}
