//! Where a student is: built in, in a folder, or on the hub.
//!
//! A path that exists wins over a hub id. So whoever has no network fills a folder of the id's name and leaves the recipe
//! as it is. A folder with an adapter (PEFT) is a student too: its base is found as it names it, and the adapter is added.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;

use crate::data::hub::{self, Hub, HubError, Kind, Step, Wanted};
use crate::data::world::base::BASE as WORLD_BASE;
use crate::student::adapter::Adapter;
use crate::student::folder::{stored_in_bytes, stored_in_folder};
use crate::student::lora::{ADAPTER_CONFIG, ADAPTER_WEIGHTS};
use crate::student::{ModelConfig, Student, StudentError, StudentFiles};

/// The word for the built-in base of the generated world.
pub const WORLD: &str = "world";

/// Files every student has.
const NEEDED: [&str; 3] = ["config.json", "tokenizer_config.json", "tokenizer.json"];
/// Files some students have.
const WELCOME: [&str; 4] =
    ["generation_config.json", "chat_template.jinja", "chat_template.json", "special_tokens_map.json"];
/// Weights in one file, and the list of several.
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Bytes between two lines about a download.
const SAY_EVERY: u64 = 50 << 20;
/// Adapters that may stand one on the other.
const ADAPTERS: usize = 8;

/// A student that cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// Neither here nor to be had.
    #[error(
        "there is no folder {id}, and {reason}; to go without the hub, fill the folder {id} with config.json, \
         generation_config.json, tokenizer.json, tokenizer_config.json and model.safetensors (or its parts and \
         model.safetensors.index.json)"
    )]
    Hub {
        /// As it was asked for.
        id: String,
        /// What the hub said.
        reason: HubError,
    },
    /// A folder that is not there, or not complete.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// An adapter whose base is not to be had.
    #[error(
        "{} is an adapter of {base:?}, which cannot be found from here: {reason}; put the base there, or say where it is \
         by base_model_name_or_path in {}", folder.display(), folder.join(ADAPTER_CONFIG).display()
    )]
    Base {
        /// Folder of the adapter.
        folder: PathBuf,
        /// The base as the adapter names it.
        base: String,
        /// Why there is none.
        reason: Box<LocateError>,
    },
    /// Adapters on adapters without an end.
    #[error("{}: adapters stand on {ADAPTERS} others, or on themselves; name a base that is none", .0.display())]
    Circle(PathBuf),
}

/// Where a student is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In the program.
    World,
    /// In a folder.
    Folder(PathBuf),
    /// An adapter, and where its base is.
    Adapted(Adapter, Box<Place>),
}

/// Finds a student by the word of a recipe: `world`, a folder (of a model or of an adapter), or a hub id such as
/// `Qwen/Qwen2.5-0.5B-Instruct`, possibly with `@revision`. What has to be fetched is fetched, and `tell` hears how far it has come.
///
/// # Errors
/// [`LocateError`], on one line.
pub fn locate(word: &str, tell: &mut dyn FnMut(&str)) -> Result<Place, LocateError> {
    locate_with(&Hub::from_env(), word, tell)
}

/// As [`locate`], from this hub.
///
/// # Errors
/// [`LocateError`], on one line.
pub fn locate_with(hub: &Hub, word: &str, tell: &mut dyn FnMut(&str)) -> Result<Place, LocateError> {
    found(hub, word, ADAPTERS, tell)
}

fn found(hub: &Hub, word: &str, adapters: usize, tell: &mut dyn FnMut(&str)) -> Result<Place, LocateError> {
    let path = Path::new(word);
    if word == WORLD {
        return Ok(Place::World);
    }
    if Adapter::is_in(path) {
        let left = adapters.checked_sub(1).ok_or_else(|| LocateError::Circle(path.to_path_buf()))?;
        let adapter = Adapter::read(path)?;
        let base = found(hub, &adapter.base, left, tell).and_then(Place::there);
        return match base {
            Ok(base) => Ok(Place::Adapted(adapter, Box::new(base))),
            Err(circle @ LocateError::Circle(_)) => Err(circle),
            Err(reason) => {
                let (folder, base) = (adapter.folder, adapter.base);
                Err(LocateError::Base { folder, base, reason: Box::new(reason) })
            }
        };
    }
    if path.exists() || !is_hub_id(word) {
        // What is missing there is told when it is read.
        return Ok(Place::Folder(path.to_path_buf()));
    }
    fetch(hub, word, tell).map(Place::Folder).map_err(|reason| LocateError::Hub { id: word.to_owned(), reason })
}

/// Whether a word has the form `owner/name` or `owner/name@revision`.
pub fn is_hub_id(word: &str) -> bool {
    let (id, revision) = word.split_once('@').unwrap_or((word, "main"));
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let mut parts = id.split('/');
    matches!((parts.next(), parts.next(), parts.next()), (Some(owner), Some(name), None) if plain(owner) && plain(name))
        && revision.split('/').all(plain)
}

