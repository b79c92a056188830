//! The chosen cell: the figure with everything it was measured with, and the questions that changed against another
//! checkpoint.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::grid::{Absent, Column, Row};
use super::notes::{Lines, judged};
use super::read::{BothAnswers, Compared, Found};
use super::table::plus_minus;
use crate::evaluate::Measure;
use crate::export::{CheckpointRow, Results};
use crate::workbench::look::Look;
use crate::workbench::text;
use crate::workbench::widgets::put;

/// Hexadecimal digits of a long hash that are shown.
const DIGITS: usize = 16;

/// The figures and the provenance of a cell.
pub fn detail(found: &Found, row: &Row, column: &Column, look: &Look, columns: usize) -> Lines {
    let examined = match &row.session {
        None => Some(found.mine.as_ref()),
        Some(name) => found.neighbours().find(|n| n.name() == name).map(|n| &n.examined),
    };
    let Some(examined) = examined else { return Lines::new() };
    let results = &examined.report.results;
    let measured = results.checkpoints.iter().find(|measured| measured.checkpoint == row.checkpoint);
    let mut lines = Lines::new();
    let mut say = |facts: Vec<String>, style| {
        let joined = facts.join(&format!(" {} ", look.glyphs.dot));
        for line in text::wrap(&text::printable(&joined), columns.saturating_sub(4)) {
            lines.push(vec![Span::raw("   "), Span::styled(line, style)]);
        }
    };
    let Some(measured) = measured else {
        let why = match row.absent {
            Some(Absent::Otherwise) => {
                "figures with different provenance are never drawn as one; the notes say what differs"
            }
            _ => "its evaluation is not complete yet; figures come with its last answer",
        };
        say(vec![why.into()], look.theme.dim);
        return lines;
    };
    match &column.split {
        Some(split) => {
            let Some(measure) = measured.splits.get(split) else {
                say(vec![format!("{split} was not asked of this checkpoint")], look.theme.dim);
                return lines;
            };
            say(figures(measure, look), look.theme.text);
            let (verifier, prompt) = examined.measured.get(split).cloned().unwrap_or_default();
            say(
                vec![
                    format!("N={}", measure.questions),
                    format!("verifier {verifier}"),
                    format!("prompt {prompt}"),
                    format!("checkpoint {}", row.checkpoint),
                ],
                look.theme.dim,
            );
            say(vec![source(results, split)], look.theme.dim);
        }
        None => {
            say(vec![average(measured, look)], look.theme.text);
            say(vec![mixed(found, measured)], look.theme.dim);
        }
    }
    lines
}

/// Every figure of a split.
fn figures(measure: &Measure, look: &Look) -> Vec<String> {
    let mut facts = vec![
        format!("greedy {}", plus_minus(&measure.accuracy, look)),
        format!("readable {:.1}", 100.0 * measure.parse_rate),
    ];
    let optional = [
        (format!("mean@{}", measure.n), measure.mean_at_n),
        (format!("pass@{}", measure.k), measure.pass_at_k),
        ("marker banned".to_string(), measure.control),
    ];
    facts.extend(optional.into_iter().filter_map(|(name, e)| Some(format!("{name} {}", plus_minus(&e?, look)))));
    facts.push(format!("{:.0} tokens an answer", measure.mean_tokens));
    facts
}

fn source(results: &Results, split: &str) -> String {
    match results.sources.iter().find(|source| source.of.split == split) {
        Some(source) => {
            let of = &source.of;
            let sha: String = of.sha256.chars().take(DIGITS).collect();
            let rows = format!("{} of its {} questions", of.used, of.rows);
            let notes: String = of.notes.iter().map(|note| format!("; {note}")).collect();
            format!("file {} (sha256 {sha}), {rows}{notes}", of.path)
        }
        None => format!("the generated world, questions {}", results.data),
    }
}

fn average(measured: &CheckpointRow, look: &Look) -> String {
    let of: Vec<&str> = measured.splits.reported().map(|(split, _)| split).collect();
    format!("greedy {}: the plain mean of {}; dev is no part of it", plus_minus(&measured.mean, look), of.join(", "))
}

/// Says whether an average mixes figures that were measured differently.
fn mixed(found: &Found, measured: &CheckpointRow) -> String {
    let of = |split: &str| found.mine.measured.get(split).cloned().unwrap_or_default();
    let mut ways: Vec<((String, String), Vec<&str>)> = Vec::new();
    for (split, _) in measured.splits.reported() {
        match ways.iter_mut().find(|(way, _)| *way == of(split)) {
            Some((_, splits)) => splits.push(split),
            None => ways.push((of(split), vec![split])),
        }
    }
    let words = |((verifier, prompt), splits): &((String, String), Vec<&str>)| {
        format!("{} with verifier {verifier} and prompt {prompt}", splits.join(", "))
    };
    match ways.as_slice() {
        [((verifier, prompt), _)] => format!("all measured with verifier {verifier} and prompt {prompt}"),
        several => format!("not measured alike: {}", several.iter().map(words).collect::<Vec<_>>().join("; ")),
    }
}

