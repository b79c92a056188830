//! LoRA (Hu et al. 2021) by burn's own adapters: a chosen linear map computes with `W + alpha/rank · A B`, W frozen.
//!
//! Deviations and readings: A starts normal with deviation 1/rank from a stream of our own, so that a run does not depend
//! on a global random state, and B starts at 0; there is no dropout; biases, norms and the embedding stay frozen. An
//! adapter is stored in the layout of PEFT (`adapter_config.json`, `adapter_model.safetensors`), where A is
//! `[rank, in]` and B `[out, rank]`; here they lie the other way round, A `[in, rank]` and B `[rank, out]`.

use burn::module::{Lora, LoraAdapter, Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::Student;
use super::decoder::Decoder;
use super::error::StudentError;
use super::parameters::{NamedParameter, Parameter, ParameterKind, Slot, normal, read};
use super::weights::to_f32;
use crate::recipe::LoraRecipe;

/// The adapter's numbers in a PEFT folder.
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";
/// The adapter's settings in a PEFT folder.
pub const ADAPTER_CONFIG: &str = "adapter_config.json";
/// PEFT puts this before the name that the base model knows a matrix by.
const PREFIX: &str = "base_model.model.";

/// What `adapter_config.json` says; fields of PEFT that Footbridge has no use for are written at their neutral value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterConfig {
    /// `LORA`.
    pub peft_type: String,
    /// `CAUSAL_LM`.
    #[serde(default)]
    pub task_type: Option<String>,
    /// Where the base is: a folder or hub id.
    #[serde(default)]
    pub base_model_name_or_path: Option<String>,
    /// Rank.
    pub r: usize,
    /// Scale is this over the rank.
    pub lora_alpha: f64,
    /// Not used in training here.
    #[serde(default)]
    pub lora_dropout: f64,
    /// Names of the adapted maps, such as `q_proj`.
    pub target_modules: Vec<String>,
    /// `none`: biases are frozen.
    #[serde(default = "none")]
    pub bias: String,
    /// Whether matrices are stored input first; never here.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    /// Whether the adapter is to be used, not trained further.
    #[serde(default)]
    pub inference_mode: bool,
}

fn none() -> String {
    "none".into()
}

impl Decoder {
    /// The decoder with everything frozen and a fresh adapter on every map that `lora` names; unchanged where it names
    /// none (rank 0). Its outputs are those it had. `seed` fixes the draw of A.
    pub fn with_adapters(mut self, lora: &LoraRecipe, seed: u64) -> Self {
        if !lora.on() {
            return self;
        }
        self = self.freeze();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (name, kind, slot) in self.slots() {
            let Slot::Matrix(param) = slot else { continue };
            let wanted =
                kind == ParameterKind::Linear && lora.targets.iter().any(|target| part_of(&name) == target.name());
            if wanted {
                let bare = std::mem::replace(param, Param::from_data([[0.0f32]], &param.val().device()));
                *param = bare.apply_lora(Lora::new(lora.rank, lora.alpha));
            }
        }
        let deviation = 1.0 / lora.rank as f64;
        self.map_trained(|name, value| {
            let count = value.dims().iter().product::<usize>();
            if !name.ends_with(A) {
                return value;
            }
            let draw = (0..count).map(|_| (normal(&mut rng) * deviation) as f32).collect::<Vec<f32>>();
            let device = match &value {
                Parameter::Vector(t) => t.device(),
                Parameter::Matrix(t) => t.device(),
            };
            value.shaped(Tensor::from_data(TensorData::new(draw, [count]), &device))
        })
    }

    /// Whether adapters are trained instead of the weights.
    pub fn adapted(&self) -> bool {
        let mut handles = self.clone();
        handles.slots().iter().any(|(_, _, slot)| matches!(slot, Slot::Matrix(p) if p.adapter().is_some()))
    }

    /// What training changes, in a fixed order: both factors of every adapter by their PEFT names, or, without adapters,
    /// [`Decoder::named_parameters`].
    pub fn trained_parameters(&self) -> Vec<NamedParameter> {
        if !self.adapted() {
            return self.named_parameters();
        }
        let mut handles = self.clone();
        let slots = handles.slots().into_iter();
        slots
            .filter_map(|(name, kind, slot)| match slot {
                Slot::Matrix(p) => p.adapter().map(|LoraAdapter { a, b, .. }| {
                    let factor = |part: &str, p: &Param<Tensor<2>>| {
                        let (name, value) = (factor_name(&name, part), Parameter::Matrix(p.val()));
                        NamedParameter { name, kind, value }
                    };
                    [factor(A, a), factor(B, b)]
                }),
                Slot::Vector(_) => None,
            })
            .flatten()
            .collect()
    }

    /// The decoder with everything that is trained replaced by `f(name, value)`, in the order of
    /// [`Decoder::trained_parameters`]; otherwise as [`Decoder::map_parameters`].
    pub fn map_trained(mut self, mut f: impl FnMut(&str, Parameter) -> Parameter) -> Self {
        if !self.adapted() {
            return self.map_parameters(f);
        }
        let plain = self.device().inner();
        for (name, _, slot) in self.slots() {
            let Slot::Matrix(param) = slot else { continue };
            if param.adapter().is_none() {
                continue;
            }
            let old = std::mem::replace(param, Param::from_data([[0.0f32]], &plain));
            *param = Module::map(old, &mut Factors { seen: 0, name: &name, f: &mut f });
        }
        self
    }
}

