//! A small chart: values to dots. One cell holds 2×4 braille dots, or one character where there is no braille.
//!
//! A curve of any length becomes at most two points per column of dots, the least and the greatest, so that drawing
//! costs as much for a million points as for a hundred and no spike is lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What is drawn of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A dot per point.
    Dots,
    /// Points joined by a line.
    Line,
}

/// The part of the plane that is shown. Always finite and never empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Left and right end.
    pub x: [f64; 2],
    /// Lower and upper end.
    pub y: [f64; 2],
}

impl Window {
    /// A window over these ranges; an empty range is widened, so that it can be divided by.
    pub fn new(x: [f64; 2], y: [f64; 2]) -> Self {
        Self { x: widened(x), y: widened(y) }
    }
}

fn widened([low, high]: [f64; 2]) -> [f64; 2] {
    if high > low && (high - low) > 1e-9 * high.abs().max(low.abs()) {
        [low, high]
    } else {
        let half = (low.abs() * 0.05).max(1e-6);
        [low - half, low + half]
    }
}

/// Dots not yet on the screen.
pub struct Plot {
    area: Rect,
    window: Window,
    braille: bool,
    dots: (usize, usize),
}

impl Plot {
    /// An empty plot for this area.
    pub fn new(area: Rect, window: Window, braille: bool) -> Self {
        let per_cell = if braille { (2, 4) } else { (1, 1) };
        let dots = (usize::from(area.width) * per_cell.0, usize::from(area.height) * per_cell.1);
        Self { area, window, braille, dots }
    }

    /// Draws a curve; `ascii` is its character where there is no braille.
    pub fn curve(&self, buf: &mut Buffer, points: &[(f64, f64)], form: Form, ascii: char, style: Style) {
        if self.dots.0 == 0 || self.dots.1 == 0 {
            return;
        }
        let placed = self.reduced(points);
        for (at, &(x, y)) in placed.iter().enumerate() {
            match placed.get(at + 1).filter(|_| form == Form::Line) {
                Some(&next) => self.line(buf, (x, y), next, ascii, style),
                None => self.dot(buf, x, y, ascii, style),
            }
        }
    }

    /// The column of the area in which `x` lies, if it does.
    pub fn column(&self, x: f64) -> Option<u16> {
        let share = (x - self.window.x[0]) / (self.window.x[1] - self.window.x[0]);
        let column = (share * f64::from(self.area.width.saturating_sub(1))).round();
        (self.area.width > 0 && (0.0..f64::from(self.area.width)).contains(&column))
            .then(|| self.area.x + column as u16)
    }

    /// The row of the area in which `y` lies, if it does.
    pub fn row(&self, y: f64) -> Option<u16> {
        let share = (self.window.y[1] - y) / (self.window.y[1] - self.window.y[0]);
        let row = (share * f64::from(self.area.height.saturating_sub(1))).round();
        (self.area.height > 0 && (0.0..f64::from(self.area.height)).contains(&row)).then(|| self.area.y + row as u16)
    }

    /// Points as dots: per column of dots the least and the greatest, in the order in which they came.
    fn reduced(&self, points: &[(f64, f64)]) -> Vec<(usize, usize)> {
        let mut placed: Vec<(usize, usize)> = Vec::new();
        let mut column = Vec::new();
        let mut flush = |column: &mut Vec<(usize, usize)>| {
            let least = column.iter().enumerate().min_by_key(|(_, dot)| dot.1).map(|(at, _)| at);
            let greatest = column.iter().enumerate().max_by_key(|(_, dot)| dot.1).map(|(at, _)| at);
            if let (Some(a), Some(b)) = (least, greatest) {
                placed.push(column[a.min(b)]);
                if a != b {
                    placed.push(column[a.max(b)]);
                }
            }
            column.clear();
        };
        for &(x, y) in points {
            let Some(dot) = self.place(x, y) else { continue };
            if column.last().is_some_and(|&(before, _)| before != dot.0) {
                flush(&mut column);
            }
            column.push(dot);
        }
        flush(&mut column);
        placed
    }

