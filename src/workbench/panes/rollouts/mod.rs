//! Rollouts as they arrive: the steps of GRPO, the groups of a step, the samples of a group with reward and advantage,
//! and the text of a sample. Any step can be chosen; the newest is followed while nothing else is read. The rollouts of a
//! single question, from the stages that sample outside of GRPO, are shown in the same way.

mod draw;
mod opening;
mod paint;
mod reading;
mod sheet;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::Event;
use crate::workbench::action::{Action, Bound, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::training::{Addition, Book, read};
use crate::workbench::widgets::table::{Hit, Table};

use reading::{Opened, Place};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Do {
    NextStep,
    PreviousStep,
    Follow,
    Heat,
    Find,
    OfQuestion,
    Steps,
    Question,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("rollouts.next-step", Action::Rollouts(Do::NextStep), "next step", &["n"]),
    bind("rollouts.previous-step", Action::Rollouts(Do::PreviousStep), "step before", &["N"]),
    hint("rollouts.follow", Action::Rollouts(Do::Follow), "follow the newest", &["f"]),
    hint("rollouts.heat", Action::Rollouts(Do::Heat), "tokens by log-prob", &["t"]),
    hint("rollouts.find", Action::Rollouts(Do::Find), "a question's rollouts", &["/"]),
    bind("rollouts.of-question", Action::Rollouts(Do::OfQuestion), "this question's in other stages", &["o"]),
    hint("rollouts.steps", Action::Rollouts(Do::Steps), "back to the steps", &["s"]),
    hint("rollouts.question", Action::Rollouts(Do::Question), "show the question", &["e"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    #[default]
    Steps,
    Groups,
    Samples,
    Text,
}

/// The pane.
pub struct Rollouts {
    book: Book,
    steps: Query<Vec<Addition>>,
    opened: Query<Option<Opened>>,
    /// What was last asked for.
    asked: Option<Place>,
    /// The step chosen; `None` follows the newest.
    chosen: Option<(String, u64)>,
    /// The question whose rollouts are shown instead of a step's.
    question: Option<String>,
    part: Part,
    step_table: Table,
    group_table: Table,
    sample_table: Table,
    scroll: usize,
    /// Rows of the text as last drawn.
    page: usize,
    heat: bool,
    text_area: Rect,
}

impl Default for Rollouts {
    fn default() -> Self {
        Self {
            book: Book::default(),
            steps: Query::default(),
            opened: Query::default(),
            asked: None,
            chosen: None,
            question: None,
            part: Part::default(),
            step_table: Table::default(),
            group_table: Table::default(),
            sample_table: Table::default(),
            scroll: 0,
            page: 1,
            heat: true,
            text_area: Rect::ZERO,
        }
    }
}

impl Pane for Rollouts {
    fn id(&self) -> PaneId {
        PaneId::Rollouts
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        match action {
            Action::Rollouts(Do::Follow) => self.chosen.is_some() || self.question.is_some(),
            Action::Rollouts(Do::Steps) => self.question.is_some(),
            Action::Rollouts(Do::OfQuestion) => self.question.is_none() && self.group().is_some(),
            Action::Rollouts(Do::Question) => self.group().is_some(),
            Action::Rollouts(Do::NextStep | Do::PreviousStep) => self.total() > 0 && self.question.is_none(),
            Action::Rollouts(Do::Heat) => self.has_log(),
            _ => true,
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        (action == Action::Rollouts(Do::Heat) && self.heat).then_some("tokens plain")
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Rollouts(Do::NextStep) => self.step_by(1, cx),
            Action::Rollouts(Do::PreviousStep) => self.step_by(-1, cx),
            Action::Rollouts(Do::Follow) => {
                (self.chosen, self.question) = (None, None);
                self.open(cx);
            }
            Action::Rollouts(Do::Heat) => self.heat = !self.heat,
            Action::Rollouts(Do::Find) => {
                let title = "rollouts of a question, by its id".to_string();
                let text = self.group().map(|group| group.question.clone()).unwrap_or_default();
                cx.ask(0, Ask::Line { title, text, live: false });
            }
            Action::Rollouts(Do::OfQuestion) => {
                if let Some(id) = self.group().map(|group| group.question.clone()) {
                    self.show_question(id, cx);
                }
            }
            Action::Rollouts(Do::Steps) => self.back_to_steps(cx),
            Action::Rollouts(Do::Question) => {
                if let Some(id) = self.group().map(|group| group.question.clone()) {
                    cx.wish(Wish::Goto(PaneId::Questions, Some(Target::Question(id))));
                }
            }
            Action::Move(to) => self.moved(to, cx),
            _ => {}
        }
    }

    fn session(&mut self, _cx: &mut Cx<'_>) {
        *self = Self { heat: self.heat, ..Self::default() };
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.refresh(cx);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        let known = self.book.known();
        cx.requery(&mut self.steps, move |session, cancel| read::steps(session, &recipe_of(session)?, &known, cancel));
        self.take(cx);
        // A question's rollouts grow while its stages are at work.
        if let Some(place) = self.place().filter(|place| matches!(place, Place::Question(_))) {
            cx.requery(&mut self.opened, move |session, cancel| reading::open(session, &place, cancel));
            self.fit();
        }
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.steps.cancel();
        self.opened.cancel();
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.steps) {
            self.take(cx);
        }
        if cx.poll(&mut self.opened) {
            self.fit();
        }
    }

    fn hear(&mut self, event: &Event, _cx: &mut Cx<'_>) {
        if let Event::Metric { stage, step, .. } = event {
            self.book.repeated(stage, *step);
        }
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        match target {
            Target::Question(id) | Target::Step(id, _) => self.show_question(id.clone(), cx),
            Target::RlStep(stage, step) => {
                (self.chosen, self.question) = (Some((stage.clone(), *step)), None);
                self.open(cx);
            }
            _ => {}
        }
    }

    fn reply(&mut self, _token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match reply {
            Reply::Text(id) if !id.trim().is_empty() => self.show_question(id.trim().to_string(), cx),
            _ => {}
        }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        if self.text_area.contains(at) {
            match event.kind {
                MouseEventKind::ScrollDown => self.scroll = self.scroll.saturating_add(3),
                MouseEventKind::ScrollUp => self.scroll = self.scroll.saturating_sub(3),
                MouseEventKind::Down(_) => self.part = Part::Text,
                _ => return,
            }
            return self.hold();
        }
        if self.question.is_none()
            && let Hit::Row { .. } = self.step_table.mouse(event)
        {
            self.part = Part::Steps;
            return self.choose_selected(cx);
        }
        if let Hit::Row { .. } = self.group_table.mouse(event) {
            self.part = Part::Groups;
            self.hold();
            return self.group_changed(cx);
        }
        if let Hit::Row { .. } = self.sample_table.mouse(event) {
            (self.part, self.scroll) = (Part::Samples, 0);
            self.hold();
        }
    }

    fn sheet(&self) -> Option<Sheet> {
        self.opened().map(sheet::sheet)
    }

    fn copied(&self) -> Option<(String, String)> {
        let sample = self.sample()?;
        Some(("the rollout".to_string(), sample.text.clone()))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let (glyphs, theme) = (&look.glyphs, &look.theme);
        let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
        vec![
            mark(glyphs.done, "right: reward 1", theme.good),
            mark(glyphs.failed, "wrong: reward 0", theme.bad),
            mark("zero", "all-zero group: left out of the update", theme.bad),
            mark("one", "all-one group: advantage 0, only the KL term", theme.good),
            mark("cut", "ran out of new tokens", theme.warn),
            mark("word", "a likely token (its -log p is below .1 nats)", theme.heat[0]),
            mark("word", "an unlikely token (2 nats or more), underlined", theme.heat[4]),
        ]
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        draw::draw(self, area, buf, seen);
    }
}
