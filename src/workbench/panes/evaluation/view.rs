//! The pane on the screen: the table above; below it the chosen cell and, beside or instead, the notes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::grid::Grid;
use super::table::{self, Sight};
use super::{Evaluation, Part, cell, notes};
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{fault, header, joined, no_session, put, waiting, words};

/// From here on the notes stand beside the cell.
const WIDE: u16 = 116;

/// Where the parts were last drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    table: Rect,
    sight: Sight,
    cell: Rect,
    list: Rect,
    first: usize,
    notes: Rect,
    /// Lines of the notes.
    lines: usize,
}

impl Places {
    /// The part under the mouse.
    pub(super) fn part(&self, at: Position) -> Option<Part> {
        if self.table.contains(at) {
            Some(Part::Table)
        } else if self.cell.contains(at) {
            Some(Part::Changed)
        } else if self.notes.contains(at) {
            Some(Part::Notes)
        } else {
            None
        }
    }

    /// Row and column of the table under the mouse.
    pub fn cell(&self, at: Position, grid: &Grid) -> Option<(usize, Option<usize>)> {
        self.sight.at(at, grid)
    }

    /// The changed question under the mouse.
    pub fn changed(&self, at: Position) -> Option<usize> {
        self.list.contains(at).then(|| usize::from(at.y - self.list.y) + self.first)
    }

    /// How far the notes can be scrolled.
    pub fn most_scroll(&self) -> usize {
        self.lines.saturating_sub(usize::from(self.notes.height.saturating_sub(1)))
    }
}

impl Evaluation {
    /// Draws whatever there is to draw.
    pub(super) fn draw_all(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        let below = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
        let (top, left, right) = self.parts(below);
        let at = self.at();
        let focused = seen.focused && self.part == Part::Table;
        let sight = table::sight(top, &self.grid, at, self.places.sight);
        self.places = Places { table: top, cell: left, notes: right, sight, ..self.places };
        header(buf, area, look, "evaluation", focused, self.facts(look));
        if self.shown.is_none() || self.grid.columns.is_empty() {
            return self.nothing(buf, below, seen);
        }
        table::draw(buf, &sight, &self.grid, at, focused, look);
        self.cell(buf, left, seen);
        self.notes(buf, right, seen);
    }

