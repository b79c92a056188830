//! The list on the screen: sessions and presets, and below what is known of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::chores::Chores;
use super::detail::{self, Paragraph};
use super::list::{Item, List};
use super::rows::Row;
use crate::recipe::preset_about;
use crate::session::show_size;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{fault, header, joined, pointer, put, waiting, written};

/// A column: its title, its width, whether it stands on the right.
type Column = (&'static str, usize, bool);

/// Draws it; gives the rows on which an item can be clicked.
pub fn draw(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, list: &List, chores: &Chores) -> Vec<(u16, usize)> {
    let look = seen.look;
    let count = list.rows().map_or(0, <[Row]>::len);
    let facts = [
        if count == 1 { "1 session".to_string() } else { format!("{} sessions", text::count(count as u64)) },
        if list.marked.is_empty() { String::new() } else { format!("{} marked", list.marked.len()) },
        if list.filter.is_empty() { String::new() } else { format!("with \"{}\"", text::printable(&list.filter)) },
    ];
    let body = header(buf, area, look, "sessions", seen.focused, joined(&facts, look, look.theme.dim));
    if list.rows().is_none() {
        match (list.error(), list.waiting()) {
            (Some(error), _) => fault(buf, body, look, error),
            (None, Some(since)) => waiting(buf, body, look, since, seen.now),
            (None, None) => {}
        }
        return Vec::new();
    }
    let paragraphs = detail::of(list, seen);
    let room = usize::from(body.width.saturating_sub(4)).max(1);
    let below = if list.is_first_start() { 0 } else { lower(&paragraphs, list.items().len(), body, room) };
    let upper = Rect { height: body.height - below, ..body };
    let placed = if list.is_first_start() {
        let after = welcome(buf, upper, look);
        items(buf, after, seen, list, chores)
    } else {
        items(buf, upper, seen, list, chores)
    };
    if below > 0 {
        let area = Rect { y: upper.bottom(), height: below, ..body };
        let area = header(buf, area, look, &detail::title(list), false, vec![]);
        write(buf, area, &paragraphs);
    }
    placed
}

/// Rows of the lower part: as many as it says, while the list keeps more than half, or all that it fills.
fn lower(paragraphs: &[Paragraph], items: usize, body: Rect, room: usize) -> u16 {
    if body.height < 10 {
        return 0;
    }
    let lines: usize = paragraphs.iter().map(|(words, _)| text::wrap(words, room).len()).sum();
    // The titles of the columns and of the presets stand among the items.
    let free = usize::from(body.height).saturating_sub(items + 2);
    u16::try_from((lines + 1).min(free.max(usize::from(body.height) * 9 / 20))).unwrap_or(body.height)
}

fn write(buf: &mut Buffer, area: Rect, paragraphs: &[Paragraph]) -> u16 {
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    let lines = paragraphs.iter().flat_map(|(words, style)| text::wrap(words, room).into_iter().map(|l| (l, *style)));
    written(buf, area, lines)
}

/// What stands above the presets while there is no session; gives what is left of the area.
fn welcome(buf: &mut Buffer, area: Rect, look: &Look) -> Rect {
    let theme = &look.theme;
    let demo = text::printable(&preset_about("demo"));
    let demo = demo.split_once(". ").map_or(demo.as_str(), |(first, _)| first);
    let lines: Vec<Paragraph> = vec![
        (String::new(), theme.text),
        ("There is no session here yet.".to_string(), theme.text),
        (String::new(), theme.text),
        ("Enter, or d, runs the demo.".to_string(), theme.key),
        (
            format!(
                "{demo}. A small student is measured, taught with bridged traces, trained with GRPO, and taught again \
                 from its failures. Nothing is downloaded, no key is needed; it can be paused and stopped, and goes on \
                 where it was."
            ),
            theme.text,
        ),
        (String::new(), theme.text),
        ("n begins a run of your own: choose a preset or a TOML file and change what you like.".to_string(), theme.dim),
        (String::new(), theme.text),
    ];
    let y = write(buf, area, &lines);
    Rect { y, height: area.bottom().saturating_sub(y), ..area }
}

/// The list itself, the selected item among what is shown.
fn items(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, list: &List, chores: &Chores) -> Vec<(u16, usize)> {
    let look = seen.look;
    let (items, at) = (list.items(), list.at());
    let columns = columns(list, area.width);
    let mut lines: Vec<(Option<usize>, Vec<Span<'static>>)> = Vec::new();
    if items.iter().any(|item| matches!(item, Item::Session(_))) {
        lines.push((None, titles(&columns, look)));
    }
    let mut presets = false;
    for (place, item) in items.iter().enumerate() {
        let selected = place == at;
        match item {
            Item::Session(name) => {
                if let Some(row) = list.row(name) {
                    lines.push((Some(place), session(row, list, seen, &columns, (selected, chores.busy(name)))));
                }
            }
            Item::Preset(name) => {
                if !std::mem::replace(&mut presets, true) {
                    lines.push((None, vec![Span::styled("    presets", look.theme.dim)]));
                }
                lines.push((Some(place), preset(name, look, area.width, selected)));
            }
        }
    }
    if items.is_empty() {
        lines.push((None, vec![Span::styled("    nothing fits", look.theme.dim)]));
    }
    let rows = usize::from(area.height);
    let chosen = lines.iter().position(|(place, _)| *place == Some(at)).unwrap_or(0);
    let first = chosen.saturating_sub(rows / 2).min(lines.len().saturating_sub(rows));
    let mut placed = Vec::new();
    for (y, (place, line)) in (area.top()..area.bottom()).zip(lines.into_iter().skip(first)) {
        let row = Rect { y, height: 1, ..area };
        put(buf, row, line);
        if place == Some(at) {
            buf.set_style(row, look.theme.selected);
        }
        placed.extend(place.map(|place| (y, place)));
    }
    placed
}

/// The columns that there is room for.
fn columns(list: &List, width: u16) -> Vec<Column> {
    let rows = list.rows().unwrap_or_default();
    let name = rows.iter().map(|row| text::width(row.name())).max().unwrap_or(0).clamp(7, 24);
    let mut columns: Vec<Column> = vec![("session", name, false), ("activity", 9, false)];
    if width >= 60 {
        columns.push(("recipe", if width >= 110 { 21 } else { 12 }, false));
    }
    if width >= 110 {
        columns.extend([("arm", 8, false), ("seed", 6, true)]);
    }
    let after = if width >= 60 { 9 + 7 + 2 } else { 0 };
    let used: usize = columns.iter().map(|(_, wide, _)| wide + 1).sum();
    columns.push(("how far, what came out", usize::from(width).saturating_sub(used + after + 5), false));
    if width >= 60 {
        columns.extend([("size", 9, true), ("changed", 7, true)]);
    }
    columns
}

fn cell(text: &str, (_, wide, right): &Column, look: &Look) -> String {
    let shown = text::fit(text, *wide, look.glyphs.ellipsis);
    let pad = " ".repeat(wide.saturating_sub(text::width(&shown)));
    if *right { format!("{pad}{shown} ") } else { format!("{shown}{pad} ") }
}

fn titles(columns: &[Column], look: &Look) -> Vec<Span<'static>> {
    let words: String = columns.iter().map(|column| cell(column.0, column, look)).collect();
    vec![Span::raw("    "), Span::styled(words, look.theme.dim)]
}

fn session(
    row: &Row,
    list: &List,
    seen: &Seen<'_>,
    columns: &[Column],
    (selected, busy): (bool, bool),
) -> Vec<Span<'static>> {
    let (look, theme) = (seen.look, &seen.look.theme);
    let (glyph, style) = match row.activity() {
        "running" => (look.glyphs.running, theme.running),
        "done" => (look.glyphs.done, theme.good),
        "damaged" => (look.glyphs.failed, theme.bad),
        _ => (look.glyphs.stopped, theme.warn),
    };
    let open = seen.session == Some(row.name());
    let plain = match (selected, open) {
        (true, _) => theme.focus.patch(theme.key),
        (false, true) => theme.focus,
        (false, false) => theme.text,
    };
    let mark = if list.marked.contains(row.name()) { "*" } else { " " };
    let mut spans =
        vec![pointer(selected, look), Span::styled(mark, theme.warn), Span::styled(glyph, style), Span::raw(" ")];
    for column in columns {
        let (words, style) = match column.0 {
            "activity" if busy => ("changing".to_string(), Some(true)),
            title => words_of(row, list, title, open),
        };
        let style = style.map_or(plain, |dim: bool| if dim { theme.dim } else { theme.text });
        spans.push(Span::styled(cell(&text::printable(&words), column, look), style));
    }
    spans
}

