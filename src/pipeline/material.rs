//! The questions of a run, by split.

use std::collections::HashMap;

use super::context::StageError;
pub use crate::data::source::NONE;
use crate::data::world::{Split as WorldSplit, World, WorldSpec};
use crate::domain::{Question, Verifier};
use crate::recipe::Recipe;
use crate::session::Session;
use crate::session::records::{Asked, Sourced};

/// The word for the generated world where a source of questions is named.
pub const WORLD: &str = "world";
/// Name of the training questions.
pub const TRAIN: &str = "train";
/// The split that chooses the checkpoint.
pub const DEV: &str = "dev";

/// A set of questions that is evaluated.
#[derive(Clone, Debug)]
pub struct Split {
    /// `dev`, `test`, a bank of the world, or a benchmark's name.
    pub name: String,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// How their answers are judged.
    pub verifier: Verifier,
}

/// The questions of a run.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// Training questions, in order.
    pub train: Vec<Question>,
    /// Splits that are evaluated, `dev` among them, in the order of the report.
    pub evaluated: Vec<Split>,
    /// Where the questions of each split come from; empty for the generated world, whose seed says it.
    pub sources: Vec<Sourced>,
    index: HashMap<String, usize>,
}

impl Material {
    /// From the training questions, the evaluated splits and where they come from.
    pub fn new(train: Vec<Question>, evaluated: Vec<Split>, sources: Vec<Sourced>) -> Self {
        let index = train.iter().enumerate().map(|(i, q)| (q.id.clone(), i)).collect();
        Self { train, evaluated, sources, index }
    }

    /// What the recipe asks for; `verifier` judges the questions of the generated world.
    ///
    /// # Errors
    /// A file that cannot be read, or a recipe that leaves nothing to train on.
    pub fn of(recipe: &Recipe, verifier: Verifier) -> Result<Self, StageError> {
        if recipe.data.source == WORLD {
            Ok(Self::of_world(&world_of(recipe)?, verifier))
        } else {
            super::files::material(recipe)
        }
    }

    /// The training questions as a session keeps them.
    ///
    /// # Errors
    /// When the session can't be read.
    pub fn recorded(session: &Session) -> Result<Self, StageError> {
        let train = session.scan::<Asked>(&format!("{TRAIN}/")).map(|item| item.map(|(_, asked)| asked.question));
        Ok(Self::new(train.collect::<Result<_, _>>()?, Vec::new(), Vec::new()))
    }

    /// The questions of a generated world, all judged alike.
    pub fn of_world(world: &World, verifier: Verifier) -> Self {
        let evaluated = [WorldSplit::Test, WorldSplit::B, WorldSplit::C, WorldSplit::Dev];
        let evaluated = evaluated.into_iter().map(|split| Split {
            name: split.name().to_string(),
            questions: world.questions(split),
            verifier,
        });
        let evaluated = evaluated.filter(|split| !split.questions.is_empty()).collect();
        Self::new(world.questions(WorldSplit::Train), evaluated, Vec::new())
    }

    /// A training question by id.
    pub fn find(&self, id: &str) -> Option<&Question> {
        self.index.get(id).map(|&i| &self.train[i])
    }
}

/// The generated world, as the recipe sizes it.
pub fn world_of(recipe: &Recipe) -> Result<World, StageError> {
    let data = &recipe.data;
    let spec = WorldSpec { seed: data.seed, train: data.train, dev: data.dev, test: data.test, ood: data.ood };
    Ok(World::generate(&spec)?)
}
