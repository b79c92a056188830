//! Where the parts lie: the list on the left where there is room, the question above its steps, and below them what the
//! selected step, the whole text or the other thresholds come to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::book::{Book, Row};
use super::page::Page;
use super::{Bridge, Mode, Parts, detail, ink, shares, steps, words};
use crate::domain::Action;
use crate::session::records::Status;
use crate::workbench::look::Look;
use crate::workbench::pane::{Mark, Seen};
use crate::workbench::text;
use crate::workbench::widgets::{self, cut, header, put};

/// From here on the list stands beside the steps unless it was put away.
const WIDE: u16 = 118;
/// Columns of the list.
const LIST: u16 = 34;

/// Draws the pane.
pub fn draw(pane: &mut Bridge, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let area = area.intersection(buf.area);
    pane.parts = Parts::default();
    if area.is_empty() {
        return;
    }
    let body = header(buf, area, seen.look, "bridge", seen.focused, facts(pane, seen));
    if seen.session.is_none() {
        return widgets::no_session(buf, body, seen.look);
    }
    let listed = pane.book.value().is_some_and(|book| !book.rows.is_empty());
    let beside = listed && pane.list.unwrap_or(area.width >= WIDE) && body.width > LIST;
    let width = if beside { LIST } else { 0 };
    let (left, right) = beside_each_other(body, width);
    if beside && let Some(book) = pane.book.value().cloned() {
        pane.parts.list = left;
        pane.parts.list_from = list(pane, &book, buf, left, seen);
    }
    match pane.mode {
        Mode::Shares => shares::draw(pane, buf, right, seen),
        Mode::Steps | Mode::Tune => question(pane, buf, right, seen),
    }
}

fn beside_each_other(body: Rect, left: u16) -> (Rect, Rect) {
    let gap = u16::from(left > 0);
    let right = Rect { x: body.x + left + gap, width: body.width.saturating_sub(left + gap), ..body };
    (Rect { width: left, ..body }, right)
}

/// What the header says: the question, how hard it is, where it stands, and how much waits.
fn facts(pane: &Bridge, seen: &Seen<'_>) -> Vec<Span<'static>> {
    let (look, theme) = (seen.look, &seen.look.theme);
    let mut facts: Vec<(String, Style)> = Vec::new();
    if let Some(id) = &pane.at {
        facts.push((text::printable(id), theme.focus));
    }
    if let Some(page) = pane.shown() {
        if let Some((k, n, band)) = page.measured {
            facts.push((format!("{} {} {k}/{n}", band.as_str(), look.glyphs.rho), theme.band(band)));
        }
        if let Some((_, status, _)) = page.product() {
            facts.push((status.name().to_string(), ink::status(look, status).1));
        }
    }
    if let Some(book) = pane.book.value() {
        let waits = book.rows.iter().filter(|row| row.waits()).count();
        let total = text::count(book.rows.len() as u64);
        facts.push((format!("{} of {total} wait", text::count(waits as u64)), theme.text));
        if pane.filter != super::book::Filter::All {
            facts.push((format!("only {}", pane.filter.name()), theme.warn));
        }
    }
    match pane.desk.busy() {
        Some(0) => facts.push(("deciding".to_string(), theme.running)),
        Some(more) => facts.push((format!("deciding, {more} more"), theme.running)),
        None => {}
    }
    let mut spans = Vec::new();
    for (fact, style) in facts {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", look.glyphs.dot), theme.dim));
        }
        spans.push(Span::styled(fact, style));
    }
    spans
}

/// Draws the list; gives its first row.
fn list(pane: &Bridge, book: &Book, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) -> usize {
    let rows = pane.rows(book);
    let height = usize::from(area.height);
    let at = rows.iter().position(|row| Some(&row.id) == pane.at.as_ref()).unwrap_or(0);
    // The open question stays in the middle third where there is more than fits.
    let from = at.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    for (y, (place, row)) in (area.top()..area.bottom()).zip(rows.iter().enumerate().skip(from)) {
        let strip = Rect { y, height: 1, ..area };
        put(buf, strip, listed(row, place == at, usize::from(area.width), seen.look));
        if place == at {
            buf.set_style(strip, seen.look.theme.selected);
        }
    }
    if rows.is_empty() {
        put(buf, Rect { height: 1, ..area }, vec![Span::styled(" none", seen.look.theme.dim)]);
    }
    from
}

