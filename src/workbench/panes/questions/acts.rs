//! What keys and answers do: filter, order, the next question, why, the way to other panes.

use super::fields::{Col, Room, columns};
use super::{Do, Questions, why};
use crate::pipeline::events::Level;
use crate::workbench::action::Move;
use crate::workbench::filter::Filter;
use crate::workbench::pane::{Ask, Cx, PaneId, Reply, Target, Wish};

/// Token of the filter that is typed.
const FILTER: u32 = 0;
/// Token of the column to sort by.
const SORT: u32 = 1;
/// Token of what is only read.
pub(super) const WHY: u32 = 2;

impl Questions {
    pub(super) fn own(&mut self, action: Do, cx: &mut Cx<'_>) {
        match action {
            Do::Filter => {
                let title = "filter, such as band:hard steps>4 rho<0.1 action:localize error:\"misread\" geese";
                let text = self.wanted.filter.clone();
                cx.ask(FILTER, Ask::Line { title: title.to_string(), text, live: true });
            }
            Do::Sort => {
                let columns = self.choices();
                let at = self.wanted.by.and_then(|by| columns.iter().position(|column| *column == by));
                self.sort_by(columns.get(at.map_or(0, |at| at + 1)).copied(), cx);
            }
            Do::SortBy => self.ask_column(cx),
            Do::Reverse => {
                self.wanted.down = !self.wanted.down;
                self.choose(cx);
            }
            Do::Next | Do::Previous => {
                self.table.step(if action == Do::Next { 1 } else { -1 });
                self.moved(cx);
            }
            Do::Detail => self.hidden = !self.hidden,
            Do::Why => {
                let Some(id) = self.spoken_of().map(|row| row.id.clone()) else { return };
                cx.query(&mut self.why, move |session, cancel| why::read(session, cancel, &id));
                if self.why.waiting().is_none() {
                    self.why_came(cx);
                }
            }
            Do::Bridge | Do::Recycle => {
                let pane = if action == Do::Bridge { PaneId::Bridge } else { PaneId::Recycle };
                if let Some(id) = self.spoken_of().map(|row| row.id.clone()) {
                    cx.wish(Wish::Goto(pane, Some(Target::Question(id))));
                }
            }
        }
    }

    /// Columns to sort by.
    fn choices(&self) -> Vec<Col> {
        self.model.value().map_or(Vec::new(), |model| columns(model, Room::Wide))
    }

    fn ask_column(&mut self, cx: &mut Cx<'_>) {
        let Some(model) = self.model.value() else { return };
        let columns = self.choices();
        let at = self.wanted.by.and_then(|by| columns.iter().position(|column| *column == by));
        let mut items = vec!["as they are; best matches of free words first".to_string()];
        items.extend(columns.iter().map(|column| column.name(model)));
        cx.ask(SORT, Ask::Choose { title: "sort by".to_string(), items, at: at.map_or(0, |at| at + 1) });
    }

    pub(super) fn sort_by(&mut self, column: Option<Col>, cx: &mut Cx<'_>) {
        (self.wanted.by, self.wanted.down) = (column, false);
        self.choose(cx);
    }

    /// The answer to a question of its own.
    pub(super) fn answered(&mut self, token: u32, reply: Reply, cx: &mut Cx<'_>) {
        match (token, reply) {
            (FILTER, Reply::Typing(text)) => {
                let remark = self.fault(&text).unwrap_or_default();
                if remark.is_empty() {
                    self.set_filter(text, cx);
                }
                cx.wish(Wish::Remark(remark));
            }
            (FILTER, Reply::Text(text)) => match self.fault(&text) {
                Some(fault) => cx.say(Level::Warn, format!("the filter stays as it was: {fault}")),
                None => self.set_filter(text, cx),
            },
            (SORT, Reply::Chosen(0)) => self.sort_by(None, cx),
            (SORT, Reply::Chosen(at)) => {
                let column = self.choices().get(at - 1).copied();
                self.sort_by(column, cx);
            }
            _ => {}
        }
    }

    /// What is wrong with a filter.
    fn fault(&self, text: &str) -> Option<String> {
        let model = self.model.value()?;
        Filter::parse(text, &**model).err().map(|fault| fault.to_string())
    }

    pub(super) fn set_filter(&mut self, text: String, cx: &mut Cx<'_>) {
        if self.wanted.filter != text {
            self.wanted.filter = text;
            self.choose(cx);
        }
    }

    pub(super) fn move_open(&mut self, to: Move) {
        let stages = self.detail.value().map_or(0, |detail| detail.samplings.len());
        let Some(open) = &mut self.open else { return };
        let page = usize::from(open.height).saturating_sub(2).max(1);
        match to {
            Move::Down => open.scroll += 1,
            Move::Up => open.scroll = open.scroll.saturating_sub(1),
            Move::PageDown => open.scroll += page,
            Move::PageUp => open.scroll = open.scroll.saturating_sub(page),
            Move::Top => open.scroll = 0,
            // The page brings it back to its last line.
            Move::Bottom => open.scroll = usize::MAX / 2,
            Move::Left => (open.stage, open.scroll) = (open.stage.min(stages).saturating_sub(1), 0),
            Move::Right => (open.stage, open.scroll) = ((open.stage + 1).min(stages.saturating_sub(1)), 0),
            Move::Enter | Move::Back => self.open = None,
        }
    }
}
