//! How the questions are drawn: what is true of all of them above, the table, the selected one below or beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::Questions;
use super::cells::{cells, done, head, said};
use super::detail::{self, Sampling};
use super::fields::{Room, columns};
use super::rows::{Count, Model, band_name};
use crate::domain::Band;
use crate::workbench::look::{Glyphs, Look};
use crate::workbench::pane::Seen;
use crate::workbench::text::{self, count};
use crate::workbench::widgets::page::{Ink, Page};
use crate::workbench::widgets::table::{Column, Sorted};
use crate::workbench::widgets::{fault, header, joined, no_session, put, put_right, scroll_bar, waiting, words};

/// Below this width columns are short.
const NARROW: u16 = 100;
/// Below this width of the table the text comes before what is looked at less.
const SHORT: u16 = 140;
/// From this width on the selected question stands beside the table.
const BESIDE: u16 = 160;
/// From this height on it stands below.
const BELOW: u16 = 17;

impl Questions {
    /// Draws everything.
    pub(super) fn paint(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        let facts = match (&self.open, self.model.value()) {
            (Some(_), _) => self.open_facts(look),
            (None, Some(model)) if !model.rows.is_empty() => facts(model, usize::from(area.width), look),
            _ => Vec::new(),
        };
        let body = header(buf, area, look, "questions", seen.focused, facts);
        let Some(model) = self.model.value().cloned() else {
            return match (seen.session, self.model.error(), self.model.waiting()) {
                (None, ..) => no_session(buf, body, look),
                (_, _, Some(since)) => waiting(buf, body, look, since, seen.now),
                (_, Some(error), None) => fault(buf, body, look, error),
                (_, None, None) => words(buf, body, "given up; show this pane again to read them", look.theme.dim),
            };
        };
        if model.rows.is_empty() {
            let said =
                "no questions yet: a run writes them down when it begins; one without iterations has none to train on";
            return words(buf, body, said, look.theme.dim);
        }
        if self.open.is_some() {
            return self.paint_open(body, buf, seen);
        }
        let (table, beside) = parts(body, self.hidden);
        self.paint_filter(Rect { height: table.height.min(1), ..table }, buf, look, &model);
        let rows = Rect { y: table.y + table.height.min(1), height: table.height.saturating_sub(1), ..table };
        self.paint_rows(rows, buf, look);
        self.paint_detail(beside, buf, seen);
    }

    /// ` filter band:hard     37 of 7,473 · sorted by steps`.
    fn paint_filter(&self, row: Rect, buf: &mut Buffer, look: &Look, model: &Model) {
        let theme = &look.theme;
        let shown = self.view.value().map_or(0, |view| view.order.len());
        let of = match self.wanted.filter.trim().is_empty() {
            true => format!("{} questions", count(model.rows.len() as u64)),
            false => format!("{} of {}", count(shown as u64), count(model.rows.len() as u64)),
        };
        let sorted = self.wanted.by.map_or(String::new(), |by| {
            let sign = if self.wanted.down { look.glyphs.descending } else { look.glyphs.ascending };
            format!("sorted by {} {sign}", by.name(model))
        });
        let right = joined(&[of, sorted], look, theme.text);
        let used = right.iter().map(Span::width).sum::<usize>() + 3;
        let left = match self.wanted.filter.as_str() {
            "" => vec![Span::raw(" "), Span::styled("/ filters, such as band:hard steps>4 geese", theme.dim)],
            filter => vec![Span::styled(" filter ", theme.dim), Span::styled(text::printable(filter), theme.key)],
        };
        let room = usize::from(row.width).saturating_sub(used);
        let cut: Vec<_> =
            left.into_iter().map(|span| (text::fit(&span.content, room, look.glyphs.ellipsis), span.style)).collect();
        put(
            buf,
            Rect { width: room as u16, ..row },
            cut.into_iter().map(|(text, style)| Span::styled(text, style)).collect(),
        );
        put_right(buf, Rect { width: row.width.saturating_sub(1), ..row }, 0, right);
    }

