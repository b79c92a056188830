//! The folder of all sessions: make, open, list, rename, remove.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Result, SessionError};
use super::files;
use super::journal::writer::Writer;
use super::layout::{Layout, SessionName};
use super::lock::{self, SessionLock};
use super::meta::{self, Meta, NewSession, StateLine};
use super::view::Session;

/// What lies half-made for so long is nobody's work any more.
const LEFTOVER_MILLIS: u64 = 60_000;

/// A folder of sessions, usually `sessions`. Making the value touches no disk.
#[derive(Clone, Debug)]
pub struct Sessions {
    root: PathBuf,
}

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A process holds it: `process 123 since ...`.
    Running(String),
    /// Nobody holds it, and there is work left.
    Stopped,
    /// Every stage is complete.
    Done,
    /// Its description cannot be read; the reason.
    Unreadable(String),
}

/// One line of `sessions list`.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// The session.
    pub name: String,
    /// What it is doing.
    pub activity: Activity,
    /// How far it has come, in its own words; empty before the first stage.
    pub line: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Last change of any of its files, unix time in milliseconds.
    pub changed: u64,
}

impl Sessions {
    /// The sessions below `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a session and opens it for writing.
    ///
    /// # Errors
    /// A bad name, a name that is taken, or a disk that cannot be written.
    pub fn create(&self, name: &str, new: &NewSession<'_>) -> Result<Session> {
        let layout = Layout::new(&self.root, &SessionName::new(name)?);
        let taken = || SessionError::Exists { name: name.to_owned() };
        if layout.dir.exists() {
            return Err(taken());
        }
        files::create_dir_all(&self.root)?;
        self.clear_leftovers();
        // Made under a hidden name, then renamed: a session that is there is complete.
        let hidden = self.root.join(format!(".new-{name}-{}", std::process::id()));
        let made = furnish(&hidden, name, new).and_then(|lock| match fs::rename(&hidden, &layout.dir) {
            Ok(()) => files::sync_dir(&self.root).map(|()| lock),
            Err(_) if layout.dir.exists() => Err(taken()),
            Err(e) => Err(SessionError::disk("create the folder", &layout.dir, e)),
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&hidden); // only takes space; the error itself is told
        }
        Session::live(layout, made?)
    }

    /// Opens a session for writing; nobody else can until it is dropped.
    pub fn open(&self, name: &str) -> Result<Session> {
        let layout = self.existing(name)?;
        let lock = SessionLock::take(name, &layout.lock())?;
        Session::live(layout, lock)
    }

    /// Opens a session for looking, also while another process writes to it, also on a read-only disk. Reads the
    /// journal into memory; the store is not needed.
    pub fn open_read_only(&self, name: &str) -> Result<Session> {
        Session::reading(self.existing(name)?)
    }

