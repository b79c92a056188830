//! Train, dev, test and the two further banks, without a text in common among themselves or with pre-training text.
//!
//! Every problem text belongs to one of two halves by its hash: questions are drawn from one, pre-training text from
//! the other. So no pre-training text can occur in any split of any seed and size, and the checked-in base stays fair
//! when a recipe asks for other questions.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Bank, Problem, dice::Dice};
use crate::domain::Question;

/// Shares of 1 to 5 steps in bank A.
const STEPS_A: [f64; 5] = [0.13, 0.25, 0.26, 0.21, 0.15];
/// Shares of 1 and 2 steps in banks B and C.
const STEPS_BC: [f64; 2] = [0.5, 0.5];
/// Draws in a row that may give nothing new before a split counts as exhausted.
const PATIENCE: usize = 20_000;

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Seed of its questions and of everything its teacher draws.
    pub seed: u64,
    /// Training questions.
    pub train: usize,
    /// Questions for choosing settings and checkpoints.
    pub dev: usize,
    /// Test questions of bank A.
    pub test: usize,
    /// Questions of bank B, and of bank C.
    pub ood: usize,
}

/// A set of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Trained on.
    Train,
    /// Chosen by.
    Dev,
    /// Reported: bank A.
    Test,
    /// Reported: bank B.
    B,
    /// Reported: bank C.
    C,
}

impl Split {
    /// All, in the order they are drawn: what is reported first, so that it does not depend on how much is trained on.
    pub const ALL: [Split; 5] = [Split::Test, Split::B, Split::C, Split::Dev, Split::Train];

    /// Its short name, with which the ids of its questions begin.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Dev => "dev",
            Split::Test => "test",
            Split::B => "b",
            Split::C => "c",
        }
    }

    fn bank(self) -> Bank {
        match self {
            Split::B => Bank::B,
            Split::C => Bank::C,
            _ => Bank::A,
        }
    }

    fn size(self, spec: &WorldSpec) -> usize {
        match self {
            Split::Train => spec.train,
            Split::Dev => spec.dev,
            Split::Test => spec.test,
            Split::B | Split::C => spec.ood,
        }
    }
}

/// What can go wrong.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WorldError {
    /// There are not that many different problems.
    #[error("the generated world ran out of new questions for `{split}` after {found} of {wanted}; ask for fewer")]
    Exhausted {
        /// Which split.
        split: &'static str,
        /// How many were found.
        found: usize,
        /// How many were asked for.
        wanted: usize,
    },
}

/// The questions of one seed.
#[derive(Clone, Debug)]
pub struct World {
    spec: WorldSpec,
    splits: HashMap<Split, Vec<Problem>>,
    places: HashMap<String, (Split, usize)>,
}

impl World {
    /// Draws every split. The same spec always gives the same world; a larger train split begins with the smaller one's
    /// questions and leaves the others as they are.
    pub fn generate(spec: &WorldSpec) -> Result<World, WorldError> {
        let mut seen = HashSet::new();
        let mut world = World { spec: *spec, splits: HashMap::new(), places: HashMap::new() };
        for split in Split::ALL {
            let problems = draw_split(spec, split, &mut seen)?;
            for (index, problem) in problems.iter().enumerate() {
                world.places.insert(problem.id.clone(), (split, index));
            }
            world.splits.insert(split, problems);
        }
        Ok(world)
    }

    /// What it was drawn from.
    pub fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// The problems of a split.
    pub fn problems(&self, split: Split) -> &[Problem] {
        self.splits.get(&split).map_or(&[], Vec::as_slice)
    }

    /// The questions of a split.
    pub fn questions(&self, split: Split) -> Vec<Question> {
        self.problems(split).iter().map(Problem::question).collect()
    }

    /// The problem with this question id.
    pub fn find(&self, id: &str) -> Option<&Problem> {
        let (split, index) = self.places.get(id)?;
        self.problems(*split).get(*index)
    }
}

fn draw_split(spec: &WorldSpec, split: Split, seen: &mut HashSet<String>) -> Result<Vec<Problem>, WorldError> {
    let wanted = split.size(spec);
    let mut dice = Dice::new(spec.seed, &["questions", split.name()]);
    let mut problems: Vec<Problem> = Vec::with_capacity(wanted);
    let mut misses = 0;
    while problems.len() < wanted {
        let shares: &[f64] = if split.bank() == Bank::A { &STEPS_A } else { &STEPS_BC };
        let steps = 1 + dice.weighted(shares);
        let mut problem = Problem::draw(&mut dice, split.bank(), steps);
        if !is_for_questions(&problem.text) || !seen.insert(problem.text.clone()) {
            misses += 1;
            if misses > PATIENCE {
                return Err(WorldError::Exhausted { split: split.name(), found: problems.len(), wanted });
            }
            continue;
        }
        misses = 0;
        problem.id = format!("{}-{:04}", split.name(), problems.len() + 1);
        problems.push(problem);
    }
    Ok(problems)
}

/// Which half a problem text belongs to: questions (true) or pre-training (false).
pub fn is_for_questions(text: &str) -> bool {
    Sha256::digest(text.as_bytes())[0] & 1 == 0
}
