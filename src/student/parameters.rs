//! The parameters by their Hugging Face names, in one fixed order: the decoder's alphabet for loading, saving,
//! gradient norms and optimizer state. A tied embedding is one parameter.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::compute::Compute;
use super::config::ModelConfig;
use super::decoder::{Decoder, Layer, Linear};
use super::error::StudentError;

/// Parameters from which a decoder counts as large: 64 MiB.
const LARGE: usize = 1 << 24;

/// What a parameter is; decides how a file stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A norm's gain, `[width]`.
    Gain,
    /// A bias, `[out]`.
    Bias,
    /// Embedding or output matrix, `[vocab, hidden]` here and in files.
    Table,
    /// A linear map, `[in, out]` here, `[out, in]` in files.
    Linear,
}

/// A parameter's tensor.
#[derive(Clone, Debug)]
pub enum Parameter {
    /// Gain or bias.
    Vector(Tensor<1>),
    /// Table or linear map.
    Matrix(Tensor<2>),
}

impl Parameter {
    /// Its dimensions.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Parameter::Vector(t) => t.dims().to_vec(),
            Parameter::Matrix(t) => t.dims().to_vec(),
        }
    }

    /// Its gradient, on the plain device; `None` where the loss does not depend on it.
    pub fn grad(&self, grads: &Gradients) -> Option<Parameter> {
        match self {
            Parameter::Vector(t) => t.grad(grads).map(Parameter::Vector),
            Parameter::Matrix(t) => t.grad(grads).map(Parameter::Matrix),
        }
    }

    /// The entries in one row, `[entries]`.
    pub fn flat(self) -> Tensor<1> {
        match self {
            Parameter::Vector(t) => t,
            Parameter::Matrix(t) => {
                let [rows, columns] = t.dims();
                t.reshape([rows * columns])
            }
        }
    }

    /// The inverse of [`Parameter::flat`]: `[entries]` in the shape of `self`.
    pub fn shaped(&self, flat: Tensor<1>) -> Parameter {
        match self {
            Parameter::Vector(_) => Parameter::Vector(flat),
            Parameter::Matrix(t) => Parameter::Matrix(flat.reshape(t.dims())),
        }
    }

    /// The entries, row by row.
    ///
    /// # Errors
    /// [`StudentError::Device`] if the device fails or holds another number type.
    pub fn to_vec(&self) -> Result<Vec<f32>, StudentError> {
        read(self.clone().flat())
    }
}

/// Reads a row of numbers back from its device.
pub(crate) fn read(tensor: Tensor<1>) -> Result<Vec<f32>, StudentError> {
    let data = tensor.try_into_data().map_err(|e| StudentError::Device(super::device::one_line(&format!("{e:?}"))))?;
    data.try_to_vec::<f32>().map_err(|e| StudentError::Device(super::device::one_line(&format!("{e:?}"))))
}

/// A parameter with its name.
#[derive(Clone, Debug)]
pub struct NamedParameter {
    /// Hugging Face name, for example `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// What it is.
    pub kind: ParameterKind,
    /// Its tensor, on the model's device.
    pub value: Parameter,
}

