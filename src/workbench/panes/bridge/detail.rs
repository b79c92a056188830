//! Below the steps: why the selected one is what it is, the student's losses on it, its text before and after, the local
//! samples, and where all of it comes from.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::draw::{cell, limited, take};
use super::heat::{Heat, Losses, Piece as Token};
use super::page::{Page, Step};
use super::{Bridge, View, ink, words};
use crate::domain::diff::Piece;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{self, header, joined, put};

/// Where the hottest colour begins while no threshold of D is known, in nats.
const HOT: f64 = 2.0;
/// From here on texts stand beside each other.
const BESIDE: u16 = 56;
/// Rows that are worth filling with the whole text below the step.
const MUCH: u16 = 6;

/// Columns of what is only to be read.
const READING: usize = 72;

type Line = Vec<Span<'static>>;

/// Why the selected step is what it is: at most three lines.
pub fn why(page: &Page, step: usize, area: Rect, look: &Look) -> Vec<Line> {
    let Some(step) = page.steps.get(step) else { return Vec::new() };
    let most = match area.height {
        0 => 0,
        1..10 => 1,
        10..16 => 2,
        _ => 3,
    };
    let style = if step.fixed { look.theme.key } else { look.theme.text };
    let words = words::why(step, &page.ground, &look.glyphs);
    limited(&words, usize::from(area.width.saturating_sub(2)), most, style, look)
}

/// Draws what the view shows. Gives how far it can be scrolled.
pub fn draw(pane: &Bridge, page: &Page, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) -> usize {
    if area.height < 2 {
        return 0;
    }
    let heat = pane.heat.value().filter(|heat| heat.question == page.id);
    match pane.view {
        View::Step => step(pane, page, heat, buf, area, seen),
        View::Whole => {
            let lengths = lengths(heat, seen.look);
            sides(&page.whole, ("whole trace", &lengths), pane.scroll, (buf, area), seen.look)
        }
        View::Samples => {
            let body = header(buf, area, seen.look, "local samples", false, Vec::new());
            let lines = samples(page, seen.look, usize::from(body.width.saturating_sub(2)));
            shown(&lines, pane.scroll, buf, body)
        }
    }
}

/// The losses above, the texts below.
fn step(pane: &Bridge, page: &Page, heat: Option<&Heat>, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) -> usize {
    let look = seen.look;
    let Some(step) = page.steps.get(pane.step) else { return 0 };
    let columns = usize::from(area.width.saturating_sub(2));
    let hot = page.ground.thresholds.map_or(HOT, |t| 2.0 * t.tau_d).max(1e-6);
    let losses = heat.and_then(|heat| heat.steps.get(pane.step)).unwrap_or(&Losses::Nothing);
    let lines = match losses {
        Losses::Tokens(tokens) | Losses::Words(tokens) => map(tokens, hot, columns, look),
        Losses::Nothing => Vec::new(),
    };
    let (mut at, mut most) = (area, 0);
    if !lines.is_empty() {
        let room = if at.height >= 8 { at.height / 2 } else { at.height };
        let mut upper = take(&mut at, room.min(lines.len() as u16 + 1));
        upper = header(buf, upper, look, "surprise of the student", false, scale(losses, heat, hot, look));
        most = shown(&lines, pane.scroll, buf, upper);
    }
    // Where much room is left, the whole text stands below.
    let needed = height(&step.diff, at.width, look).saturating_add(1);
    if at.height >= needed.saturating_add(MUCH) && !page.whole.is_empty() {
        most = most.max(sides(&step.diff, ("step", &told(step)), pane.scroll, (buf, take(&mut at, needed)), look));
        return most.max(sides(&page.whole, ("whole trace", &lengths(heat, look)), pane.scroll, (buf, at), look));
    }
    if at.height >= 2 {
        most = most.max(sides(&step.diff, ("step", &told(step)), pane.scroll, (buf, at), look));
    }
    most
}

