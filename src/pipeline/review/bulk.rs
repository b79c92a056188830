//! Approving and rejecting: one product, those that are shown, or all of a kind. Many at once are one decision; of many,
//! what fails its check stays as it is and is named, so that one does not hold up the others.

use super::act::Which;
use super::check::check;
use super::desk::Desk;
use super::error::ReviewError;
use super::history::Changes;
use super::list::list;
use super::product::{Kind, Product, ProductId};
use crate::session::records::Status;

/// Failed products that a note names, with what is wrong.
const NAMED: usize = 8;

pub(super) fn approve(desk: &Desk<'_>, what: &Which) -> Result<Changes, ReviewError> {
    let mut changes = Changes::default();
    let alone = matches!(what, Which::Ids(ids) if ids.len() == 1);
    let mut failed = Vec::new();
    for (id, mut product) in chosen(desk, what)? {
        if product.status().may_train() {
            continue;
        }
        match check(desk, &id, &product) {
            Ok(()) => {}
            Err(error @ ReviewError::Check { .. }) if !alone => {
                failed.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        }
        product.stand(Status::Approved);
        settle(desk, &mut product)?;
        changes.put(id, product);
    }
    changes.notes.extend((!failed.is_empty()).then(|| told(&failed)));
    if changes.is_empty() {
        let why = changes.notes.pop().unwrap_or_else(|| "nothing of it waits for approval".into());
        return Err(ReviewError::Nothing(why));
    }
    changes.line = format!("approved {}", changes.named());
    Ok(changes)
}

/// Which failed their checks, and why.
fn told(failed: &[String]) -> String {
    let (verb, rest) = if failed.len() == 1 {
        ("fails its check and stays as it is", 0)
    } else {
        ("fail their checks and stay as they are", failed.len().saturating_sub(NAMED))
    };
    let named = failed.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{} {verb}: {named}{more}", failed.len())
}

pub(super) fn reject(desk: &Desk<'_>, what: &Which, reason: Option<&str>) -> Result<Changes, ReviewError> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).ok_or(ReviewError::NoReason)?;
    let mut changes = Changes::default();
    let mut barred = Vec::new();
    for (id, mut product) in chosen(desk, what)? {
        if matches!(product.status(), Status::Rejected { reason: old } if old == reason) {
            continue;
        }
        product.stand(Status::Rejected { reason: reason.into() });
        if matches!(id.kind, Kind::Trace | Kind::Scores) {
            barred.push(id.clone());
        }
        changes.put(id, product);
    }
    changes.line = format!("rejected {}", changes.named());
    for id in barred {
        bar(desk, &id, &mut changes)?;
    }
    if changes.is_empty() {
        return Err(ReviewError::Nothing("all of it is rejected for that reason already".into()));
    }
    Ok(changes)
}

/// What was built on a rejected product is not trained on either until somebody has looked at it.
fn bar(desk: &Desk<'_>, id: &ProductId, changes: &mut Changes) -> Result<(), ReviewError> {
    let bridge = ProductId::new(Kind::Bridge, id.key.clone());
    if changes.holds(&bridge) {
        return Ok(());
    }
    let Some(mut product) = Product::read(desk.session, &bridge)? else { return Ok(()) };
    if !matches!(product.status(), Status::Rejected { .. }) {
        let what = if id.kind == Kind::Trace { "its trace was rejected" } else { "its scores were rejected" };
        product.stand(Status::Review { reason: what.into() });
        changes.notes.push(format!("{bridge} goes to review: {what}"));
        changes.put(bridge, product);
    }
    Ok(())
}

/// A diagnosis that was held back before its excerpt was found gets its place now.
fn settle(desk: &Desk<'_>, product: &mut Product) -> Result<(), ReviewError> {
    if let Product::Recycled(recycled) = product
        && let (None, Some(diagnosis)) = (recycled.excerpt, recycled.diagnosis.clone())
    {
        let question = desk.question(&recycled.question)?;
        super::diagnosis::place(desk, recycled, &diagnosis, &question)?;
    }
    Ok(())
}

/// The products that are meant.
fn chosen(desk: &Desk<'_>, what: &Which) -> Result<Vec<(ProductId, Product)>, ReviewError> {
    match what {
        Which::Ids(ids) => {
            let mut ids = ids.clone();
            ids.sort();
            ids.dedup();
            ids.into_iter().map(|id| desk.product(&id).map(|product| (id, product))).collect()
        }
        Which::All(filter) => {
            let mut found = list(desk.session, filter)?;
            if filter.status.is_none() {
                found.retain(|(_, product)| *product.status() == Status::Proposed);
            }
            Ok(found)
        }
    }
}
