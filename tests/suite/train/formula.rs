//! The `formula` part of `grpo.json`: losses and gradients of GRPO without a model.

use burn::tensor::{Device, Tensor, TensorData};
use footbridge::recipe::{AdvantageScale, GrpoRecipe};
use footbridge::train::grpo::{Tokens, advantages, kl_terms, objective, policy_terms, token_weights};
use serde_json::Value;

use super::{assert_close, fixtures, grpo_recipe, numbers};

/// One case of the fixture, its sequences laid end to end.
struct Flat {
    lengths: Vec<usize>,
    current: Vec<f64>,
    old: Vec<f64>,
    reference: Vec<f64>,
    advantage: Vec<f64>,
}

impl Flat {
    fn new(case: &Value, advantage: &[f64]) -> Self {
        let sequences = case["sequences"].as_array().unwrap();
        let column = |name: &str| sequences.iter().flat_map(|s| numbers(&s[name])).collect();
        let lengths: Vec<usize> = sequences.iter().map(|s| s["current"].as_array().unwrap().len()).collect();
        Self {
            current: column("current"),
            old: column("old"),
            reference: column("ref"),
            advantage: spread(advantage, &lengths),
            lengths,
        }
    }
}

/// One value per sequence becomes one per token.
fn spread(values: &[f64], lengths: &[usize]) -> Vec<f64> {
    values.iter().zip(lengths).flat_map(|(v, n)| std::iter::repeat_n(*v, *n)).collect()
}

fn vector(values: &[f64], device: &Device) -> Tensor<1> {
    let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

fn host(tensor: Tensor<1>) -> Vec<f64> {
    tensor.into_data().try_into_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
}

fn formula() -> Value {
    let json: Value = serde_json::from_slice(&std::fs::read(fixtures().join("grpo.json")).unwrap()).unwrap();
    json["formula"].clone()
}

#[test]
fn losses_and_gradients_follow_the_reference() {
    let formula = formula();
    let device = Device::flex().autodiff();
    let advantage = advantages(&numbers(&formula["rewards"]), AdvantageScale::Std, 1e-6);
    for (got, want) in advantage.iter().zip(numbers(&formula["advantages"])) {
        assert_close("advantage", *got, want, 1e-5, 0.0);
    }
    for case in formula["cases"].as_array().unwrap() {
        let flat = Flat::new(case, &advantage);
        let tolerance = if case["name"] == "extreme" { 1e-4 } else { 1e-5 };
        for row in case["results"].as_array().unwrap() {
            let name = format!("{}, {}, dual {}, clip {}", case["name"], row["agg"], row["dual_clip"], row["clip"]);
            let recipe = grpo_recipe(row, &formula);
            check_row(&name, row, &flat, &recipe, tolerance, &device);
        }
    }
}

fn check_row(name: &str, row: &Value, flat: &Flat, recipe: &GrpoRecipe, tolerance: f64, device: &Device) {
    let weight = spread(&token_weights(&flat.lengths, recipe), &flat.lengths);
    let leaf = vector(&flat.current, device).require_grad();
    let tokens = Tokens {
        current: leaf.clone(),
        old: vector(&flat.old, device),
        reference: vector(&flat.reference, device),
        advantage: vector(&flat.advantage, device),
        weight: vector(&weight, device),
    };
    let objective = objective(tokens, recipe);
    let mut recorded = objective.loss.backward();
    let gradient = host(leaf.grad_remove(&mut recorded).unwrap());
    let shown = [objective.policy, objective.kl, objective.clipped, objective.dual_clipped, objective.surprise];
    let sums = shown.map(|number| host(number)[0]);
    let count = flat.current.len() as f64;

    assert_close(&format!("{name}: loss"), host(objective.loss)[0], row["loss"].as_f64().unwrap(), tolerance, 0.0);
    assert_close(&format!("{name}: policy"), sums[0], row["policy"].as_f64().unwrap(), tolerance, 0.0);
    assert_close(&format!("{name}: kl"), sums[1], row["kl"].as_f64().unwrap(), tolerance, 0.0);
    assert_close(name, sums[2] / count, row["clip_fraction"].as_f64().unwrap(), 0.0, 1e-6);
    assert_close(name, sums[3] / count, row["dual_clip_fraction"].as_f64().unwrap(), 0.0, 1e-6);
    assert_close(name, sums[4], -flat.current.iter().sum::<f64>(), 1e-5, 0.0);
    let want: Vec<f64> = row["gradient"].as_array().unwrap().iter().flat_map(numbers).collect();
    assert_eq!(gradient.len(), want.len());
    for (token, (got, want)) in gradient.iter().zip(want).enumerate() {
        if want == 0.0 {
            assert_eq!(*got, 0.0, "{name}: gradient of token {token}");
        }
        assert_close(&format!("{name}: gradient of token {token}"), *got, want, tolerance, 0.0);
    }
}

#[test]
fn terms_of_each_token_follow_the_reference() {
    let formula = formula();
    let device = Device::flex();
    let advantage = numbers(&formula["advantages"]);
    for case in formula["cases"].as_array().unwrap() {
        let flat = Flat::new(case, &advantage);
        let of = |name: &str| -> Vec<f64> { case[name].as_array().unwrap().iter().flat_map(numbers).collect() };
        let (current, old) = (vector(&flat.current, &device), vector(&flat.old, &device));
        let advantage = vector(&flat.advantage, &device);
        let mut recipe = GrpoRecipe::default();
        let plain = policy_terms(current.clone(), old.clone(), advantage.clone(), &recipe);
        recipe.dual_clip = Some(3.0);
        let dual = policy_terms(current.clone(), old, advantage, &recipe);
        let kl = kl_terms(current, vector(&flat.reference, &device), &recipe);
        let rows = [
            ("ratio", host(plain.ratio), of("ratio")),
            ("policy", host(plain.term), of("policy_terms")),
            ("policy, dual clip", host(dual.term), of("policy_terms_dual_clip")),
            ("kl", host(kl), of("kl_terms")),
        ];
        for (name, got, want) in rows {
            for (got, want) in got.iter().zip(want) {
                assert_close(name, *got, want, 1e-4, 1e-6);
            }
        }
    }
}
