//! Who teaches a run, chosen by the recipe, in two parts: first whatever can be wrong is looked at, while there is nothing
//! to clear up; then, with the session at hand, the teacher is put together: model, cache, prompts, recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::answers::SessionAnswers;
use super::begun::recipe_of;
use super::context::StageError;
use super::control::Control;
use super::local_teacher::{LocalChat, LocalSettings};
use super::material::{WORLD, world_of};
use crate::data::world::{World, WorldSpec};
use crate::recipe::{Recipe, TeacherRecipe};
use crate::session::Session;
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
    Local(LocalChat),
    /// A model behind an API.
    Api(Box<Settings>),
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
                Self::Local(
                    LocalChat::open(path, settings, tell)
                        .map_err(|error| StageError::Recipe(format!("teacher.path: {error}")))?,
                )
            }
            "replay" => Self::Ready(Box::new(ReplayTeacher::read(Path::new(replay))?)),
            _ => Self::Ready(Box::new(rules(recipe)?)),
        })
    }

    /// The teacher of a session: a model's answers are kept there, products are recorded where the recipe says so. With
    /// `refresh` a model is asked anew for what was kept before.
    ///
    /// # Errors
    /// An address that cannot be used, a session or a recording that cannot be written.
    pub fn begin(
        self,
        recipe: &Recipe,
        session: &Arc<Session>,
        prompts: &Arc<Prompts>,
        (control, refresh): (&Control, bool),
    ) -> Result<Taught, StageError> {
        let taught = match self {
            Self::Ready(teacher) => Taught { teacher, answers: None },
            Self::Local(chat) => {
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
    /// An address that cannot be used.
    pub fn try_out(
        self,
        recipe: &Recipe,
        prompts: &Arc<Prompts>,
        watch: impl Fn(Arc<dyn Chat>) -> Arc<dyn Chat>,
    ) -> Result<Box<dyn Teacher>, TeacherError> {
        let chat: Arc<dyn Chat> = match self {
            Self::Ready(teacher) => return Ok(teacher),
            Self::Local(chat) => Arc::new(chat),
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
