//! How the body of the screen is shared out among panes: a tree of splits.

use ratatui::layout::Rect;

use crate::workbench::pane::PaneId;

/// Fewest columns and rows that a split leaves to either side.
const LEAST: (u16, u16) = (20, 4);
/// Most tiles at once: every pane is there once.
const MOST: usize = PaneId::ALL.len();

/// A pane, or two parts side by side or one above the other.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Leaf(PaneId),
    Split { across: bool, percent: u16, parts: Box<[Tree; 2]> },
}

/// Which panes are in sight, where, and which of them the keys go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiles {
    tree: Tree,
    focus: PaneId,
    zoomed: bool,
}

impl Tiles {
    /// One pane.
    pub fn new(pane: PaneId) -> Self {
        Self { tree: Tree::Leaf(pane), focus: pane, zoomed: false }
    }

    /// The pane that keys go to.
    pub fn focus(&self) -> PaneId {
        self.focus
    }

    /// Whether only the focused tile is drawn although there are others.
    pub fn zoomed(&self) -> bool {
        self.zoomed && self.panes().len() > 1
    }

    /// The panes, from left to right and top to bottom.
    pub fn panes(&self) -> Vec<PaneId> {
        let mut panes = Vec::new();
        self.tree.leaves(&mut panes);
        panes
    }

    /// Whether a pane is drawn.
    pub fn in_sight(&self, pane: PaneId) -> bool {
        if self.zoomed { pane == self.focus } else { self.panes().contains(&pane) }
    }

    /// Where each pane in sight is drawn.
    pub fn areas(&self, area: Rect) -> Vec<(PaneId, Rect)> {
        if self.zoomed {
            return vec![(self.focus, area)];
        }
        let mut areas = Vec::new();
        self.tree.areas(area, &mut areas);
        // Where there is no room for all, the focused pane has it.
        if areas.iter().any(|(_, area)| area.width < LEAST.0 || area.height < LEAST.1) {
            return vec![(self.focus, area)];
        }
        areas
    }

    /// The focused tile shows this pane; if another tile does already, that one is focused.
    pub fn show(&mut self, pane: PaneId) {
        if !self.panes().contains(&pane) {
            self.tree.replace(self.focus, &Tree::Leaf(pane));
        }
        self.focus = pane;
    }

    /// Focuses the tile that is `by` further; false where there is only one.
    pub fn step(&mut self, by: isize) -> bool {
        let panes = self.panes();
        let at = panes.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        self.focus = panes[(at as isize + by).rem_euclid(panes.len() as isize) as usize];
        panes.len() > 1
    }

    /// Focuses a pane that is in sight.
    pub fn focus_on(&mut self, pane: PaneId) {
        if self.panes().contains(&pane) {
            self.focus = pane;
        }
    }

    /// Splits the focused tile; the new one shows `pane`, which must not be in sight, and is focused. False where
    /// there is nothing left to show.
    pub fn split(&mut self, across: bool, pane: PaneId) -> bool {
        let panes = self.panes();
        if panes.len() >= MOST || panes.contains(&pane) {
            return false;
        }
        let parts = Box::new([Tree::Leaf(self.focus), Tree::Leaf(pane)]);
        self.tree.replace(self.focus, &Tree::Split { across, percent: 50, parts });
        (self.focus, self.zoomed) = (pane, false);
        true
    }

    /// Closes the focused tile; false for the last one.
    pub fn close(&mut self) -> bool {
        let panes = self.panes();
        if panes.len() == 1 {
            return false;
        }
        let at = panes.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        self.tree.remove(self.focus);
        (self.focus, self.zoomed) = (panes[if at == 0 { 1 } else { at - 1 }], false);
        true
    }

    /// Draws only the focused tile, or all again.
    pub fn zoom(&mut self) {
        self.zoomed = !self.zoomed && self.panes().len() > 1;
    }

    /// Gives the focused tile so many percent more of its split.
    pub fn widen(&mut self, by: i16) {
        self.tree.widen(self.focus, by);
    }
}

impl Tree {
    fn leaves(&self, panes: &mut Vec<PaneId>) {
        match self {
            Tree::Leaf(pane) => panes.push(*pane),
            Tree::Split { parts, .. } => parts.iter().for_each(|part| part.leaves(panes)),
        }
    }

    fn holds(&self, pane: PaneId) -> bool {
        match self {
            Tree::Leaf(here) => *here == pane,
            Tree::Split { parts, .. } => parts.iter().any(|part| part.holds(pane)),
        }
    }

