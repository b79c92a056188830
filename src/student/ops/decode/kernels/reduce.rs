//! Sums and maxima over the units of a cube, through shared memory and in a fixed order.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// Units of a cube that goes over one row; a power of two.
pub(super) const UNITS: usize = 256;

/// The sum of what the units hold. The cube has a power of two of them, in one dimension, and `shared` has a place for each.
#[cube]
pub(super) fn sum(mine: f32, shared: &mut Shared<[f32]>) -> f32 {
    together(mine, shared, false)
}

/// As [`sum`], for the largest.
#[cube]
pub(super) fn largest(mine: f32, shared: &mut Shared<[f32]>) -> f32 {
    together(mine, shared, true)
}

#[cube]
fn together(mine: f32, shared: &mut Shared<[f32]>, #[comptime] largest: bool) -> f32 {
    let unit = UNIT_POS_X as usize;
    shared[unit] = mine;
    sync_cube();
    let mut half = CUBE_DIM_X as usize / 2usize;
    while half > 0usize {
        if unit < half {
            let other = shared[unit + half];
            if largest {
                if other > shared[unit] {
                    shared[unit] = other;
                }
            } else {
                shared[unit] += other;
            }
        }
        sync_cube();
        half /= 2usize;
    }
    let all = shared[0];
    sync_cube();
    all
}
