//! The failed questions: the near-miss with its first error marked, the diagnosis, the three lessons they become, and what
//! the researcher decides about them.

mod decide;
mod detail;
mod paint;
mod rows;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde_json::json;

use crate::pipeline::events::{Event, StageKind};
use crate::pipeline::review::Kind;
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use decide::Deciding;
use detail::{Detail, Leaf};
use rows::{Filter, Row};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// Approve the selected one.
    Approve,
    /// Approve all that are shown and wait.
    ApproveShown,
    /// Edit a field in place.
    Edit,
    /// Edit the whole diagnosis in `$EDITOR`.
    Editor,
    /// Reject, with a reason.
    Reject,
    /// Ask the teacher again.
    Again,
    /// Take back the last decision.
    Undo,
    /// Take back the last decision on this one.
    UndoThis,
    /// Restore what was taken back.
    Redo,
    /// The next that waits.
    NextPending,
    /// The one before that waits.
    PreviousPending,
    /// Another iteration.
    Iteration,
    /// Narrow down by text and terms.
    Filter,
    /// Narrow down by standing.
    Standing,
    /// Narrow down by error type.
    Error,
    /// As JSON, or as it is read.
    Json,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("recycle.approve", Action::Recycle(Do::Approve), "approve", &["a"]),
    bind("recycle.approve-shown", Action::Recycle(Do::ApproveShown), "approve all shown", &["A"]),
    hint("recycle.edit", Action::Recycle(Do::Edit), "edit a field", &["i"]),
    bind("recycle.editor", Action::Recycle(Do::Editor), "edit it in $EDITOR", &["E"]),
    hint("recycle.reject", Action::Recycle(Do::Reject), "reject", &["r"]),
    hint("recycle.again", Action::Recycle(Do::Again), "ask again", &["g"]),
    hint("recycle.next", Action::Recycle(Do::NextPending), "next pending", &["n"]),
    bind("recycle.previous", Action::Recycle(Do::PreviousPending), "pending before", &["N"]),
    hint("recycle.filter", Action::Recycle(Do::Filter), "filter", &["/"]),
    bind("recycle.standing", Action::Recycle(Do::Standing), "filter by standing", &["s"]),
    bind("recycle.error", Action::Recycle(Do::Error), "filter by error type", &["f"]),
    bind("recycle.iteration", Action::Recycle(Do::Iteration), "other iteration", &["t"]),
    hint("recycle.json", Action::Recycle(Do::Json), "as JSON", &["v"]),
    hint("recycle.undo", Action::Recycle(Do::Undo), "undo", &["u"]),
    bind("recycle.undo-this", Action::Recycle(Do::UndoThis), "undo the last on this one", &["U"]),
    bind("recycle.redo", Action::Recycle(Do::Redo), "redo", &["ctrl-r"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    List,
    Miss,
    Diagnosis,
    Lessons,
}

impl Part {
    const ALL: [Part; 4] = [Part::List, Part::Miss, Part::Diagnosis, Part::Lessons];

    fn beside(self, by: isize) -> Self {
        let at = (self as usize).saturating_add_signed(by).min(Self::ALL.len() - 1);
        Self::ALL[at]
    }
}

/// Where the parts were last drawn, in the order of [`Part::ALL`]; empty where they are not in sight.
type Areas = [Rect; 4];

/// The pane.
#[derive(Default)]
pub struct Recycle {
    rows: Query<Vec<Row>>,
    detail: Query<Option<Detail>>,
    /// The record that `detail` was asked for.
    asked: Option<String>,
    filter_text: String,
    filter: Filter,
    /// The iteration that is shown; `None` shows all.
    iteration: Option<u32>,
    iterations: Vec<u32>,
    /// Indices of the rows that are shown.
    shown: Vec<usize>,
    standings: Vec<(&'static str, u64)>,
    errors: Vec<(String, u64)>,
    /// Key of the selected record.
    selected: Option<String>,
    /// What shall be selected once the rows are there.
    wanted: Option<Target>,
    part: Part,
    json: bool,
    scroll: [usize; 4],
    areas: Areas,
    deciding: Deciding,
    /// Whether records may have changed since they were read.
    stale: bool,
}

/// Rows or lines that a page key moves.
const PAGE: isize = 10;

impl Recycle {
    fn all(&self) -> &[Row] {
        self.rows.value().map_or(&[], Vec::as_slice)
    }

    fn row(&self) -> Option<&Row> {
        let selected = self.selected.as_ref()?;
        self.all().iter().find(|row| row.key == *selected)
    }

    /// Place of the selected row among those that are shown.
    fn place(&self) -> Option<usize> {
        let all = self.all();
        self.shown.iter().position(|at| Some(&all[*at].key) == self.selected.as_ref())
    }

    /// What is known of the selected one, once it is.
    fn known(&self) -> Option<&Detail> {
        let detail = self.detail.value()?.as_ref()?;
        (Some(&detail.key) == self.selected.as_ref()).then_some(detail)
    }

    fn read(&mut self, cx: &mut Cx<'_>, again: bool) {
        let work =
            |session: &crate::session::Session, cancel: &crate::workbench::jobs::Cancel| rows::read(session, cancel);
        if again {
            cx.requery(&mut self.rows, work)
        } else {
            cx.query(&mut self.rows, work)
        }
        self.arrived(cx);
    }

    fn read_detail(&mut self, cx: &Cx<'_>, again: bool) {
        let Some(key) = self.selected.clone() else { return };
        if !again && self.asked.as_ref() == Some(&key) {
            return;
        }
        self.asked = Some(key.clone());
        let glyphs = cx.look.glyphs;
        let work = move |session: &crate::session::Session, _: &_| detail::read(session, &key, glyphs);
        if again { cx.requery(&mut self.detail, work) } else { cx.query(&mut self.detail, work) }
    }

    /// New rows are there, perhaps.
    fn arrived(&mut self, cx: &mut Cx<'_>) {
        if self.rows.value().is_none() {
            return;
        }
        let first = self.iterations.is_empty();
        let mut iterations: Vec<u32> = self.all().iter().map(|row| row.iteration).collect();
        iterations.dedup();
        self.iterations = iterations;
        if first {
            self.iteration = self.iterations.last().copied();
        }
        if let Some(target) = self.wanted.take() {
            self.find(&target, cx);
        }
        self.narrow(cx);
    }

    /// Which rows are shown; the selected one stays where it is among them, else the first is.
    fn narrow(&mut self, cx: &mut Cx<'_>) {
        let within = |row: &&Row| self.iteration.is_none_or(|iteration| iteration == row.iteration);
        let all = self.all();
        let standings = rows::standings(all.iter().filter(within));
        let errors = rows::errors(all.iter().filter(within));
        let fits = |at: &usize| within(&&all[*at]) && self.filter.fits(&all[*at]);
        let shown: Vec<usize> = (0..all.len()).filter(fits).collect();
        (self.shown, self.standings, self.errors) = (shown, standings, errors);
        if self.place().is_none() {
            let first = self.shown.first().map(|at| self.all()[*at].key.clone());
            self.select(first, cx);
        } else {
            self.read_detail(cx, false);
        }
    }

    fn select(&mut self, key: Option<String>, cx: &mut Cx<'_>) {
        if self.selected != key {
            self.selected = key;
            self.scroll[1..].fill(0);
            if let Some(row) = self.row() {
                let target = Target::Question(row.question.clone());
                cx.wish(Wish::Point(target));
            }
        }
        self.read_detail(cx, false);
    }

    fn go(&mut self, place: usize, cx: &mut Cx<'_>) {
        let place = place.min(self.shown.len().saturating_sub(1));
        if let Some(key) = self.shown.get(place).map(|at| self.all()[*at].key.clone()) {
            self.select(Some(key), cx);
        }
    }

    fn scroll(&mut self, by: isize, cx: &mut Cx<'_>) {
        match self.part {
            Part::List => self.go(self.place().unwrap_or(0).saturating_add_signed(by), cx),
            part => {
                let scroll = &mut self.scroll[part as usize];
                *scroll = scroll.saturating_add_signed(by);
            }
        }
    }

    /// The next row that waits for a decision, in either direction and around the end.
    fn pending(&mut self, back: bool, cx: &mut Cx<'_>) {
        let (all, count) = (self.all(), self.shown.len());
        let from = self.place().unwrap_or(0);
        let waits = |place: &usize| matches!(all[self.shown[*place]].status.name(), "proposed" | "review");
        let step = |by: usize| if back { (from + count - by) % count } else { (from + by) % count };
        match (1..=count).map(step).find(waits) {
            Some(place) => self.go(place, cx),
            None => cx.say(crate::pipeline::events::Level::Info, "nothing that is shown waits for a decision"),
        }
    }

    fn find(&mut self, target: &Target, cx: &mut Cx<'_>) {
        let fits = |row: &&Row| match target {
            Target::Product(id) => id.kind == Kind::Recycled && id.key == row.key,
            Target::Question(id) => *id == row.question,
            _ => false,
        };
        let Some((key, iteration)) = self.all().iter().rev().find(fits).map(|row| (row.key.clone(), row.iteration))
        else {
            return;
        };
        if self.selected.as_ref() == Some(&key) || self.row().is_some_and(|row| fits(&row)) {
            return;
        }
        if self.iteration.is_some() {
            self.iteration = Some(iteration);
        }
        if !self.all().iter().any(|row| row.key == key && self.filter.fits(row)) {
            self.filter_text.clear();
            self.filter = Filter::default();
        }
        self.selected = None;
        self.narrow(cx);
        self.select(Some(key), cx);
    }

    fn set_filter(&mut self, text: String, cx: &mut Cx<'_>) {
        match Filter::parse(&text) {
            Ok(filter) => {
                (self.filter, self.filter_text) = (filter, text);
                cx.wish(Wish::Remark(String::new()));
                self.narrow(cx);
            }
            Err(error) => cx.wish(Wish::Remark(error)),
        }
    }

    fn next_iteration(&mut self, cx: &mut Cx<'_>) {
        let at = self.iteration.and_then(|one| self.iterations.iter().position(|known| *known == one));
        self.iteration = match at {
            Some(at) => self.iterations.get(at + 1).copied(),
            None => self.iterations.first().copied(),
        };
        self.narrow(cx);
    }

    /// The leaf of a part, of the selected one.
    fn leaf(&self, part: Part) -> Option<&Leaf> {
        let (known, form) = (self.known()?, usize::from(self.json));
        match part {
            Part::List => None,
            Part::Miss => Some(&known.miss),
            Part::Diagnosis => Some(&known.diagnosis[form]),
            Part::Lessons => Some(&known.lessons[form]),
        }
    }
}

impl Pane for Recycle {
    fn id(&self) -> PaneId {
        PaneId::Recycle
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        let Action::Recycle(action) = action else { return true };
        match action {
            Do::Approve | Do::Edit | Do::Editor | Do::Reject | Do::Again | Do::UndoThis => self.place().is_some(),
            Do::ApproveShown | Do::NextPending | Do::PreviousPending => !self.shown.is_empty(),
            Do::Iteration => !self.iterations.is_empty(),
            Do::Filter | Do::Standing | Do::Error | Do::Json => !self.all().is_empty(),
            Do::Undo | Do::Redo => self.rows.value().is_some(),
        }
    }

    fn label(&self, action: Action, _run: &State) -> Option<&'static str> {
        (action == Action::Recycle(Do::Json) && self.json).then_some("as text")
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Recycle(Do::NextPending) => self.pending(false, cx),
            Action::Recycle(Do::PreviousPending) => self.pending(true, cx),
            Action::Recycle(Do::Iteration) => self.next_iteration(cx),
            Action::Recycle(Do::Json) => {
                self.json = !self.json;
                self.scroll[2..].fill(0);
            }
            Action::Recycle(Do::Filter) => {
                let title = "filter: words, status: error: match: repeats:".to_string();
                cx.ask(decide::FILTER, Ask::Line { title, text: self.filter_text.clone(), live: true });
            }
            Action::Recycle(other) => self.decide(other, cx),
            Action::Move(Move::Down) => self.scroll(1, cx),
            Action::Move(Move::Up) => self.scroll(-1, cx),
            Action::Move(Move::PageDown) => self.scroll(PAGE, cx),
            Action::Move(Move::PageUp) => self.scroll(-PAGE, cx),
            Action::Move(Move::Top) => self.scroll(isize::MIN, cx),
            Action::Move(Move::Bottom) => self.scroll(isize::MAX, cx),
            Action::Move(Move::Left) => self.part = self.part.beside(-1),
            Action::Move(Move::Right | Move::Enter) => self.part = self.part.beside(1),
            Action::Move(Move::Back) if self.part != Part::List => self.part = Part::List,
            Action::Move(Move::Back) => self.set_filter(String::new(), cx),
            _ => {}
        }
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
        *self = Self { json: self.json, ..Self::default() };
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read(cx, true);
        self.read_detail(cx, true);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        // While the run works at something else, nothing here changes but by decisions.
        let run = cx.run;
        let recycles = run.current().is_some_and(|at| run.stages[at].id.kind == StageKind::Recycle);
        if !run.phase.over() && !recycles && !std::mem::take(&mut self.stale) {
            return;
        }
        self.stale = false;
        self.read(cx, true);
        self.read_detail(cx, true);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.rows.cancel();
        self.detail.cancel();
        self.asked = None;
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.rows) {
            self.arrived(cx);
        }
        cx.poll(&mut self.detail);
    }

    fn hear(&mut self, event: &Event, cx: &mut Cx<'_>) {
        let changes = matches!(event, Event::Decided { .. } | Event::StageFinished { .. } | Event::RunFinished { .. });
        self.stale |= changes;
        self.deciding.hear(event, cx);
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        if self.rows.value().is_some() {
            self.find(target, cx);
        } else {
            self.wanted = Some(target.clone());
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
                let row = at.y.checked_sub(self.areas[0].y).filter(|_| part == Part::List);
                if let Some(place) =
                    row.map(|row| self.scroll[0] + usize::from(row)).filter(|at| *at < self.shown.len())
                {
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
        let columns = ["iteration", "question", "status", "reason", "error type", "match", "score", "repeats", "text"];
        let row = |at: &usize| {
            let row = &self.all()[*at];
            let found = rows::found_word(row.found);
            let values = [
                json!(row.iteration),
                json!(row.question),
                json!(row.status.name()),
                json!(row.status.reason()),
                json!(row.error),
                json!(found),
                json!(row.score),
                json!(row.repeats),
                json!(row.text),
            ];
            values.to_vec()
        };
        let rows = self.shown.iter().map(row).collect();
        (!self.shown.is_empty()).then(|| Sheet {
            name: "recycled".into(),
            columns: columns.map(String::from).to_vec(),
            rows,
        })
    }

    fn copied(&self) -> Option<(String, String)> {
        let (words, part) = match self.part {
            Part::Lessons => ("the lessons", Part::Lessons),
            Part::Miss => ("the near-miss", Part::Miss),
            Part::Diagnosis | Part::List => ("the diagnosis", Part::Diagnosis),
        };
        let text = self.leaf(part).map(|leaf| leaf.copied.clone()).filter(|text| !text.is_empty())?;
        Some((format!("{words} of {}", self.row()?.question), text))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        paint::marks(look)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.paint(area, buf, seen);
    }
}
