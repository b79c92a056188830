//! Drawing: the list with its counts, error types as bars, and the pages of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::rows::{NO_DIAGNOSIS, Row, found_word};
use super::{Part, Recycle};
use crate::session::records::Status;
use crate::workbench::look::Look;
use crate::workbench::pane::{Mark, Seen};
use crate::workbench::text;
use crate::workbench::widgets::page::Ink;
use crate::workbench::widgets::{bar, fault, header, joined, no_session, put, waiting, words};

/// From here on the list stands beside the pages.
const WIDE: u16 = 100;
/// From here on all pages are in sight.
const TALL: u16 = 24;
/// From here on near-miss and diagnosis stand side by side.
const PAIR: u16 = 96;
/// From here on rows say who decided.
const ROOMY: usize = 56;
/// Rows of error types, at most.
const TYPES: u16 = 8;

/// What the marks mean.
pub fn marks(look: &Look) -> Vec<Mark> {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
    let standing = |status: Status, meaning| mark(status.name(), meaning, theme.status(&status));
    vec![
        standing(Status::Proposed, "passed its checks, waits for a decision"),
        standing(Status::Review { reason: String::new() }, "failed a check, waits for a look"),
        standing(Status::Approved, "trained on as the teacher wrote it"),
        standing(Status::Edited, "trained on as a researcher wrote it"),
        standing(Status::Rejected { reason: String::new() }, "never trained on"),
        mark(
            "exact",
            "how the first error was found: exact, normal (apart from spelling), fuzzy (nearly), none",
            theme.text,
        ),
        mark("rep", "the response repeats itself", theme.warn),
        mark(glyphs.border[5], "the right beginning, which the repair lesson is given", theme.good),
        mark(glyphs.here, "the first error, as the diagnosis names it", theme.bad),
        mark("trained", "what the student is trained to say", theme.good),
    ]
}

impl Recycle {
    pub(super) fn paint(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.areas = Default::default();
        if self.rows.value().is_none() || self.all().is_empty() {
            return self.bare(area, buf, seen);
        }
        if area.width < WIDE || area.height < TALL {
            return self.small(area, buf, seen);
        }
        let focused = seen.focused && self.part == Part::List;
        let area = header(buf, area, seen.look, "recycle", focused, self.facts(seen));
        let left = Rect { width: (area.width * 2 / 5).clamp(46, 76), ..area };
        let right = Rect { x: left.right() + 1, width: area.width - left.width - 1, ..area };
        let types = (self.errors.len() as u16 + 1).min(TYPES).min(left.height / 3);
        let list = Rect { height: left.height - types, ..left };
        self.list(list, buf, seen);
        self.types(Rect { y: list.bottom(), height: types, ..left }, buf, seen);
        let upper = Rect { height: right.height / 2, ..right };
        let lower = Rect { y: upper.bottom(), height: right.height - upper.height, ..right };
        if right.width >= PAIR {
            let half = Rect { width: upper.width / 2, ..upper };
            let other = Rect { x: half.right() + 1, width: upper.width - half.width - 1, ..upper };
            self.page(Part::Miss, half, buf, seen);
            self.page(Part::Diagnosis, other, buf, seen);
            self.page(Part::Lessons, lower, buf, seen);
        } else {
            let third = Rect { height: right.height / 3, ..right };
            self.page(Part::Miss, third, buf, seen);
            self.page(Part::Diagnosis, Rect { y: third.bottom(), ..third }, buf, seen);
            let top = third.bottom() + third.height;
            self.page(Part::Lessons, Rect { y: top, height: right.bottom() - top, ..right }, buf, seen);
        }
    }

    /// Without rows: why there are none.
    fn bare(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let body = header(buf, area, seen.look, "recycle", seen.focused, vec![]);
        if let Some(error) = self.rows.error() {
            fault(buf, body, seen.look, error);
        } else if seen.session.is_none() {
            no_session(buf, body, seen.look);
        } else if let (None, Some(since)) = (self.rows.value(), self.rows.waiting()) {
            waiting(buf, body, seen.look, since, seen.now);
        } else if self.rows.value().is_some() {
            let why = "nothing has failed yet: failed questions come with the stage recycle, after the rollouts of an \
                       iteration have been split";
            words(buf, body, why, seen.look.theme.dim);
        }
    }

