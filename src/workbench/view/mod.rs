//! Drawing: a pure function from what the screen knows to cells. Every pane is a file, draws into any area, and does
//! nothing where there is no room.

mod frame;
mod layers;
mod log;
mod plot;
mod rewards;
mod stages;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::state::{Layer, Phase, State};
use super::text;
use crate::pipeline::events::Outcome;

pub use layers::help_lines;

/// Fewest columns on which the panes are drawn.
pub const LEAST_COLUMNS: u16 = 40;
/// Fewest rows on which the panes are drawn.
pub const LEAST_ROWS: u16 = 10;
/// From here on the stages stand beside the curves instead of above.
const WIDE: u16 = 100;

/// Draws the whole screen.
pub fn draw(buf: &mut Buffer, state: &State, look: &Look) {
    let area = buf.area;
    buf.set_style(area, look.theme.text);
    if area.width < LEAST_COLUMNS || area.height < LEAST_ROWS {
        return too_small(buf, area, state, look);
    }
    let row = |y| Rect { y, height: 1, ..area };
    frame::title(buf, row(area.y), state, look);
    let body = Rect { y: area.y + 1, height: area.height - 3, ..area };
    if area.width >= WIDE {
        side_by_side(buf, body, state, look)
    } else {
        stacked(buf, body, state, look)
    }
    frame::status(buf, row(area.bottom() - 2), state, look);
    frame::hints(buf, row(area.bottom() - 1), state, look);
    layers::draw(buf, area, state, look);
}

/// Stages on the left; curves above the log on the right.
fn side_by_side(buf: &mut Buffer, body: Rect, state: &State, look: &Look) {
    let left = Rect { width: (body.width * 11 / 25).clamp(44, 64), ..body };
    let right = Rect { x: left.right() + 1, width: body.width - left.width - 1, ..body };
    let upper = Rect { height: (body.height * 3 / 5).max(8).min(body.height), ..right };
    let lower = Rect { y: upper.bottom(), height: right.height - upper.height, ..right };
    stages::draw(buf, left, state, look);
    rewards::draw(buf, upper, state, look);
    log::draw(buf, lower, state, look);
}

/// Stages, curves, log, one below the other; curves only where there is room for them.
fn stacked(buf: &mut Buffer, body: Rect, state: &State, look: &Look) {
    let listed = state.stages.len().max(1) as u16 + 1;
    let share = if body.height >= 14 { body.height / 3 } else { body.height / 2 };
    let top = Rect { height: listed.min(share.max(3)), ..body };
    let curves = if body.height >= 14 { (body.height * 2 / 5).max(7) } else { 0 };
    let middle = Rect { y: top.bottom(), height: curves.min(body.height - top.height), ..body };
    let lower = Rect { y: middle.bottom(), height: body.bottom() - middle.bottom(), ..body };
    stages::draw(buf, top, state, look);
    rewards::draw(buf, middle, state, look);
    log::draw(buf, lower, state, look);
}

/// What a terminal shows that is too small for the panes, down to one cell.
fn too_small(buf: &mut Buffer, area: Rect, state: &State, look: &Look) {
    let place = match state.current().map(|at| &state.stages[at]) {
        Some(row) if row.total > 0 => format!("{} {}/{}", row.name(), row.done, row.total),
        Some(row) => row.name(),
        None => String::new(),
    };
    let lines = [
        format!("too small: needs {LEAST_COLUMNS}x{LEAST_ROWS}"),
        format!("{} {}", phase_word(state), place).trim().to_string(),
        if state.phase.over() { "enlarge, or q to leave" } else { "it runs on; enlarge, or q" }.to_string(),
    ];
    let asked = ["stop the run? y, n".to_string()];
    let lines = match state.layer() {
        Some(Layer::AskStop) => &asked[..],
        _ => &lines[..],
    };
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        let cut = text::fit(line, area.width.into(), look.glyphs.ellipsis);
        buf.set_string(area.x, y, cut, look.theme.warn);
    }
}

/// One word for where the run stands.
fn phase_word(state: &State) -> &'static str {
    match &state.phase {
        Phase::Starting => "starting",
        Phase::Running if state.gate.is_some() => "waiting",
        Phase::Running => "running",
        Phase::Pausing => "pausing",
        Phase::Paused => "paused",
        Phase::Stopping => "stopping",
        Phase::Ended(Outcome::Done) => "done",
        Phase::Ended(Outcome::Cancelled) => "stopped",
        Phase::Ended(Outcome::Failed { .. }) => "failed",
    }
}

/// Writes spans into one row, cut at its end.
fn put(buf: &mut Buffer, row: Rect, spans: Vec<Span<'_>>) {
    if row.height > 0 && row.width > 0 {
        buf.set_line(row.x, row.y, &Line::from(spans), row.width);
    }
}

/// Writes spans right-aligned into a row, when they fit beside `taken` columns.
fn put_right(buf: &mut Buffer, row: Rect, taken: usize, spans: Vec<Span<'_>>) {
    let line = Line::from(spans);
    let width = line.width();
    if row.height > 0 && taken + width < usize::from(row.width) {
        buf.set_line(row.right() - width as u16, row.y, &line, width as u16);
    }
}

/// The header of a pane: ` ─ name ─ facts ────`. Returns the area below it.
fn header(buf: &mut Buffer, area: Rect, look: &Look, name: &str, focused: bool, facts: Vec<Span<'_>>) -> Rect {
    if area.height == 0 {
        return area;
    }
    let rule = |count: usize| Span::styled(look.glyphs.rule.repeat(count), look.theme.mark);
    let name_style = if focused { look.theme.focus.patch(look.theme.key) } else { look.theme.focus };
    let mut spans = vec![Span::raw(" "), rule(1), Span::raw(" "), Span::styled(name.to_string(), name_style)];
    if !facts.is_empty() {
        spans.extend([Span::raw(" "), rule(1), Span::raw(" ")]);
        spans.extend(facts);
    }
    spans.push(Span::raw(" "));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(rule(usize::from(area.width).saturating_sub(used + 1)));
    put(buf, area, spans);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// A progress bar of `columns` cells.
fn bar(share: f64, columns: usize, look: &Look) -> Vec<Span<'static>> {
    let steps = look.glyphs.bar.len() - 1;
    let filled = (share.clamp(0.0, 1.0) * (columns * steps) as f64) as usize;
    let (whole, part) = (filled / steps, filled % steps);
    let mut done = look.glyphs.bar[steps].repeat(whole);
    if part > 0 {
        done.push_str(look.glyphs.bar[part]);
    }
    let left = columns - whole - usize::from(part > 0);
    vec![Span::styled(done, look.theme.bar), Span::styled(look.glyphs.track.repeat(left), look.theme.track)]
}

/// Facts joined by a dot, in one style.
fn joined(facts: &[String], look: &Look, style: Style) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", look.glyphs.dot), look.theme.dim));
        }
        spans.push(Span::styled(fact.clone(), style));
    }
    spans
}
