//! Every training question as a row: who finds what hard, what became of it, and how that moved from checkpoint to
//! checkpoint.
//!
//! | file | idea |
//! |---|---|
//! | `mod` | the pane: which question is spoken of, and what is read of it when |
//! | `acts` | what keys and answers do |
//! | `rows` | questions as rows, read from briefs |
//! | `fields` | the columns: names, sorting, filtering, saving |
//! | `view` | which rows are shown in which order, computed behind the screen |
//! | `detail` | one question: answers grouped, ρ from stage to stage, every rollout |
//! | `why` | what the session knows of one question |
//! | `cells` | what stands in the columns |
//! | `draw` | all of it on the screen |

mod acts;
mod cells;
mod detail;
mod draw;
mod fields;
mod rows;
mod view;
mod why;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::pipeline::events::Level;
use crate::workbench::action::{Action, Bound, Move, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target, Wish};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::widgets::page::{Page, Piece};
use crate::workbench::widgets::table::{Hit, Table};
use detail::Detail;
use fields::{Col, Room, columns};
use rows::{Flag, Model, Row};
use view::{View, Wanted};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum Do {
    Filter,
    Sort,
    SortBy,
    Reverse,
    Next,
    Previous,
    Detail,
    Why,
    Bridge,
    Recycle,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("questions.filter", Action::Questions(Do::Filter), "filter", &["/"]),
    hint("questions.sort", Action::Questions(Do::Sort), "sort by the next column", &["s"]),
    bind("questions.sort-by", Action::Questions(Do::SortBy), "sort by a column", &["S"]),
    hint("questions.reverse", Action::Questions(Do::Reverse), "reverse", &["r"]),
    bind("questions.next", Action::Questions(Do::Next), "next question", &["n"]),
    bind("questions.previous", Action::Questions(Do::Previous), "question before", &["N"]),
    bind("questions.detail", Action::Questions(Do::Detail), "show or hide the selected question", &["d"]),
    hint("questions.why", Action::Questions(Do::Why), "why", &["w"]),
    hint("questions.bridge", Action::Questions(Do::Bridge), "its bridge", &["b"]),
    hint("questions.recycle", Action::Questions(Do::Recycle), "its failure", &["f"]),
];

/// A reading that took a while is repeated after this many times as long, so that reading never takes much of a core.
const EASE: u32 = 8;

/// The rollouts of a question, opened to be read.
#[derive(Default)]
struct Open {
    /// Which of the stages that sampled it.
    stage: usize,
    scroll: usize,
    /// Rows it was last drawn in.
    height: u16,
    /// The page of a stage, with or without Unicode.
    page: Option<(usize, bool, Page)>,
}

/// The pane.
#[derive(Default)]
pub struct Questions {
    model: Query<Arc<Model>>,
    view: Query<View>,
    detail: Query<Detail>,
    why: Query<Vec<Vec<Piece>>>,
    wanted: Wanted,
    table: Table,
    /// The columns as last drawn.
    columns: Vec<Col>,
    /// The selected question.
    selected: Option<String>,
    /// A question that it was told to show and that is not among the rows.
    aimed: Option<String>,
    /// The question of which details were asked.
    asked: Option<String>,
    open: Option<Open>,
    /// The selected question is not shown beside the table.
    hidden: bool,
    /// What is said of a question, and for which it was put together.
    page: Option<((String, bool), Page)>,
    /// When the last reading began, and when it came.
    read: (Duration, Duration),
    /// The records have changed since.
    stale: bool,
}

