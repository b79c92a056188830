//! Which rows are there, which of them are shown, which one is selected, and what is asked of the session for it.

use super::detail::{self, Detail, Leaf};
use super::rows::{self, Filter, Row};
use super::{Part, Recycle};
use crate::pipeline::events::Level;
use crate::pipeline::review::Kind;
use crate::session::Session;
use crate::workbench::jobs::Cancel;
use crate::workbench::pane::{Cx, Target, Wish};

impl Recycle {
    pub(super) fn all(&self) -> &[Row] {
        self.rows.value().map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self) -> Option<&Row> {
        let selected = self.selected.as_ref()?;
        self.all().iter().find(|row| row.key == *selected)
    }

    /// Place of the selected row among those that are shown.
    pub(super) fn place(&self) -> Option<usize> {
        let all = self.all();
        self.shown.iter().position(|at| Some(&all[*at].key) == self.selected.as_ref())
    }

    /// What is known of the selected one, once it is.
    pub(super) fn known(&self) -> Option<&Detail> {
        let detail = self.detail.value()?.as_ref()?;
        (Some(&detail.key) == self.selected.as_ref()).then_some(detail)
    }

    pub(super) fn read(&mut self, cx: &mut Cx<'_>, again: bool) {
        let work = |session: &Session, cancel: &Cancel| rows::read(session, cancel);
        if again {
            cx.requery(&mut self.rows, work)
        } else {
            cx.query(&mut self.rows, work)
        }
        self.arrived(cx);
    }

    pub(super) fn read_detail(&mut self, cx: &Cx<'_>, again: bool) {
        let Some(key) = self.selected.clone() else { return };
        if !again && self.asked.as_ref() == Some(&key) {
            return;
        }
        self.asked = Some(key.clone());
        let glyphs = cx.look.glyphs;
        let work = move |session: &Session, _: &_| detail::read(session, &key, glyphs);
        if again { cx.requery(&mut self.detail, work) } else { cx.query(&mut self.detail, work) }
    }

    /// New rows are there, perhaps.
    pub(super) fn arrived(&mut self, cx: &mut Cx<'_>) {
        if self.rows.value().is_none() {
            // Where they can't be read any more there is nothing that places could mean.
            return self.shown.clear();
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
    pub(super) fn narrow(&mut self, cx: &mut Cx<'_>) {
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

    pub(super) fn select(&mut self, key: Option<String>, cx: &mut Cx<'_>) {
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

    pub(super) fn go(&mut self, place: usize, cx: &mut Cx<'_>) {
        let place = place.min(self.shown.len().saturating_sub(1));
        if let Some(key) = self.shown.get(place).map(|at| self.all()[*at].key.clone()) {
            self.select(Some(key), cx);
        }
    }

    pub(super) fn scroll(&mut self, by: isize, cx: &mut Cx<'_>) {
        match self.part {
            Part::List => self.go(self.place().unwrap_or(0).saturating_add_signed(by), cx),
            part => {
                let scroll = &mut self.scroll[part as usize];
                *scroll = scroll.saturating_add_signed(by);
            }
        }
    }

    /// The next row that waits for a decision, in either direction and around the end.
    pub(super) fn pending(&mut self, back: bool, cx: &mut Cx<'_>) {
        let (all, count) = (self.all(), self.shown.len());
        let from = self.place().unwrap_or(0);
        let waits = |place: &usize| matches!(all[self.shown[*place]].status.name(), "proposed" | "review");
        let step = |by: usize| if back { (from + count - by) % count } else { (from + by) % count };
        match (1..=count).map(step).find(waits) {
            Some(place) => self.go(place, cx),
            None => cx.say(Level::Info, "nothing that is shown waits for a decision"),
        }
    }

    pub(super) fn find(&mut self, target: &Target, cx: &mut Cx<'_>) {
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

    pub(super) fn set_filter(&mut self, text: String, cx: &mut Cx<'_>) {
        match Filter::parse(&text) {
            Ok(filter) => {
                (self.filter, self.filter_text) = (filter, text);
                cx.wish(Wish::Remark(String::new()));
                self.narrow(cx);
            }
            Err(error) => cx.wish(Wish::Remark(error)),
        }
    }

    pub(super) fn next_iteration(&mut self, cx: &mut Cx<'_>) {
        let at = self.iteration.and_then(|one| self.iterations.iter().position(|known| *known == one));
        self.iteration = match at {
            Some(at) => self.iterations.get(at + 1).copied(),
            None => self.iterations.first().copied(),
        };
        self.narrow(cx);
    }

    /// The leaf of a part, of the selected one.
    pub(super) fn leaf(&self, part: Part) -> Option<&Leaf> {
        let (known, form) = (self.known()?, usize::from(self.json));
        match part {
            Part::List => None,
            Part::Miss => Some(&known.miss),
            Part::Diagnosis => Some(&known.diagnosis[form]),
            Part::Lessons => Some(&known.lessons[form]),
        }
    }
}
