//! From token ids to the log-probs that a loss is made of.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::shards::Shard;
use crate::student::{ChatTokens, Decoder, RopeTable, gather_rows};

/// A sequence and the positions that are scored; position p is predicted from the tokens before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    ids: Vec<u32>,
    scored: Vec<usize>,
}

impl Sequence {
    /// A conversation: its trained positions are scored.
    pub fn chat(chat: &ChatTokens) -> Self {
        let scored: Vec<usize> = chat.trained.iter().copied().filter(|&p| p > 0 && p < chat.ids.len()).collect();
        let end = scored.last().map_or(0, |p| p + 1);
        Self { ids: chat.ids[..end].to_vec(), scored }
    }

    /// A prompt and a response: every token of the response is scored.
    pub fn response(prompt: &[u32], response: &[u32]) -> Self {
        let ids: Vec<u32> = prompt.iter().chain(response).copied().collect();
        let scored = (prompt.len().max(1)..ids.len()).collect();
        Self { ids, scored }
    }

    /// Tokens that go through the model: all but the last, which is only predicted. 0 where nothing is scored.
    pub fn width(&self) -> usize {
        if self.scored.is_empty() { 0 } else { self.ids.len() - 1 }
    }

    /// Number of scored tokens.
    pub fn scored(&self) -> usize {
        self.scored.len()
    }
}

/// Widths of sequences, for [`super::shards::pack`].
pub fn widths(sequences: &[Sequence]) -> Vec<usize> {
    sequences.iter().map(Sequence::width).collect()
}

/// A shard's tokens as a model takes them, and which of its hidden states predict what.
pub struct Scored {
    /// Padded tokens, `[rows, width]`.
    pub ids: Tensor<2, Int>,
    rows: Vec<usize>,
    targets: Tensor<1, Int>,
    temperature: f64,
}

impl Scored {
    /// Lays out a shard on `device`; logits are to be divided by `temperature`.
    pub fn of(shard: &Shard, sequences: &[Sequence], temperature: f64, device: &Device) -> Self {
        let (mut ids, mut rows, mut targets) = (vec![0i64; shard.rows.len() * shard.width], Vec::new(), Vec::new());
        for (row, &index) in shard.rows.iter().enumerate() {
            let sequence = &sequences[index];
            let start = row * shard.width;
            for (slot, id) in ids[start..].iter_mut().zip(&sequence.ids[..sequence.width()]) {
                *slot = i64::from(*id);
            }
            rows.extend(sequence.scored.iter().map(|p| start + p - 1));
            targets.extend(sequence.scored.iter().map(|p| i64::from(sequence.ids[*p])));
        }
        let ids = Tensor::from_data(TensorData::new(ids, [shard.rows.len(), shard.width]), device);
        let count = targets.len();
        let targets = Tensor::from_data(TensorData::new(targets, [count]), device);
        Self { ids, rows, targets, temperature }
    }

    /// Log-probs of the scored tokens, row after row: `[tokens]`. With a model on the autodiff device they carry the
    /// graph.
    pub fn log_probs(&self, model: &Decoder, rope: &RopeTable) -> Tensor<1> {
        self.of_hidden(model, model.hidden(self.ids.clone(), rope))
    }

    /// The same from the last hidden states, `[rows·width, hidden]`. The output matrix sees the scored rows only.
    pub fn of_hidden(&self, model: &Decoder, hidden: Tensor<2>) -> Tensor<1> {
        model.log_probs(gather_rows(hidden, &self.rows), self.targets.clone(), self.temperature)
    }
}

/// Log-probs of a shard's scored tokens under `model`, see [`Scored`].
pub fn log_probs(
    model: &Decoder,
    rope: &RopeTable,
    shard: &Shard,
    sequences: &[Sequence],
    temperature: f64,
) -> Tensor<1> {
    Scored::of(shard, sequences, temperature, &model.device()).log_probs(model, rope)
}

/// One value per sequence, repeated for each of its scored tokens, in the order of [`log_probs`]: `[tokens]`.
pub fn per_token(shard: &Shard, sequences: &[Sequence], values: &[f64], device: &Device) -> Tensor<1> {
    let repeat = |&i: &usize| std::iter::repeat_n(values[i] as f32, sequences[i].scored());
    vector(shard.rows.iter().flat_map(repeat).collect(), device)
}

/// Values of each sequence's tokens, in the order of [`log_probs`]: `[tokens]`.
pub fn each_token(shard: &Shard, values: &[Vec<f32>], device: &Device) -> Tensor<1> {
    vector(shard.rows.iter().flat_map(|&i| values[i].iter().copied()).collect(), device)
}

fn vector(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_last_token_is_predicted_and_never_read() {
        let s = Sequence::response(&[7, 8, 9], &[1, 2]);
        assert_eq!((s.width(), s.scored()), (4, 2));
        let chat = ChatTokens {
            text: String::new(),
            ids: vec![5, 6, 7, 8, 9],
            offsets: Vec::new(),
            trained: vec![2, 3],
            contents: Vec::new(),
        };
        let s = Sequence::chat(&chat);
        assert_eq!((s.width(), s.scored(), s.ids.clone()), (3, 2, vec![5, 6, 7, 8]));
        assert_eq!(Sequence::response(&[1, 2], &[]).width(), 0);
        assert_eq!(Sequence::chat(&ChatTokens { trained: vec![], ..chat }).width(), 0);
    }
}
