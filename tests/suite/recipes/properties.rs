//! What holds of any recipe and of any text.

use std::ops::Bound;

use footbridge::recipe::{Field, Range};
use proptest::prelude::*;
use serde_json::Map;

use super::*;

fn number(range: Range) -> BoxedStrategy<Value> {
    let end = |bound, open| match bound {
        Bound::Included(end) | Bound::Excluded(end) => end,
        Bound::Unbounded => open,
    };
    let (low, high) = (end(range.0, -1e9), end(range.1, 1e9));
    let near = (0..300i32).prop_map(move |digits| low + 10f64.powi(-digits));
    prop_oneof![low..high, near, Just(low), Just(high)]
        .prop_filter_map("out of range", move |number| Takes::Number(range).accept(&json!(number)))
        .boxed()
}

/// Values that a setting takes.
fn fitting(takes: Takes) -> BoxedStrategy<Value> {
    match takes {
        Takes::Whole(least, most) => prop_oneof![least..=most, least..=least + 100].prop_map(Value::from).boxed(),
        Takes::Number(range) => number(range),
        Takes::NumberOr(range, word) => prop_oneof![number(range), Just(json!(word))].boxed(),
        Takes::Switch => any::<bool>().prop_map(Value::from).boxed(),
        Takes::Text => {
            any::<String>().prop_filter("blank", |text| !text.trim().is_empty()).prop_map(Value::from).boxed()
        }
        Takes::TextOrNone => any::<String>().prop_map(Value::from).boxed(),
        Takes::Texts => prop::collection::vec("[a-z0-9/ .\"\\\\-]{0,6}[a-z]", 0..4).prop_map(Value::from).boxed(),
        Takes::Device => prop::sample::select(vec!["auto", "cpu", "cuda", "cuda:3"]).prop_map(Value::from).boxed(),
        Takes::OneOf(words) => prop::sample::select(words).prop_map(Value::from).boxed(),
        Takes::Wholes(least, most) => prop::collection::vec(least..=most, 0..4).prop_map(Value::from).boxed(),
        Takes::Numbers(count, range) => prop::collection::vec(number(range), count).prop_map(Value::from).boxed(),
        Takes::Several(words) => prop::collection::vec(prop::sample::select(words), 0..4).prop_map(Value::from).boxed(),
    }
}

fn nested(values: Vec<Value>) -> Value {
    let mut root = Value::Object(Map::new());
    for (Field { key, .. }, value) in FIELDS.iter().zip(values) {
        *key.split('.').fold(&mut root, |table, name| &mut table[name]) = value;
    }
    root
}

/// Any recipe that holds, built by serde alone.
fn recipe() -> impl Strategy<Value = Recipe> {
    let values: Vec<_> = FIELDS.iter().map(|field| fitting(field.takes)).collect();
    (values, 0.0..=1.5f64, 0.0..=1.5f64).prop_map(|(values, first, second)| {
        let mut recipe: Recipe = serde_json::from_value(nested(values)).unwrap();
        recipe.grpo.prompts = recipe.grpo.mini_batch;
        recipe.recycle.weights = [first, second, 3.0 - first - second];
        recipe.evaluate.k = recipe.evaluate.k.min(recipe.evaluate.n.max(1));
        recipe.data.train = recipe.data.train.max(1);
        recipe.teacher.base_url = "https://localhost/v1".into();
        recipe.teacher.model.push('m');
        recipe.teacher.path.push('p');
        recipe.teacher.replay.push('r');
        recipe.teacher.api_key_env = "SOME_KEY_2".into();
        recipe.teacher.price_in += 0.1;
        recipe.teacher.extra_body = "{\"a\": [null, \"b\"]}".into();
        let difficulty = &mut recipe.difficulty;
        difficulty.medium_from = difficulty.medium_from.min(difficulty.simple_from) / 2.0;
        difficulty.sampling.temperature += 0.1;
        recipe.evaluate.sampling.temperature += 0.1;
        recipe.rollouts.sampling.temperature += 0.1;
        recipe.grpo.sampling.temperature += 0.1;
        recipe.teacher.temperature += 0.1;
        recipe
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn writing_and_reading_gives_the_same_recipe(recipe in recipe()) {
        let text = recipe.to_toml();
        prop_assert_eq!(&Loaded::parse(&text, "written").unwrap_or_else(|e| panic!("{e}\n{text}")).recipe, &recipe);
        recipe.validate().unwrap();
    }

    #[test]
    fn the_difference_to_any_preset_gives_the_same_recipe(recipe in recipe()) {
        for preset in preset_names().map(Some).chain([None]) {
            let text = recipe.diff_to_preset(preset).unwrap();
            let read = Loaded::parse(&text, "difference").unwrap_or_else(|e| panic!("{e}\n{text}"));
            prop_assert_eq!(&read.recipe, &recipe);
            prop_assert_eq!(read.extends, preset);
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_every_problem_is_one_line(text in any::<String>(), key in "[a-z_.\"]{1,8}") {
        for text in [text.clone(), format!("{key} = {text}"), format!("[grpo]\n{key} = \"\"\"{text}\"\"\""), format!("[{key}]\nlr = {text}")] {
            if let Err(RecipeError::Invalid(problems)) = Loaded::parse(&text, "f") {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(!problem.text.contains(char::is_control), "{:?}", problem.text);
                    prop_assert!(problem.line.is_none_or(|line| line <= text.split('\n').count()));
                }
            }
        }
    }
}

#[test]
fn a_slip_in_any_name_is_answered_with_that_name() {
    for field in FIELDS {
        for slip in [format!("{}s", field.key), format!("{}_", field.key)] {
            if footbridge::recipe::field(&slip).is_some() {
                continue;
            }
            let error = Loaded::parse(&format!("extends = \"demo\"\n\n{slip} = 1"), "f").unwrap_err();
            let nearest = format!("the nearest is {}", field.key);
            let expected = format!("f:3: there is no setting {slip}; {nearest}");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn every_setting_refuses_what_it_does_not_take_on_the_right_line() {
    for field in FIELDS {
        for wrong in ["2026-11-21", "[[]]", "-1e30", "\"\"", "nan"] {
            if wrong == "\"\"" && matches!(field.takes, Takes::TextOrNone) {
                continue;
            }
            let error = Loaded::parse(&format!("extends = \"demo\"\n{} = {wrong}", field.key), "f").unwrap_err();
            let start = format!("f:2: {} is ", field.key);
            assert!(error.to_string().starts_with(&start), "{error}");
            assert!(error.to_string().contains(&field.takes.describe()), "{error}");
        }
    }
}
