//! Pieces that several panes draw with. Each draws into any area and does nothing where there is no room.

pub mod highlight;
pub mod page;
pub mod plot;
pub mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::text;

/// Time after which a query is said to be slow: shorter waits would only flicker.
const SLOW: Duration = Duration::from_millis(250);

/// Stands where words are cut whose drawing knows no glyphs; [`ascii`](super::ascii) writes it in its own way.
const CUT: &str = "…";

/// Writes spans into one row; where words don't fit, a mark stands at its end. Blanks and rules end anywhere.
pub fn put(buf: &mut Buffer, row: Rect, spans: Vec<Span<'_>>) {
    let row = row.intersection(buf.area);
    if row.height == 0 || row.width == 0 {
        return;
    }
    let line = Line::from(spans);
    buf.set_line(row.x, row.y, &line, row.width);
    if let Some(style) = first_missing(&line, usize::from(row.width)) {
        let last = row.right() - 1;
        // Half of a wide character stays nowhere.
        if let Some(cell) = last.checked_sub(1).filter(|x| *x >= row.x).and_then(|x| buf.cell_mut((x, row.y)))
            && text::width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
        buf.set_string(last, row.y, CUT, style);
    }
}

/// The style of the first word that lies beyond so many columns; `None` where all words fit.
fn first_missing(line: &Line<'_>, columns: usize) -> Option<Style> {
    let mut used = 0;
    for span in &line.spans {
        let wide = span.width();
        if used + wide > columns {
            let mut at = used;
            let beyond = span.content.chars().any(|c| {
                at += text::width(c.encode_utf8(&mut [0; 4]));
                at > columns && !c.is_whitespace() && !is_rule(c)
            });
            if beyond {
                return Some(line.style.patch(span.style));
            }
        }
        used += wide;
    }
    None
}

/// Whether a character only fills a line.
fn is_rule(c: char) -> bool {
    matches!(c, '-' | '_' | '=' | '#' | '.') || ('\u{2500}'..='\u{259f}').contains(&c)
}

/// The mark of the selected row of a list, one column wide.
pub fn pointer(selected: bool, look: &Look) -> Span<'static> {
    if selected { Span::styled(look.glyphs.selected, look.theme.key) } else { Span::raw(" ") }
}

/// Writes spans right-aligned into a row, when they fit beside `taken` columns.
pub fn put_right(buf: &mut Buffer, row: Rect, taken: usize, spans: Vec<Span<'_>>) {
    let line = Line::from(spans);
    let width = line.width();
    if row.height > 0 && taken + width < usize::from(row.width) {
        buf.set_line(row.right() - width as u16, row.y, &line, width as u16);
    }
}

/// Spans in at most so many columns; the ellipsis says where there are more.
pub fn cut<'a>(spans: Vec<Span<'a>>, columns: usize, look: &Look) -> Vec<Span<'a>> {
    if spans.iter().map(Span::width).sum::<usize>() <= columns {
        return spans;
    }
    let mut left = columns;
    let mut kept = Vec::new();
    for span in spans {
        if span.width() >= left {
            let words = text::fit(&format!("{} ", span.content), left, look.glyphs.ellipsis);
            kept.push(Span::styled(words, span.style));
            break;
        }
        left -= span.width();
        kept.push(span);
    }
    kept
}

/// The header of a pane: ` ─ name ─ facts ────`. Returns the area below it.
pub fn header(buf: &mut Buffer, area: Rect, look: &Look, name: &str, focused: bool, facts: Vec<Span<'_>>) -> Rect {
    if area.height == 0 {
        return area;
    }
    let rule = |count: usize| Span::styled(look.glyphs.rule.repeat(count), look.theme.mark);
    let name_style = if focused { look.theme.focus.patch(look.theme.key) } else { look.theme.focus };
    let mut spans = vec![Span::raw(" "), rule(1), Span::raw(" "), Span::styled(name.to_string(), name_style)];
    if !facts.is_empty() {
        spans.extend([Span::raw(" "), rule(1), Span::raw(" ")]);
        let used: usize = spans.iter().map(Span::width).sum();
        spans.extend(cut(facts, usize::from(area.width).saturating_sub(used), look));
    }
    spans.push(Span::raw(" "));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(rule(usize::from(area.width).saturating_sub(used + 1)));
    put(buf, Rect { height: 1, ..area }, spans);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// A progress bar of `columns` cells.
pub fn bar(share: f64, columns: usize, look: &Look) -> Vec<Span<'static>> {
    let steps = look.glyphs.bar.len() - 1;
    let filled = (share.clamp(0.0, 1.0) * (columns * steps) as f64) as usize;
    let (whole, part) = (filled / steps, filled % steps);
    let mut done = look.glyphs.bar[steps].repeat(whole);
    if part > 0 {
        done.push_str(look.glyphs.bar[part]);
    }
    let left = columns - whole - usize::from(part > 0);
    vec![Span::styled(done, look.theme.bar), Span::styled(look.glyphs.track.repeat(left), look.theme.track)]
}

/// Facts joined by a dot, in one style.
pub fn joined(facts: &[String], look: &Look, style: Style) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", look.glyphs.dot), look.theme.dim));
        }
        spans.push(Span::styled(fact.clone(), style));
    }
    spans
}

