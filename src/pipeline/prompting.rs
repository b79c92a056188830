//! Changing what a session asks with, after its start.
//!
//! A session keeps the files it began with, and a run reads them when it begins. So a prompt is changed while the session
//! stands still: the new text is checked, written beside the old one, entered in the journal with who, when and what
//! stood there before, and put in place. Later stages ask with it and their products name its hash; what was made before
//! stays as it is and keeps naming the old one. Where there is such a product, the change must be confirmed.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::begun::{BegunError, recipe_of};
use super::review::history::author;
use super::teaching::{PROMPTS, prompts, resumed};
use crate::domain::SampleKind;
use crate::session::records::{BridgedTrace, Decided, Prepared, PromptChange, Recycled, Scores, Trace};
use crate::session::{Batch, Record, Session, SessionError};
use crate::teacher::prompts::{check, hash};
use crate::teacher::{PromptError, PromptKind};

/// Why a prompt was not changed.
#[derive(Debug, Error)]
pub enum PromptingError {
    /// The session could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The session's recipe does not read.
    #[error(transparent)]
    Begun(#[from] BegunError),
    /// The new text is no template, or a file could not be written.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// It is the text that stands there.
    #[error("the prompt `{0}` says that already")]
    Same(&'static str),
    /// Products were made with the text that stands there.
    #[error("the prompt `{name}` was used: {}; those stay as they are, and what comes after differs; confirm the change", listed(.uses))]
    Used {
        /// The prompt.
        name: &'static str,
        /// What was made with it.
        uses: Vec<Use>,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}; check that the disk has room and the folder can be written")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was made with a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What, in words: `diagnoses`.
    pub what: &'static str,
    /// How many.
    pub count: u64,
}

/// `12 traces, 30 answers`.
pub fn listed(uses: &[Use]) -> String {
    uses.iter().map(|used| format!("{} {}", used.count, used.what)).collect::<Vec<_>>().join(", ")
}

/// What the session holds that was made with this text of a prompt.
///
/// # Errors
/// When the session cannot be read; what `go_on` says, which is asked now and then.
pub fn uses<E: From<SessionError>>(
    session: &Session,
    kind: PromptKind,
    hash: &str,
    go_on: impl Fn() -> Result<(), E>,
) -> Result<Vec<Use>, E> {
    use PromptKind as K;
    let named =
        |prompts: &std::collections::BTreeMap<String, String>| prompts.get(kind.name()).is_some_and(|h| h == hash);
    let mut uses = Vec::new();
    let mut add = |what, count| uses.extend((count > 0).then_some(Use { what, count }));
    match kind {
        K::Trace => add("traces", count(session, |r: &Trace| named(&r.prompts), go_on)?),
        K::Importance | K::Jumpiness => add("scored traces", count(session, |r: &Scores| named(&r.prompts), go_on)?),
        K::Compress | K::Expand | K::Localize => {
            add("bridged traces", count(session, |r: &BridgedTrace| named(&r.prompts), go_on)?);
        }
        K::Diagnosis => add("diagnoses", count(session, |r: &Recycled| named(&r.prompts), go_on)?),
        // The text of a target names no hash: any lesson of its kind may have been made with it.
        K::DiagnosisTarget => {
            add("training texts", count(session, |r: &Prepared| r.sample.kind == SampleKind::Diagnose, go_on)?);
        }
        K::Question | K::QuestionBoxed | K::QuestionChoice => {
            let mut groups = 0;
            for (at, brief) in session.rollout_briefs("").enumerate() {
                if at % 256 == 0 {
                    go_on()?;
                }
                groups += u64::from(brief?.1.provenance.prompt == hash);
            }
            add("groups of answers", groups);
            add("training texts", count(session, |r: &Prepared| r.prompt == hash, go_on)?);
        }
        K::Local | K::Diagnose | K::Repair | K::NewTrace => {
            add("training texts", count(session, |r: &Prepared| r.prompt == hash, go_on)?);
        }
    }
    Ok(uses)
}

fn count<R: Record, E: From<SessionError>>(
    session: &Session,
    wanted: impl Fn(&R) -> bool,
    go_on: impl Fn() -> Result<(), E>,
) -> Result<u64, E> {
    let mut count = 0;
    for (at, item) in session.scan::<R>("").enumerate() {
        if at % 256 == 0 {
            go_on()?;
        }
        count += u64::from(wanted(&item?.1));
    }
    Ok(count)
}

/// Changes one prompt of a session that stands still; gives the new hash.
///
/// # Errors
/// A [`PromptingError`]; nothing is changed then.
pub fn change(
    session: &Session,
    kind: PromptKind,
    text: &str,
    (by, confirmed): (Option<&str>, bool),
) -> Result<String, PromptingError> {
    let folder = session.dir().join(PROMPTS);
    let path = folder.join(format!("{}.j2", kind.name()));
    check(kind, text, &path.display().to_string())?;
    let begun_with = prompts(&resumed(&recipe_of(session)?, session))?;
    // A folder of the recipe's counts no more once the session has one of its own, so all of it is kept.
    begun_with.write(&folder)?;
    let write = |source| PromptingError::Write { path: path.clone(), source };
    let before = fs::read_to_string(&path).map_err(write)?;
    if before == text {
        return Err(PromptingError::Same(kind.name()));
    }
    let used = uses(session, kind, &hash(&before), || Ok::<(), SessionError>(()))?;
    if !used.is_empty() && !confirmed {
        return Err(PromptingError::Used { name: kind.name(), uses: used });
    }
    let (waiting, hash) = (waiting(&path), hash(text));
    fs::write(&waiting, text).map_err(write)?;
    fs::File::open(&waiting).and_then(|file| file.sync_all()).map_err(write)?;
    let decided = Decided { by: author(by), at: super::review::history::now(), reason: None };
    let line = format!("changed the prompt {}: {} instead of {}", kind.name(), hash, self::hash(&before));
    let mut batch = Batch::new(decided.by.clone()).because(line);
    batch.put(kind.name(), &PromptChange { decided, before, text: text.to_owned(), hash: hash.clone() });
    session.write(batch)?;
    fs::rename(&waiting, &path).map_err(write)?;
    Ok(hash)
}

/// Where a new text waits until the journal has it.
fn waiting(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.new"))
}

/// Puts in place what the journal has and a kill kept from its place. What cannot be put there stays beside it, and the
/// session goes on with the text before.
pub(super) fn settle(session: &Session) {
    for kind in PromptKind::ALL {
        let path = session.dir().join(PROMPTS).join(format!("{}.j2", kind.name()));
        let waiting = waiting(&path);
        let Ok(text) = fs::read_to_string(&waiting) else { continue };
        if let Ok(Some(change)) = session.get::<PromptChange>(kind.name())
            && change.hash == hash(&text)
        {
            let _ = fs::rename(&waiting, &path);
        }
    }
}