/// Endings of the factors' names.
const A: &str = "lora_A.weight";
const B: &str = "lora_B.weight";

/// `q_proj` of `model.layers.0.self_attn.q_proj.weight`.
fn part_of(name: &str) -> &str {
    name.trim_end_matches(".weight").rsplit('.').next().unwrap_or_default()
}

/// `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
fn factor_name(weight: &str, factor: &str) -> String {
    format!("{PREFIX}{}.{factor}", weight.trim_end_matches(".weight"))
}

/// Walks one adapted parameter: its base, then A, then B.
struct Factors<'a, F> {
    seen: usize,
    name: &'a str,
    f: &'a mut F,
}

impl<F: FnMut(&str, Parameter) -> Parameter> ModuleMapper for Factors<'_, F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let factor = [None, Some(A), Some(B)].get(self.seen).copied().flatten();
        self.seen += 1;
        let Some(factor) = factor else { return param };
        let name = factor_name(self.name, factor);
        param.map(|old| {
            let (dims, autodiff, keeps_grad) = (old.dims(), old.is_autodiff(), old.is_require_grad());
            let [rows, columns] = [dims[0], dims.get(1).copied().unwrap_or(1)];
            let plain: Tensor<2> = old.inner().reshape([rows, columns]);
            let new = (self.f)(&name, Parameter::Matrix(plain)).flat().reshape(dims);
            let new = if autodiff { Tensor::from_inner(new) } else { new };
            new.set_require_grad(keeps_grad)
        })
    }
}

impl Student {
    /// The same student with fresh adapters, see [`Decoder::with_adapters`].
    pub fn with_adapters(&self, lora: &LoraRecipe, seed: u64) -> Self {
        self.with_model(self.model.clone().with_adapters(lora, seed))
    }

    /// The adapter as the files of a PEFT folder: name and content. `base` is where the base model is.
    ///
    /// # Errors
    /// From the device, when the numbers are read.
    pub fn adapter_files(&self, lora: &LoraRecipe, base: &str) -> Result<Vec<(String, Vec<u8>)>, StudentError> {
        let mut entries = Vec::new();
        for NamedParameter { name, value, .. } in self.model.trained_parameters() {
            let Parameter::Matrix(factor) = value else { continue };
            let [rows, columns] = factor.dims();
            let values = read(factor.transpose().reshape([rows * columns]))?;
            entries.push((name, [columns, rows], values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
        }
        let fault = |e: safetensors::SafeTensorError| damaged(e.to_string());
        let mut views = Vec::with_capacity(entries.len());
        for (name, dims, data) in &entries {
            views.push((name.as_str(), TensorView::new(Dtype::F32, dims.to_vec(), data).map_err(fault)?));
        }
        let weights = safetensors::serialize(views, None).map_err(fault)?;
        let config = AdapterConfig {
            peft_type: "LORA".into(),
            task_type: Some("CAUSAL_LM".into()),
            base_model_name_or_path: Some(base.into()),
            r: lora.rank,
            lora_alpha: lora.alpha,
            lora_dropout: 0.0,
            target_modules: lora.targets.iter().map(|t| t.name().to_owned()).collect(),
            bias: none(),
            fan_in_fan_out: false,
            inference_mode: true,
        };
        let config = serde_json::to_vec_pretty(&config).map_err(|e| damaged(e.to_string()))?;
        Ok(vec![(ADAPTER_CONFIG.to_owned(), config), (ADAPTER_WEIGHTS.to_owned(), weights)])
    }

    /// The same student with an adapter of this shape whose numbers are those of a PEFT file.
    ///
    /// # Errors
    /// [`StudentError::Weights`] where the file is damaged or belongs to another shape.
    pub fn with_adapter_weights(&self, lora: &LoraRecipe, bytes: &[u8]) -> Result<Self, StudentError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
        let model = self.model.clone().with_adapters(lora, 0);
        let device = model.device();
        let wanted = model.trained_parameters();
        if tensors.len() != wanted.len() {
            let (found, wanted) = (tensors.len(), wanted.len());
            return Err(damaged(format!("it has {found} tensors, an adapter of this recipe has {wanted}")));
        }
        let mut factors = Vec::with_capacity(wanted.len());
        for NamedParameter { name, value, .. } in &wanted {
            let view = tensors.tensor(name).map_err(|_| damaged(format!("{name} is missing")))?;
            let (dims, found) = (value.dims(), view.shape());
            if found != [dims[1], dims[0]] {
                let expected = [dims[1], dims[0]];
                return Err(damaged(format!("{name} has shape {found:?}, the student's is {expected:?}")));
            }
            let dtype = view.dtype();
            let values = to_f32(view.data(), dtype);
            let values = values.ok_or_else(|| damaged(format!("{name} is stored as {dtype:?}, which is no float")))?;
            let stored: Tensor<2> = Tensor::from_data(TensorData::new(values, [dims[1], dims[0]]), &device);
            factors.push(stored.transpose());
        }
        let mut factors = factors.into_iter();
        let model = model.map_trained(|_, old| factors.next().map_or(old, Parameter::Matrix));
        Ok(self.with_model(model))
    }
}

fn damaged(message: String) -> StudentError {
    StudentError::Weights { file: ADAPTER_WEIGHTS.to_owned(), message }
}
