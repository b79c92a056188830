//! One stage in full: how far it is, what it took, what came out, what its teacher took, what it saved.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::vitals::{Kept, spent};
use crate::session::show_size;
use crate::workbench::pane::Seen;
use crate::workbench::stages::{StageRow, StageState};
use crate::workbench::text;
use crate::workbench::widgets::{header, written};

/// What is told of a stage.
fn told(row: &StageRow, seen: &Seen<'_>, kept: Option<&Kept>) -> Vec<(String, Style)> {
    let theme = &seen.look.theme;
    let (standing, style) = match row.state {
        StageState::Waiting => ("its turn has not come".to_string(), theme.dim),
        StageState::Running(since) => {
            (format!("at work for {}", text::clock(seen.run.at_work().saturating_sub(since))), theme.running)
        }
        StageState::Done(took) => (format!("complete, {} of work", text::clock(took)), theme.good),
        StageState::Stopped => ("stopped; it goes on there when resumed".to_string(), theme.warn),
        StageState::Failed => ("failed; the log says why".to_string(), theme.bad),
    };
    let mut lines = vec![(standing, style)];
    lines.extend(super::stages::waits(row, seen.run).map(|words| (words, theme.warn)));
    if row.total > 0 {
        let left = seen.run.stage_eta(row).map_or(String::new(), |left| format!(", {} left", text::clock(left)));
        let items = format!("{} of {} {}", text::count(row.done), text::count(row.total), row.unit);
        lines.push((format!("{}{left}", items.trim_end()), theme.text));
    }
    if row.tokens > 0 {
        let words = format!("{} tokens, {} a second", text::count(row.tokens), text::short(row.rate));
        lines.push((words, theme.text));
    }
    if !row.summary.is_empty() {
        lines.push((row.summary.clone(), theme.text));
    }
    let key = row.id.key();
    if let Some(usage) = kept.and_then(|kept| kept.spent.get(&key)) {
        lines.push((format!("teacher: {}", spent(usage)), theme.text));
    }
    if let Some(bytes) = kept.and_then(|kept| kept.checkpoints.get(&key)) {
        lines.push((format!("checkpoint {key} is saved, {}", show_size(*bytes)), theme.text));
    }
    lines
}

/// Draws it, broken into lines.
pub fn draw(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, row: &StageRow, kept: Option<&Kept>) {
    let iteration = match row.id.iteration {
        0 => String::new(),
        n => format!("iteration {n}"),
    };
    let facts = vec![Span::styled(iteration, seen.look.theme.dim)];
    let facts = if row.id.iteration > 0 { facts } else { Vec::new() };
    let body = header(buf, area, seen.look, &row.name(), false, facts);
    let room = usize::from(body.width.saturating_sub(4));
    let lines = told(row, seen, kept).into_iter().flat_map(|(words, style)| {
        text::wrap(&text::printable(&words), room).into_iter().map(move |line| (line, style))
    });
    written(buf, body, lines);
}
