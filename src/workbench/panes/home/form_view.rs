//! The form on the screen: a line for each setting, and below what the selected one is and what is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::form::{Form, Line};
use crate::recipe::Field;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{header, joined, pointer, put, words, written};

/// Rows of the lower part, where there is room for it.
const BELOW: u16 = 4;

/// Fewest columns in which something is said of a setting.
const LEAST_WORDS: usize = 8;

/// Draws it; gives the rows on which a line can be clicked.
pub fn draw(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, form: &Form) -> Vec<(u16, usize)> {
    let look = seen.look;
    let faults = form.faults().count();
    let facts = [
        form.from.clone(),
        differing(form),
        if form.only { "only these".to_string() } else { String::new() },
        if form.search.is_empty() { String::new() } else { format!("with \"{}\"", form.search) },
        if faults > 0 { format!("{} {faults} to mend", look.glyphs.failed) } else { String::new() },
    ];
    let facts = facts.map(|fact| text::printable(&fact));
    let style = if faults > 0 { look.theme.bad } else { look.theme.dim };
    let body = header(buf, area, look, "new run", seen.focused, joined(&facts, look, style));
    let below = if body.height >= 9 { BELOW } else { u16::from(body.height >= 4) };
    let upper = Rect { height: body.height.saturating_sub(below), ..body };
    let lower = Rect { y: upper.bottom(), height: body.height - upper.height, ..body };
    let lines = form.lines();
    if lines.is_empty() {
        let said = if form.search.is_empty() { "Nothing differs from the preset." } else { "No setting fits." };
        words(buf, upper, said, look.theme.dim);
    }
    let (at, rows) = (form.at(), usize::from(upper.height));
    let first = at.saturating_sub(rows / 2).min(lines.len().saturating_sub(rows));
    let mut placed = Vec::new();
    for (y, (place, line)) in (upper.top()..upper.bottom()).zip(lines.iter().enumerate().skip(first)) {
        put(buf, Rect { y, height: 1, ..upper }, spans(form, line, look, upper.width, place == at));
        placed.push((y, place));
    }
    detail(buf, lower, form, look);
    placed
}

/// How far it is from the preset, in words.
fn differing(form: &Form) -> String {
    match (form.draft.changed(), form.draft.stands_over()) {
        (0, preset) => format!("as {preset} has it"),
        (1, preset) => format!("1 setting differs from {preset}"),
        (count, preset) => format!("{count} settings differ from {preset}"),
    }
}

/// Columns of label, value, and the preset's value.
fn columns(width: u16) -> (usize, usize, usize) {
    let width = usize::from(width);
    match width {
        0..60 => ((width * 9 / 20).saturating_sub(4), width * 9 / 20, 0),
        60..100 => (23, 20, 12),
        _ => (26, 30, 22),
    }
}

fn spans(form: &Form, line: &Line, look: &Look, width: u16, selected: bool) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let (label, value, base) = columns(width);
    let style = if selected { theme.focus.patch(theme.key) } else { theme.text };
    let cell = |text: &str, columns: usize, style: Style| {
        let shown = text::fit(&text::printable(text), columns, look.glyphs.ellipsis);
        let pad = " ".repeat(columns.saturating_sub(text::width(&shown)) + 1);
        Span::styled(shown + &pad, style)
    };
    let row = |mark: Span<'static>, name: &str, what: &str, was: &str, about: &str, faulty: bool| {
        let used = 3 + label + 1 + value + 1 + base + usize::from(base > 0);
        let room = usize::from(width).saturating_sub(used);
        let about = if room < LEAST_WORDS { "" } else { about };
        let about = text::fit(&text::printable(about), room, look.glyphs.ellipsis);
        let shown = if faulty { theme.bad } else { style };
        let mut spans = vec![pointer(selected, look), mark, Span::raw(" ")];
        spans.extend([cell(name, label, style), cell(what, value, shown)]);
        if base > 0 {
            spans.push(cell(was, base, theme.dim));
        }
        spans.push(Span::styled(about, if faulty { theme.bad } else { theme.dim }));
        spans
    };
    let none = || Span::raw(" ");
    match line {
        Line::Head(section) => {
            vec![
                Span::raw(" "),
                Span::styled(format!("{} ", look.glyphs.rule), theme.mark),
                Span::styled(*section, theme.title),
            ]
        }
        Line::Start => match form.faults().count() {
            0 => row(
                Span::styled(look.glyphs.running, theme.good),
                "start this run",
                &form.name(),
                "",
                "Enter begins it",
                false,
            ),
            faults => {
                let mark = Span::styled(look.glyphs.failed, theme.bad);
                row(mark, "start this run", &format!("{faults} to mend first"), "", "", true)
            }
        },
        Line::From => row(none(), "on", &form.from, "", "Enter takes another preset or file", false),
        Line::Name => {
            let fault = form.fault("=name");
            let about = fault.map_or("name of the session", |fault| fault.text.as_str());
            let mark = if fault.is_some() { Span::styled(look.glyphs.failed, theme.bad) } else { none() };
            row(mark, "session", &form.name(), "", about, fault.is_some())
        }
        Line::Limit => {
            let limit = form.limit.map_or("none".to_string(), |limit| text::count(limit as u64));
            row(none(), "limit", &limit, "", "at most so many questions of each kind, for a quick try", false)
        }
        Line::Setting(field) => setting(form, field, look, row),
    }
}

