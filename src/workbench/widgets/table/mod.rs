//! A table of any length: the owner keeps the rows in an order of its own and is asked for those in sight only, so that a
//! million rows draw as fast as ten.
//!
//! Rows are drawn here and not by `ratatui-table`, whose lazy rows know neither columns that are moved sideways nor where
//! a click falls.

mod columns;
mod order;

use std::ops::Range;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{put, scroll_bar};
use crate::workbench::action::Move;
use crate::workbench::look::Look;
use crate::workbench::text;
use columns::{MARGIN, Placed, fitted};

pub use columns::{Column, Wide};
pub use order::{number, sort};

/// By which column rows are ordered, for the mark in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// Index of the column.
    pub column: usize,
    /// Greatest first.
    pub down: bool,
}

/// What the mouse did to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// Nothing of the table.
    Miss,
    /// Other rows are in sight.
    Scrolled,
    /// A row was clicked, and is selected now; `again` where it was selected before.
    Row {
        /// Its place in the visible order.
        at: usize,
        /// Whether it was selected already.
        again: bool,
    },
    /// The name of a column was clicked, by its index.
    Head(usize),
}

/// Which row is selected and which are in sight. What the rows are, and in which order, is the owner's.
#[derive(Clone, Debug, Default)]
pub struct Table {
    len: usize,
    at: usize,
    top: usize,
    /// Columns after the first that are moved out of sight to the left.
    skip: usize,
    /// The mouse wheel moved the rows away from the selected one.
    loose: bool,
    head: Rect,
    body: Rect,
    placed: Vec<Placed>,
    /// Whether columns are out of sight to the right.
    cut: bool,
}

/// Rows that the wheel moves.
const WHEEL: isize = 3;

impl Table {
    /// Says how many rows there are. The selected place stays where there is one.
    pub fn set_len(&mut self, len: usize) {
        self.len = len;
        self.at = self.at.min(len.saturating_sub(1));
        self.top = self.top.min(len.saturating_sub(1));
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Place of the selected row in the visible order; `None` without rows.
    pub fn selected(&self) -> Option<usize> {
        (self.at < self.len).then_some(self.at)
    }

    /// Selects a row and brings it into sight.
    pub fn select(&mut self, at: usize) {
        self.at = at.min(self.len.saturating_sub(1));
        self.loose = false;
    }

    /// The rows that were in sight when it was last drawn.
    pub fn in_sight(&self) -> Range<usize> {
        self.top..(self.top + usize::from(self.body.height)).min(self.len)
    }

    /// Rows that a page holds, as last drawn.
    fn page(&self) -> isize {
        isize::try_from(usize::from(self.body.height).saturating_sub(1).max(1)).unwrap_or(1)
    }

    /// Takes a move. True when another row is selected, or other columns are in sight; enter and back are the owner's.
    pub fn moved(&mut self, to: Move) -> bool {
        let before = (self.at, self.skip);
        match to {
            Move::Down => self.step(1),
            Move::Up => self.step(-1),
            Move::PageDown => self.step(self.page()),
            Move::PageUp => self.step(-self.page()),
            Move::Top => self.select(0),
            Move::Bottom => self.select(usize::MAX),
            Move::Left => self.skip = self.skip.saturating_sub(1),
            Move::Right if self.cut => self.skip += 1,
            _ => {}
        }
        before != (self.at, self.skip)
    }

    /// Moves the selection by some rows.
    pub fn step(&mut self, by: isize) {
        self.select(self.at.saturating_add_signed(by));
    }

    /// Takes the mouse: a click selects, the wheel moves rows past.
    pub fn mouse(&mut self, event: MouseEvent) -> Hit {
        let at = Position { x: event.column, y: event.row };
        match event.kind {
            MouseEventKind::Down(_) if self.body.contains(at) => {
                let row = self.top + usize::from(at.y - self.body.y);
                if row >= self.len {
                    return Hit::Miss;
                }
                let again = row == self.at;
                self.select(row);
                Hit::Row { at: row, again }
            }
            MouseEventKind::Down(_) if self.head.contains(at) => {
                let under = |placed: &&Placed| (placed.x..placed.x.saturating_add(placed.width)).contains(&at.x);
                self.placed.iter().find(under).map_or(Hit::Miss, |placed| Hit::Head(placed.column))
            }
            MouseEventKind::ScrollDown if self.within(at) => self.wheel(WHEEL),
            MouseEventKind::ScrollUp if self.within(at) => self.wheel(-WHEEL),
            _ => Hit::Miss,
        }
    }

    fn within(&self, at: Position) -> bool {
        self.body.contains(at) || self.head.contains(at)
    }

    fn wheel(&mut self, by: isize) -> Hit {
        let last = self.len.saturating_sub(usize::from(self.body.height));
        self.top = self.top.saturating_add_signed(by).min(last);
        self.loose = true;
        Hit::Scrolled
    }

    /// Draws the names of the columns and the rows in sight; `row` gives the cells of a row by its place, and is asked for
    /// no other. Any area, also none at all.
    pub fn draw<'a>(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        look: &Look,
        columns: &[Column],
        sorted: Option<Sorted>,
        mut row: impl FnMut(usize) -> Vec<Line<'a>>,
    ) {
        let area = area.intersection(buf.area);
        self.head = Rect { height: area.height.min(1), ..area };
        self.body = Rect { y: area.y + self.head.height, height: area.height - self.head.height, ..area };
        self.bring_into_sight();
        self.skip = self.skip.min(columns.len().saturating_sub(2));
        (self.placed, self.cut) = columns::place(self.body, columns, self.skip);
        self.draw_head(buf, look, columns, sorted);
        for (y, at) in (self.body.top()..self.body.bottom()).zip(self.in_sight()) {
            let line = Rect { y, height: 1, ..self.body };
            self.draw_row(buf, line, look, columns, at, row(at));
        }
        if self.body.width > MARGIN {
            scroll_bar(buf, self.body, look, self.len, self.top);
        }
    }

