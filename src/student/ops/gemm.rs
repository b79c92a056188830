//! Matrix products whose rows do not know each other.
//!
//! Every element of the result is one chain of fused multiply-adds in the order of the inner dimension, whatever the
//! shape of the call and the number of threads: the same row gives the same bits alone, in a batch of 64, and in the last
//! odd rows of a block. Library kernels change their order with the number of rows; sampling and scoring that may not
//! depend on the batch cannot use them.
//!
//! The right-hand matrix is read in panels of [`PANEL`] columns; a block of a few rows keeps its sums in registers while
//! it runs down a panel. Panels are made once ([`Panels`]), or for a part of the matrix at a time that stays in the
//! second cache. Threads share a product by columns, so that each reads its own part of a large matrix.

mod kernel;
#[cfg(test)]
mod tests;

use macerator::{AutoArch, Simd, WithSimd};
use rayon::prelude::*;
use std::cell::RefCell;

use kernel::{Rows, Tile, Whole, few, pack};

/// Columns of a full panel: two vectors of 16.
const PANEL: usize = 32;
/// The last panel's width is a multiple of this.
const GRAIN: usize = 16;
/// Inner steps done before the next panel; 256 rows of a panel are 32 KiB.
const DEPTH: usize = 256;
/// Columns whose panels are made at a time: 256 KiB.
const WIDTH: usize = 256;
/// Rows that pass over all panels before the next rows do.
const ROWS: usize = 96;
/// Rows that read a matrix as it lies; for more of them, panels pay.
const FEW: usize = 8;
/// Multiply-adds from which a product is spread over the threads of the current pool,
const PARALLEL: usize = 1 << 21;
/// or entries of the right-hand matrix, where few rows only wait for it.
const PARALLEL_ENTRIES: usize = 1 << 19;

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
        self.data.resize(b.rows * b.cols.next_multiple_of(GRAIN), 0.0);
        AutoArch::new().dispatch(Pack { tile: &mut self.data, b, columns: (0, b.cols), steps: (0, b.rows) });
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

/// A right-hand matrix, laid out or not.
#[derive(Clone, Copy)]
enum Right<'a> {
    Panels(View<'a>),
    Plain(Mat<'a>),
}

impl Right<'_> {
    /// Inner dimension and columns.
    fn size(self) -> (usize, usize) {
        match self {
            Right::Panels(view) => (view.k, view.n),
            Right::Plain(mat) => (mat.rows, mat.cols),
        }
    }
}

thread_local! {
    /// Panels of the part in progress on this thread, kept to spare the allocation.
    static TILE: RefCell<Vec<f32>> = RefCell::default();
    /// Left-hand rows in progress that lay across.
    static LEFT: RefCell<Vec<f32>> = RefCell::default();
}

/// `c = a · b`, or `c += a · b` with `add`; rows of `c` start `stride` apart.
pub fn matmul(c: &mut [f32], stride: usize, a: Mat, b: Mat, add: bool) {
    debug_assert_eq!(a.cols, b.rows);
    product(c, stride, a, Right::Plain(b), add);
}

/// As [`matmul`], with the right-hand matrix laid out before.
pub fn matmul_panels(c: &mut [f32], stride: usize, a: Mat, b: View, add: bool) {
    debug_assert_eq!(a.cols, b.k);
    product(c, stride, a, Right::Panels(b), add);
}

fn product(c: &mut [f32], stride: usize, a: Mat, b: Right, add: bool) {
    let ((k, n), threads) = (b.size(), rayon::current_num_threads());
    if a.rows == 0 || n == 0 {
        return;
    }
    let large = a.rows * n * k >= PARALLEL || n * k >= PARALLEL_ENTRIES;
    if threads < 2 || !large {
        task(&mut Whole { data: c, stride }, a, b, (0, n), add);
    } else if n >= 2 * threads * PANEL {
        columns(c, stride, a, b, add, n.div_ceil(2 * threads).next_multiple_of(PANEL).clamp(PANEL, WIDTH));
    } else {
        let rows = a.rows.div_ceil(2 * threads).next_multiple_of(8).min(ROWS);
        c.par_chunks_mut(rows * stride).take(a.rows.div_ceil(rows)).enumerate().for_each(|(i, c)| {
            let a = a.rows(i * rows, rows.min(a.rows - i * rows));
            task(&mut Whole { data: c, stride }, a, b, (0, n), add);
        });
    }
}

/// A product in tasks of `width` columns each.
fn columns(c: &mut [f32], stride: usize, a: Mat, b: Right, add: bool, width: usize) {
    let n = b.size().1;
    let mut parts: Vec<Vec<&mut [f32]>> = (0..n.div_ceil(width)).map(|_| Vec::with_capacity(a.rows)).collect();
    for row in c.chunks_mut(stride).take(a.rows) {
        for (part, piece) in parts.iter_mut().zip(row[..n].chunks_mut(width)) {
            part.push(piece);
        }
    }
    parts.into_par_iter().enumerate().for_each(|(i, mut rows)| {
        task(&mut rows[..], a, b, (i * width, width.min(n - i * width)), add);
    });
}