/// What stands in a column, and whether it is context.
fn words_of(row: &Row, list: &List, column: &str, open: bool) -> (String, Option<bool>) {
    let made = row.made.as_ref().ok();
    match column {
        "session" => (row.name().to_string(), None),
        "activity" => (format!("{}{}", row.activity(), if open { " @" } else { "" }), Some(false)),
        "recipe" => (made.map_or("?".to_string(), |made| made.of()), Some(false)),
        "arm" => (made.map_or(String::new(), |made| made.recipe.arm.name().to_string()), Some(false)),
        "seed" => (made.map_or(String::new(), |made| made.recipe.seed.to_string()), Some(true)),
        "size" => (show_size(row.summary.bytes), Some(true)),
        "changed" => (row.ago.clone(), Some(true)),
        _ => {
            let found = list.digest(row.name()).and_then(|found| found.as_ref().ok());
            let headline = found.and_then(|digest| digest.headline()).filter(|_| row.activity() == "done");
            (headline.unwrap_or_else(|| row.summary.line.clone()), Some(false))
        }
    }
}

fn preset(name: &'static str, look: &Look, width: u16, selected: bool) -> Vec<Span<'static>> {
    let style: Style = if selected { look.theme.focus.patch(look.theme.key) } else { look.theme.text };
    let wide = if width >= 60 { 22 } else { 19 };
    let about = text::fit(&preset_about(name), usize::from(width).saturating_sub(wide + 5), look.glyphs.ellipsis);
    vec![
        pointer(selected, look),
        Span::raw("   "),
        Span::styled(format!("{name:<wide$}"), style),
        Span::styled(about, look.theme.dim),
    ]
}
