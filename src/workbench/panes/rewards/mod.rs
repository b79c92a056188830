//! Curves of training: is it learning, and is it real. One chart is large, the others stand beside it with their values at
//! the same step; other sessions can be laid over.

mod beside;
mod chart;
mod choose;
mod draw;
mod groups;
mod large;
mod legend;
mod sheet;
mod shown;
mod small;
mod view;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::pipeline::begun::recipe_of;
use crate::pipeline::events::Event;
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::curves::Family;
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Cx, Mark, Pane, PaneId, Reply, Seen, Target, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::training::beside::{Control, Zeros};
use crate::workbench::training::{Addition, Book, beside as aside, read};

use beside::Beside;
use view::View;

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Do {
    Family,
    NextChart,
    PreviousChart,
    Smoother,
    Rougher,
    Log,
    Closer,
    Wider,
    Earlier,
    Later,
    Reset,
    Overlay,
    Baseline,
    Clear,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("rewards.next-chart", Action::Rewards(Do::NextChart), "next chart", &["c", "j", "down"]),
    bind("rewards.previous-chart", Action::Rewards(Do::PreviousChart), "chart before", &["C", "k", "up"]),
    hint("rewards.smoother", Action::Rewards(Do::Smoother), "smoother", &["s"]),
    bind("rewards.rougher", Action::Rewards(Do::Rougher), "less smooth", &["S"]),
    hint("rewards.log", Action::Rewards(Do::Log), "log axis", &["L"]),
    hint("rewards.closer", Action::Rewards(Do::Closer), "zoom in", &["+", "="]),
    bind("rewards.wider", Action::Rewards(Do::Wider), "zoom out", &["-"]),
    bind("rewards.earlier", Action::Rewards(Do::Earlier), "earlier steps", &[","]),
    bind("rewards.later", Action::Rewards(Do::Later), "later steps", &["."]),
    bind("rewards.reset", Action::Rewards(Do::Reset), "all steps, at the newest", &["r"]),
    hint("rewards.overlay", Action::Rewards(Do::Overlay), "lay a session over, or take it away", &["o"]),
    hint("rewards.baseline", Action::Rewards(Do::Baseline), "pin a baseline, or take it away", &["b"]),
    bind("rewards.clear", Action::Rewards(Do::Clear), "take all other sessions away", &["x"]),
    hint("rewards.family", Action::Rewards(Do::Family), "RL or SFT", &["f"]),
];

/// What is read of the session.
struct Reading {
    steps: Vec<Addition>,
    zeros: Vec<Zeros>,
    control: Option<Control>,
}

/// Where things were last drawn.
#[derive(Default)]
struct Drawn {
    /// The steps of the large chart.
    inner: Rect,
    /// The charts beside it.
    cells: Vec<(Rect, String)>,
}

/// The pane.
#[derive(Default)]
pub struct Rewards {
    view: View,
    book: Book,
    zeros: Vec<Zeros>,
    control: Option<Control>,
    reading: Query<Reading>,
    beside: Vec<Beside>,
    /// Names of the sessions, asked for before one is chosen.
    names: Query<Vec<String>>,
    choosing: Option<Do>,
    /// A step that was pointed at before the steps were read: the stage's key, and the step within it.
    aimed: Option<(String, u64)>,
    drawn: Drawn,
}

/// Share of the steps in sight that a page key moves by.
const PAGE: u64 = 10;

