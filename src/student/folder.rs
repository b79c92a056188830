//! A student's folder in the usual Hugging Face layout: reading all of it, and writing it so that it loads back
//! identically (to a temporary folder, synced, renamed).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use serde_json::Value;

use super::Student;
use super::compute::Compute;
use super::config::ModelConfig;
use super::decoder::Decoder;
use super::error::StudentError;
use super::tiktoken;
use super::weights::{TensorFile, read_decoder, write_decoder};

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Files that other tools want, or that older folders have beside the ones below.
const CARRIED: [&str; 5] =
    ["special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.json"];

/// The small files of a checkpoint, byte for byte.
#[derive(Clone, Debug, Default)]
pub struct StudentFiles {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `tokenizer.json`; made from `tokenizer.model` where a folder has only Llama 3's original file.
    pub tokenizer: Vec<u8>,
    /// `tokenizer_config.json`.
    pub tokenizer_config: Vec<u8>,
    /// `chat_template.jinja`; takes precedence over the key of `tokenizer_config.json`.
    pub chat_template: Option<Vec<u8>>,
    /// `generation_config.json`.
    pub generation_config: Option<Vec<u8>>,
    /// Others, by name, that are only carried along.
    pub others: Vec<(String, Vec<u8>)>,
}

impl StudentFiles {
    /// Reads them from a folder.
    ///
    /// # Errors
    /// [`StudentError::Missing`] or [`StudentError::Io`].
    pub fn read(folder: &Path) -> Result<Self, StudentError> {
        if !folder.is_dir() {
            return Err(StudentError::Missing { what: "student folder", path: folder.to_path_buf() });
        }
        Self::of_tokenizer(folder, required("model configuration", &folder.join("config.json"))?)
    }

    /// Reads those that concern text from a folder, for a student with the configuration `config`.
    ///
    /// # Errors
    /// As [`StudentFiles::read`].
    pub fn of_tokenizer(folder: &Path, config: Vec<u8>) -> Result<Self, StudentError> {
        let mut others = Vec::new();
        for name in CARRIED {
            if let Some(bytes) = optional(&folder.join(name))? {
                others.push((name.to_owned(), bytes));
            }
        }
        let tokenizer_config = required("tokenizer configuration", &folder.join("tokenizer_config.json"))?;
        Ok(Self {
            config,
            tokenizer: tokenizer(folder, &tokenizer_config)?,
            tokenizer_config,
            chat_template: optional(&folder.join("chat_template.jinja"))?,
            generation_config: optional(&folder.join("generation_config.json"))?,
            others,
        })
    }

    /// Name and bytes of every file to write, `config.json` with the number type that is stored.
    fn to_write(&self) -> Vec<(&str, Vec<u8>)> {
        let mut files = self.as_they_are();
        files[0].1 = stored_as_f32(&self.config);
        files
    }

    /// Name and bytes of every file, `config.json` first.
    pub(crate) fn as_they_are(&self) -> Vec<(&str, Vec<u8>)> {
        let mut files = vec![
            ("config.json", self.config.clone()),
            ("tokenizer.json", self.tokenizer.clone()),
            ("tokenizer_config.json", self.tokenizer_config.clone()),
        ];
        files.extend(self.chat_template.clone().map(|bytes| ("chat_template.jinja", bytes)));
        files.extend(self.generation_config.clone().map(|bytes| ("generation_config.json", bytes)));
        files.extend(self.others.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())));
        files
    }
}

impl ModelConfig {
    /// Reads a folder's `config.json`.
    ///
    /// # Errors
    /// [`StudentError::Missing`], and those of [`ModelConfig::from_json`].
    pub fn read(folder: &Path) -> Result<Self, StudentError> {
        if !folder.is_dir() {
            return Err(StudentError::Missing { what: "student folder", path: folder.to_path_buf() });
        }
        Self::from_json(&required("model configuration", &folder.join("config.json"))?)
    }
}