    /// The list, below it one page; which one follows the focus.
    fn small(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let rows = (area.height / 3).max(4).min(area.height);
        let list = Rect { height: rows, ..area };
        let focused = seen.focused && self.part == Part::List;
        let body = header(buf, list, seen.look, "recycle", focused, self.facts(seen));
        self.list(body, buf, seen);
        let below = Rect { y: list.bottom(), height: area.height - rows, ..area };
        let part = if self.part == Part::List { Part::Miss } else { self.part };
        self.page(part, below, buf, seen);
    }

    fn list(&mut self, body: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        self.areas[0] = body;
        let rows = usize::from(body.height);
        if self.shown.is_empty() {
            return words(buf, body, "nothing fits the filter; Esc takes it away", look.theme.dim);
        }
        let place = self.place().unwrap_or(0);
        let top =
            self.scroll[0].clamp((place + 1).saturating_sub(rows), place).min(self.shown.len().saturating_sub(rows));
        self.scroll[0] = top;
        let ids = self.shown.iter().skip(top).take(rows).map(|at| text::width(&self.all()[*at].question)).max();
        let ids = ids.unwrap_or(0).min(14);
        for (y, (at, index)) in (body.top()..body.bottom()).zip(self.shown.iter().enumerate().skip(top)) {
            let spans = line(&self.all()[*index], look, (ids, usize::from(body.width)), at == place);
            let row = Rect { y, height: 1, ..body };
            put(buf, row, spans);
            if at == place {
                buf.set_style(row.intersection(buf.area), look.theme.selected);
            }
        }
    }

