//! Every pane in every built-in theme at three sizes: each cell's character and its exact style, as a terminal understands
//! the codes that are written to it. Themes change colours and nothing else, and what is drawn can be read in each.

use std::collections::BTreeSet;
use std::path::Path;

use footbridge::session::records::GrpoStep;
use footbridge::session::{Author, Batch, Sessions};
use footbridge::workbench::look::Look;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::probe::ColourLevel;
use footbridge::workbench::theme::vision::contrast;
use footbridge::workbench::theme::{self, Theme};
use regex::Regex;

use super::cells::{Cells, Ink, in_themes};
use super::stand::{Stand, dark};
use super::{evaluation, home, rewards, rollouts};
use crate::faces::script::run_until;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// A pane in a state that shows much of it.
struct Scene {
    name: &'static str,
    stand: Stand,
    /// Keys that open a layer over it. Layers keep the colours they were opened in.
    layer: &'static str,
}

impl Scene {
    fn new(name: &'static str, mut stand: Stand, keys: &str) -> Self {
        stand.keys(keys);
        Self { name, stand, layer: "" }
    }

    fn pane(pane: PaneId, keys: &str) -> Self {
        Self::new(pane.name(), Stand::pane(pane), keys)
    }

    fn layer(name: &'static str, pane: PaneId, layer: &'static str) -> Self {
        Self { layer, ..Self::new(name, Stand::pane(pane), "") }
    }

    /// The screen in every theme.
    fn drawn(&mut self, themes: &[(&'static str, Theme)], columns: u16, rows: u16) -> Vec<Cells> {
        // What this size asks for is read before it is looked at.
        self.stand.screen(columns, rows);
        let one = |(name, theme): &(&'static str, Theme)| {
            self.stand.shell.wear(Look { theme_name: name.to_string(), ..Look::new(theme.clone(), false) });
            self.stand.keys(self.layer);
            let cells = Cells::of(&mut self.stand, columns, rows);
            while self.stand.shell.depth() > 0 {
                self.stand.keys("<esc>");
            }
            cells
        };
        themes.iter().map(one).collect()
    }
}

/// Takes a fifth off every reward of a session, so that its curve lies below that of the session it is a copy of.
fn lowered(home: &Path) {
    let session = Sessions::at(home.parent().unwrap()).open("other").unwrap();
    let steps: Vec<(String, GrpoStep)> = session.scan("").map(Result::unwrap).collect();
    let mut batch = Batch::new(Author::Pipeline);
    for (key, step) in steps {
        batch.put(&key, &GrpoStep { reward: 0.8 * step.reward, ..step });
    }
    session.write(batch).unwrap();
}

/// All of them: the ten panes, a run at work, and the layers.
fn scenes() -> Vec<Scene> {
    let mut list = home::stand();
    list.find("");
    vec![
        Scene::new("home", list, "j"),
        Scene::pane(PaneId::Run, "sgj"),
        Scene::pane(PaneId::Questions, "/band:hard<enter>jjjjjj"),
        Scene::pane(PaneId::Bridge, "JJ"),
        Scene::pane(PaneId::Recycle, "n"),
        Scene::new("rewards", rewards::with_another(lowered), "o<enter><left><left><left>"),
        Scene::new("rollouts", rollouts::with_logs(), "<right><right>j"),
        Scene::new("evaluation", evaluation::with_other(|_| ()), "s<enter>"),
        Scene::pane(PaneId::DataSets, "j<enter><enter>"),
        Scene::pane(PaneId::Prompts, "G"),
        Scene::new("run_at_work", Stand::live(dark()).play(run_until(18, 0.6)), ""),
        Scene::layer("help", PaneId::Bridge, "?"),
        Scene::layer("palette", PaneId::Run, ":bridge"),
        Scene::layer("asking", PaneId::Bridge, "A"),
    ]
}

fn themes() -> Vec<(&'static str, Theme)> {
    theme::names().iter().map(|name| (*name, Theme::load(name, ColourLevel::True).unwrap())).collect()
}

/// Times and sizes that no two runs of the test share are put aside; what stands right of them stays where it is.
fn steady(screen: &str) -> String {
    let moving = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d+\.\d [KM]iB").unwrap();
    moving.replace_all(screen, |found: &regex::Captures| "~".repeat(found[0].len())).into_owned()
}

/// What is too faint: words by WCAG AA, in the theme of high contrast AAA; marks, bars and curves as WCAG asks of them. The
/// track of a bar says nothing, the part that is done does.
fn too_faint(screen: &Cells, name: &str, theme: &Theme) -> BTreeSet<String> {
    let (words, marks) = if name == "contrast" { (7.0, 4.5) } else { (4.5, 3.0) };
    let faint = |(symbol, ink): (&String, &Ink)| {
        let (front, ground) = ink.seen(theme);
        let least = if symbol.chars().any(char::is_alphanumeric) { words } else { marks };
        let reached = contrast(front, ground);
        let found = || format!("{symbol} {front} on {ground} in {name} has {reached:.2}, not {least}");
        (!symbol.trim().is_empty() && Some(front.into()) != theme.track.fg && reached < least).then(found)
    };
    screen.text.iter().flatten().zip(screen.inks.iter().flatten()).filter_map(faint).collect()
}

#[test]
fn every_pane_in_every_theme_at_every_size() {
    let themes = themes();
    let names: Vec<&str> = themes.iter().map(|(name, _)| *name).collect();
    for mut scene in scenes() {
        let name = scene.name;
        for (columns, rows) in SIZES {
            let screens = scene.drawn(&themes, columns, rows);
            for (screen, (theme_name, theme)) in screens.iter().zip(&themes) {
                assert_eq!(screen.lines(), screens[0].lines(), "{name} says something else in {theme_name}");
                assert_eq!(too_faint(screen, theme_name, theme), BTreeSet::new(), "{name} at {columns}x{rows}");
            }
            insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), steady(&in_themes(&names, &screens)));
        }
    }
}
