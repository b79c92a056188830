//! The groups of a step as parts of a whole, one above the other: all-zero below, mixed, all-one on top. Marks tell them
//! apart, colours only help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::chart::SHARES;
use super::shown::Shown;
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::training::Book;

/// Styles of the three parts.
pub fn styles(look: &Look) -> [Style; 3] {
    [look.theme.bad, look.theme.smooth, look.theme.good]
}

/// The parts at the cursor, each behind its mark.
pub fn legend(shown: &Shown<'_>, names: bool) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (at, name) in SHARES.into_iter().enumerate() {
        let value = shown.cursor.and_then(|step| shown.book.at(shown.family, name, step));
        let value = value.map_or("-".to_string(), |(raw, _)| text::figure(raw));
        spans.push(Span::styled(format!("{} ", shown.look.glyphs.shades[at]), styles(shown.look)[at]));
        let words = if names { format!("{name} {value}  ") } else { format!("{value} ") };
        spans.push(Span::styled(words, shown.look.theme.text));
    }
    spans
}

/// Draws the parts of the steps in sight; a column of several steps shows their mean.
pub fn stack(buf: &mut Buffer, area: Rect, shown: &Shown<'_>) {
    let area = area.intersection(buf.area);
    for column in 0..area.width {
        let steps = shown.steps_at(column, area.width);
        let Some(parts) = mean(shown.book, shown, steps) else { continue };
        for (row, y) in (area.top()..area.bottom()).rev().enumerate() {
            let at = part(parts, (row as f64 + 0.5) / f64::from(area.height));
            buf.set_string(area.x + column, y, shown.look.glyphs.shades[at], styles(shown.look)[at]);
        }
    }
}

/// The part that lies at this height.
fn part(parts: [f64; 3], height: f64) -> usize {
    let whole: f64 = parts.iter().sum();
    let height = height * whole;
    match height {
        h if h < parts[0] => 0,
        h if h < parts[0] + parts[1] => 1,
        _ => 2,
    }
}

/// Mean parts over some steps; `None` where none of them was measured.
fn mean(book: &Book, shown: &Shown<'_>, [low, high]: [u64; 2]) -> Option<[f64; 3]> {
    let (mut sums, mut count) = ([0.0; 3], 0);
    for step in low..=high {
        let parts = SHARES.map(|name| book.at(shown.family, name, step));
        let [Some(zero), Some(mixed), Some(one)] = parts else { continue };
        for (sum, part) in sums.iter_mut().zip([zero, mixed, one]) {
            *sum += part.0.max(0.0);
        }
        count += 1;
    }
    (count > 0 && sums.iter().sum::<f64>() > 0.0).then_some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fill_the_column_from_below() {
        let parts = [0.25, 0.5, 0.25];
        let column: Vec<usize> = (0..8).map(|row| part(parts, (f64::from(row) + 0.5) / 8.0)).collect();
        assert_eq!(column, [0, 0, 1, 1, 1, 1, 2, 2]);
        assert_eq!((part([1.0, 0.0, 0.0], 0.99), part([0.0, 0.0, 2.0], 0.01)), (0, 2));
    }
}
