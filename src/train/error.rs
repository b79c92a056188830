//! What can go wrong while training, said in one line each.

use crate::student::StudentError;

/// A training step or a saved state that failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A loss or gradient that is not a number: the update was not made.
    #[error(
        "update {update}: the {what} is not finite, so it was not made; lower the learning rate or check the checkpoint"
    )]
    NotFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// Number of the update that failed, from 1.
        update: u64,
    },
    /// GRPO needs the probabilities of what was sampled; greedy rollouts have none.
    #[error("grpo.sampling.temperature = {0}: it must be above 0, because greedy rollouts have no probabilities")]
    Temperature(f64),
    /// A group whose rewards and responses differ in number.
    #[error("group {group}: {responses} responses but {rewards} rewards")]
    Rewards {
        /// Index of the group in its batch.
        group: usize,
        /// Responses it has.
        responses: usize,
        /// Rewards it has.
        rewards: usize,
    },
    /// A sequence longer than the model has positions.
    #[error(
        "a sequence has {tokens} tokens, but the student's positions end at {max}; lower max_tokens or max_new_tokens"
    )]
    TooLong {
        /// Its length.
        tokens: usize,
        /// The model's limit.
        max: usize,
    },
    /// A saved training state that does not fit the student or cannot be read.
    #[error("saved training state: {0}; start the stage again from its checkpoint")]
    State(String),
    /// A state that could not be written.
    #[error("cannot write the training state: {0}; free space, or check where the session lies")]
    Write(std::io::Error),
    /// The student failed.
    #[error(transparent)]
    Student(#[from] StudentError),
}