impl Pane for Questions {
    fn id(&self) -> PaneId {
        PaneId::Questions
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        let rows = self.model.value().is_some_and(|model| !model.rows.is_empty());
        match action {
            Action::Questions(Do::Filter | Do::Sort | Do::SortBy | Do::Reverse) => rows && self.open.is_none(),
            Action::Questions(Do::Recycle) => self.spoken_of().is_some_and(|row| !row.errors.is_empty()),
            Action::Questions(Do::Bridge) => self.spoken_of().is_some_and(|row| row.actions.iter().any(|n| *n > 0)),
            Action::Questions(_) => self.spoken_of().is_some(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::Questions(action) => self.own(action, cx),
            Action::Move(to) if self.open.is_some() => self.move_open(to),
            Action::Move(Move::Enter) if self.spoken_of().is_some() => self.open = Some(Open::default()),
            Action::Move(Move::Back) if self.aimed.take().is_some() => self.settle(cx),
            Action::Move(Move::Back) if !self.wanted.filter.is_empty() => self.set_filter(String::new(), cx),
            Action::Move(to) if self.table.moved(to) => self.moved(cx),
            _ => {}
        }
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
        *self = Self::default();
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read_again(cx);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.read_again(cx);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.model.cancel();
        self.view.cancel();
        self.detail.cancel();
        self.why.cancel();
        (self.asked, self.stale) = (None, false);
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        if cx.poll(&mut self.model) {
            self.model_came(cx);
        }
        if cx.poll(&mut self.view) {
            self.settle(cx);
        }
        if cx.poll(&mut self.detail) {
            self.detail_came();
        }
        if cx.poll(&mut self.why) {
            self.why_came(cx);
        }
        if self.stale {
            self.read_again(cx);
        }
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        let id = match target {
            Target::Question(id) | Target::Step(id, _) => id.clone(),
            Target::Product(product) => product.question().to_string(),
            _ => return,
        };
        if self.selected.as_ref() != Some(&id) || self.aimed.is_some() {
            self.aimed = Some(id);
            self.settle(cx);
        }
    }

    fn reply(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        self.answered(token, reply, cx);
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        if let Some(open) = &mut self.open {
            match event.kind {
                MouseEventKind::ScrollDown => open.scroll += 3,
                MouseEventKind::ScrollUp => open.scroll = open.scroll.saturating_sub(3),
                _ => {}
            }
            return;
        }
        match self.table.mouse(event) {
            Hit::Row { again: true, .. } => self.open = Some(Open::default()),
            Hit::Row { .. } => self.moved(cx),
            Hit::Head(at) => {
                let column = self.columns.get(at).copied();
                if column == self.wanted.by {
                    self.own(Do::Reverse, cx);
                } else {
                    self.sort_by(column, cx);
                }
            }
            Hit::Scrolled | Hit::Miss => {}
        }
    }

    fn sheet(&self) -> Option<Sheet> {
        let view = self.view.value().filter(|view| !view.order.is_empty())?;
        let columns = columns(&view.model, Room::Wide);
        let cells = |row: &Row| columns.iter().flat_map(|column| column.saved(&view.model, row)).collect::<Vec<_>>();
        let rows: Vec<_> = (0..view.order.len()).filter_map(|place| view.row(place)).map(cells).collect();
        let names = rows.first()?.iter().map(|(name, _)| name.clone()).collect();
        let rows = rows.into_iter().map(|cells| cells.into_iter().map(|(_, value)| value).collect()).collect();
        Some(Sheet { name: "questions".to_string(), columns: names, rows })
    }

    fn copied(&self) -> Option<(String, String)> {
        let row = self.spoken_of()?;
        Some((format!("question {}", row.id), format!("{}\n{}\n#### {}\n", row.id, row.text, row.gold)))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        let theme = &look.theme;
        let mut marks: Vec<Mark> =
            Flag::ALL.map(|flag| (flag.letter().to_string(), cells::said(flag), cells::flag_style(flag, theme))).into();
        marks.extend(crate::domain::Action::ALL.map(|action| {
            let letter = action.as_str().chars().take(1).collect::<String>().to_uppercase();
            (letter, cells::meant(action), theme.action(action))
        }));
        marks.push(("0".to_string(), "no rollout of this checkpoint is right", theme.bad));
        marks.push(("1".to_string(), "every rollout of this checkpoint is right", theme.good));
        let filters = [
            ("id band k n rho steps", "what a filter may name, and base, sft1, rl1: the share of right answers there"),
            ("action error flag gold", "and keep, compress, expand, drop, localize for how many steps"),
            ("steps>4 rho<=10%", "comparisons: < <= > >= = !=; steps:3..5 for what lies between"),
            ("band:medium,hard", "one of these; error:\"off by\" for what a text holds; rho:none for what is missing"),
            ("geese \"3 geese\"", "in the question, or with one slip from 4 letters on; in quotation marks exactly so"),
            ("-flag:zero not (a or b)", "the contrary; and between two terms need not be written"),
        ];
        marks.extend(filters.map(|(filter, meaning)| (filter.to_string(), meaning, theme.key)));
        marks
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.paint(area, buf, seen);
    }
}

impl Questions {
    /// Reads all questions again, unless the last reading took long and was just now.
    fn read_again(&mut self, cx: &mut Cx<'_>) {
        let (began, came) = self.read;
        let due = came + EASE * came.saturating_sub(began);
        self.stale = self.model.value().is_some() && cx.now < due;
        if self.stale {
            return;
        }
        if self.model.waiting().is_none() {
            self.read.0 = cx.now;
        }
        cx.requery(&mut self.model, |session, cancel| rows::read(session, cancel).map(Arc::new));
        if self.model.waiting().is_none() && cx.source.is_some() {
            self.model_came(cx);
        }
    }

