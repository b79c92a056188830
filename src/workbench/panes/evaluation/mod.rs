//! What was learned: checkpoints × splits with 95 % intervals, what a figure was measured with, the questions that changed
//! between two checkpoints, and other sessions at the side with paired significance.

mod acts;
mod cell;
mod grid;
mod notes;
mod read;
mod table;
mod view;

use std::sync::Arc;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use crate::pipeline::events::Level;
use crate::workbench::action::{Action, Bound, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::widgets::bar;
use grid::{Figure, Grid};
use read::{BothAnswers, Compared, Found, Pair, Place};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Another figure.
    Figure,
    /// Move in another part: table, questions that changed, notes.
    Part,
    /// Compare with the chosen checkpoint from now on.
    Against,
    /// Put another session at the side, or take it away.
    Beside,
    /// Take every other session away.
    Alone,
    /// Read both answers to the chosen question.
    Answers,
    /// The chosen question among the rollouts.
    Rollouts,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("evaluation.figure", Action::Evaluation(Do::Figure), "other figure", &["m"]),
    hint("evaluation.part", Action::Evaluation(Do::Part), "table, questions, notes", &["v"]),
    hint("evaluation.against", Action::Evaluation(Do::Against), "compare with this one", &["b"]),
    hint("evaluation.beside", Action::Evaluation(Do::Beside), "session beside", &["s"]),
    bind("evaluation.alone", Action::Evaluation(Do::Alone), "no session beside", &["S"]),
    hint("evaluation.answers", Action::Evaluation(Do::Answers), "both answers", &["a"]),
    bind("evaluation.rollouts", Action::Evaluation(Do::Rollouts), "this question's rollouts", &["r"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Table,
    Changed,
    Notes,
}

/// The pane.
#[derive(Default)]
pub struct Evaluation {
    found: Query<Arc<Found>>,
    /// What the table was made from.
    shown: Option<Arc<Found>>,
    grid: Grid,
    figure: Figure,
    part: Part,
    /// The chosen row, and the chosen column by its name; the last row and the first column where there is none.
    row: Option<Place>,
    column: Option<String>,
    /// The checkpoint to compare with; `None` for the one before.
    against: Option<String>,
    /// Sessions at the side.
    beside: Vec<String>,
    compared: Query<Option<Compared>>,
    /// What was asked to be compared.
    pair: Option<Pair>,
    /// The chosen one of the questions that changed: split and id.
    chosen: Option<(String, String)>,
    answers: Query<BothAnswers>,
    reading: bool,
    names: Query<Vec<String>>,
    choosing: bool,
    /// Names offered at the side, in the order of the list.
    offered: Vec<String>,
    /// Lines of the notes above what is in sight.
    scroll: usize,
    places: view::Places,
}

impl Pane for Evaluation {
    fn id(&self) -> PaneId {
        PaneId::Evaluation
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        match action {
            Action::Evaluation(Do::Against | Do::Beside | Do::Figure) => self.shown.is_some(),
            Action::Evaluation(Do::Alone) => !self.beside.is_empty(),
            Action::Evaluation(Do::Answers | Do::Rollouts) => self.changed().is_some(),
            _ => true,
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        let again = action == Action::Evaluation(Do::Against)
            && self.against.is_some()
            && self.against == self.chosen_row().map(|row| row.checkpoint.clone());
        again.then_some("compare with the one before")
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Evaluation(Do::Figure) => {
                self.figure = self.figure.next();
                self.lay_out();
            }
            Action::Evaluation(Do::Part) => self.next_part(),
            Action::Evaluation(Do::Against) => self.compare_with(cx),
            Action::Evaluation(Do::Beside) => {
                self.choosing = true;
                let sessions = cx.house.sessions.clone();
                self.names.ask(cx.jobs, cx.now, move |_| sessions.names().map_err(|error| error.to_string()));
            }
            Action::Evaluation(Do::Alone) => {
                self.beside.clear();
                self.read(cx, false);
            }
            Action::Evaluation(Do::Answers) => self.read_answers(cx),
            Action::Evaluation(Do::Rollouts) => self.open(PaneId::Rollouts, cx),
            Action::Move(to) => self.go(to, cx),
            _ => {}
        }
        self.poll(cx);
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        let places = self.places;
        self.give_up(cx);
        *self = Self { figure: self.figure, places, ..Self::default() };
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read(cx, true);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.read(cx, true);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.found.cancel();
        self.compared.cancel();
        self.answers.cancel();
        self.names.cancel();
        (self.choosing, self.reading) = (false, false);
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        cx.poll(&mut self.found);
        let newer = self.found.value().filter(|found| self.shown.as_ref().is_none_or(|old| !Arc::ptr_eq(old, found)));
        if let Some(found) = newer {
            self.shown = Some(Arc::clone(found));
            // What was compared rests on what was found before.
            self.pair = None;
            self.lay_out();
        }
        self.compare(cx);
        cx.poll(&mut self.compared);
        cx.poll(&mut self.names);
        if self.choosing && self.names.waiting().is_none() {
            self.choosing = false;
            self.offer(cx);
        }
        cx.poll(&mut self.answers);
        if self.reading && self.answers.waiting().is_none() {
            self.reading = false;
            match (self.answers.value(), self.answers.error()) {
                (Some(both), _) => {
                    let lines = cell::reading(both, cx.look);
                    let title = crate::workbench::text::printable(&both.id);
                    cx.ask(0, Ask::Read { title, lines });
                }
                (None, Some(why)) => {
                    let why = why.to_string();
                    cx.say(Level::Error, why);
                }
                (None, None) => {}
            }
        }
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        if let Target::Checkpoint(checkpoint) = target {
            self.row = Some(Place { session: None, checkpoint: checkpoint.clone() });
            self.part = Part::Table;
            self.poll(cx);
        }
    }

    fn reply(&mut self, _token: u32, reply: Reply, cx: &mut Cx<'_>) {
        let Reply::Chosen(at) = reply else { return };
        let Some(name) = self.offered.get(at).cloned() else { return };
        match self.beside.iter().position(|beside| *beside == name) {
            Some(there) => drop(self.beside.remove(there)),
            None => self.beside.push(name),
        }
        self.read(cx, false);
        self.poll(cx);
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        let Some(part) = self.places.part(at) else { return };
        match event.kind {
            MouseEventKind::ScrollDown => self.go_in(part, 1),
            MouseEventKind::ScrollUp => self.go_in(part, -1),
            MouseEventKind::Down(_) => {
                self.part = part;
                self.click(at, cx);
            }
            _ => {}
        }
        self.poll(cx);
    }

    fn sheet(&self) -> Option<Sheet> {
        let found = self.shown.as_ref()?;
        Some(self.grid.sheet(&found.mine.report.session))
    }

    fn copied(&self) -> Option<(String, String)> {
        let sheet = self.sheet()?;
        let figure = self.figure.name(self.grid.nk.0, self.grid.nk.1);
        Some((format!("the table of {figure} as Markdown"), sheet.written_as("evaluation.md").ok()?))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let (glyphs, theme) = (&look.glyphs, &look.theme);
        let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
        vec![
            mark(glyphs.star, "best checkpoint of its session, on dev", theme.title),
            mark(glyphs.highest, "highest of its column, noise or not", theme.good),
            mark(glyphs.plus_minus, "half of a 95 % interval over questions", theme.text),
            mark("within noise", "the interval of the paired difference holds 0", theme.dim),
            mark(glyphs.done, "wrong before, right after", theme.good),
            mark(glyphs.failed, "right before, wrong after", theme.bad),
        ]
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.draw_all(area, buf, seen);
    }
}

/// A share as a small bar, without styles of its own.
fn little_bar(share: f64, columns: usize, look: &Look) -> String {
    bar(share, columns, look).iter().map(|span: &Span<'_>| span.content.as_ref()).collect()
}