    fn paint_rows(&mut self, area: Rect, buf: &mut Buffer, look: &Look) {
        let Some(view) = self.view.value() else { return };
        let narrow = area.width < NARROW;
        let room = if narrow {
            Room::Narrow
        } else if area.width < SHORT {
            Room::Short
        } else {
            Room::Wide
        };
        self.columns = columns(&view.model, room);
        let heads: Vec<Column> = self.columns.iter().map(|column| head(*column, &view.model, narrow)).collect();
        let by = self.wanted.by.and_then(|by| self.columns.iter().position(|column| *column == by));
        let sorted = by.map(|column| Sorted { column, down: self.wanted.down });
        let columns = &self.columns;
        self.table.draw(buf, area, look, &heads, sorted, |place| cells(view, place, columns, look));
        if view.order.is_empty() {
            let rest = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
            words(buf, rest, "no question fits the filter; Esc takes it away", look.theme.dim);
        }
    }

    fn paint_detail(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        let Some(row) = self.spoken_of().filter(|_| area.height > 0) else { return };
        let mut title = vec![Span::styled(text::printable(&row.id), look.theme.focus)];
        if let Some(band) = row.band {
            title.push(Span::styled(format!(" {}", band_name(band)), look.theme.band(band)));
        }
        title.push(Span::styled(format!(" {} gold {}", look.glyphs.dot, row.gold), look.theme.text));
        let outside = self.aimed.is_some();
        if outside {
            title.push(Span::styled("  not among the rows above: the filter leaves it out", look.theme.warn));
        }
        let id = row.id.clone();
        let body = rule(buf, area, look, title);
        let inner = Rect { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
        match self.detail.value().filter(|detail| detail.id == id) {
            Some(_) => {
                let key = (id, look.glyphs.ascii);
                if self.page.as_ref().is_none_or(|(made, _)| *made != key) {
                    let page = self.summary(&look.glyphs);
                    self.page = Some((key, page));
                }
                if let Some((_, page)) = &mut self.page {
                    page.draw(buf, inner, &look.theme, &mut 0);
                }
            }
            None => match (self.detail.error(), self.detail.waiting()) {
                (_, Some(since)) => waiting(buf, inner, look, since, seen.now),
                (Some(error), None) => fault(buf, inner, look, error),
                (None, None) => {}
            },
        }
    }

    /// The question, what became of it, and how ρ moved.
    fn summary(&self, glyphs: &Glyphs) -> Page {
        let mut page = Page::default();
        let Some((row, detail)) = self.spoken_of().zip(self.detail.value()) else { return page };
        page.say(Ink::Text, &row.text);
        if detail.samplings.is_empty() {
            page.say(Ink::Dim, "no rollouts yet: they come with stage 1 difficulty");
        }
        detail::moved(detail, &mut page, glyphs);
        let mut facts = vec![row.steps.map_or(String::new(), |steps| format!("{steps} steps"))];
        facts.push(
            done(row).iter().map(|(action, n)| format!("{n} {}", action.as_str())).collect::<Vec<_>>().join(", "),
        );
        facts.extend(row.errors.iter().map(|error| format!("failed: {error}")));
        facts.extend(row.flags.iter().map(|flag| said(*flag).to_string()));
        facts.retain(|fact| !fact.is_empty());
        page.say(Ink::Dim, &facts.join(&format!(" {} ", glyphs.dot)));
        page
    }

    /// The stage whose rollouts are open.
    pub(super) fn open_sampling(&self) -> Option<(usize, &Sampling)> {
        let samplings = &self.detail.value()?.samplings;
        let at = self.open.as_ref()?.stage.min(samplings.len().checked_sub(1)?);
        Some((at, &samplings[at]))
    }

    fn open_facts(&self, look: &Look) -> Vec<Span<'static>> {
        let id = self.spoken_of().map_or(String::new(), |row| text::printable(&row.id));
        let Some((at, sampling)) = self.open_sampling() else { return joined(&[id], look, look.theme.text) };
        let Count { k, n } = sampling.count();
        let all = self.detail.value().map_or(0, |detail| detail.samplings.len());
        let stage = format!("rollouts of {} ({} of {all})", sampling.stage.key, at + 1);
        let facts = [
            id,
            stage,
            format!("{k} of {n} right"),
            format!("{}{} other stages", look.glyphs.arrows[2], look.glyphs.arrows[3]),
        ];
        joined(&facts, look, look.theme.text)
    }

