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

/// Sum and number of the tokens of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepNll {
    /// Tokens whose first character lies in the step's span.
    pub tokens: usize,
    /// Sum of their negative log-likelihoods, in nats.
    pub sum: f64,
}

impl StepNll {
    /// D of the step (eq. 8): nats per token; 0 for a step without tokens.
    pub fn mean(self) -> f64 {
        if self.tokens == 0 { 0.0 } else { self.sum / self.tokens as f64 }
    }
}

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

    /// Tokens and summed NLL of each step of message `message`; see [`ChatTokens::step_of_token`] for `starts`.
    ///
    /// # Errors
    /// As [`Student::score`].
    pub fn score_steps(
        &self,
        chat: &ChatTokens,
        message: usize,
        starts: &[usize],
    ) -> Result<Vec<StepNll>, StudentError> {
        let nll = self.score(std::slice::from_ref(chat))?.pop().unwrap_or_default();
        let owner = chat.step_of_token(message, starts);
        let mut steps = vec![StepNll::default(); starts.len()];
        for (position, value) in chat.trained.iter().zip(nll) {
            if let Some(step) = owner[*position] {
                steps[step].tokens += 1;
                steps[step].sum += f64::from(value);
            }
        }
        Ok(steps)
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
