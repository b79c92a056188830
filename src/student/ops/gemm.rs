//! Matrix products whose rows do not know each other.
//!
//! Every element of the result is one chain of fused multiply-adds in the order of the inner dimension, whatever the
//! shape of the call: the same row gives the same bits alone, in a batch of 64, and in the last odd rows of a block.
//! Library kernels change their order with the number of rows; sampling and scoring that may not depend on the batch
//! cannot use them.
//!
//! The right-hand matrix is laid out in panels of [`PANEL`] columns; a block of a few rows then keeps its sums in
//! registers while it runs down a panel.

use macerator::{AutoArch, Simd, Vector, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

/// Columns of a full panel.
const PANEL: usize = 64;
/// The last panel's width is a multiple of this.
const GRAIN: usize = 16;
/// Inner steps done before the next panel; 256 rows of a panel are 64 KiB.
const DEPTH: usize = 256;
/// Rows that pass over all panels before the next rows do.
const ROWS: usize = 96;
/// Multiply-adds from which a product is spread over the threads of the current pool.
const PARALLEL: usize = 1 << 21;

/// A matrix in a slice: rows of `cols` values, `stride` apart, possibly read as its transpose.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    stride: usize,
    transposed: bool,
}

impl<'a> Mat<'a> {
    /// `rows × cols` values whose rows start `stride` apart.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        Self { data, rows, cols, stride, transposed: false }
    }

    /// The transpose of this matrix, without moving anything.
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, transposed: !self.transposed, ..self }
    }

    /// Rows `from .. from + n`.
    fn rows(self, from: usize, n: usize) -> Self {
        let skip = if self.transposed { from } else { from * self.stride };
        Self { data: self.data.get(skip..).unwrap_or(&[]), rows: n, ..self }
    }
}

/// A right-hand matrix `[k, n]` in panels.
#[derive(Clone, Default)]
pub struct Panels {
    data: Vec<f32>,
    k: usize,
    n: usize,
}

impl Panels {
    /// Lays `b` out.
    pub fn new(b: Mat) -> Self {
        let mut panels = Self::default();
        panels.fill(b);
        panels
    }

    /// Lays `b` out in the memory of an earlier one.
    pub fn fill(&mut self, b: Mat) {
        (self.k, self.n) = (b.rows, b.cols);
        self.data.clear();
        self.data.resize(b.rows * b.cols.next_multiple_of(GRAIN), 0.0);
        let mut rest = &mut self.data[..];
        for from in (0..b.cols).step_by(PANEL) {
            let used = PANEL.min(b.cols - from);
            let width = used.next_multiple_of(GRAIN);
            let (panel, after) = rest.split_at_mut(b.rows * width);
            pack(panel, width, used, from, b);
            rest = after;
        }
    }

    /// The whole matrix.
    pub fn all(&self) -> View<'_> {
        View { panels: self, k: self.k, n: self.n }
    }

    /// Its first `n` columns.
    pub fn left(&self, n: usize) -> View<'_> {
        View { n: n.min(self.n), ..self.all() }
    }

    /// Its first `k` rows.
    pub fn top(&self, k: usize) -> View<'_> {
        View { k: k.min(self.k), ..self.all() }
    }
}

/// The upper left part of a right-hand matrix.
#[derive(Clone, Copy)]
pub struct View<'a> {
    panels: &'a Panels,
    k: usize,
    n: usize,
}

impl<'a> View<'a> {
    /// Columns.
    pub fn cols(self) -> usize {
        self.n
    }

    /// The panels: first column, width in memory, values.
    fn iter(self) -> impl Iterator<Item = (usize, usize, &'a [f32])> {
        let all = self.panels;
        (0..self.n).step_by(PANEL).map(move |from| {
            let width = PANEL.min(all.n.next_multiple_of(GRAIN) - from);
            (from, width, &all.data[from * all.k..from * all.k + self.k * width])
        })
    }
}

/// Copies columns `from .. from + used` of `b` into a panel of `width` columns.
fn pack(panel: &mut [f32], width: usize, used: usize, from: usize, b: Mat) {
    if b.transposed {
        for (j, source) in b.data[from * b.stride..].chunks(b.stride).take(used).enumerate() {
            for (row, x) in panel.chunks_exact_mut(width).zip(source) {
                row[j] = *x;
            }
        }
    } else {
        for (row, source) in panel.chunks_exact_mut(width).zip(b.data.chunks(b.stride)) {
            row[..used].copy_from_slice(&source[from..from + used]);
        }
    }
}

thread_local! {
    /// Panels of the product in progress on this thread, kept to spare the allocation.
    static SCRATCH: RefCell<Panels> = RefCell::default();
}