/// A place in the decoder.
pub(crate) enum Slot<'a> {
    Vector(&'a mut Param<Tensor<1>>),
    Matrix(&'a mut Param<Tensor<2>>),
}

impl Decoder {
    /// A decoder of zeros (gains too) on `device`; numbers take memory only once they are asked for.
    pub fn zeros(config: &ModelConfig, device: &Device) -> Self {
        let vector = |n: usize| unfilled([n], device);
        let matrix = |a: usize, b: usize| unfilled([a, b], device);
        let linear = |a: usize, b: usize, bias: bool| Linear { weight: matrix(a, b), bias: bias.then(|| vector(b)) };
        let (d, q, kv, f) = (config.hidden_size, config.query_width(), config.kv_width(), config.intermediate_size);
        let layer = || Layer {
            input_norm: vector(d),
            q: linear(d, q, config.qkv_bias),
            k: linear(d, kv, config.qkv_bias),
            v: linear(d, kv, config.qkv_bias),
            o: linear(q, d, config.output_bias),
            q_norm: config.head_norms.then(|| vector(config.head_dim)),
            k_norm: config.head_norms.then(|| vector(config.head_dim)),
            post_norm: vector(d),
            gate: linear(d, f, false),
            up: linear(d, f, false),
            down: linear(f, d, false),
        };
        Self {
            embed: matrix(config.vocab_size, d),
            layers: (0..config.layers).map(|_| layer()).collect(),
            norm: vector(d),
            lm_head: (!config.tied).then(|| matrix(config.vocab_size, d)),
            config: config.clone(),
            compute: Compute::of(device),
        }
    }

    /// A fresh decoder: matrices normal with deviation `initializer_range`, gains 1, biases 0. A function of `seed`.
    pub fn fresh(config: &ModelConfig, seed: u64, device: &Device) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut decoder = Self::zeros(config, device);
        for (_, kind, slot) in decoder.slots() {
            let deviation = config.initializer_range;
            let mut fill = |n: usize| -> Vec<f32> {
                match kind {
                    ParameterKind::Gain => vec![1.0; n],
                    ParameterKind::Bias => vec![0.0; n],
                    _ => (0..n).map(|_| (normal(&mut rng) * deviation) as f32).collect(),
                }
            };
            match slot {
                Slot::Vector(p) => {
                    let [n] = p.lazy_shape().dims();
                    *p = Param::from_data(TensorData::new(fill(n), [n]), device);
                }
                Slot::Matrix(p) => {
                    let [a, b] = p.lazy_shape().dims();
                    *p = Param::from_data(TensorData::new(fill(a * b), [a, b]), device);
                }
            }
        }
        decoder
    }

    /// Every parameter by its Hugging Face name, in a fixed order (embedding, layers, last norm, output matrix).
    pub fn named_parameters(&self) -> Vec<NamedParameter> {
        // Cloning a decoder clones handles, not numbers.
        let mut handles = self.clone();
        let slots = handles.slots();
        slots
            .into_iter()
            .map(|(name, kind, slot)| {
                let value = match slot {
                    Slot::Vector(p) => Parameter::Vector(p.val()),
                    Slot::Matrix(p) => Parameter::Matrix(p.val()),
                };
                NamedParameter { name, kind, value }
            })
            .collect()
    }

    /// The decoder with every parameter replaced by `f(name, value)`, in the order of [`Decoder::named_parameters`].
    ///
    /// `f` works on plain tensors, outside any graph; identity and trainability of the parameters stay. `f` must keep
    /// the shape.
    pub fn map_parameters(mut self, mut f: impl FnMut(&str, Parameter) -> Parameter) -> Self {
        let plain = self.device().inner();
        for (name, _, slot) in self.slots() {
            match slot {
                Slot::Vector(p) => {
                    let old = std::mem::replace(p, Param::from_data([0.0f32], &plain));
                    *p = old.map(|t| replaced(t, |plain| f(&name, Parameter::Vector(plain)).flat()));
                }
                Slot::Matrix(p) => {
                    let old = std::mem::replace(p, Param::from_data([[0.0f32]], &plain));
                    *p = old.map(|t| replaced(t, |plain| f(&name, Parameter::Matrix(plain)).flat()));
                }
            }
        }
        self
    }

    /// Number of trained numbers; a tied matrix counts once.
    pub fn parameter_count(&self) -> usize {
        self.num_params()
    }

    /// Whether its weights come from memory at every step, beyond the caches of a core: then the threads should share
    /// each operation. A small decoder's threads do better with sequences of their own.
    pub fn is_large(&self) -> bool {
        self.parameter_count() >= LARGE
    }

    pub(crate) fn slots(&mut self) -> Vec<(String, ParameterKind, Slot<'_>)> {
        use ParameterKind::{Gain, Table};
        let mut all = vec![("model.embed_tokens.weight".to_owned(), Table, Slot::Matrix(&mut self.embed))];
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let at = format!("model.layers.{index}");
            let attention = [
                ("q_proj", &mut layer.q),
                ("k_proj", &mut layer.k),
                ("v_proj", &mut layer.v),
                ("o_proj", &mut layer.o),
            ];
            for (part, map) in attention {
                push_linear(&mut all, &format!("{at}.self_attn.{part}"), map);
            }
            for (part, norm) in [("q_norm", &mut layer.q_norm), ("k_norm", &mut layer.k_norm)] {
                if let Some(gain) = norm {
                    all.push((format!("{at}.self_attn.{part}.weight"), Gain, Slot::Vector(gain)));
                }
            }
            for (part, map) in
                [("gate_proj", &mut layer.gate), ("up_proj", &mut layer.up), ("down_proj", &mut layer.down)]
            {
                push_linear(&mut all, &format!("{at}.mlp.{part}"), map);
            }
            all.push((format!("{at}.input_layernorm.weight"), Gain, Slot::Vector(&mut layer.input_norm)));
            all.push((format!("{at}.post_attention_layernorm.weight"), Gain, Slot::Vector(&mut layer.post_norm)));
        }
        all.push(("model.norm.weight".to_owned(), Gain, Slot::Vector(&mut self.norm)));
        if let Some(head) = &mut self.lm_head {
            all.push(("lm_head.weight".to_owned(), Table, Slot::Matrix(head)));
        }
        all
    }
}

/// A linear map's matrix, and its bias where it has one.
fn push_linear<'a>(all: &mut Vec<(String, ParameterKind, Slot<'a>)>, at: &str, map: &'a mut Linear) {
    all.push((format!("{at}.weight"), ParameterKind::Linear, Slot::Matrix(&mut map.weight)));
    if let Some(bias) = &mut map.bias {
        all.push((format!("{at}.bias"), ParameterKind::Bias, Slot::Vector(bias)));
    }
}

/// A trainable parameter that becomes zeros when first read, unless it is replaced before.
fn unfilled<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let zeros = move |device: &Device, trained: bool| Tensor::zeros(shape, device).set_require_grad(trained);
    Param::uninitialized(ParamId::new(), zeros, device.clone(), true, shape.into())
}

/// `f` of the plain tensor, brought back to where `old` was: shape, autodiff association, whether its gradient is kept.
fn replaced<const D: usize>(old: Tensor<D>, f: impl FnOnce(Tensor<D>) -> Tensor<1>) -> Tensor<D> {
    let (dims, autodiff, keeps_grad) = (old.dims(), old.is_autodiff(), old.is_require_grad());
    let new = f(old.inner()).reshape(dims);
    let new = if autodiff { Tensor::from_inner(new) } else { new };
    new.set_require_grad(keeps_grad)
}

/// One standard normal draw (Box–Muller, cosine branch).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}
