//! By which kernels and in which precision a decoder computes.
//!
//! On the CPU these are kernels of our own, in single precision. Everywhere else, and on the CPU where a test asks for it,
//! the operations are compositions of ordinary tensor operations (`ops::portable`). Parameters are single precision
//! throughout: half precision casts them for each product, so that gradients come back to them in single precision.

use burn::tensor::{DType, Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::ops::{self, AttentionShape, portable};

/// In which precision matrices are multiplied and the residual stream is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16: 16 bits, the exponent of f32. Norms, softmax, log-probs, gradients of parameters and the optimizer stay
    /// in f32.
    Bf16,
}

impl Precision {
    /// The tensors' number type.
    pub fn dtype(self) -> DType {
        match self {
            Precision::F32 => DType::F32,
            Precision::Bf16 => DType::BF16,
        }
    }

    /// As a recipe spells it.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }
}

/// How a decoder's operations are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compute {
    /// By the CPU's own kernels, in f32; for tensors they can't take, as `Portable(F32)`.
    #[default]
    Kernels,
    /// By ordinary tensor operations, on any device.
    Portable(Precision),
}

impl Compute {
    /// The usual way on a device: its own kernels on the CPU, tensor operations in f32 elsewhere.
    pub fn of(device: &Device) -> Self {
        if ops::is_flex(device) { Compute::Kernels } else { Compute::Portable(Precision::F32) }
    }

    /// The precision.
    pub fn precision(self) -> Precision {
        match self {
            Compute::Kernels => Precision::F32,
            Compute::Portable(precision) => precision,
        }
    }

    /// Whether generation and training keep to one thread and leave their tensors on the device.
    pub fn is_portable(self) -> bool {
        matches!(self, Compute::Portable(_))
    }

    /// See [`ops::linear`].
    pub fn linear(self, x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        match self {
            Compute::Kernels => ops::linear(x, weight, bias),
            Compute::Portable(_) => portable::linear(x, weight, bias),
        }
    }

    /// See [`ops::embedding`]; the stream begins in this precision.
    pub fn embedding(self, weight: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
        match self {
            Compute::Kernels => ops::embedding(weight, ids),
            Compute::Portable(precision) => portable::embedding(weight, ids).cast(precision.dtype()),
        }
    }

    /// See [`ops::rms_norm`].
    pub fn rms_norm(self, x: Tensor<2>, gain: Tensor<1>, eps: f64) -> Tensor<2> {
        match self {
            Compute::Kernels => ops::rms_norm(x, gain, eps),
            Compute::Portable(_) => portable::rms_norm(x, gain, eps),
        }
    }

    /// See [`ops::swiglu`].
    pub fn swiglu(self, gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
        match self {
            Compute::Kernels => ops::swiglu(gate, up),
            Compute::Portable(_) => portable::swiglu(gate, up),
        }
    }

    /// See [`ops::causal_attention`]; `table` holds its cosines and sines.
    pub fn causal_attention(
        self,
        q: Tensor<2>,
        k: Tensor<2>,
        v: Tensor<2>,
        table: (Tensor<2>, Tensor<2>),
        shape: AttentionShape,
    ) -> Tensor<2> {
        match self {
            Compute::Kernels => ops::causal_attention(q, k, v, table.0, table.1, shape),
            Compute::Portable(_) => portable::causal_attention(q, k, v, table.0, table.1, shape),
        }
    }

    /// See [`ops::log_prob_head`].
    pub fn log_prob_head(
        self,
        h: Tensor<2>,
        weight: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f64,
    ) -> Tensor<1> {
        match self {
            Compute::Kernels => ops::log_prob_head(h, weight, targets, temperature),
            Compute::Portable(_) => ops::head::log_probs(h, weight, targets, temperature, ops::head::ROWS),
        }
    }

    /// See [`ops::log_prob_entropy`].
    pub fn log_prob_entropy(
        self,
        h: Tensor<2>,
        weight: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f64,
    ) -> (Tensor<1>, Tensor<1>) {
        match self {
            Compute::Kernels => ops::log_prob_entropy(h, weight, targets, temperature),
            Compute::Portable(_) => portable::log_prob_entropy(h.inner(), weight.inner(), targets.inner(), temperature),
        }
    }
}
