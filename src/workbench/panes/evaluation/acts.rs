//! What the actions do: choosing, comparing, sessions at the side, and what is asked of the records for it.

use ratatui::layout::Position;

use super::grid::{Grid, Row};
use super::read::{self, Changed, Compared, Pair, Place};
use super::{Evaluation, Part};
use crate::pipeline::events::Level;
use crate::session::Session;
use crate::workbench::action::Move;
use crate::workbench::jobs::Cancel;
use crate::workbench::pane::{Ask, Cx, PaneId, Target, Wish};
use crate::workbench::text::printable;

/// Rows that a page key moves.
const PAGE: isize = 10;

impl Evaluation {
    /// Reads the session and those beside it.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>, same: bool) {
        let (beside, sessions) = (self.beside.clone(), cx.house.sessions.clone());
        let before = self.shown.clone();
        let work = move |session: &Session, cancel: &Cancel| read::found(session, &sessions, &beside, before, cancel);
        if same { cx.requery(&mut self.found, work) } else { cx.query(&mut self.found, work) }
    }

    /// Makes the table from what was found.
    pub(super) fn lay_out(&mut self) {
        if let Some(found) = &self.shown {
            self.grid = Grid::new(found, self.figure);
        }
    }

    /// Where the chosen row and column are now.
    pub(super) fn at(&self) -> (usize, usize) {
        let row = |place: &Place| {
            self.grid.rows.iter().position(|row| row.session == place.session && row.checkpoint == place.checkpoint)
        };
        let last = || self.grid.rows.iter().rposition(|row| row.absent.is_none() && row.session.is_none()).unwrap_or(0);
        let column = |name: &String| self.grid.columns.iter().position(|column| column.name() == name);
        (self.row.as_ref().and_then(row).unwrap_or_else(last), self.column.as_ref().and_then(column).unwrap_or(0))
    }

    pub(super) fn chosen_row(&self) -> Option<&Row> {
        self.grid.rows.get(self.at().0)
    }

    /// What the chosen cell is compared with.
    pub(super) fn wanted(&self) -> Option<Pair> {
        let (at, column) = self.at();
        let row = self.grid.rows.get(at).filter(|row| row.absent.is_none())?;
        let split = self.grid.columns.get(column)?.split.clone();
        let own = |checkpoint: &str| Place { session: None, checkpoint: checkpoint.to_string() };
        let after = own(&row.checkpoint);
        let before = match &row.session {
            // Of a session beside it is asked what the shown one has over it.
            Some(_) => Place { session: row.session.clone(), checkpoint: row.checkpoint.clone() },
            None => match &self.against {
                Some(against) if *against != row.checkpoint => own(against),
                _ => {
                    let earlier = self.grid.rows.get(..at)?.iter().rev();
                    own(&earlier.into_iter().find(|row| row.session.is_none() && row.absent.is_none())?.checkpoint)
                }
            },
        };
        Some(Pair { before, after, split })
    }

    /// Asks what the chosen cell differs in, unless that is known or asked already.
    pub(super) fn compare(&mut self, cx: &mut Cx<'_>) {
        let wanted = self.wanted();
        if wanted == self.pair {
            return;
        }
        self.pair.clone_from(&wanted);
        match (wanted, self.shown.clone()) {
            (Some(pair), Some(found)) => {
                cx.query(&mut self.compared, move |session, cancel| read::compared(session, &found, &pair, cancel));
            }
            _ => self.compared.clear(),
        }
    }

    /// What is known of the chosen pair.
    pub(super) fn difference(&self) -> Option<&Compared> {
        let compared = self.compared.value()?.as_ref()?;
        (Some(&compared.pair) == self.pair.as_ref()).then_some(compared)
    }

    pub(super) fn changed_at(&self) -> Option<usize> {
        let changed = &self.difference()?.changed;
        let known = self.chosen.as_ref();
        let at = known.and_then(|(split, id)| changed.iter().position(|c| c.split == *split && c.id == *id));
        if changed.is_empty() { None } else { Some(at.unwrap_or(0)) }
    }

    pub(super) fn changed(&self) -> Option<&Changed> {
        self.difference()?.changed.get(self.changed_at()?)
    }

    pub(super) fn next_part(&mut self) {
        self.part = match self.part {
            Part::Table if self.changed().is_some() => Part::Changed,
            Part::Table | Part::Changed => Part::Notes,
            Part::Notes => Part::Table,
        };
    }

    /// The chosen checkpoint becomes the one to compare with; chosen again, it is the one before that counts.
    pub(super) fn compare_with(&mut self, cx: &mut Cx<'_>) {
        let Some(checkpoint) = self.chosen_row().filter(|row| row.absent.is_none()).map(|row| row.checkpoint.clone())
        else {
            return;
        };
        if self.against.as_ref() == Some(&checkpoint) {
            self.against = None;
            cx.say(Level::Info, "compared with the checkpoint before");
        } else {
            cx.say(Level::Info, format!("compared with {}", printable(&checkpoint)));
            self.against = Some(checkpoint);
        }
    }

    /// Offers the other sessions.
    pub(super) fn offer(&mut self, cx: &mut Cx<'_>) {
        let own = cx.source.map(|source| source.name().to_string());
        let Some(names) = self.names.value() else {
            let why = self.names.error().unwrap_or("the sessions can't be listed").to_string();
            return cx.say(Level::Error, why);
        };
        self.offered = names.iter().filter(|name| Some(*name) != own.as_ref()).cloned().collect();
        if self.offered.is_empty() {
            return cx.say(Level::Info, "there is no other session in this folder");
        }
        let word =
            |name: &String| if self.beside.contains(name) { format!("{name} (take away)") } else { name.clone() };
        let items = self.offered.iter().map(word).collect();
        cx.ask(1, Ask::Choose { title: "session beside this one".to_string(), items, at: 0 });
    }

    pub(super) fn read_answers(&mut self, cx: &mut Cx<'_>) {
        let (Some(found), Some(pair), Some(changed)) = (self.shown.clone(), self.pair.clone(), self.changed().cloned())
        else {
            return;
        };
        self.reading = true;
        cx.query(&mut self.answers, move |session, _| read::both_answers(session, &found, &pair, &changed));
    }

    pub(super) fn open(&mut self, pane: PaneId, cx: &mut Cx<'_>) {
        if let Some(changed) = self.changed() {
            let target = Target::Question(changed.id.clone());
            cx.wish(Wish::Goto(pane, Some(target)));
        }
    }

    pub(super) fn go(&mut self, to: Move, cx: &mut Cx<'_>) {
        match (to, self.part) {
            (Move::Down, part) => self.go_in(part, 1),
            (Move::Up, part) => self.go_in(part, -1),
            (Move::PageDown, part) => self.go_in(part, PAGE),
            (Move::PageUp, part) => self.go_in(part, -PAGE),
            (Move::Top, part) => self.go_in(part, isize::MIN / 2),
            (Move::Bottom, part) => self.go_in(part, isize::MAX / 2),
            (Move::Left, Part::Table) => self.across(-1),
            (Move::Right, Part::Table) => self.across(1),
            (Move::Enter, Part::Changed) => self.open(PaneId::Questions, cx),
            (Move::Enter, _) if self.changed().is_some() => self.part = Part::Changed,
            (Move::Back, _) => self.part = Part::Table,
            _ => {}
        }
    }

    pub(super) fn across(&mut self, by: isize) {
        let at = self.at().1.saturating_add_signed(by).min(self.grid.columns.len().saturating_sub(1));
        self.column = self.grid.columns.get(at).map(|column| column.name().to_string());
    }

    pub(super) fn go_in(&mut self, part: Part, by: isize) {
        match part {
            Part::Table => {
                let at = self.at().0.saturating_add_signed(by).min(self.grid.rows.len().saturating_sub(1));
                self.choose_row(at);
            }
            Part::Changed => {
                let Some(at) = self.changed_at() else { return };
                let Some(compared) = self.difference() else { return };
                let at = at.saturating_add_signed(by).min(compared.changed.len().saturating_sub(1));
                self.chosen = compared.changed.get(at).map(|changed| (changed.split.clone(), changed.id.clone()));
            }
            Part::Notes => self.scroll = self.scroll.saturating_add_signed(by).min(self.places.most_scroll()),
        }
    }

    pub(super) fn choose_row(&mut self, at: usize) {
        let place = |row: &Row| Place { session: row.session.clone(), checkpoint: row.checkpoint.clone() };
        self.row = self.grid.rows.get(at).map(place);
    }

    pub(super) fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        match self.part {
            Part::Table => {
                if let Some((row, column)) = self.places.cell(at, &self.grid) {
                    self.choose_row(row);
                    let name = |at: usize| self.grid.columns.get(at).map(|column| column.name().to_string());
                    self.column = column.and_then(name).or_else(|| self.column.take());
                }
            }
            Part::Changed => {
                let Some(place) = self.places.changed(at) else { return };
                let chosen = self.difference().and_then(|compared| compared.changed.get(place));
                let chosen = chosen.map(|changed| (changed.split.clone(), changed.id.clone()));
                if chosen.is_some() && chosen == self.chosen {
                    return self.open(PaneId::Questions, cx);
                }
                self.chosen = chosen;
            }
            Part::Notes => {}
        }
    }
}
