//! What stands around a session: the folder of all sessions, and how runs are begun.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::handle::RunHandle;
use super::jobs::Cancel;
use crate::pipeline::outlook::Outlook;
use crate::recipe::Recipe;
use crate::session::Sessions;

/// A run that shall begin or go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Launch {
    /// A new session on a recipe.
    New {
        /// The run.
        recipe: Box<Recipe>,
        /// Name of the session; a free one when not given.
        name: Option<String>,
    },
    /// A session goes on where it stopped.
    Resume {
        /// Name of the session.
        name: String,
    },
}

/// Begins runs. Called on a thread that may wait: students are loaded here.
pub trait Launcher: Send + Sync {
    /// Begins or continues a run; `tell` hears how far a download or a measurement has come.
    ///
    /// # Errors
    /// Why it can't be begun, in words; nothing was begun then.
    fn launch(&self, launch: &Launch, tell: &mut dyn FnMut(&str)) -> Result<RunHandle, String>;

    /// Says what a run of this recipe would take on this machine, and makes nothing. `counted` hears the counts before
    /// the machine is measured; it isn't where not `measured`, since a run at work would be in the way.
    ///
    /// # Errors
    /// What of the recipe can't be used, in words; also that it is no longer wanted.
    fn foresee(
        &self,
        recipe: &Recipe,
        measured: bool,
        counted: &mut dyn FnMut(&Outlook),
        cancel: &Cancel,
    ) -> Result<Outlook, String> {
        let _ = (recipe, measured, counted, cancel);
        Err("what a run would take can't be said here".to_string())
    }
}

/// The folder of all sessions, who begins runs there, and where files go that are saved.
#[derive(Clone)]
pub struct House {
    /// All sessions.
    pub sessions: Sessions,
    /// Who begins runs; `None` where nothing can be begun (pictures, tests).
    pub launcher: Option<Arc<dyn Launcher>>,
    /// The folder that names of saved files are read from; empty for the working directory.
    pub files: PathBuf,
    /// What the system says of this process, as Linux does in `/proc/self/status`.
    pub status: fn() -> Result<String, String>,
    /// Only looked at: nothing is decided, removed, renamed or written from here, as when a picture is drawn.
    pub looking: bool,
}

impl House {
    /// Saved files go to the working directory.
    pub fn new(sessions: Sessions, launcher: Option<Arc<dyn Launcher>>) -> Self {
        Self { sessions, launcher, files: PathBuf::new(), status, looking: false }
    }

    /// For pictures: nothing is begun and nothing changed.
    pub fn to_look_at(sessions: Sessions) -> Self {
        Self { looking: true, ..Self::new(sessions, None) }
    }

    /// Where a file of this name is saved. Where a folder is set, nothing is saved outside it.
    pub fn file(&self, name: &str) -> PathBuf {
        let path = Path::new(name);
        match path.file_name().filter(|_| !self.files.as_os_str().is_empty()) {
            Some(last) => self.files.join(last),
            None => path.to_path_buf(),
        }
    }

    /// A name for a file that is not there yet: `rollouts.csv`, else `rollouts-2.csv`, `rollouts-3.csv`.
    pub fn free_file(&self, name: &str, ending: &str) -> String {
        let first = format!("{name}.{ending}");
        let others = (2..1_000).map(|n| format!("{name}-{n}.{ending}"));
        let mut names = std::iter::once(first.clone()).chain(others);
        names.find(|name| !self.file(name).exists()).unwrap_or(first)
    }
}

fn status() -> Result<String, String> {
    std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())
}
