//! What the actions do: choosing a set, a member, a branch, and what is asked of the records for it.

use std::sync::Arc;

use crossterm::event::{MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::filter::{self, Filter};
use super::read::{self, Kind, Row, Set, Sets};
use super::{DataSets, Part, Place, Side, text};
use crate::pipeline::review::Kind as ProductKind;
use crate::workbench::action::Move;
use crate::workbench::look::Look;
use crate::workbench::pane::{Cx, PaneId, Target, Wish};
use crate::workbench::widgets::table::Hit;

/// Lines that a page key moves.
const PAGE: isize = 10;

impl DataSets {
    /// Reads the sets again.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>) {
        let (renderer, before) = (Arc::clone(&self.renderer), self.shown.clone());
        cx.requery(&mut self.sets, move |session, cancel| {
            read::sets(session, &renderer, before.as_deref(), cancel).map(Arc::new)
        });
    }

    /// The sets may be others than before: the chosen one stays, and is read again where it says something else.
    pub(super) fn take_in(&mut self, sets: Arc<Sets>) {
        let before = self.chosen_set().map(|set| (set.name.clone(), Arc::clone(&set.rows)));
        self.shown = Some(sets);
        let after = self.chosen_set().map(|set| (&set.name, &set.rows));
        let same = |(name, rows): &(String, Arc<Vec<Row>>), (now, here): (&String, &Arc<Vec<Row>>)| {
            name == now && Arc::ptr_eq(rows, here)
        };
        if !before.as_ref().zip(after).is_some_and(|(before, after)| same(before, after)) {
            self.stale = true;
            self.asked = [None, None];
        }
    }

    pub(super) fn chosen_set(&self) -> Option<&Set> {
        let sets = &self.shown.as_ref()?.sets;
        let named = self.set.as_ref().and_then(|name| sets.iter().find(|set| set.name == *name));
        named.or_else(|| sets.first())
    }

    /// Places of the members in sight, in their order.
    pub(super) fn visible(&self) -> &[u32] {
        self.visible.value().map(Vec::as_slice).unwrap_or_default()
    }

    /// The chosen member and its set.
    pub(super) fn chosen(&self) -> Option<(&Set, &Row)> {
        let set = self.chosen_set()?;
        let at = *self.visible().get(self.row_table.selected()?)?;
        Some((set, set.rows.get(at as usize)?))
    }

    fn place(&self) -> Option<Place> {
        self.chosen().map(|(set, row)| (set.name.clone(), row.id.clone()))
    }

    pub(super) fn ask_visible(&mut self, cx: &mut Cx<'_>) {
        let (Some(sets), Some(set)) = (self.shown.clone(), self.chosen_set().cloned()) else { return };
        let (filter, order) = (self.filter.clone(), self.order);
        cx.query(&mut self.visible, move |session, cancel| {
            filter::visible(session, &set, &sets.questions, &filter, order, cancel)
        });
    }

    /// Tables follow what is known; the chosen member stays chosen while it is there.
    pub(super) fn follow(&mut self) {
        let sets = self.shown.as_ref().map_or(0, |sets| sets.sets.len());
        self.set_table.set_len(sets);
        let name = self.chosen_set().map(|set| set.name.clone());
        let at = self.shown.as_ref().and_then(|all| all.sets.iter().position(|set| Some(&set.name) == name.as_ref()));
        if at != self.set_table.selected() {
            self.set_table.select(at.unwrap_or(0));
        }
        self.row_table.set_len(self.visible().len());
        let Some(set) = self.chosen_set() else { return };
        let id = |at: u32| set.rows.get(at as usize).map(|row| row.id.as_str());
        let here = self.row_table.selected().and_then(|at| id(*self.visible().get(at)?));
        if self.row.as_deref() != here
            && let Some(wanted) = &self.row
            && let Some(at) = self.visible().iter().position(|at| id(*at) == Some(wanted))
        {
            self.row_table.select(at);
        }
    }

    /// Asks for the chosen member, and for its way back where that is shown.
    pub(super) fn ask_detail(&mut self, cx: &mut Cx<'_>) {
        let place = self.place();
        let lineage = self.side == Side::Lineage;
        let (Some(place), Some(sets), Some((set, row))) = (place, self.shown.clone(), self.chosen()) else { return };
        let (set, row, recipe) = (set.clone(), row.clone(), Arc::clone(&sets.recipe));
        if self.asked[0].as_ref() != Some(&place) {
            self.asked[0] = Some(place.clone());
            let renderer = Arc::clone(&self.renderer);
            let (set, row, recipe, place) = (set.clone(), row.clone(), Arc::clone(&recipe), place.clone());
            cx.query(&mut self.detail, move |session, _| {
                text::detail(session, &recipe, &renderer, &set, &row).map(|detail| (place, Arc::new(detail)))
            });
        }
        if lineage && self.asked[1].as_ref() != Some(&place) {
            self.asked[1] = Some(place.clone());
            cx.query(&mut self.lineage, move |session, _| {
                text::lineage(session, &recipe, &set, &row).map(|tree| (place, tree))
            });
        }
    }

    /// Lays the chosen member out on its page.
    pub(super) fn lay_out(&mut self, look: &Look) {
        let Some((_, detail)) = self.detail.value() else { return };
        let unicode = look.glyphs.braille;
        let same = |(of, drawn, _): &(Arc<text::Detail>, bool, _)| Arc::ptr_eq(of, detail) && *drawn == unicode;
        if !self.page.as_ref().is_some_and(same) {
            self.page = Some((Arc::clone(detail), unicode, detail.page(&look.glyphs)));
        }
    }

    /// Whether what was read belongs to the chosen member.
    pub(super) fn is_here(&self, place: &Place) -> bool {
        self.place().as_ref() == Some(place)
    }

    /// Narrows the members down to what was typed; what can't be read is said, and nothing changes.
    pub(super) fn narrow(&mut self, typed: &str, cx: &mut Cx<'_>) {
        self.typed = typed.to_string();
        match Filter::read(typed) {
            Ok(filter) => {
                (self.filter, self.stale) = (filter, true);
                cx.wish(Wish::Remark(String::new()));
            }
            Err(why) => cx.wish(Wish::Remark(why)),
        }
    }

    /// The next of the set's kinds alone; after the last all of them.
    pub(super) fn next_kind(&mut self) {
        let Some(set) = self.chosen_set() else { return };
        let mut kinds: Vec<&'static str> = Vec::new();
        for row in set.rows.iter() {
            if !kinds.contains(&row.kind.name()) {
                kinds.push(row.kind.name());
            }
        }
        let now = self.typed.split_whitespace().find_map(|word| word.strip_prefix("kind:"));
        let next = match now.and_then(|now| kinds.iter().position(|kind| *kind == now)) {
            Some(at) => kinds.get(at + 1),
            None => kinds.first(),
        };
        let rest: Vec<&str> = self.typed.split_whitespace().filter(|word| !word.starts_with("kind:")).collect();
        let kind = next.map(|kind| format!("kind:{kind}"));
        self.typed = kind.into_iter().chain(rest.into_iter().map(str::to_string)).collect::<Vec<_>>().join(" ");
        self.filter = Filter::read(&self.typed).unwrap_or_default();
        self.stale = true;
    }

    /// Shows the set and the member that are meant.
    pub(super) fn find(&mut self, target: &Target) {
        let Some(sets) = self.shown.clone() else { return };
        let fits = |set: &Set, row: &Row| match target {
            Target::Sample(id) => row.id == *id || row.key == *id,
            Target::Question(id) => row.question == *id,
            Target::Product(product) => {
                let recycled = matches!(row.kind, Kind::Text(kind) if kind.is_recycled());
                let text = matches!(row.kind, Kind::Text(_));
                let made = match product.kind {
                    ProductKind::Recycled => recycled && set.stage.iteration == product.iteration() + 1,
                    _ => text && !recycled,
                };
                made && row.question == product.question()
            }
            _ => false,
        };
        let found =
            |set: &Set| set.rows.iter().find(|row| fits(set, row)).map(|row| (set.name.clone(), row.id.clone()));
        // The set that is shown comes first, then the newest.
        let here = self.chosen_set().and_then(found);
        let Some((set, row)) = here.or_else(|| sets.sets.iter().rev().find_map(found)) else { return };
        (self.set, self.row, self.part, self.stale) = (Some(set), Some(row), Part::Rows, true);
        (self.typed, self.filter) = (String::new(), Filter::default());
    }

    pub(super) fn open_question(&mut self, cx: &mut Cx<'_>) {
        if let Some((_, row)) = self.chosen().filter(|(_, row)| !row.question.is_empty()) {
            let target = Target::Question(row.question.clone());
            cx.wish(Wish::Goto(PaneId::Questions, Some(target)));
        }
    }

    pub(super) fn go(&mut self, to: Move, cx: &mut Cx<'_>) {
        match (self.part, to) {
            (Part::Sets, Move::Enter | Move::Right) if self.chosen_set().is_some() => self.part = Part::Rows,
            (Part::Rows, Move::Enter | Move::Right) if self.chosen().is_some() => self.part = Part::Detail,
            (Part::Rows, Move::Back | Move::Left) => self.part = Part::Sets,
            (Part::Detail, Move::Back | Move::Left) => self.part = Part::Rows,
            (Part::Detail, Move::Enter) => self.follow_branch(cx),
            (_, Move::Enter | Move::Right | Move::Left | Move::Back) => {}
            (Part::Sets, to) => {
                self.set_table.moved(to);
                self.choose_set();
            }
            (Part::Rows, to) => {
                self.row_table.moved(to);
                self.choose_row();
            }
            (Part::Detail, to) => {
                let by = match to {
                    Move::Down => 1,
                    Move::Up => -1,
                    Move::PageDown => PAGE,
                    Move::PageUp => -PAGE,
                    Move::Top => isize::MIN / 2,
                    _ => isize::MAX / 2,
                };
                self.scroll_detail(by);
            }
        }
    }

    fn choose_set(&mut self) {
        let at = self.set_table.selected();
        let name = at.and_then(|at| Some(self.shown.as_ref()?.sets.get(at)?.name.clone()));
        if name != self.set {
            (self.set, self.row, self.stale) = (name, None, true);
            self.row_table.select(0);
            (self.scroll, self.branch) = (0, 0);
            self.visible.clear();
        }
    }

    fn choose_row(&mut self) {
        let id = self.chosen().map(|(_, row)| row.id.clone());
        if id != self.row {
            self.row = id;
            (self.scroll, self.branch) = (0, 0);
        }
    }

    fn scroll_detail(&mut self, by: isize) {
        match self.side {
            Side::Text => self.scroll = self.scroll.saturating_add_signed(by).min(self.places.most_scroll),
            Side::Lineage => {
                let last = self.lineage.value().map_or(0, |(_, tree)| tree.len().saturating_sub(1));
                self.branch = self.branch.saturating_add_signed(by).min(last);
            }
        }
    }

    /// Shows where a branch is decided on; from the text, the way back.
    fn follow_branch(&mut self, cx: &mut Cx<'_>) {
        match self.side {
            Side::Text if self.chosen().is_some_and(|(_, row)| !matches!(row.kind, Kind::Text(_))) => {
                self.open_question(cx);
            }
            Side::Text => self.side = Side::Lineage,
            Side::Lineage => {
                let branch = self.lineage.value().filter(|(place, _)| self.is_here(place));
                let target = branch.and_then(|(_, tree)| tree.get(self.branch)).and_then(|b| b.target.clone());
                if let Some((pane, target)) = target {
                    cx.wish(Wish::Goto(pane, Some(target)));
                }
            }
        }
    }

    pub(super) fn pointed(&mut self, event: MouseEvent, cx: &mut Cx<'_>) {
        let at = Position { x: event.column, y: event.row };
        if self.places.detail.contains(at) {
            match event.kind {
                MouseEventKind::ScrollDown => self.scroll_detail(3),
                MouseEventKind::ScrollUp => self.scroll_detail(-3),
                MouseEventKind::Down(_) => {
                    self.part = Part::Detail;
                    let branch = self.places.branch(at).filter(|_| self.side == Side::Lineage);
                    let last = self.lineage.value().map_or(0, |(_, tree)| tree.len());
                    if let Some(branch) = branch.filter(|branch| *branch < last) {
                        let again = std::mem::replace(&mut self.branch, branch) == branch;
                        if again {
                            self.follow_branch(cx);
                        }
                    }
                }
                _ => {}
            }
            return;
        }
        if let Hit::Row { again, .. } = self.set_table.mouse(event) {
            self.part = if again { Part::Rows } else { Part::Sets };
            return self.choose_set();
        }
        match self.row_table.mouse(event) {
            Hit::Row { again, .. } => {
                self.part = if again { Part::Detail } else { Part::Rows };
                self.choose_row();
            }
            Hit::Head(column) => (self.order, self.stale) = (super::view::order_of(column), true),
            Hit::Miss | Hit::Scrolled => {}
        }
    }
}
