//! RMSNorm, with the sum before it, and SwiGLU.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::reduce::{UNITS, sum};
use super::{dim, new};
use burn::backend::cubecl::dtype_to_storage_type;

/// A cube normalises one row; with `added` of the sum, which it writes too.
#[cube(launch)]
fn norm_kernel<F: Float>(
    x: &Tensor<F>,
    delta: &Tensor<F>,
    gain: &Tensor<f32>,
    total: &mut Tensor<F>,
    out: &mut Tensor<F>,
    eps: f32,
    #[comptime] added: bool,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let mut shared = Shared::<[f32]>::new_slice(units);
    let row = CUBE_POS_X as usize;
    let width = x.shape(1);
    let (from, step, to) = (row * x.stride(0), row * delta.stride(0), row * out.stride(0));
    let mut squares = 0.0f32;
    let mut i = UNIT_POS_X as usize;
    while i < width {
        let mut value = x[from + i];
        if added {
            value += delta[step + i];
            total[to + i] = value;
        }
        let value = f32::cast_from(value);
        squares += value * value;
        i += units;
    }
    let mean = sum(squares, &mut shared) / f32::cast_from(width as u32);
    let root = (mean + eps).sqrt();
    let mut i = UNIT_POS_X as usize;
    while i < width {
        let value = if added { total[to + i] } else { x[from + i] };
        out[to + i] = F::cast_from(f32::cast_from(value) / root * gain[i]);
        i += units;
    }
}

/// `x + delta` and its norm.
pub(super) fn add_norm(x: CubeTensor, delta: CubeTensor, gain: CubeTensor, eps: f32) -> (CubeTensor, CubeTensor) {
    let (total, out) = (new(&x, [dim(&x, 0), dim(&x, 1)], x.dtype), new(&x, [dim(&x, 0), dim(&x, 1)], x.dtype));
    launch(x, delta, gain, (&total, &out), eps, true);
    (total, out)
}

/// The norm of `x`.
pub(super) fn norm(x: CubeTensor, gain: CubeTensor, eps: f32) -> CubeTensor {
    let out = new(&x, [dim(&x, 0), dim(&x, 1)], x.dtype);
    launch(x.clone(), x, gain, (&out, &out), eps, false);
    out
}

fn launch(
    x: CubeTensor,
    delta: CubeTensor,
    gain: CubeTensor,
    (total, out): (&CubeTensor, &CubeTensor),
    eps: f32,
    added: bool,
) {
    norm_kernel::launch(
        &x.client.clone(),
        CubeCount::Static(dim(&x, 0) as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        x.into_tensor_arg(),
        delta.into_tensor_arg(),
        gain.into_tensor_arg(),
        total.clone().into_tensor_arg(),
        out.clone().into_tensor_arg(),
        eps,
        added,
        UNITS,
        dtype_to_storage_type(out.dtype),
    );
}

/// A unit makes one value.
#[cube(launch)]
fn gated_kernel<F: Float>(gate_up: &Tensor<F>, out: &mut Tensor<F>, #[define(F)] _dtype: ElemType) {
    let width = out.shape(1);
    let place = ABSOLUTE_POS;
    if place < out.shape(0) * width {
        let (row, i) = (place / width, place % width);
        let from = row * gate_up.stride(0) + i;
        let gate = f32::cast_from(gate_up[from]);
        let up = f32::cast_from(gate_up[from + width]);
        let to = row * out.stride(0) + i;
        out[to] = F::cast_from(gate / (1.0f32 + (-gate).exp()) * up);
    }
}

/// `silu(gate) · up`.
pub(super) fn gated(gate_up: CubeTensor) -> CubeTensor {
    let out = new(&gate_up, [dim(&gate_up, 0), dim(&gate_up, 1) / 2], gate_up.dtype);
    let client = gate_up.client.clone();
    let units = CubeDim::new_1d(UNITS as u32);
    gated_kernel::launch(
        &client,
        calculate_cube_count_elemwise(&client, dim(&out, 0) * dim(&out, 1), units),
        units,
        gate_up.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        dtype_to_storage_type(out.dtype),
    );
    out
}