/// Tokens before and after, where both are known.
fn lengths(heat: Option<&Heat>, look: &Look) -> String {
    match (heat.and_then(|h| h.before), heat.and_then(|h| h.after)) {
        (Some(before), Some(after)) => format!("{before} tokens {} {after}", look.glyphs.arrow),
        _ => String::new(),
    }
}

/// What the heat map shows, and its ends.
fn scale(losses: &Losses, heat: Option<&Heat>, hot: f64, look: &Look) -> Line {
    let (theme, glyphs) = (&look.theme, &look.glyphs);
    let (what, fault) = match losses {
        Losses::Words(_) => ("laid over words by place", heat.and_then(|heat| heat.fault.clone())),
        _ => ("token by token", None),
    };
    let end = |at: Option<&&'static str>, share| {
        Span::styled(at.map_or(String::new(), ToString::to_string), ink::bar(theme, share))
    };
    let mut line = vec![
        Span::styled(format!("{what}  "), theme.dim),
        end(glyphs.spark.first(), 0.0),
        Span::styled(" 0 to ", theme.dim),
        end(glyphs.spark.last(), 1.0),
        Span::styled(format!(" {} nats", words::figure(hot)), theme.dim),
    ];
    if let Some(fault) = fault {
        line.push(Span::styled(format!("  ({})", text::printable(&fault)), theme.warn));
    }
    line
}

/// Tokens in lines, a line of levels under each.
fn map(tokens: &[Token], hot: f64, columns: usize, look: &Look) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let begin = || vec![Span::raw(" ")];
    let (mut upper, mut lower, mut used): (Line, Line, usize) = (begin(), begin(), 1);
    for token in tokens {
        let share = (f64::from(token.loss) / hot).clamp(0.0, 1.0);
        let style = ink::heat(&look.theme, share);
        let levels = look.glyphs.spark;
        let level = levels.get((share * (levels.len() - 1) as f64).round() as usize).copied().unwrap_or(" ");
        let visible = token.text.replace('\n', "\\n").replace('\t', "\\t");
        let words = text::fit(&text::printable(&visible), columns.max(1), look.glyphs.ellipsis);
        let width = text::width(&words);
        if used > 1 && used + width > columns + 1 {
            lines.extend([std::mem::replace(&mut upper, begin()), std::mem::replace(&mut lower, begin())]);
            used = 1;
        }
        upper.push(Span::styled(words, style));
        lower.push(Span::styled(level.repeat(width), ink::bar(&look.theme, share)));
        used += width;
    }
    if used > 1 {
        lines.extend([upper, lower]);
    }
    lines
}

/// What became of a step, for the header above its texts.
fn told(step: &Step) -> String {
    match step.action {
        None => "not bridged yet".to_string(),
        Some(action) if step.after.is_empty() => format!("{}: nothing is left", action.as_str()),
        Some(action) => action.as_str().to_string(),
    }
}

/// Two texts beside each other, or one below the other where there is no room. Gives how far they can be scrolled.
fn sides(
    pieces: &[Piece],
    (name, fact): (&str, &str),
    scroll: usize,
    (buf, area): (&mut Buffer, Rect),
    look: &Look,
) -> usize {
    let facts = joined(&[fact.to_string(), "before and after".to_string()], look, look.theme.dim);
    let body = header(buf, area, look, name, false, facts);
    if pieces.is_empty() {
        widgets::words(buf, body, "nothing to set beside each other yet", look.theme.dim);
        return 0;
    }
    if body.width < BESIDE {
        let columns = usize::from(body.width.saturating_sub(2));
        let mut lines = side(pieces, false, columns, look);
        lines.extend(side(pieces, true, columns, look));
        return shown(&lines, scroll, buf, body);
    }
    let half = (body.width - 1) / 2;
    let left = Rect { width: half, ..body };
    let right = Rect { x: body.x + half + 1, width: body.width - half - 1, ..body };
    for y in body.top()..body.bottom() {
        let row = Rect { x: body.x + half, y, width: 1, height: 1 };
        put(buf, row, vec![Span::styled(look.glyphs.border[5], look.theme.mark)]);
    }
    let columns = |area: Rect| usize::from(area.width.saturating_sub(2));
    let before = shown(&side(pieces, false, columns(left), look), scroll, buf, left);
    before.max(shown(&side(pieces, true, columns(right), look), scroll, buf, right))
}

