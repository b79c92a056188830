//! The training texts of a session as JSON lines, in the chat form that other trainers read.

use serde::Serialize;

use crate::domain::{Message, SampleKind};
use crate::session::records::Prepared;
use crate::session::{Session, SessionError};

/// One line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    id: &'a str,
    stage: &'a str,
    kind: SampleKind,
    question: &'a str,
    messages: &'a [Message],
    trained_tokens: u32,
    lineage: &'a [String],
}

/// Hands every training text of the stages whose name begins with `stage` to `each`, as one line of JSON, in the order they
/// were prepared; returns how many there were. `each` says whether to go on.
///
/// # Errors
/// When the session can't be read.
pub fn dataset(session: &Session, stage: &str, mut each: impl FnMut(String) -> bool) -> Result<u64, SessionError> {
    let mut count = 0;
    for entry in session.scan::<Prepared>(stage) {
        let (key, Prepared { sample, tokens, .. }) = entry?;
        let stage = key.rsplit_once('/').map_or("", |(stage, _)| stage);
        let line = Line {
            id: &sample.id,
            stage,
            kind: sample.kind,
            question: &sample.question,
            messages: &sample.messages,
            trained_tokens: tokens,
            lineage: &sample.lineage,
        };
        // Plain strings, numbers and lists always serialise.
        let Ok(line) = serde_json::to_string(&line) else { continue };
        count += 1;
        if !each(line) {
            break;
        }
    }
    Ok(count)
}