impl Pane for Rewards {
    fn id(&self) -> PaneId {
        PaneId::Rewards
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        match action {
            Action::Rewards(Do::Family) => self.book.steps(Family::Rl) > 0 && self.book.steps(Family::Sft) > 0,
            Action::Rewards(Do::Clear) => !self.beside.is_empty(),
            Action::Rewards(_) => self.total() > 0,
            _ => true,
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        match action {
            Action::Rewards(Do::Log) if self.view.log => Some("plain axis"),
            Action::Rewards(Do::Family) if self.family() == Family::Sft => Some("RL"),
            Action::Rewards(Do::Family) => Some("SFT"),
            Action::Rewards(Do::Overlay) => Some("other session"),
            Action::Rewards(Do::Baseline) => Some("baseline"),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        self.follow_own();
        let total = self.total();
        match action {
            Action::Rewards(action) => self.act_own(action, total, cx),
            Action::Move(to) => self.moved(to, total, cx),
            _ => {}
        }
    }

    fn aim(&mut self, target: &Target, _cx: &mut Cx<'_>) {
        let Target::RlStep(stage, step) = target else { return };
        self.aimed = Some((stage.clone(), *step));
        self.point();
    }

    fn session(&mut self, _cx: &mut Cx<'_>) {
        *self = Self::default();
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
        self.beside.iter_mut().for_each(|beside| beside.read(cx));
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.reading.cancel();
        self.names.cancel();
        self.choosing = None;
        self.beside.iter_mut().for_each(Beside::give_up);
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.reading) {
            self.take();
        }
        self.beside.iter_mut().for_each(|beside| beside.poll(cx));
        if cx.poll(&mut self.names) || (self.choosing.is_some() && self.names.waiting().is_none()) {
            self.choose(cx);
        }
    }

    fn hear(&mut self, event: &Event, _cx: &mut Cx<'_>) {
        match event {
            Event::Metric { stage, step, .. } => self.book.repeated(stage, *step),
            Event::StageProgress { stage, done, rate, .. } if stage.kind.trains() => {
                self.book.heard_rate(stage, *done, *rate);
            }
            _ => {}
        }
    }

    fn reply(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        if let Reply::Chosen(at) = reply {
            self.chosen(token, at, cx);
        }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, _cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        let total = self.total();
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left) => {
                if self.drawn.inner.contains(at) {
                    let column = at.x - self.drawn.inner.x;
                    let step = self.step_at(column);
                    self.view.point_at(step, total);
                } else if let Some((_, name)) = self.drawn.cells.iter().find(|(cell, _)| cell.contains(at))
                    && matches!(event.kind, MouseEventKind::Down(_))
                {
                    self.view.chart = Some(name.clone());
                }
            }
            MouseEventKind::ScrollUp => self.view.zoom(true, total),
            MouseEventKind::ScrollDown => self.view.zoom(false, total),
            _ => {}
        }
    }

    fn sheet(&self) -> Option<Sheet> {
        sheet::sheet(self)
    }

    fn copied(&self) -> Option<(String, String)> {
        sheet::copied(self)
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let (glyphs, theme) = (&look.glyphs, &look.theme);
        let [zero, mixed, one] = groups::styles(look);
        let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
        vec![
            mark(glyphs.raw, "as measured; where columns hold many steps, from least to greatest", theme.raw),
            mark(glyphs.smooth, "smoothed (exponential mean), afresh in every stage", theme.smooth),
            mark(glyphs.baseline, "the baseline, smoothed", theme.series[1]),
            mark("a b c", "other sessions, smoothed; the letter stands at the end", theme.series[2]),
            mark(glyphs.cursor, "the cursor, at the same step in every chart", theme.key),
            mark(glyphs.mark, "where an iteration or a stage begins", theme.mark),
            mark(glyphs.shades[0], "all-zero groups: no right answer, left out of the update", zero),
            mark(glyphs.shades[1], "mixed groups: rewards contrast", mixed),
            mark(glyphs.shades[2], "all-one groups: no advantage, only the KL term", one),
        ]
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.follow_own();
        self.drawn = draw::draw(self, area, buf, seen);
    }
}

impl Rewards {
    fn family(&self) -> Family {
        self.view.family.unwrap_or_else(|| chart::telling(&self.book))
    }

    /// Steps of the family, the longest session's.
    fn total(&self) -> u64 {
        let family = self.family();
        let others = self.beside.iter().map(|beside| beside.book.steps(family)).max().unwrap_or(0);
        let own = self.book.steps(family);
        if own == 0 { 0 } else { own.max(others) }
    }

    /// What is followed is this session's newest step, however long the others are.
    fn follow_own(&mut self) {
        self.view.own = Some(self.book.steps(self.family()));
    }

    /// Goes to the step that was pointed at, once it is known.
    fn point(&mut self) {
        let Some((stage, step)) = &self.aimed else { return };
        let found = self.book.legs(Family::Rl).find(|(_, leg)| leg.stage.key() == *stage);
        if let Some(x) = found.map(|(offset, _)| offset.saturating_add(*step)) {
            self.aimed = None;
            self.view.family = Some(Family::Rl);
            self.follow_own();
            self.view.point_at(x, self.total());
        }
    }

    fn page(&self, total: u64) -> i64 {
        let [low, high] = self.view.range(total);
        i64::try_from(((high - low + 1) / PAGE).max(1)).unwrap_or(1)
    }

