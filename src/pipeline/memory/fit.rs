//! What to change so that a run fits into memory.

use std::fmt;

use super::teacher::TEACHING;
use super::{Demand, MemoryPlan, On, SAMPLING, gpu, plan, size};
use crate::recipe::Recipe;
use crate::student::ModelConfig;

/// A run that needs more memory than there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{plan}, and {} are available{place}; {advice}", size(*.available))]
pub struct TooLarge {
    /// What it needs.
    pub plan: MemoryPlan,
    /// Bytes there are.
    pub available: u64,
    /// Where, if not here: ` on ` and a name.
    pub place: String,
    /// What to do about it.
    pub advice: Advice,
}

impl TooLarge {
    /// The same of a device with this name.
    pub(super) fn on(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.place = format!(" on {name}");
        self
    }
}

/// What a run is to fit into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Worker threads.
    pub threads: usize,
    /// What computes.
    pub on: On,
    /// Bytes it can still take.
    pub available: u64,
}

impl Machine {
    /// What a run of `recipe` asks of it. On a GPU as many answers are sampled at once as fit.
    pub fn demand(&self, recipe: &Recipe, config: &ModelConfig) -> Demand {
        let demand = Demand { on: self.on, ..Demand::of(recipe, config, self.threads) };
        match self.on {
            On::Cpu => demand,
            On::Gpu(precision) => gpu::filled(config, demand, precision, self.available),
        }
    }
}

