//! What questions can be filtered and sorted by: one table of columns for the screen, for sorting and for saving.

use serde_json::{Value, json};

use super::rows::{Flag, Model, Row, band_name};
use crate::domain::{Action, Band};
use crate::workbench::filter::{Field, Fields};
use crate::workbench::widgets::table::{number, sort};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Col {
    /// The id.
    Id,
    /// The band.
    Band,
    /// Right answers when the difficulty was measured.
    Right,
    /// ρ in a sampling stage, by its index.
    Rho(usize),
    /// Steps of the trace.
    Steps,
    /// What the bridge did with them.
    Actions,
    /// Kinds of error.
    Recycled,
    /// What is to be known at a glance.
    Flags,
    /// The text.
    Question,
}

/// How much room there is for columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Little: the text comes before what the bridge did.
    Narrow,
    /// For most: the text comes before what failed.
    Short,
    /// For all.
    Wide,
}

/// The columns of these questions, in order.
pub fn columns(model: &Model, room: Room) -> Vec<Col> {
    let rhos = model.measured.iter().map(|stage| Col::Rho(*stage));
    let behind: &[Col] = match room {
        Room::Narrow => &[Col::Steps, Col::Flags, Col::Question, Col::Actions, Col::Recycled],
        Room::Short => &[Col::Steps, Col::Actions, Col::Flags, Col::Question, Col::Recycled],
        Room::Wide => &[Col::Steps, Col::Actions, Col::Recycled, Col::Flags, Col::Question],
    };
    [Col::Id, Col::Band, Col::Right].into_iter().chain(rhos).chain(behind.iter().copied()).collect()
}

impl Col {
    /// What stands above it.
    pub fn name(self, model: &Model) -> String {
        match self {
            Col::Id => "id".to_string(),
            Col::Band => "band".to_string(),
            Col::Right => "k/n".to_string(),
            Col::Rho(stage) => model.stages.get(stage).map_or(String::new(), |stage| stage.name.clone()),
            Col::Steps => "steps".to_string(),
            Col::Actions => "actions".to_string(),
            Col::Recycled => "recycled".to_string(),
            Col::Flags => "flags".to_string(),
            Col::Question => "question".to_string(),
        }
    }

    /// Puts questions into the order of this column.
    pub fn sort(self, model: &Model, order: &mut [u32], down: bool) {
        let row = |at: u32| &model.rows[at as usize];
        match self {
            Col::Id => sort(order, down, Some),
            Col::Band => sort(order, down, |at| row(at).band.map(|band| band as u8)),
            Col::Right => sort(order, down, |at| row(at).counts.first().copied().flatten().map(|count| count.k)),
            Col::Rho(stage) => sort(order, down, |at| {
                let count = row(at).counts.get(stage).copied().flatten();
                count.and_then(|count| number(count.rho()))
            }),
            Col::Steps => sort(order, down, |at| row(at).steps),
            // Those with much to do first: localized, expanded, dropped, compressed, kept.
            Col::Actions => sort(order, down, |at| {
                let [keep, compress, expand, drop, localize] = row(at).actions;
                let done = [localize, expand, drop, compress, keep];
                (done.iter().sum::<u32>() > 0).then_some(done)
            }),
            Col::Recycled => sort(order, down, |at| row(at).errors.last().map(|error| error.to_lowercase())),
            Col::Flags => sort(order, down, |at| (!row(at).flags.is_empty()).then(|| row(at).flags.clone())),
            Col::Question => sort(order, down, |at| Some(row(at).text.as_str())),
        }
    }

    /// The names of what it is saved as, and the values of a row.
    pub fn saved(self, model: &Model, row: &Row) -> Vec<(String, Value)> {
        let name = self.name(model);
        match self {
            Col::Id => vec![(name, json!(row.id))],
            Col::Band => vec![(name, json!(row.band.map(band_name)))],
            Col::Right => {
                let count = row.counts.first().copied().flatten();
                vec![("k".to_string(), json!(count.map(|c| c.k))), ("n".to_string(), json!(count.map(|c| c.n)))]
            }
            Col::Rho(stage) => {
                let count = row.counts.get(stage).copied().flatten();
                vec![(format!("rho {name}"), json!(count.map(|count| count.rho())))]
            }
            Col::Steps => vec![(name, json!(row.steps))],
            Col::Actions => {
                let bridged = row.actions.iter().sum::<u32>() > 0;
                let cells = Action::ALL.iter().zip(row.actions);
                cells.map(|(action, n)| (action.as_str().to_string(), json!(bridged.then_some(n)))).collect()
            }
            Col::Recycled => vec![(name, json!(row.errors.join("; ")))],
            Col::Flags => {
                let flags: Vec<_> = row.flags.iter().map(|flag| flag.name()).collect();
                vec![(name, json!(flags.join(" ")))]
            }
            Col::Question => vec![(name, json!(row.text)), ("gold".to_string(), json!(row.gold))],
        }
    }
}

/// Fields before those of the stages.
const KNOWN: usize = 14;

/// What questions can be filtered by; the stages' names stand for ρ there.
pub fn fields(model: &Model) -> Vec<Field> {
    let mut fields = vec![
        Field::text("id"),
        Field::words("band", Band::ALL.map(band_name)),
        Field::number("k"),
        Field::number("n"),
        Field::number("rho"),
        Field::number("steps"),
        Field::words("action", Action::ALL.map(Action::as_str)),
        Field::text("error"),
        Field::words("flag", Flag::ALL.map(Flag::name)),
    ];
    fields.extend(Action::ALL.map(|action| Field::number(action.as_str())));
    let stages = model.stages.iter().map(|stage| Field::number(stage.name.to_lowercase()));
    fields.extend(stages);
    fields.push(Field::text("gold"));
    fields
}

impl Fields for Model {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn number(&self, row: usize, field: usize) -> Option<f64> {
        let row = &self.rows[row];
        let count = |stage: usize| row.counts.get(stage).copied().flatten();
        match field {
            2 => count(0).map(|count| f64::from(count.k)),
            3 => count(0).map(|count| f64::from(count.n)),
            4 => count(0).map(|count| count.rho()),
            5 => row.steps.map(f64::from),
            at @ 9..KNOWN => (row.actions.iter().sum::<u32>() > 0).then(|| f64::from(row.actions[at - 9])),
            at => count(at.checked_sub(KNOWN)?).map(|count| count.rho()),
        }
    }

    fn any(&self, row: usize, field: usize, fits: &mut dyn FnMut(&str) -> bool) -> bool {
        let row = &self.rows[row];
        match field {
            0 => fits(&row.id),
            1 => row.band.is_some_and(|band| fits(band_name(band))),
            6 => Action::ALL.iter().zip(row.actions).any(|(action, n)| n > 0 && fits(action.as_str())),
            7 => row.errors.iter().any(|error| fits(error)),
            8 => row.flags.iter().any(|flag| fits(flag.name())),
            _ => fits(&row.gold),
        }
    }

    fn text(&self, row: usize) -> &str {
        &self.rows[row].text
    }
}
