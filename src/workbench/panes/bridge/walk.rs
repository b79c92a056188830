//! Moving about: from question to question, from step to step, from threshold to threshold; and what is asked of the
//! session because of it.

use std::sync::Arc;

use serde_json::Value;

use super::book::{Book, Filter, Row};
use super::heat::Heat;
use super::page::Page;
use super::tune::{self, Tally, Tau};
use super::{Bridge, Do, Mode, Move, PAGE, View, words};
use crate::domain::{Action, Thresholds};
use crate::workbench::pane::{Cx, Target, Wish};
use crate::workbench::sheet::Sheet;

impl Bridge {
    /// The page of the question that is shown, once it is there.
    pub(super) fn shown(&self) -> Option<&Arc<Page>> {
        let page = self.page.value()?;
        (Some(&page.id) == self.at.as_ref()).then_some(page)
    }

    /// Rows that the filter shows; the one that is open stays.
    pub(super) fn rows<'a>(&self, book: &'a Book) -> Vec<&'a Row> {
        let open = |row: &Row| Some(&row.id) == self.at.as_ref();
        book.rows.iter().filter(|row| self.filter.fits(row) || open(row)).collect()
    }

    /// The thresholds that are tried, else those in force.
    pub(super) fn thresholds(&self) -> Option<Thresholds> {
        let tried = self.tuned.filter(|_| self.mode == Mode::Tune);
        tried.or_else(|| self.book.value().and_then(|book| book.ground.thresholds))
    }

    /// What follows from what is known now: a question to begin with, the losses of a new page, the outcome of other
    /// thresholds.
    pub(super) fn follow(&mut self, cx: &mut Cx<'_>) {
        if self.at.is_none()
            && let Some(book) = self.book.value()
            && let Some(row) = book.rows.iter().find(|row| row.waits()).or(book.rows.first())
        {
            self.turn_to(row.id.clone(), cx);
        }
        if let Some(page) = self.shown().cloned() {
            self.step = self.step.min(page.steps.len().saturating_sub(1));
            if self.heated.as_ref().is_none_or(|heated| !Arc::ptr_eq(heated, &page)) {
                self.heated = Some(Arc::clone(&page));
                let tongue = self.tongue.clone();
                cx.query(&mut self.heat, move |session, _| Ok(Heat::read(session, &tongue, &page)));
            }
        }
        if self.mode == Mode::Tune {
            self.weigh(cx);
        }
    }

    /// Asks what the thresholds that are tried would give, unless that was asked already.
    fn weigh(&mut self, cx: &mut Cx<'_>) {
        let (Some(book), Some(thresholds)) = (self.book.value().cloned(), self.thresholds()) else { return };
        let known = |(of, at): &(Arc<Book>, Thresholds)| Arc::ptr_eq(of, &book) && *at == thresholds;
        if self.weighed.as_ref().is_some_and(known) {
            return;
        }
        self.weighed = Some((Arc::clone(&book), thresholds));
        self.outcome.ask(cx.jobs, cx.now, move |cancel| tune::outcome(&book, &thresholds, || cancel.check()));
    }

    /// Shows another question.
    pub(super) fn turn_to(&mut self, id: String, cx: &mut Cx<'_>) {
        if self.at.as_ref() == Some(&id) {
            return;
        }
        (self.step, self.scroll) = (0, 0);
        self.at = Some(id.clone());
        cx.query(&mut self.page, move |session, cancel| Page::read(session, &id, cancel).map(Arc::new));
    }

    /// Shows another question because the researcher went there.
    fn visit(&mut self, id: String, cx: &mut Cx<'_>) {
        self.turn_to(id.clone(), cx);
        cx.wish(Wish::Point(Target::Question(id)));
    }

    /// The question so many further in the list.
    pub(super) fn turn(&mut self, by: isize, cx: &mut Cx<'_>) {
        let Some(book) = self.book.value() else { return };
        let rows = self.rows(book);
        let now = rows.iter().position(|row| Some(&row.id) == self.at.as_ref());
        let to = now.map_or(0, |now| now.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
        if let Some(id) = rows.get(to).map(|row| row.id.clone()) {
            self.visit(id, cx);
        }
    }

    /// The question in a row of the list.
    pub(super) fn pick_row(&mut self, row: usize, cx: &mut Cx<'_>) {
        let id = self.book.value().and_then(|book| self.rows(book).get(row).map(|row| row.id.clone()));
        if let Some(id) = id {
            self.visit(id, cx);
        }
    }

    /// The question with this id, or the next one that waits.
    pub(super) fn find(&mut self, id: Option<String>, cx: &mut Cx<'_>) {
        let waiting = || {
            let book = self.book.value()?;
            let after = self.at.as_ref().and_then(|id| book.at(id)).map_or(0, |at| at + 1);
            let around = book.rows.iter().skip(after).chain(book.rows.iter().take(after));
            around.filter(|row| row.waits()).map(|row| row.id.clone()).next()
        };
        match id.or_else(waiting) {
            Some(id) => self.visit(id, cx),
            None => cx.say(crate::pipeline::events::Level::Info, "nothing waits here"),
        }
    }

    pub(super) fn choose_step(&mut self, step: usize, cx: &mut Cx<'_>) {
        let Some(page) = self.shown() else { return };
        let (step, id) = (step.min(page.steps.len().saturating_sub(1)), page.id.clone());
        if step != self.step {
            (self.step, self.scroll) = (step, 0);
            cx.wish(Wish::Point(Target::Step(id, step + 1)));
        }
    }

    pub(super) fn step_by(&mut self, by: isize, cx: &mut Cx<'_>) {
        self.choose_step(self.step.saturating_add_signed(by), cx);
    }

    /// Moves.
    pub(super) fn go(&mut self, way: Move, cx: &mut Cx<'_>) {
        match (self.mode, way) {
            (Mode::Tune, Move::Up) => self.other_tau(-1),
            (Mode::Tune, Move::Down) => self.other_tau(1),
            (Mode::Tune, Move::Left) => self.nudge(-1),
            (Mode::Tune, Move::Right) => self.nudge(1),
            (Mode::Tune, Move::PageUp) => self.nudge(10),
            (Mode::Tune, Move::PageDown) => self.nudge(-10),
            (Mode::Tune | Mode::Shares, Move::Back) => self.mode = Mode::Steps,
            (_, Move::Left) => self.turn(-1, cx),
            (_, Move::Right) => self.turn(1, cx),
            (Mode::Shares, Move::Up) => self.turn(-1, cx),
            (Mode::Shares, Move::Down) => self.turn(1, cx),
            (Mode::Steps, Move::Up) => self.step_by(-1, cx),
            (Mode::Steps, Move::Down) => self.step_by(1, cx),
            (Mode::Steps, Move::Top) => self.choose_step(0, cx),
            (Mode::Steps, Move::Bottom) => self.choose_step(usize::MAX, cx),
            (Mode::Steps, Move::PageDown) => self.scroll = self.scroll.saturating_add_signed(PAGE),
            (Mode::Steps, Move::PageUp) => self.scroll = self.scroll.saturating_add_signed(-PAGE),
            (Mode::Steps, Move::Enter) => self.take(Do::Lineage, cx),
            _ => {}
        }
    }

    fn other_tau(&mut self, by: isize) {
        let now = Tau::ALL.iter().position(|tau| *tau == self.tau).unwrap_or(0);
        self.tau = Tau::ALL[now.saturating_add_signed(by).min(Tau::ALL.len() - 1)];
    }

    /// Moves the chosen threshold.
    pub(super) fn nudge(&mut self, by: i32) {
        if let Some(mut thresholds) = self.thresholds() {
            self.tau.nudge(&mut thresholds, by);
            self.tuned = Some(thresholds);
        }
    }

    /// Changes what is shown.
    pub(super) fn look_at(&mut self, what: Do) {
        match what {
            Do::View => {
                self.scroll = 0;
                self.view = match self.view {
                    View::Step => View::Whole,
                    View::Whole => View::Samples,
                    View::Samples => View::Step,
                };
            }
            Do::List => self.list = Some(self.parts.list.width == 0),
            Do::Shares => self.mode = if self.mode == Mode::Shares { Mode::Steps } else { Mode::Shares },
            Do::Tune => self.mode = if self.mode == Mode::Tune { Mode::Steps } else { Mode::Tune },
            Do::Reset => self.tuned = None,
            Do::NudgeUp => self.nudge(1),
            Do::NudgeDown => self.nudge(-1),
            _ => {}
        }
    }

    /// How many questions a filter shows.
    pub(super) fn fitting(&self, filter: Filter) -> usize {
        self.book.value().map_or(0, |book| book.rows.iter().filter(|row| filter.fits(row)).count())
    }

    /// What is shown as a table: the steps, or the operations by position.
    pub(super) fn table(&self) -> Option<Sheet> {
        match self.mode {
            Mode::Steps => self.steps_table(),
            Mode::Shares => self.book.value().map(|book| operations(&Tally::present(book))),
            Mode::Tune => self.outcome.value().map(|then| operations(&then.tally)),
        }
    }

    fn steps_table(&self) -> Option<Sheet> {
        let page = self.shown().filter(|page| !page.steps.is_empty())?;
        let columns = ["question", "step", "text", "I", "J", "D", "tokens", "action", "local", "by", "bridged"];
        let number = |value: Option<f64>| value.map_or(Value::Null, Value::from);
        let rows = page.steps.iter().enumerate().map(|(at, step)| {
            let scores = step.scores.as_ref();
            vec![
                Value::from(page.id.as_str()),
                Value::from(at + 1),
                Value::from(step.text.as_str()),
                number(scores.and_then(|scores| scores.importance)),
                number(scores.and_then(|scores| scores.jumpiness)),
                number(scores.map(|scores| scores.difficulty)),
                Value::from(step.losses.len()),
                step.action.map_or(Value::Null, |action| Value::from(action.as_str())),
                Value::from(step.local),
                Value::from(words::by(step)),
                Value::from(step.after.as_str()),
            ]
        });
        let name = format!("bridge-{}", page.id.replace('/', "-"));
        Some(Sheet { name, columns: columns.map(String::from).to_vec(), rows: rows.collect() })
    }
}

/// The operations by position of the step, as a table.
fn operations(tally: &Tally) -> Sheet {
    let columns = ["position".to_string()].into_iter().chain(Action::ALL.map(|action| action.as_str().to_string()));
    let rows = tally.positions.iter().enumerate().map(|(at, counts)| {
        let counts = counts.iter().map(|count| Value::from(*count));
        [Value::from(at + 1)].into_iter().chain(counts).collect()
    });
    Sheet { name: "bridge-operations".to_string(), columns: columns.collect(), rows: rows.collect() }
}
