//! What is chosen, and what is open because of it. The newest step is followed while the list of steps stands on it, and
//! held once somebody goes on to its groups, samples or texts; what is on its way for something else is dropped.

use super::reading::{self, Group, Opened, Place, Sample};
use super::{Part, Rollouts};
use crate::pipeline::events::Level;
use crate::workbench::action::Move;
use crate::workbench::curves::Family;
use crate::workbench::pane::{Cx, Target, Wish};
use crate::workbench::widgets::NO_SESSION;

impl Rollouts {
    pub(super) fn total(&self) -> u64 {
        self.book.steps(Family::Rl)
    }

    /// What is to be shown.
    pub(super) fn place(&self) -> Option<Place> {
        if let Some(id) = &self.question {
            return Some(Place::Question(id.clone()));
        }
        if let Some((stage, step)) = &self.chosen {
            return Some(Place::Step(stage.clone(), *step));
        }
        let (leg, step) = self.book.place(Family::Rl, self.total())?;
        Some(Place::Step(leg.stage.key(), step))
    }

    /// What is shown.
    pub(super) fn opened(&self) -> Option<&Opened> {
        self.opened.value().and_then(Option::as_ref)
    }

    pub(super) fn group(&self) -> Option<&Group> {
        self.opened()?.groups.get(self.group_table.selected()?)
    }

    pub(super) fn sample(&self) -> Option<&Sample> {
        self.group()?.samples.get(self.sample_table.selected()?)
    }

    pub(super) fn has_log(&self) -> bool {
        self.group().is_some_and(|group| group.samples.iter().any(|sample| sample.log.is_some()))
    }

    /// Takes the steps that were read, and opens the newest where it is followed.
    pub(super) fn take(&mut self, cx: &mut Cx<'_>) {
        if let Some(additions) = self.steps.value_mut() {
            let additions = std::mem::take(additions);
            self.book.merge(additions);
        }
        self.step_table.set_len(usize::try_from(self.total()).unwrap_or(usize::MAX));
        self.open(cx);
    }

