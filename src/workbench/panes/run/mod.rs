//! The loop as stages with progress, a stage in full, the most telling curve, the run at a glance, and the log.

mod curve;
mod detail;
mod log;
mod stages;
mod table;
mod vitals;

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::pipeline::events::{Command, Level};
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::curves::Family;
use crate::workbench::house::Launch;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::stages::StageRow;
use crate::workbench::state::{Phase, State};
use crate::workbench::text;

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Move in the stages, or in the log.
    Part,
    /// Another curve.
    Curve,
    /// From which level on lines of the log are shown.
    LogLevel,
    /// Only lines of the log that hold a text.
    LogFilter,
    /// Go on with a session that stands still.
    Resume,
    /// Stop the run and stay.
    Stop,
    /// Let the gate pass as it is.
    LeaveGate,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("run.part", Action::Run(Do::Part), "stages or log", &["s"]),
    hint("run.curve", Action::Run(Do::Curve), "other curve", &["c"]),
    hint("run.log-level", Action::Run(Do::LogLevel), "level of the log", &["v"]),
    hint("run.log-filter", Action::Run(Do::LogFilter), "search the log", &["/"]),
    hint("run.resume", Action::Run(Do::Resume), "resume", &["r"]),
    bind("run.stop", Action::Run(Do::Stop), "stop, and stay here", &["x"]),
    bind("run.leave-gate", Action::Run(Do::LeaveGate), "leave what waits out, and go on", &["L"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    Stages,
    #[default]
    Log,
}

/// The pane.
#[derive(Default)]
pub struct Run {
    part: Part,
    /// The stage that is kept in sight; `None` follows the one at work.
    stage: Option<usize>,
    /// The curve chosen by the researcher; `None` shows the most telling one.
    curve: Option<(Family, String)>,
    log: log::View,
    /// Warnings and errors of the log that were in sight when it was last drawn, by their numbers.
    alarms: Vec<usize>,
    parts: Parts,
    vitals: vitals::Vitals,
    /// The stages as last drawn, for saving.
    stages: Vec<StageRow>,
    /// When it was last drawn.
    drawn: Option<Duration>,
}

/// Where the parts were last drawn.
#[derive(Clone, Copy, Default)]
struct Parts {
    stages: Rect,
    /// The rows of the stages, and the first stage in them.
    rows: Rect,
    first: usize,
    log: Rect,
}

/// From here on the stages stand beside the curves instead of above.
const WIDE: u16 = 100;
/// Entries or lines that a page key moves.
const PAGE: isize = 10;
/// Fewest rows for a stage in full.
const LEAST_DETAIL: u16 = 6;
/// From so many rows on, there is one for the run at a glance.
const GLANCE_FROM: u16 = 12;
/// A pane that was drawn so lately is in sight.
const IN_SIGHT: Duration = Duration::from_millis(2500);

/// The tokens of this pane's questions.
const FILTER: u32 = 0;
const STOP: u32 = 1;
const GATE: u32 = 2;

impl Pane for Run {
    fn id(&self) -> PaneId {
        PaneId::Run
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, run: &State) -> bool {
        match action {
            Action::Run(Do::Curve) => run.curves.all().len() > 1,
            Action::Run(Do::Resume) => run.phase.over() && run.complete() < run.stages.len(),
            Action::Run(Do::Stop) => !run.phase.over() && run.phase != Phase::Stopping,
            Action::Run(Do::LeaveGate) => !run.phase.over() && run.gate.is_some(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Run(Do::Part) => self.part = if self.part == Part::Log { Part::Stages } else { Part::Log },
            Action::Run(Do::Curve) => self.next_curve(cx.run),
            Action::Run(Do::LogLevel) => self.log.level = louder(self.log.level),
            Action::Run(Do::LogFilter) => {
                let text = self.log.filter.clone();
                cx.ask(FILTER, Ask::Line { title: "search the log".to_string(), text, live: true });
            }
            Action::Run(Do::Resume) => {
                if let Some(name) = cx.source.map(|source| source.name().to_string()) {
                    cx.wish(Wish::Launch(Launch::Resume { name }));
                }
            }
            Action::Run(Do::Stop) => ask_stop(cx),
            Action::Run(Do::LeaveGate) => ask_gate(cx),
            Action::Move(Move::Down) => self.scroll(1, cx.run),
            Action::Move(Move::Up) => self.scroll(-1, cx.run),
            Action::Move(Move::PageDown) => self.scroll(PAGE, cx.run),
            Action::Move(Move::PageUp) => self.scroll(-PAGE, cx.run),
            Action::Move(Move::Top) => self.scroll(isize::MIN, cx.run),
            Action::Move(Move::Bottom) => self.scroll(isize::MAX, cx.run),
            Action::Move(Move::Back) => (self.log, self.stage) = (log::View::default(), None),
            _ => {}
        }
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        *self = Self::default();
        self.vitals.refresh(cx);
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.vitals.refresh(cx);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.vitals.refresh(cx);
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        let in_sight = self.drawn.is_some_and(|drawn| cx.now.saturating_sub(drawn) < IN_SIGHT);
        self.vitals.poll(cx, in_sight);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.vitals.give_up();
    }

    fn reply(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match (token, reply) {
            (FILTER, Reply::Text(text) | Reply::Typing(text)) => self.log.filter = text,
            (STOP, Reply::Yes) => cx.wish(Wish::Send(Command::Cancel)),
            (GATE, Reply::Yes) => cx.wish(Wish::Send(Command::LeaveGate)),
            _ => {}
        }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        self.part = match at {
            at if self.parts.stages.contains(at) => Part::Stages,
            at if self.parts.log.contains(at) => Part::Log,
            _ => return,
        };
        match event.kind {
            MouseEventKind::ScrollDown => self.scroll(3, cx.run),
            MouseEventKind::ScrollUp => self.scroll(-3, cx.run),
            MouseEventKind::Down(MouseButton::Left) if self.parts.rows.contains(at) => {
                let place = self.parts.first + usize::from(event.row - self.parts.rows.y);
                self.stage = (place < cx.run.stages.len()).then_some(place);
            }
            _ => {}
        }
    }

    fn log_lines(&self) -> &[usize] {
        &self.alarms
    }

    fn sheet(&self) -> Option<Sheet> {
        (!self.stages.is_empty()).then(|| table::sheet(&self.stages, self.vitals.kept()))
    }

    fn copied(&self) -> Option<(String, String)> {
        let row = self.stages.get(self.stage?)?;
        Some(("what came out of the stage".to_string(), format!("{}: {}", row.id.key(), row.summary)))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let (glyphs, theme) = (&look.glyphs, &look.theme);
        let mark = |text: &str, meaning, style| (text.to_string(), meaning, style);
        vec![
            mark(glyphs.done, "stage complete", theme.good),
            mark(glyphs.running, "stage at work", theme.running),
            mark(glyphs.waiting, "stage to come", theme.dim),
            mark(glyphs.stopped, "stage stopped; it goes on there when resumed", theme.warn),
            mark(glyphs.failed, "failed, error", theme.bad),
            mark(glyphs.warn, "warning", theme.warn),
            mark(glyphs.raw, "as measured", theme.raw),
            mark(glyphs.smooth, "smoothed, afresh in every stage", theme.smooth),
        ]
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.drawn = Some(seen.now);
        self.stages.clone_from(&seen.run.stages);
        let area = self.glance(area, buf, seen);
        let wide = area.width >= WIDE;
        let (mut left, mut upper, mut lower) = if wide { side_by_side(area) } else { stacked(area, seen.run) };
        let chosen = self.stage.and_then(|at| seen.run.stages.get(at));
        let shown = chosen.or_else(|| seen.run.current().and_then(|at| seen.run.stages.get(at)));
        // A stage in full: below the list where there is room, else in place of the curve, or of the log.
        let rows = seen.run.stages.len() as u16 + 1;
        let below = if wide { left.height.saturating_sub(rows) } else { 0 };
        let mut full = None;
        if below >= LEAST_DETAIL || wide && chosen.is_some() && left.height >= 2 * LEAST_DETAIL {
            let height = below.max(LEAST_DETAIL);
            left.height -= height;
            full = Some(Rect { y: left.bottom(), height, ..left });
        } else if chosen.is_some() {
            full = Some(if upper.height > 0 { std::mem::take(&mut upper) } else { std::mem::take(&mut lower) });
        }
        let (rows, first) = stages::draw(buf, left, seen, seen.focused && self.part == Part::Stages, self.stage);
        self.parts = Parts { stages: left, rows, first, log: lower };
        if let (Some(area), Some(row)) = (full, shown) {
            detail::draw(buf, area, seen, row, self.vitals.kept());
        }
        if upper.height > 0 {
            curve::draw(buf, upper, seen, self.curve.as_ref());
        }
        self.alarms.clear();
        if lower.height > 0 {
            self.alarms = self.log.draw(buf, lower, seen, seen.focused && self.part == Part::Log);
        }
    }
}

/// Stages on the left; curves above the log on the right.
fn side_by_side(body: Rect) -> (Rect, Rect, Rect) {
    let left = Rect { width: (body.width * 11 / 25).clamp(44, 64), ..body };
    let right = Rect { x: left.right() + 1, width: body.width - left.width - 1, ..body };
    let upper = Rect { height: (body.height * 3 / 5).max(8).min(body.height), ..right };
    let lower = Rect { y: upper.bottom(), height: right.height - upper.height, ..right };
    (left, upper, lower)
}

/// Stages, then curves where there is room, then the log.
fn stacked(body: Rect, run: &State) -> (Rect, Rect, Rect) {
    let rows = (run.stages.len() as u16 + 1).max(3);
    let top = Rect { height: rows.min((body.height * 2 / 5).max(4)).min(body.height), ..body };
    let curves = if body.height >= 14 { (body.height * 2 / 5).max(7) } else { 0 };
    let middle = Rect { y: top.bottom(), height: curves.min(body.height - top.height), ..body };
    let lower = Rect { y: middle.bottom(), height: body.bottom() - middle.bottom(), ..body };
    (top, middle, lower)
}

fn louder(level: Level) -> Level {
    match level {
        Level::Info => Level::Warn,
        Level::Warn => Level::Error,
        Level::Error => Level::Info,
    }
}

/// Stops the run, once that is meant.
fn ask_stop(cx: &mut Cx<'_>) {
    let lines = vec![
        "It stops after the current step, and nothing that is done is lost. The screen stays open.".to_string(),
        format!("Go on later with r here, or with: {}", cx.run.resume),
    ];
    cx.ask(STOP, Ask::Confirm { title: "stop this run?".to_string(), lines, yes: "stop it".to_string() });
}

/// Lets the gate pass as it is, once that is meant.
fn ask_gate(cx: &mut Cx<'_>) {
    let Some((stage, pending)) = &cx.run.gate else { return };
    let lines = vec![format!(
        "{} products of {stage} that nobody approved stay out of the training texts, and the run goes on.",
        text::count(*pending)
    )];
    cx.ask(GATE, Ask::Confirm { title: "leave out what waits?".to_string(), lines, yes: "leave it out".to_string() });
}

impl Run {
    /// The run at a glance, where there is a row for it; gives what is left.
    fn glance(&self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) -> Rect {
        if area.height < GLANCE_FROM || self.vitals.facts(seen).is_empty() {
            return area;
        }
        self.vitals.draw(buf, Rect { height: 1, ..area }, seen);
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }

    fn next_curve(&mut self, run: &State) {
        let chosen = self.curve.as_ref().map(|(family, name)| (*family, name.as_str()));
        let Some((family, name)) = chosen.or_else(|| run.telling_curve()) else { return };
        let all = run.curves.all();
        let at = all.iter().position(|curve| curve.family == family && curve.name == name).unwrap_or(0);
        if let Some(next) = all.get((at + 1) % all.len().max(1)) {
            self.curve = Some((next.family, next.name.clone()));
        }
    }

    fn scroll(&mut self, by: isize, run: &State) {
        match self.part {
            Part::Log => self.log.scroll(by, &run.log),
            Part::Stages if by == isize::MAX => self.stage = None,
            Part::Stages => {
                let to = self.stage.or(run.current()).unwrap_or(0).saturating_add_signed(by);
                self.stage = Some(to.min(run.stages.len().saturating_sub(1)));
            }
        }
    }
}
