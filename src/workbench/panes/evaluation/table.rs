//! The table of checkpoints and splits, drawn: as many columns as fit, the chosen one among them.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::grid::{Absent, Grid, Row};
use crate::evaluate::Estimate;
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::widgets::{pointer, put};

/// Columns of a figure with its half interval, its mark and the space before it.
const CELL: usize = 15;
/// Columns of the checkpoints' names, at most.
const NAME: usize = 28;
/// Rows above the checkpoints.
const HEAD: u16 = 2;

/// What of the table is in sight.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    area: Rect,
    name: usize,
    /// First row and first column.
    first: (usize, usize),
}

impl Sight {
    /// Row and column under the mouse; the names have no column.
    pub fn at(&self, at: Position, grid: &Grid) -> Option<(usize, Option<usize>)> {
        if !self.area.contains(at) || at.y < self.area.y + HEAD {
            return None;
        }
        let row = usize::from(at.y - self.area.y - HEAD) + self.first.0;
        let x = usize::from(at.x - self.area.x);
        let column = x.checked_sub(self.name).map(|x| x / CELL + self.first.1).filter(|c| *c < grid.columns.len());
        (row < grid.rows.len()).then_some((row, column))
    }

    /// Columns left and right of what is in sight.
    pub fn hidden(&self, grid: &Grid) -> (usize, usize) {
        let shown = usize::from(self.area.width).saturating_sub(self.name) / CELL;
        (self.first.1, grid.columns.len().saturating_sub(self.first.1 + shown))
    }
}

/// Rows that the whole table takes.
pub fn rows(grid: &Grid) -> u16 {
    u16::try_from(grid.rows.len()).unwrap_or(u16::MAX).saturating_add(HEAD)
}

/// What of the table is in sight in `area` when `chosen` must be.
pub fn sight(area: Rect, grid: &Grid, chosen: (usize, usize), before: Sight) -> Sight {
    let width = usize::from(area.width);
    let longest = grid.rows.iter().map(|row| text::width(&name(row)) + 3).max().unwrap_or(0);
    let name = longest.clamp(12, NAME).min(width.saturating_sub(CELL).max(width / 2));
    let kept = |first: usize, at: usize, room: usize, all: usize| {
        let first = first.min(all.saturating_sub(room.max(1)));
        if at < first { at } else { first.max((at + 1).saturating_sub(room.max(1))) }
    };
    let down = usize::from(area.height.saturating_sub(HEAD));
    let across = width.saturating_sub(name) / CELL;
    let first_row = kept(before.first.0, chosen.0, down, grid.rows.len());
    Sight { area, name, first: (first_row, kept(before.first.1, chosen.1, across, grid.columns.len())) }
}

/// Draws it.
pub fn draw(buf: &mut Buffer, sight: &Sight, grid: &Grid, chosen: (usize, usize), focused: bool, look: &Look) {
    let (area, theme) = (sight.area, &look.theme);
    let across = usize::from(area.width).saturating_sub(sight.name) / CELL;
    let columns = sight.first.1..grid.columns.len().min(sight.first.1 + across);
    let line = |y: u16| Rect { y, height: 1, ..area };
    if area.height >= 1 {
        let head = |at: usize, words: String| {
            let style = if at == chosen.1 { theme.focus } else { theme.text };
            Span::styled(right(&words, CELL, look), style)
        };
        let mut names = vec![Span::raw(padded("   checkpoint", sight.name, look))];
        names.extend(columns.clone().map(|at| head(at, format!("{}  ", text::printable(grid.columns[at].name())))));
        put(buf, line(area.y), names);
        let mut counts = vec![Span::raw(" ".repeat(sight.name))];
        let n = |at: usize| format!("N={}  ", text::count(grid.columns[at].questions as u64));
        counts.extend(columns.clone().map(|at| Span::styled(right(&n(at), CELL, look), theme.dim)));
        put(buf, line(area.y.saturating_add(1)).intersection(area), counts);
    }
    let highest: Vec<Vec<usize>> = columns.clone().map(|column| grid.highest(column)).collect();
    let top = area.y.saturating_add(HEAD);
    for (y, (at, row)) in (top..area.bottom()).zip(grid.rows.iter().enumerate().skip(sight.first.0)) {
        let selected = at == chosen.0;
        let star = if row.best { look.glyphs.star } else { " " };
        let style = match (selected && focused, row.absent.is_some(), &row.session) {
            (true, ..) => theme.focus.patch(theme.key),
            (_, true, _) | (_, _, Some(_)) => theme.dim,
            _ => theme.text,
        };
        let mut spans = vec![
            pointer(selected, look),
            Span::styled(star, theme.title),
            Span::styled(padded(&format!(" {}", name(row)), sight.name.saturating_sub(2), look), style),
        ];
        match row.absent {
            Some(Absent::Pending) => spans.push(Span::styled("  not evaluated yet", theme.dim)),
            Some(Absent::Otherwise) => {
                let words = "  left out: measured with another verifier or prompt";
                spans.push(Span::styled(words, theme.warn));
            }
            None => {}
        }
        for (column, highest) in columns.clone().zip(&highest).filter(|_| row.absent.is_none()) {
            let top = highest.contains(&at);
            let shown = cell(row.cells.get(column).copied().flatten(), top, look);
            let here = selected && column == chosen.1;
            let style = match (here && focused, top) {
                (true, _) => theme.focus.patch(theme.key),
                (_, true) => theme.good,
                _ => style,
            };
            let [open, close] = if here { ["[", "]"] } else { [" ", " "] };
            spans.push(Span::styled(right(&format!("{open}{shown}{close}"), CELL, look), style));
        }
        put(buf, line(y), spans);
        if selected {
            buf.set_style(line(y).intersection(buf.area), theme.selected);
        }
    }
}

/// `68.0 ±2.9` and whether it is the highest.
fn cell(estimate: Option<Estimate>, highest: bool, look: &Look) -> String {
    let mark = if highest { look.glyphs.highest } else { " " };
    estimate.map_or_else(|| format!("{} ", look.glyphs.dot), |e| format!("{}{mark}", plus_minus(&e, look)))
}

/// `68.0 ±2.9`, in percent.
pub fn plus_minus(estimate: &Estimate, look: &Look) -> String {
    let half = 50.0 * (estimate.high - estimate.low);
    format!("{:.1} {}{half:.1}", 100.0 * estimate.value, look.glyphs.plus_minus)
}

/// The name of a row: those of other sessions stand below the checkpoint, indented.
fn name(row: &Row) -> String {
    match &row.session {
        Some(session) => format!("  {}", text::printable(session)),
        None => text::printable(&row.checkpoint),
    }
}

fn padded(words: &str, columns: usize, look: &Look) -> String {
    let words = text::fit(words, columns, look.glyphs.ellipsis);
    let pad = columns.saturating_sub(text::width(&words));
    words + &" ".repeat(pad)
}

fn right(words: &str, columns: usize, look: &Look) -> String {
    let words = text::fit(words, columns, look.glyphs.ellipsis);
    " ".repeat(columns.saturating_sub(text::width(&words))) + &words
}
