//! How often each operation is used (the paper's Figure 10), over all steps and by their position; and beside it what
//! other thresholds would give.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::draw::{cell, take};
use super::tune::{Outcome, POSITIONS, Tally, Tau, place};
use super::{Bridge, words};
use crate::domain::{Action, Thresholds};
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text::{self, count};
use crate::workbench::widgets::{self, header, joined, put};

/// Rows that the thresholds and what they give take.
pub const ROWS: u16 = 12;

type Line = Vec<Span<'static>>;

/// Draws how often each operation is used.
pub fn draw(pane: &Bridge, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
    let look = seen.look;
    let Some(book) = pane.book.value() else {
        return match pane.book.waiting() {
            Some(since) => widgets::waiting(buf, area, look, since, seen.now),
            None => widgets::words(buf, area, pane.book.error().unwrap_or("nothing was read"), look.theme.dim),
        };
    };
    let tally = Tally::present(book);
    let mut at = header(buf, area, look, "operations", false, facts(&tally, look));
    if tally.steps() == 0 {
        let words = "No step is bridged yet: this fills with the stage bridge.";
        return widgets::words(buf, at, words, look.theme.dim);
    }
    let columns = usize::from(area.width);
    put(buf, take(&mut at, 1), vec![Span::styled(" all steps", look.theme.dim)]);
    for action in Action::ALL {
        put(buf, take(&mut at, 1), single(action, &tally, columns, look));
    }
    if at.height >= 4 {
        let _ = take(&mut at, 1);
        put(buf, take(&mut at, 1), vec![Span::styled(" by position of the step", look.theme.dim)]);
        for (position, actions) in tally.positions.iter().enumerate() {
            put(buf, take(&mut at, 1), stacked(position, actions, columns, look));
        }
    }
}

