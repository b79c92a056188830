//! Where the questions of a run come from: a score is worth nothing without its N and its file (reading.md, rows 3 to 5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gather::Result;
use crate::session::Session;
use crate::session::records::Sourced;

/// A set of questions from a file, with what it was measured with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File, hash, counts and verifier.
    #[serde(flatten)]
    pub of: Sourced,
    /// Hash of the prompt its questions are asked with; empty before the first answer.
    pub prompt: String,
}

/// The sources of a session, in the order of the recipe; empty for the generated world. `prompts` is the hash of each
/// split's prompt.
pub(super) fn sources(session: &Session, prompts: &BTreeMap<String, String>) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in session.scan::<Sourced>("") {
        let (split, of) = entry?;
        sources.push(Source { prompt: prompts.get(&split).cloned().unwrap_or_default(), of });
    }
    sources.sort_by_key(|source| source.of.place);
    Ok(sources)
}