/// A row of the list: standing, id, right answers, operations in the order of the steps.
fn listed(row: &Row, selected: bool, columns: usize, look: &Look) -> Vec<Span<'static>> {
    let (mark, style) = ink::status(look, &row.status);
    let name = if selected { look.theme.focus } else { look.theme.text };
    let pointer = if selected { look.glyphs.selected } else { " " };
    let id = cell(&text::printable(&row.id), 14.min(columns.saturating_sub(4)), look);
    let share = format!("{:>6} ", format!("{}/{}", row.k, row.n));
    let mut spans = vec![
        Span::styled(pointer.to_string(), look.theme.focus),
        Span::styled(format!("{mark} "), style),
        Span::styled(id, name),
        Span::styled(share, look.theme.dim),
    ];
    spans.extend(row.steps.iter().map(|step| match step.action {
        Some(action) => Span::styled(words::letter(action), look.theme.action(action)),
        None => Span::styled(look.glyphs.waiting, look.theme.dim),
    }));
    spans
}

/// Draws one question.
fn question(pane: &mut Bridge, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
    let look = seen.look;
    let Some(page) = pane.shown().cloned() else {
        return absent(pane, buf, area, seen);
    };
    let mut at = area;
    for line in asked(&page, area, look) {
        let row = take(&mut at, 1);
        put(buf, row, line);
    }
    if page.steps.is_empty() {
        let why = nothing(&page);
        return widgets::words(buf, at, &why, look.theme.dim);
    }
    let wanted = page.steps.len() as u16 + 1;
    let least = if at.height >= 12 { 4 } else { at.height.min(3) };
    let tuning = pane.mode == Mode::Tune;
    let most = if tuning { at.height.saturating_sub(shares::ROWS).max(least) } else { (at.height / 2).max(least) };
    let table = take(&mut at, wanted.min(most));
    steps::draw(pane, &page, buf, table, seen);
    if tuning {
        return shares::tune(pane, buf, at, seen);
    }
    for line in detail::why(&page, pane.step, at, look) {
        put(buf, take(&mut at, 1), line);
    }
    let foot = if at.height >= 4 { 1 } else { 0 };
    let rows = at.height - foot;
    let lower = take(&mut at, rows);
    pane.parts.lower = lower;
    pane.scroll = pane.scroll.min(detail::draw(pane, &page, buf, lower, seen));
    let facts = detail::foot(&page, pane.heat.value().filter(|heat| heat.question == page.id), look);
    put(buf, at, cut(facts, usize::from(at.width.saturating_sub(1)), look));
}

/// What stands where there is no question to show.
fn absent(pane: &Bridge, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
    let fault = pane.page.error().filter(|_| pane.at.is_some()).or(pane.book.error());
    let waits = pane.page.waiting().or(pane.book.waiting());
    match (waits, fault, pane.book.value()) {
        (Some(since), ..) => widgets::waiting(buf, area, seen.look, since, seen.now),
        (None, Some(error), _) => widgets::fault(buf, area, seen.look, error),
        (None, None, Some(_)) => {
            let why = "Nothing here yet: the teacher's traces of hard questions come with the stage traces, their scores \
                       with scores, and what becomes of each step with bridge.";
            widgets::words(buf, area, why, seen.look.theme.dim);
        }
        (None, None, None) => {
            let why = "Given up; going to another pane and back reads it again.";
            widgets::words(buf, area, why, seen.look.theme.dim);
        }
    }
}