    fn areas(&self, area: Rect, areas: &mut Vec<(PaneId, Rect)>) {
        match self {
            Tree::Leaf(pane) => areas.push((*pane, area)),
            Tree::Split { across, percent, parts } => {
                let share = |whole: u16| (u32::from(whole) * u32::from(*percent) / 100) as u16;
                let (first, second) = if *across {
                    let width = share(area.width);
                    // A column stays free between the two.
                    let x = (area.x + width + 1).min(area.right());
                    (Rect { width, ..area }, Rect { x, width: area.right() - x, ..area })
                } else {
                    let height = share(area.height);
                    let y = area.y + height;
                    (Rect { height, ..area }, Rect { y, height: area.height - height, ..area })
                };
                parts[0].areas(first, areas);
                parts[1].areas(second, areas);
            }
        }
    }

    fn replace(&mut self, pane: PaneId, with: &Tree) {
        match self {
            Tree::Leaf(here) if *here == pane => *self = with.clone(),
            Tree::Leaf(_) => {}
            Tree::Split { parts, .. } => {
                if let Some(part) = parts.iter_mut().find(|part| part.holds(pane)) {
                    part.replace(pane, with);
                }
            }
        }
    }

    fn remove(&mut self, pane: PaneId) {
        let Tree::Split { parts, .. } = self else { return };
        match parts.iter().position(|part| *part == Tree::Leaf(pane)) {
            Some(at) => *self = parts[1 - at].clone(),
            None => parts.iter_mut().for_each(|part| part.remove(pane)),
        }
    }

    fn widen(&mut self, pane: PaneId, by: i16) {
        let Tree::Split { percent, parts, .. } = self else { return };
        let Some(at) = parts.iter().position(|part| part.holds(pane)) else { return };
        if let Tree::Leaf(_) = parts[at] {
            let more = if at == 0 { by } else { -by };
            *percent = percent.saturating_add_signed(more).clamp(15, 85);
        } else {
            parts[at].widen(pane, by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0, y: 1, width: 101, height: 40 };

    #[test]
    fn tiles_share_the_area_without_gaps_and_overlaps() {
        let mut tiles = Tiles::new(PaneId::Run);
        assert!(tiles.split(true, PaneId::Questions) && tiles.split(false, PaneId::Bridge));
        let areas = tiles.areas(AREA);
        assert_eq!(
            areas,
            [
                (PaneId::Run, Rect { x: 0, y: 1, width: 50, height: 40 }),
                (PaneId::Questions, Rect { x: 51, y: 1, width: 50, height: 20 }),
                (PaneId::Bridge, Rect { x: 51, y: 21, width: 50, height: 20 }),
            ]
        );
        assert_eq!(tiles.focus(), PaneId::Bridge);
        assert!(!tiles.split(true, PaneId::Run), "every pane is there once");
    }

    #[test]
    fn closing_gives_the_room_back_and_the_last_tile_stays() {
        let mut tiles = Tiles::new(PaneId::Run);
        assert!(!tiles.close());
        tiles.split(true, PaneId::Questions);
        tiles.split(false, PaneId::Bridge);
        assert!(tiles.close());
        assert_eq!((tiles.focus(), tiles.panes()), (PaneId::Questions, vec![PaneId::Run, PaneId::Questions]));
        assert!(tiles.close() && !tiles.close());
        assert_eq!(tiles.areas(AREA), [(PaneId::Run, AREA)]);
    }

    #[test]
    fn zoom_and_width_act_on_the_focused_tile() {
        let mut tiles = Tiles::new(PaneId::Run);
        tiles.zoom();
        assert!(!tiles.zoomed());
        tiles.split(true, PaneId::Questions);
        tiles.widen(10);
        assert_eq!(tiles.areas(AREA)[1].1.width, 60);
        tiles.zoom();
        assert_eq!(tiles.areas(AREA), [(PaneId::Questions, AREA)]);
        assert!(!tiles.in_sight(PaneId::Run));
        tiles.zoom();
        tiles.step(1);
        assert_eq!(tiles.focus(), PaneId::Run);
        tiles.show(PaneId::Questions);
        assert_eq!((tiles.focus(), tiles.panes().len()), (PaneId::Questions, 2));
    }

    #[test]
    fn where_there_is_no_room_the_focused_pane_has_it() {
        let mut tiles = Tiles::new(PaneId::Run);
        tiles.split(true, PaneId::Questions);
        let small = Rect { width: 30, ..AREA };
        assert_eq!(tiles.areas(small), [(PaneId::Questions, small)]);
    }
}