/// What differs, in words, above the list: which two, the figures, the counts; in as many lines as they need.
pub fn difference(compared: &Compared, k: u32, look: &Look, columns: usize) -> Lines {
    let theme = &look.theme;
    let (gained, lost) = compared.counts();
    let (before, after) = (text::printable(&compared.pair.before.name()), text::printable(&compared.pair.after.name()));
    let mut parts = vec![vec![Span::raw(format!("{before} {} {after}", look.glyphs.arrow))]];
    match &compared.greedy {
        Some(change) => parts.push([vec![Span::styled("greedy ", theme.dim)], judged(change, look)].concat()),
        None => parts.push(vec![Span::styled("no question in common", theme.dim)]),
    }
    if let Some(pass) = &compared.pass {
        parts.push([vec![Span::styled(format!("pass@{k} "), theme.dim)], judged(pass, look)].concat());
    }
    let mut lines = Lines::new();
    for part in parts {
        let wide = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        match lines.last_mut().filter(|line| wide(line) + 2 + wide(&part) <= columns) {
            Some(line) => line.extend([vec![Span::raw("  ")], part].concat()),
            None => lines.push([vec![Span::raw("   ")], part].concat()),
        }
    }
    let to = look.glyphs.arrow;
    // None of a kind is no news, and no alarm.
    let loud = |count: usize, style: Style| if count > 0 { style } else { theme.dim };
    lines.push(vec![
        Span::styled(format!("   {} {gained} wrong {to} right", look.glyphs.done), loud(gained, theme.good)),
        Span::styled(format!("   {} {lost} right {to} wrong", look.glyphs.failed), loud(lost, theme.bad)),
    ]);
    lines
}

/// The questions that changed, from `first` on.
pub fn list(buf: &mut Buffer, area: Rect, compared: &Compared, first: usize, at: Option<usize>, look: &Look) {
    let theme = &look.theme;
    let several = compared.pair.split.is_none();
    let id = compared.changed.iter().skip(first).take(usize::from(area.height)).map(|c| text::width(&c.id)).max();
    let id = id.unwrap_or(0).min(20);
    for (y, (place, changed)) in (area.top()..area.bottom()).zip(compared.changed.iter().enumerate().skip(first)) {
        let selected = at == Some(place);
        let (mark, style) =
            if changed.gained { (look.glyphs.done, theme.good) } else { (look.glyphs.failed, theme.bad) };
        let words = if selected { theme.focus.patch(theme.key) } else { theme.text };
        let name = text::fit(&text::printable(&changed.id), id, look.glyphs.ellipsis);
        let pad = " ".repeat(id.saturating_sub(text::width(&name)));
        let mut spans = vec![
            Span::styled(if selected { " > " } else { "   " }, words),
            Span::styled(format!("{mark} "), style),
            Span::styled(format!("{name}{pad}  "), words),
        ];
        if several {
            spans.push(Span::styled(format!("{:<8}", text::printable(&changed.split)), theme.dim));
        }
        let used: usize = spans.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(used + 1);
        spans.push(Span::raw(text::fit(&text::printable(&changed.text), room, look.glyphs.ellipsis)));
        put(buf, Rect { y, height: 1, ..area }, spans);
    }
}

/// Both answers to a question, to be read.
pub fn reading(both: &BothAnswers, look: &Look) -> Lines {
    const COLUMNS: usize = 90;
    let theme = &look.theme;
    let mut lines = Lines::new();
    let mut block = |words: &str, style| {
        for line in text::printable_lines(words).lines() {
            let wrapped = text::wrap(&text::printable(line), COLUMNS);
            lines.extend(wrapped.into_iter().map(|line| vec![Span::styled(line, style)]));
        }
    };
    block(&both.question, theme.text);
    block(&format!("gold {}", both.gold), theme.good);
    for answer in &both.answers {
        let read =
            answer.answer.as_deref().map_or_else(|| "nothing could be read".to_string(), |a| format!("read {a}"));
        let (mark, style) = if answer.right { (look.glyphs.done, theme.good) } else { (look.glyphs.failed, theme.bad) };
        block(" ", theme.text);
        block(&format!("{mark} {}: {read}", answer.of), style);
        block(&answer.text, theme.text);
    }
    if both.answers.len() < 2 {
        block("an answer is not there any more", theme.warn);
    }
    lines
}
