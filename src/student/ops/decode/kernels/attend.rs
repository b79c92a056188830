//! Attention of one query per row over the block of keys and values, with a running softmax (Milakov and Gimelshein 2018;
//! Dao et al. 2022): scores stay in shared memory, a tile of columns at a time, and keys and values are read once for all
//! the query heads that share them.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::{Heads, dim, new};
use burn::backend::cubecl::dtype_to_storage_type;

/// Units of a cube, about; a multiple of a head's width.
const UNITS: usize = 128;
/// Units that look for the largest score of a tile together.
const LANES: usize = 8;
/// A score that stands for none.
const NONE: f32 = -1.0e30;

/// A cube does one row and one key head.
#[cube(launch)]
fn attend_kernel<F: Float>(
    queries: &Tensor<F>,
    keys: &Tensor<F>,
    values: &Tensor<F>,
    mask: &Tensor<f32>,
    out: &mut Tensor<F>,
    #[comptime] group: usize,
    #[comptime] width: usize,
    #[comptime] parts: usize,
    #[comptime] columns_at_once: usize,
    #[define(F)] _dtype: ElemType,
) {
    let units = comptime!(width * parts);
    let (row, head, unit) = (CUBE_POS_X as usize, CUBE_POS_Y as usize, UNIT_POS_X as usize);
    let columns = keys.shape(2);
    let mut asked = Shared::<[f32]>::new_slice(group * width);
    // One more column, so that units which read down a column hit different banks.
    let mut tile = Shared::<[f32]>::new_slice(columns_at_once * (width + 1usize));
    let mut scores = Shared::<[f32]>::new_slice(group * columns_at_once);
    let mut best = Shared::<[f32]>::new_slice(group * LANES);
    // The largest score so far, before this tile and after it, in turns.
    let mut largest = Shared::<[f32]>::new_slice(2usize * group);
    let mut sums = Shared::<[f32]>::new_slice(units);

    let mut i = unit;
    while i < group * width {
        asked[i] = f32::cast_from(queries[row * queries.stride(0) + head * group * width + i]);
        i += units;
    }
    let mut i = unit;
    while i < group {
        largest[i] = f32::new(NONE);
        i += units;
    }
    let (d, part) = (unit % width, unit / width);
    let mut weight = Array::<f32>::new(group);
    let mut mixed = Array::<f32>::new(group);
    #[unroll]
    for g in 0..group {
        weight[g] = 0.0f32;
        mixed[g] = 0.0f32;
    }
    let key_row = row * keys.stride(0) + head * keys.stride(1);
    let value_row = row * values.stride(0) + head * values.stride(1);
    let mask_row = row * mask.stride(0);
    sync_cube();

    let mut turn = 0usize;
    let mut first = 0usize;
    while first < columns {
        let mut i = unit;
        while i < columns_at_once * width {
            let (c, d) = (i / width, i % width);
            let column = first + c;
            let mut key = 0.0f32;
            if column < columns {
                if mask[mask_row + column] == 0.0f32 {
                    key = f32::cast_from(keys[key_row + column * keys.stride(2) + d]);
                }
            }
            tile[c * (width + 1usize) + d] = key;
            i += units;
        }
        sync_cube();
        let mut i = unit;
        while i < group * columns_at_once {
            let (g, c) = (i / columns_at_once, i % columns_at_once);
            let column = first + c;
            let mut score = f32::new(NONE);
            if column < columns {
                if mask[mask_row + column] == 0.0f32 {
                    let mut product = 0.0f32;
                    for d in 0..width {
                        product += asked[g * width + d] * tile[c * (width + 1usize) + d];
                    }
                    score = product;
                }
            }
            scores[i] = score;
            i += units;
        }
        sync_cube();
        let mut i = unit;
        while i < group * LANES {
            let (g, lane) = (i / LANES, i % LANES);
            let mut most = f32::new(NONE);
            let mut c = lane;
            while c < columns_at_once {
                if scores[g * columns_at_once + c] > most {
                    most = scores[g * columns_at_once + c];
                }
                c += LANES;
            }
            best[i] = most;
            i += units;
        }
        sync_cube();
        let mut i = unit;
        while i < group * columns_at_once {
            let g = i / columns_at_once;
            let most = after(&largest, &best, turn * group + g, g);
            let score = scores[i];
            let mut share = 0.0f32;
            if score > f32::new(NONE) {
                share = (score - most).exp();
            }
            scores[i] = share;
            i += units;
        }
        sync_cube();
        #[unroll]
        for g in 0..group {
            let before = largest[turn * group + g];
            let most = after(&largest, &best, turn * group + g, g);
            let fade = (before - most).exp();
            weight[g] *= fade;
            mixed[g] *= fade;
            if unit == g % units {
                largest[(1usize - turn) * group + g] = most;
            }
        }
        let mut c = part;
        while c < columns_at_once {
            let column = first + c;
            if column < columns {
                if mask[mask_row + column] == 0.0f32 {
                    let value = f32::cast_from(values[value_row + column * values.stride(2) + d]);
                    #[unroll]
                    for g in 0..group {
                        let share = scores[g * columns_at_once + c];
                        weight[g] += share;
                        mixed[g] += share * value;
                    }
                }
            }
            c += parts;
        }
        sync_cube();
        turn = 1usize - turn;
        first += columns_at_once;
    }

    // The parts of a cube have each gone over their own columns.
    #[unroll]
    for g in 0..group {
        tile[unit] = mixed[g];
        sums[unit] = weight[g];
        sync_cube();
        if part == 0usize {
            let mut all = 0.0f32;
            let mut total = 0.0f32;
            for p in 0..parts {
                all += tile[p * width + d];
                total += sums[p * width + d];
            }
            if total == 0.0f32 {
                total = 1.0f32;
            }
            let to = row * out.stride(0) + (head * group + g) * width + d;
            out[to] = F::cast_from(all / total);
        }
        sync_cube();
    }
}

