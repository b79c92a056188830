//! Checkpoints of a run: complete ones are Hugging Face folders, partial ones are the state of a running stage.

use super::context::{Context, StageError};
use super::plan::BASE;
use crate::recipe::AdamWRecipe;
use crate::session::records::CheckpointInfo;
use crate::session::{Author, Batch, Session, SessionError};

/// File of the weights in a checkpoint's folder.
pub const WEIGHTS: &str = "model.safetensors";
/// File of a partial state.
const STATE: &str = "state.safetensors";

/// The weights of a checkpoint; `None` for the base, which the engine has.
pub fn weights(session: &Session, id: &str) -> Result<Option<Vec<u8>>, SessionError> {
    if id == BASE {
        return Ok(None);
    }
    session.checkpoints().read(id, WEIGHTS).map(Some)
}

/// The saved state of a running stage.
pub struct Partial;

impl Partial {
    /// Id of the state after `at` updates.
    fn id(cx: &Context, at: usize) -> String {
        format!("{}.partial-{at:05}", cx.stage.key())
    }

    /// Saves the state after `at` updates and lets go of the one before.
    pub fn save(cx: &Context, at: usize) -> Result<(), StageError> {
        let state = cx.engine.state()?;
        let files = [(STATE.to_string(), state)];
        let store = cx.session.checkpoints();
        store.write(&Self::id(cx, at), &files)?;
        for (id, other) in Self::all(cx)? {
            if other < at {
                store.remove(&id)?;
            }
        }
        Ok(())
    }

    /// Every saved state of this stage, with its number of updates.
    fn all(cx: &Context) -> Result<Vec<(String, usize)>, StageError> {
        let prefix = format!("{}.partial-", cx.stage.key());
        let ids = cx.session.checkpoints().list()?;
        Ok(ids.into_iter().filter_map(|id| id.strip_prefix(&prefix)?.parse().ok().map(|at| (id.clone(), at))).collect())
    }

    fn clear(cx: &Context) -> Result<(), StageError> {
        for (id, _) in Self::all(cx)? {
            cx.session.checkpoints().remove(&id)?;
        }
        Ok(())
    }
}

/// Opens the training run of this stage: from its last saved state, or from `parent` with fresh moments. Returns the
/// number of updates already in the weights.
pub fn restore(cx: &Context, parent: &str, adamw: AdamWRecipe) -> Result<usize, StageError> {
    cx.engine.use_checkpoint(cx.session, parent)?;
    let last = Partial::all(cx)?.into_iter().max_by_key(|(_, at)| *at);
    match last {
        Some((id, at)) => {
            let state = cx.session.checkpoints().read(&id, STATE)?;
            cx.engine.begin(adamw, Some(state))?;
            Ok(at)
        }
        None => {
            cx.engine.begin(adamw, None)?;
            Ok(0)
        }
    }
}

/// [`restore`], with `parent` frozen as the reference policy.
pub fn restore_with_reference(cx: &Context, parent: &str, adamw: AdamWRecipe) -> Result<usize, StageError> {
    cx.engine.use_checkpoint(cx.session, parent)?;
    cx.engine.freeze_reference()?;
    restore(cx, parent, adamw)
}

/// Closes the training run and keeps its weights under the stage's key.
pub fn finish(cx: &Context, parent: &str, data: &str) -> Result<(), StageError> {
    let id = cx.stage.key();
    cx.engine.end(&id)?;
    let files = cx.engine.files()?;
    let manifest = cx.session.checkpoints().write(&id, &files)?;
    let info = CheckpointInfo {
        parent: parent.into(),
        recipe: super::recipe_hash(cx.recipe),
        data: data.into(),
        weights: manifest.sha256(WEIGHTS).unwrap_or_default().to_string(),
    };
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&id, &info);
    cx.session.write(batch)?;
    Partial::clear(cx)
}
