//! Who teaches a run, chosen by the recipe, in two parts: first whatever can be wrong is looked at, while there is nothing
//! to clear up; then, with the session at hand, the teacher is put together: model, cache, prompts, recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::answers::SessionAnswers;
use super::begun::recipe_of;
use super::context::StageError;
use super::control::Control;
use super::engine::EngineError;
use super::local_teacher::{LocalChat, LocalModel, LocalSettings};
use super::material::{WORLD, world_of};
use crate::data::world::{World, WorldSpec};
use crate::recipe::{Recipe, TeacherRecipe};
use crate::session::Session;
use crate::student::ModelConfig;
use crate::teacher::openai::{Settings, Stop};
use crate::teacher::{
    CacheSettings, Cached, Chat, Meter, ModelSettings, ModelTeacher, OpenAi, PromptError, PromptKind, Prompts,
    RecordingTeacher, ReplayTeacher, RuleTeacher, Teacher, TeacherError, Usage,
};

/// Folder of a session's own prompts, in the session's folder.
pub(super) const PROMPTS: &str = "prompts";

/// A teacher that waits for its session.
pub enum Teaching {
    /// Needs nothing more: rules, a recording, a teacher of the caller's.
    Ready(Box<dyn Teacher>),
    /// A model of this machine.
    Local(Local),
    /// A model behind an API.
    Api(Box<Settings>),
}

/// A model of this machine: found, so that what it takes can be planned, then loaded.
pub enum Local {
    /// Not in memory yet.
    Found(LocalModel),
    /// In memory.
    Loaded(LocalChat),
}

impl Local {
    fn chat(self) -> Result<LocalChat, StageError> {
        match self {
            Self::Found(model) => model.load().map_err(of_path),
            Self::Loaded(chat) => Ok(chat),
        }
    }
}

fn of_path(error: EngineError) -> StageError {
    StageError::Recipe(format!("teacher.path: {error}"))
}

/// A teacher at work.
pub struct Taught {
    /// Who teaches.
    pub teacher: Box<dyn Teacher>,
    /// Where a model's answers are kept; is told which stage is at work.
    pub answers: Option<Arc<SessionAnswers>>,
}

impl Teaching {
    /// The teacher that the recipe names; `tell` hears how far the download of a model has come.
    ///
    /// # Errors
    /// A recording or a model that cannot be had or read, a key that is not set.
    pub fn prepare(recipe: &Recipe, threads: usize, tell: &mut dyn FnMut(&str)) -> Result<Self, StageError> {
        let TeacherRecipe { kind, path, replay, concurrency, .. } = &recipe.teacher;
        Ok(match kind.as_str() {
            // Nobody is asked where nothing is trained.
            _ if recipe.iterations == 0 => Self::Ready(Box::new(rules(recipe)?)),
            "openai" => Self::Api(Box::new(Settings::of(&recipe.teacher)?)),
            "local" => {
                let settings = LocalSettings { slots: *concurrency, threads, seed: recipe.seed };
                Self::Local(Local::Found(LocalModel::find(path, settings, tell).map_err(of_path)?))
            }
            "replay" => Self::Ready(Box::new(ReplayTeacher::read(Path::new(replay))?)),
            _ => Self::Ready(Box::new(rules(recipe)?)),
        })
    }

    /// The shape of a model that is to lie in this machine's memory beside what is there; `None` for every other teacher.
    ///
    /// # Errors
    /// A model that Footbridge does not compute.
    pub fn config(&self) -> Result<Option<ModelConfig>, StageError> {
        match self {
            Self::Local(Local::Found(model)) => Ok(Some(model.config().map_err(of_path)?)),
            _ => Ok(None),
        }
    }

    /// With a model of this machine in memory.
    ///
    /// # Errors
    /// A model that cannot be read.
    pub fn loaded(self) -> Result<Self, StageError> {
        match self {
            Self::Local(local) => Ok(Self::Local(Local::Loaded(local.chat()?))),
            other => Ok(other),
        }
    }

    /// The teacher of a session: a model's answers are kept there, products are recorded where the recipe says so. With
    /// `refresh` a model is asked anew for what was kept before.
    ///
    /// # Errors
    /// An address or a model that cannot be used, a session or a recording that cannot be written.
    pub fn begin(
        self,
        recipe: &Recipe,
        session: &Arc<Session>,
        prompts: &Arc<Prompts>,
        (control, refresh): (&Control, bool),
    ) -> Result<Taught, StageError> {
        let taught = match self {
            Self::Ready(teacher) => Taught { teacher, answers: None },
            Self::Local(local) => {
                let control = control.clone();
                let chat = local.chat()?.while_wanted(Arc::new(move || !control.cancelled()));
                let parameters = format!("{} seed {}", recipe.teacher.path, recipe.seed);
                let answers = Arc::new(SessionAnswers::open(session.clone())?);
                Taught {
                    teacher: kept(chat, &answers, CacheSettings { refresh, parameters }, recipe, prompts),
                    answers: Some(answers),
                }
            }
            Self::Api(settings) => {
                let answers = Arc::new(SessionAnswers::open(session.clone())?);
                let (parameters, control) = (settings.parameters(), control.clone());
                let stop: Stop = Arc::new(move || control.cancelled());
                let chat = OpenAi::new(*settings, stop, &answers.spent())?;
                Taught {
                    teacher: kept(chat, &answers, CacheSettings { refresh, parameters }, recipe, prompts),
                    answers: Some(answers),
                }
            }
        };
        if recipe.teacher.record.is_empty() {
            return Ok(taught);
        }
        let teacher = RecordingTeacher::new(taught.teacher, Path::new(&recipe.teacher.record))?;
        Ok(Taught { teacher: Box::new(teacher), ..taught })
    }

