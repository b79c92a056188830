//! Checkpoints of a run: complete ones are Hugging Face folders (PEFT folders where adapters are trained), partial ones are the state of a running stage.

use std::fs::File;

use serde_json::json;

use super::context::{Context, StageError};
use super::plan::BASE;
use crate::recipe::AdamWRecipe;
use crate::session::records::CheckpointInfo;
use crate::session::{Author, Batch, Session, SessionError};
use crate::student::lora::ADAPTER_WEIGHTS;

/// Files of the weights in a checkpoint's folder: all of them, or an adapter's.
const WEIGHTS: [&str; 2] = ["model.safetensors", ADAPTER_WEIGHTS];
/// File of a partial state: weights, moments and update count.
const STATE: &str = "state.safetensors";

/// The weights of a checkpoint; `None` for the base, which the engine has.
pub fn weights(session: &Session, id: &str) -> Result<Option<Vec<u8>>, SessionError> {
    if id == BASE {
        return Ok(None);
    }
    let manifest = session.checkpoints().manifest(id)?;
    let name = manifest.files.iter().map(|f| f.name.as_str()).find(|name| WEIGHTS.contains(name));
    session.checkpoints().load_file(id, name.unwrap_or(WEIGHTS[0])).map(Some)
}

/// Saves the state of the running stage after `at` updates and lets go of the one before.
pub fn save_partial(cx: &Context, at: usize) -> Result<(), StageError> {
    let (store, stage) = (cx.session.checkpoints(), cx.stage.key());
    let mut draft = store.draft_partial(&stage, at as u64)?;
    draft.keep(cx.engine.write_state(draft.file(STATE)?)?)?;
    draft.finish(json!({ "stage": stage, "updates": at }))?;
    Ok(store.keep_newest(&stage, at as u64, 1)?)
}

/// Stops a training stage after `at` updates, with its state saved, so that nothing of it is repeated.
pub fn save_and_stop(cx: &Context, at: usize) -> StageError {
    let saved = if at > 0 { save_partial(cx, at) } else { Ok(()) };
    saved.err().unwrap_or(StageError::Cancelled)
}

/// Opens the training run of this stage: from its last saved state, or from `parent` with fresh moments. Returns the
/// number of updates already in the weights.
pub fn restore(cx: &Context, parent: &str, adamw: AdamWRecipe) -> Result<usize, StageError> {
    cx.engine.use_checkpoint(cx.session, parent)?;
    continue_from_state(cx, adamw)
}

fn continue_from_state(cx: &Context, adamw: AdamWRecipe) -> Result<usize, StageError> {
    let Some((at, folder)) = cx.session.checkpoints().latest_partial(&cx.stage.key())? else {
        cx.engine.begin(adamw, None)?;
        return Ok(0);
    };
    let path = folder.join(STATE);
    let file = File::open(&path).map_err(|error| SessionError::disk("read", &path, error))?;
    cx.engine.begin(adamw, Some(file))?;
    Ok(at as usize)
}

/// [`restore`], with `parent` frozen as the reference policy.
pub fn restore_with_reference(cx: &Context, parent: &str, adamw: AdamWRecipe) -> Result<usize, StageError> {
    cx.engine.use_checkpoint(cx.session, parent)?;
    cx.engine.freeze_reference()?;
    continue_from_state(cx, adamw)
}

/// Whether this stage's weights are kept already: a kill came between them and the stage's end, and nothing of it is
/// trained again.
pub fn is_finished(cx: &Context) -> Result<bool, StageError> {
    let (id, store) = (cx.stage.key(), cx.session.checkpoints());
    let kept = cx.session.contains::<CheckpointInfo>(&id)? && store.manifest(&id).is_ok();
    if kept {
        store.drop_partials(&id)?;
    }
    Ok(kept)
}

/// Closes the training run and keeps its weights under the stage's key.
pub fn finish(cx: &Context, parent: &str, data: &str) -> Result<(), StageError> {
    let id = cx.stage.key();
    cx.engine.end(&id)?;
    let files = cx.engine.files()?;
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let recipe = cx.recipe.hash();
    let about = json!({ "parent": parent, "recipe": recipe, "data": data });
    let manifest = cx.session.checkpoints().save(&id, &files, about)?;
    let weights = manifest
        .files
        .iter()
        .find(|f| WEIGHTS.contains(&f.name.as_str()))
        .map(|f| f.sha256.clone())
        .unwrap_or_default();
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&id, &CheckpointInfo { parent: parent.into(), recipe, data: data.into(), weights });
    cx.session.write(batch)?;
    cx.session.checkpoints().drop_partials(&id)?;
    Ok(())
}
