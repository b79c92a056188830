//! Checkpoints: folders of files beside the records, each with a manifest of SHA-256 sums.
//!
//! A checkpoint is written into a hidden folder, every file and the folder synced, then renamed: it is there whole or
//! not at all. What replaces an older one under the same id keeps that one aside until the new one is in place.
//!
//! ```text
//! checkpoints/1-sft-medium/                      a finished checkpoint: its id is the folder's name
//! checkpoints/1-grpo.partial-00000012/           state of a running stage after its 12th step
//! checkpoints/.new-… .old-…                      what a crash left; cleared up when the session is opened
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{Result, SessionError};
use super::files;
use super::layout::name_fault;
use super::written::{self, Draft};

pub(super) const MANIFEST: &str = "manifest.json";
const PARTIAL: &str = ".partial-";

/// `manifest.json` of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The checkpoint's id.
    pub id: String,
    /// Unix time in milliseconds.
    pub created: u64,
    /// What the writer wants kept with it: recipe hash, parent, data set, position in the stage.
    pub about: Value,
    /// Every file.
    pub files: Vec<FileEntry>,
}

/// One file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// File name, without folders.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// A checkpoint read back, its hashes verified.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its folder, for readers that want paths.
    pub dir: PathBuf,
    /// The files' bytes by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The checkpoints of one session. Bytes in, bytes out; what the files mean is the student's and the trainer's matter.
#[derive(Clone, Debug)]
pub struct CheckpointStore {
    session: String,
    root: PathBuf,
}

impl CheckpointStore {
    pub(crate) fn new(session: &str, root: &Path) -> Self {
        Self { session: session.to_owned(), root: root.to_path_buf() }
    }

    /// Writes a checkpoint, replacing one of the same id. When this returns, it is durable.
    ///
    /// # Errors
    /// An id or file name that is not allowed (rules of [`super::SessionName`]), or the disk's refusal.
    pub fn save(&self, id: &str, files: &[(&str, &[u8])], about: Value) -> Result<Manifest> {
        self.check_name(id)?;
        files.iter().try_for_each(|(name, _)| self.check_name(name))?;
        let mut draft = self.draft(id)?;
        for (name, bytes) in files {
            let mut file = draft.file(name)?;
            file.put(bytes)?;
            draft.keep(file)?;
        }
        draft.finish(about)
    }