    /// Scrolls so that the selected row is in sight, and no row is left empty that could be filled.
    fn bring_into_sight(&mut self) {
        let height = usize::from(self.body.height);
        self.top = self.top.min(self.len.saturating_sub(height));
        if !self.loose && height > 0 {
            self.top = self.top.clamp((self.at + 1).saturating_sub(height), self.at);
        }
    }

    fn draw_head(&self, buf: &mut Buffer, look: &Look, columns: &[Column], sorted: Option<Sorted>) {
        for placed in &self.placed {
            let column = &columns[placed.column];
            let mark = match sorted.filter(|sorted| sorted.column == placed.column) {
                Some(Sorted { down: true, .. }) => look.glyphs.descending,
                Some(Sorted { down: false, .. }) => look.glyphs.ascending,
                None => "",
            };
            let style = if mark.is_empty() { look.theme.dim } else { look.theme.focus };
            let room = usize::from(placed.width).saturating_sub(text::width(mark));
            let name = text::fit(&column.name, room, look.glyphs.ellipsis) + mark;
            self.cell(buf, self.head, placed, column.right, Line::from(Span::styled(name, style)), look);
        }
        if self.cut && self.head.width > MARGIN {
            let x = self.head.right() - 1;
            put(buf, Rect { x, width: 1, ..self.head }, vec![Span::styled(look.glyphs.ellipsis, look.theme.key)]);
        }
        if self.skip > 0 {
            put(
                buf,
                Rect { width: self.head.width.min(1), ..self.head },
                vec![Span::styled(look.glyphs.ellipsis, look.theme.key)],
            );
        }
    }

    fn draw_row(&self, buf: &mut Buffer, line: Rect, look: &Look, columns: &[Column], at: usize, cells: Vec<Line<'_>>) {
        for (column, cell) in cells.into_iter().enumerate() {
            if let Some(placed) = self.placed.iter().find(|placed| placed.column == column) {
                self.cell(buf, line, placed, columns[column].right, cell, look);
            }
        }
        if at == self.at {
            put(buf, line, vec![Span::styled(look.glyphs.selected, look.theme.key)]);
            buf.set_style(line, look.theme.selected);
        }
    }