    /// The teacher without a session: nothing is kept or recorded. `watch` is put around a model, if there is one.
    ///
    /// # Errors
    /// An address or a model that cannot be used.
    pub fn try_out(
        self,
        recipe: &Recipe,
        prompts: &Arc<Prompts>,
        watch: impl Fn(Arc<dyn Chat>) -> Arc<dyn Chat>,
    ) -> Result<Box<dyn Teacher>, TeacherError> {
        let chat: Arc<dyn Chat> = match self {
            Self::Ready(teacher) => return Ok(teacher),
            Self::Local(local) => Arc::new(local.chat().map_err(|error| TeacherError::Unusable(error.to_string()))?),
            Self::Api(settings) => Arc::new(OpenAi::new(*settings, Arc::new(|| false), &Usage::default())?),
        };
        Ok(Box::new(ModelTeacher::new(watch(chat), prompts.clone(), settings(&recipe.teacher))))
    }
}

impl Taught {
    /// From here on calls count for this stage.
    pub fn at(&self, stage: &str) {
        if let Some(answers) = &self.answers {
            answers.at(stage);
        }
    }
}

/// The shape of the recipe's teacher where it is a model of this machine, for a plan of memory.
///
/// # Errors
/// A model that cannot be found.
pub fn local_shape(recipe: &Recipe, threads: usize) -> Result<Option<ModelConfig>, StageError> {
    if recipe.teacher.kind == "local" { Teaching::prepare(recipe, threads, &mut |_| ())?.config() } else { Ok(None) }
}

/// The rules of the recipe's world; of an empty one where the questions come from files.
fn rules(recipe: &Recipe) -> Result<RuleTeacher, StageError> {
    let nobody = WorldSpec { seed: 0, train: 0, dev: 0, test: 0, ood: 0 };
    let world = if recipe.data.source == WORLD { world_of(recipe)? } else { World::generate(&nobody)? };
    Ok(RuleTeacher::new(world, recipe.seed))
}

/// A model as teacher, its answers kept.
fn kept<C: Chat + 'static>(
    chat: C,
    answers: &Arc<SessionAnswers>,
    cache: CacheSettings,
    recipe: &Recipe,
    prompts: &Arc<Prompts>,
) -> Box<dyn Teacher> {
    let chat = Cached::new(chat, answers.clone(), cache, Arc::new(Meter::default()));
    Box::new(ModelTeacher::new(Arc::new(chat), prompts.clone(), settings(&recipe.teacher)))
}

fn settings(recipe: &TeacherRecipe) -> ModelSettings {
    let TeacherRecipe { temperature, top_p, max_tokens, max_retries, .. } = recipe;
    ModelSettings { temperature: *temperature, top_p: *top_p, max_tokens: *max_tokens, max_retries: *max_retries }
}

/// The prompts that a recipe names: the world's small vocabulary where the world is asked or answers, with the files of
/// its folder in place of built-in ones.
///
/// # Errors
/// A file that is no prompt, with its line.
pub fn prompts(recipe: &Recipe) -> Result<Prompts, PromptError> {
    let world = recipe.data.source == WORLD || recipe.student.path == WORLD;
    let prompts = if world { Prompts::world()? } else { Prompts::standard()? };
    let folder = &recipe.prompts.folder;
    if folder.is_empty() { Ok(prompts) } else { prompts.overridden(Path::new(folder)) }
}

/// The prompts of a session: its own files where it has them, else `begun_with`.
///
/// # Errors
/// A file that is no prompt, with its line.
pub fn prompts_of(session: &Session, begun_with: Prompts) -> Result<Prompts, PromptError> {
    let folder = session.dir().join(PROMPTS);
    if folder.is_dir() { begun_with.overridden(&folder) } else { Ok(begun_with) }
}

/// The recipe of a session and the prompts that it is asked with from here on.
///
/// # Errors
/// A recipe or a prompt that does not read, with file and line.
pub fn asked_of(session: &Session) -> Result<(Recipe, Prompts), StageError> {
    let recipe = recipe_of(session)?;
    let prompts = prompts_of(session, prompts(&resumed(&recipe, session))?)?;
    Ok((recipe, prompts))
}

/// As [`prompts_of`]; the session keeps what it does not have yet, so that it stays true to itself.
///
/// # Errors
/// As [`prompts_of`]; files that cannot be written.
pub fn keep_prompts(session: &Session, begun_with: Prompts) -> Result<Prompts, PromptError> {
    super::prompting::settle(session);
    let prompts = prompts_of(session, begun_with)?;
    prompts.write(&session.dir().join(PROMPTS))?;
    Ok(prompts)
}

/// The recipe with which the ground of a session that has its own prompts is laid: the folder they came from may be gone.
pub fn resumed(recipe: &Recipe, session: &Session) -> Recipe {
    let mut recipe = recipe.clone();
    if session.dir().join(PROMPTS).is_dir() {
        recipe.prompts.folder.clear();
    }
    recipe
}

/// Name and hash of the prompts among `kinds` that a teacher is asked with.
pub fn asked_with(teacher: &dyn Teacher, kinds: &[PromptKind]) -> BTreeMap<String, String> {
    kinds.iter().filter_map(|kind| Some((kind.name().to_owned(), teacher.prompt(*kind)?))).collect()
}
