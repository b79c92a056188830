//! One hard question, step by step: what the judge and the student say of each step, what becomes of it and why, and the
//! researcher's say in it. Beside it the list of questions, how often each operation is used, and what other thresholds
//! would make of them.

mod answer;
mod book;
mod decide;
mod desk;
mod detail;
mod draw;
mod heat;
mod ink;
mod page;
mod shares;
mod steps;
mod tune;
mod walk;
mod words;

use std::sync::Arc;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::{Action as Operation, Thresholds};
use crate::pipeline::events::Event;
use crate::pipeline::review::Kind;
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Cx, Mark, Pane, PaneId, Reply, Seen, Target};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use book::{Book, Filter};
use decide::Pending;
use desk::Desk;
use heat::{Heat, Tongue};
use page::Page;
use tune::{Outcome, Tau};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Choose the operation of the step.
    Choose(Operation),
    /// Write the step's text here.
    Edit,
    /// Write it in an editor.
    Editor,
    /// Change a score.
    Score,
    /// Cut the step in two.
    Split,
    /// Join it with the next.
    Merge,
    /// Ask the teacher once more.
    Again,
    /// This question's product shall not be trained on.
    Reject,
    /// It may be.
    Approve,
    /// All that are shown may be.
    ApproveShown,
    /// Take back the last decision on this question.
    Undo,
    /// Take back the last decision of all.
    UndoLast,
    /// Restore what was taken back on this question.
    Redo,
    /// The next step.
    StepDown,
    /// The step before.
    StepUp,
    /// The next question.
    Next,
    /// The question before.
    Previous,
    /// The next question that waits for somebody.
    Waiting,
    /// Only questions that stand so.
    Filter,
    /// A question by its id or text.
    Find,
    /// The step, the whole text, or the local samples.
    View,
    /// The list beside the steps, or none.
    List,
    /// Everything about this question, to read.
    Lineage,
    /// How often each operation is used.
    Shares,
    /// What other thresholds would do.
    Tune,
    /// The chosen threshold up.
    NudgeUp,
    /// The chosen threshold down.
    NudgeDown,
    /// The thresholds in force again.
    Reset,
    /// Choose what the other thresholds would give.
    Apply,
}

const fn to(what: Do) -> Action {
    Action::Bridge(what)
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("bridge.keep", to(Do::Choose(Operation::Keep)), "keep", &["k"]),
    hint("bridge.compress", to(Do::Choose(Operation::Compress)), "compress", &["c"]),
    hint("bridge.expand", to(Do::Choose(Operation::Expand)), "expand", &["e"]),
    hint("bridge.drop", to(Do::Choose(Operation::Drop)), "drop", &["d"]),
    hint("bridge.localize", to(Do::Choose(Operation::Localize)), "localize", &["l"]),
    hint("bridge.apply", to(Do::Apply), "apply", &["enter"]),
    hint("bridge.nudge-up", to(Do::NudgeUp), "threshold up", &["right", "+"]),
    hint("bridge.nudge-down", to(Do::NudgeDown), "threshold down", &["left", "-"]),
    hint("bridge.reset", to(Do::Reset), "thresholds as in force", &["="]),
    hint("bridge.approve", to(Do::Approve), "approve", &["a"]),
    hint("bridge.edit", to(Do::Edit), "edit", &["i"]),
    bind("bridge.editor", to(Do::Editor), "edit in $EDITOR", &["E"]),
    bind("bridge.score", to(Do::Score), "change a score", &["s"]),
    bind("bridge.split", to(Do::Split), "cut the step in two", &["x"]),
    bind("bridge.merge", to(Do::Merge), "join with the next step", &["m"]),
    bind("bridge.again", to(Do::Again), "ask the teacher again", &["g"]),
    bind("bridge.reject", to(Do::Reject), "reject", &["r"]),
    bind("bridge.approve-shown", to(Do::ApproveShown), "approve all shown", &["A"]),
    bind("bridge.undo", to(Do::Undo), "undo on this question", &["u"]),
    bind("bridge.undo-last", to(Do::UndoLast), "undo the last decision of all", &["U"]),
    bind("bridge.redo", to(Do::Redo), "redo on this question", &["ctrl-r"]),
    bind("bridge.step-down", to(Do::StepDown), "next step", &["J", "ctrl-n"]),
    bind("bridge.step-up", to(Do::StepUp), "step before", &["K"]),
    hint("bridge.next", to(Do::Next), "next question", &["n"]),
    bind("bridge.previous", to(Do::Previous), "question before", &["N"]),
    bind("bridge.waiting", to(Do::Waiting), "next that waits", &["w"]),
    bind("bridge.filter", to(Do::Filter), "only questions that stand so", &["f"]),
    bind("bridge.find", to(Do::Find), "find a question", &["/"]),
    bind("bridge.view", to(Do::View), "step, whole text or samples", &["v"]),
    bind("bridge.list", to(Do::List), "the list, or none", &["L"]),
    bind("bridge.lineage", to(Do::Lineage), "everything about this question", &["o"]),
    bind("bridge.shares", to(Do::Shares), "how often each operation is used", &["D"]),
    hint("bridge.tune", to(Do::Tune), "what if", &["t"]),
];

/// What the pane shows beside the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// One question.
    #[default]
    Steps,
    /// How often each operation is used.
    Shares,
    /// What other thresholds would do.
    Tune,
}

