//! Which questions are shown, and in which order: computed behind the screen whenever filter, order or records change.

use std::sync::Arc;

use super::fields::Col;
use super::rows::{Model, Row};
use crate::workbench::filter::Filter;
use crate::workbench::jobs::Cancel;
use crate::workbench::widgets::table::sort;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The filter, as typed.
    pub filter: String,
    /// The column that orders them; without one they stand as they are, or the best matches of free words first.
    pub by: Option<Col>,
    /// Greatest first.
    pub down: bool,
}

/// The questions that are shown.
#[derive(Debug, Default)]
pub struct View {
    /// All questions.
    pub model: Arc<Model>,
    /// Those that are shown, by their indices.
    pub order: Vec<u32>,
}

impl View {
    /// Chooses and orders. A filter that says nothing of these questions chooses all.
    ///
    /// # Errors
    /// When it was cancelled.
    pub fn of(model: Arc<Model>, wanted: &Wanted, cancel: &Cancel) -> Result<Self, String> {
        let filter = Filter::parse(&wanted.filter, &*model).unwrap_or_default();
        let chosen = filter.choose(&*model, &|| !cancel.cancelled());
        cancel.check()?;
        let mut order = chosen.rows;
        match wanted.by {
            Some(column) => column.sort(&model, &mut order, wanted.down),
            None if !chosen.nearness.is_empty() => {
                let mut nearness = vec![0; model.rows.len()];
                order.iter().zip(&chosen.nearness).for_each(|(row, near)| nearness[*row as usize] = *near);
                sort(&mut order, true, |row| nearness.get(row as usize).copied());
            }
            None if wanted.down => order.reverse(),
            None => {}
        }
        Ok(Self { model, order })
    }

    /// A shown question by its place.
    pub fn row(&self, place: usize) -> Option<&Row> {
        self.order.get(place).and_then(|at| self.model.rows.get(*at as usize))
    }

    /// The place of a question, where it is shown.
    pub fn place(&self, id: &str) -> Option<usize> {
        let at = u32::try_from(self.model.find(id)?).ok()?;
        self.order.iter().position(|row| *row == at)
    }
}