impl Student {
    /// Loads a Hugging Face folder onto `device` (an autodiff device where the student is to be trained).
    ///
    /// # Errors
    /// Every fault of the folder as a [`StudentError`] of one clear line.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, StudentError> {
        let files = StudentFiles::read(folder)?;
        let config = ModelConfig::from_json(&files.config)?;
        let model = load_decoder(&config, folder, device)?;
        Self::assemble(files, config, model)
    }

    /// A student from parts in memory: its small files, and the bytes of one safetensors file.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn from_bytes(files: StudentFiles, weights: &[u8], device: &Device) -> Result<Self, StudentError> {
        let config = ModelConfig::from_json(&files.config)?;
        let file = TensorFile::open(WEIGHTS, Box::new(Cursor::new(weights)))?;
        let model = read_decoder(&config, WEIGHTS, &mut [file], device)?;
        Self::assemble(files, config, model)
    }

    /// A student whose weights are zeros that take no memory until they are asked for: all that can be said of one
    /// without reading its weights.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn hollow(files: StudentFiles) -> Result<Self, StudentError> {
        let config = ModelConfig::from_json(&files.config)?;
        let model = Decoder::zeros(&config, &Device::flex());
        Self::assemble(files, config, model)
    }

    /// The same student with fresh weights, a function of `seed`.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn fresh(files: StudentFiles, seed: u64, device: &Device) -> Result<Self, StudentError> {
        let config = ModelConfig::from_json(&files.config)?;
        let model = Decoder::fresh(&config, seed, device);
        Self::assemble(files, config, model)
    }

    /// The same student with the weights of another folder (a checkpoint of it), on `device`.
    ///
    /// # Errors
    /// [`StudentError`] if the weights do not fit the configuration.
    pub fn with_weights(&self, folder: &Path, device: &Device) -> Result<Self, StudentError> {
        Ok(self.with_model(load_decoder(&self.config, folder, device)?))
    }

    /// The same student, computing in this way.
    pub fn with_compute(mut self, compute: Compute) -> Self {
        self.model.compute = compute;
        self
    }

    /// The same student with another decoder.
    pub fn with_model(&self, model: Decoder) -> Self {
        Self { model, ..self.clone() }
    }

    /// Writes the folder so that it loads back identically. It appears whole or not at all: everything is written to
    /// a folder beside it, synced, then renamed; a folder that was there is replaced.
    ///
    /// # Errors
    /// [`StudentError::Io`], with nothing left behind.
    pub fn save(&self, folder: &Path) -> Result<(), StudentError> {
        let aside = |tag: &str| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            folder.with_file_name(format!(".{name}.{tag}-{}", std::process::id()))
        };
        let (fresh, old) = (aside("new"), aside("old"));
        let written = self.write_all(&fresh).and_then(|()| swap_in(&fresh, folder, &old));
        if written.is_err() {
            let _ = fs::remove_dir_all(&fresh);
        }
        written
    }

    /// The folder's files in memory: name and content.
    ///
    /// # Errors
    /// From the device, when the weights are read.
    pub fn to_files(&self) -> Result<Vec<(String, Vec<u8>)>, StudentError> {
        let mut files: Vec<(String, Vec<u8>)> =
            self.files.to_write().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let mut weights = Vec::new();
        write_decoder(&self.model, Path::new(WEIGHTS), &mut weights)?;
        files.push((WEIGHTS.to_owned(), weights));
        Ok(files)
    }

    fn write_all(&self, folder: &Path) -> Result<(), StudentError> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(StudentError::io("create", folder))?;
        for (name, bytes) in self.files.to_write() {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(StudentError::io("write", &path))?;
            sync(&path)?;
        }
        let path = folder.join(WEIGHTS);
        let file = File::create(&path).map_err(StudentError::io("create", &path))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        write_decoder(&self.model, &path, &mut out)?;
        sync(&path)?;
        sync(folder)
    }
}

fn swap_in(fresh: &Path, folder: &Path, old: &Path) -> Result<(), StudentError> {
    let replaces = folder.exists();
    if replaces {
        let _ = fs::remove_dir_all(old);
        fs::rename(folder, old).map_err(StudentError::io("replace", folder))?;
    }
    fs::rename(fresh, folder).map_err(StudentError::io("rename to", folder))?;
    if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
        sync(parent)?;
    }
    if replaces {
        fs::remove_dir_all(old).map_err(StudentError::io("remove", old))?;
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), StudentError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StudentError::io("sync", path))
}

