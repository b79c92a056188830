//! How the lists and the text share the pane: steps above groups on the left, the samples of a group above the text of
//! one on the right; where there is little room, the part that keys act on alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::reading::{Group, Opened, Place, Sample};
use super::{Part, Rollouts, paint};
use crate::domain::GroupOutcome;
use crate::workbench::curves::Family;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::table::{Column, Wide};
use crate::workbench::widgets::{fault, header, joined, no_session, put, waiting, words};

/// Columns and rows from which on all parts are in sight.
const ALL: (u16, u16) = (64, 12);
/// Most lines of a question.
const PROMPT: usize = 3;

/// Draws the pane.
pub fn draw(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let area = area.intersection(buf.area);
    let body = header(buf, area, seen.look, "rollouts", seen.focused, facts(pane, seen.look));
    pane.text_area = Rect::ZERO;
    if pane.total() == 0 && pane.opened().is_none() {
        return nothing(pane, body, buf, seen);
    }
    if body.width < ALL.0 || body.height < ALL.1 {
        return alone(pane, body, buf, seen);
    }
    let width = (body.width * 2 / 5).clamp(30, 54);
    let left = Rect { width, ..body };
    let right = Rect { x: left.right() + 1, width: body.width - width - 1, ..body };
    let upper = if pane.question.is_some() { 0 } else { (left.height / 2).max(4) };
    steps(pane, Rect { height: upper, ..left }, buf, seen);
    groups(pane, Rect { y: left.y + upper, height: left.height - upper, ..left }, buf, seen);
    group(pane, right, buf, seen);
}

/// The part that keys act on.
fn alone(pane: &mut Rollouts, body: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    // What is not in sight takes no clicks.
    for table in [&mut pane.step_table, &mut pane.group_table, &mut pane.sample_table] {
        table.draw(buf, Rect::ZERO, seen.look, &[], None, |_| vec![]);
    }
    match pane.part {
        Part::Steps if pane.question.is_none() => steps(pane, body, buf, seen),
        Part::Steps | Part::Groups => groups(pane, body, buf, seen),
        Part::Samples => samples(pane, body, buf, seen),
        Part::Text => sample_text(pane, body, buf, seen),
    }
}

fn facts(pane: &Rollouts, look: &Look) -> Vec<Span<'static>> {
    let mut facts = Vec::new();
    match &pane.asked {
        Some(Place::Step(stage, step)) => {
            facts.push(format!("{} step {step}", text::printable(stage)));
            facts.push(match pane.newer() {
                None => "following".to_string(),
                Some(0) => "the newest".to_string(),
                Some(newer) => format!("{} newer", text::count(newer)),
            });
        }
        Some(Place::Question(id)) => facts.push(format!("{} in every stage but GRPO", text::printable(id))),
        None => {}
    }
    facts.extend(pane.opened().filter(|opened| !opened.scale.is_empty()).map(|o| format!("advantage {}", o.scale)));
    joined(&facts, look, look.theme.dim)
}

fn nothing(pane: &Rollouts, body: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let look = seen.look;
    match (pane.steps.waiting(), pane.steps.error()) {
        _ if seen.session.is_none() => no_session(buf, body, look),
        (Some(since), None) => waiting(buf, body, look, since, seen.now),
        (_, Some(error)) => fault(buf, body, look, error),
        (None, None) => {
            let said = "no step of GRPO yet: its groups come here as they are sampled; / shows a question's rollouts of \
                        other stages";
            words(buf, body, said, look.theme.dim);
        }
    }
}

