//! The block of keys and values of a batch as a ring of columns, and the mask that says which are whose.
//!
//! It grows in steps of [`BUCKET`] columns until it holds the longest sequence, and is written over from its beginning
//! after that. A row's tokens stand in the last columns before the next one.

use burn::tensor::{Bool, Int, Tensor, TensorData};

use crate::student::resident::{KeysValues, ReadPrompts, ResidentDecoder};

/// A ring has a multiple of so many columns.
pub const BUCKET: usize = 128;

/// Keys and values of `rows` sequences.
pub(super) struct Ring<'a> {
    decoder: &'a ResidentDecoder,
    rows: usize,
    block: Vec<KeysValues>,
    columns: usize,
    /// The column of the next step.
    next: usize,
    /// `[rows, columns]`: 0 for a row's own columns, −∞ elsewhere.
    mask: Tensor<2>,
}

impl<'a> Ring<'a> {
    /// An empty ring.
    pub(super) fn new(decoder: &'a ResidentDecoder, rows: usize) -> Self {
        let (block, mask) = (decoder.block(rows, BUCKET), Tensor::zeros([rows, BUCKET], decoder.device()));
        Self { decoder, rows, block, columns: BUCKET, next: 0, mask }
    }

    /// Makes sure that `needed` columns can be held at once; says whether it grew, and then the mask is to be made anew.
    /// Columns are put in the order of time on the way.
    pub(super) fn room(&mut self, needed: usize) -> bool {
        if needed <= self.columns {
            return false;
        }
        let most = self.decoder.positions();
        let columns = needed.max((self.columns * 3 / 2).min(most)).next_multiple_of(BUCKET);
        let new = self.decoder.block(self.rows, columns);
        let (next, old) = (self.next, self.columns);
        let moved = |from: Tensor<4>, into: Tensor<4>| {
            let [rows, heads, _, width] = from.dims();
            let put = |into: Tensor<4>, (to, at, n): (usize, usize, usize)| match n {
                0 => into,
                n => into.slice_assign([0..rows, 0..heads, to..to + n, 0..width], from.clone().narrow(2, at, n)),
            };
            put(put(into, (old - next, 0, next)), (0, next, old - next))
        };
        let pairs = std::mem::take(&mut self.block).into_iter().zip(new);
        let moved = |(from, into): (KeysValues, KeysValues)| KeysValues {
            keys: moved(from.keys, into.keys),
            values: moved(from.values, into.values),
        };
        self.block = pairs.map(moved).collect();
        (self.columns, self.next) = (columns, old);
        true
    }

    /// Makes the mask anew for rows that hold so many tokens. An empty row sees what it writes from here on.
    pub(super) fn mask(&mut self, lengths: &[usize]) {
        let columns = self.columns;
        let mut mask = vec![f32::NEG_INFINITY; self.rows * columns];
        for (row, length) in mask.chunks_exact_mut(columns).zip(lengths) {
            (1..=*length).for_each(|back| row[(self.next + columns - back) % columns] = 0.0);
        }
        self.mask = Tensor::from_data(TensorData::new(mask, [self.rows, columns]), self.decoder.device());
    }

    /// Copies the keys and values of prompts into the columns before the next: prompt `prompt_of [rows]` into each row
    /// that has `begun [rows]`; `all` says that every row has. There must be [`Ring::room`] for them.
    pub(super) fn write(&mut self, read: &ReadPrompts, prompt_of: &Tensor<1, Int>, begun: &Tensor<1, Bool>, all: bool) {
        let rows = self.rows;
        let first = (self.next + self.columns - read.width) % self.columns;
        let pieces = match self.columns - first {
            n if n >= read.width => vec![(first, 0, read.width)],
            n => vec![(first, 0, n), (0, n, read.width - n)],
        };
        let put = |into: Tensor<4>, from: &Tensor<4>| {
            let from = from.clone().select(0, prompt_of.clone());
            let [_, heads, _, width] = from.dims();
            pieces.iter().fold(into, |into, (column, at, n)| {
                let mut new = from.clone().narrow(2, *at, *n);
                if !all {
                    let begun = begun.clone().reshape([rows, 1, 1, 1]).expand([rows, heads, *n, width]);
                    new = into.clone().narrow(2, *column, *n).mask_where(begun, new);
                }
                into.slice_assign([0..rows, 0..heads, *column..column + n, 0..width], new)
            })
        };
        let pairs = std::mem::take(&mut self.block).into_iter().zip(&read.layers);
        let put = |(into, from): (KeysValues, &KeysValues)| KeysValues {
            keys: put(into.keys, &from.keys),
            values: put(into.values, &from.values),
        };
        self.block = pairs.map(put).collect();
    }

    /// Moves every row on by one token, see [`ResidentDecoder::step`]: logits, `[rows, vocab]`.
    pub(super) fn step(&mut self, tokens: Tensor<1, Int>, positions: Tensor<1, Int>) -> Tensor<2> {
        let (rows, column, device) = (self.rows, self.next, self.decoder.device());
        // Taken out, so that it has one holder and changes in place.
        let mask = std::mem::replace(&mut self.mask, Tensor::empty([1, 1], device));
        self.mask = mask.slice_assign([0..rows, column..column + 1], Tensor::zeros([rows, 1], device));
        self.next = (column + 1) % self.columns;
        self.decoder.step(tokens, positions, (&mut self.block, column), &self.mask)
    }

    /// Keeps these rows only; the mask is to be made anew.
    pub(super) fn keep(&mut self, rows: &Tensor<1, Int>) {
        [self.rows] = rows.dims();
        let kept = |t: Tensor<4>| t.select(0, rows.clone());
        let block = std::mem::take(&mut self.block).into_iter();
        self.block = block.map(|kv| KeysValues { keys: kept(kv.keys), values: kept(kv.values) }).collect();
    }
}