/// What stands below the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    /// The selected step: its losses, and its text before and after.
    #[default]
    Step,
    /// The whole text before and after.
    Whole,
    /// The local samples and where all of it comes from.
    Samples,
}

/// The pane.
#[derive(Default)]
pub struct Bridge {
    book: Query<Arc<Book>>,
    page: Query<Arc<Page>>,
    heat: Query<Heat>,
    outcome: Query<Outcome>,
    tongue: Tongue,
    /// The page whose losses were asked for.
    heated: Option<Arc<Page>>,
    /// What the outcome was asked for.
    weighed: Option<(Arc<Book>, Thresholds)>,
    /// Id of the question that is shown.
    at: Option<String>,
    /// Which of its steps, from 0.
    step: usize,
    filter: Filter,
    /// Whether the list is shown; `None` where there is room.
    list: Option<bool>,
    mode: Mode,
    view: View,
    /// Lines of the lower part that are scrolled away.
    scroll: usize,
    tau: Tau,
    /// The thresholds that are tried.
    tuned: Option<Thresholds>,
    pending: Option<Pending>,
    desk: Desk,
    parts: Parts,
}

/// Where the parts were last drawn.
#[derive(Clone, Copy, Default)]
struct Parts {
    list: Rect,
    /// First row of the list that is shown.
    list_from: usize,
    steps: Rect,
    steps_from: usize,
    lower: Rect,
}

/// Lines that a page key moves.
const PAGE: isize = 5;

impl Pane for Bridge {
    fn id(&self) -> PaneId {
        PaneId::Bridge
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        let Action::Bridge(what) = action else { return true };
        match what {
            Do::NudgeUp | Do::NudgeDown | Do::Reset => self.mode == Mode::Tune,
            Do::Apply => self.mode == Mode::Tune && self.outcome.value().is_some_and(|then| !then.turns.is_empty()),
            Do::Tune => self.book.value().is_some_and(|book| book.ground.thresholds.is_some()),
            Do::Shares => self.book.value().is_some(),
            Do::Filter | Do::Find | Do::Next | Do::Previous | Do::Waiting | Do::List => self.book.value().is_some(),
            Do::UndoLast => true,
            what => self.mode == Mode::Steps && self.can(what),
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        match action {
            Action::Bridge(Do::Tune) if self.mode == Mode::Tune => Some("back to the steps"),
            Action::Bridge(Do::Shares) if self.mode == Mode::Shares => Some("back to the steps"),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Bridge(what) => self.take(what, cx),
            Action::Move(way) => self.go(way, cx),
            _ => {}
        }
        self.follow(cx);
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        let list = self.list;
        *self = Self { list, ..Self::default() };
        self.follow(cx);
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.refresh(cx);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        cx.requery(&mut self.book, |session, cancel| Book::read(session, cancel).map(Arc::new));
        if let Some(id) = self.at.clone() {
            cx.requery(&mut self.page, move |session, cancel| Page::read(session, &id, cancel).map(Arc::new));
        }
        self.follow(cx);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.book.cancel();
        self.page.cancel();
        self.heat.cancel();
        self.outcome.cancel();
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        let answered = [cx.poll(&mut self.book), cx.poll(&mut self.page)].contains(&true);
        let worked = [cx.poll(&mut self.heat), cx.poll(&mut self.outcome)].contains(&true);
        if answered || worked {
            self.follow(cx);
        }
    }

    fn hear(&mut self, event: &Event, cx: &mut Cx<'_>) {
        self.desk.hear(event, cx);
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        let step = match target {
            Target::Step(_, step) => Some(step.saturating_sub(1)),
            _ => None,
        };
        let id = match target {
            Target::Question(id) | Target::Step(id, _) => id.clone(),
            Target::Product(id) if id.kind != Kind::Recycled => id.key.clone(),
            _ => return,
        };
        self.turn_to(id, cx);
        self.mode = Mode::Steps;
        self.step = step.unwrap_or(self.step);
        self.follow(cx);
    }

    fn reply(&mut self, _token: u32, reply: Reply, cx: &mut Cx<'_>) {
        if let Some(pending) = self.pending.take() {
            self.answered(pending, reply, cx);
        }
        self.follow(cx);
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        let by = match event.kind {
            MouseEventKind::ScrollDown => 1,
            MouseEventKind::ScrollUp => -1,
            MouseEventKind::Down(_) => 0,
            _ => return,
        };
        if self.parts.list.contains(at) {
            match by {
                0 => self.pick_row(self.parts.list_from + usize::from(at.y - self.parts.list.y), cx),
                by => self.turn(by, cx),
            }
        } else if self.parts.steps.contains(at) {
            match by {
                0 => self.choose_step(self.parts.steps_from + usize::from(at.y - self.parts.steps.y), cx),
                by => self.step_by(by, cx),
            }
        } else if self.parts.lower.contains(at) {
            self.scroll = self.scroll.saturating_add_signed(by * 2);
        }
        self.follow(cx);
    }

    fn sheet(&self) -> Option<Sheet> {
        self.table()
    }

    fn copied(&self) -> Option<(String, String)> {
        let bridge = self.shown()?.bridge.as_ref()?;
        Some((format!("the bridged text of {}", bridge.question), bridge.bridged.text.clone()))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        draw::marks(look)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        draw::draw(self, area, buf, seen);
    }
}
