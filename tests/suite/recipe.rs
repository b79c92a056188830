//! Recipes: presets, merging, messages, writing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use footbridge::{
    cli,
    domain::Action,
    recipe::{
        AdamWRecipe, Aggregation, Arm, Candidates, FIELDS, Loaded, MeanWord, Recipe, RecipeError, SftLoss, Takes, TauD,
        preset_names,
    },
};
use serde_json::{Value, json};

#[path = "recipes/properties.rs"]
mod properties;
#[path = "recipes/tables.rs"]
mod tables;

/// The recipes of a folder, each with the text that stands beside it.
fn cases(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/recipes").join(folder);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    assert!(paths.len() > 4, "{} has recipes", folder.display());
    let beside = |path: &PathBuf| fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
    paths.into_iter().map(|path| (path.clone(), beside(&path))).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Compares all cases before it fails, so that one run shows everything that changed.
fn compare(cases: Vec<(PathBuf, String, String)>) {
    let differ = |(path, expected, seen): &(PathBuf, String, String)| {
        (expected != seen).then(|| format!("== {}\n-- expected\n{expected}\n-- seen\n{seen}", path.display()))
    };
    let different: Vec<_> = cases.iter().filter_map(differ).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn valid_files_say_what_stands_beside_them() {
    let show = |path: &Path| cli::recipe::show(path.to_str().unwrap(), true).unwrap_or_else(|error| error.to_string());
    compare(cases("valid").into_iter().map(|(path, expected)| (path.clone(), expected, show(&path))).collect());
}

#[test]
fn invalid_files_are_answered_with_every_problem_and_its_line() {
    let seen = |path: &Path| match Loaded::parse(&fs::read_to_string(path).unwrap(), &file_name(path)) {
        Ok(_) => "valid".to_owned(),
        Err(error) => format!("{error}\n"),
    };
    compare(cases("invalid").into_iter().map(|(path, expected)| (path.clone(), expected, seen(&path))).collect());
}

#[test]
fn a_problem_names_the_file_as_it_was_given() {
    let (path, _) = &cases("invalid")[0];
    let error = Recipe::load(path).unwrap_err().to_string();
    assert!(error.lines().all(|line| line.starts_with(&path.display().to_string())), "{error}");
}

#[test]
fn every_preset_is_valid_and_lists_only_what_differs_from_the_defaults() {
    for name in preset_names() {
        let preset = Loaded::find(name).unwrap();
        let changed = preset.recipe.differences(&Recipe::default()).len();
        assert_eq!(preset.named, changed, "{name} names a setting at its default");
        preset.recipe.validate().unwrap();
    }
}

#[test]
fn a_part_of_a_section_keeps_the_rest_of_that_section() {
    let recipe = Loaded::parse("extends = \"demo\"\n[grpo.adamw]\neps = 1e-6", "f").unwrap().recipe;
    let rest = Recipe::preset("demo").unwrap().grpo.adamw;
    assert_eq!(recipe.grpo.adamw, AdamWRecipe { eps: 1e-6, ..rest });
    assert_ne!(rest.beta2, AdamWRecipe::default().beta2, "GRPO's optimizer is not that of SFT");
}

#[test]
fn names_that_are_neither_preset_nor_file() {
    let unknown = Recipe::find("dmo").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no preset \"dmo\"; the nearest is \"demo\", and a recipe of your own is named as a file: my.toml"
    );
    let missing = Recipe::find("no/such/recipe.toml").unwrap_err();
    assert!(matches!(missing, RecipeError::Unreadable { .. }));
    assert!(missing.to_string().starts_with("no/such/recipe.toml: cannot be read: "), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Recipe::load(folder.path()), Err(RecipeError::Unreadable { .. })));
    let binary = folder.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(Recipe::load(&binary), Err(RecipeError::Unreadable { .. })));
}

#[test]
fn validate_finds_what_code_changed() {
    let mut recipe = Recipe::preset("demo").unwrap();
    recipe.validate().unwrap();
    recipe.grpo.mini_batch = 5;
    recipe.grpo.clip_low = f64::NAN;
    recipe.data.verifier = "gsm8k".into();
    let problems = recipe.validate().unwrap_err().to_string();
    let expected = [
        "data.verifier is \"gsm8k\"; it must be one of \"gsm8k-strict\", \"gsm8k-flexible\", \"lm-eval-strict\", \
         \"lm-eval-flexible\", \"numeric\", \"math\", \"hendrycks\", \"choice\"; the nearest is \"gsm8k-strict\"",
        "grpo.clip_low is not a finite number; it must be a number above 0 and below 1",
        "grpo.mini_batch is 5; it must divide grpo.prompts, 32",
    ];
    assert_eq!(problems.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn settings_of_the_command_line_replace_and_are_checked() {
    let set = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Recipe::preset("demo").unwrap().with(&pairs)
    };
    let recipe = set(&[
        ("grpo.lr", "5e-5"),
        ("arm", "raw-hard"),
        ("student.path", "7"),
        ("grpo.steps", "4, 5"),
        ("bridge.without", "drop,expand"),
        ("recycle.weights", "[1, 1, 1]"),
        ("recycle.tau_len", "\"mean\""),
        ("iterations", "1"),
        ("iterations", "3"),
    ])
    .unwrap();
    assert_eq!((recipe.grpo.lr, recipe.grpo.steps, recipe.student.path.as_str()), (5e-5, vec![4, 5], "7"));
    assert_eq!((recipe.arm, recipe.iterations, recipe.recycle.tau_len), (Arm::RawHard, 3, None));
    assert_eq!(recipe.bridge.without, [Action::Drop, Action::Expand]);

    let wrong =
        set(&[("grpo.lrr", "1"), ("grpo", "1"), ("arm", "raw"), ("grpo.lr", "fast\n"), ("seed", "")]).unwrap_err();
    let expected = [
        "--set: there is no setting grpo.lrr; the nearest is grpo.lr",
        "--set: grpo is a section; name one of its settings",
        "--set: arm is \"raw\"; it must be one of \"bridged\", \"raw-hard\", \"neutral\"; the nearest is \"raw-hard\"",
        "--set: grpo.lr is \"fast\\n\"; it must be a number above 0",
        "--set: seed is \"\"; it must be a whole number from 0 to 9223372036854775807",
    ];
    assert_eq!(wrong.to_string().lines().collect::<Vec<_>>(), expected);
    let relation = set(&[("grpo.mini_batch", "5")]).unwrap_err().to_string();
    assert_eq!(relation, "--set: grpo.mini_batch is 5; it must divide grpo.prompts, 32");
}

#[test]
fn show_says_everything_and_check_says_it_in_one_line() {
    let shown = cli::recipe::show("demo", false).unwrap();
    assert_eq!(Loaded::parse(&shown, "shown").unwrap().recipe, Recipe::preset("demo").unwrap());
    assert!(shown.contains("# peak rate (Table 6: 1e-6)"), "{shown}");
    assert!(shown.contains("# G, responses per prompt (Table 6)"), "{shown}");
    for field in FIELDS {
        assert!(shown.contains(field.about), "{}", field.key);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, "extends = \"demo\"\nseed = 7\ngrpo.group = 8\n").unwrap();
    let line = cli::recipe::check(&path).unwrap();
    assert_eq!(line, format!("{}: valid; extends demo, names 2 settings, 1 unlike demo\n", path.display()));
}