/// `c = a · b`, or `c += a · b` with `add`; rows of `c` start `stride` apart.
pub fn matmul(c: &mut [f32], stride: usize, a: Mat, b: Mat, add: bool) {
    let mut panels = SCRATCH.take();
    panels.fill(b);
    matmul_panels(c, stride, a, panels.all(), add);
    SCRATCH.replace(panels);
}

/// As [`matmul`], with the right-hand matrix laid out before.
pub fn matmul_panels(c: &mut [f32], stride: usize, a: Mat, b: View, add: bool) {
    debug_assert_eq!(a.cols, b.k);
    if a.rows == 0 || b.n == 0 {
        return;
    }
    let spread = a.rows * b.n * b.k >= PARALLEL && a.rows > ROWS && rayon::current_num_threads() > 1;
    if spread {
        c.par_chunks_mut(ROWS * stride)
            .take(a.rows.div_ceil(ROWS))
            .enumerate()
            .for_each(|(i, c)| block(c, stride, a.rows(i * ROWS, ROWS.min(a.rows - i * ROWS)), b, add));
    } else {
        for (i, c) in c.chunks_mut(ROWS * stride).take(a.rows.div_ceil(ROWS)).enumerate() {
            block(c, stride, a.rows(i * ROWS, ROWS.min(a.rows - i * ROWS)), b, add);
        }
    }
}

/// Some rows of a product, on one thread.
fn block(c: &mut [f32], stride: usize, a: Mat, b: View, add: bool) {
    if a.transposed {
        AutoArch::new().dispatch(Block::<true> { c, stride, a, b, add });
    } else {
        AutoArch::new().dispatch(Block::<false> { c, stride, a, b, add });
    }
}

/// The work of [`block`], compiled for each instruction set and each layout of `a`.
struct Block<'a, const T: bool> {
    c: &'a mut [f32],
    stride: usize,
    a: Mat<'a>,
    b: View<'a>,
    add: bool,
}

impl<const T: bool> WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { c, stride, a, b, add } = self;
        for start in (0..b.k.max(1)).step_by(DEPTH) {
            let steps = start..b.k.min(start + DEPTH);
            let add = add || start > 0;
            for (from, width, panel) in b.iter() {
                let panel = &panel[steps.start * width..steps.end * width];
                let mut at = 0;
                while at < width.min(b.n - from) {
                    let tile = S::lanes32() * if width - at >= 2 * S::lanes32() { 2 } else { 1 };
                    let used = tile.min(b.n - from - at);
                    let job = Tile { c: &mut *c, stride, col: from + at, used, a, start, panel, width, at, add };
                    if tile > S::lanes32() {
                        job.rows::<S, 2, T>()
                    } else {
                        job.rows::<S, 1, T>()
                    }
                    at += tile;
                }
            }
        }
    }
}

/// A strip of the result: some columns of all rows of a block.
struct Tile<'a> {
    c: &'a mut [f32],
    stride: usize,
    /// First column in `c`, and how many of the tile's columns exist there.
    col: usize,
    used: usize,
    a: Mat<'a>,
    /// First inner step, matching the panel's first row.
    start: usize,
    panel: &'a [f32],
    /// Width of the panel, and the tile's first column in it.
    width: usize,
    at: usize,
    add: bool,
}

impl Tile<'_> {
    /// Runs down the rows in blocks of 8 (6 with AVX2, which has half the registers), 4, 2 and 1.
    #[inline(always)]
    fn rows<S: Simd, const V: usize, const T: bool>(mut self) {
        let (n, mut i) = (self.a.rows, 0);
        while i < n {
            i += match n - i {
                8.. if S::lanes32() != 8 => self.kernel::<S, 8, V, T>(i),
                6.. if S::lanes32() == 8 => self.kernel::<S, 6, V, T>(i),
                4.. => self.kernel::<S, 4, V, T>(i),
                2.. => self.kernel::<S, 2, V, T>(i),
                _ => self.kernel::<S, 1, V, T>(i),
            };
        }
    }

    /// `R` rows by `V` vectors; gives `R`.
    #[inline(always)]
    fn kernel<S: Simd, const R: usize, const V: usize, const T: bool>(&mut self, i: usize) -> usize {
        let lanes = S::lanes32();
        let mut sums = [[zero::<S>(); V]; R];
        if self.add {
            for (r, sums) in sums.iter_mut().enumerate() {
                let row = &self.c[(i + r) * self.stride + self.col..][..self.used];
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = load_some::<S>(row.get(v * lanes..).unwrap_or(&[]));
                }
            }
        }
        let steps = self.panel.len() / self.width;
        if T {
            let columns = self.a.data[self.start * self.a.stride + i..].chunks(self.a.stride);
            for (b, a) in self.panel.chunks_exact(self.width).zip(columns) {
                let b = load::<S, V>(&b[self.at..]);
                let a = &a[..R];
                for r in 0..R {
                    step::<S, V>(&mut sums[r], a[r], &b);
                }
            }
        } else {
            let rows: [&[f32]; R] =
                std::array::from_fn(|r| &self.a.data[(i + r) * self.a.stride + self.start..][..steps]);
            for (p, b) in (0..steps).zip(self.panel.chunks_exact(self.width)) {
                let b = load::<S, V>(&b[self.at..]);
                for r in 0..R {
                    step::<S, V>(&mut sums[r], rows[r][p], &b);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let row = &mut self.c[(i + r) * self.stride + self.col..][..self.used];
            for (sum, out) in sums.iter().zip(row.chunks_mut(lanes)) {
                let bytes = bytemuck::bytes_of(sum);
                let n = size_of_val(out);
                bytemuck::cast_slice_mut(out).copy_from_slice(&bytes[..n]);
            }
        }
        R
    }
}