/// What to do about a run that is too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Settings under which it fits. They change nothing that is learned beyond the rounding of sums.
    Settings(Vec<(&'static str, String)>),
    /// It fits with these settings where adapters are trained, which learns something else.
    Adapters(Vec<(&'static str, String)>),
    /// The smallest settings need so many bytes.
    Nothing(u64),
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |settings: &[(&'static str, String)]| -> String {
            let one = |(key, value): &(&'static str, String)| {
                let between = if key.starts_with('-') { " " } else { " = " };
                format!("{key}{between}{value}")
            };
            settings.iter().map(one).collect::<Vec<_>>().join(" and ")
        };
        match self {
            Advice::Settings(settings) => write!(f, "it fits with {}", said(settings)),
            Advice::Adapters(settings) => {
                write!(f, "all of its weights cannot be trained here, but adapters can: {}", said(settings))
            }
            Advice::Nothing(least) => {
                write!(f, "the smallest settings would still need {}: take a smaller student", size(*least))
            }
        }
    }
}

/// Rank that is proposed where only adapters fit.
const RANK: usize = 16;

/// Holds the plan of a run against the bytes there are.
///
/// # Errors
/// [`TooLarge`], with what would make it fit: fewer sequences at once for sampling on the CPU; for training smaller passes,
/// layers computed again, then fewer threads; at last adapters.
pub fn fit(recipe: &Recipe, config: &ModelConfig, machine: Machine) -> Result<MemoryPlan, Box<TooLarge>> {
    fit_taught(recipe, config, None, machine)
}

/// As [`fit`], with the shape of a teacher of this machine: it lies beside a student on the CPU all the while.
///
/// # Errors
/// As [`fit`]; fewer calls of the teacher at once may be among what would make it fit.
pub fn fit_taught(
    recipe: &Recipe,
    config: &ModelConfig,
    teacher: Option<&ModelConfig>,
    machine: Machine,
) -> Result<MemoryPlan, Box<TooLarge>> {
    let available = machine.available;
    let asked = Tried { recipe: recipe.clone(), teacher: teacher.cloned(), machine };
    let plan = asked.plan(config);
    if plan.bytes() <= available {
        return Ok(plan);
    }
    let smaller = shrunk(asked.clone(), config);
    let least = smaller.plan(config).bytes();
    let mut adapters = asked.clone();
    adapters.recipe.student.lora.rank = RANK;
    let adapters = shrunk(adapters, config);
    let advice = if least <= available {
        Advice::Settings(asked.changes(&smaller))
    } else if !recipe.student.lora.on() && adapters.plan(config).bytes() <= available {
        Advice::Adapters(asked.changes(&adapters))
    } else {
        Advice::Nothing(least)
    };
    Err(Box::new(TooLarge { plan, available, place: String::new(), advice }))
}

/// A recipe on a machine.
#[derive(Clone)]
struct Tried {
    recipe: Recipe,
    teacher: Option<ModelConfig>,
    machine: Machine,
}

impl Tried {
    fn demand(&self, config: &ModelConfig) -> Demand {
        self.machine.demand(&self.recipe, config).taught_by(self.teacher.as_ref(), &self.recipe)
    }

    fn plan(&self, config: &ModelConfig) -> MemoryPlan {
        plan(config, &self.demand(config))
    }

    fn on_cpu(&self) -> bool {
        self.machine.on == On::Cpu
    }

    /// Whether one of the moments that `of` names needs more than there is.
    fn over(&self, config: &ModelConfig, of: impl Fn(&str) -> bool) -> bool {
        let (moments, available) = (self.plan(config).moments, self.machine.available);
        moments.iter().any(|moment| of(moment.name) && moment.bytes() > available)
    }

    /// The settings that are others in `now`.
    fn changes(&self, now: &Self) -> Vec<(&'static str, String)> {
        let (a, b) = (&self.recipe.student, &now.recipe.student);
        let all = [
            ("student.lora.rank", a.lora.rank.to_string(), b.lora.rank.to_string()),
            ("student.slots", a.slots.to_string(), b.slots.to_string()),
            ("student.micro_batch_tokens", a.micro_batch_tokens.to_string(), b.micro_batch_tokens.to_string()),
            ("student.checkpointing", a.checkpointing.to_string(), b.checkpointing.to_string()),
            (
                "teacher.concurrency",
                self.recipe.teacher.concurrency.to_string(),
                now.recipe.teacher.concurrency.to_string(),
            ),
            ("--threads", self.machine.threads.to_string(), now.machine.threads.to_string()),
        ];
        all.into_iter().filter(|(_, before, after)| before != after).map(|(key, _, after)| (key, after)).collect()
    }
}

/// Makes settings smaller until the run fits, or none is left to make smaller. On a GPU the number of answers follows from
/// the memory already, and threads hold nothing.
fn shrunk(mut tried: Tried, config: &ModelConfig) -> Tried {
    let trains = |name: &str| name != SAMPLING && name != TEACHING;
    while tried.over(config, |name| name == TEACHING) && tried.recipe.teacher.concurrency > 1 {
        tried.recipe.teacher.concurrency = tried.recipe.teacher.concurrency.div_ceil(2);
    }
    while tried.on_cpu() && tried.over(config, |name| name == SAMPLING) && tried.recipe.student.slots > 1 {
        tried.recipe.student.slots = tried.recipe.student.slots.div_ceil(2);
    }
    // A pass gets no shorter than its longest sequence.
    let demand = tried.demand(config);
    let longest = demand.sft.longest.max(demand.grpo.longest).max(1);
    while tried.over(config, trains) && tried.recipe.student.micro_batch_tokens > longest {
        let halved = tried.recipe.student.micro_batch_tokens.div_ceil(2);
        tried.recipe.student.micro_batch_tokens = halved.max(longest);
    }
    tried.recipe.student.checkpointing |= tried.over(config, trains);
    while tried.on_cpu() && tried.plan(config).bytes() > tried.machine.available && tried.machine.threads > 1 {
        tried.machine.threads = tried.machine.threads.div_ceil(2);
    }
    tried
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::{Batch, parameters};
    use super::*;
    use crate::student::random::Shape;

    const GIB: u64 = 1 << 30;

    #[test]
    fn published_shapes_have_their_published_sizes() {
        assert_eq!(parameters(&Shape::Qwen25_05B.config().unwrap()), 494_032_768);
        assert_eq!(parameters(&Shape::Llama32_1B.config().unwrap()), 1_235_814_400);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let (mut recipe, config) = (Recipe::default(), Shape::Qwen25_05B.config().unwrap());
        recipe.data.train = 600;
        let on = |available| Machine { threads: 2, on: On::Cpu, available };
        let whole = fit(&recipe, &config, on(1000 * GIB)).unwrap().bytes();
        let mut seen = [0; 3];
        // From nearly enough down to nothing.
        for available in (0..40).map(|n| (whole - 1) * (40 - n) / 40) {
            let refused = fit(&recipe, &config, on(available)).unwrap_err();
            let text = refused.to_string();
            assert!(text.starts_with("memory: at most ") && !text.contains('\n'), "{text}");
            match refused.advice {
                Advice::Settings(settings) => {
                    let smaller = recipe
                        .clone()
                        .with(&settings.iter().map(|(k, v)| ((*k).into(), v.clone())).collect::<Vec<_>>());
                    assert!(fit(&smaller.unwrap(), &config, on(available)).is_ok(), "{text}");
                    assert!(!settings.is_empty() && text.contains("it fits with student."), "{text}");
                    seen[0] += 1;
                }
                Advice::Adapters(settings) => {
                    let smaller = recipe
                        .clone()
                        .with(&settings.iter().map(|(k, v)| ((*k).into(), v.clone())).collect::<Vec<_>>());
                    assert!(fit(&smaller.unwrap(), &config, on(available)).is_ok(), "{text}");
                    assert!(text.contains("adapters can: student.lora.rank = 16"), "{text}");
                    seen[1] += 1;
                }
                Advice::Nothing(least) => {
                    assert!(least > available && text.contains("smaller student"), "{text}");
                    seen[2] += 1;
                }
            }
        }
        assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    }

    #[test]
    fn a_run_that_only_measures_is_not_refused_for_what_training_would_take() {
        let (mut recipe, config) = (Recipe::default(), Shape::Qwen25_05B.config().unwrap());
        recipe.iterations = 0;
        let plan = fit(&recipe, &config, Machine { threads: 2, available: 6 * GIB, on: On::Cpu }).unwrap();
        assert_eq!(plan.moments.iter().map(|moment| moment.name).collect::<Vec<_>>(), ["sampling"]);
        let parts: Vec<&str> = plan.moments[0].parts.iter().map(|part| part.what).collect();
        assert!(!parts.contains(&"AdamW moments") && !parts.contains(&"base and reference"), "{parts:?}");
    }

    /// Gradients by hand: the sum and those of the shards beside it, in a step and, kept, between steps.
    #[test]
    fn every_set_of_gradients_is_counted() {
        let config = Shape::Qwen25_05B.config().unwrap();
        let base = Demand { micro_batch_tokens: 1024, ..Demand::of(&Recipe::default(), &config, 2) };
        let base = Demand { grpo: Batch { sequences: 64, longest: 1000 }, ..base };
        let gradients = |config: &crate::student::ModelConfig, demand: &Demand, name: &str| {
            let moment = plan(config, demand).moments.into_iter().find(|moment| moment.name == name).unwrap();
            moment.parts.iter().find(|part| part.what == "gradients").map_or(0, |part| part.bytes)
        };
        let (set, table) = (4 * 494_032_768, 4 * 151_936 * 896);
        for (name, demand, bytes) in [
            ("a GRPO step", base.clone(), 2 * set),
            ("sampling", base.clone(), 2 * set),
            ("a GRPO step", Demand { checkpointing: true, ..base.clone() }, 2 * set + table),
            ("a GRPO step", Demand { micro_batch_tokens: 1025, ..base.clone() }, 2 * set + table),
            ("an SFT step", Demand { sft: Batch { sequences: 1, longest: 9 }, ..base.clone() }, set),
            ("sampling", Demand { grpo: Batch::default(), sft: Batch::default(), ..base.clone() }, 0),
        ] {
            assert_eq!(gradients(&config, &demand, name), bytes, "{name}: {demand:?}");
        }
        // Of a small student each thread may be two shards ahead.
        let small = crate::student::ModelConfig { layers: 1, vocab_size: 500, ..config.clone() };
        let set = 4 * parameters(&small);
        for (threads, sequences, sets) in [(1, 64, 3), (2, 64, 5), (4, 3, 3)] {
            let sft = Batch { sequences, longest: 9 };
            assert_eq!(gradients(&small, &Demand { threads, sft, ..base.clone() }, "an SFT step"), sets * set);
        }
    }

    #[test]
    fn every_setting_that_is_named_lowers_its_moment() {
        let config = Shape::Qwen25_05B.config().unwrap();
        let base = Demand::of(&Recipe::default(), &config, 2);
        let bytes = |demand: &Demand, name: &str| {
            plan(&config, demand).moments.iter().find(|m| m.name == name).unwrap().bytes()
        };
        let fewer = Demand { slots: base.slots / 2, ..base.clone() };
        assert!(bytes(&fewer, "sampling") < bytes(&base, "sampling"));
        let shorter = Demand { micro_batch_tokens: base.micro_batch_tokens / 2, ..base.clone() };
        assert!(bytes(&shorter, "a GRPO step") < bytes(&base, "a GRPO step"));
        assert_eq!(bytes(&shorter, "sampling"), bytes(&base, "sampling"));
        // A small student's threads work side by side, each with gradients of its own.
        let small = crate::student::ModelConfig { layers: 1, vocab_size: 500, ..config };
        let bytes = |threads| plan(&small, &Demand { threads, ..base.clone() }).bytes();
        assert!(bytes(1) < bytes(2));
    }
}