    /// Begins a checkpoint whose files are too large to lie in memory whole; replaces one of the same id.
    ///
    /// # Errors
    /// As [`CheckpointStore::save`].
    pub fn draft(&self, id: &str) -> Result<Draft<'_>> {
        self.check_name(id)?;
        files::create_dir_all(&self.root)?;
        let fresh = self.root.join(format!(".new-{id}"));
        self.clear(&fresh)?;
        files::create_dir_all(&fresh)?;
        Ok(Draft::new(self, id, fresh))
    }

    /// Begins the state of a running stage after `step`; see [`CheckpointStore::draft`].
    ///
    /// # Errors
    /// As [`CheckpointStore::save`].
    pub fn draft_partial(&self, stage: &str, step: u64) -> Result<Draft<'_>> {
        self.draft(&partial(stage, step))
    }

    /// Reads a checkpoint through and verifies every hash; nothing of it is kept in memory.
    ///
    /// # Errors
    /// What is damaged.
    pub fn verify(&self, id: &str) -> Result<Manifest> {
        let manifest = self.manifest(id)?;
        manifest.files.iter().try_for_each(|entry| self.verify_entry(id, entry))?;
        Ok(manifest)
    }

    /// Reads a checkpoint and verifies every hash.
    pub fn load(&self, id: &str) -> Result<Checkpoint> {
        let manifest = self.manifest(id)?;
        let dir = self.root.join(id);
        let mut files = BTreeMap::new();
        for entry in &manifest.files {
            files.insert(entry.name.clone(), self.read_entry(id, entry)?);
        }
        Ok(Checkpoint { manifest, dir, files })
    }

    /// Reads and verifies one file of a checkpoint.
    pub fn load_file(&self, id: &str, name: &str) -> Result<Vec<u8>> {
        let manifest = self.manifest(id)?;
        let entry = manifest.files.iter().find(|f| f.name == name);
        let entry = entry.ok_or_else(|| self.fault(id, format!("has no file `{name}`")))?;
        self.read_entry(id, entry)
    }

    /// A checkpoint's manifest; the files are not read.
    pub fn manifest(&self, id: &str) -> Result<Manifest> {
        self.check_name(id)?;
        let path = self.root.join(id).join(MANIFEST);
        if !path.exists() {
            return Err(self.fault(id, "is not there; `footbridge resume` makes what is missing again".into()));
        }
        let bytes = files::read(&path)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|e| self.damaged(id, MANIFEST, &e.to_string()))?;
        match manifest.files.iter().find(|f| name_fault(&f.name).is_some()) {
            Some(bad) => Err(self.damaged(id, MANIFEST, &format!("it names the file `{}`", bad.name.escape_debug()))),
            None if manifest.id != id => Err(self.damaged(id, MANIFEST, "it belongs to another checkpoint")),
            None => Ok(manifest),
        }
    }

    /// Whether a checkpoint is there. One that is there is whole, unless the disk damaged it since.
    pub fn contains(&self, id: &str) -> bool {
        name_fault(id).is_none() && self.root.join(id).join(MANIFEST).is_file()
    }

    /// Folder of a checkpoint, whether it is there or not.
    pub fn dir(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// Ids of the finished checkpoints, sorted.
    pub fn list(&self) -> Result<Vec<String>> {
        Ok(self.folders()?.into_iter().filter(|id| !id.contains(PARTIAL) && !id.starts_with('.')).collect())
    }

    /// Ids of everything `check` verifies: finished checkpoints and partial states.
    pub(crate) fn list_all(&self) -> Result<Vec<String>> {
        Ok(self.folders()?.into_iter().filter(|id| !id.starts_with('.')).collect())
    }

    /// Deletes a checkpoint; deleting what is not there is allowed.
    pub fn remove(&self, id: &str) -> Result<()> {
        self.check_name(id)?;
        let dir = self.root.join(id);
        if !dir.exists() {
            return Ok(());
        }
        // Renamed first, so that a crash within the deletion leaves no checkpoint that lacks files.
        let aside = self.root.join(format!(".new-{id}"));
        self.clear(&aside)?;
        files::rename(&dir, &aside)?;
        files::remove_dir_all(&aside)
    }

    /// Writes the state of a running stage after `step` and keeps the newest `keep` states of that stage (at least
    /// this one).
    pub fn save_partial(
        &self,
        stage: &str,
        step: u64,
        files: &[(&str, &[u8])],
        about: Value,
        keep: usize,
    ) -> Result<Manifest> {
        let manifest = self.save(&partial(stage, step), files, about)?;
        self.keep_newest(stage, step, keep)?;
        Ok(manifest)
    }

    /// Deletes states of a running stage beside that of `step` until `keep` are left (at least that one).
    ///
    /// # Errors
    /// The disk's refusal.
    pub fn keep_newest(&self, stage: &str, step: u64, keep: usize) -> Result<()> {
        let mut older = self.partials(stage)?;
        older.retain(|(s, _)| *s != step);
        let drop = older.len().saturating_sub(keep.saturating_sub(1));
        older.iter().take(drop).try_for_each(|(_, id)| self.remove(id))
    }

    /// The newest state of a running stage that verifies: its step and its folder. Damaged newer ones are passed over;
    /// they cost the steps since, not the run.
    pub fn latest_partial(&self, stage: &str) -> Result<Option<(u64, PathBuf)>> {
        for (step, id) in self.partials(stage)?.into_iter().rev() {
            match self.verify(&id) {
                Ok(_) => return Ok(Some((step, self.root.join(id)))),
                Err(SessionError::Checkpoint { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }

    /// Deletes all states of a stage; called when the stage's checkpoint is written.
    pub fn drop_partials(&self, stage: &str) -> Result<()> {
        self.partials(stage)?.iter().try_for_each(|(_, id)| self.remove(id))
    }

    /// Clears up after a crash: half-written folders go, a checkpoint whose successor never came is put back.
    pub(crate) fn tidy(&self) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for folder in self.folders()? {
            let path = self.root.join(&folder);
            match folder.strip_prefix(".old-") {
                Some(id) if !self.root.join(id).exists() => {
                    files::rename(&path, &self.root.join(id))?;
                    notes.push(format!("checkpoint {id} was put back after an interrupted replacement"));
                }
                Some(_) => files::remove_dir_all(&path)?,
                None if folder.starts_with(".new-") => files::remove_dir_all(&path)?,
                None => {}
            }
        }
        Ok(notes)
    }

    /// Steps and ids of a stage's states, oldest first.
    fn partials(&self, stage: &str) -> Result<Vec<(u64, String)>> {
        let step_of = |id: &str| id.strip_prefix(stage)?.strip_prefix(PARTIAL)?.parse().ok();
        let mut found: Vec<(u64, String)> =
            self.folders()?.into_iter().filter_map(|id| step_of(&id).map(|step| (step, id))).collect();
        found.sort();
        Ok(found)
    }

    fn folders(&self) -> Result<Vec<String>> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.root).map_err(|e| SessionError::disk("read the folder", &self.root, e))?;
        let folders = entries.flatten().filter(|e| e.path().is_dir());
        let mut names: Vec<String> = folders.filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn put_in_place(&self, id: &str, fresh: &Path) -> Result<()> {
        let (place, old) = (self.root.join(id), self.root.join(format!(".old-{id}")));
        self.clear(&old)?;
        if place.exists() {
            files::rename(&place, &old)?;
        }
        files::rename(fresh, &place)?;
        files::sync_dir(&self.root)?;
        self.clear(&old)
    }

    fn clear(&self, dir: &Path) -> Result<()> {
        if dir.exists() { files::remove_dir_all(dir) } else { Ok(()) }
    }

    fn read_entry(&self, id: &str, entry: &FileEntry) -> Result<Vec<u8>> {
        let path = self.root.join(id).join(&entry.name);
        if !path.exists() {
            return Err(self.damaged(id, &entry.name, "it is missing"));
        }
        let bytes = files::read(&path)?;
        if bytes.len() as u64 != entry.bytes {
            let what = format!("it has {} bytes, not {}", bytes.len(), entry.bytes);
            return Err(self.damaged(id, &entry.name, &what));
        }
        if hex::encode(Sha256::digest(&bytes)) != entry.sha256 {
            return Err(self.damaged(id, &entry.name, "its SHA-256 does not match"));
        }
        Ok(bytes)
    }

    /// As [`CheckpointStore::read_entry`], a piece at a time.
    fn verify_entry(&self, id: &str, entry: &FileEntry) -> Result<()> {
        let path = self.root.join(id).join(&entry.name);
        if !path.exists() {
            return Err(self.damaged(id, &entry.name, "it is missing"));
        }
        let (bytes, sha256) = written::digest(&path)?;
        if bytes != entry.bytes {
            return Err(self.damaged(id, &entry.name, &format!("it has {bytes} bytes, not {}", entry.bytes)));
        }
        if sha256 != entry.sha256 {
            return Err(self.damaged(id, &entry.name, "its SHA-256 does not match"));
        }
        Ok(())
    }

    pub(super) fn check_name(&self, name: &str) -> Result<()> {
        let fault = if name == MANIFEST { Some("it is the manifest's own") } else { name_fault(name) };
        let what = |reason| format!("cannot be kept: `{}` is no name for it: {reason}", name.escape_debug());
        fault.map_or(Ok(()), |reason| Err(self.fault(name, what(reason))))
    }

    fn damaged(&self, id: &str, file: &str, what: &str) -> SessionError {
        let advice = format!("remove {} and resume, it will be made again", self.root.join(id).display());
        self.fault(id, format!("is damaged: `{file}`: {what}; {advice}"))
    }

    fn fault(&self, id: &str, what: String) -> SessionError {
        SessionError::Checkpoint { name: self.session.clone(), id: id.escape_debug().to_string(), what }
    }
}

/// Id of the state of a stage after `step`.
fn partial(stage: &str, step: u64) -> String {
    format!("{stage}{PARTIAL}{step:08}")
}