/// The largest score of a head after this tile.
#[cube]
fn after(largest: &Shared<[f32]>, best: &Shared<[f32]>, before: usize, g: usize) -> f32 {
    let mut most = largest[before];
    for lane in 0..LANES {
        if best[g * LANES + lane] > most {
            most = best[g * LANES + lane];
        }
    }
    most
}

/// Columns of a tile: as many as a cube's shared memory of `most` bytes has room for, 64 at most.
fn tile(group: usize, width: usize, parts: usize, most: usize) -> usize {
    let bytes = |columns: usize| 4 * (group * (width + columns + LANES + 2) + columns * (width + 1) + width * parts);
    [64, 32, 16].into_iter().find(|columns| bytes(*columns) <= most).unwrap_or(LANES)
}

/// Attention of `queries [rows, heads · head_dim]`, scaled already.
pub(super) fn attend(
    queries: CubeTensor,
    keys: CubeTensor,
    values: CubeTensor,
    mask: CubeTensor,
    heads: Heads,
) -> CubeTensor {
    let Heads { heads, kv_heads, head_dim } = heads;
    let rows = dim(&queries, 0);
    let out = new(&queries, [rows, heads * head_dim], queries.dtype);
    let (group, parts) = (heads / kv_heads, (UNITS / head_dim).max(1));
    let tile = tile(group, head_dim, parts, queries.client.properties().hardware.max_shared_memory_size);
    attend_kernel::launch(
        &queries.client.clone(),
        CubeCount::Static(rows as u32, kv_heads as u32, 1),
        CubeDim::new_1d((parts * head_dim) as u32),
        queries.into_tensor_arg(),
        keys.into_tensor_arg(),
        values.into_tensor_arg(),
        mask.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        group,
        head_dim,
        parts,
        tile,
        dtype_to_storage_type(out.dtype),
    );
    out
}
