//! Supervised fine-tuning: make the teacher's tokens likely (eq. 21).
//!
//! Read from top to bottom: what a conversation's tokens count for, the loss, one update.
//! Deviations from the paper's formula, the first an option whose default is the paper's:
//!
//! 1. **Aggregation** (eq. 21): mean over a conversation's trained tokens, then over conversations; `token-mean`, the
//!    mean over all trained tokens of the batch, is what the paper's trainer computes (reading.md, row 25). Each is a
//!    weight per token, so shards of a batch simply add up.
//! 2. Trained are the content and the end-of-turn token of every assistant turn; everything else is only read (row
//!    26).
//! 3. A conversation without a trained token (its answer was cut off) is left out of the mean; a batch of nothing
//!    else makes no update.
//! 4. The order of an update: gradient, global norm, clip, AdamW with decay on all parameters (row 26b).

use burn::tensor::Tensor;

use super::batch::{Sequence, per_token};
use super::error::TrainError;
use super::gradients::Gradients;
use super::trainer::{Pass, Trainer};
use crate::recipe::SftLoss;
use crate::student::ChatTokens;

/// What one update showed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SftMetrics {
    /// The loss before the update, nats per token.
    pub loss: f64,
    /// Norm of the gradient before the clip.
    pub grad_norm: f64,
    /// Trained tokens.
    pub tokens: usize,
    /// The rate of the update.
    pub lr: f64,
}

/// Eq. 21's averages as one weight per conversation: what each of its trained tokens counts for. `trained` are the
/// numbers of trained tokens of the whole batch.
pub fn token_weights(trained: &[usize], loss: SftLoss) -> Vec<f64> {
    let conversations = trained.iter().filter(|n| **n > 0).count() as f64;
    let tokens = trained.iter().sum::<usize>() as f64;
    let weight = |n: &usize| match loss {
        _ if *n == 0 => 0.0,
        SftLoss::SampleMean => 1.0 / (conversations * *n as f64),
        SftLoss::TokenMean => 1.0 / tokens,
    };
    trained.iter().map(weight).collect()
}

/// Eq. 21: −Σ weight · log π over the trained tokens, `[tokens]` each; gives `[1]`. Summed over the shards of a batch
/// it is the batch's loss.
pub fn objective(log_probs: Tensor<1>, weight: Tensor<1>) -> Tensor<1> {
    (log_probs * weight).sum().neg()
}

impl Trainer {
    /// One update on a batch of conversations.
    ///
    /// # Errors
    /// [`TrainError`]; the student is then as it was.
    pub fn sft_step(&mut self, batch: &[ChatTokens], loss: SftLoss, lr: f64) -> Result<SftMetrics, TrainError> {
        let tokens = batch.iter().map(|chat| chat.trained.len()).sum();
        if tokens == 0 {
            return Ok(SftMetrics { lr, ..SftMetrics::default() });
        }
        let (gradients, loss) = self.sft_gradient(batch, loss)?;
        let grad_norm = self.update(gradients, loss, lr)?;
        Ok(SftMetrics { loss, grad_norm, tokens, lr })
    }

    /// The loss of a batch and its gradient.
    ///
    /// # Errors
    /// [`TrainError::TooLong`].
    pub fn sft_gradient(&self, batch: &[ChatTokens], loss: SftLoss) -> Result<(Gradients, f64), TrainError> {
        let sequences: Vec<Sequence> = batch.iter().map(Sequence::chat).collect();
        let trained: Vec<usize> = sequences.iter().map(Sequence::scored).collect();
        let weights = token_weights(&trained, loss);

        let shards = self.shards(&sequences)?;
        let (gradients, loss, _) =
            self.gradient(&shards, (&sequences, 1.0), |Pass { model, shard, current, .. }| {
                let weight = per_token(shard, &sequences, &weights, &model.device());
                (objective(current, weight), Vec::new())
            });
        Ok((gradients, loss))
    }
}
