//! The questions of a run, by split.

use std::collections::HashMap;

use super::context::StageError;
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

    /// A training question by id.
    pub fn find(&self, id: &str) -> Option<&Question> {
        self.index.get(id).map(|&i| &self.train[i])
    }
}

/// The generated world, as the recipe sizes it.
pub fn world_of(recipe: &Recipe) -> Result<crate::data::world::World, StageError> {
    if recipe.data.source != "world" {
        return Err(StageError::Recipe(format!(
            "data.source = \"{}\": runs on files of questions need a model teacher, which this version does not have; \
             set data.source = \"world\"",
            recipe.data.source
        )));
    }
    let spec = crate::data::world::WorldSpec {
        seed: recipe.data.seed,
        train: recipe.data.train,
        dev: recipe.data.dev,
        test: recipe.data.test,
        ood: recipe.data.ood,
    };
    Ok(crate::data::world::World::generate(&spec))
}