/// A line above a list: what it is, in bold where keys act on it.
fn head(buf: &mut Buffer, area: Rect, name: &str, on: bool, seen: &Seen<'_>) -> Rect {
    if area.height == 0 {
        return area;
    }
    let theme = &seen.look.theme;
    let (mark, style) = if on && seen.focused { (">", theme.focus.patch(theme.key)) } else { (" ", theme.dim) };
    put(buf, Rect { height: 1, ..area }, vec![Span::styled(format!("{mark}{name}"), style)]);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

fn steps(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let area = head(buf, area, "steps", pane.part == Part::Steps, seen);
    let columns = [
        Column::right("it", Wide::Exact(2)),
        Column::right("step", Wide::Exact(5)),
        Column::right("reward", Wide::Exact(6)),
        Column::right("all-zero", Wide::Exact(8)),
    ];
    let Rollouts { book, step_table, .. } = pane;
    step_table.draw(buf, area, seen.look, &columns, None, |row| {
        let x = row as u64 + 1;
        let value = |name: &str| book.at(Family::Rl, name, x).map_or("-".to_string(), |(raw, _)| text::figure(raw));
        let (iteration, step) = book.place(Family::Rl, x).map_or((0, 0), |(leg, step)| (leg.stage.iteration, step));
        [iteration.to_string(), step.to_string(), value("reward"), value("all-zero")].map(Line::from).into()
    });
}

fn groups(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let name = if pane.question.is_some() { "stages" } else { "groups" };
    let area = head(buf, area, name, pane.part == Part::Groups, seen);
    if reading(pane, area, buf, seen) {
        return;
    }
    let columns = [
        Column::left(if pane.question.is_some() { "stage" } else { "question" }, Wide::Rest(10)),
        Column::right("k/n", Wide::Exact(5)),
        Column::right("mean", Wide::Exact(5)),
        Column::left("", Wide::Exact(5)),
    ];
    let Rollouts { opened, group_table, .. } = pane;
    let Some(Some(opened)) = opened.value() else { return };
    group_table.draw(buf, area, seen.look, &columns, None, |row| {
        opened.groups.get(row).map_or_else(Vec::new, |group| group_row(group, seen.look))
    });
}

fn group_row(group: &Group, look: &Look) -> Vec<Line<'static>> {
    let theme = &look.theme;
    let (right, n) = (group.right(), group.samples.len());
    let (outcome, style) = match GroupOutcome::of(right as u32, n as u32) {
        Some(GroupOutcome::AllZero) => ("zero", theme.bad),
        Some(GroupOutcome::Mixed) => ("mixed", theme.text),
        Some(GroupOutcome::AllOne) => ("one", theme.good),
        None => ("", theme.dim),
    };
    vec![
        Line::from(text::printable(&group.name)),
        Line::from(format!("{right}/{n}")),
        Line::from(text::figure(group.mean())),
        Line::from(Span::styled(outcome, style)),
    ]
}

/// What stands where groups are not there: true then.
fn reading(pane: &Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) -> bool {
    let look = seen.look;
    if let Some(error) = pane.opened.error() {
        fault(buf, area, look, error);
        return true;
    }
    match (pane.opened(), pane.opened.waiting()) {
        (None, Some(since)) => waiting(buf, area, look, since, seen.now),
        (None, None) => words(buf, area, "nothing is kept of this step", look.theme.dim),
        (Some(opened), _) if opened.groups.is_empty() => {
            let said = match &opened.place {
                Place::Question(id) => format!("no stage outside of GRPO has sampled {}", text::printable(id)),
                Place::Step(..) => "this step has no groups".to_string(),
            };
            words(buf, area, &said, look.theme.dim);
        }
        _ => return false,
    }
    true
}

/// The question of a group, its samples, and the text of one.
fn group(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let look = seen.look;
    let Some(shown) = pane.group() else { return };
    let prompt = if shown.prompt.is_empty() { "the question's text is not kept" } else { &shown.prompt };
    let room = usize::from(area.width.saturating_sub(2));
    let lines = text::few(text::wrap(&text::printable(prompt), room), PROMPT, room, look.glyphs.ellipsis);
    let told = format!(
        "gold {}   verifier {}   prompt {}   checkpoint {}",
        text::printable(&shown.gold),
        text::printable(&shown.provenance.verifier),
        text::fit(&text::printable(&shown.provenance.prompt), 8, ""),
        text::printable(&shown.provenance.checkpoint)
    );
    let mut spans: Vec<Span<'static>> =
        lines.into_iter().map(|line| Span::styled(format!(" {line}"), look.theme.text)).collect();
    spans.push(Span::styled(format!(" {}", text::fit(&told, room, look.glyphs.ellipsis)), look.theme.dim));
    let top = (spans.len() as u16).min(area.height);
    for (y, span) in (area.y..area.y + top).zip(spans) {
        put(buf, Rect { y, height: 1, ..area }, vec![span]);
    }
    let count = shown.samples.len() as u16;
    let rest = Rect { y: area.y + top, height: area.height - top, ..area };
    let list = (count.saturating_add(2)).min((rest.height / 2).max(4)).min(rest.height);
    samples(pane, Rect { height: list, ..rest }, buf, seen);
    sample_text(pane, Rect { y: rest.y + list, height: rest.height - list, ..rest }, buf, seen);
}

