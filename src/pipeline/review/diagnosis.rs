//! A researcher's changes of a diagnosis.

use std::collections::BTreeMap;

use super::check::diagnosed;
use super::desk::Desk;
use super::error::ReviewError;
use super::history::Changes;
use super::product::{Kind, Product, ProductId};
use crate::domain::{Diagnosis, Question, prefix_before};
use crate::session::Value;
use crate::session::records::{Recycled, Status};

/// The seven fields, in their order.
pub const FIELDS: [&str; 7] = [
    "first_error",
    "error_type",
    "why_wrong",
    "missing_knowledge",
    "minimal_fix",
    "correct_next_step",
    "short_correct_reasoning",
];

pub(super) fn edit(desk: &Desk<'_>, id: &ProductId, fields: &BTreeMap<String, String>) -> Result<Changes, ReviewError> {
    let mut recycled = recycled(desk, id)?;
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let text = format!("`{unknown}` is no field of a diagnosis; they are {}", FIELDS.join(", "));
        return Err(ReviewError::Unfit(text));
    }
    let mut all: BTreeMap<String, Value> = match recycled.diagnosis.as_ref().and_then(|d| serde_json::to_value(d).ok())
    {
        Some(Value::Object(known)) => known.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    all.extend(fields.iter().map(|(name, text)| (name.clone(), Value::from(text.trim()))));
    let missing: Vec<&str> = FIELDS.into_iter().filter(|name| !all.contains_key(*name)).collect();
    if !missing.is_empty() {
        let text =
            format!("there is no diagnosis yet, so all seven fields are needed; missing: {}", missing.join(", "));
        return Err(ReviewError::Unfit(text));
    }
    let diagnosis: Diagnosis = serde_json::from_value(Value::from_iter(all))
        .map_err(|error| ReviewError::Unfit(format!("the diagnosis does not read: {error}")))?;
    place(desk, &mut recycled, &diagnosis, &desk.question(id.question())?)?;
    recycled.diagnosis = Some(diagnosis);
    recycled.status = Status::Edited;
    let names: Vec<&str> = fields.keys().map(String::as_str).collect();
    let line = format!("wrote {} of {id}", names.join(", "));
    Ok(Changes::one(line, id.clone(), Product::Recycled(recycled)))
}

/// The failure under this name.
pub(super) fn recycled(desk: &Desk<'_>, id: &ProductId) -> Result<Recycled, ReviewError> {
    match desk.product(id)? {
        Product::Recycled(recycled) => Ok(recycled),
        _ => Err(ReviewError::Unfit(format!(
            "{id} has no diagnosis; recycled failures do ({}/ITERATION/QUESTION)",
            Kind::Recycled.table()
        ))),
    }
}

/// Checks a diagnosis, and fixes where its first error lies and what stands before it.
pub(super) fn place(
    desk: &Desk<'_>,
    recycled: &mut Recycled,
    diagnosis: &Diagnosis,
    question: &Question,
) -> Result<(), ReviewError> {
    let excerpt = diagnosed(desk, recycled, diagnosis, question).map_err(ReviewError::Unfit)?;
    recycled.prefix = prefix_before(&recycled.response, &excerpt).to_string();
    recycled.excerpt = Some(excerpt);
    Ok(())
}
