//! A teacher of this machine in the plan of a run: its weights lie in memory from the first stage to the last, its keys
//! and values while it answers. It computes on the CPU, whatever the student computes on.

use super::drawing::Drawing;
use super::fit::{Advice, TooLarge};
use super::{MemoryPlan, Moment, NUMBER, PROGRAM, Part, TOKEN, parameters};
use crate::recipe::Recipe;
use crate::student::ModelConfig;

/// Name of the moment at which the teacher answers.
pub(super) const TEACHING: &str = "teaching";
/// Tokens of a prompt's own wording, on the long side: the built-in ones have a few hundred.
const WORDING: usize = 1024;
/// What is drawn, as the teacher's.
const PARTS: [&str; 4] =
    ["teacher's adapters", "teacher's packed weights", "teacher's KV cache", "teacher's activations"];

/// A teacher of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTeacher {
    /// Numbers of its weights.
    parameters: u64,
    /// Rows of its vocabulary.
    vocabulary: usize,
    /// What its answers hold.
    drawn: Vec<Part>,
}

impl LocalTeacher {
    /// The teacher of `recipe`, of this shape. Its longest prompt is that of a diagnosis: the question, an answer of the
    /// student's and a solution of its own, in tokens as the recipe allows them.
    pub fn of(recipe: &Recipe, config: &ModelConfig, threads: usize) -> Self {
        let own = recipe.teacher.max_tokens as usize;
        let answer = recipe.rollouts.sampling.max_new_tokens;
        let prompt = [recipe.grpo.max_prompt_tokens, answer, own].into_iter().fold(WORDING, usize::saturating_add);
        let prompt = prompt.min(config.max_positions);
        let positions = prompt.saturating_add(own).min(config.max_positions);
        let drawing = Drawing { threads, slots: recipe.teacher.concurrency, prompt, positions, adapted: 0 };
        let drawn = drawing.parts(config, PARTS);
        Self { parameters: parameters(config), vocabulary: config.vocab_size, drawn }
    }

    /// Bytes it takes while nobody asks it: weights and tokenizer.
    pub(super) fn resident(&self) -> u64 {
        NUMBER * self.parameters + TOKEN * self.vocabulary as u64
    }

    /// The moment at which it answers, beside what else is `there`.
    pub(super) fn at_work(&self, there: Vec<Part>) -> Moment {
        let mut parts = there;
        parts.push(Part { what: "teacher", bytes: self.resident() });
        parts.extend(self.drawn.iter().copied());
        Moment { name: TEACHING, parts }
    }
}

/// Holds a teacher whose student computes elsewhere against the bytes there are.
///
/// # Errors
/// [`TooLarge`], with the number of calls at once that would fit.
pub(super) fn fit_alone(
    recipe: &Recipe,
    config: &ModelConfig,
    threads: usize,
    available: u64,
) -> Result<MemoryPlan, Box<TooLarge>> {
    let of = |recipe: &Recipe| {
        let there = vec![Part { what: "program", bytes: PROGRAM }];
        MemoryPlan { moments: vec![LocalTeacher::of(recipe, config, threads).at_work(there)] }
    };
    let (plan, mut smaller) = (of(recipe), recipe.clone());
    if plan.bytes() <= available {
        return Ok(plan);
    }
    while of(&smaller).bytes() > available && smaller.teacher.concurrency > 1 {
        smaller.teacher.concurrency = smaller.teacher.concurrency.div_ceil(2);
    }
    let least = of(&smaller).bytes();
    let advice = if least <= available {
        Advice::Settings(vec![("teacher.concurrency", smaller.teacher.concurrency.to_string())])
    } else {
        Advice::Nothing(least)
    };
    Err(Box::new(TooLarge { plan, available, place: String::new(), advice }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::{Demand, Machine, On, fit, fit_taught, plan};
    use super::*;
    use crate::student::random::Shape;

    const GIB: u64 = 1 << 30;

    /// By hand: Llama 3.2 1B has 16 layers of 8 heads of 64 for keys and values.
    #[test]
    fn a_teacher_lies_in_every_moment_and_its_answers_in_one_of_their_own() {
        let (student, teacher) = (Shape::Qwen25_05B.config().unwrap(), Shape::Llama32_1B.config().unwrap());
        let mut recipe = Recipe::default();
        (recipe.teacher.concurrency, recipe.teacher.max_tokens) = (4, 1000);
        recipe.grpo.max_prompt_tokens = 500;
        recipe.rollouts.sampling.max_new_tokens = 500;
        let alone = plan(&student, &Demand::of(&recipe, &student, 2));
        let taught = plan(&student, &Demand::of(&recipe, &student, 2).taught_by(Some(&teacher), &recipe));
        let resident = 4 * 1_235_814_400 + 700 * 128_256;
        assert_eq!(taught.moments.len(), alone.moments.len() + 1);
        for (with, without) in taught.moments.iter().zip(&alone.moments) {
            assert_eq!(with.parts.iter().find(|part| part.what == "teacher").map(|part| part.bytes), Some(resident));
            assert!(with.bytes() >= without.bytes() + resident, "{}", with.name);
        }
        let teaching = taught.moments.last().unwrap();
        let part = |what: &str| teaching.parts.iter().find(|part| part.what == what).map(|part| part.bytes);
        // 3024 tokens of prompt and 1000 of answer, in blocks of 64.
        assert_eq!(part("teacher's KV cache"), Some((4 * 4032 + 3072) * 4 * 16 * 2 * 8 * 64));
        assert_eq!((teaching.name, part("teacher"), part("AdamW moments")), ("teaching", Some(resident), None));
        recipe.iterations = 0;
        let measured = Demand::of(&recipe, &student, 2).taught_by(Some(&teacher), &recipe);
        assert_eq!(measured.teacher, None, "nobody is asked where nothing is trained");
    }

    #[test]
    fn fewer_calls_at_once_are_named_where_the_teacher_s_answers_are_too_large() {
        let (student, teacher) = (Shape::Qwen25_05B.config().unwrap(), Shape::Llama32_1B.config().unwrap());
        let mut recipe = Recipe::default();
        (recipe.teacher.concurrency, recipe.data.train) = (4096, 600);
        let on = |gib: u64| Machine { threads: 2, on: On::Cpu, available: gib * GIB };
        assert!(fit(&recipe, &student, on(64)).is_ok(), "the student alone fits");
        let refused = fit_taught(&recipe, &student, Some(&teacher), on(64)).unwrap_err();
        let Advice::Settings(settings) = &refused.advice else { panic!("{refused}") };
        assert!(settings.iter().any(|(key, _)| *key == "teacher.concurrency"), "{refused}");
        let with: Vec<(String, String)> = settings.iter().map(|(k, v)| ((*k).into(), v.clone())).collect();
        assert!(fit_taught(&recipe.clone().with(&with).unwrap(), &student, Some(&teacher), on(64)).is_ok());
        let alone = fit_alone(&recipe, &teacher, 2, 64 * GIB).unwrap_err().to_string();
        assert!(alone.contains("for teaching") && alone.contains("it fits with teacher.concurrency = "), "{alone}");
        let nothing = fit_alone(&recipe, &teacher, 2, GIB).unwrap_err();
        assert!(matches!(nothing.advice, Advice::Nothing(least) if least > GIB));
        recipe.teacher.concurrency = 4;
        let plan = fit_alone(&recipe, &teacher, 2, 64 * GIB).unwrap();
        assert!(plan.to_string().starts_with("memory: at most ") && plan.bytes() > 4 * GIB, "{plan}");
    }
}
