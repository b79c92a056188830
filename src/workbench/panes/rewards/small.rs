//! The charts that are not large, each with its value at the cursor: a line with a little curve where there is little
//! room, else a plot of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::chart::{GROUPS, short};
use super::groups;
use super::shown::Shown;
use crate::workbench::text;
use crate::workbench::widgets::plot::{Form, Plot, Window};
use crate::workbench::widgets::{put, put_right};

/// Columns of a name.
const NAME: usize = 13;
/// Rows of a small chart, at most.
const TALLEST: u16 = 5;

/// Draws the charts beside the large one into `columns` columns; gives where each was drawn.
pub fn draw(buf: &mut Buffer, area: Rect, columns: u16, shown: &Shown<'_>) -> Vec<(Rect, String)> {
    let others: Vec<&String> = shown.charts.iter().filter(|name| name.as_str() != shown.large).collect();
    let columns = columns.max(1);
    let rows = (others.len() as u16).div_ceil(columns);
    if rows == 0 || area.height == 0 || area.width < 12 * columns {
        return Vec::new();
    }
    let height = (area.height / rows).clamp(1, TALLEST);
    let (rows, width) = (rows.min(area.height), area.width / columns);
    let room = usize::from(rows * columns);
    // Where not all find room, the last place says how many are missing.
    let fitting = if others.len() > room { room - 1 } else { others.len() };
    let place = |at: usize| {
        let (column, row) = (at as u16 / rows, at as u16 % rows);
        let y = area.y.saturating_add(row * height);
        Rect { x: area.x + column * width, y, width: width.saturating_sub(1), height }.intersection(area)
    };
    let mut cells = Vec::new();
    for (at, name) in others.iter().take(fitting).enumerate() {
        one(buf, place(at), name, shown);
        cells.push((place(at), (*name).clone()));
    }
    if others.len() > fitting {
        let more = format!("{} {} more charts", shown.look.glyphs.ellipsis, others.len() - fitting);
        put(buf, Rect { height: 1, ..place(fitting) }, vec![Span::styled(more, shown.look.theme.dim)]);
    }
    cells
}

fn one(buf: &mut Buffer, cell: Rect, name: &str, shown: &Shown<'_>) {
    let (look, theme) = (shown.look, &shown.look.theme);
    let label = format!("{:<NAME$} ", text::fit(&text::printable(short(name)), NAME, look.glyphs.ellipsis));
    let mut spans = vec![Span::styled(label, theme.dim)];
    let top = Rect { height: 1, ..cell };
    let below = Rect { y: cell.y + 1, height: cell.height - 1, ..cell };
    if name == GROUPS {
        spans.extend(groups::legend(shown, false));
        put(buf, top, spans);
        groups::stack(buf, below, shown);
        return cursor(buf, below, shown);
    }
    let value = shown.cursor.and_then(|step| shown.book.at(shown.family, name, step));
    let (raw, smooth) =
        value.map_or(("-".into(), "-".into()), |(raw, smooth)| (text::figure(raw), text::figure(smooth)));
    spans.push(Span::styled(format!("{raw:>6} "), theme.text));
    spans.push(Span::styled(format!("{} {smooth:<6}", look.glyphs.smooth), theme.smooth));
    put(buf, top, spans);
    let used = NAME + 1 + 7 + text::width(look.glyphs.smooth) + 7;
    if below.height == 0 {
        let room = usize::from(cell.width).saturating_sub(used + 1).min(16);
        return put_right(buf, top, used, vec![Span::styled(spark(name, room, shown), theme.text)]);
    }
    plot(buf, below, name, shown);
}

/// The smoothed curve with the cursor's column.
fn plot(buf: &mut Buffer, area: Rect, name: &str, shown: &Shown<'_>) {
    let pieces = shown.book.points(shown.family, name, shown.range);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for point in pieces.iter().flatten() {
        (low, high) = (low.min(point.1).min(point.2), high.max(point.1).max(point.2));
    }
    cursor(buf, area, shown);
    if low > high {
        return;
    }
    let x = [shown.range[0] as f64, shown.range[1] as f64];
    let plot = Plot::new(area, Window::new(x, [low, high]), shown.look.glyphs.braille);
    let theme = &shown.look.theme;
    // In a single row they would only blur the curve.
    for piece in pieces.iter().filter(|_| area.height > 1) {
        let raw: Vec<_> = piece.iter().map(|point| (point.0 as f64, point.1)).collect();
        plot.curve(buf, &raw, Form::Dots, '.', theme.raw);
    }
    for piece in &pieces {
        let smooth: Vec<_> = piece.iter().map(|point| (point.0 as f64, point.2)).collect();
        plot.curve(buf, &smooth, Form::Line, '*', theme.smooth);
    }
}

fn cursor(buf: &mut Buffer, area: Rect, shown: &Shown<'_>) {
    let x = [shown.range[0] as f64, shown.range[1] as f64];
    let plot = Plot::new(area, Window::new(x, [0.0, 1.0]), false);
    if let Some(x) = shown.cursor.and_then(|step| plot.column(step as f64)) {
        for y in area.top()..area.bottom() {
            buf.set_string(x, y, shown.look.glyphs.cursor, shown.look.theme.key);
        }
    }
}

/// The smoothed curve in at most so many characters.
fn spark(name: &str, columns: usize, shown: &Shown<'_>) -> String {
    let points = shown.book.points(shown.family, name, shown.range).concat();
    let smooth = || points.iter().map(|point| point.2);
    let (low, high) = (smooth().fold(f64::INFINITY, f64::min), smooth().fold(f64::NEG_INFINITY, f64::max));
    let levels = shown.look.glyphs.spark;
    let columns = columns.min(points.len());
    (0..columns)
        .map(|column| {
            let at = ((column + 1) * points.len() / columns).saturating_sub(1);
            let share = if high > low { (points[at].2 - low) / (high - low) } else { 0.0 };
            levels[((share * (levels.len() - 1) as f64).round() as usize).min(levels.len() - 1)]
        })
        .collect()
}