fn samples(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let area = head(buf, area, "samples", pane.part == Part::Samples, seen);
    if reading(pane, area, buf, seen) {
        return;
    }
    let logs = pane.has_log();
    let mut columns = vec![
        Column::right("#", Wide::Exact(3)),
        Column::left("reward", Wide::Exact(6)),
        Column::right("advantage", Wide::Exact(9)),
        Column::left("answer", Wide::Rest(8)),
        Column::right("tokens", Wide::Exact(6)),
        Column::left("end", Wide::Exact(4)),
    ];
    columns.extend(logs.then(|| Column::right("-log p", Wide::Exact(6))));
    let Rollouts { opened, sample_table, group_table, .. } = pane;
    let Some(Some(opened)) = opened.value() else { return };
    let Some(group) = group_table.selected().and_then(|at| Opened::group(opened, at)) else { return };
    sample_table.draw(buf, area, seen.look, &columns, None, |row| {
        group.samples.get(row).map_or_else(Vec::new, |sample| sample_row(row, sample, seen.look))
    });
}

fn sample_row(at: usize, sample: &Sample, look: &Look) -> Vec<Line<'static>> {
    let theme = &look.theme;
    let (mark, style) =
        if sample.reward > 0.0 { (look.glyphs.done, theme.good) } else { (look.glyphs.failed, theme.bad) };
    let advantage = match sample.advantage {
        None => "-".to_string(),
        Some(value) if value > 0.0 => format!("+{}", text::figure(value)),
        Some(value) => text::figure(value),
    };
    let answer = match &sample.answer {
        Some(answer) => Span::styled(text::printable(answer), theme.text),
        None => Span::styled("none could be read", theme.dim),
    };
    let end = if sample.cut { Span::styled("cut", theme.warn) } else { Span::styled("end", theme.dim) };
    let mean = sample.mean_surprise().map_or("-".to_string(), text::figure);
    vec![
        Line::from(at.to_string()),
        Line::from(Span::styled(format!("{mark} {}", text::figure(sample.reward)), style)),
        Line::from(advantage),
        Line::from(answer),
        Line::from(text::count(sample.tokens.into())),
        Line::from(end),
        Line::from(mean),
    ]
}

fn sample_text(pane: &mut Rollouts, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let look = seen.look;
    let Some(sample) = pane.sample() else {
        let rest = head(buf, area, "text", pane.part == Part::Text, seen);
        reading(pane, rest, buf, seen);
        return;
    };
    let log = sample.log.as_ref().filter(|_| pane.heat);
    let pieces = paint::pieces(&sample.text, log);
    let painted = pieces.iter().any(|(heat, _)| heat.is_some());
    let lines = paint::lines(&pieces, usize::from(area.width.saturating_sub(3)));
    let (kept, name) = (sample.log.is_some(), format!("text of sample {}", pane.sample_table.selected().unwrap_or(0)));
    let body = head(buf, area, &name, pane.part == Part::Text, seen);
    let said = match (painted, kept, pane.question.is_some()) {
        (true, ..) => paint::legend(usize::from(area.width.saturating_sub(20)), look),
        (false, true, _) if pane.heat => vec![Span::styled("log-probs don't fit: plain", look.theme.warn)],
        (false, true, _) => vec![Span::styled("t colours by log-prob", look.theme.dim)],
        (false, false, true) => vec![Span::styled("log-probs are of GRPO only", look.theme.dim)],
        (false, false, false) => vec![Span::styled("no log-probs were kept", look.theme.dim)],
    };
    let legend = Rect { x: area.x + 20, width: area.width.saturating_sub(20), height: area.height.min(1), ..area };
    put(buf, legend, said);
    pane.page = usize::from(body.height).saturating_sub(1).max(1);
    pane.scroll = pane.scroll.min(lines.len().saturating_sub(usize::from(body.height)));
    for (y, line) in (body.top()..body.bottom()).zip(lines.iter().skip(pane.scroll)) {
        let row = Rect { x: body.x + 1, y, width: body.width.saturating_sub(1), height: 1 };
        put(buf, row, paint::styled(line, look));
    }
    if body.width > 2 {
        crate::workbench::widgets::scroll_bar(buf, body, look, lines.len(), pane.scroll);
    }
    pane.text_area = body;
}