    /// Asks for what is to be shown, unless it was asked for already.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>) {
        let place = self.place();
        self.mark_step();
        if place == self.asked {
            return;
        }
        let same_kind = matches!((&place, &self.asked), (Some(Place::Step(..)), Some(Place::Step(..))));
        let follows = self.chosen.is_none() && same_kind;
        if !follows {
            self.opened.clear();
        }
        if !same_kind {
            self.group_table.select(0);
            self.sample_table.select(0);
        }
        self.asked.clone_from(&place);
        if let Some(place) = place {
            cx.query(&mut self.opened, move |session, cancel| reading::open(session, &place, cancel));
        }
        self.scroll = 0;
        self.fit();
    }

    /// The row of the step that is shown.
    fn mark_step(&mut self) {
        let place = if self.chosen.is_none() { Some(self.total()) } else { self.chosen_place() };
        if let Some(row) = place.and_then(|place| place.checked_sub(1)) {
            self.step_table.select(usize::try_from(row).unwrap_or(usize::MAX));
        }
    }

    /// Place of the chosen step among all, from 1.
    fn chosen_place(&self) -> Option<u64> {
        let (stage, step) = self.chosen.as_ref()?;
        let (offset, _) = self.book.legs(Family::Rl).find(|(_, leg)| leg.stage.key() == *stage)?;
        Some(offset + step)
    }

    /// How many steps are newer than the chosen one; `None` while the newest is followed.
    pub(super) fn newer(&self) -> Option<u64> {
        self.chosen.as_ref().map(|_| self.chosen_place().map_or(0, |place| self.total().saturating_sub(place)))
    }

    /// The step that is shown stays although newer ones come: somebody reads it.
    pub(super) fn hold(&mut self) {
        if let (None, None, Some(Place::Step(stage, step))) = (&self.question, &self.chosen, self.place()) {
            self.chosen = Some((stage, step));
        }
    }

    /// Back in the list of steps, the newest is followed again where it is the one that is chosen.
    fn let_go(&mut self) {
        if self.newer() == Some(0) && self.chosen_place().is_some() {
            self.chosen = None;
        }
    }

    /// The lists are as long as what was read.
    pub(super) fn fit(&mut self) {
        let groups = self.opened().map_or(0, |opened| opened.groups.len());
        self.group_table.set_len(groups);
        let samples = self.group().map_or(0, |group| group.samples.len());
        self.sample_table.set_len(samples);
    }

    pub(super) fn step_by(&mut self, by: isize, cx: &mut Cx<'_>) {
        self.step_table.step(by);
        self.choose_selected(cx);
    }

    /// The selected row of the steps is the one that is shown.
    pub(super) fn choose_selected(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.step_table.selected() else { return };
        if let Some((leg, step)) = self.book.place(Family::Rl, row as u64 + 1) {
            let chosen = (leg.stage.key(), step);
            (self.chosen, self.question) = (Some(chosen.clone()), None);
            self.let_go();
            self.open(cx);
            cx.wish(Wish::Point(Target::RlStep(chosen.0, chosen.1)));
        }
    }

    pub(super) fn group_changed(&mut self, cx: &mut Cx<'_>) {
        self.sample_table.select(0);
        self.scroll = 0;
        self.fit();
        if let Some(id) = self.group().map(|group| group.question.clone()).filter(|_| self.question.is_none()) {
            cx.wish(Wish::Point(Target::Question(id)));
        }
    }

    pub(super) fn show_question(&mut self, id: String, cx: &mut Cx<'_>) {
        if cx.source.is_none() {
            return cx.say(Level::Warn, NO_SESSION);
        }
        self.question = Some(id);
        self.part = self.part.max(Part::Groups);
        self.open(cx);
    }

    pub(super) fn back_to_steps(&mut self, cx: &mut Cx<'_>) {
        self.question = None;
        self.part = Part::Steps;
        self.let_go();
        self.open(cx);
    }

    pub(super) fn moved(&mut self, to: Move, cx: &mut Cx<'_>) {
        let first = if self.question.is_some() { Part::Groups } else { Part::Steps };
        match (to, self.part) {
            (Move::Back, part) if part <= first && self.question.is_some() => self.back_to_steps(cx),
            (Move::Left | Move::Back, part) => {
                self.part = before(part).max(first);
                if self.part == Part::Steps {
                    self.let_go();
                }
            }
            (Move::Right | Move::Enter, part) => {
                self.part = after(part);
                self.hold();
            }
            (Move::Bottom, Part::Steps) => {
                self.chosen = None;
                self.open(cx);
            }
            (to, Part::Steps) => {
                if self.step_table.moved(to) {
                    self.choose_selected(cx);
                }
            }
            (to, part) => {
                self.hold();
                match part {
                    Part::Groups if self.group_table.moved(to) => self.group_changed(cx),
                    Part::Samples if self.sample_table.moved(to) => self.scroll = 0,
                    Part::Text => self.scroll_text(to),
                    _ => {}
                }
            }
        }
    }

    fn scroll_text(&mut self, to: Move) {
        self.scroll = match to {
            Move::Down => self.scroll.saturating_add(1),
            Move::Up => self.scroll.saturating_sub(1),
            Move::PageDown => self.scroll.saturating_add(self.page),
            Move::PageUp => self.scroll.saturating_sub(self.page),
            Move::Top => 0,
            // Drawing brings it back to the last line.
            Move::Bottom => usize::MAX,
            _ => self.scroll,
        };
    }
}

fn before(part: Part) -> Part {
    match part {
        Part::Steps | Part::Groups => Part::Steps,
        Part::Samples => Part::Groups,
        Part::Text => Part::Samples,
    }
}

fn after(part: Part) -> Part {
    match part {
        Part::Steps => Part::Groups,
        Part::Groups => Part::Samples,
        Part::Samples | Part::Text => Part::Text,
    }
}
