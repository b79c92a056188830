//! From the product of a row with the query, key and value matrices to rotated queries, and to keys and values in their
//! places of the block, which is written where it stands.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::{Turning, dim, new};
use burn::backend::cubecl::dtype_to_storage_type;

/// What belongs to a row besides its products.
pub(super) struct Extra {
    pub bias: CubeTensor,
    pub norms: CubeTensor,
    pub cos: CubeTensor,
    pub sin: CubeTensor,
    pub places: CubeTensor,
}

/// A cube does one head of one row, a unit a pair of its values (`i` and `half + i`).
#[cube(launch)]
fn turn_kernel<F: Float, I: Int>(
    row: &Tensor<F>,
    bias: &Tensor<F>,
    norms: &Tensor<f32>,
    cos: &Tensor<f32>,
    sin: &Tensor<f32>,
    places: &Tensor<I>,
    queries: &mut Tensor<F>,
    keys: &mut Tensor<F>,
    values: &mut Tensor<F>,
    column: u32,
    eps: f32,
    scale: f32,
    #[comptime] turning: (usize, usize, usize, bool, bool),
    #[define(F, I)] _dtypes: [ElemType; 2],
) {
    let (heads, kv_heads, half, biased, normed) = turning;
    let (at, head, i) = (CUBE_POS_X as usize, CUBE_POS_Y as usize, UNIT_POS_X as usize);
    let mut shared = Shared::<[f32]>::new_slice(half);
    let from = head * (2usize * half) + i;
    let base = at * row.stride(0);
    let mut low = row[base + from];
    let mut high = row[base + from + half];
    if biased {
        low += bias[from];
        high += bias[from + half];
    }
    if head >= heads + kv_heads {
        let to =
            at * values.stride(0) + (head - heads - kv_heads) * values.stride(1) + column as usize * values.stride(2);
        values[to + i] = low;
        values[to + half + i] = high;
    } else {
        let is_key = head >= heads;
        let mut a = f32::cast_from(low);
        let mut b = f32::cast_from(high);
        if normed {
            shared[i] = a * a + b * b;
            sync_cube();
            let mut squares = 0.0f32;
            for j in 0..half {
                squares += shared[j];
            }
            let root = (squares / f32::cast_from((2usize * half) as u32) + eps).sqrt();
            let gains = if is_key { norms.stride(0) } else { 0usize };
            // Rounded as the norm of a whole row is.
            a = f32::cast_from(F::cast_from(a / root * norms[gains + i]));
            b = f32::cast_from(F::cast_from(b / root * norms[gains + half + i]));
        }
        let place = u32::cast_from(places[at]) as usize;
        let c = cos[place * cos.stride(0) + i];
        let s = sin[place * sin.stride(0) + i];
        let (turned_low, turned_high) = (a * c - b * s, b * c + a * s);
        if is_key {
            let to = at * keys.stride(0) + (head - heads) * keys.stride(1) + column as usize * keys.stride(2);
            keys[to + i] = F::cast_from(turned_low);
            keys[to + half + i] = F::cast_from(turned_high);
        } else {
            let to = at * queries.stride(0) + from;
            queries[to] = F::cast_from(turned_low * scale);
            queries[to + half] = F::cast_from(turned_high * scale);
        }
    }
}

/// Rotated and scaled queries; keys and values with the row's own in `column`.
pub(super) fn turn(
    row: CubeTensor,
    extra: Extra,
    keys: CubeTensor,
    values: CubeTensor,
    turning: Turning,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let Turning { heads: h, biased, normed, eps, column } = turning;
    let rows = dim(&row, 0);
    let queries = new(&row, [rows, h.heads * h.head_dim], row.dtype);
    let (keys, values) = (own(keys), own(values));
    let half = h.head_dim / 2;
    let dtypes = [dtype_to_storage_type(row.dtype), dtype_to_storage_type(extra.places.dtype)];
    turn_kernel::launch(
        &row.client.clone(),
        CubeCount::Static(rows as u32, (h.heads + 2 * h.kv_heads) as u32, 1),
        CubeDim::new_1d(half as u32),
        row.into_tensor_arg(),
        extra.bias.into_tensor_arg(),
        extra.norms.into_tensor_arg(),
        extra.cos.into_tensor_arg(),
        extra.sin.into_tensor_arg(),
        extra.places.into_tensor_arg(),
        queries.clone().into_tensor_arg(),
        keys.clone().into_tensor_arg(),
        values.clone().into_tensor_arg(),
        column as u32,
        eps,
        (h.head_dim as f32).powf(-0.5),
        (h.heads, h.kv_heads, half, biased, normed),
        dtypes,
    );
    (queries, keys, values)
}

/// The block itself where nobody else holds it, a copy otherwise.
fn own(block: CubeTensor) -> CubeTensor {
    let block = super::lined(block);
    if block.can_mut() && block.is_nonoverlapping() { block } else { block.copy() }
}
