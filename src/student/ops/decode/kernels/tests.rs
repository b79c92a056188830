//! The kernels beside the portable bodies: on Vulkan (feature `vulkan`; any driver does, a software renderer too) or CUDA,
//! in single precision and, where the device has it, in half.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::student::RopeTable;
use crate::student::device::has_half;
use crate::student::ops::decode::{Heads, KeysValues, Places, Turn, add_norm, attend_one, gated, norm};

/// Where, and in which precision: of the numbers that are made, and of what is computed with them.
struct At {
    device: Device,
    made: DType,
    dtype: DType,
}

/// Numbers in −1..1 that look random and are the same each time.
fn values(n: usize, seed: usize) -> Vec<f32> {
    let scramble = |i: usize| ((i * 2_654_435_761 + seed * 40_503 + 977) % 1_000_003) as f32;
    (0..n).map(|i| scramble(i) / 500_001.5 - 1.0).collect()
}

fn on<const D: usize>(at: &At, shape: [usize; D], seed: usize) -> Tensor<D> {
    single(at, shape, seed).cast(at.made).cast(at.dtype)
}

/// In single precision, wherever.
fn single<const D: usize>(at: &At, shape: [usize; D], seed: usize) -> Tensor<D> {
    let n = shape.iter().product();
    Tensor::from_data(TensorData::new(values(n, seed), shape), &at.device)
}

fn ints(device: &Device, values: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.cast(DType::F32).into_data().iter::<f32>().collect()
}

/// Both devices' results are the same up to rounding, in each precision that both have.
fn same<const D: usize>(make: impl Fn(&At) -> Vec<Tensor<D>>) {
    let Some(gpu) = super::to_test_on() else { return };
    // Half precision has 8 bits, and is rounded to more than once; beside it stands what single precision makes of the same
    // numbers.
    for (dtype, off) in [(DType::F32, 2e-5), (DType::BF16, 2e-2)] {
        if dtype == DType::BF16 && !has_half(&gpu) {
            return;
        }
        let wanted = make(&At { device: Device::flex(), made: dtype, dtype: DType::F32 });
        let found = make(&At { device: gpu.clone(), made: dtype, dtype });
        for (index, (wanted, found)) in wanted.into_iter().zip(found).enumerate() {
            assert_eq!((found.dtype(), wanted.dims()), (dtype, found.dims()));
            for (i, (a, b)) in read(wanted).iter().zip(&read(found)).enumerate() {
                assert!(
                    (a - b).abs() <= off * a.abs().max(1.0),
                    "{dtype:?} {index}, value {i}: {a} on the CPU, {b} here"
                );
            }
        }
    }
}

#[test]
fn norms_with_and_without_a_sum() {
    for (rows, width) in [(1, 8), (3, 100), (5, 896)] {
        same(|d| vec![norm(on(d, [rows, width], 1), single(d, [width], 2), 1e-6)]);
        same(|d| {
            let (sum, norm) = add_norm(on(d, [rows, width], 1), on(d, [rows, width], 3), single(d, [width], 2), 1e-6);
            vec![sum, norm]
        });
        // A view whose rows are not beside each other.
        same(|d| vec![norm(on(d, [rows, width + 7], 1).narrow(1, 3, width), single(d, [width], 2), 1e-6)]);
    }
}

#[test]
fn swiglu_of_halves() {
    for (rows, width) in [(1, 3), (7, 300)] {
        same(|d| vec![gated(on(d, [rows, 2 * width], 4) * 5.0)]);
    }
}

#[test]
fn queries_turn_and_keys_and_values_find_their_places() {
    for (heads, kv_heads, head_dim, biased, normed) in
        [(4, 4, 8, false, false), (6, 2, 16, true, false), (14, 2, 64, true, true), (3, 1, 6, false, true)]
    {
        let (rows, columns, column) = (3, 5, 2);
        let heads = Heads { heads, kv_heads, head_dim };
        let width = (heads.heads + 2 * kv_heads) * head_dim;
        let run = |d: &At| {
            let rope = RopeTable { cos: single(d, [9, head_dim / 2], 5), sin: single(d, [9, head_dim / 2], 6) };
            let places = Places::new(&rope, ints(&d.device, &[0, 8, 3]), rows, 1);
            let turn = Turn {
                heads,
                bias: biased.then(|| on(d, [1, width], 7)),
                norms: normed.then(|| single(d, [2, head_dim], 8)),
                eps: 1e-6,
            };
            let shape = [rows, kv_heads, columns, head_dim];
            let block = KeysValues { keys: on(d, shape, 9), values: on(d, shape, 10) };
            turn.step(on(d, [rows, width], 11), &places, block, column)
        };
        same(|d| vec![run(d).0]);
        same(|d| {
            let block = run(d).1;
            vec![block.keys, block.values]
        });
    }
}

#[test]
fn a_block_that_somebody_else_holds_is_not_written() {
    let Some(device) = super::to_test_on() else { return };
    let d = At { device, made: DType::F32, dtype: DType::F32 };
    let rope = RopeTable { cos: on(&d, [2, 2], 1), sin: on(&d, [2, 2], 2) };
    let turn = Turn { heads: Heads { heads: 1, kv_heads: 1, head_dim: 4 }, bias: None, norms: None, eps: 0.0 };
    let block = KeysValues { keys: on(&d, [1, 1, 2, 4], 3), values: on(&d, [1, 1, 2, 4], 4) };
    let places = Places::new(&rope, ints(&d.device, &[1]), 1, 1);
    let (_, written) = turn.step(on(&d, [1, 12], 5), &places, block.clone(), 1);
    assert_eq!(read(block.keys), values(8, 3));
    assert_ne!(read(written.keys), values(8, 3));
}

#[test]
fn attention_over_a_row_s_own_columns() {
    for (heads, kv_heads, head_dim, columns) in
        [(4, 4, 8, 5), (6, 2, 16, 64), (14, 2, 64, 200), (5, 1, 128, 129), (2, 1, 6, 70)]
    {
        let rows = 3;
        let heads = Heads { heads, kv_heads, head_dim };
        same(|d| {
            // A ring: each row's columns begin and end elsewhere, and one wraps around.
            let own = |row: usize, c: usize| match row {
                0 => c == columns - 1,
                1 => c >= columns / 3 && c < columns - 1,
                _ => c < 2 || c >= columns / 2,
            };
            let mask = |row: usize, c: usize| if own(row, c) { 0.0 } else { f32::NEG_INFINITY };
            let mask = (0..rows * columns).map(|i| mask(i / columns, i % columns)).collect();
            let mask = Tensor::<2>::from_data(TensorData::new::<f32, _>(mask, [rows, columns]), &d.device);
            let shape = [rows, kv_heads, columns, head_dim];
            let block = KeysValues { keys: on(d, shape, 1) * 4.0, values: on(d, shape, 2) };
            vec![attend_one(on(d, [rows, heads.heads * head_dim], 3), &block, &mask, heads)]
        });
    }
}
