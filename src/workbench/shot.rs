//! A screen as a picture: cells to SVG, for the README. Drawn by the same code as the terminal's screen.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::text;
use super::theme::{Theme, ink};

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;

/// Cells as SVG text: one `text` element per run of cells in one style, every run pinned to its columns, so that a
/// font with other widths can't shift the picture.
pub fn buffer_to_svg(buf: &Buffer, theme: &Theme) -> String {
    let (ground, ink) = (theme.background.to_string(), theme.foreground.to_string());
    let (ground, ink) = (ground.as_str(), ink.as_str());
    let width = f64::from(buf.area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(buf.area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"14\" xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{ground}\"/>\n"
    );
    for y in buf.area.top()..buf.area.bottom() {
        let mut x = buf.area.left();
        while x < buf.area.right() {
            // A wide symbol covers the next cell, whatever style that has.
            let mut end = x + columns(&buf[(x, y)]);
            while end < buf.area.right() && look_of(&buf[(end, y)]) == look_of(&buf[(x, y)]) {
                end += columns(&buf[(end, y)]);
            }
            let end = end.min(buf.area.right());
            svg.push_str(&run(buf, x, end, y, ground, ink));
            x = end;
        }
    }
    svg + "</svg>\n"
}

/// Cells as lines of text, without the spaces at their ends.
pub fn buffer_to_text(buf: &Buffer) -> String {
    let row = |y| {
        let text: String = symbols(buf, buf.area.left(), buf.area.right(), y).collect();
        text.trim_end().to_string() + "\n"
    };
    (buf.area.top()..buf.area.bottom()).map(row).collect()
}

/// The symbols of a row's cells; the cell that a wide one covers is left out.
fn symbols(buf: &Buffer, left: u16, right: u16, y: u16) -> impl Iterator<Item = &str> {
    let mut next = left;
    (left..right).filter_map(move |x| {
        let symbol = buf[(x, y)].symbol();
        let covered = x < next;
        if !covered {
            next = x + columns(&buf[(x, y)]);
        }
        (!covered).then_some(symbol)
    })
}

/// Columns that a cell's symbol takes.
fn columns(cell: &Cell) -> u16 {
    text::width(cell.symbol()).max(1) as u16
}

fn look_of(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

/// The cells from `x` to `end` of one row.
fn run(buf: &Buffer, x: u16, end: u16, y: u16, ground: &str, ink: &str) -> String {
    let text: String = symbols(buf, x, end, y).collect();
    let cell = &buf[(x, y)];
    let (mut front, mut back) = (hex_of(cell.fg, ink), hex_of(cell.bg, ground));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    let (left, top) = (MARGIN + f64::from(x) * CELL_WIDTH, MARGIN + f64::from(y) * CELL_HEIGHT);
    let wide = f64::from(end - x) * CELL_WIDTH;
    let mut out = String::new();
    if back != ground {
        out.push_str(&format!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{back}\"/>\n"
        ));
    }
    if text.trim().is_empty() {
        return out;
    }
    let bold = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let lined = if cell.modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    let dim = if cell.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    out.push_str(&format!(
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         fill=\"{front}\"{bold}{lined}{dim}>{}</text>\n",
        top + CELL_HEIGHT * 0.76,
        escaped(&text)
    ));
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}")
}

/// A colour in hexadecimal; `fallback` for the terminal's own.
fn hex_of(colour: Color, fallback: &str) -> String {
    ink::shown(colour).map_or_else(|| fallback.to_string(), |rgb| rgb.to_string())
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::workbench::probe::ColourLevel;

    #[test]
    fn wide_characters_cover_their_cells_once() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        buf.set_string(0, 0, "日本x", Style::new().add_modifier(Modifier::UNDERLINED));
        assert_eq!(buffer_to_text(&buf), "日本x\n\n");
        let svg = buffer_to_svg(&buf, &Theme::dark(ColourLevel::True));
        assert!(svg.contains("textLength=\"42.0\"") && svg.contains("underline\">日本x</text>"), "{svg}");
    }

    #[test]
    fn runs_keep_their_columns_colours_and_escapes() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 2));
        buf.set_string(0, 0, "a<b", Style::new().fg(Color::Rgb(1, 2, 3)));
        buf.set_string(3, 0, "&c", Style::new().add_modifier(Modifier::BOLD));
        let svg = buffer_to_svg(&buf, &Theme::dark(ColourLevel::True));
        assert!(svg.contains("fill=\"#010203\">a&lt;b</text>"), "{svg}");
        assert!(svg.contains("<text x=\"37.2\"") && svg.contains("font-weight=\"bold\">&amp;c</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 2);
    }
}