    fn cell(&self, buf: &mut Buffer, line: Rect, placed: &Placed, right: bool, cell: Line<'_>, look: &Look) {
        let cell = fitted(cell, usize::from(placed.width), look.glyphs.ellipsis);
        let spare = usize::from(placed.width).saturating_sub(cell.width()) as u16;
        let x = if right { placed.x + spare } else { placed.x };
        let end = (placed.x + placed.width).min(line.right());
        put(buf, Rect { x, width: end.saturating_sub(x), ..line }, cell.spans);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crossterm::event::{KeyModifiers, MouseButton};

    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::left("id", Wide::Exact(4)),
            Column::right("rho", Wide::Exact(5)),
            Column::left("question", Wide::Rest(10)),
        ]
    }

    fn drawn(table: &mut Table, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let look = Look::picture();
        let sorted = Some(Sorted { column: 1, down: true });
        let row = |at: usize| {
            vec![
                Line::from(format!("q{at}")),
                Line::from(".5"),
                Line::from(format!("how many geese are there in {at}?")),
            ]
        };
        table.draw(&mut buf, area, &look, &columns(), sorted, row);
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>()).collect()
    }

    fn click(column: u16, row: u16, kind: MouseEventKind) -> MouseEvent {
        MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
    }

    const DOWN: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

    #[test]
    fn a_part_of_a_million_rows_is_drawn_and_no_other_row_is_asked_for() {
        let mut table = Table::default();
        table.set_len(1_000_000);
        table.select(500_000);
        let mut asked = Vec::new();
        let area = Rect::new(0, 0, 60, 11);
        let mut buf = Buffer::empty(area);
        table.draw(&mut buf, area, &Look::picture(), &columns(), None, |at| {
            asked.push(at);
            vec![Line::from("x")]
        });
        assert_eq!(asked.len(), 10);
        assert!(asked.contains(&500_000));
        assert_eq!(asked, table.in_sight().collect::<Vec<_>>());
    }

    #[test]
    fn a_table_as_it_is_seen() {
        let mut table = Table::default();
        table.set_len(9);
        table.select(5);
        let seen = [
            "  id    rho▼ question           ",
            "  q3      .5 how many geese a… │",
            "  q4      .5 how many geese a… █",
            "▌ q5      .5 how many geese a… │",
        ];
        assert_eq!(drawn(&mut table, 32, 4), seen);
    }

    #[test]
    fn moves_stay_inside_and_the_selection_stays_in_sight() {
        let mut table = Table::default();
        table.set_len(30);
        drawn(&mut table, 40, 11);
        assert!(table.moved(Move::PageDown));
        assert_eq!(table.selected(), Some(9));
        table.moved(Move::Bottom);
        drawn(&mut table, 40, 11);
        assert_eq!((table.selected(), table.in_sight()), (Some(29), 20..30));
        assert!(!table.moved(Move::Down));
        table.moved(Move::Top);
        drawn(&mut table, 40, 11);
        assert_eq!(table.in_sight(), 0..10);
        table.select(29);
        table.set_len(4);
        drawn(&mut table, 40, 11);
        assert_eq!((table.selected(), table.in_sight()), (Some(3), 0..4));
    }

    #[test]
    fn columns_move_sideways_while_the_first_stays() {
        let mut table = Table::default();
        table.set_len(1);
        assert!(!table.moved(Move::Right));
        let narrow = drawn(&mut table, 18, 2);
        assert!(narrow[0].starts_with("  id    rho▼") && narrow[0].ends_with('…'), "{narrow:?}");
        assert!(table.moved(Move::Right));
        let moved = drawn(&mut table, 18, 2);
        assert!(moved[0].starts_with("… id   question"), "{moved:?}");
        assert!(table.moved(Move::Left));
    }

    #[test]
    fn the_mouse_selects_rows_names_columns_and_scrolls() {
        let mut table = Table::default();
        table.set_len(30);
        drawn(&mut table, 40, 11);
        assert_eq!(table.mouse(click(5, 3, DOWN)), Hit::Row { at: 2, again: false });
        assert_eq!(table.mouse(click(5, 3, DOWN)), Hit::Row { at: 2, again: true });
        assert_eq!(table.mouse(click(9, 0, DOWN)), Hit::Head(1));
        assert_eq!(table.mouse(click(5, 3, MouseEventKind::ScrollDown)), Hit::Scrolled);
        drawn(&mut table, 40, 11);
        assert_eq!((table.in_sight(), table.selected()), (3..13, Some(2)));
        table.moved(Move::Down);
        drawn(&mut table, 40, 11);
        assert_eq!(table.in_sight(), 3..13);
        assert_eq!(table.mouse(click(39, 90, DOWN)), Hit::Miss);
    }

    #[test]
    fn every_size_and_no_rows_draw() {
        for len in [0, 1, 1000] {
            let mut table = Table::default();
            table.set_len(len);
            for width in 0..24 {
                for height in 0..4 {
                    drawn(&mut table, width, height);
                    for to in [Move::Down, Move::Right, Move::PageDown, Move::Bottom, Move::Left, Move::Up] {
                        table.moved(to);
                    }
                    table.mouse(click(0, 1, MouseEventKind::ScrollDown));
                }
            }
            assert_eq!(table.selected().is_some(), len > 0);
            assert_eq!(table.is_empty(), len == 0);
        }
    }
}
