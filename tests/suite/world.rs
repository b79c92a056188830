//! The generated world and its teacher.

mod diagnosis;

mod generator;
mod pretraining;
mod prompts;
mod teacher;
mod vocabulary;

use footbridge::data::world::{World, WorldSpec};

/// A small world of its own.
fn world() -> World {
    World::generate(&WorldSpec { seed: 11, train: 300, dev: 60, test: 120, ood: 80 }).unwrap()
}