    fn charts(&self) -> Vec<String> {
        chart::charts(&self.book, self.family())
    }

    /// Name of the large chart among these.
    fn large<'a>(&self, charts: &'a [String]) -> &'a str {
        let chosen = self.view.chart.as_ref().and_then(|name| charts.iter().find(|chart| *chart == name));
        chosen.or(charts.first()).map_or("", String::as_str)
    }

    /// Moves the cursor; other panes in sight show its step. Enter goes there.
    fn moved(&mut self, to: Move, total: u64, cx: &mut Cx<'_>) {
        match to {
            Move::Left => self.view.step(-1, total),
            Move::Right => self.view.step(1, total),
            Move::PageUp => self.view.step(-self.page(total), total),
            Move::PageDown => self.view.step(self.page(total), total),
            Move::Top => self.view.point_at(1, total),
            Move::Bottom => self.view.follow(),
            Move::Back => self.view.reset(),
            Move::Up | Move::Down | Move::Enter => {}
        }
        let Some(target) = self.step_target() else { return };
        match to {
            Move::Enter => cx.wish(Wish::Goto(PaneId::Rollouts, Some(target))),
            Move::Up | Move::Down => {}
            _ => cx.wish(Wish::Point(target)),
        }
    }

    /// The step of GRPO under the cursor.
    fn step_target(&self) -> Option<Target> {
        let step = self.view.cursor(self.total()).filter(|_| self.family() == Family::Rl)?;
        let (leg, own) = self.book.place(Family::Rl, step)?;
        Some(Target::RlStep(leg.stage.key(), own))
    }

    fn act_own(&mut self, action: Do, total: u64, cx: &mut Cx<'_>) {
        match action {
            Do::Family => {
                let other = if self.family() == Family::Sft { Family::Rl } else { Family::Sft };
                self.view.reset();
                (self.view.family, self.view.chart) = (Some(other), None);
            }
            Do::NextChart => self.turn(1),
            Do::PreviousChart => self.turn(-1),
            Do::Smoother => self.smooth(1),
            Do::Rougher => self.smooth(-1),
            Do::Log => self.view.log = !self.view.log,
            Do::Closer => self.view.zoom(true, total),
            Do::Wider => self.view.zoom(false, total),
            Do::Earlier => self.view.pan(-1, total),
            Do::Later => self.view.pan(1, total),
            Do::Reset => self.view.reset(),
            Do::Clear => self.beside.clear(),
            Do::Overlay | Do::Baseline => self.ask_names(action, cx),
        }
    }

    fn turn(&mut self, by: isize) {
        let charts = self.charts();
        if charts.is_empty() {
            return;
        }
        let at = charts.iter().position(|name| name == self.large(&charts)).unwrap_or(0);
        let to = (at as isize + by).rem_euclid(charts.len() as isize) as usize;
        self.view.chart = charts.get(to).cloned();
    }

    fn smooth(&mut self, by: isize) {
        self.view.smooth_by(by);
        let weight = self.view.smoothing();
        self.book.smooth(weight);
        self.beside.iter_mut().for_each(|beside| beside.book.smooth(weight));
    }

    fn read(&mut self, cx: &Cx<'_>) {
        let (known, zeros, control) = (self.book.known(), self.zeros.clone(), self.control.clone());
        cx.requery(&mut self.reading, move |session, cancel| {
            let recipe = recipe_of(session)?;
            let steps = read::steps(session, &recipe, &known, cancel)?;
            let zeros = aside::zeros(session, &recipe, &zeros, cancel)?;
            let control = aside::control(session, &recipe, control.as_ref(), cancel)?;
            Ok(Reading { steps, zeros, control })
        });
        self.take();
    }

    fn take(&mut self) {
        if let Some(reading) = self.reading.value_mut() {
            self.book.merge(std::mem::take(&mut reading.steps));
            self.zeros.clone_from(&reading.zeros);
            self.control.clone_from(&reading.control);
            self.point();
        }
    }

    /// The step that a column of the large chart stands for.
    fn step_at(&self, column: u16) -> u64 {
        let [low, high] = self.view.range(self.total());
        let share = f64::from(column) / f64::from(self.drawn.inner.width.saturating_sub(1).max(1));
        low + (share.clamp(0.0, 1.0) * (high - low) as f64).round() as u64
    }
}