fn facts(tally: &Tally, look: &Look) -> Line {
    let mut facts = vec![
        format!("{} steps of {} questions", count(tally.steps() as u64), count(tally.questions as u64)),
        format!("{} local samples", count(tally.locals as u64)),
    ];
    if tally.open > 0 {
        facts.push(format!("{} open", count(tally.open as u64)));
    }
    if tally.fixed > 0 {
        facts.push(format!("{} chosen by hand", count(tally.fixed as u64)));
    }
    joined(&facts, look, look.theme.dim)
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

/// One operation: word, steps, share, bar of its letter.
fn single(action: Action, tally: &Tally, columns: usize, look: &Look) -> Line {
    let (of, part) = (tally.steps(), tally.actions[place(action)]);
    let style = look.theme.action(action);
    let room = columns.saturating_sub(30);
    let bar = words::letter(action).repeat((share(part, of) * room as f64).round() as usize);
    vec![
        Span::styled(format!(" {:<9}", action.as_str()), style),
        Span::raw(format!("{:>8} {:>5.1} %  ", count(part as u64), 100.0 * share(part, of))),
        Span::styled(bar, style),
    ]
}

/// The operations at one position, one behind the other, as letters.
fn stacked(position: usize, actions: &[usize; 5], columns: usize, look: &Look) -> Line {
    let of: usize = actions.iter().sum();
    let more = if position + 1 == POSITIONS { "+" } else { " " };
    let mut line = vec![Span::styled(format!("  {:>3}{more}{:>8}  ", position + 1, count(of as u64)), look.theme.dim)];
    let room = columns.saturating_sub(18);
    let (mut seen, mut drawn) = (0, 0);
    for action in Action::ALL {
        seen += actions[place(action)];
        let until = (share(seen, of) * room as f64).round() as usize;
        let bar = words::letter(action).repeat(until.saturating_sub(drawn));
        line.push(Span::styled(bar, look.theme.action(action)));
        drawn = until.max(drawn);
    }
    line
}

/// Draws the thresholds that are tried, and what they would give beside what there is.
pub fn tune(pane: &Bridge, buf: &mut Buffer, area: Rect, seen: &Seen<'_>) {
    let look = seen.look;
    let (Some(book), Some(tried)) = (pane.book.value(), pane.thresholds()) else { return };
    let now = Tally::present(book);
    let then = pane.outcome.value().filter(|_| pane.outcome.waiting().is_none());
    let mut at = header(buf, area, look, "what if", false, consequence(then, look));
    let force = book.ground.thresholds;
    for tau in Tau::ALL {
        put(buf, take(&mut at, 1), threshold(tau, tau == pane.tau, &tried, force.as_ref(), look));
    }
    let heads = format!("   {:<10}{:>16}{:>18}{:>8}", "", "now", "then", "change");
    put(buf, take(&mut at, 1), vec![Span::styled(heads, look.theme.dim)]);
    match (then, pane.outcome.error(), pane.outcome.waiting()) {
        (Some(then), ..) => {
            for action in Action::ALL {
                put(buf, take(&mut at, 1), compared(action, &now, &then.tally, usize::from(area.width), look));
            }
            let row = take(&mut at, 1);
            put(buf, row, samples(&now, then, look));
        }
        (None, Some(error), _) => widgets::fault(buf, at, look, error),
        (None, None, since) => widgets::waiting(buf, at, look, since.unwrap_or(seen.now), seen.now),
    }
}

/// How many steps would change.
fn consequence(then: Option<&Outcome>, look: &Look) -> Line {
    let Some(then) = then else { return Vec::new() };
    let questions = then.turns.chunk_by(|a, b| a.question == b.question).count();
    let mut facts = vec![match then.turns.len() {
        0 => "nothing would change".to_string(),
        steps => format!("{} steps of {} questions would change", count(steps as u64), count(questions as u64)),
    }];
    if then.barred > 0 {
        facts.push(format!("{} of rejected questions stay", count(then.barred as u64)));
    }
    if then.tally.fixed > 0 {
        facts.push(format!("{} chosen by hand stay", count(then.tally.fixed as u64)));
    }
    if then.tally.open > 0 {
        facts.push(format!("{} open", count(then.tally.open as u64)));
    }
    joined(&facts, look, look.theme.dim)
}

/// A threshold: its name, the value tried, the value in force.
fn threshold(tau: Tau, selected: bool, tried: &Thresholds, force: Option<&Thresholds>, look: &Look) -> Line {
    let (theme, glyphs) = (&look.theme, &look.glyphs);
    let value = tau.of(tried);
    let moved = force.is_some_and(|force| tau.of(force) != value);
    let pointer = if selected { glyphs.selected } else { " " };
    let meaning = match tau {
        Tau::Importance => "at or below is of low importance",
        Tau::Jumpiness => "above is jumpy",
        Tau::Difficulty => "above is hard for the student",
    };
    let style = if moved { theme.warn } else { theme.text };
    let was = force.filter(|_| moved).map_or(String::new(), |f| format!(" (in force {})", words::figure(tau.of(f))));
    vec![
        Span::styled(format!(" {pointer} "), theme.focus),
        Span::styled(format!("{}{} ", glyphs.tau, tau.letter()), if selected { theme.focus } else { theme.text }),
        Span::styled(format!("{:>5}{was}", words::figure(value)), style),
        Span::styled(format!("  {meaning}"), theme.dim),
    ]
}

/// One operation now and then.
fn compared(action: Action, now: &Tally, then: &Tally, columns: usize, look: &Look) -> Line {
    let style = look.theme.action(action);
    let told = |tally: &Tally| {
        let part = tally.actions[place(action)];
        format!("{:>8} {:>5.1} %", count(part as u64), 100.0 * share(part, tally.steps()))
    };
    let change = then.actions[place(action)] as i64 - now.actions[place(action)] as i64;
    let change = if change == 0 { String::new() } else { format!("{change:+}") };
    let room = columns.saturating_sub(58) / 2;
    let bar = |tally: &Tally| {
        let cells = (share(tally.actions[place(action)], tally.steps()) * room as f64).round() as usize;
        cell(&words::letter(action).repeat(cells), room, look)
    };
    vec![
        Span::styled(format!("   {:<10}", action.as_str()), style),
        Span::raw(told(now)),
        Span::raw("  "),
        Span::raw(told(then)),
        Span::styled(format!("{change:>8}  "), look.theme.warn),
        Span::styled(bar(now), style),
        Span::styled(format!(" {} ", look.glyphs.arrow), look.theme.dim),
        Span::styled(bar(then), style),
    ]
}

fn samples(now: &Tally, then: &Outcome, look: &Look) -> Line {
    let words = format!(
        "   local samples {} {} {}; nothing is changed yet",
        count(now.locals as u64),
        look.glyphs.arrow,
        count(then.tally.locals as u64)
    );
    vec![Span::styled(text::printable(&words), look.theme.dim)]
}
