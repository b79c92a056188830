//! Questions from files: what is read, what is refused and with which words, benchmarks, the hub, `footbridge data`.

use std::path::PathBuf;
use std::process::{Command, Output};

use footbridge::data::{DataError, Source, SourceSpec, open};
use footbridge::domain::Verifier;

#[path = "data/answers.rs"]
mod answers;
#[path = "data/bad.rs"]
mod bad;
#[path = "data/benchmarks.rs"]
mod benchmarks;
#[path = "data/hub.rs"]
mod hub;
#[path = "data/shell.rs"]
mod shell;

/// A file with these bytes, alone in a folder.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Opens a file with settings of `data.map`.
fn read(path: &std::path::Path, verifier: Verifier, set: &[(&str, &str)]) -> Result<Source, DataError> {
    let pairs: Vec<_> = set.iter().map(|(key, value)| (format!("data.map.{key}"), value.to_string())).collect();
    let map = footbridge::recipe::Recipe::preset("demo").unwrap().with(&pairs).unwrap().data.map;
    open(&SourceSpec { map, verifier: Some(verifier), ..SourceSpec::new(path.to_str().unwrap()) })
}

/// What a file is refused with: one line.
fn refused(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let (_folder, path) = file(name, bytes);
    let line = read(&path, Verifier::Gsm8kStrict, &[]).unwrap_err().to_string();
    assert!(!line.contains('\n') && line.contains(name), "{line}");
    line
}

/// The folder of public data, or nothing and a message.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FOOTBRIDGE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

fn footbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).output().unwrap()
}