    /// Whether there is a session of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.existing(name).is_ok()
    }

    /// Names of all sessions, sorted. A missing folder holds none.
    pub fn names(&self) -> Result<Vec<String>> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.root).map_err(|e| SessionError::disk("read the folder", &self.root, e))?;
        let folders = entries.flatten().filter(|e| e.path().join("meta.json").is_file());
        let names = folders.filter_map(|e| e.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|n| SessionName::new(n).is_ok()).collect();
        names.sort();
        Ok(names)
    }

    /// All sessions, sorted by name. Opens none of them.
    pub fn list(&self) -> Result<Vec<SessionSummary>> {
        self.names()?.iter().map(|name| self.summary(name)).collect()
    }

    /// One line about one session. Does not open it.
    pub fn summary(&self, name: &str) -> Result<SessionSummary> {
        let layout = self.existing(name)?;
        let (bytes, changed) = files::size_and_change(&layout.dir);
        let state = StateLine::read(&layout.state());
        let activity = match (lock::held_by(&layout.lock()), Meta::read(&layout.meta()), &state) {
            (_, Err(e), _) => Activity::Unreadable(e.to_string()),
            (Some(holder), ..) => Activity::Running(holder),
            (None, _, Some(StateLine { finished: true, .. })) => Activity::Done,
            _ => Activity::Stopped,
        };
        let line = state.map_or_else(String::new, |s| s.line);
        Ok(SessionSummary { name: name.to_owned(), activity, line, bytes, changed })
    }

    /// What a session was made from: its description, and its recipe as it was started with the file that stands in.
    /// Does not open it.
    pub fn described(&self, name: &str) -> Result<(Meta, (String, PathBuf))> {
        let layout = self.existing(name)?;
        Ok((Meta::read(&layout.meta())?, layout.recipe_text()?))
    }

    /// `demo-1`, `demo-2`, …: the first of these names that is free.
    pub fn free_name(&self, stem: &str) -> Result<String> {
        let taken = self.names()?;
        let name = (1..).map(|n| format!("{stem}-{n}")).find(|name| !taken.contains(name));
        Ok(name.unwrap_or_else(|| stem.to_owned()))
    }

    /// Gives a session another name. What names it elsewhere, such as the recipe of an evaluation of one of its
    /// checkpoints, is not changed.
    ///
    /// # Errors
    /// A bad name, a name that is taken, a session that somebody holds. It keeps its name then.
    pub fn rename(&self, name: &str, to: &str) -> Result<()> {
        let layout = self.existing(name)?;
        let renamed = Layout::new(&self.root, &SessionName::new(to)?);
        if renamed.dir.exists() {
            return Err(SessionError::Exists { name: to.to_owned() });
        }
        let lock = SessionLock::take(name, &layout.lock())?;
        let meta = Meta { name: to.to_owned(), ..Meta::read(&layout.meta())? };
        // Written aside before the folder moves: where the disk is full, nothing has changed.
        let aside = |layout: &Layout| layout.meta().with_extension("tmp");
        files::write_synced(&aside(&layout), &meta::to_json(&layout.meta(), &meta)?)?;
        files::rename(&layout.dir, &renamed.dir)?;
        files::sync_dir(&self.root)?;
        files::rename(&aside(&renamed), &renamed.meta())?;
        drop(lock);
        files::sync_dir(&renamed.dir)
    }

    /// Removes a session for good. Without `confirmed` it only says what would go.
    pub fn remove(&self, name: &str, confirmed: bool) -> Result<u64> {
        let layout = self.existing(name)?;
        let (bytes, _) = files::size_and_change(&layout.dir);
        let lock = SessionLock::take(name, &layout.lock())?;
        if !confirmed {
            return Err(SessionError::Unconfirmed { name: name.to_owned(), size: files::show_size(bytes) });
        }
        // Renamed first, so that a crash within the deletion leaves no half of a session under its name.
        let hidden = self.root.join(format!(".removed-{name}-{}", std::process::id()));
        files::rename(&layout.dir, &hidden)?;
        files::remove_dir_all(&hidden)?;
        drop(lock);
        Ok(bytes)
    }

    /// Removes what a crash left of sessions that were being made or removed. Nobody misses it, so failing is no error.
    fn clear_leftovers(&self) {
        let now = files::unix_millis();
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let ours = name.starts_with(".new-") || name.starts_with(".removed-");
            if ours && lock::held_by(&path.join("lock")).is_none() {
                let (_, changed) = files::size_and_change(&path);
                if now.saturating_sub(changed) > LEFTOVER_MILLIS {
                    let _ = fs::remove_dir_all(&path);
                }
            }
        }
    }

    /// Paths of a session that is there; otherwise the error names the nearest.
    pub(crate) fn existing(&self, name: &str) -> Result<Layout> {
        let layout = Layout::new(&self.root, &SessionName::new(name)?);
        if layout.meta().is_file() {
            return Ok(layout);
        }
        let near = |other: &String| strsim::damerau_levenshtein(name, other) <= 1 + name.len() / 4;
        let names = self.names().unwrap_or_default();
        let best = names.iter().filter(|n| near(n)).min_by_key(|n| strsim::damerau_levenshtein(name, n));
        let hint = best.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
        Err(SessionError::Unknown { name: name.to_owned(), root: self.root.clone(), hint })
    }
}

/// Everything a session has from its first moment; the lock is held from before it has its name.
fn furnish(dir: &Path, name: &str, new: &NewSession<'_>) -> Result<SessionLock> {
    files::create_dir_all(dir)?;
    let lock = SessionLock::take(name, &dir.join("lock"))?;
    files::write_synced(&dir.join("recipe.toml"), new.recipe.as_bytes())?;
    let path = dir.join("meta.json");
    files::write_synced(&path, &meta::to_json(&path, &Meta::new(name, new.seed))?)?;
    Writer::create(&dir.join("journal"))?;
    files::create_dir_all(&dir.join("checkpoints"))?;
    files::sync_dir(dir)?;
    Ok(lock)
}