    fn paint_open(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        let look = seen.look;
        let current = self.spoken_of().is_some_and(|row| self.detail.value().is_some_and(|detail| detail.id == row.id));
        if !current {
            if let Some(since) = self.detail.waiting() {
                waiting(buf, area, look, since, seen.now);
            }
            return;
        }
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(3), ..area };
        let Some((stage, sampling)) = self.open_sampling() else {
            return words(buf, area, "no rollouts yet: they come with stage 1 difficulty", look.theme.dim);
        };
        let made = match self.open.as_ref().and_then(|open| open.page.as_ref()) {
            Some((of, ascii, _)) if *of == stage && *ascii == look.glyphs.ascii => None,
            _ => Some(detail::rollouts(sampling, &look.glyphs)),
        };
        let Some(open) = &mut self.open else { return };
        if let Some(page) = made {
            open.page = Some((stage, look.glyphs.ascii, page));
        }
        if let Some((_, _, page)) = &mut open.page {
            open.height = inner.height;
            page.draw(buf, inner, &look.theme, &mut open.scroll);
            let height = page.height(inner.width);
            scroll_bar(buf, area, look, height, open.scroll);
        }
    }
}

/// Columns of a header beside its facts: the name of the pane, its rules and the spaces between.
const TITLE: usize = 16;

/// The part of the table, with the line above it, and the part of the selected question.
fn parts(body: Rect, hidden: bool) -> (Rect, Rect) {
    if !hidden && body.width >= BESIDE && body.height >= 8 {
        let left = body.width * 3 / 5;
        let table = Rect { width: left, ..body };
        return (table, Rect { x: body.x + left, width: body.width - left, ..body });
    }
    if hidden || body.height < BELOW {
        return (body, Rect { y: body.bottom(), height: 0, ..body });
    }
    let below = (body.height / 3).clamp(7, 12);
    let table = Rect { height: body.height - below, ..body };
    (table, Rect { y: table.bottom(), height: below, ..body })
}

/// A rule with a title; gives what is below it.
fn rule(buf: &mut Buffer, area: Rect, look: &Look, title: Vec<Span<'static>>) -> Rect {
    let line = |n: usize| Span::styled(look.glyphs.rule.repeat(n), look.theme.mark);
    let mut spans = vec![Span::raw(" "), line(1), Span::raw(" ")];
    spans.extend(title);
    spans.push(Span::raw(" "));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(line(usize::from(area.width).saturating_sub(used + 1)));
    put(buf, Rect { height: 1, ..area }, spans);
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

/// Questions per band, all-zero ones, and how ρ is spread at the first and, where it has room, at the last measurement.
fn facts(model: &Model, columns: usize, look: &Look) -> Vec<Span<'static>> {
    let theme = &look.theme;
    let dot = || Span::styled(format!(" {} ", look.glyphs.dot), theme.dim);
    let mut spans = Vec::new();
    for (band, n) in Band::ALL.into_iter().zip(model.banded) {
        spans.push(Span::styled(format!("{} {}", band_name(band), count(n as u64)), theme.band(band)));
        spans.push(dot());
    }
    let zero = model.zero.first().copied().unwrap_or(0);
    spans.push(Span::styled(format!("all-zero {}", count(zero as u64)), theme.bad));
    let mut ends = vec![model.measured.first(), model.measured.last()];
    ends.dedup();
    for (at, stage) in ends.into_iter().flatten().enumerate() {
        let between = if at == 0 { format!("  {} ", look.glyphs.rho) } else { format!(" {} ", look.glyphs.arrow) };
        let spread = [
            Span::styled(format!("{between}{} ", model.stages[*stage].name), theme.dim),
            Span::styled(sparks(&model.histograms[*stage], look), theme.bar),
        ];
        let used: usize = spans.iter().chain(&spread).map(Span::width).sum();
        if used + TITLE <= columns {
            spans.extend(spread);
        }
    }
    spans
}

/// A column of a histogram per bin; an empty bin is a space.
fn sparks(bins: &[usize], look: &Look) -> String {
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let glyphs = look.glyphs.spark;
    let height = |n: usize| (n * glyphs.len()).div_ceil(most).clamp(1, glyphs.len()) - 1;
    bins.iter().map(|&n| if n == 0 { " " } else { glyphs[height(n)] }).collect()
}
