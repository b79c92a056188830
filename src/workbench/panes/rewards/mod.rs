//! Curves of training: is it learning, and is it real. One chart is large, the others stand beside it with their values at
//! the same step; other sessions can be laid over.

mod beside;
mod chart;
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

use crate::pipeline::events::{Event, Level};
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::curves::Family;
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::training::beside::{Control, Zeros};
use crate::workbench::training::{Addition, Book, beside as aside, read};

use beside::{Beside, MOST, free_letter};
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
    drawn: Drawn,
}

/// Tokens of what the researcher is asked.
const OVERLAY: u32 = 0;
const BASELINE: u32 = 1;
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
        let total = self.total();
        match action {
            Action::Rewards(action) => self.act_own(action, total, cx),
            Action::Move(Move::Left) => self.view.step(-1, total),
            Action::Move(Move::Right) => self.view.step(1, total),
            Action::Move(Move::PageUp) => self.view.step(-self.page(total), total),
            Action::Move(Move::PageDown) => self.view.step(self.page(total), total),
            Action::Move(Move::Top) => self.view.point_at(1, total),
            Action::Move(Move::Bottom) => self.view.follow(),
            Action::Move(Move::Back) => self.view.reset(),
            _ => {}
        }
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
        let Reply::Chosen(at) = reply else { return };
        let Some(name) = self.choices().get(at).cloned() else { return };
        self.toggle(&name, token == BASELINE, cx);
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
                } else if let Some((_, name)) = self.drawn.cells.iter().find(|(cell, _)| cell.contains(at)) {
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
            let recipe = read::recipe(session)?;
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
        }
    }

    fn ask_names(&mut self, action: Do, cx: &mut Cx<'_>) {
        self.choosing = Some(action);
        let sessions = cx.house.sessions.clone();
        let own = cx.source.map(|source| source.name().to_string()).unwrap_or_default();
        self.names.ask(cx.jobs, cx.now, move |_| {
            let names = sessions.names().map_err(|e| e.to_string())?;
            Ok(names.into_iter().filter(|name| *name != own).collect())
        });
    }

    /// Names of the sessions there are to choose from.
    fn choices(&self) -> &[String] {
        self.names.value().map_or(&[], Vec::as_slice)
    }

    /// The names have come: one is chosen.
    fn choose(&mut self, cx: &mut Cx<'_>) {
        let Some(action) = self.choosing.take() else { return };
        if let Some(error) = self.names.error() {
            return cx.say(Level::Error, error.to_string());
        }
        let names = self.choices();
        if names.is_empty() {
            return cx.say(Level::Warn, "there is no other session to lay over this one");
        }
        let drawn = |name: &String| self.beside.iter().find(|beside| beside.name == *name);
        let said = |name: &String| match drawn(name) {
            Some(beside) if beside.baseline => format!("{name}  (baseline)"),
            Some(_) => format!("{name}  (laid over)"),
            None => name.clone(),
        };
        let items = names.iter().map(|name| crate::workbench::text::printable(&said(name))).collect();
        let (token, title) = match action {
            Do::Baseline => (BASELINE, "baseline: the session that others are held against"),
            _ => (OVERLAY, "lay over: another session, aligned by step"),
        };
        cx.ask(token, Ask::Choose { title: title.to_string(), items, at: 0 });
    }

    /// Lays a session over, or takes it away; the same for the baseline.
    fn toggle(&mut self, name: &str, baseline: bool, cx: &mut Cx<'_>) {
        let at = self.beside.iter().position(|beside| beside.name == name);
        match at {
            Some(at) if !baseline || self.beside[at].baseline => drop(self.beside.remove(at)),
            Some(at) => self.pin(at),
            None if self.beside.len() >= MOST => {
                cx.say(Level::Warn, format!("{MOST} sessions lie over this one already; take one away first"));
            }
            None => {
                self.beside.push(Beside::new(name, free_letter(&self.beside), self.view.smoothing(), cx));
                if baseline {
                    self.pin(self.beside.len() - 1);
                }
            }
        }
    }

    fn pin(&mut self, at: usize) {
        self.beside.iter_mut().enumerate().for_each(|(index, beside)| beside.baseline = index == at);
    }

    /// The step that a column of the large chart stands for.
    fn step_at(&self, column: u16) -> u64 {
        let [low, high] = self.view.range(self.total());
        let share = f64::from(column) / f64::from(self.drawn.inner.width.saturating_sub(1).max(1));
        low + (share.clamp(0.0, 1.0) * (high - low) as f64).round() as u64
    }
}