    fn model_came(&mut self, cx: &mut Cx<'_>) {
        self.read.1 = cx.now;
        if let Some(id) = self.asked.clone() {
            self.read_detail(id, cx, true);
        }
        self.choose(cx);
    }

    /// Chooses and orders anew, behind the screen.
    fn choose(&mut self, cx: &mut Cx<'_>) {
        let Some(model) = self.model.value().cloned() else { return };
        let wanted = self.wanted.clone();
        self.view.ask(cx.jobs, cx.now, move |cancel| View::of(model, &wanted, cancel));
        if self.view.waiting().is_none() {
            self.settle(cx);
        }
    }

    /// Finds the selected question again among the rows.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.view.value() else { return };
        self.table.set_len(view.order.len());
        let aimed = self.aimed.as_ref().and_then(|id| view.place(id));
        if let Some(place) = aimed {
            self.aimed = None;
            self.table.select(place);
        } else if let Some(place) = self.selected.as_ref().and_then(|id| view.place(id))
            && self.table.selected() != Some(place)
        {
            self.table.select(place);
        }
        if self.aimed.as_ref().is_some_and(|id| view.model.find(id).is_none()) {
            self.aimed = None;
        }
        self.spoken(aimed.is_none(), cx);
    }

    /// The researcher chose another row.
    fn moved(&mut self, cx: &mut Cx<'_>) {
        self.aimed = None;
        self.spoken(true, cx);
    }

    /// Says to the other panes which question is selected, where it is another one, and reads its details.
    fn spoken(&mut self, tell: bool, cx: &mut Cx<'_>) {
        let at = self.table.selected().and_then(|place| self.view.value()?.row(place)).map(|row| row.id.clone());
        if at != self.selected {
            if let (true, Some(id), Some(_)) = (tell, &at, &self.selected) {
                cx.wish(Wish::Point(Target::Question(id.clone())));
            }
            self.selected = at;
        }
        let id = self.spoken_of().map(|row| row.id.clone());
        if let Some(id) = id.filter(|id| self.asked.as_ref() != Some(id)) {
            if let Some(open) = &mut self.open {
                *open = Open { stage: open.stage, ..Open::default() };
            }
            self.read_detail(id, cx, false);
        }
    }

    fn read_detail(&mut self, id: String, cx: &mut Cx<'_>, again: bool) {
        self.asked = Some(id.clone());
        let work = move |session: &crate::session::Session, cancel: &crate::workbench::jobs::Cancel| {
            detail::read(session, cancel, &id)
        };
        match again {
            true => cx.requery(&mut self.detail, work),
            false => cx.query(&mut self.detail, work),
        }
        if self.detail.waiting().is_none() {
            self.detail_came();
        }
    }

    fn detail_came(&mut self) {
        self.page = None;
        if let Some(open) = &mut self.open {
            open.page = None;
        }
    }

    fn why_came(&mut self, cx: &mut Cx<'_>) {
        if let Some(error) = self.why.error() {
            return cx.say(Level::Error, error.to_string());
        }
        let Some(lines) = self.why.value_mut().map(std::mem::take) else { return };
        let theme = &cx.look.theme;
        let span = |(ink, text): Piece| Span::styled(text, ink.style(theme));
        let lines = lines.into_iter().flat_map(why::broken);
        let lines = lines.map(|line| line.into_iter().map(span).collect()).collect();
        let title = format!("why: {}", self.spoken_of().map_or("", |row| row.id.as_str()));
        cx.ask(acts::WHY, Ask::Read { title, lines });
    }

    /// The question that is selected, or that another pane speaks of.
    fn spoken_of(&self) -> Option<&Row> {
        let view = self.view.value()?;
        let aimed = self.aimed.as_ref().and_then(|id| view.model.find(id)).and_then(|at| view.model.rows.get(at));
        aimed.or_else(|| self.table.selected().and_then(|place| view.row(place)))
    }
}

#[cfg(test)]
mod tests;