    fn facts(&self, look: &Look) -> Vec<Span<'static>> {
        if self.grid.columns.is_empty() {
            return Vec::new();
        }
        let measured = self.grid.rows.iter().filter(|row| row.session.is_none() && row.absent.is_none()).count();
        let all = self.grid.rows.iter().filter(|row| row.session.is_none()).count();
        let (left, right) = self.places.sight.hidden(&self.grid);
        let unseen = |count: usize, side: &str| match count {
            0 => String::new(),
            1 => format!("1 column {side}"),
            _ => format!("{count} columns {side}"),
        };
        let (n, k) = self.grid.nk;
        let slow = if self.found.waiting().is_some() { "reading".to_string() } else { String::new() };
        let figure = format!("{}, %", self.figure.name(n, k));
        let measured = format!("{measured} of {all} checkpoints");
        let facts = [figure, measured, unseen(left, "left"), unseen(right, "right"), slow];
        let mut spans = joined(&facts, look, look.theme.dim);
        if let Some(error) = self.found.error() {
            let words = format!(" {} not read again: {}", look.glyphs.warn, text::printable(error));
            spans.push(Span::styled(words, look.theme.warn));
        }
        spans
    }

    /// What stands where there are no figures.
    fn nothing(&self, buf: &mut Buffer, body: Rect, seen: &Seen<'_>) {
        if let Some(error) = self.found.error() {
            fault(buf, body, seen.look, error);
        } else if seen.session.is_none() {
            no_session(buf, body, seen.look);
        } else if let Some(since) = self.found.waiting() {
            waiting(buf, body, seen.look, since, seen.now);
        } else if self.shown.is_some() {
            let said = "nothing is evaluated yet: the first figures come when the stage `evaluate base` is complete";
            words(buf, body, said, seen.look.theme.dim);
        } else {
            let said = "the reading was given up; it begins again when this pane comes into sight anew";
            words(buf, body, said, seen.look.theme.dim);
        }
    }

    /// Table, cell and notes; what has no room has no area.
    fn parts(&self, body: Rect) -> (Rect, Rect, Rect) {
        let rows = table::rows(&self.grid);
        let most =
            if body.height >= 16 { body.height.saturating_sub(10).max(body.height / 2) } else { body.height * 2 / 3 };
        let top = Rect { height: rows.min(most.max(4)).min(body.height), ..body };
        let lower = Rect { y: top.bottom(), height: body.height - top.height, ..body };
        let none = Rect { width: 0, height: 0, ..lower };
        if lower.height < 2 {
            (top, none, none)
        } else if lower.width >= WIDE {
            let left = Rect { width: lower.width * 9 / 20, ..lower };
            let right = Rect { x: left.right() + 1, width: lower.width - left.width - 1, ..lower };
            (top, left, right)
        } else if self.part == Part::Notes {
            (top, none, lower)
        } else {
            (top, lower, none)
        }
    }

    fn cell(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        (self.places.list, self.places.first) = (Rect { width: 0, height: 0, ..area }, 0);
        let look = seen.look;
        let (at, column) = self.at();
        let (Some(found), Some(row), Some(column)) =
            (&self.shown, self.grid.rows.get(at), self.grid.columns.get(column))
        else {
            return;
        };
        if area.height == 0 {
            return;
        }
        let session = row.session.as_ref().map_or(String::new(), |name| format!("{}:", text::printable(name)));
        let title = format!("{session}{} on {}", text::printable(&row.checkpoint), text::printable(column.name()));
        let body = header(buf, area, look, &title, seen.focused && self.part == Part::Changed, vec![]);
        let mut lines = cell::detail(found, row, column, look, usize::from(body.width));
        let difference = self.difference();
        match (difference, self.compared.waiting()) {
            (Some(compared), _) => {
                lines.extend(cell::difference(compared, self.grid.nk.1, look, usize::from(body.width)))
            }
            (None, Some(_)) => lines.push(vec![Span::styled("   comparing", look.theme.dim)]),
            (None, None) => {
                let why = match (self.compared.error(), &self.pair) {
                    (Some(error), _) => text::printable(error),
                    (None, None) => "nothing before it to compare with".to_string(),
                    (None, Some(_)) => "not compared; choosing the cell again asks again".to_string(),
                };
                lines.push(vec![Span::styled(format!("   {why}"), look.theme.dim)]);
            }
        }
        let shown = lines.len().min(usize::from(body.height));
        for (y, line) in (body.top()..body.bottom()).zip(lines) {
            put(buf, Rect { y, height: 1, ..body }, line);
        }
        let list = Rect { y: body.y + shown as u16, height: body.height - shown as u16, ..body };
        let Some(compared) = difference else { return };
        let rows = usize::from(list.height);
        let chosen = self.changed_at().unwrap_or(0);
        let first = (chosen + 1).saturating_sub(rows).min(compared.changed.len().saturating_sub(rows));
        let marked = (self.part == Part::Changed).then_some(chosen);
        cell::list(buf, list, compared, first, marked, look);
        (self.places.list, self.places.first) = (list, first);
    }

    fn notes(&mut self, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
        let Some(found) = &self.shown else { return };
        if area.height == 0 || area.width == 0 {
            self.places.lines = 0;
            return;
        }
        let look = seen.look;
        let lines = notes::notes(found, look, usize::from(area.width));
        self.places.lines = lines.len();
        let first = self.scroll.min(self.places.most_scroll());
        let below = self.places.most_scroll() - first;
        let facts = if below > 0 { format!("{below} lines below") } else { String::new() };
        let facts = joined(&[facts], look, look.theme.dim);
        let body = header(buf, area, look, "what it means", seen.focused && self.part == Part::Notes, facts);
        for (y, line) in (body.top()..body.bottom()).zip(lines.into_iter().skip(first)) {
            put(buf, Rect { y, height: 1, ..body }, line);
        }
    }
}