    /// Iteration, queue counts, filter, what is under way.
    fn facts(&self, seen: &Seen<'_>) -> Vec<Span<'static>> {
        let look = seen.look;
        let count = |name: &str| self.standings.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
        let mut facts = Vec::new();
        if let Some((what, since)) = self.deciding.waiting() {
            facts.push(format!("{what}: {} so far", text::clock(seen.now.saturating_sub(since))));
        }
        facts.push(self.iteration.map_or("all iterations".to_string(), |iteration| format!("iteration {iteration}")));
        if self.shown.len() as u64 != self.standings.iter().map(|(_, count)| count).sum::<u64>() {
            facts.push(format!("{} shown", text::count(self.shown.len() as u64)));
        }
        let counted = [
            (count("proposed"), "pending"),
            (count("review"), "review"),
            (count("approved") + count("edited"), "approved"),
            (count("rejected"), "rejected"),
        ];
        let named = counted.iter().filter(|(count, name)| *count > 0 || *name == "pending");
        facts.extend(named.map(|(count, name)| format!("{} {name}", text::count(*count))));
        if !self.filter_text.is_empty() {
            facts.push(format!("filter {}", text::printable(&self.filter_text)));
        }
        joined(&facts, look, look.theme.dim)
    }

    /// Error types of the iteration, as bars.
    fn types(&self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        let rows = usize::from(area.height.saturating_sub(1));
        let more = self.errors.len().saturating_sub(rows);
        let kinds = format!("{} kinds", self.errors.len());
        let more = if more > 0 { format!("{more} below") } else { String::new() };
        let body = header(buf, area, look, "error types", false, joined(&[kinds, more], look, look.theme.dim));
        let most = self.errors.first().map_or(1, |(_, count)| (*count).max(1));
        let columns = usize::from(body.width);
        let name = (columns / 2).min(30);
        for (y, (error, count)) in (body.top()..body.bottom()).zip(&self.errors) {
            let error_text = text::fit(error, name, look.glyphs.ellipsis);
            let gap = " ".repeat(name.saturating_sub(text::width(&error_text)));
            let style = if error == NO_DIAGNOSIS { look.theme.warn } else { look.theme.text };
            let mut spans = vec![Span::styled(format!("  {error_text}{gap} "), style)];
            spans.push(Span::styled(format!("{:>6} ", text::count(*count)), look.theme.text));
            spans.extend(bar(*count as f64 / most as f64, columns.saturating_sub(name + 11), look));
            put(buf, Rect { y, height: 1, ..body }, spans);
        }
    }

    fn page(&mut self, part: Part, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        self.areas[part as usize] = area;
        let name = match part {
            Part::List => return,
            Part::Miss => "near-miss",
            Part::Diagnosis => "diagnosis",
            Part::Lessons => "becomes 3 lessons",
        };
        let facts = self.leaf(part).map_or(Vec::new(), |leaf| leaf.facts.clone());
        let mut spans = Vec::new();
        if let Some(row) = self.row().filter(|_| part == Part::Miss) {
            spans.push(Span::styled(text::printable(&row.question), look.theme.text));
        }
        for (ink, words) in facts.iter().filter(|(_, words)| !words.is_empty()) {
            if !spans.is_empty() {
                spans.push(Span::styled(format!(" {} ", look.glyphs.dot), look.theme.dim));
            }
            spans.push(Span::styled(words.clone(), ink.style(&look.theme)));
        }
        let body = header(buf, area, look, name, seen.focused && self.part == part, spans);
        let body = Rect { x: body.x + 1.min(body.width), width: body.width.saturating_sub(2), ..body };
        if self.known().is_none() {
            if let Some(error) = self.detail.error() {
                fault(buf, body, look, error);
            } else if let Some(since) = self.detail.waiting() {
                waiting(buf, body, look, since, seen.now);
            }
            return;
        }
        let form = usize::from(self.json);
        let Some(Some(known)) = self.detail.value_mut() else { return };
        let leaf = match part {
            Part::List => return,
            Part::Miss => &mut known.miss,
            Part::Diagnosis => &mut known.diagnosis[form],
            Part::Lessons => &mut known.lessons[form],
        };
        leaf.page.draw(buf, body, &look.theme, &mut self.scroll[part as usize]);
    }
}

/// One row: mark, standing, id, error type, how it was found, score, text.
fn line(row: &Row, look: &Look, (ids, columns): (usize, usize), selected: bool) -> Vec<Span<'static>> {
    let (theme, cut) = (&look.theme, look.glyphs.ellipsis);
    let fill = |text: &str, width: usize| {
        let text = text::fit(text, width, cut);
        let gap = " ".repeat(width.saturating_sub(text::width(&text)));
        text + &gap
    };
    let named = if selected { theme.focus } else { theme.text };
    let mark = if selected { look.glyphs.selected } else { " " };
    let mut spans = vec![Span::styled(format!("{mark} "), theme.key)];
    spans.push(Span::styled(fill(row.status.name(), 9), theme.status(&row.status)));
    spans.push(Span::styled(fill(&text::printable(&row.question), ids) + " ", named));
    if columns >= ROOMY {
        spans.push(Span::styled(fill(row.decided.as_deref().unwrap_or_default(), 6) + " ", theme.dim));
    }
    let error = if row.error == NO_DIAGNOSIS { Ink::Warn.style(theme) } else { named };
    spans.push(Span::styled(fill(&row.error, 20) + " ", error));
    let found = if row.found.is_none() { theme.warn } else { theme.dim };
    let word = found_word(row.found);
    let more = [
        (text::width(word), Span::styled(fill(word, 7), found)),
        (5, Span::styled(format!("{:>5.2} ", row.score), theme.text)),
        (3, Span::styled(if row.repeats { "rep " } else { "    " }.to_string(), theme.warn)),
    ];
    // What there is no room for stands in the detail; half a word would say nothing.
    let mut used: usize = spans.iter().map(Span::width).sum();
    for (least, span) in more {
        if used + least > columns {
            return spans;
        }
        used += span.width();
        spans.push(span);
    }
    spans.push(Span::styled(text::fit(&row.text, columns.saturating_sub(used + 1), cut), theme.dim));
    spans
}