/// Brings a student into the hub's cache and gives its folder there. Where all of it is in the cache already, nobody is
/// asked; weights come last, so that a download that broke off is not taken for a whole one.
fn fetch(hub: &Hub, id: &str, tell: &mut dyn FnMut(&str)) -> Result<PathBuf, HubError> {
    let alone = Hub { offline: true, ..hub.clone() };
    if let Ok(folder) =
        files(&alone, id, &mut |_| ()).and_then(|folder| weights(&alone, id, &mut |_| ()).map(|()| folder))
    {
        return Ok(folder);
    }
    let folder = files(hub, id, tell)?;
    for name in WELCOME {
        match get(hub, id, &[name], tell) {
            Ok(_) | Err(HubError::Missing { .. } | HubError::Offline { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    weights(hub, id, tell)?;
    Ok(folder)
}

/// The files every student has; gives their folder.
fn files(hub: &Hub, id: &str, tell: &mut dyn FnMut(&str)) -> Result<PathBuf, HubError> {
    let paths = get(hub, id, &NEEDED, tell)?;
    let folder = paths.first().and_then(|path| path.parent());
    Ok(folder.unwrap_or(Path::new("")).to_path_buf())
}

/// The weights: one file, or those of the index.
fn weights(hub: &Hub, id: &str, tell: &mut dyn FnMut(&str)) -> Result<(), HubError> {
    match get(hub, id, &[SINGLE], tell) {
        Err(HubError::Missing { .. } | HubError::Offline { .. }) => {}
        other => return other.map(drop),
    }
    let index = get(hub, id, &[INDEX], tell)?;
    // An index that cannot be read is told when the student is loaded.
    let bytes = index.first().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    let names = crate::student::folder::shards(&bytes).unwrap_or_default();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.is_empty() { Ok(()) } else { get(hub, id, &names, tell).map(drop) }
}

fn get(hub: &Hub, id: &str, names: &[&str], tell: &mut dyn FnMut(&str)) -> Result<Vec<PathBuf>, HubError> {
    let mut said = (String::new(), 0);
    let mut progress = |step: Step<'_>| {
        if step.file != said.0 {
            said = (step.file.to_owned(), 0);
        }
        if step.done >= said.1 + SAY_EVERY || (step.done == step.total && step.total >= SAY_EVERY) {
            said.1 = step.done;
            tell(&format!("{id}: {} {} of {} MB", step.file, step.done / 1_000_000, step.total / 1_000_000));
        }
    };
    hub::fetch(hub, id, Kind::Model, Wanted::Files(names), &mut progress)
}

impl Place {
    /// The small files; those of the base where it is an adapter.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn files(&self) -> Result<StudentFiles, StudentError> {
        match self {
            Place::World => Ok(world_files()),
            Place::Folder(folder) => StudentFiles::read(folder),
            Place::Adapted(_, base) => base.files(),
        }
    }

    /// Itself, where a folder is there.
    fn there(self) -> Result<Self, LocateError> {
        match &self {
            Place::Folder(folder) if !folder.is_dir() => {
                let path = folder.clone();
                Err(StudentError::Missing { what: "student folder", path }.into())
            }
            _ => Ok(self),
        }
    }

    /// The adapter, where it is one.
    pub fn adapter(&self) -> Option<&Adapter> {
        if let Place::Adapted(adapter, _) = self { Some(adapter) } else { None }
    }

    /// Shape and constants, without reading weights.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn config(&self) -> Result<ModelConfig, StudentError> {
        match self {
            Place::World => ModelConfig::from_json(WORLD_BASE.config),
            Place::Folder(folder) => ModelConfig::read(folder),
            Place::Adapted(_, base) => base.config(),
        }
    }

    /// Everything but the weights, which are zeros that take no memory; and how the weights are stored: bytes by number
    /// type.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn hollow(&self) -> Result<(Student, BTreeMap<String, u64>), StudentError> {
        match self {
            Place::World => Ok((Student::hollow(self.files()?)?, stored_in_bytes(SINGLE, WORLD_BASE.weights)?)),
            Place::Folder(folder) => Ok((Student::hollow(self.files()?)?, stored_in_folder(folder)?)),
            Place::Adapted(adapter, base) => {
                let (student, mut stored) = base.hollow()?;
                for (kind, bytes) in stored_in_bytes(ADAPTER_WEIGHTS, &adapter.weights()?)? {
                    *stored.entry(kind).or_default() += bytes;
                }
                Ok((student, stored))
            }
        }
    }

    /// Loads it onto `device`.
    ///
    /// # Errors
    /// As [`Student::load`].
    pub fn load(&self, device: &Device) -> Result<Student, StudentError> {
        match self {
            Place::World => Student::from_bytes(world_files(), WORLD_BASE.weights, device),
            Place::Folder(folder) => Student::load(folder, device),
            Place::Adapted(adapter, base) => adapter.added_to(&base.load(device)?),
        }
    }
}

/// The small files of the built-in base.
fn world_files() -> StudentFiles {
    StudentFiles {
        config: WORLD_BASE.config.to_vec(),
        tokenizer: WORLD_BASE.tokenizer.to_vec(),
        tokenizer_config: WORLD_BASE.tokenizer_config.to_vec(),
        generation_config: Some(WORLD_BASE.generation_config.to_vec()),
        ..StudentFiles::default()
    }
}
