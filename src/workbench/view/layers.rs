//! What lies over the panes: the help, generated from the keymap, and the question before a run is stopped.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::{put, put_right};
use crate::workbench::action::{self, available, key_name, keymap};
use crate::workbench::look::Look;
use crate::workbench::state::{Layer, State};
use crate::workbench::text;

/// Marks that the help explains.
const MARKS: usize = 8;

/// Lines of the help.
pub fn help_lines() -> usize {
    keymap(None).len() + 1 + MARKS
}

/// Draws the layers, the top one last.
pub fn draw(buf: &mut Buffer, area: Rect, state: &State, look: &Look) {
    for layer in &state.layers {
        match layer {
            Layer::Help { scroll } => window(buf, area, look, "help", &help(state, look), *scroll),
            Layer::AskStop => window(buf, area, look, "stop?", &question(state, look, area.width), 0),
        }
    }
}

type Lines = Vec<Vec<Span<'static>>>;

fn help(state: &State, look: &Look) -> Lines {
    let theme = &look.theme;
    let mut lines = Lines::new();
    for binding in keymap(None) {
        let keys: Vec<String> = binding.keys.iter().map(|key| key_name(*key)).collect();
        let style = if available(binding.action, state) { theme.text } else { theme.dim };
        lines.push(vec![
            Span::styled(format!("{:<20}", keys.join("  ")), theme.key),
            Span::styled(action::label(binding.action, state), style),
        ]);
    }
    let marks: [(&str, &str, Style); MARKS] = [
        (look.glyphs.done, "stage complete", theme.good),
        (look.glyphs.running, "stage at work", theme.running),
        (look.glyphs.waiting, "stage to come", theme.dim),
        (look.glyphs.stopped, "stage stopped; it goes on there when resumed", theme.warn),
        (look.glyphs.failed, "failed, error", theme.bad),
        (look.glyphs.warn, "warning", theme.warn),
        (look.glyphs.raw, "as measured", theme.raw),
        (look.glyphs.smooth, "smoothed, afresh in every stage", theme.smooth),
    ];
    lines.push(vec![]);
    for (mark, meaning, style) in marks {
        let pad = " ".repeat(20usize.saturating_sub(text::width(mark)));
        lines.push(vec![Span::styled(mark, style), Span::raw(pad), Span::raw(meaning)]);
    }
    lines
}

fn question(state: &State, look: &Look, columns: u16) -> Lines {
    let resume = format!("Go on later with: {}", state.resume);
    let words = ["Stop this run?", "It stops after the current step, and nothing that is done is lost.", &resume];
    let room = usize::from(columns).saturating_sub(4);
    let mut lines: Lines =
        words.iter().flat_map(|words| text::wrap(words, room)).map(|line| vec![Span::raw(line)]).collect();
    lines.push(vec![]);
    let mut keys = Vec::new();
    for (key, label) in action::hints(state) {
        keys.extend([Span::styled(key, look.theme.key), Span::raw(format!(" {label}    "))]);
    }
    lines.push(keys);
    lines
}

/// A framed window in the middle of the screen, as large as its lines or as the screen allows above the hints.
fn window(buf: &mut Buffer, area: Rect, look: &Look, title: &str, lines: &Lines, scroll: usize) {
    let widest = lines.iter().map(|line| line.iter().map(Span::width).sum::<usize>()).max().unwrap_or(0);
    let width = (widest as u16 + 4).min(area.width);
    let room = area.height.saturating_sub(1);
    let height = (lines.len() as u16 + 2).min(room);
    if width < 4 || height < 3 {
        return;
    }
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (room - height) / 2, width, height };
    border(buf, outer, look, title);
    let inner = Rect { x: outer.x + 2, y: outer.y + 1, width: width - 4, height: height - 2 };
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    let first = scroll.min(hidden);
    if hidden > first {
        let more = format!(" {} more below ", hidden - first);
        put_right(
            buf,
            Rect { y: outer.bottom() - 1, height: 1, ..inner },
            0,
            vec![Span::styled(more, look.theme.warn)],
        );
    }
    for (y, line) in (inner.top()..inner.bottom()).zip(lines.iter().skip(first)) {
        put(buf, Rect { y, height: 1, ..inner }, line.clone());
    }
}

fn border(buf: &mut Buffer, area: Rect, look: &Look, title: &str) {
    let [top_left, top_right, bottom_right, bottom_left, across, down] = look.glyphs.border;
    let style = look.theme.dim;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(look.theme.text);
            }
        }
    }
    let middle = across.repeat(usize::from(area.width) - 2);
    buf.set_string(area.x, area.y, format!("{top_left}{middle}{top_right}"), style);
    buf.set_string(area.x, area.bottom() - 1, format!("{bottom_left}{middle}{bottom_right}"), style);
    for y in area.y + 1..area.bottom() - 1 {
        buf.set_string(area.x, y, down, style);
        buf.set_string(area.right() - 1, y, down, style);
    }
    let name = format!(" {title} ");
    if usize::from(area.width) > name.len() + 4 {
        buf.set_string(area.x + 2, area.y, name, look.theme.title);
    }
}