/// A bar at the right end of an area, that says which of `len` rows are in sight from `top` on; nothing where all are.
pub fn scroll_bar(buf: &mut Buffer, area: Rect, look: &Look, len: usize, top: usize) {
    let height = usize::from(area.height);
    if len <= height || area.width == 0 || height == 0 {
        return;
    }
    let long = (height * height / len).max(1);
    let free = height - long;
    let start = (top.min(len - height) * free / (len - height)).min(free);
    let thumb = look.glyphs.bar.last().copied().unwrap_or_default();
    for (at, y) in (area.top()..area.bottom()).enumerate() {
        let inside = (start..start + long).contains(&at);
        let (glyph, style) = if inside { (thumb, look.theme.dim) } else { (look.glyphs.border[5], look.theme.track) };
        put(buf, Rect { x: area.right() - 1, y, width: 1, height: 1 }, vec![Span::styled(glyph, style)]);
    }
}

/// Words in the upper part of an area that has nothing else to show, broken into lines.
pub fn words(buf: &mut Buffer, area: Rect, words: &str, style: Style) {
    let lines = text::wrap(words, usize::from(area.width.saturating_sub(6)));
    // Where there is a single row, the words come before the space above them.
    let above = u16::from(area.height > 1);
    let area = Rect { y: area.y.saturating_add(above), height: area.height - above, ..area };
    written(buf, area, lines.into_iter().map(|line| (line, style)));
}

/// Writes lines that fit the width, indented, from the top; the last row says where there are more. Gives the row behind
/// them.
pub fn written(buf: &mut Buffer, area: Rect, lines: impl IntoIterator<Item = (String, Style)>) -> u16 {
    let mut lines = lines.into_iter().peekable();
    for y in area.top()..area.bottom() {
        let Some((mut line, style)) = lines.next() else { return y };
        if y + 1 == area.bottom() && lines.peek().is_some() {
            line = text::fit(&line, usize::from(area.width.saturating_sub(4)), "") + CUT;
        }
        put(buf, Rect { y, height: 1, ..area }, vec![Span::raw("   "), Span::styled(line, style)]);
    }
    area.bottom()
}

/// What a pane says that has nothing to show because no session is open.
pub const NO_SESSION: &str = "no session is open: 1 goes home, where they are";

/// What stands where a session would be shown.
pub fn no_session(buf: &mut Buffer, area: Rect, look: &Look) {
    words(buf, area, NO_SESSION, look.theme.dim);
}

/// What stands where an answer is still waited for: nothing for a moment, then that it takes a while, since when, and how
/// to give up.
pub fn waiting(buf: &mut Buffer, area: Rect, look: &Look, since: Duration, now: Duration) {
    let waited = now.saturating_sub(since);
    if waited < SLOW {
        return;
    }
    let frames = look.glyphs.spark;
    let turn = if look.reduced_motion { 0 } else { (waited.as_millis() / 120) as usize % frames.len() };
    let said = format!("{} reading, {} so far; Ctrl-G gives up", frames[turn], text::clock(waited));
    words(buf, area, &said, look.theme.dim);
}

/// What stands where an answer could not be had.
pub fn fault(buf: &mut Buffer, area: Rect, look: &Look, error: &str) {
    words(buf, area, &format!("{} {}", look.glyphs.failed, text::printable(error)), look.theme.bad);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::probe::ColourLevel;
    use crate::workbench::theme::Theme;

    fn shown(width: u16, draw: impl Fn(&mut Buffer)) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 2));
        draw(&mut buf);
        (0..width).map(|x| buf[(x, 0)].symbol().to_string()).collect()
    }

    #[test]
    fn words_that_do_not_fit_a_row_leave_a_sign() {
        let row = |width, words: &'static str| {
            let put = |buf: &mut Buffer| put(buf, Rect { height: 1, ..buf.area }, vec![Span::raw(" "), words.into()]);
            shown(width, put)
        };
        assert_eq!(row(8, "one two"), " one two");
        assert_eq!(row(7, "one two"), " one t…");
        assert_eq!(row(7, "one    "), " one   ", "blanks end anywhere");
        assert_eq!(row(7, "one ─────"), " one ──", "and so do rules");
        assert_eq!((row(5, "日本語"), row(1, "ab")), (" 日  …".to_string(), "…".to_string()));
        assert_eq!(row(4, "a日本"), " a …", "half of a wide character stays nowhere");
    }

    #[test]
    fn lines_that_find_no_row_leave_a_sign() {
        let lines = |rows: u16, count: usize| {
            shown(12, |buf| {
                let lines = ["one", "two"].map(|line| (line.to_string(), Style::new()));
                let used = written(buf, Rect { height: rows, ..buf.area }, lines.into_iter().take(count));
                assert_eq!(usize::from(used), count.min(rows.into()));
            })
        };
        assert_eq!([lines(1, 1), lines(1, 2), lines(2, 2)].map(|row| row.trim().to_string()), ["one", "one…", "one"]);
    }

    #[test]
    fn what_is_cut_says_so_and_never_goes_over() {
        let look = Look::new(Theme::dark(ColourLevel::True), false);
        let cut = |columns| -> String {
            let spans = vec![Span::raw("two"), Span::raw(" · "), Span::raw("日本")];
            cut(spans, columns, &look).iter().map(|span| span.content.as_ref()).collect()
        };
        for (columns, shown) in [(10, "two · 日本"), (9, "two · 日…"), (6, "two ·…"), (3, "tw…"), (1, "…"), (0, "")]
        {
            assert_eq!(cut(columns), shown, "{columns}");
        }
    }
}
