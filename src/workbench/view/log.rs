//! The log: time, level, text; long lines are broken, never cut.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{header, joined, put};
use crate::pipeline::events::Level;
use crate::workbench::log::Entry;
use crate::workbench::look::Look;
use crate::workbench::state::{Pane, State};
use crate::workbench::text;

/// Draws the entries from the bottom up.
pub fn draw(buf: &mut Buffer, area: Rect, state: &State, look: &Look) {
    let below = state.log.below();
    let place = if below == 0 { String::new() } else { format!("{} newer below", text::count(below as u64)) };
    let facts = joined(&[place], look, look.theme.dim);
    let body = header(buf, area, look, "log", state.pane == Pane::Log, facts);
    let mut bottom = body.bottom();
    for entry in state.log.upwards() {
        let lines = lines(entry, look, usize::from(body.width));
        for line in lines.into_iter().rev() {
            if bottom == body.top() {
                return;
            }
            bottom -= 1;
            put(buf, Rect { y: bottom, height: 1, ..body }, line);
        }
    }
}

fn lines(entry: &Entry, look: &Look, columns: usize) -> Vec<Vec<Span<'static>>> {
    let (mark, style) = match entry.level {
        Level::Info => (look.glyphs.dot, look.theme.text),
        Level::Warn => (look.glyphs.warn, look.theme.warn),
        Level::Error => (look.glyphs.failed, look.theme.bad),
    };
    let time = format!(" {:>6} ", text::clock(entry.at));
    let indent = time.len() + 2;
    let wrapped = text::wrap(&entry.text, columns.saturating_sub(indent + 1));
    let mut lines = Vec::with_capacity(wrapped.len());
    for (at, part) in wrapped.into_iter().enumerate() {
        let before = if at == 0 {
            vec![Span::styled(time.clone(), look.theme.dim), Span::styled(format!("{mark} "), style)]
        } else {
            vec![Span::raw(" ".repeat(indent))]
        };
        lines.push([before, vec![Span::styled(part, style)]].concat());
    }
    lines
}
