//! A PEFT folder as a student: its numbers added into its base, found by the words a recipe has, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use footbridge::data::hub::Hub;
use footbridge::pipeline::locate::{LocateError, Place, locate_with};
use footbridge::recipe::LoraRecipe;
use footbridge::student::adapter::Adapter;
use footbridge::student::lora::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use footbridge::student::{Parameter, Student};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixtures::{checkpoints, cpu, student};

/// A base with adapters whose every number counts.
fn adapted(base: &Student) -> (Student, LoraRecipe) {
    let lora = LoraRecipe { rank: 3, alpha: 6.0, ..LoraRecipe::default() };
    let mut n = 0_u32;
    let model = base.model.clone().with_adapters(&lora, 7).map_trained(|_, old| {
        let Parameter::Matrix(values) = &old else { return old };
        let [rows, columns] = values.dims();
        let next = |_| {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(n >> 8) / f64::from(1 << 24) - 0.5) as f32 * 0.2
        };
        let numbers: Vec<f32> = (0..rows * columns).map(next).collect();
        Parameter::Matrix(Tensor::from_data(TensorData::new(numbers, [rows, columns]), &cpu()))
    });
    (base.with_model(model), lora)
}

/// A folder with an adapter of the first fixture, its base named `base`.
fn folder(base: &str) -> (TempDir, Student) {
    let (student, lora) = adapted(&student(&checkpoints()[0]));
    let home = TempDir::new().unwrap();
    for (name, bytes) in student.adapter_files(&lora, base).unwrap() {
        fs::write(home.path().join(name), bytes).unwrap();
    }
    (home, student)
}

fn find(word: &str) -> Result<Place, LocateError> {
    locate_with(&Hub { offline: true, ..Hub::at("http://127.0.0.1:9", Path::new("/no/cache")) }, word, &mut |_| ())
}

fn found(folder: &Path) -> Result<Place, LocateError> {
    find(folder.to_str().unwrap())
}

fn weights(student: &Student) -> Vec<Vec<u32>> {
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    student.model.named_parameters().iter().map(|p| bits(p.value.to_vec().unwrap())).collect()
}

fn edited(folder: &Path, key: &str, value: Value) {
    let path = folder.join(ADAPTER_CONFIG);
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config[key] = value;
    fs::write(&path, config.to_string()).unwrap();
}

#[test]
fn an_adapter_is_a_student_with_its_numbers_added_in() {
    let base = checkpoints()[0].clone();
    let (home, with) = folder(base.to_str().unwrap());
    let place = found(home.path()).unwrap();
    assert_eq!(place.config().unwrap(), with.config);
    assert_eq!(place.adapter().unwrap().lora.rank, 3);
    let loaded = place.load(&cpu()).unwrap();
    assert!(!loaded.model.adapted() && loaded.model.parameter_count() == student(&base).model.parameter_count());
    assert!(weights(&loaded) == weights(&with), "not the sums");
    assert!(weights(&loaded) != weights(&student(&base)), "nothing was added");
    let (_, stored) = place.hollow().unwrap();
    let whole: u64 = Place::Folder(base).hollow().unwrap().1.values().sum();
    let added = Adapter::read(home.path()).unwrap().weights().unwrap().len() as u64;
    assert!((whole + 1..whole + added).contains(&stored.values().sum()), "{stored:?}");

    // One more adapter on top of it, which names the first as its base.
    let top = TempDir::new().unwrap();
    let (twice, lora) = adapted(&loaded);
    for (name, bytes) in twice.adapter_files(&lora, home.path().to_str().unwrap()).unwrap() {
        fs::write(top.path().join(name), bytes).unwrap();
    }
    assert!(weights(&found(top.path()).unwrap().load(&cpu()).unwrap()) == weights(&twice));
}

#[test]
fn adapters_in_half_precision_are_read() {
    let (home, with) = folder(checkpoints()[0].to_str().unwrap());
    let path = home.path().join(ADAPTER_WEIGHTS);
    let bytes = fs::read(&path).unwrap();
    let whole = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let halves: Vec<(String, Vec<usize>, Vec<u8>)> = whole
        .iter()
        .map(|(name, view)| {
            let words = view.data().as_chunks::<4>().0.iter();
            let halves = words.flat_map(|w| burn::tensor::bf16::from_f32(f32::from_le_bytes(*w)).to_le_bytes());
            (name.to_owned(), view.shape().to_vec(), halves.collect())
        })
        .collect();
    let views = halves.iter().map(|(name, shape, data)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::BF16, shape.clone(), data).unwrap();
        (name.as_str(), view)
    });
    fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let loaded = found(home.path()).unwrap().load(&cpu()).unwrap();
    let far = |a: &Student, b: &Student| {
        let of = |s: &Student| s.model.named_parameters().iter().flat_map(|p| p.value.to_vec().unwrap()).collect();
        let (a, b): (Vec<f32>, Vec<f32>) = (of(a), of(b));
        a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let off = far(&loaded, &with);
    assert!(off > 0.0 && off < 2e-3, "{off}");
}

#[test]
fn what_is_no_plain_adapter_or_has_no_base_is_refused_in_a_line() {
    let base = checkpoints()[0].to_str().unwrap().to_owned();
    let cases: [(&str, Value, &str); 12] = [
        ("use_dora", json!(true), "use_dora is set"),
        ("rank_pattern", json!({"q_proj": 8}), "rank_pattern is set"),
        ("modules_to_save", json!(["lm_head"]), "modules_to_save is set"),
        ("peft_type", json!("IA3"), "peft_type \"IA3\" is not LORA"),
        ("bias", json!("all"), "Footbridge keeps frozen"),
        ("target_modules", json!(["lm_head"]), "target_modules names \"lm_head\""),
        ("target_modules", json!("all-linear"), "adapter_config.json:1: "),
        ("r", json!(0), "rank 0"),
        ("r", json!(5), "has shape"),
        ("base_model_name_or_path", Value::Null, "does not say whose adapter it is"),
        ("base_model_name_or_path", json!("/no/such/base"), "which cannot be found from here"),
        ("base_model_name_or_path", json!("owner/none"), "fill the folder owner/none"),
    ];
    for (key, value, part) in cases {
        let (home, _) = folder(&base);
        edited(home.path(), key, value.clone());
        let said = match found(home.path()) {
            Err(error) => error.to_string(),
            Ok(place) => place.load(&cpu()).unwrap_err().to_string(),
        };
        assert!(said.contains(part) && !said.contains('\n'), "{key} = {value}: {said}");
    }
    let (home, _) = folder(&base);
    edited(home.path(), "base_model_name_or_path", json!(home.path()));
    let circle = found(home.path()).unwrap_err().to_string();
    assert!(circle.contains("or on themselves"), "{circle}");
    edited(home.path(), "base_model_name_or_path", json!(base));
    fs::remove_file(home.path().join(ADAPTER_WEIGHTS)).unwrap();
    let said = found(home.path()).unwrap().load(&cpu()).unwrap_err().to_string();
    assert!(said.contains("the adapter's weights not found"), "{said}");
    assert_eq!(find("/no/folder").unwrap(), Place::Folder(PathBuf::from("/no/folder")));
}