fn setting(
    form: &Form,
    field: &Field,
    look: &Look,
    row: impl Fn(Span<'static>, &str, &str, &str, &str, bool) -> Vec<Span<'static>>,
) -> Vec<Span<'static>> {
    let differs = form.draft.differs(field.key);
    let fault = form.fault(field.key);
    let mark = match (fault.is_some(), differs) {
        (true, _) => Span::styled(look.glyphs.failed, look.theme.bad),
        (false, true) => Span::styled("*", look.theme.warn),
        (false, false) => Span::raw(" "),
    };
    let was = if differs { format!("was {}", shown(&form.draft.base_text(field.key))) } else { String::new() };
    let about = fault.map_or(field.about, |fault| fault.text.as_str());
    row(mark, field.split().1, &shown(&form.draft.text(field.key)), &was, about, fault.is_some())
}

/// A value; words for an empty one.
fn shown(value: &str) -> String {
    if value.is_empty() { "(empty)".to_string() } else { value.to_string() }
}

/// What the selected line is, then what is wrong: with it, else with the first that has a fault.
fn detail(buf: &mut Buffer, area: Rect, form: &Form, look: &Look) {
    let theme = &look.theme;
    let room = usize::from(area.width.saturating_sub(4)).max(1);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let selected = form.selected();
    let fault = match selected {
        Some(Line::Setting(field)) => form.fault(field.key),
        Some(Line::Name) => form.fault("=name"),
        _ => None,
    };
    if let Some(fault) = fault.or_else(|| form.faults().next()) {
        lines.extend(text::wrap(&text::printable(&fault.text), room).into_iter().map(|line| (line, theme.bad)));
    }
    let said = match selected {
        Some(Line::Start) => {
            "Enter or S begins the run; p says first what it would take, s saves the recipe as a file, o shows only what differs"
        }
        Some(Line::From) => {
            "a preset, a TOML file, or the recipe of a session; what is changed here is kept until another is taken"
        }
        Some(Line::Name) => "letters, digits, - _ and . ; left empty, it is the first name that is free",
        Some(Line::Limit) => {
            "sets the numbers of questions below, each to at most this; u gives one back its preset's value"
        }
        _ => "",
    };
    lines.extend(text::wrap(said, room).into_iter().filter(|line| !line.is_empty()).map(|line| (line, theme.dim)));
    if let Some(Line::Setting(field)) = selected {
        let source = if field.source.is_empty() { String::new() } else { format!(" ({})", field.source) };
        let what = format!(
            "{}: {}{source}; {}; {} has {}",
            field.key,
            field.about,
            field.takes.describe(),
            form.draft.stands_over(),
            shown(&form.draft.base_text(field.key))
        );
        lines.extend(text::wrap(&text::printable(&what), room).into_iter().map(|line| (line, theme.dim)));
    }
    let area = if area.height >= BELOW { header(buf, area, look, "what it is", false, vec![]) } else { area };
    written(buf, area, lines);
}
