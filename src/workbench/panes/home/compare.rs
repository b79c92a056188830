//! Sessions side by side, as `footbridge report --beside` draws them: the checkpoints they share, and what one has over
//! the other on the same questions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::evaluate::Change;
use crate::export::{Beside, beside};
use crate::pipeline::begun::recipe_of;
use crate::recipe::Recipe;
use crate::session::{Session, Sessions};
use crate::workbench::jobs::{Cancel, Query};
use crate::workbench::pane::{Cx, Seen};
use crate::workbench::text;
use crate::workbench::widgets::{fault, header, put, waiting};

/// A comparison on the screen.
pub struct Compare {
    /// Who is compared.
    title: String,
    query: Query<Vec<String>>,
    scroll: usize,
}

impl Compare {
    /// Begins to compare a session with others.
    pub fn of(this: String, others: Vec<String>, cx: &Cx<'_>) -> Self {
        let title = format!("{this} beside {}", others.join(", "));
        let sessions = cx.house.sessions.clone();
        let mut query = Query::default();
        query.ask(cx.jobs, cx.now, move |cancel| read(&sessions, &this, &others, cancel));
        Self { title, query, scroll: 0 }
    }

    /// Takes what has come.
    pub fn poll(&mut self, cx: &Cx<'_>) {
        cx.poll(&mut self.query);
    }

    /// Gives up.
    pub fn give_up(&mut self) {
        self.query.cancel();
    }

    /// Scrolls.
    pub fn step(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    /// The table as text.
    pub fn copied(&self) -> Option<String> {
        self.query.value().map(|lines| lines.join("\n") + "\n")
    }

    /// Draws it.
    pub fn draw(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        let look = seen.look;
        let facts = vec![Span::styled("greedy accuracy, %; Esc goes back", look.theme.dim)];
        let body = header(buf, area, look, &text::printable(&self.title), seen.focused, facts);
        match (self.query.value(), self.query.error(), self.query.waiting()) {
            (Some(lines), ..) => {
                let lines = lines.iter().map(|line| text::printable(line));
                let room = usize::from(body.width.saturating_sub(4));
                // A table keeps its columns; what is too wide for it is broken.
                let lines: Vec<String> = lines
                    .flat_map(|line| if text::width(&line) > room { text::wrap(&line, room) } else { vec![line] })
                    .collect();
                self.scroll = self.scroll.min(lines.len().saturating_sub(usize::from(body.height)));
                for (y, line) in (body.top()..body.bottom()).zip(lines.into_iter().skip(self.scroll)) {
                    put(
                        buf,
                        Rect { y, height: 1, ..body },
                        vec![Span::raw("   "), Span::styled(line, look.theme.text)],
                    );
                }
            }
            (None, Some(error), _) => fault(buf, body, look, error),
            (None, None, Some(since)) => waiting(buf, body, look, since, seen.now),
            (None, None, None) => fault(buf, body, look, "given up"),
        }
    }
}

/// Reads a session and others, and compares them.
///
/// # Errors
/// In words, when one can't be read or their figures can't stand beside each other.
fn read(sessions: &Sessions, this: &str, others: &[String], cancel: &Cancel) -> Result<Vec<String>, String> {
    let ours = opened(sessions, this)?;
    let mut theirs = Vec::new();
    for name in others {
        cancel.check()?;
        theirs.push(opened(sessions, name)?);
    }
    let report = beside((&ours.0, &ours.1), &theirs).map_err(|error| error.to_string())?;
    Ok(report.beside.as_ref().map_or_else(Vec::new, lines))
}

fn opened(sessions: &Sessions, name: &str) -> Result<(Session, Recipe), String> {
    let session = sessions.open_read_only(name).map_err(|error| error.to_string())?;
    let recipe = recipe_of(&session)?;
    Ok((session, recipe))
}

/// The table, and the notes below it.
fn lines(side: &Beside) -> Vec<String> {
    let Some((ours, others)) = side.sessions.split_first() else { return Vec::new() };
    let mut lines = Vec::new();
    for other in others {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{} ({}, seed {})", ours.session, ours.arm, ours.seed));
        lines.push(format!("beside {} ({}, seed {})", other.session, other.arm, other.seed));
        lines.push(String::new());
        let wide = ours.rows.iter().map(|row| text::width(&row.row.checkpoint)).max().unwrap_or(0).max(10);
        lines.push(format!("{:<wide$}  {:>6}  {:>6}  difference of means, 95 %", "checkpoint", "this", "other"));
        for row in &ours.rows {
            let id = &row.row.checkpoint;
            let Some(theirs) = other.rows.iter().find(|row| row.row.checkpoint == *id) else { continue };
            let before = format!("{}:{id}", other.session);
            let found = side.differences.iter().find(|found| found.after == *id && found.before == before);
            let difference = found.and_then(|found| found.changes.mean.as_ref()).map_or(String::new(), change);
            let (mine, other) = (100.0 * row.row.mean.value, 100.0 * theirs.row.mean.value);
            lines.push(format!("{id:<wide$}  {mine:>6.1}  {other:>6.1}  {difference}").trim_end().to_string());
        }
    }
    if !side.notes.is_empty() {
        lines.push(String::new());
        lines.extend(side.notes.iter().flat_map(|note| text::wrap(&text::printable(note), 76)));
    }
    lines
}

fn change(change: &Change) -> String {
    let Change { value, low, high, within_noise, .. } = change;
    let noise = if *within_noise { "  within noise" } else { "" };
    format!("{:+.1} [{:+.1}, {:+.1}]{noise}", 100.0 * value, 100.0 * low, 100.0 * high)
}
