//! How likely the student finds a text: negative log-likelihood per token, without a graph.
//!
//! Conversations go through the model one at a time, so that a score does not depend on what else is scored.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};

use super::chat::ChatTokens;
use super::error::StudentError;
use super::parameters::read;
use super::rope::RopeTable;
use super::{Decoder, Student};

impl Student {
    /// Negative log-likelihood in nats of each conversation's trained tokens, in the order of `trained`, at
    /// temperature 1.
    ///
    /// # Errors
    /// [`StudentError::TooLong`], or a failing device.
    pub fn score(&self, chats: &[ChatTokens]) -> Result<Vec<Vec<f32>>, StudentError> {
        let scored = self.log_probs(chats, 1.0)?;
        Ok(scored.into_iter().map(|row| row.into_iter().map(|lp| -lp).collect()).collect())
    }

    /// Log-probability of each conversation's trained tokens with the logits divided by `temperature`.
    ///
    /// # Errors
    /// [`StudentError::TooLong`], or a failing device.
    pub fn log_probs(&self, chats: &[ChatTokens], temperature: f64) -> Result<Vec<Vec<f32>>, StudentError> {
        let longest = chats.iter().map(|c| c.ids.len()).max().unwrap_or(0);
        if longest > self.config.max_positions {
            return Err(StudentError::TooLong { tokens: longest, max: self.config.max_positions });
        }
        let model = self.model.valid();
        let rope = RopeTable::new(&self.config, longest.max(1), &model.device());
        chats.iter().map(|chat| log_probs_of(&model, &rope, chat, temperature)).collect()
    }
}

fn log_probs_of(
    model: &Decoder,
    rope: &RopeTable,
    chat: &ChatTokens,
    temperature: f64,
) -> Result<Vec<f32>, StudentError> {
    // Tokens behind the last trained one cannot change anything.
    let Some(last) = chat.trained.last() else { return Ok(Vec::new()) };
    let device = model.device();
    let ids: Vec<i64> = chat.ids[..*last].iter().map(|id| i64::from(*id)).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, *last]), &device);
    let rows: Vec<usize> = chat.trained.iter().map(|p| p - 1).collect();
    let hidden = gather_rows(model.hidden(ids, rope), &rows);
    let targets: Vec<i64> = chat.targets().into_iter().map(i64::from).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [rows.len()]), &device);
    read(model.log_probs(hidden, targets, temperature))
}

/// The given rows of `hidden [rows, width]`, in order: `[rows.len(), width]`.
pub fn gather_rows(hidden: Tensor<2>, rows: &[usize]) -> Tensor<2> {
    let device = hidden.device();
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    let count = rows.len();
    hidden.select(0, Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &device))
}