/// Rows that [`sides`] fills below its header.
fn height(pieces: &[Piece], width: u16, look: &Look) -> u16 {
    if pieces.is_empty() {
        return 2;
    }
    let both = |columns: u16| [false, true].map(|second| side(pieces, second, usize::from(columns), look).len());
    let rows = match width < BESIDE {
        true => both(width.saturating_sub(2)).iter().sum(),
        false => both((width.saturating_sub(1) / 2).saturating_sub(2)).into_iter().max().unwrap_or(0),
    };
    u16::try_from(rows).unwrap_or(u16::MAX)
}

/// The first or the second text of a diff.
fn side(pieces: &[Piece], second: bool, columns: usize, look: &Look) -> Vec<Line> {
    let parts = pieces.iter().filter_map(|piece| match (piece, second) {
        (Piece::Same(text), _) => Some((text.as_str(), look.theme.text)),
        (Piece::Gone(text), false) => Some((text.as_str(), look.theme.removed)),
        (Piece::New(text), true) => Some((text.as_str(), look.theme.added)),
        _ => None,
    });
    flow(parts, columns)
}

/// Styled text in lines of at most so many columns, broken at spaces where there are any.
fn flow<'a>(parts: impl Iterator<Item = (&'a str, Style)>, columns: usize) -> Vec<Line> {
    let columns = columns.max(1);
    let mut lines: Vec<Line> = vec![vec![Span::raw(" ")]];
    let mut used = 0;
    let mut push = |words: &str, style: Style, lines: &mut Vec<Line>| {
        for line in text::wrap(words, columns) {
            let width = text::width(&line);
            if used > 0 && used + width > columns {
                lines.push(vec![Span::raw(" ")]);
                used = 0;
            }
            if let Some(last) = lines.last_mut() {
                last.push(Span::styled(line, style));
            }
            used += width;
        }
        if words.ends_with(' ') && used < columns {
            if let Some(last) = lines.last_mut() {
                last.push(Span::raw(" "));
            }
            used += 1;
        }
        if words.ends_with('\n') {
            lines.push(vec![Span::raw(" ")]);
            used = 0;
        }
    };
    for (words, style) in parts {
        let words = text::printable_lines(words).replace('\t', " ");
        for word in words.split_inclusive([' ', '\n']) {
            match word.strip_suffix('\n') {
                Some(word) => {
                    push(word, style, &mut lines);
                    push("\n", style, &mut lines);
                }
                None => push(word, style, &mut lines),
            }
        }
    }
    lines
}

/// The lines that are in sight, never scrolled beyond the last. Gives how far they can be scrolled.
fn shown(lines: &[Line], scroll: usize, buf: &mut Buffer, area: Rect) -> usize {
    let most = lines.len().saturating_sub(usize::from(area.height));
    let from = scroll.min(most);
    for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(from)) {
        put(buf, Rect { y, height: 1, ..area }, line.clone());
    }
    most
}

/// The local samples with what stands before them.
fn samples(page: &Page, look: &Look, columns: usize) -> Vec<Line> {
    let theme = &look.theme;
    let Some(bridge) = page.bridge.as_ref().filter(|bridge| !bridge.bridged.locals.is_empty()) else {
        return vec![vec![Span::styled("   none: no step is localized, and none expanded that is hard", theme.dim)]];
    };
    let mut lines = Vec::new();
    for local in &bridge.bridged.locals {
        let step = local.step + 1;
        lines.push(vec![Span::styled(
            format!(" step {step}: the question and what stands before it are read"),
            theme.focus,
        )]);
        lines.extend(flow([(local.prefix.as_str(), theme.dim)].into_iter(), columns));
        lines.push(vec![Span::styled("   trained:", theme.dim)]);
        lines.extend(flow([(local.target.as_str(), theme.added)].into_iter(), columns));
    }
    lines
}

