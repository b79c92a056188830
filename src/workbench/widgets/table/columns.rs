//! Columns: which are in sight, how wide each is, and what of a cell fits.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::workbench::text;

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wide {
    /// This many cells.
    Exact(u16),
    /// At least this many, and a share of what the others leave.
    Rest(u16),
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub name: String,
    /// How wide it is.
    pub wide: Wide,
    /// Whether its cells stand at its right end, as numbers do.
    pub right: bool,
}

impl Column {
    /// A column of words.
    pub fn left(name: impl Into<String>, wide: Wide) -> Self {
        Self { name: name.into(), wide, right: false }
    }

    /// A column of numbers.
    pub fn right(name: impl Into<String>, wide: Wide) -> Self {
        Self { name: name.into(), wide, right: true }
    }
}

/// A column where it was last drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub column: usize,
    pub x: u16,
    pub width: u16,
}

/// Cells left of the first column: the mark of the selected row, and a space.
pub(super) const MARGIN: u16 = 2;
/// A column cut to fewer cells than this is left out.
const LEAST: u16 = 4;
/// Places columns into the body of a table: the first always, then those behind `skip` others. Also says whether some are
/// cut or left out.
pub(super) fn place(body: Rect, columns: &[Column], skip: usize) -> (Vec<Placed>, bool) {
    let gap: u16 = if body.width >= 140 { 2 } else { 1 };
    // At the right end stand a space and the scroll bar.
    let room = body.width.saturating_sub(MARGIN + 2);
    let chosen: Vec<usize> = (0..columns.len()).filter(|&at| at == 0 || at > skip).collect();
    let least = |at: usize| match columns[at].wide {
        Wide::Exact(width) | Wide::Rest(width) => width,
    };
    let (mut used, mut fitting) = (0u16, Vec::new());
    for &at in &chosen {
        let before = if fitting.is_empty() { 0 } else { gap };
        let left = room.saturating_sub(used.saturating_add(before));
        let width = least(at).min(left);
        if width < least(at).min(LEAST) || width == 0 {
            break;
        }
        used += before + width;
        fitting.push((at, width));
    }
    let whole = fitting.len() == chosen.len() && fitting.iter().all(|&(at, width)| width == least(at));
    share(&mut fitting, columns, room.saturating_sub(used));
    let mut x = body.x + MARGIN.min(body.width);
    let mut placed = Vec::with_capacity(fitting.len());
    for (column, width) in fitting {
        placed.push(Placed { column, x, width });
        x += width + gap;
    }
    (placed, !whole)
}

/// Gives the columns that take a share what is left.
fn share(fitting: &mut [(usize, u16)], columns: &[Column], mut left: u16) {
    let mut takers = fitting.iter().filter(|(at, _)| matches!(columns[*at].wide, Wide::Rest(_))).count() as u16;
    for (_, width) in fitting.iter_mut().filter(|(at, _)| matches!(columns[*at].wide, Wide::Rest(_))) {
        let part = left / takers.max(1);
        *width += part;
        left -= part;
        takers = takers.saturating_sub(1);
    }
}

/// The spans of a line that fit into `columns`, with an ellipsis where something is missing.
pub(super) fn fitted<'a>(line: Line<'a>, columns: usize, ellipsis: &str) -> Line<'a> {
    if line.width() <= columns {
        return line;
    }
    let mut left = columns;
    let mut spans = Vec::new();
    for span in line.spans {
        let width = span.width();
        // The last span that fits leaves room for the ellipsis.
        if width + text::width(ellipsis) <= left {
            left -= width;
            spans.push(span);
        } else {
            let cut = text::fit(&format!("{}  ", span.content), left, ellipsis);
            spans.push(Span::styled(cut, span.style));
            break;
        }
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn cells_are_cut_by_columns_and_keep_their_styles() {
        let bold = Style::new().bold();
        let line = Line::from(vec![Span::styled("日本", bold), Span::raw("abc")]);
        let texts = |columns| {
            fitted(line.clone(), columns, "…").spans.iter().map(|span| span.content.to_string()).collect::<String>()
        };
        assert_eq!([7, 6, 5, 4, 3, 1, 0].map(texts), ["日本abc", "日本a…", "日本…", "日…", "日…", "…", ""]);
        assert_eq!(fitted(line, 3, "…").spans[0].style, bold);
    }
}
