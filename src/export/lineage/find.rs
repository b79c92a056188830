//! An id to its training text.

use crate::session::records::Prepared;
use crate::session::{Result, Session};

/// How many ids are offered in place of one that is not there.
const OFFERED: usize = 5;

/// The text of an id, or of a record's key, with its key.
pub(super) fn find(session: &Session, id: &str) -> Result<Option<(String, Prepared)>> {
    if let Some(text) = session.get::<Prepared>(id)? {
        return Ok(Some((id.to_owned(), text)));
    }
    for item in session.scan::<Prepared>("") {
        let (key, text) = item?;
        if text.sample.id == id {
            return Ok(Some((key, text)));
        }
    }
    Ok(None)
}

/// The ids of training texts that are nearest to one that is not there: those of the question it names first, then by
/// the number of letters that differ.
///
/// # Errors
/// When the session cannot be read.
pub fn nearest(session: &Session, id: &str) -> Result<Vec<String>> {
    let mut near: Vec<(bool, usize, String)> = Vec::new();
    for item in session.scan::<Prepared>("") {
        let (_, text) = item?;
        let other = text.sample.id;
        let contains = !id.is_empty() && other.contains(id);
        near.push((!contains, strsim::damerau_levenshtein(id, &other), other));
        if near.len() >= 64 * OFFERED {
            keep_best(&mut near);
        }
    }
    keep_best(&mut near);
    Ok(near.into_iter().map(|(_, _, id)| id).collect())
}

fn keep_best(near: &mut Vec<(bool, usize, String)>) {
    near.sort();
    near.truncate(OFFERED);
}