/// `sums += a · b`, lane by lane.
#[inline(always)]
fn step<S: Simd, const V: usize>(sums: &mut [Vector<S, f32>; V], a: f32, b: &[Vector<S, f32>; V]) {
    let a = macerator::Scalar::splat::<S>(a);
    for v in 0..V {
        sums[v] = a.fma(b[v], sums[v]);
    }
}

#[inline(always)]
fn zero<S: Simd>() -> Vector<S, f32> {
    macerator::Scalar::splat::<S>(0.0)
}

/// The first `V` vectors of a row.
#[inline(always)]
fn load<S: Simd, const V: usize>(row: &[f32]) -> [Vector<S, f32>; V] {
    let row = &row[..V * S::lanes32()];
    std::array::from_fn(|v| {
        bytemuck::pod_read_unaligned(bytemuck::cast_slice(&row[v * S::lanes32()..][..S::lanes32()]))
    })
}

/// A vector from a row that may end early.
#[inline(always)]
fn load_some<S: Simd>(row: &[f32]) -> Vector<S, f32> {
    let lanes = S::lanes32();
    if let Some(row) = row.get(..lanes) {
        return bytemuck::pod_read_unaligned(bytemuck::cast_slice(row));
    }
    let mut vector = zero::<S>();
    let bytes: &[u8] = bytemuck::cast_slice(row);
    bytemuck::bytes_of_mut(&mut vector)[..bytes.len()].copy_from_slice(bytes);
    vector
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7 + seed * 13) as f32 * 0.731).sin()).collect()
    }

    fn transpose(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
        (0..cols * rows).map(|i| x[(i % rows) * cols + i / rows]).collect()
    }

    #[test]
    fn products_of_every_layout_match_the_definition() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 5), (7, 32, 33), (13, 64, 64), (100, 300, 70), (6, 700, 321)] {
            let (a, b) = (noise(m * k, 1), noise(k * n, 2));
            let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
            let start = noise(m * n, 3);
            let lefts = [Mat::new(&a, m, k, k), Mat::new(&at, k, m, m).t()];
            let rights = [Mat::new(&b, k, n, n), Mat::new(&bt, n, k, k).t()];
            for (left, right, add) in
                lefts.iter().flat_map(|l| rights.iter().flat_map(move |r| [(l, r, false), (l, r, true)]))
            {
                let mut c = start.clone();
                matmul(&mut c, n, *left, *right, add);
                for i in 0..m {
                    for j in 0..n {
                        let mut exact = if add { f64::from(start[i * n + j]) } else { 0.0 };
                        exact += (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j])).sum::<f64>();
                        assert!((f64::from(c[i * n + j]) - exact).abs() < 1e-3, "{m}x{k}x{n} at {i},{j}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_every_company() {
        let (k, n) = (300, 81);
        let (a, b) = (noise(200 * k, 4), noise(k * n, 5));
        let product = |from: usize, m: usize| {
            let mut c = vec![0.0; m * n];
            matmul(&mut c, n, Mat::new(&a[from * k..], m, k, k), Mat::new(&b, k, n, n), false);
            c
        };
        let all = product(0, 200);
        for (from, m) in [(0, 1), (5, 2), (9, 3), (17, 7), (60, 64), (190, 10)] {
            assert_eq!(product(from, m), all[from * n..(from + m) * n], "rows {from}..{}", from + m);
        }
    }
}
