//! One token from each row of logits: what `sample::draw` does, in one launch.

use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

use super::super::{HALVINGS, MOST};
use super::reduce::{UNITS, largest, sum};
use super::{dim, new};
use burn::backend::cubecl::dtype_to_storage_type;

/// Thresholds that one pass over a row tries: as much as three halvings.
const TRIED: usize = 7;

/// A cube draws from one row. `scale` of 0 is greedy; a `top_p` of 1 takes all tokens.
#[cube(launch)]
fn pick_kernel<F: Float>(
    logits: &Tensor<F>,
    shares: &Tensor<f32>,
    tokens: &mut Tensor<i32>,
    broken: &mut Tensor<i32>,
    scale: f32,
    top_p: f32,
    least: f32,
    #[comptime] greedy: bool,
    #[comptime] nucleus: bool,
    #[comptime] units: usize,
    #[define(F)] _dtype: ElemType,
) {
    let mut shared = Shared::<[f32]>::new_slice(units);
    let (row, unit) = (CUBE_POS_X as usize, UNIT_POS_X as usize);
    let (begin, vocab) = (row * logits.stride(0), logits.shape(1));
    let mut mine = f32::min_value();
    let mut i = unit;
    while i < vocab {
        let logit = f32::cast_from(logits[begin + i]);
        if logit > mine {
            mine = logit;
        }
        i += units;
    }
    let top = largest(mine, &mut shared);
    let mut mine = 0.0f32;
    let mut i = unit;
    while i < vocab {
        mine += ((f32::cast_from(logits[begin + i]) - top) * scale).exp();
        i += units;
    }
    let total = sum(mine, &mut shared);
    // Also false where it is no number.
    let fine = total > 0.0f32 && total <= f32::max_value();
    if unit == 0usize {
        broken[row] = if fine { 0i32 } else { 1i32 };
    }
    if greedy {
        first_of(logits, tokens, top, &mut shared, units);
    } else {
        let mut floor = f32::min_value();
        if nucleus {
            floor = threshold(logits, (top, scale, total * top_p, least), units);
        }
        walk(logits, tokens, (top, scale, floor, shares[row]), &mut shared, units);
    }
}

/// The first token whose logit is `top`.
#[cube]
fn first_of<F: Float>(
    logits: &Tensor<F>,
    tokens: &mut Tensor<i32>,
    top: f32,
    shared: &mut Shared<[f32]>,
    #[comptime] units: usize,
) {
    let (row, unit) = (CUBE_POS_X as usize, UNIT_POS_X as usize);
    let (begin, vocab) = (row * logits.stride(0), logits.shape(1));
    // Token numbers are whole in single precision up to 2^24, more than any vocabulary has.
    let mut mine = f32::min_value();
    let mut i = unit;
    while i < vocab {
        if f32::cast_from(logits[begin + i]) == top && mine == f32::min_value() {
            mine = 0.0f32 - f32::cast_from(i as u32);
        }
        i += units;
    }
    let first = largest(mine, shared);
    if unit == 0usize {
        tokens[row] = if first > f32::min_value() { i32::cast_from(0.0f32 - first) } else { 0i32 };
    }
}

