//! Stand-in, to be replaced.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::workbench::action::{Action, Bound};
use crate::workbench::pane::{Cx, Pane, PaneId, Seen};

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {}

/// Its actions.
pub const BINDINGS: &[Bound] = &[];

/// The pane.
#[derive(Default)]
pub struct Prompts {}

impl Pane for Prompts {
    fn id(&self) -> PaneId {
        PaneId::Prompts
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn act(&mut self, _action: Action, _cx: &mut Cx<'_>) {}

    fn session(&mut self, _cx: &mut Cx<'_>) {}

    fn draw(&mut self, _area: Rect, _buf: &mut Buffer, _seen: &Seen<'_>) {}
}
