//! Drawing: the list of templates, the text of the selected one, and the same rendered.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::read::Entry;
use super::{Part, Prompts};
use crate::workbench::look::Look;
use crate::workbench::pane::{Mark, Seen};
use crate::workbench::text;
use crate::workbench::widgets::page::Ink;
use crate::workbench::widgets::{fault, header, joined, put, waiting};

/// From here on the list stands beside the texts.
const WIDE: u16 = 110;
/// From here on template and rendering are both in sight.
const TALL: u16 = 20;
/// Columns of the list.
const LIST: u16 = 46;

/// What the marks mean.
pub fn marks(look: &Look) -> Vec<Mark> {
    let theme = &look.theme;
    let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
    vec![
        mark("*", "differs from the built-in template", theme.edited),
        mark(look.glyphs.failed, "does not work; the text says where", theme.bad),
        mark("{{ name }}", "a variable; `?` behind its name: may be left out", Ink::Name.style(theme)),
        mark("{% if %}", "a word of the language", Ink::Word.style(theme)),
        mark("+", "only in this template", theme.added),
        mark("-", "only in the built-in one", theme.removed),
    ]
}

impl Prompts {
    pub(super) fn paint(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.areas = Default::default();
        if self.entries.value().is_none() {
            let body = header(buf, area, seen.look, "prompts", seen.focused, vec![]);
            if let Some(error) = self.entries.error() {
                fault(buf, body, seen.look, error);
            } else if let Some(since) = self.entries.waiting() {
                waiting(buf, body, seen.look, since, seen.now);
            }
            return;
        }
        if area.width < WIDE || area.height < TALL {
            let rows = (area.height / 3).max(4).min(area.height);
            self.list(Rect { height: rows, ..area }, buf, seen);
            let below = Rect { y: area.y + rows, height: area.height - rows, ..area };
            return match self.part {
                Part::Rendered => self.rendering(below, buf, seen),
                _ => self.source(below, buf, seen),
            };
        }
        self.list(Rect { width: LIST, ..area }, buf, seen);
        let right = Rect { x: area.x + LIST + 1, width: area.width - LIST - 1, ..area };
        let upper = Rect { height: right.height.div_ceil(2), ..right };
        self.source(upper, buf, seen);
        self.rendering(Rect { y: upper.bottom(), height: right.height - upper.height, ..right }, buf, seen);
    }

    fn list(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        self.areas[0] = area;
        let Some(entries) = self.entries.value() else { return };
        let changed = entries.all.iter().filter(|entry| entry.differs()).count();
        let mut facts = vec![if seen.session.is_some() { "of this session" } else { "built in" }.to_string()];
        facts.push(if changed > 0 { format!("{changed} changed") } else { String::new() });
        if let Some(since) = self.editing.busy() {
            facts.push(format!("at work, {}", text::clock(seen.now.saturating_sub(since))));
        }
        let facts = joined(&facts, look, look.theme.dim);
        let body = header(buf, area, look, "prompts", seen.focused && self.part == Part::List, facts);
        let rows = usize::from(body.height);
        let top = self.scroll[0].clamp((self.at + 1).saturating_sub(rows), self.at);
        self.scroll[0] = top.min(entries.all.len().saturating_sub(rows));
        let shown = entries.all.iter().enumerate().skip(self.scroll[0]);
        for (y, (at, entry)) in (body.top()..body.bottom()).zip(shown) {
            let row = Rect { y, height: 1, ..body };
            put(buf, row, line(entry, look, usize::from(body.width), at == self.at));
            if at == self.at {
                buf.set_style(row.intersection(buf.area), look.theme.selected);
            }
        }
    }

    fn source(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        self.areas[1] = area;
        let Some(entry) = self.entry() else { return };
        let facts = [entry.kind.name().to_string(), entry.hash.clone(), text::printable(&entry.origin)];
        let name = if self.diff { "against the built-in" } else { "template" };
        let focused = seen.focused && self.part == Part::Source;
        let body = header(buf, area, look, name, focused, joined(&facts, look, look.theme.dim));
        let diff = self.diff;
        let Some(entry) = self.entries.value_mut().and_then(|entries| entries.all.get_mut(self.at)) else { return };
        let page = if diff { &mut entry.diff } else { &mut entry.page };
        page.draw(buf, inside(body), &look.theme, &mut self.scroll[1]);
    }

    fn rendering(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        self.areas[2] = area;
        let kind = self.entry().map(|entry| entry.kind);
        let fitting = self.rendered.value().filter(|rendered| Some(rendered.kind) == kind);
        let facts = fitting.map_or(Vec::new(), |rendered| vec![rendered.question.clone(), rendered.known.clone()]);
        let focused = seen.focused && self.part == Part::Rendered;
        let body = header(buf, area, look, "rendered", focused, joined(&facts, look, look.theme.dim));
        if let Some(error) = self.rendered.error() {
            return fault(buf, body, look, error);
        }
        if fitting.is_none() {
            if let Some(since) = self.rendered.waiting() {
                waiting(buf, body, look, since, seen.now);
            }
            return;
        }
        if let Some(rendered) = self.rendered.value_mut() {
            rendered.page.draw(buf, inside(body), &look.theme, &mut self.scroll[2]);
        }
    }
}

fn inside(body: Rect) -> Rect {
    Rect { x: body.x + 1.min(body.width), width: body.width.saturating_sub(2), ..body }
}

/// One template: mark, name, who is asked, hash, where it comes from.
fn line(entry: &Entry, look: &Look, columns: usize, selected: bool) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let mark = if selected { look.glyphs.selected } else { " " };
    let (sign, style) = match (&entry.fault, entry.differs()) {
        (Some(_), _) => (look.glyphs.failed, theme.bad),
        (None, true) => ("*", theme.edited),
        (None, false) => (" ", theme.dim),
    };
    let named = if selected { theme.focus } else { theme.text };
    let asks = if entry.kind.is_teachers() { "teacher" } else { "student" };
    let mut spans = vec![Span::styled(format!("{mark}{sign} "), style)];
    spans.push(Span::styled(format!("{:<17}", entry.kind.name()), named));
    spans.push(Span::styled(format!("{asks} "), theme.dim));
    spans.push(Span::styled(format!("{:.6} ", entry.hash), theme.dim));
    let used: usize = spans.iter().map(Span::width).sum();
    let origin =
        if columns > 70 { format!("{:<16} {}", entry.origin, entry.kind.words()) } else { entry.origin.clone() };
    spans.push(Span::styled(text::fit(&origin, columns.saturating_sub(used + 1), look.glyphs.ellipsis), theme.dim));
    spans
}