/// Some rows and some columns of a product, on one thread. `columns` are the first and their number.
fn task<C: Rows + ?Sized>(c: &mut C, a: Mat, b: Right, columns: (usize, usize), add: bool) {
    let (mut tile, mut left) = (TILE.take(), LEFT.take());
    let memory = Memory { tile: &mut tile, left: &mut left };
    if a.transposed {
        AutoArch::new().dispatch(Task::<C, true> { c, a, b, columns, add, memory });
    } else {
        AutoArch::new().dispatch(Task::<C, false> { c, a, b, columns, add, memory });
    }
    TILE.replace(tile);
    LEFT.replace(left);
}

/// What is laid out on the way.
struct Memory<'a> {
    tile: &'a mut Vec<f32>,
    left: &'a mut Vec<f32>,
}

/// The work of [`task`], compiled for each instruction set and each layout of `a`.
struct Task<'a, C: Rows + ?Sized, const T: bool> {
    c: &'a mut C,
    a: Mat<'a>,
    b: Right<'a>,
    columns: (usize, usize),
    add: bool,
    memory: Memory<'a>,
}

impl<C: Rows + ?Sized, const T: bool> WithSimd for Task<'_, C, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        let Self { c, a, b, columns: (first, n), add, memory } = self;
        if let (Right::Plain(mat), false, 0..=FEW) = (b, T, a.rows)
            && !mat.transposed
        {
            return few(c, a, mat, first, n, add);
        }
        let k = b.size().0;
        for start in (0..k.max(1)).step_by(DEPTH) {
            let depth = DEPTH.min(k - start);
            let add = add || start > 0;
            let wide = if let Right::Plain(_) = b { WIDTH } else { n };
            for from in (0..n).step_by(wide) {
                let n = wide.min(n - from);
                if let Right::Plain(mat) = b {
                    memory.tile.resize(memory.tile.len().max(depth * n.next_multiple_of(GRAIN)), 0.0);
                    pack(memory.tile, mat, (first + from, n), (start, depth), GRAIN);
                }
                for row in (0..a.rows).step_by(ROWS) {
                    let rows = ROWS.min(a.rows - row);
                    let mut part = Part { a: a.rows(row, rows), start, row };
                    // Rows that lie across would be read a page apart.
                    if T && n > 4 * PANEL {
                        memory.left.clear();
                        for line in part.a.data[start * a.stride..].chunks(a.stride).take(depth) {
                            memory.left.extend_from_slice(&line[..rows]);
                        }
                        part.a = Mat { data: memory.left, stride: rows, ..part.a };
                        part.start = 0;
                    }
                    for at in (0..n).step_by(PANEL) {
                        let (panel, width) = match b {
                            Right::Panels(view) => view.panel(first + from + at, start, depth),
                            Right::Plain(_) => {
                                let width = PANEL.min(n - at).next_multiple_of(GRAIN);
                                (&memory.tile[at * depth..][..depth * width], width)
                            }
                        };
                        part.strip::<S, C, T>(c, from + at, PANEL.min(n - at), panel, width, add);
                    }
                }
            }
        }
    }
}

impl<'a> View<'a> {
    /// Inner steps `start .. start + depth` of the panel that begins with column `from`, and its width in memory.
    #[inline(always)]
    fn panel(self, from: usize, start: usize, depth: usize) -> (&'a [f32], usize) {
        let all = self.panels;
        let width = PANEL.min(all.n.next_multiple_of(GRAIN) - from);
        (&all.data[from * all.k + start * width..][..depth * width], width)
    }
}

/// Some left-hand rows: the first one's place in the task, and the place of the first inner step in them.
struct Part<'a> {
    a: Mat<'a>,
    start: usize,
    row: usize,
}

impl Part<'_> {
    /// These rows times one panel, of which `n` columns exist.
    #[inline(always)]
    fn strip<S: Simd, C: Rows + ?Sized, const T: bool>(
        &self,
        c: &mut C,
        col: usize,
        n: usize,
        panel: &[f32],
        width: usize,
        add: bool,
    ) {
        let mut at = 0;
        while at < n {
            let tile = S::lanes32() * if width - at >= 2 * S::lanes32() { 2 } else { 1 };
            let (a, start, row, used) = (self.a, self.start, self.row, tile.min(n - at));
            let job = Tile { c: &mut *c, row, col: col + at, used, a, start, panel, width, at, add };
            if tile > S::lanes32() {
                job.rows::<S, 2, T>()
            } else {
                job.rows::<S, 1, T>()
            }
            at += tile;
        }
    }
}

/// [`pack`], compiled for each instruction set.
struct Pack<'a> {
    tile: &'a mut [f32],
    b: Mat<'a>,
    columns: (usize, usize),
    steps: (usize, usize),
}

impl WithSimd for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        pack(self.tile, self.b, self.columns, self.steps, GRAIN);
    }
}
