//! Kernels of our own for decoding on a GPU, where a step is many small operations: each does in one launch what the
//! portable body ([`super`]) needs five to two hundred for.
//!
//! Written in CubeCL, so that they run on whatever burn's `Cube` backend runs on: CUDA, and Vulkan, where they are tested on
//! machines without an NVIDIA GPU (feature `vulkan`). They are launched with bounds checks, which is what makes them safe.
//! Sums over a row go through shared memory in a fixed order: the same input gives the same bits.

#[allow(clippy::collapsible_if, reason = "the second condition reads what the first says is there")]
mod attend;
mod draw;
mod norm;
mod reduce;
#[cfg(test)]
mod tests;
mod turn;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};
use burn::tensor::{DType, Shape};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, kernel};

use super::Heads;

/// What is done to queries and keys before they are used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turning {
    /// The heads of the row.
    pub heads: Heads,
    /// Whether the row still lacks its bias.
    pub biased: bool,
    /// Whether each head is normalised (RMSNorm) before it is rotated.
    pub normed: bool,
    /// The norm's ε.
    pub eps: f32,
    /// Column of the block that keys and values go into.
    pub column: usize,
}

/// The operations of [`super`] on a backend's own tensors; arguments and shapes as there.
#[backend_extension(Cube, Fusion: cfg(feature = "fusion"))]
pub trait DecodeOps: Backend {
    /// `x + delta`, and its RMSNorm.
    #[fusion(meta = |x, _delta, _gain, _eps| (x.clone(), x.clone()))]
    fn add_norm(
        x: FloatTensor<Self>,
        delta: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        eps: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// RMSNorm.
    #[fusion(dtype = x, shape = x)]
    fn norm(x: FloatTensor<Self>, gain: FloatTensor<Self>, eps: f32) -> FloatTensor<Self>;
    /// SwiGLU of `[gate | up]`.
    #[fusion(dtype = gate_up, shape = Shape::new([gate_up[0], gate_up[1] / 2]))]
    fn gated(gate_up: FloatTensor<Self>) -> FloatTensor<Self>;
    /// Rotated queries; keys and values in their places. `norms` is `[2, head_dim]`: the gains of queries and of keys.
    #[allow(clippy::too_many_arguments, reason = "an operation has the tensors it has")]
    #[fusion(meta = |row, _bias, _norms, _cos, _sin, _places, keys, values, turning| {
        let mut queries = row.clone();
        queries.shape = Shape::new([row.shape[0], turning.heads.heads * turning.heads.head_dim]);
        (queries, keys.clone(), values.clone())
    })]
    fn turn(
        row: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norms: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        places: IntTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        turning: Turning,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// Attention of one query per row.
    #[fusion(dtype = queries, shape = queries)]
    fn attend(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        heads: Heads,
    ) -> FloatTensor<Self>;
    /// A token of each row, and 1 where the row's logits are no numbers.
    #[fusion(meta = |logits, _shares, _scale, _top_p, _least| {
        let mut ints = logits.clone();
        (ints.shape, ints.dtype) = (Shape::new([logits.shape[0]]), DType::I32);
        (ints.clone(), ints)
    })]
    fn pick(
        logits: FloatTensor<Self>,
        shares: FloatTensor<Self>,
        scale: f32,
        top_p: f32,
        least: f32,
    ) -> (IntTensor<Self>, IntTensor<Self>);
}

impl DecodeOps for CubeBackend {
    fn add_norm(x: CubeTensor, delta: CubeTensor, gain: CubeTensor, eps: f32) -> (CubeTensor, CubeTensor) {
        norm::add_norm(lined(x), lined(delta), gain, eps)
    }

    fn norm(x: CubeTensor, gain: CubeTensor, eps: f32) -> CubeTensor {
        norm::norm(lined(x), gain, eps)
    }

    fn gated(gate_up: CubeTensor) -> CubeTensor {
        norm::gated(lined(gate_up))
    }

    fn turn(
        row: CubeTensor,
        bias: CubeTensor,
        norms: CubeTensor,
        cos: CubeTensor,
        sin: CubeTensor,
        places: CubeTensor,
        keys: CubeTensor,
        values: CubeTensor,
        turning: Turning,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let extra = turn::Extra { bias, norms: lined(norms), cos: lined(cos), sin: lined(sin), places };
        turn::turn(lined(row), extra, keys, values, turning)
    }

    fn attend(queries: CubeTensor, keys: CubeTensor, values: CubeTensor, mask: CubeTensor, heads: Heads) -> CubeTensor {
        attend::attend(lined(queries), lined(keys), lined(values), lined(mask), heads)
    }

    fn pick(logits: CubeTensor, shares: CubeTensor, scale: f32, top_p: f32, least: f32) -> (CubeTensor, CubeTensor) {
        draw::pick(lined(logits), shares, (scale, top_p, least))
    }
}

/// A device that runs the kernels, for tests: the machine's first by Vulkan (feature `vulkan`), else its first by CUDA. Where
/// there is none it says so.
#[allow(clippy::print_stderr, reason = "tests say what they leave out")]
pub fn to_test_on() -> Option<burn::tensor::Device> {
    #[cfg(feature = "vulkan")]
    return Some(burn::tensor::Device::wgpu(burn::tensor::DeviceKind::DefaultDevice));
    #[cfg(not(feature = "vulkan"))]
    {
        let found = crate::student::device::cuda_devices().into_iter().next();
        if found.is_none() {
            eprintln!("there is no CUDA device: what it would compute is not tested");
        }
        found
    }
}

/// The tensor with neighbours in its last dimension beside each other in memory, which is all that the kernels ask for:
/// they step over rows by the tensor's own strides.
fn lined(tensor: CubeTensor) -> CubeTensor {
    if tensor.meta.strides().last().is_none_or(|step| *step == 1) { tensor } else { kernel::into_contiguous(tensor) }
}

/// A new tensor beside `like`, its values not written yet.
fn new(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape.into(), dtype)
}

/// Size of a dimension.
fn dim(tensor: &CubeTensor, index: usize) -> usize {
    tensor.meta.shape()[index]
}
