//! Sessions and presets, and the form in which a new run begins.
//!
//! The list (`list`, drawn by `list_view`) reads summaries and recipes; what a session found (`digest`) is read one
//! session at a time. The form (`form`, `form_view`) is a model over [`crate::recipe::Draft`]; `plan` says what its
//! run would take. What is done to folders is done in `chores`.

mod asking;
mod chores;
mod compare;
mod detail;
mod digest;
mod doing;
mod form;
mod form_view;
mod list;
mod list_view;
mod plan;
mod rows;

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Cx, Mark, Pane, PaneId, Reply, Seen};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use chores::Chores;
use compare::Compare;
use form::{Form, Line};
use list::{Item, List};
use plan::Plan;

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Open the session, or the form on the preset; in the form, change what is selected.
    Open,
    /// Begin the demo.
    Demo,
    /// A form for a new run.
    New,
    /// Go on with the session.
    Resume,
    /// A form on the session's recipe.
    Duplicate,
    /// Another name.
    Rename,
    /// Remove for good.
    Delete,
    /// Beside the marked sessions, or the open one.
    Compare,
    /// Mark for comparing.
    Mark,
    /// Narrow down by name.
    Search,
    /// Begin the run of the form.
    Start,
    /// What it would take.
    Plan,
    /// The recipe as a file.
    Save,
    /// The preset's value.
    Reset,
    /// Only what differs.
    Only,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("home.open", Action::Home(Do::Open), "open", &["enter"]),
    hint("home.demo", Action::Home(Do::Demo), "run the demo", &["d"]),
    hint("home.new", Action::Home(Do::New), "new run", &["n"]),
    hint("home.resume", Action::Home(Do::Resume), "resume", &["r"]),
    bind("home.duplicate", Action::Home(Do::Duplicate), "new run on its recipe", &["D"]),
    bind("home.rename", Action::Home(Do::Rename), "rename", &["R"]),
    bind("home.delete", Action::Home(Do::Delete), "delete", &["x"]),
    bind("home.mark", Action::Home(Do::Mark), "mark for comparing", &["m"]),
    hint("home.compare", Action::Home(Do::Compare), "compare", &["c"]),
    hint("home.start", Action::Home(Do::Start), "start", &["S"]),
    hint("home.plan", Action::Home(Do::Plan), "what it takes", &["p"]),
    hint("home.save", Action::Home(Do::Save), "save as a file", &["s"]),
    hint("home.reset", Action::Home(Do::Reset), "preset's value", &["u"]),
    hint("home.only", Action::Home(Do::Only), "what differs", &["o"]),
    hint("home.search", Action::Home(Do::Search), "search", &["/"]),
];

/// What is in front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Front {
    #[default]
    List,
    Form,
    Plan,
    Compare,
}

/// Lines that a page key moves.
const PAGE: isize = 10;
/// Two clicks on one line within this time open it.
const TWICE: Duration = Duration::from_millis(500);

/// The pane.
#[derive(Default)]
pub struct Home {
    front: Front,
    list: List,
    form: Option<Form>,
    /// A file that is being read for the form.
    reading: Query<Form>,
    plan: Option<Plan>,
    chores: Chores,
    compare: Option<Compare>,
    /// What an open question is about: a session or a setting.
    about: String,
    /// What the last choice offered.
    offered: Vec<asking::Offer>,
    /// The session whose run is being begun from the form.
    begun: Option<String>,
    /// The rows on which something can be clicked, and what.
    placed: Vec<(u16, usize)>,
    clicked: Option<(usize, Duration)>,
}

