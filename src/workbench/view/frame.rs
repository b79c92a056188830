//! The rows around the panes: title above, status and hints below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{joined, phase_word, put, put_right};
use crate::pipeline::events::Outcome;
use crate::workbench::action;
use crate::workbench::look::Look;
use crate::workbench::stages::StageState;
use crate::workbench::state::{Phase, State};
use crate::workbench::text;

/// Session, seed and stage on the left; device and speed on the right.
pub fn title(buf: &mut Buffer, row: Rect, state: &State, look: &Look) {
    let current = state.current().map(|at| &state.stages[at]);
    let mut facts = vec![state.session.clone()];
    facts.extend(state.seed.map(|seed| format!("seed {seed}")));
    if let Some(stage) = current {
        if stage.id.iteration > 0 {
            facts.push(format!("iteration {}", stage.id.iteration));
        }
        facts.push(stage.name());
    }
    let mut spans = vec![Span::styled(" footbridge", look.theme.title), Span::raw("  ")];
    spans.extend(joined(&facts, look, look.theme.text));
    let used: usize = spans.iter().map(Span::width).sum();
    put(buf, row, spans);
    let at_work = current.filter(|stage| matches!(stage.state, StageState::Running(_)) && stage.rate > 0.0);
    let speed = at_work.map_or(String::new(), |stage| format!("{} tok/s", text::short(stage.rate)));
    let mut right = joined(&[state.device.clone(), speed], look, look.theme.text);
    right.push(Span::raw(" "));
    put_right(buf, row, used + 1, right);
}

/// Where the run stands, how long it took and will take; what waits and what went wrong.
pub fn status(buf: &mut Buffer, row: Rect, state: &State, look: &Look) {
    let theme = &look.theme;
    let (style, mut facts) = match &state.phase {
        Phase::Ended(Outcome::Failed { reason }) => (theme.bad, vec![format!("failed: {}", text::printable(reason))]),
        Phase::Ended(Outcome::Cancelled) => {
            (theme.warn, vec![format!("stopped after {}", clock(state)), resume(state)])
        }
        Phase::Ended(Outcome::Done) => (theme.good, vec![format!("done in {}", clock(state))]),
        Phase::Paused | Phase::Pausing | Phase::Stopping => (theme.warn, vec![moving(state)]),
        Phase::Starting | Phase::Running => (theme.text, vec![moving(state)]),
    };
    if !state.phase.over() {
        facts.extend(state.eta().map(|eta| format!("about {} left", text::clock(eta))));
    }
    if state.phase == Phase::Ended(Outcome::Done) {
        facts.push("the table is printed when you leave".to_string());
    }
    let mut spans = vec![Span::raw(" ")];
    let room = usize::from(row.width).saturating_sub(2);
    facts[0] = text::fit(&facts[0], room, look.glyphs.ellipsis);
    spans.extend(joined(&facts[..1], look, style));
    for fact in &facts[1..] {
        spans.extend([Span::styled(format!(" {} ", look.glyphs.dot), theme.dim), Span::raw(fact.clone())]);
    }
    let used: usize = spans.iter().map(Span::width).sum();
    put(buf, row, spans);
    put_right(buf, row, used + 1, alarms(state, look));
}

fn moving(state: &State) -> String {
    match state.phase {
        Phase::Pausing => "pausing after the current step".to_string(),
        Phase::Stopping => "stopping after the current step".to_string(),
        _ => format!("{} {}", phase_word(state), clock(state)),
    }
}

fn clock(state: &State) -> String {
    text::clock(state.elapsed())
}

fn resume(state: &State) -> String {
    format!("go on with: {}", state.resume)
}

fn alarms(state: &State, look: &Look) -> Vec<Span<'static>> {
    let (warnings, errors) = state.log.alarms();
    let mut facts = Vec::new();
    let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    if let Some((stage, pending)) = &state.gate {
        let name = crate::workbench::stages::kind_name(stage.kind);
        facts.push(Span::styled(format!("{name}: {} to approve", text::count(*pending)), look.theme.warn));
    }
    if warnings > 0 {
        facts.push(Span::styled(format!("{} {}", look.glyphs.warn, counted(warnings, "warning")), look.theme.warn));
    }
    if errors > 0 {
        facts.push(Span::styled(format!("{} {}", look.glyphs.failed, counted(errors, "error")), look.theme.bad));
    }
    facts.into_iter().flat_map(|fact| [fact, Span::raw("  ")]).collect()
}

/// The keys that do something now.
pub fn hints(buf: &mut Buffer, row: Rect, state: &State, look: &Look) {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    let all = action::hints(state);
    // Help comes last and must not be cut off: it leads to all the others.
    let help = all.last().map_or(0, |(key, label)| text::width(key) + label.len() + 3);
    for (at, (key, label)) in all.iter().enumerate() {
        let wide = text::width(key) + 1 + label.len() + 2;
        let reserve = if at + 1 == all.len() { 0 } else { help };
        if used + wide + reserve > usize::from(row.width) + 2 {
            continue;
        }
        spans.push(Span::styled(key.clone(), look.theme.key));
        spans.push(Span::styled(format!(" {label}  "), look.theme.dim));
        used += wide;
    }
    put(buf, row, spans);
}
