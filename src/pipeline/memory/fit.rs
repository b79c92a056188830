//! What to change so that a run fits into memory.

use super::{Demand, MemoryPlan, Moment, plan, size};
use crate::recipe::Recipe;
use crate::student::ModelConfig;

/// A run that needs more memory than there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{plan}, and {} are available; {}", size(*.available), advice(.settings, *.least))]
pub struct TooLarge {
    /// What it needs.
    pub plan: MemoryPlan,
    /// Bytes there are.
    pub available: u64,
    /// Settings under which it fits, with their values; empty where none of those tried do.
    pub settings: Vec<(&'static str, usize)>,
    /// What it needs with all of them as small as they go, in bytes.
    pub least: u64,
}

fn advice(settings: &[(&'static str, usize)], least: u64) -> String {
    let said: Vec<String> = settings
        .iter()
        .map(|(key, value)| match *key {
            "--threads" => format!("--threads {value}"),
            key => format!("{key} = {value}"),
        })
        .collect();
    if said.is_empty() {
        return format!(
            "the smallest settings would still need {}: take a smaller student or more memory",
            size(least)
        );
    }
    format!("it fits with {}", said.join(" and "))
}

/// Holds the plan of a run against `available` bytes.
///
/// # Errors
/// [`TooLarge`], with the settings that would make it fit: fewer sequences at once for sampling, smaller passes, then
/// fewer threads, for training. None of them changes what is learned beyond the rounding of sums.
pub fn fit(recipe: &Recipe, config: &ModelConfig, threads: usize, available: u64) -> Result<MemoryPlan, Box<TooLarge>> {
    let asked = Demand::of(recipe, config, threads);
    let whole = plan(config, &asked);
    if whole.bytes() <= available {
        return Ok(whole);
    }
    let mut demand = asked.clone();
    let over = |demand: &Demand, of: fn(&Moment) -> bool| {
        plan(config, demand).moments.iter().any(|moment| of(moment) && moment.bytes() > available)
    };
    let samples: fn(&Moment) -> bool = |moment| moment.name == "sampling";
    let trains: fn(&Moment) -> bool = |moment| moment.name != "sampling";
    while over(&demand, samples) && demand.slots > 1 {
        demand.slots = demand.slots.div_ceil(2);
    }
    // Passes get no shorter than their longest sequence.
    let longest = demand.sft.longest.max(demand.grpo.longest).max(1);
    demand.micro_batch_tokens = demand.micro_batch_tokens.max(longest);
    while over(&demand, trains) && demand.micro_batch_tokens > longest {
        demand.micro_batch_tokens = demand.micro_batch_tokens.div_ceil(2).max(longest);
    }
    while over(&demand, |_| true) && demand.threads > 1 {
        demand.threads = demand.threads.div_ceil(2);
    }
    let least = plan(config, &demand).bytes();
    let changed = [
        ("student.slots", asked.slots, demand.slots),
        ("student.micro_batch_tokens", asked.micro_batch_tokens, demand.micro_batch_tokens),
        ("--threads", asked.threads, demand.threads),
    ];
    let changed = changed.into_iter().filter(|(_, before, now)| now < before).map(|(key, _, now)| (key, now));
    let settings = if least <= available { changed.collect() } else { Vec::new() };
    Err(Box::new(TooLarge { plan: whole, available, settings, least }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::parameters;
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
        let (recipe, config) = (Recipe::default(), Shape::Qwen25_05B.config().unwrap());
        let whole = fit(&recipe, &config, 2, 1000 * GIB).unwrap();
        // Just too little: something has to change, and with the change it fits.
        let refused = fit(&recipe, &config, 2, whole.bytes() - 1).unwrap_err();
        assert!(!refused.settings.is_empty() && refused.least < whole.bytes());
        let mut smaller = recipe.clone();
        for (key, value) in &refused.settings {
            match *key {
                "student.slots" => smaller.student.slots = *value,
                "student.micro_batch_tokens" => smaller.student.micro_batch_tokens = *value,
                other => panic!("{other} for a student whose threads share their work"),
            }
        }
        assert!(fit(&smaller, &config, 2, whole.bytes() - 1).unwrap().bytes() <= whole.bytes() - 1);
        let text = refused.to_string();
        assert!(text.starts_with("memory: at most ") && text.contains("it fits with student."), "{text}");
        assert!(!text.contains('\n'));
        // Weights, moments and two copies alone are 9 GiB.
        let hopeless = fit(&recipe, &config, 2, 8 * GIB).unwrap_err();
        assert!(hopeless.settings.is_empty() && hopeless.least > 8 * GIB);
        assert!(hopeless.to_string().contains("smaller student"), "{hopeless}");
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
        let small = crate::student::ModelConfig { layers: 2, vocab_size: 500, ..config };
        let bytes = |threads| plan(&small, &Demand { threads, ..base.clone() }).bytes();
        assert!(bytes(1) < bytes(2));
    }
}