impl Pane for Home {
    fn id(&self) -> PaneId {
        PaneId::Home
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, run: &State) -> bool {
        let Action::Home(action) = action else { return true };
        // What is being renamed or deleted is left alone until that is done.
        let own = self.list.session().filter(|row| !self.chores.busy(row.name()));
        let session = || own.is_some();
        match (action, self.front) {
            (Do::Open, Front::Form) => self.form.as_ref().is_some_and(|form| form.selected().is_some()),
            (Do::Start | Do::Save | Do::Plan | Do::Only | Do::Search, Front::Form) => true,
            (Do::Start, Front::Plan) => true,
            (Do::Reset, Front::Form) => self.form.as_ref().is_some_and(resettable),
            (Do::Open, Front::List) => session() || matches!(self.list.selected(), Some(Item::Preset(_))),
            (Do::Demo, Front::List) => self.list.is_first_start(),
            (Do::New | Do::Search, Front::List) => self.list.rows().is_some(),
            (Do::Resume, Front::List) => run.phase.over() && own.is_some_and(|row| row.activity() == "stopped"),
            (Do::Duplicate, Front::List) => own.is_some_and(|row| row.made.is_ok()),
            (Do::Rename | Do::Delete | Do::Mark, Front::List) => session(),
            (Do::Compare, Front::List) => session() && self.list.rows().is_some_and(|rows| rows.len() > 1),
            _ => false,
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        let Action::Home(Do::Open) = action else { return None };
        match (self.front, self.list.selected()) {
            (Front::Form, _) => match self.form.as_ref().and_then(Form::selected) {
                Some(Line::Start) => Some("start"),
                _ => Some("change"),
            },
            (Front::List, Some(Item::Preset("demo"))) if self.list.is_first_start() => Some("run the demo"),
            (Front::List, Some(Item::Preset(_))) => Some("new run on it"),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Home(action) => self.act_own(action, cx),
            Action::Move(Move::Down) => self.step(1),
            Action::Move(Move::Up) => self.step(-1),
            Action::Move(Move::PageDown) => self.step(PAGE),
            Action::Move(Move::PageUp) => self.step(-PAGE),
            Action::Move(Move::Top) => self.step(isize::MIN),
            Action::Move(Move::Bottom) => self.step(isize::MAX),
            Action::Move(Move::Back) => self.back(),
            Action::Move(way @ (Move::Left | Move::Right)) => {
                if let (Front::Form, Some(form)) = (self.front, &mut self.form) {
                    form.section(way == Move::Right);
                }
            }
            _ => {}
        }
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        let shown = cx.source.map(|source| source.name());
        if self.begun.is_some() && self.begun.as_deref() == shown {
            (self.front, self.form, self.plan, self.begun) = (Front::List, None, None, None);
        }
        if let Some(name) = shown {
            self.list.select_session(name);
        }
        self.list.refresh(cx);
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.list.drawn = Some(cx.now);
        self.list.refresh(cx);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.list.give_up();
        self.reading.cancel();
        if let Some(plan) = &mut self.plan {
            plan.give_up();
        }
        if let Some(compare) = &mut self.compare {
            compare.give_up();
        }
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        self.list.poll(cx);
        if let (Some(form), Some(rows)) = (&mut self.form, self.list.rows()) {
            form.take(rows.iter().map(|row| row.name().to_string()).collect());
        }
        if let Some(plan) = &mut self.plan {
            plan.poll(cx);
        }
        if let Some(compare) = &mut self.compare {
            compare.poll(cx);
        }
        self.take_ended(cx);
    }

    fn reply(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        self.replied(token, reply, cx);
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        match event.kind {
            MouseEventKind::ScrollDown => self.step(3),
            MouseEventKind::ScrollUp => self.step(-3),
            MouseEventKind::Down(MouseButton::Left) => {
                let Some(&(_, place)) = self.placed.iter().find(|(y, _)| *y == event.row) else { return };
                match (self.front, &mut self.form) {
                    (Front::Form, Some(form)) => form.select(place, false),
                    _ => self.list.select(place),
                }
                let again = self.clicked.is_some_and(|(at, when)| at == place && cx.now.saturating_sub(when) < TWICE);
                self.clicked = (!again).then_some((place, cx.now));
                if again && self.available(Action::Home(Do::Open), cx.run) {
                    self.act_own(Do::Open, cx);
                }
            }
            _ => {}
        }
    }

    fn sheet(&self) -> Option<Sheet> {
        match (self.front, &self.form) {
            (Front::Plan, _) => self.plan.as_ref().and_then(Plan::sheet),
            (Front::Form, Some(form)) => Some(asking::form_sheet(form)),
            _ => asking::list_sheet(&self.list),
        }
    }

    fn copied(&self) -> Option<(String, String)> {
        match (self.front, &self.form) {
            (Front::Compare, _) => Some(("the table".to_string(), self.compare.as_ref().and_then(Compare::copied)?)),
            (Front::Form | Front::Plan, Some(form)) => Some(("the recipe".to_string(), form.draft.to_toml()?)),
            _ => self.list.session().map(|row| ("the session's name".to_string(), row.name().to_string())),
        }
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let (glyphs, theme) = (&look.glyphs, &look.theme);
        let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
        vec![
            mark(glyphs.running, "at work, here or in another process", theme.running),
            mark(glyphs.stopped, "stopped; it can be resumed", theme.warn),
            mark(glyphs.done, "every stage is complete", theme.good),
            mark(glyphs.failed, "damaged; in the form: does not hold", theme.bad),
            mark("*", "marked for comparing; in the form: differs from the preset", theme.warn),
            mark("@", "open here", theme.text),
        ]
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.list.drawn = Some(seen.now);
        if let (Front::Compare, Some(compare)) = (self.front, &mut self.compare) {
            self.placed.clear();
            return compare.draw(buf, area, seen);
        }
        self.placed = match (self.front, &self.form, &mut self.plan) {
            (Front::Plan, _, Some(plan)) => {
                plan.draw(buf, area, seen);
                Vec::new()
            }
            (Front::Form, Some(form), _) => form_view::draw(buf, area, seen, form),
            _ => list_view::draw(buf, area, seen, &self.list, &self.chores),
        };
    }
}

/// Whether the selected setting can be given the preset's value.
fn resettable(form: &Form) -> bool {
    matches!(form.selected(), Some(Line::Setting(field)) if form.draft.differs(field.key))
}

impl Home {
    fn step(&mut self, by: isize) {
        if let (Front::Compare, Some(compare)) = (self.front, &mut self.compare) {
            return compare.step(by);
        }
        match (self.front, &mut self.form, &mut self.plan) {
            (Front::Plan, _, Some(plan)) => plan.step(by),
            (Front::Form, Some(form), _) => form.step(by),
            _ => self.list.step(by),
        }
    }

    /// One step back: from the plan to the form, from a narrowed form to all of it, from the form to the list.
    fn back(&mut self) {
        match (self.front, &mut self.form) {
            (Front::Plan, _) => {
                if let Some(mut plan) = self.plan.take() {
                    plan.give_up();
                }
                self.front = Front::Form;
            }
            (Front::Form, Some(form)) if form.only || !form.search.is_empty() => {
                (form.only, form.search) = (false, String::new());
            }
            (Front::Form, _) => self.front = Front::List,
            (Front::Compare, _) => {
                if let Some(mut compare) = self.compare.take() {
                    compare.give_up();
                }
                self.front = Front::List;
            }
            (Front::List, _) => self.list.filter.clear(),
        }
    }
}
