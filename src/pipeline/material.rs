//! The questions of a run, by split.

use std::collections::HashMap;

use super::context::StageError;
use crate::data::world::{Split, World, WorldSpec};
use crate::domain::Question;
use crate::recipe::Recipe;

/// The questions of a run.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// Training questions, in order.
    pub train: Vec<Question>,
    /// Splits that are evaluated, `dev` among them, in the order of the report.
    pub evaluated: Vec<(String, Vec<Question>)>,
    index: HashMap<String, usize>,
}

impl Material {
    /// From the training questions and the evaluated splits.
    pub fn new(train: Vec<Question>, evaluated: Vec<(String, Vec<Question>)>) -> Self {
        let index = train.iter().enumerate().map(|(i, q)| (q.id.clone(), i)).collect();
        Self { train, evaluated, index }
    }

    /// The questions of a generated world.
    pub fn of_world(world: &World) -> Self {
        let evaluated = [Split::Test, Split::B, Split::C, Split::Dev];
        let evaluated = evaluated.into_iter().map(|split| (split.name().to_string(), world.questions(split)));
        Self::new(world.questions(Split::Train), evaluated.filter(|(_, questions)| !questions.is_empty()).collect())
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
