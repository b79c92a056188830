//! What a stage is given, and how it can fail.

use std::path::PathBuf;

use thiserror::Error;

use super::control::{Cancelled, Control};
use super::emit::Emitter;
use super::engine::{Engine, EngineError};
use super::events::{StageId, StageKind};
use super::material::Material;
use super::plan::{BASE, parent};
use crate::domain::{AskKind, Provenance, Verifier};
use crate::recipe::{Recipe, StartFrom};
use crate::session::{Record, Session, SessionError};
use crate::student::StudentError;
use crate::teacher::{PromptError, Prompts, Teacher, TeacherError};

/// Why a stage did not complete.
#[derive(Debug, Error)]
pub enum StageError {
    /// The researcher stopped it.
    #[error("stopped; the session can be resumed")]
    Cancelled,
    /// The session could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The session's recipe does not read.
    #[error(transparent)]
    Begun(#[from] super::begun::BegunError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The teacher failed.
    #[error(transparent)]
    Teacher(TeacherError),
    /// A prompt could not be rendered.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A text could not be turned into tokens.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// The student could not be found.
    #[error(transparent)]
    Locate(#[from] super::locate::LocateError),
    /// The run needs more memory than there is.
    #[error(transparent)]
    Memory(#[from] Box<super::memory::TooLarge>),
    /// A file of questions could not be read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// The generated world is too small for what was asked of it.
    #[error(transparent)]
    World(#[from] crate::data::world::WorldError),
    /// The recipe asks for what this build cannot do.
    #[error("{0}")]
    Recipe(String),
    /// An earlier stage left nothing to work on.
    #[error("{stage}: {problem}")]
    Nothing {
        /// The stage.
        stage: String,
        /// What is missing, and what to do.
        problem: String,
    },
    /// A file of the run could not be written.
    #[error("cannot write {path}: {source}; check that the disk has room and the folder can be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<Cancelled> for StageError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<TeacherError> for StageError {
    fn from(error: TeacherError) -> Self {
        if error == TeacherError::Cancelled { Self::Cancelled } else { Self::Teacher(error) }
    }
}

/// Every record of a table whose key begins with `prefix`, with its key, in order.
pub fn all<R: Record>(session: &Session, prefix: &str) -> Result<Vec<(String, R)>, SessionError> {
    session.scan::<R>(prefix).collect()
}

/// What a completed stage says.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One line: what came out.
    pub text: String,
    /// Tokens sampled or trained in this part.
    pub tokens: u64,
}

/// Everything a stage works with.
pub struct Context<'a> {
    /// Records and checkpoints.
    pub session: &'a Session,
    /// Every setting.
    pub recipe: &'a Recipe,
    /// The device.
    pub engine: &'a Engine,
    /// Who writes traces and diagnoses.
    pub teacher: &'a dyn Teacher,
    /// The questions by split.
    pub material: &'a Material,
    /// What the student and the teacher are asked with.
    pub prompts: &'a Prompts,
    /// The rule behind every reward.
    pub verifier: Verifier,
    /// Says what happens.
    pub emit: &'a Emitter,
    /// Pause and cancel.
    pub control: &'a Control,
    /// The whole plan.
    pub stages: &'a [StageId],
    /// This stage.
    pub stage: &'a StageId,
}

impl Context<'_> {
    /// The checkpoint this stage works on; an SFT with recycled lessons may begin again from the base (reading.md, row
    /// 39).
    pub fn checkpoint(&self) -> String {
        if self.stage.kind == StageKind::SftRecycled && self.recipe.recycle.start_from == StartFrom::Base {
            return BASE.into();
        }
        parent(self.stages, self.stage).map_or_else(|| BASE.into(), StageId::key)
    }

    /// What answers under `checkpoint` carry that were judged by `verifier` and asked for in this way.
    pub fn provenance(&self, checkpoint: &str, verifier: Verifier, ask: AskKind) -> Provenance {
        Provenance {
            verifier: verifier.name().into(),
            prompt: self.prompts.asking_hash(ask),
            checkpoint: checkpoint.into(),
        }
    }

    /// An error of this stage: an earlier one left nothing to work on.
    pub fn nothing(&self, problem: impl Into<String>) -> StageError {
        StageError::Nothing { stage: self.stage.to_string(), problem: problem.into() }
    }
}
