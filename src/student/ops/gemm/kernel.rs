//! The innermost loops: a few rows times a strip of columns, sums in registers.

use macerator::{Simd, Vector};

use super::{Mat, PANEL};

/// Where a product goes: rows, each starting at the first column of the task.
pub(super) trait Rows {
    /// Row `i`.
    fn row(&mut self, i: usize) -> &mut [f32];
}

/// Rows at a distance.
pub(super) struct Whole<'a> {
    /// The first row, and what follows.
    pub data: &'a mut [f32],
    /// From one row to the next.
    pub stride: usize,
}

impl Rows for Whole<'_> {
    #[inline(always)]
    fn row(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.stride..]
    }
}

impl Rows for [&mut [f32]] {
    #[inline(always)]
    fn row(&mut self, i: usize) -> &mut [f32] {
        self[i]
    }
}

/// A strip of the result: some columns of the rows of a block.
pub(super) struct Tile<'a, C: Rows + ?Sized> {
    /// The task's rows.
    pub c: &'a mut C,
    /// First row and first column in `c`, and how many of the tile's columns exist there.
    pub row: usize,
    /// See `row`.
    pub col: usize,
    /// See `row`.
    pub used: usize,
    /// The block's left-hand rows.
    pub a: Mat<'a>,
    /// First inner step, matching the panel's first row.
    pub start: usize,
    /// The inner steps of a panel.
    pub panel: &'a [f32],
    /// The panel's width in memory, and the tile's first column in it.
    pub width: usize,
    /// See `width`.
    pub at: usize,
    /// Adds to what stands in `c`.
    pub add: bool,
}

impl<C: Rows + ?Sized> Tile<'_, C> {
    /// Runs down the rows in blocks of 8 (6 with AVX2, which has half the registers), 4, 2 and 1.
    #[inline(always)]
    pub(super) fn rows<S: Simd, const V: usize, const T: bool>(mut self) {
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
                let row = &self.c.row(self.row + i + r)[self.col..][..self.used];
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
            let row = &mut self.c.row(self.row + i + r)[self.col..][..self.used];
            for (sum, out) in sums.iter().zip(row.chunks_mut(lanes)) {
                let bytes = bytemuck::bytes_of(sum);
                let n = size_of_val(out);
                bytemuck::cast_slice_mut(out).copy_from_slice(&bytes[..n]);
            }
        }
        R
    }
}

/// Inner steps of [`few`] done in one pass over the columns.
const AT_ONCE: usize = 8;
/// Columns of [`few`] that stay in the first cache while all rows pass.
const WIDE: usize = 512;

/// A product of a few rows with columns `from .. from + n` of a matrix as it lies: every row of `b` is read once, from
/// left to right, which is all that counts where the matrix comes from memory.
#[inline(always)]
pub(super) fn few<C: Rows + ?Sized>(c: &mut C, a: Mat, b: Mat, from: usize, n: usize, add: bool) {
    if !add {
        for i in 0..a.rows {
            c.row(i)[..n].fill(0.0);
        }
    }
    for start in (0..b.rows).step_by(AT_ONCE) {
        let steps = AT_ONCE.min(b.rows - start);
        for col in (0..n).step_by(WIDE) {
            let width = WIDE.min(n - col);
            let line = |p: usize| &b.data[(start + p) * b.stride + from + col..][..width];
            for i in 0..a.rows {
                let weights = &a.data[i * a.stride + start..][..steps];
                let out = &mut c.row(i)[col..][..width];
                if let Ok(w) = <&[f32; AT_ONCE]>::try_from(weights) {
                    let lines: [&[f32]; AT_ONCE] = std::array::from_fn(line);
                    add_lines(out, w, lines);
                } else {
                    for (p, w) in weights.iter().enumerate() {
                        add_lines(out, &[*w], [line(p)]);
                    }
                }
            }
        }
    }
}

/// `out += Σ w · line`, in the order of the lines.
#[inline(always)]
fn add_lines<const N: usize>(out: &mut [f32], w: &[f32; N], lines: [&[f32]; N]) {
    let n = out.len();
    let lines: [&[f32]; N] = std::array::from_fn(|p| &lines[p][..n]);
    for j in 0..n {
        let mut sum = out[j];
        for p in 0..N {
            sum = w[p].mul_add(lines[p][j], sum);
        }
        out[j] = sum;
    }
}

/// Edge of a square that is turned over in registers.
const SQUARE: usize = 16;

/// Lays columns `from .. from + n` and inner steps `start .. start + steps` of `b` out in panels of [`PANEL`] columns, the last one
/// filled up with zeros to a multiple of `grain`.
#[inline(always)]
pub(super) fn pack(tile: &mut [f32], b: Mat, (from, n): (usize, usize), (start, steps): (usize, usize), grain: usize) {
    if n % PANEL != 0 {
        // What is not written below would otherwise be left over from another tile.
        let last = n / PANEL * PANEL * steps;
        tile[last..last + (n % PANEL).next_multiple_of(grain) * steps].fill(0.0);
    }
    if !b.transposed {
        for (p, row) in b.data[start * b.stride..].chunks(b.stride).take(steps).enumerate() {
            let (whole, rest) = row[from..from + n].as_chunks::<PANEL>();
            for (piece, panel) in whole.iter().zip(tile.chunks_exact_mut(PANEL * steps)) {
                if let Some(to) = panel[p * PANEL..].first_chunk_mut::<PANEL>() {
                    *to = *piece;
                }
            }
            let width = rest.len().next_multiple_of(grain);
            tile[whole.len() * PANEL * steps + p * width..][..rest.len()].copy_from_slice(rest);
        }
        return;
    }
    for first in (0..n).step_by(PANEL) {
        let used = PANEL.min(n - first);
        let width = used.next_multiple_of(grain);
        let panel = &mut tile[first * steps..][..width * steps];
        let line = |j: usize| &b.data[(from + first + j) * b.stride + start..][..steps];
        let mut j = 0;
        while j + SQUARE <= used {
            turn_over(std::array::from_fn(|i| line(j + i)), panel, width, j);
            j += SQUARE;
        }
        for j in j..used {
            for (row, x) in panel.chunks_exact_mut(width).zip(line(j)) {
                row[j] = *x;
            }
        }
    }
}

/// Lines to columns `at ..` of a panel.
#[inline(always)]
fn turn_over(lines: [&[f32]; SQUARE], panel: &mut [f32], width: usize, at: usize) {
    let steps = panel.len() / width;
    let lines = lines.map(|line| &line[..steps]);
    let whole = steps / SQUARE * SQUARE;
    for p in (0..whole).step_by(SQUARE) {
        let mut square = [[0.0; SQUARE]; SQUARE];
        for (row, line) in square.iter_mut().zip(&lines) {
            row.copy_from_slice(&line[p..p + SQUARE]);
        }
        for (i, row) in panel[p * width..].chunks_exact_mut(width).take(SQUARE).enumerate() {
            let row = &mut row[at..at + SQUARE];
            for j in 0..SQUARE {
                row[j] = square[j][i];
            }
        }
    }
    for p in whole..steps {
        for j in 0..SQUARE {
            panel[p * width + at + j] = lines[j][p];
        }
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
