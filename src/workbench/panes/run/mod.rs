//! The loop as stages with progress, the most telling curve, and the log.

mod curve;
mod log;
mod stages;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::pipeline::events::Level;
use crate::workbench::action::{Action, Bound, Move, hint};
use crate::workbench::curves::Family;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen};
use crate::workbench::state::State;

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
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("run.part", Action::Run(Do::Part), "stages or log", &["s"]),
    hint("run.curve", Action::Run(Do::Curve), "other curve", &["c"]),
    hint("run.log-level", Action::Run(Do::LogLevel), "level of the log", &["v"]),
    hint("run.log-filter", Action::Run(Do::LogFilter), "search the log", &["/"]),
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
    parts: Parts,
}

/// Where the parts were last drawn.
#[derive(Clone, Copy, Default)]
struct Parts {
    stages: Rect,
    log: Rect,
}

/// From here on the stages stand beside the curves instead of above.
const WIDE: u16 = 100;
/// Entries or lines that a page key moves.
const PAGE: isize = 10;

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
                cx.ask(0, Ask::Line { title: "search the log".to_string(), text, live: true });
            }
            Action::Move(Move::Down) => self.scroll(1, cx.run),
            Action::Move(Move::Up) => self.scroll(-1, cx.run),
            Action::Move(Move::PageDown) => self.scroll(PAGE, cx.run),
            Action::Move(Move::PageUp) => self.scroll(-PAGE, cx.run),
            Action::Move(Move::Top) => self.scroll(isize::MIN, cx.run),
            Action::Move(Move::Bottom) => self.scroll(isize::MAX, cx.run),
            Action::Move(Move::Back) => self.log = log::View::default(),
            _ => {}
        }
    }

    fn session(&mut self, _cx: &mut Cx<'_>) {
        *self = Self::default();
    }

    fn reply(&mut self, _token: u32, reply: Reply, _cx: &mut Cx<'_>) {
        if let Reply::Text(text) | Reply::Typing(text) = reply {
            self.log.filter = text;
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
            _ => {}
        }
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
        let (left, upper, lower) = if area.width >= WIDE { side_by_side(area) } else { stacked(area, seen.run) };
        self.parts = Parts { stages: left, log: lower };
        stages::draw(buf, left, seen, seen.focused && self.part == Part::Stages, self.stage);
        curve::draw(buf, upper, seen, self.curve.as_ref());
        self.log.draw(buf, lower, seen, seen.focused && self.part == Part::Log);
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

impl Run {
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
