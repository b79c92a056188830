//! The list of stages: a mark, the iteration, the name, then progress while at work and what came out afterwards.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::workbench::ascii;
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::stages::{StageRow, StageState};
use crate::workbench::state::State;
use crate::workbench::text;
use crate::workbench::widgets::{self, bar, header, joined, pointer, put};

/// Columns of the name, at most.
const NAME: usize = 22;

/// Draws as many stages as there is room for, the current or the selected one among them. Gives where they stand: the
/// rows, and the first stage in them.
pub fn draw(buf: &mut Buffer, area: Rect, seen: &Seen<'_>, focused: bool, chosen: Option<usize>) -> (Rect, usize) {
    let (state, look) = (seen.run, seen.look);
    let kept = chosen.or(state.current()).unwrap_or(0);
    let rows = usize::from(area.height.saturating_sub(1));
    let hidden = state.stages.len().saturating_sub(rows);
    let first = kept.saturating_sub(rows / 2).min(hidden);
    let unseen = |count: usize, where_to: &str| if count > 0 { format!("{count} {where_to}") } else { String::new() };
    let complete = format!("{} of {} done", state.complete(), state.stages.len());
    let facts = [complete, unseen(first, "above"), unseen(hidden - first, "below")];
    let body = header(buf, area, look, "stages", focused, joined(&facts, look, look.theme.dim));
    let name = state.stages.iter().map(|row| text::width(&row.name())).max().unwrap_or(0);
    let name = name.min(NAME).min(usize::from(body.width) * 9 / 20);
    for (y, (at, row)) in (body.top()..body.bottom()).zip(state.stages.iter().enumerate().skip(first)) {
        let selected = chosen == Some(at);
        let line = Rect { y, height: 1, ..body };
        put(buf, line, stage(row, state, look, name, usize::from(body.width), selected));
        if selected {
            buf.set_style(line, look.theme.selected);
        }
    }
    if state.stages.is_empty() && body.height > 0 {
        let words = match seen.session {
            Some(_) if state.phase.over() => "nothing is known of its stages yet",
            Some(_) => "waiting for the run to say what it will do",
            None => widgets::NO_SESSION,
        };
        put(buf, body, vec![Span::styled(format!("   {words}"), look.theme.dim)]);
    }
    (body, first)
}

fn stage(
    row: &StageRow,
    state: &State,
    look: &Look,
    name: usize,
    columns: usize,
    selected: bool,
) -> Vec<Span<'static>> {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    let (mark, style) = match row.state {
        StageState::Waiting => (glyphs.waiting, theme.dim),
        StageState::Running(_) => (glyphs.running, theme.running),
        StageState::Done(_) => (glyphs.done, theme.good),
        StageState::Stopped => (glyphs.stopped, theme.warn),
        StageState::Failed => (glyphs.failed, theme.bad),
    };
    let named = match row.state {
        StageState::Waiting => theme.dim,
        StageState::Running(_) => theme.running,
        _ => theme.text,
    };
    let named = if selected { named.patch(theme.focus).patch(theme.key) } else { named };
    let iteration = if row.id.iteration > 0 { row.id.iteration.to_string() } else { String::new() };
    let shown = text::fit(&row.name(), name, glyphs.ellipsis);
    let pad = " ".repeat(name.saturating_sub(text::width(&shown)));
    let mut spans = vec![
        pointer(selected, look),
        Span::styled(mark, style),
        Span::styled(format!(" {iteration:>1} "), theme.dim),
        Span::styled(shown + &pad, named),
        Span::raw("  "),
    ];
    let room = columns.saturating_sub(spans.iter().map(Span::width).sum());
    spans.extend(result(row, state, look, room));
    spans
}

/// What stands behind the name, in at most `room` columns.
fn result(row: &StageRow, state: &State, look: &Look, room: usize) -> Vec<Span<'static>> {
    match row.state {
        StageState::Waiting => vec![],
        StageState::Running(_) | StageState::Stopped | StageState::Failed => progress(row, state, look, room),
        StageState::Done(took) => {
            let time = format!("{:>5}  ", text::clock(took));
            let summary = text::fit(
                &ascii::words(&row.summary, &look.glyphs),
                room.saturating_sub(time.len()),
                look.glyphs.ellipsis,
            );
            vec![Span::styled(time, look.theme.dim), Span::raw(summary)]
        }
    }
}

/// What a stage says whose gate waits for the researcher.
pub fn waits(row: &StageRow, state: &State) -> Option<String> {
    let (_, pending) = state.gate.as_ref().filter(|(stage, _)| *stage == row.id)?;
    Some(format!("waits for you: {} to approve", text::count(*pending)))
}

/// `████───── 212/600 questions · 0:12 left`: the bar takes what the words leave.
fn progress(row: &StageRow, state: &State, look: &Look, room: usize) -> Vec<Span<'static>> {
    if row.total == 0 {
        return vec![Span::styled(text::fit(&row.unit, room, look.glyphs.ellipsis), look.theme.dim)];
    }
    if let Some(words) = waits(row, state) {
        return vec![Span::styled(text::fit(&words, room, look.glyphs.ellipsis), look.theme.warn)];
    }
    let count = format!("{}/{} {}", text::count(row.done), text::count(row.total), row.unit);
    let left = state.stage_eta(row);
    let mut facts = vec![count.trim_end().to_string()];
    facts.extend(left.map(|left| format!("{} left", text::clock(left))));
    let words = |facts: &[String]| facts.iter().map(|fact| text::width(fact) + 3).sum::<usize>();
    while facts.len() > 1 && words(&facts) + 4 > room {
        facts.pop();
    }
    let columns = room.saturating_sub(words(&facts)).min(24);
    let mut spans = if columns >= 4 { bar(row.share(), columns, look) } else { vec![] };
    if !spans.is_empty() {
        spans.push(Span::raw(" "));
    }
    spans.extend(joined(&facts, look, look.theme.text));
    spans
}
