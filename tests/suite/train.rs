//! Tests of train.

use std::path::PathBuf;

use footbridge::recipe::{Aggregation, GrpoRecipe};
use serde_json::Value;

mod formula;
mod schedule;

/// The folder of fixtures; `FOOTBRIDGE_FIXTURES` names another set.
fn fixtures() -> PathBuf {
    std::env::var_os("FOOTBRIDGE_FIXTURES").map_or_else(|| PathBuf::from("tests/fixtures"), PathBuf::from)
}

/// A list of numbers.
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Within a relative plus an absolute tolerance.
fn assert_close(what: &str, got: f64, want: f64, relative: f64, absolute: f64) {
    let allowed = want.abs() * relative + absolute;
    assert!((got - want).abs() <= allowed, "{what}: {got} against {want}, allowed {allowed:e}");
}

/// The settings of one row of `grpo.json`.
fn grpo_recipe(row: &Value, section: &Value) -> GrpoRecipe {
    let clip = numbers(&row["clip"]);
    GrpoRecipe {
        agg: serde_json::from_value::<Aggregation>(row["agg"].clone()).expect("a known aggregation"),
        advantage: row
            .get("advantage")
            .map_or_else(Default::default, |a| serde_json::from_value(a.clone()).expect("a known scale")),
        dual_clip: row["dual_clip"].as_f64(),
        clip_low: clip[0],
        clip_high: clip[1],
        beta: section["beta"].as_f64().expect("beta"),
        norm_len: section["norm_len"].as_u64().expect("norm_len") as usize,
        ..GrpoRecipe::default()
    }
}
