//! The numbers of the paper and of the demo, held against the typed fields; and the table of settings against the types.

use super::*;

fn leaves(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(table) => {
            for (name, value) in table {
                leaves(&if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") }, value, into);
            }
        }
        None => assert!(into.insert(prefix.to_owned())),
    }
}

#[test]
fn every_field_of_the_types_is_in_the_table_of_settings() {
    let mut typed = BTreeSet::new();
    leaves("", &serde_json::to_value(Recipe::default()).unwrap(), &mut typed);
    let listed: BTreeSet<_> = FIELDS.iter().map(|field| field.key.to_owned()).collect();
    assert_eq!(listed.len(), FIELDS.len(), "no setting is listed twice");
    assert_eq!(listed, typed);
}

/// What serde lists in its message for a word that no enum has.
fn variants(key: &str, wrong: Value) -> Option<Vec<String>> {
    let mut recipe = serde_json::to_value(Recipe::default()).unwrap();
    *recipe.pointer_mut(&format!("/{}", key.replace('.', "/"))).unwrap() = wrong;
    let message = serde_json::from_value::<Recipe>(recipe).err()?.to_string();
    Some(message.split('`').skip(3).step_by(2).map(str::to_owned).collect())
}

#[test]
fn the_words_of_the_table_are_those_of_the_types() {
    let mut enums = 0;
    for field in FIELDS {
        let seen = match field.takes {
            Takes::OneOf(_) => variants(field.key, json!("no such word")),
            Takes::Several(_) => variants(field.key, json!(["no such word"])),
            _ => continue,
        };
        let Some(seen) = seen else { continue }; // free text in the types: a name that another module knows
        assert_eq!(seen, field.takes.words(), "{}", field.key);
        enums += 1;
    }
    assert!(enums >= 10, "{enums}");
}

#[test]
fn table_5_is_the_default_of_sft() {
    let Recipe { seed, sft, .. } = Recipe::default();
    assert_eq!((seed, sft.epochs, sft.batch, sft.max_tokens), (1111, 1, 8, 1536));
    assert_eq!((sft.lr_medium, sft.lr_bridged, sft.lr_recycled), (2e-5, 2e-5, 2e-5));
    assert_eq!((sft.warmup_ratio, sft.min_lr_ratio, sft.save_every), (0.2, 0.1, 100));
    assert_eq!(sft.adamw, AdamWRecipe { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, clip_norm: 1.0 });
    assert_eq!(sft.loss, SftLoss::SampleMean);
}

#[test]
fn table_6_is_the_default_of_grpo_and_of_sampling() {
    let Recipe { grpo, rollouts, difficulty, teacher, evaluate, .. } = Recipe::default();
    assert_eq!((grpo.epochs, grpo.prompts, grpo.mini_batch, grpo.group), (1, 16, 8, 8));
    assert_eq!((grpo.max_prompt_tokens, grpo.lr, grpo.final_lr_ratio, grpo.warmup_steps), (1024, 1e-6, 1.0, 0));
    assert_eq!((grpo.clip_low, grpo.clip_high, grpo.dual_clip, grpo.beta), (0.2, 0.2, None, 0.001));
    assert_eq!((grpo.agg, grpo.advantage_eps), (Aggregation::SeqMeanTokenMean, 1e-6));
    assert_eq!((grpo.log_ratio_clamp, grpo.kl_clamp, grpo.adamw.clip_norm), (20.0, 10.0, 1.0));
    assert_eq!((rollouts.group, rollouts.candidates), (8, Candidates::All));
    for sampling in [grpo.sampling, rollouts.sampling, difficulty.sampling, evaluate.sampling] {
        assert_eq!((sampling.temperature, sampling.top_p, sampling.max_new_tokens), (0.7, 0.9, 1024));
    }
    assert_eq!((teacher.temperature, teacher.top_p), (0.7, 0.9));
}

#[test]
fn the_readings_are_the_defaults() {
    let Recipe { iterations, data, difficulty, bridge, recycle, evaluate, .. } = Recipe::default();
    assert_eq!((iterations, data.dev), (2, 256));
    assert_eq!((difficulty.n, difficulty.medium_from, difficulty.simple_from), (64, 0.25, 0.75));
    assert_eq!((bridge.tau_i, bridge.tau_j, bridge.tau_d), (0.5, 0.5, TauD::Mean(MeanWord::Mean)));
    assert_eq!((recycle.weights, recycle.max_excerpt), ([1.0; 3], 120));
    assert_eq!((evaluate.n, evaluate.k), (64, 8));
}

#[test]
fn tables_8_and_9_are_in_the_paper_presets() {
    for (name, tau_d, tau_len, tau_steps) in
        [("paper-qwen2.5-0.5b", 0.99, 242.98, 7.36), ("paper-llama-3.2-1b", 1.26, 287.94, 13.67)]
    {
        let recipe = Recipe::preset(name).unwrap();
        assert_eq!(recipe.bridge.tau_d, TauD::Fixed(tau_d));
        assert_eq!((recipe.recycle.tau_len, recipe.recycle.tau_steps), (Some(tau_len), Some(tau_steps)));
        assert_eq!((&recipe.sft, &recipe.grpo), (&Recipe::default().sft, &Recipe::default().grpo));
    }
}
