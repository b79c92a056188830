//! Drawing of the layers: framed windows in the middle, as large as their content or as the screen allows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::layers::{Body, Layer};
use super::picker::Picker;
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::widgets::{pointer, put, put_right};

/// Widest text of a window.
const WIDEST: usize = 96;
/// Rows of a list that a window shows at most.
const LIST: usize = 14;

/// Draws a layer into the screen's `area`; its last row is the hints' and stays free. Gives the frame.
pub fn draw(buf: &mut Buffer, area: Rect, layer: &mut Layer, look: &Look) -> Rect {
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let room = usize::from(area.width).saturating_sub(4).min(WIDEST);
    match &mut layer.body {
        Body::Confirm { lines, .. } => {
            let lines: Lines = lines
                .iter()
                .flat_map(|line| text::wrap(&text::printable(line), room))
                .map(|line| vec![Span::raw(line)])
                .collect();
            reading(buf, area, look, &layer.title, &lines, &mut 0)
        }
        Body::Read { lines, scroll } => reading(buf, area, look, &layer.title, lines, scroll),
        Body::Line { input, remark, .. } => {
            let inner = window(buf, area, look, &layer.title, room, 2);
            let columns = usize::from(inner.width.saturating_sub(2));
            let skip = input.visual_scroll(columns);
            field(buf, inner, look, input.value(), input.visual_cursor(), skip);
            let row = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1).min(1), ..inner };
            put(buf, row, vec![Span::styled(text::printable(remark), look.theme.warn)]);
            inner
        }
        Body::Lines { area: field } => {
            let rows = (field.lines().len() + 3).clamp(6, usize::from(area.height));
            let inner = window(buf, area, look, &layer.title, room, rows);
            Widget::render(&**field, inner, buf);
            inner
        }
        Body::Choose { picker } | Body::Palette { picker, .. } => list(buf, area, look, &layer.title, picker),
    }
}

type Lines = Vec<Vec<Span<'static>>>;

/// Lines to read; they are scrolled no further than to the last.
fn reading(buf: &mut Buffer, area: Rect, look: &Look, title: &str, lines: &Lines, scroll: &mut usize) -> Rect {
    let widest = lines.iter().map(|line| line.iter().map(Span::width).sum::<usize>()).max().unwrap_or(0);
    let inner = window(buf, area, look, title, widest.max(text::width(title) + 2), lines.len());
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    let first = (*scroll).min(hidden);
    *scroll = first;
    if hidden > first {
        let more = format!(" {} more below ", hidden - first);
        let row = Rect { y: inner.bottom(), height: 1, ..inner };
        put_right(buf, row.intersection(buf.area), 0, vec![Span::styled(more, look.theme.warn)]);
    }
    for (y, line) in (inner.top()..inner.bottom()).zip(lines.iter().skip(first)) {
        put(buf, Rect { y, height: 1, ..inner }, line.clone());
    }
    inner
}

/// A row of text with a block where the cursor is; the row is scrolled by `skip` columns.
fn field(buf: &mut Buffer, row: Rect, look: &Look, value: &str, cursor: usize, skip: usize) {
    if row.width < 3 || row.height == 0 {
        return;
    }
    put(buf, Rect { height: 1, ..row }, vec![Span::styled("> ", look.theme.key)]);
    let (mut at, mut x) = (0, row.x + 2);
    for c in value.chars() {
        let wide = text::width(c.encode_utf8(&mut [0; 4]));
        if at >= skip && x + wide as u16 <= row.right() {
            buf.set_string(x, row.y, c.to_string(), look.theme.text);
            x += wide as u16;
        }
        at += wide;
    }
    let x = row.x + 2 + cursor.saturating_sub(skip) as u16;
    if let Some(cell) = buf.cell_mut((x.min(row.right() - 1), row.y)) {
        cell.modifier.insert(Modifier::REVERSED);
    }
}

fn list(buf: &mut Buffer, area: Rect, look: &Look, title: &str, picker: &Picker) -> Rect {
    let widest = picker.widest() + 2;
    let rows = picker.fitting().len().clamp(1, LIST) + 1;
    let inner = window(buf, area, look, title, widest.clamp(40, WIDEST), rows.max(LIST.min(6)));
    let columns = usize::from(inner.width.saturating_sub(2));
    let typed = picker.typed();
    field(buf, inner, look, typed.value(), typed.visual_cursor(), typed.visual_scroll(columns));
    let rows = usize::from(inner.height.saturating_sub(1));
    let first = (picker.at() + 1).saturating_sub(rows);
    for (y, (place, &at)) in (inner.y + 1..inner.bottom()).zip(picker.fitting().iter().enumerate().skip(first)) {
        let chosen = place == picker.at();
        let style = if chosen { look.theme.focus.patch(look.theme.key) } else { look.theme.text };
        let item = text::fit(picker.item(at), columns, look.glyphs.ellipsis);
        put(
            buf,
            Rect { y, height: 1, ..inner },
            vec![pointer(chosen, look), Span::raw(" "), Span::styled(item, style)],
        );
    }
    if picker.fitting().is_empty() && inner.height > 1 {
        put(buf, Rect { y: inner.y + 1, height: 1, ..inner }, vec![Span::styled("  nothing fits", look.theme.dim)]);
    }
    inner
}

/// An empty framed window for so many columns and rows of content; gives the area inside.
fn window(buf: &mut Buffer, area: Rect, look: &Look, title: &str, columns: usize, rows: usize) -> Rect {
    let width = (columns as u16).saturating_add(4).min(area.width);
    let height = (rows as u16).saturating_add(2).min(area.height);
    if width < 5 || height < 3 {
        // No room for a frame: the content alone.
        let bare = Rect { height: area.height.min(rows.min(usize::from(u16::MAX)) as u16), ..area };
        blank(buf, bare, look);
        return bare;
    }
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    blank(buf, outer, look);
    border(buf, outer, look, title);
    Rect { x: outer.x + 2, y: outer.y + 1, width: width - 4, height: height - 2 }
}

fn blank(buf: &mut Buffer, area: Rect, look: &Look) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(look.theme.text);
            }
        }
    }
}

fn border(buf: &mut Buffer, area: Rect, look: &Look, title: &str) {
    let [top_left, top_right, bottom_right, bottom_left, across, down] = look.glyphs.border;
    let style = look.theme.dim;
    let middle = across.repeat(usize::from(area.width) - 2);
    buf.set_string(area.x, area.y, format!("{top_left}{middle}{top_right}"), style);
    buf.set_string(area.x, area.bottom() - 1, format!("{bottom_left}{middle}{bottom_right}"), style);
    for y in area.y + 1..area.bottom() - 1 {
        buf.set_string(area.x, y, down, style);
        buf.set_string(area.right() - 1, y, down, style);
    }
    let name = text::fit(title, usize::from(area.width).saturating_sub(6), look.glyphs.ellipsis);
    if !name.is_empty() {
        buf.set_string(area.x + 2, area.y, format!(" {name} "), look.theme.title);
    }
}
