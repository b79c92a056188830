//! `footbridge keys`: the keymap as a table or as a file, and what is wrong in a file.

use std::fmt::Write;
use std::path::Path;

use super::args::KeysVerb;
use super::exit::{Exit, Failure};
use super::out;
use crate::workbench::action::{Bound, MOVES, SHELL};
use crate::workbench::keymap::{Keymap, all, section, tables};
use crate::workbench::pane::PaneId;
use crate::workbench::panes;
use crate::workbench::probe::Surroundings;
use crate::workbench::text;

/// Does what was asked.
pub fn run(verb: &KeysVerb) -> Result<Exit, Failure> {
    let page = match verb {
        KeysVerb::List { pane, toml, keys } => {
            let keymap = Keymap::usual(&Surroundings::read(), keys.as_deref()).map_err(Failure::usage)?;
            let pane = pane.as_ref().and_then(|name| PaneId::ALL.into_iter().find(|id| id.name() == name));
            if *toml { keymap.to_toml() } else { list(&keymap, pane) }
        }
        KeysVerb::Check { file } => check(file)?,
    };
    let _ = out::stdout(&page)?;
    Ok(Exit::Done)
}

/// The tables: all, or those that hold in one pane.
fn list(keymap: &Keymap, pane: Option<PaneId>) -> String {
    let tables: Vec<&[Bound]> = match pane {
        Some(pane) => vec![panes::bindings(pane), MOVES, SHELL],
        None => tables().collect(),
    };
    let lines: Vec<[String; 3]> = tables.into_iter().flatten().map(|bound| line(keymap, bound)).collect();
    let width = |column: usize| lines.iter().map(|line| text::width(&line[column])).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    lines.iter().fold(String::new(), |mut page, [id, keys, label]| {
        let _ = writeln!(page, "{id:first$}  {keys:second$}  {label}");
        page
    })
}

fn line(keymap: &Keymap, bound: &Bound) -> [String; 3] {
    let keys: Vec<String> = keymap.keys(bound).iter().map(|key| key.written()).collect();
    [bound.id.to_string(), keys.join(" "), bound.label.to_string()]
}

/// What a file changes.
fn check(file: &Path) -> Result<String, Failure> {
    let (usual, changed) = (Keymap::default(), Keymap::load(file).map_err(Failure::usage)?);
    let shown = |keymap: &Keymap, bound| {
        let [_, keys, _] = line(keymap, bound);
        if keys.is_empty() { "no key".to_string() } else { keys }
    };
    let mut page = String::new();
    for bound in all().filter(|bound| usual.keys(bound) != changed.keys(bound)) {
        let (section, name) = section(bound);
        let _ = writeln!(page, "[{section}] {name}: {}, was {}", shown(&changed, bound), shown(&usual, bound));
    }
    Ok(if page.is_empty() { "good, and the same as the built-in keymap".to_string() } else { page })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_action_once_and_a_panes_list_what_holds_there() {
        let keymap = Keymap::default();
        let page = list(&keymap, None);
        assert_eq!(page.lines().count(), all().count());
        for bound in all() {
            let start = format!("{} ", bound.id);
            assert!(page.lines().any(|line| line.starts_with(&start) && line.ends_with(bound.label)), "{}", bound.id);
        }
        let run = list(&keymap, Some(PaneId::Run));
        let own = panes::bindings(PaneId::Run).len();
        assert_eq!(run.lines().count(), own + MOVES.len() + SHELL.len());
    }
}