/// The last line: samples, lengths, where it comes from.
pub fn foot(page: &Page, heat: Option<&Heat>, look: &Look) -> Line {
    let mut facts = Vec::new();
    if let Some(bridge) = &page.bridge {
        let steps: Vec<String> = bridge.bridged.locals.iter().map(|local| (local.step + 1).to_string()).collect();
        facts.push(match steps.len() {
            0 => "no local samples".to_string(),
            _ => format!("local samples: steps {}", steps.join(", ")),
        });
    }
    facts.extend(match (heat.and_then(|heat| heat.before), heat.and_then(|heat| heat.after)) {
        (Some(before), Some(after)) => Some(format!("{after} tokens, was {before}")),
        (Some(before), None) => Some(format!("trace of {before} tokens")),
        _ => None,
    });
    facts.extend(page.trace.as_ref().map(|trace| format!("trace by {}", trace.teacher)));
    facts.extend(page.scores.as_ref().map(|scores| format!("D under {}", scores.checkpoint)));
    let prompts = page.bridge.iter().flat_map(|bridge| &bridge.prompts);
    facts.extend(prompts.map(|(name, hash)| format!("{name} {}", hash.get(..8).unwrap_or(hash))));
    let facts: Vec<String> = facts.iter().map(|fact| text::printable(fact)).collect();
    let mut line = vec![Span::raw(" ")];
    line.extend(joined(&facts, look, look.theme.dim));
    line
}

/// Everything about a question, to be read from the beginning.
pub fn lineage(page: &Page, heat: Option<&Heat>, look: &Look) -> Vec<Line> {
    let theme = &look.theme;
    let mut lines = Vec::new();
    let mut part = |title: String, body: &str, style: Style| {
        lines.push(vec![Span::styled(text::printable(&title), theme.focus)]);
        for line in text::printable_lines(body).lines() {
            let wrapped = text::wrap(line, READING).into_iter();
            lines.extend(wrapped.map(|line| vec![Span::styled(format!("  {line}"), style)]));
        }
        lines.push(Vec::new());
    };
    let asked = |prompts: &std::collections::BTreeMap<String, String>| {
        let named = prompts.iter().map(|(name, hash)| format!("prompt {name} {hash}\n"));
        named.collect::<String>()
    };
    if let Some(question) = &page.question {
        part(format!("question {}, gold {}", question.id, question.gold), &question.text, theme.text);
    }
    if let Some(trace) = &page.trace {
        let title =
            format!("trace/{}, {}, by {}, attempts: {}", page.id, trace.status.name(), trace.teacher, trace.attempts);
        part(title, &format!("{}{}", asked(&trace.prompts), trace.text), theme.text);
    }
    if let Some(scores) = &page.scores {
        let title = format!("scores/{}, {}, D under {}", page.id, scores.status.name(), scores.checkpoint);
        let thresholds = page.ground.thresholds.map_or(String::new(), |t| {
            let tau = look.glyphs.tau;
            let [i, j, d] = [t.tau_i, t.tau_j, t.tau_d].map(words::figure);
            format!("{tau}I {i}, {tau}J {j}, {tau}D {d} ({})\n", page.ground.source)
        });
        part(title, &format!("{thresholds}{}{}", asked(&scores.prompts), scores.unanswered.join("\n")), theme.text);
    }
    if let Some(bridge) = &page.bridge {
        let by = bridge.decided.as_ref().map_or(String::new(), |d| format!(", last decided by {}", d.by));
        let tokens = heat.and_then(|heat| heat.after).map_or(String::new(), |tokens| format!(", {tokens} tokens"));
        let title = format!("bridge/{}, {}{by}{tokens}", page.id, bridge.status.name());
        part(title, &format!("{}{}", asked(&bridge.prompts), bridge.bridged.text), theme.text);
        for (at, step) in page.steps.iter().enumerate() {
            let action = step.action.map_or("", |action| action.as_str());
            let title = cell(&format!("step {} {action} {}", at + 1, words::by(step)), 40, look);
            part(title, &words::why(step, &page.ground, &look.glyphs), theme.dim);
        }
    }
    lines
}