/// The log of the weight down to which tokens are in the nucleus that weighs at least `wanted`: bisection from `least` up,
/// three halvings in each pass over the row. What lies over `low` is enough; over `low` and `step` it is not.
#[cube]
fn threshold<F: Float>(logits: &Tensor<F>, row_of: (f32, f32, f32, f32), #[comptime] units: usize) -> f32 {
    let (top, scale, wanted, least) = row_of;
    let mut shared = Shared::<[f32]>::new_slice(TRIED * units);
    let (row, unit) = (CUBE_POS_X as usize, UNIT_POS_X as usize);
    let (begin, vocab) = (row * logits.stride(0), logits.shape(1));
    let mut low = least;
    let mut step = 0.0f32 - least;
    for _pass in 0..HALVINGS / 3usize {
        let part = step * 0.125f32;
        let mut over = Array::<f32>::new(TRIED);
        #[unroll]
        for k in 0..TRIED {
            over[k] = 0.0f32;
        }
        let mut i = unit;
        while i < vocab {
            let x = (f32::cast_from(logits[begin + i]) - top) * scale;
            if x >= low {
                let weight = x.exp();
                #[unroll]
                for k in 0..TRIED {
                    if x >= low + part * f32::cast_from(k as u32 + 1u32) {
                        over[k] += weight;
                    }
                }
            }
            i += units;
        }
        #[unroll]
        for k in 0..TRIED {
            shared[k * units + unit] = over[k];
        }
        sync_cube();
        let mut half = CUBE_DIM_X as usize / 2usize;
        while half > 0usize {
            if unit < half {
                #[unroll]
                for k in 0..TRIED {
                    let other = shared[k * units + unit + half];
                    shared[k * units + unit] += other;
                }
            }
            sync_cube();
            half /= 2usize;
        }
        // The largest threshold that is still enough; sums fall with it.
        let mut enough = 0u32;
        #[unroll]
        for k in 0..TRIED {
            if shared[k * units] >= wanted {
                enough = k as u32 + 1u32;
            }
        }
        low += part * f32::cast_from(enough);
        step = part;
        sync_cube();
    }
    low
}

/// The first token, by its number, at which the running sum of the weights from `floor` on passes the share of all.
#[cube]
fn walk<F: Float>(
    logits: &Tensor<F>,
    tokens: &mut Tensor<i32>,
    row_of: (f32, f32, f32, f32),
    shared: &mut Shared<[f32]>,
    #[comptime] units: usize,
) {
    let (top, scale, floor, share) = row_of;
    let (row, unit) = (CUBE_POS_X as usize, UNIT_POS_X as usize);
    let (begin, vocab) = (row * logits.stride(0), logits.shape(1));
    let stretch = vocab.div_ceil(units);
    let mut mine = 0.0f32;
    let mut i = unit * stretch;
    while i < vocab && i < (unit + 1usize) * stretch {
        let x = (f32::cast_from(logits[begin + i]) - top) * scale;
        if x >= floor {
            mine += x.exp();
        }
        i += 1usize;
    }
    shared[unit] = mine;
    sync_cube();
    if unit == 0usize {
        let mut all = 0.0f32;
        for u in 0..units {
            all += shared[u];
        }
        let mut part = share;
        if part > f32::new(MOST) {
            part = f32::new(MOST);
        }
        let target = all * part;
        let mut passed = 0.0f32;
        let mut u = 0usize;
        // The same sums in the same order as those of `all`, which is more than `target`: one of them passes it.
        while u + 1usize < units && passed + shared[u] <= target {
            passed += shared[u];
            u += 1usize;
        }
        // Rounding may leave a rest at the end: then the last token that can be drawn.
        let mut token = 0usize;
        let mut i = u * stretch;
        let mut on = true;
        while on && i < vocab && i < (u + 1usize) * stretch {
            let x = (f32::cast_from(logits[begin + i]) - top) * scale;
            if x >= floor {
                let weight = x.exp();
                if weight > 0.0f32 {
                    token = i;
                    passed += weight;
                    on = passed <= target;
                }
            }
            i += 1usize;
        }
        tokens[row] = i32::cast_from(token as u32);
    }
}

/// A token of each row, `[rows]`, and 1 where its logits are no numbers. Of the numbers a `scale` of 0 is greedy; `least` is
/// where the search for the nucleus begins.
pub(super) fn pick(
    logits: CubeTensor,
    shares: CubeTensor,
    (scale, top_p, least): (f32, f32, f32),
) -> (CubeTensor, CubeTensor) {
    let rows = dim(&logits, 0);
    let (tokens, broken) = (new(&logits, [rows], DType::I32), new(&logits, [rows], DType::I32));
    let dtype = dtype_to_storage_type(logits.dtype);
    let greedy = scale == 0.0;
    pick_kernel::launch(
        &logits.client.clone(),
        CubeCount::Static(rows as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        logits.into_tensor_arg(),
        shares.into_tensor_arg(),
        tokens.clone().into_tensor_arg(),
        broken.clone().into_tensor_arg(),
        if greedy { 1.0 } else { scale },
        top_p,
        least,
        greedy,
        top_p < 1.0,
        UNITS,
        dtype,
    );
    (tokens, broken)
}
