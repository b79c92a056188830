//! The help: every action of the focused pane with its keys, then the ways that hold everywhere, then the marks.

use ratatui::text::Span;

use super::Shell;
use super::layers::{Body, Layer, Owner, Purpose};
use crate::workbench::action::{Bound, MOVES, SHELL};
use crate::workbench::panes;
use crate::workbench::text;

/// Columns of the keys.
const KEYS: usize = 22;

/// The layer with the help of the focused pane.
pub(super) fn layer(shell: &Shell) -> Layer {
    let id = shell.tiles.focus();
    let mut lines =
        section(shell, panes::bindings(id), &format!("{} {} {}", id.name(), shell.look.glyphs.dot, id.about()));
    lines.extend(section(shell, MOVES, "moving about"));
    lines.extend(section(shell, SHELL, "everywhere"));
    let marks = shell.panes[id.index()].marks(&shell.look);
    if !marks.is_empty() {
        lines.push(title(shell, "marks"));
    }
    for (mark, meaning, style) in marks {
        let pad = " ".repeat(KEYS.saturating_sub(text::width(&mark)));
        lines.push(vec![Span::styled(mark, style), Span::raw(pad), Span::raw(meaning)]);
    }
    Layer { owner: Owner::Shell(Purpose::Help), title: "help".to_string(), body: Body::Read { lines, scroll: 0 } }
}

fn title(shell: &Shell, words: &str) -> Vec<Span<'static>> {
    vec![Span::styled(words.to_string(), shell.look.theme.title)]
}

fn section(shell: &Shell, table: &'static [Bound], words: &str) -> Vec<Vec<Span<'static>>> {
    let (id, theme) = (shell.tiles.focus(), &shell.look.theme);
    let mut lines = Vec::new();
    for bound in table {
        let keys: Vec<String> = shell.keymap.keys(bound).iter().map(|key| key.name(&shell.look.glyphs)).collect();
        let keys = keys.join("  ");
        let pad = " ".repeat(KEYS.saturating_sub(text::width(&keys)));
        let style = if shell.available(id, bound.action) { theme.text } else { theme.dim };
        let label = shell.label(id, bound.action, bound.label);
        lines.push(vec![Span::styled(keys, theme.key), Span::raw(pad), Span::styled(label, style)]);
    }
    if !lines.is_empty() {
        lines.insert(0, title(shell, words));
        lines.push(vec![]);
    }
    lines
}