    /// The dot of a point; `None` outside the window from left to right, the edge above and below.
    fn place(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let Window { x: [left, right], y: [low, high] } = self.window;
        let across = (x - left) / (right - left);
        let up = ((y - low) / (high - low)).clamp(0.0, 1.0);
        if !(0.0..=1.0).contains(&across) || up.is_nan() {
            return None;
        }
        let (last_x, last_y) = ((self.dots.0 - 1) as f64, (self.dots.1 - 1) as f64);
        Some(((across * last_x).round() as usize, ((1.0 - up) * last_y).round() as usize))
    }

    fn line(&self, buf: &mut Buffer, from: (usize, usize), to: (usize, usize), ascii: char, style: Style) {
        let (dx, dy) = (to.0 as f64 - from.0 as f64, to.1 as f64 - from.1 as f64);
        let steps = dx.abs().max(dy.abs()).max(1.0);
        for step in 0..=steps as usize {
            let share = step as f64 / steps;
            let (x, y) = (from.0 as f64 + share * dx, from.1 as f64 + share * dy);
            self.dot(buf, x.round() as usize, y.round() as usize, ascii, style);
        }
    }

    fn dot(&self, buf: &mut Buffer, x: usize, y: usize, ascii: char, style: Style) {
        const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (column, row) = if self.braille { (x / 2, y / 4) } else { (x, y) };
        let Some(cell) = buf.cell_mut((self.area.x + column as u16, self.area.y + row as u16)) else { return };
        let symbol = if self.braille {
            let there = cell.symbol().chars().next().map_or(0, u32::from);
            let kept = if (0x2800..0x2900).contains(&there) { there - 0x2800 } else { 0 };
            char::from_u32(0x2800 + (kept | BITS[y % 4][x % 2])).unwrap_or(' ')
        } else {
            ascii
        };
        cell.set_char(symbol).set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[(f64, f64)], form: Form, braille: bool, window: Window) -> Vec<String> {
        let area = Rect::new(0, 0, 8, 2);
        let mut buf = Buffer::empty(area);
        Plot::new(area, window, braille).curve(&mut buf, points, form, '*', Style::new());
        (0..2).map(|y| (0..8).map(|x| buf[(x, y)].symbol().to_string()).collect()).collect()
    }

    const UNIT: Window = Window { x: [0.0, 1.0], y: [0.0, 1.0] };

    #[test]
    fn corners_lie_in_corners() {
        assert_eq!(drawn(&[(0.0, 0.0), (1.0, 1.0)], Form::Dots, false, UNIT), ["       *", "*       "]);
        assert_eq!(drawn(&[(0.0, 0.0), (1.0, 1.0)], Form::Dots, true, UNIT), ["       ⠈", "⡀       "]);
    }

    #[test]
    fn a_line_has_no_gaps() {
        let rows = drawn(&[(0.0, 0.0), (1.0, 1.0)], Form::Line, false, UNIT);
        let filled = (0..8).filter(|&x| rows.iter().any(|row| row.as_bytes()[x] == b'*')).count();
        assert_eq!(filled, 8);
    }

    #[test]
    fn a_spike_among_a_million_points_is_seen() {
        let points: Vec<_> = (0..1_000_000).map(|i| (f64::from(i) / 1e6, f64::from(u8::from(i == 400_000)))).collect();
        assert!(drawn(&points, Form::Dots, false, UNIT)[0].contains('*'));
    }

    #[test]
    fn what_lies_outside_or_is_no_number_is_left_out() {
        let odd = [(-1.0, 0.5), (2.0, 0.5), (f64::NAN, 0.5), (0.5, f64::NAN)];
        assert_eq!(drawn(&odd, Form::Line, false, UNIT), ["        ", "        "]);
    }

    #[test]
    fn one_value_only_still_has_a_window() {
        let window = Window::new([3.0, 3.0], [0.5, 0.5]);
        assert!(drawn(&[(3.0, 0.5)], Form::Line, false, window).concat().contains('*'));
        assert!(window.x[0] < window.x[1] && window.y[0] < window.y[1]);
    }
}
