//! The fixture set: every checkpoint folder that lies in it, whatever its name.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use footbridge::domain::Message;
use footbridge::student::Student;
use serde_json::Value;
use tempfile::TempDir;

/// `FOOTBRIDGE_FIXTURES`, or the set that comes with the source.
pub fn root() -> PathBuf {
    std::env::var_os("FOOTBRIDGE_FIXTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), PathBuf::from)
}

/// Folders with a `config.json` and an `expected.json`, in order of name. At least one.
pub fn checkpoints() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("the fixtures folder can be read");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.join("config.json").is_file() && path.join("expected.json").is_file())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no checkpoint folder in {}", root().display());
    folders
}

/// A folder's name.
pub fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

/// The JSON file `file`.
pub fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))).unwrap()
}

/// A checkpoint's `expected.json`.
pub fn expected(folder: &Path) -> Value {
    json(&folder.join("expected.json"))
}

/// The plain CPU device.
pub fn cpu() -> Device {
    Device::flex()
}

/// A checkpoint on the CPU.
pub fn student(folder: &Path) -> Student {
    Student::load(folder, &cpu()).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

/// A copy of a checkpoint that a test may spoil.
pub fn copy(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// Messages as the fixtures write them.
pub fn messages(value: &Value) -> Vec<Message> {
    serde_json::from_value(value.clone()).unwrap()
}

/// A list of whole numbers.
pub fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| u32::try_from(v.as_u64().unwrap()).unwrap()).collect()
}

/// A list of positions.
pub fn places(value: &Value) -> Vec<usize> {
    ids(value).into_iter().map(|v| v as usize).collect()
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Asserts that two rows agree entry by entry within `tolerance`.
pub fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let difference = (f64::from(*g) - w).abs();
        assert!(difference <= tolerance, "{what}[{i}]: got {g}, want {w}, off by {difference:.2e}");
    }
}

/// Logits after each of `ids`, `[ids.len()][vocab]`, by one pass over all of them.
pub fn logits(student: &Student, ids: &[u32]) -> Vec<Vec<f32>> {
    let row: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let device = student.model.device();
    let input = Tensor::<2, Int>::from_data(TensorData::new(row, [1, ids.len()]), &device);
    let hidden = student.model.hidden(input, &student.rope(ids.len()));
    let all: Vec<f32> = student.model.logits(hidden).into_data().try_to_vec().unwrap();
    all.chunks(student.config.vocab_size).map(<[f32]>::to_vec).collect()
}

/// Index of the largest entry, the first of several.
pub fn argmax(row: &[f32]) -> u32 {
    let mut best = 0;
    for (i, v) in row.iter().enumerate() {
        if *v > row[best] {
            best = i;
        }
    }
    u32::try_from(best).unwrap()
}
