//! What is trained on: the sets of every stage with their mix, their members, the exact training text with the trained
//! tokens marked, and the way back of each line.

mod acts;
mod filter;
mod mix;
mod read;
mod text;
mod tree;
mod view;

use std::sync::Arc;

use crossterm::event::MouseEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::pipeline::events::Event;
use crate::workbench::action::{Action, Bound, bind, hint};
use crate::workbench::jobs::Query;
use crate::workbench::look::Look;
use crate::workbench::pane::{Ask, Cx, Mark, Pane, PaneId, Reply, Seen, Target};
use crate::workbench::sheet::Sheet;
use crate::workbench::state::State;
use crate::workbench::widgets::page::Page;
use crate::workbench::widgets::table::Table;
use filter::{Filter, Order};
use read::{Sets, SharedRenderer};
use text::Detail;
use tree::Branch;

/// What this pane can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    /// The text, or the way back from it.
    Lineage,
    /// Only members that fit what is typed.
    Filter,
    /// Only members of one kind, then of the next.
    Kind,
    /// Another order of the members.
    Order,
    /// The chosen member's question.
    Question,
    /// Forget what was narrowed down.
    All,
}

/// Its actions.
pub const BINDINGS: &[Bound] = &[
    hint("data-sets.lineage", Action::DataSets(Do::Lineage), "text or lineage", &["v"]),
    hint("data-sets.filter", Action::DataSets(Do::Filter), "filter", &["/"]),
    hint("data-sets.kind", Action::DataSets(Do::Kind), "one kind", &["f"]),
    hint("data-sets.order", Action::DataSets(Do::Order), "order", &["o"]),
    hint("data-sets.question", Action::DataSets(Do::Question), "its question", &["i"]),
    bind("data-sets.all", Action::DataSets(Do::All), "all of them", &["a"]),
];

/// The part that moving acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Sets,
    Rows,
    Detail,
}

/// What is shown of the chosen member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    #[default]
    Text,
    Lineage,
}

/// A member of a set, by names.
type Place = (String, String);

/// The pane.
#[derive(Default)]
pub struct DataSets {
    sets: Query<Arc<Sets>>,
    shown: Option<Arc<Sets>>,
    renderer: SharedRenderer,
    part: Part,
    /// The chosen set, by its name.
    set: Option<String>,
    set_table: Table,
    /// The chosen member, by its id.
    row: Option<String>,
    row_table: Table,
    visible: Query<Vec<u32>>,
    /// Whether what is visible has to be worked out again.
    stale: bool,
    /// What was typed to narrow the members down, and what it means.
    typed: String,
    filter: Filter,
    order: Order,
    detail: Query<(Place, Arc<Detail>)>,
    lineage: Query<(Place, Vec<Branch>)>,
    /// What detail and lineage were asked for.
    asked: [Option<Place>; 2],
    /// The page of a member, and what it was made of.
    page: Option<(Arc<Detail>, bool, Page)>,
    side: Side,
    scroll: usize,
    branch: usize,
    /// What shall be shown as soon as the sets are known.
    aimed: Option<Target>,
    places: view::Places,
}

impl Pane for DataSets {
    fn id(&self) -> PaneId {
        PaneId::DataSets
    }

    fn bindings(&self) -> &'static [Bound] {
        BINDINGS
    }

    fn available(&self, action: Action, _run: &State) -> bool {
        match action {
            Action::DataSets(Do::Lineage) => {
                self.chosen().is_some_and(|(_, row)| matches!(row.kind, read::Kind::Text(_)))
            }
            Action::DataSets(Do::Filter | Do::Kind | Do::Order) => self.chosen_set().is_some(),
            Action::DataSets(Do::Question) => self.chosen().is_some_and(|(_, row)| !row.question.is_empty()),
            Action::DataSets(Do::All) => !self.filter.is_empty(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) {
        match action {
            Action::DataSets(Do::Lineage) => {
                self.side = if self.side == Side::Text { Side::Lineage } else { Side::Text };
                (self.scroll, self.branch) = (0, 0);
            }
            Action::DataSets(Do::Filter) => {
                let title = "filter: kind:local question:train-0042 words".to_string();
                cx.ask(0, Ask::Line { title, text: self.typed.clone(), live: true });
            }
            Action::DataSets(Do::Kind) => self.next_kind(),
            Action::DataSets(Do::Order) => (self.order, self.stale) = (self.order.next(), true),
            Action::DataSets(Do::Question) => self.open_question(cx),
            Action::DataSets(Do::All) => self.narrow("", cx),
            Action::Move(to) => self.go(to, cx),
            _ => {}
        }
        self.poll(cx);
    }

    fn session(&mut self, cx: &mut Cx<'_>) {
        self.give_up(cx);
        *self = Self { places: self.places, ..Self::default() };
    }

    fn show(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn give_up(&mut self, _cx: &mut Cx<'_>) {
        self.sets.cancel();
        self.visible.cancel();
        self.detail.cancel();
        self.lineage.cancel();
    }

    fn poll(&mut self, cx: &mut Cx<'_>) {
        cx.poll(&mut self.sets);
        let newer = self.sets.value().filter(|sets| self.shown.as_ref().is_none_or(|old| !Arc::ptr_eq(old, sets)));
        if let Some(sets) = newer {
            let sets = Arc::clone(sets);
            self.take_in(sets);
        }
        if self.shown.is_some()
            && let Some(target) = self.aimed.take()
        {
            self.find(&target);
        }
        if std::mem::take(&mut self.stale) {
            self.ask_visible(cx);
        }
        cx.poll(&mut self.visible);
        self.follow();
        self.ask_detail(cx);
        cx.poll(&mut self.detail);
        cx.poll(&mut self.lineage);
        self.lay_out(cx.look);
    }

    fn hear(&mut self, event: &Event, _cx: &mut Cx<'_>) {
        if let Event::Decided { .. } = event {
            // What stands behind a text may be another thing now.
            self.asked = [None, None];
        }
    }

    fn aim(&mut self, target: &Target, cx: &mut Cx<'_>) {
        if matches!(target, Target::Sample(_) | Target::Question(_) | Target::Product(_)) {
            self.aimed = Some(target.clone());
            self.poll(cx);
        }
    }

    fn reply(&mut self, _token: u32, reply: Reply, cx: &mut Cx<'_>) {
        if let Reply::Text(typed) | Reply::Typing(typed) = reply {
            self.narrow(&typed, cx);
            self.poll(cx);
        }
    }

    fn mouse(&mut self, event: MouseEvent, _area: Rect, cx: &mut Cx<'_>) {
        self.pointed(event, cx);
        self.poll(cx);
    }

    fn sheet(&self) -> Option<Sheet> {
        let sets = self.shown.as_ref()?;
        if self.part == Part::Sets { Some(view::sets_sheet(sets)) } else { self.rows_sheet() }
    }

    fn copied(&self) -> Option<(String, String)> {
        if self.part == Part::Sets {
            let sheet = view::sets_sheet(self.shown.as_ref()?);
            return Some(("the table of sets as Markdown".to_string(), sheet.written_as("sets.md").ok()?));
        }
        let (place, detail) = self.detail.value()?;
        Some((format!("the text of {}", crate::workbench::text::printable(&place.1)), detail.text()))
    }

    fn marks(&self, look: &Look) -> Vec<Mark> {
        mix::marks(look)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
        self.draw_all(area, buf, seen);
    }
}
