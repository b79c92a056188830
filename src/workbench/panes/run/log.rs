//! The log: time, level, text; long lines are broken, never cut. It can be narrowed to a level and to a text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::pipeline::events::Level;
use crate::workbench::ascii;
use crate::workbench::log::{Entry, Log};
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{header, joined, put};

/// What of the log is shown.
#[derive(Clone, Debug)]
pub struct View {
    /// Only lines as loud as this.
    pub level: Level,
    /// Only lines that hold this text; capitals don't matter.
    pub filter: String,
    /// Number of the entry at the bottom, counted from the first ever; `None` follows the newest.
    held: Option<usize>,
}

impl Default for View {
    fn default() -> Self {
        Self { level: Level::Info, filter: String::new(), held: None }
    }
}

impl View {
    fn fits(&self, entry: &Entry) -> bool {
        entry.level >= self.level && (self.filter.is_empty() || contains(&entry.text, &self.filter))
    }

    /// The entries that fit, newest first, down to the bottom of the pane.
    fn upwards<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = (usize, &'a Entry)> {
        log.upwards().skip_while(move |(at, _)| self.held.is_some_and(|held| *at > held)).filter(|(_, e)| self.fits(e))
    }

    /// Moves by entries: down is positive, and `isize::MIN` goes to the oldest. At the newest it follows again.
    pub fn scroll(&mut self, by: isize, log: &Log) {
        let fitting: Vec<usize> = log.upwards().filter(|(_, entry)| self.fits(entry)).map(|(at, _)| at).collect();
        // Places count from the newest.
        let now = self.held.map_or(0, |held| fitting.iter().position(|at| *at <= held).unwrap_or(0));
        let to = if by < 0 { now.saturating_add(by.unsigned_abs()) } else { now.saturating_sub(by.unsigned_abs()) };
        let to = to.min(fitting.len().saturating_sub(1));
        self.held = (to > 0).then(|| fitting[to]);
    }

    /// Draws the entries from the bottom up. Gives the numbers of the warnings and errors that are in sight.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>, focused: bool) -> Vec<usize> {
        let (look, log) = (seen.look, &seen.run.log);
        let below = log.upwards().take_while(|(at, _)| self.held.is_some_and(|held| *at > held));
        let below = below.filter(|(_, entry)| self.fits(entry)).count();
        let place = if below == 0 { String::new() } else { format!("{} newer below", text::count(below as u64)) };
        let level = match self.level {
            Level::Info => "",
            Level::Warn => "warnings and errors",
            Level::Error => "errors only",
        };
        let search =
            if self.filter.is_empty() { String::new() } else { format!("with \u{201c}{}\u{201d}", self.filter) };
        let facts = joined(&[level.to_string(), search, place], look, look.theme.dim);
        let body = header(buf, area, look, "log", focused, facts);
        let mut bottom = body.bottom();
        let mut alarms = Vec::new();
        for (at, entry) in self.upwards(log) {
            let lines = lines(entry, look, usize::from(body.width));
            for line in lines.into_iter().rev() {
                if bottom == body.top() {
                    return alarms;
                }
                bottom -= 1;
                put(buf, Rect { y: bottom, height: 1, ..body }, line);
            }
            if entry.level > Level::Info {
                alarms.push(at);
            }
        }
        alarms
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn lines(entry: &Entry, look: &Look, columns: usize) -> Vec<Vec<Span<'static>>> {
    let (mark, style) = match entry.level {
        Level::Info => (look.glyphs.dot, look.theme.text),
        Level::Warn => (look.glyphs.warn, look.theme.warn),
        Level::Error => (look.glyphs.failed, look.theme.bad),
    };
    let time = format!(" {:>6} ", text::clock(entry.at));
    let indent = time.len() + 2;
    let wrapped = text::wrap(&ascii::words(&entry.text, &look.glyphs), columns.saturating_sub(indent + 1));
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