/// `config.json` with `dtype` (or the older `torch_dtype`) as what is written; untouched where it says so already.
fn stored_as_f32(config: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(config) else { return config.to_vec() };
    let mut changed = false;
    for key in ["dtype", "torch_dtype"] {
        if let Some(dtype) = value.get_mut(key).filter(|dtype| dtype.as_str() != Some("float32")) {
            *dtype = Value::from("float32");
            changed = true;
        }
    }
    match serde_json::to_vec_pretty(&value) {
        Ok(text) if changed => text,
        _ => config.to_vec(),
    }
}

/// `tokenizer.json`, else what `tokenizer.model` comes to.
fn tokenizer(folder: &Path, settings: &[u8]) -> Result<Vec<u8>, StudentError> {
    let path = folder.join("tokenizer.json");
    match (optional(&path)?, optional(&folder.join("tokenizer.model"))?) {
        (Some(json), _) => Ok(json),
        (None, Some(model)) => tiktoken::tokenizer_json(&model, settings),
        (None, None) => Err(StudentError::Missing { what: "tokenizer", path }),
    }
}

fn load_decoder(config: &ModelConfig, folder: &Path, device: &Device) -> Result<Decoder, StudentError> {
    let (label, mut files) = weight_files(folder)?;
    read_decoder(config, label, &mut files, device)
}

/// The open files of a folder's weights, and the one that stands for them in messages.
fn weight_files(folder: &Path) -> Result<(&'static str, Vec<TensorFile<'static>>), StudentError> {
    let single = folder.join(WEIGHTS);
    if single.exists() {
        return Ok((WEIGHTS, vec![open(&single, WEIGHTS)?]));
    }
    let Some(index) = optional(&folder.join(INDEX))? else {
        return Err(StudentError::Missing { what: "weights", path: single });
    };
    let files = shards(&index)?.iter().map(|name| open(&folder.join(name), name)).collect::<Result<Vec<_>, _>>()?;
    Ok((INDEX, files))
}

/// How the weights of a folder are stored: bytes by number type.
///
/// # Errors
/// As [`Student::load`], without reading the numbers.
pub fn stored_in_folder(folder: &Path) -> Result<BTreeMap<String, u64>, StudentError> {
    let mut all = BTreeMap::new();
    weight_files(folder)?.1.iter().for_each(|file| file.count_stored(&mut all));
    Ok(all)
}

/// As [`stored_in_folder`], of one file in memory; `name` is for messages.
///
/// # Errors
/// As [`Student::load`], without reading the numbers.
pub fn stored_in_bytes(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, u64>, StudentError> {
    let mut all = BTreeMap::new();
    TensorFile::open(name, Box::new(Cursor::new(bytes)))?.count_stored(&mut all);
    Ok(all)
}

/// Names of the shards an index lists; only plain names, so that an index cannot point out of its folder.
pub(crate) fn shards(index: &[u8]) -> Result<Vec<String>, StudentError> {
    let bad = |message: String| StudentError::Json { file: INDEX.to_owned(), line: 0, message };
    let value: Value = serde_json::from_slice(index).map_err(|e| StudentError::json(INDEX, &e))?;
    let map = value.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| bad("it has no weight_map".to_owned()))?;
    let mut names = std::collections::BTreeSet::new();
    for name in map.values() {
        let plain = name.as_str().filter(|n| Path::new(n).file_name().is_some_and(|f| f == Path::new(n).as_os_str()));
        names.insert(plain.ok_or_else(|| bad(format!("{name} is not a file name")))?.to_owned());
    }
    Ok(names.into_iter().collect())
}

fn open(path: &Path, name: &str) -> Result<TensorFile<'static>, StudentError> {
    let file = File::open(path).map_err(|e| absent_or("read", "weights", path, e))?;
    TensorFile::open(name, Box::new(file))
}

fn required(what: &'static str, path: &Path) -> Result<Vec<u8>, StudentError> {
    fs::read(path).map_err(|e| absent_or("read", what, path, e))
}

fn optional(path: &Path) -> Result<Option<Vec<u8>>, StudentError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StudentError::io("read", path)(e)),
    }
}

fn absent_or(action: &'static str, what: &'static str, path: &Path, error: std::io::Error) -> StudentError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return StudentError::Missing { what, path: PathBuf::from(path) };
    }
    StudentError::io(action, path)(error)
}

/// Shared so that a student can be cloned to worker threads at no cost.
pub(crate) type SharedFiles = Arc<StudentFiles>;