/// The question's text, one or two lines of it, and why it stands where it stands.
fn asked(page: &Page, area: Rect, look: &Look) -> Vec<Vec<Span<'static>>> {
    let columns = usize::from(area.width.saturating_sub(2));
    let most = match area.height {
        0..8 => 0,
        8..22 => 1,
        _ => 2,
    };
    let words = page
        .question
        .as_ref()
        .map_or("its text is not in this session".to_string(), |question| text::printable(&question.text));
    let mut lines = limited(&words, columns, most, look.theme.text, look);
    if let Some((_, status, decided)) = page.product()
        && let Some(reason) = status.reason()
        && area.height >= 6
    {
        let by = decided
            .filter(|_| matches!(status, Status::Rejected { .. }))
            .map_or(String::new(), |decided| format!(" ({})", decided.by));
        let (mark, style) = ink::status(look, status);
        let words = text::printable(&format!("{mark} {}{by}: {reason}", status.name()));
        lines.extend(limited(&words, columns, most.max(1), style, look));
    }
    lines
}

/// At most so many lines of a text, the last one cut.
pub fn limited(words: &str, columns: usize, most: usize, style: Style, look: &Look) -> Vec<Vec<Span<'static>>> {
    let mut lines = text::wrap(words, columns);
    if lines.len() > most && most > 0 {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(text::fit(&rest, columns, look.glyphs.ellipsis));
    }
    lines.truncate(most);
    lines.into_iter().map(|line| vec![Span::raw(" "), Span::styled(line, style)]).collect()
}

/// Why a question has no steps.
fn nothing(page: &Page) -> String {
    match (&page.trace, page.measured) {
        (Some(_), _) => "Its trace has no steps.".to_string(),
        (None, Some((.., band))) if band.as_str() == "simple" => {
            "This question is simple: only of medium and hard ones does the teacher write traces, and only hard ones are \
             bridged."
                .to_string()
        }
        (None, Some((.., band))) => format!("This question is {}; its trace comes with the stage traces.", band.as_str()),
        (None, None) => "No trace is known of this question, and nobody has measured how hard it is.".to_string(),
    }
}

/// The upper rows of an area, taken off it.
pub fn take(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..*area };
    (area.y, area.height) = (area.y + rows, area.height - rows);
    upper
}

/// A text in so many columns, cut or filled up.
pub fn cell(words: &str, columns: usize, look: &Look) -> String {
    let words = text::fit(words, columns, look.glyphs.ellipsis);
    let missing = columns.saturating_sub(text::width(&words));
    words + &" ".repeat(missing)
}

/// What the marks mean.
pub fn marks(look: &Look) -> Vec<Mark> {
    let theme = &look.theme;
    let meaning = |action| match action {
        Action::Keep => "keep: as it is",
        Action::Compress => "compress: said shorter",
        Action::Expand => "expand: with the missing reasoning",
        Action::Drop => "drop: left out",
        Action::Localize => "localize: made easier, and trained on its own as well",
    };
    let mut marks: Vec<Mark> = Action::ALL
        .into_iter()
        .map(|action| (words::letter(action).to_string(), meaning(action), theme.action(action)))
        .collect();
    let review = || Status::Review { reason: String::new() };
    let rejected = || Status::Rejected { reason: String::new() };
    for (status, meaning) in [
        (Status::Proposed, "proposed: waits for the gate"),
        (Status::Approved, "approved: may be trained on"),
        (Status::Edited, "edited by a researcher: may be trained on"),
        (review(), "review: failed a check"),
        (rejected(), "rejected: never trained on"),
    ] {
        let (mark, style) = ink::status(look, &status);
        marks.push((mark.to_string(), meaning, style));
    }
    marks.push((look.glyphs.mark.to_string(), "in a bar: the threshold", theme.mark));
    marks.push((">".to_string(), "above the threshold", theme.warn));
    marks.push(("*".to_string(), "also a local sample", theme.action(Action::Localize)));
    marks.push((
        format!("{0}I {0}J {0}D", look.glyphs.tau),
        "decide over a step and can be tried out; those of length and steps choose near-misses: recycle",
        theme.text,
    ));
    marks.push(("\\n".to_string(), "among tokens: a line break", theme.text));
    let (low, high) = (look.glyphs.spark.first(), look.glyphs.spark.last());
    marks.push((
        low.map_or(String::new(), ToString::to_string),
        "the student expects this token",
        ink::bar(theme, 0.0),
    ));
    marks.push((
        high.map_or(String::new(), ToString::to_string),
        "the student is surprised: twice the threshold of D or more",
        ink::bar(theme, 1.0),
    ));
    marks
}
