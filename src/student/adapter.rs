//! A PEFT folder (`adapter_config.json`, `adapter_model.safetensors`) as part of a student: what it says of itself, and its
//! numbers added into its base.
//!
//! Read is what Footbridge computes: plain LoRA on the linear maps of the layers. What else PEFT can do to a model (DoRA,
//! scaling by the root of the rank, ranks of single layers, trained embeddings) would change its outputs, so an adapter
//! that asks for it is refused by name instead of being read in part.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::StudentError;
use super::lora::{ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterConfig};
use super::parameters::{NamedParameter, Parameter};
use super::{Decoder, Student};
use crate::recipe::{LoraRecipe, LoraTarget};

/// Settings of PEFT that Footbridge does not compute; each must be absent, null, false or empty.
const FOREIGN: [&str; 10] = [
    "use_dora",
    "use_rslora",
    "lora_bias",
    "fan_in_fan_out",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layers_to_transform",
    "target_parameters",
    "trainable_token_indices",
];

/// An adapter that lies in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The folder.
    pub folder: PathBuf,
    /// Where its base is: a folder, a hub id, or `world`.
    pub base: String,
    /// Rank, scale and adapted maps.
    pub lora: LoraRecipe,
}

impl Adapter {
    /// Whether a folder holds an adapter and no model of its own.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(ADAPTER_CONFIG).is_file() && !folder.join("config.json").is_file()
    }

    /// Reads what the folder says of its adapter; the numbers are not read.
    ///
    /// # Errors
    /// A file that is missing or damaged, and what Footbridge does not compute.
    pub fn read(folder: &Path) -> Result<Self, StudentError> {
        let path = folder.join(ADAPTER_CONFIG);
        let bytes = fs::read(&path).map_err(StudentError::io("read", &path))?;
        let fault = |e: serde_json::Error| StudentError::json(ADAPTER_CONFIG, &e);
        let value: Value = serde_json::from_slice(&bytes).map_err(fault)?;
        for key in FOREIGN {
            let plain = match value.get(key) {
                None | Some(Value::Null | Value::Bool(false)) => true,
                Some(Value::Array(items)) => items.is_empty(),
                Some(Value::Object(map)) => map.is_empty(),
                Some(_) => false,
            };
            if !plain {
                return Err(unsupported(format!("{key} is set, and Footbridge computes plain LoRA only")));
            }
        }
        let config: AdapterConfig = serde_json::from_slice(&bytes).map_err(fault)?;
        if config.peft_type != "LORA" {
            return Err(unsupported(format!("peft_type {:?} is not LORA", config.peft_type)));
        }
        if config.bias != "none" {
            return Err(unsupported(format!("bias {:?} trains biases, which Footbridge keeps frozen", config.bias)));
        }
        if config.r == 0 || config.target_modules.is_empty() {
            return Err(unsupported("an adapter of rank 0, or on no map, is none".into()));
        }
        let base = config.base_model_name_or_path.filter(|base| !base.trim().is_empty());
        let base =
            base.ok_or_else(|| unsupported("base_model_name_or_path does not say whose adapter it is".into()))?;
        let targets = config.target_modules.iter().map(|name| target(name)).collect::<Result<Vec<_>, _>>()?;
        let lora = LoraRecipe { rank: config.r, alpha: config.lora_alpha, targets };
        Ok(Self { folder: folder.to_path_buf(), base, lora })
    }

    /// The bytes of its numbers, as a safetensors file.
    ///
    /// # Errors
    /// [`StudentError::Missing`] or [`StudentError::Io`].
    pub fn weights(&self) -> Result<Vec<u8>, StudentError> {
        let path = self.folder.join(ADAPTER_WEIGHTS);
        fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StudentError::Missing { what: "the adapter's weights", path: path.clone() },
            _ => StudentError::io("read", &path)(error),
        })
    }

    /// The student that comes of it: `base` with the adapter's numbers added into its matrices.
    ///
    /// # Errors
    /// Numbers that are damaged, or do not fit the base.
    pub fn added_to(&self, base: &Student) -> Result<Student, StudentError> {
        Ok(base.with_adapter_weights(&self.lora, &self.weights()?)?.merged_over(base.model.clone()))
    }

    /// In words, for people: `rank 16, alpha 32, on q_proj and v_proj, of models/qwen`.
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.lora.targets.iter().map(|target| target.name()).collect();
        format!("rank {}, alpha {}, on {}, of {}", self.lora.rank, self.lora.alpha, names.join(", "), self.base)
    }
}

impl Student {
    /// The same student with its adapters added into the matrices of `plain`, the decoder they were put on: the same
    /// outputs, and every weight trainable again.
    fn merged_over(&self, plain: Decoder) -> Self {
        let mut sums = self.model.named_parameters().into_iter();
        self.with_model(plain.map_parameters(|_, old| match sums.next() {
            Some(NamedParameter { value: Parameter::Matrix(sum), .. }) => Parameter::Matrix(sum.inner()),
            Some(NamedParameter { value: Parameter::Vector(sum), .. }) => Parameter::Vector(sum.inner()),
            None => old,
        }))
    }
}

fn target(name: &str) -> Result<LoraTarget, StudentError> {
    LoraTarget::ALL.into_iter().find(|target| target.name() == name).ok_or_else(|| {
        let known = LoraTarget::ALL.map(LoraTarget::name).join(", ");
        unsupported(format!("target_modules names {name:?}; Footbridge has adapters on {known}"))
    })
}

fn unsupported(message: String) -> StudentError {
    StudentError::Adapter { message }
}
