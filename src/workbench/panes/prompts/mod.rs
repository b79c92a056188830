//! What student and teacher are asked: the templates of the session, one of them rendered live on a question, and the way
//! to change them for this session.

mod edit;
mod paint;
mod read;

use std::sync::Arc;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde_json::json;

use crate::pipeline::events::{Event, Level};
use crate::teacher::PromptKind;
use crate::workbench::action::{Action, Bound, Move, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use edit::Editing;
use read::{Entries, Entry, Rendered};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Edit the template in place.
    Edit,
    /// Edit it in `$EDITOR`.
    Editor,
    /// Put the built-in text back.
    Restore,
    /// The text, or what differs from the built-in one.
    Diff,
    /// Render on another question.
    Question,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("prompts.edit", Action::Prompts(Do::Edit), "edit", &["i"]),
    hint("prompts.editor", Action::Prompts(Do::Editor), "edit in $EDITOR", &["E"]),
    hint("prompts.diff", Action::Prompts(Do::Diff), "what differs", &["d"]),
    hint("prompts.question", Action::Prompts(Do::Question), "other question", &["/"]),
    hint("prompts.restore", Action::Prompts(Do::Restore), "back to the built-in", &["R"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    List,
    Source,
    Rendered,
}

impl Part {
    const ALL: [Part; 3] = [Part::List, Part::Source, Part::Rendered];

    fn beside(self, by: isize) -> Self {
        Self::ALL[(self as usize).saturating_add_signed(by).min(2)]
    }
}

/// The pane.
#[derive(Default)]
pub struct Prompts {
    entries: Query<Entries>,
    rendered: Query<Rendered>,
    /// What `rendered` was asked for.
    asked: Option<(PromptKind, Option<String>)>,
    questions: Query<Vec<(String, String)>>,
    /// Whether the questions are read to choose from them.
    choosing: bool,
    at: usize,
    question: Option<String>,
    part: Part,
    diff: bool,
    scroll: [usize; 3],
    areas: [Rect; 3],
    editing: Editing,
    /// Whether what is rendered may have changed.
    stale: bool,
}

impl Prompts {
    fn entry(&self) -> Option<&Entry> {
        self.entries.value()?.all.get(self.at)
    }

    fn read(&mut self, cx: &mut Cx<'_>, again: bool) {
        let session = |session: &crate::session::Session, _: &_| read::entries(session);
        match (cx.source.is_some(), again) {
            (true, true) => cx.requery(&mut self.entries, session),
            (true, false) => cx.query(&mut self.entries, session),
            (false, _) => self.entries.ask(cx.jobs, cx.now, |_| read::built_in()),
        }
        self.render(cx, again);
    }

    /// Renders the selected template on the chosen question, when that is something else than before or `again`.
    fn render(&mut self, cx: &mut Cx<'_>, again: bool) {
        let Some(entries) = self.entries.value() else { return };
        let Some(kind) = entries.all.get(self.at).map(|entry| entry.kind) else { return };
        let wanted = (kind, self.question.clone());
        if !again && self.asked.as_ref() == Some(&wanted) {
            return;
        }
        let prompts = Arc::clone(&entries.prompts);
        self.asked = Some(wanted);
        if cx.source.is_none() {
            return self.rendered.ask(cx.jobs, cx.now, move |_| read::made_up(&prompts, kind));
        }
        let id = self.question.clone();
        cx.query(&mut self.rendered, move |session, _| read::rendered(session, &prompts, kind, id.as_deref()));
    }

    fn go(&mut self, at: usize, cx: &mut Cx<'_>) {
        self.at = at.min(PromptKind::ALL.len() - 1);
        self.scroll[1..].fill(0);
        self.render(cx, false);
    }

    /// Renders on this question from here on.
    fn look_at(&mut self, id: String, point: bool, cx: &mut Cx<'_>) {
        if point {
            cx.wish(Wish::Point(Target::Question(id.clone())));
        }
        self.question = Some(id);
        self.scroll[2] = 0;
        self.render(cx, false);
    }

    fn scroll(&mut self, by: isize, cx: &mut Cx<'_>) {
        match self.part {
            Part::List => self.go(self.at.saturating_add_signed(by), cx),
            part => {
                let scroll = &mut self.scroll[part as usize];
                *scroll = scroll.saturating_add_signed(by);
            }
        }
    }

    /// The questions are there: which one?
    fn choose(&mut self, cx: &mut Cx<'_>) {
        if !self.choosing || self.questions.waiting().is_some() {
            return;
        }
        self.choosing = false;
        if let Some(error) = self.questions.error() {
            return cx.say(Level::Error, error.to_string());
        }
        let Some(all) = self.questions.value() else { return };
        let items = all.iter().map(|(id, text)| format!("{id}  {text}")).collect();
        let at = all.iter().position(|(id, _)| Some(id) == self.question.as_ref()).unwrap_or(0);
        cx.ask(edit::QUESTION, Ask::Choose { title: "render on which question?".into(), items, at });
    }
}

impl Pane for Prompts {
    fn id(&self) -> PaneId {
        PaneId::Prompts
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, run: &State) -> bool {
        let there = self.entry().is_some();
        match action {
            Action::Prompts(Do::Restore) => self.entry().is_some_and(Entry::differs),
            Action::Prompts(Do::Question) => there && !run.session.is_empty(),
            _ => there,
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        (action == Action::Prompts(Do::Diff) && self.diff).then_some("the text")
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        // Whoever goes on to something else does not want to be asked any more.
        self.choosing = false;
        self.editing.give_up();
        match action {
            Action::Prompts(Do::Edit) => self.open(false, cx),
            Action::Prompts(Do::Editor) => self.open(true, cx),
            Action::Prompts(Do::Restore) => self.restore(cx),
            Action::Prompts(Do::Diff) => {
                self.diff = !self.diff;
                self.scroll[1] = 0;
            }
            Action::Prompts(Do::Question) => {
                self.choosing = true;
                cx.query(&mut self.questions, read::questions);
                self.choose(cx);
            }
            Action::Move(Move::Down) => self.scroll(1, cx),
            Action::Move(Move::Up) => self.scroll(-1, cx),
            Action::Move(Move::PageDown) => self.scroll(10, cx),
            Action::Move(Move::PageUp) => self.scroll(-10, cx),
            Action::Move(Move::Top) => self.scroll(isize::MIN, cx),
            Action::Move(Move::Bottom) => self.scroll(isize::MAX, cx),
            Action::Move(Move::Left) => self.part = self.part.beside(-1),
            Action::Move(Move::Right | Move::Enter) => self.part = self.part.beside(1),
            Action::Move(Move::Back) => self.part = Part::List,
            _ => {}
        }
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
        let editing = std::mem::take(&mut self.editing).left();
        *self = Self { at: self.at, diff: self.diff, editing, ..Self::default() };
        if cx.source.is_none() {
            self.read(cx, false);
        }
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read(cx, true);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        // A run asks with the same prompts to its end; what it has made of the question is looked up with each stage.
        if cx.run.phase.over() || std::mem::take(&mut self.stale) {
            self.read(cx, true);
        }
    }

    fn hear(&mut self, event: &Event, _cx: &mut Cx<'_>) {
        self.stale |= matches!(event, Event::Decided { .. } | Event::StageFinished { .. });
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.entries.cancel();
        self.rendered.cancel();
        self.questions.cancel();
        self.editing.give_up();
        (self.asked, self.choosing) = (None, false);
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.entries) {
            self.render(cx, true);
        }
        cx.poll(&mut self.rendered);
        if cx.poll(&mut self.questions) {
            self.choose(cx);
        }
        self.poll_editing(cx);
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        match target {
            Target::Question(id) | Target::Step(id, _) => self.look_at(id.clone(), false, cx),
            Target::Product(product) => self.look_at(product.question().to_string(), false, cx),
            _ => {}
        }
    }

    fn reply(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        self.answered(token, reply, cx);
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        let Some(part) = Part::ALL.into_iter().find(|part| self.areas[*part as usize].contains(at)) else { return };
        let by = match event.kind {
            MouseEventKind::ScrollDown => 3,
            MouseEventKind::ScrollUp => -3,
            MouseEventKind::Down(MouseButton::Left) => {
                self.part = part;
                let row = at.y.checked_sub(self.areas[0].y + 1).filter(|_| part == Part::List);
                let place = row.map(|row| self.scroll[0] + usize::from(row));
                if let Some(place) = place.filter(|at| *at < PromptKind::ALL.len()) {
                    self.go(place, cx);
                }
                return;
            }
            _ => return,
        };
        let focused = std::mem::replace(&mut self.part, part);
        self.scroll(by, cx);
        self.part = focused;
    }

    fn sheet(&self) -> Option<Sheet> {
        let row = |entry: &Entry| {
            let asks = if entry.kind.is_teachers() { "teacher" } else { "student" };
            vec![
                json!(entry.kind.name()),
                json!(asks),
                json!(entry.kind.words()),
                json!(entry.hash),
                json!(entry.origin),
                json!(entry.source),
            ]
        };
        let rows = self.entries.value()?.all.iter().map(row).collect();
        let columns = ["prompt", "asks", "for", "hash", "from", "text"].map(String::from).to_vec();
        Some(Sheet { name: "prompts".into(), columns, rows })
    }

    fn copied(&self) -> Option<(String, String)> {
        let entry = self.entry()?;
        let name = entry.kind.name();
        match self.part {
            Part::Rendered => {
                let rendered = self.rendered.value()?;
                Some((format!("the prompt {name} on {}", rendered.question), rendered.copied.clone()))
            }
            _ => Some((format!("the template {name}"), entry.source.clone())),
        }
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        paint::marks(look)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.paint(area, buf, seen);
    }
}
