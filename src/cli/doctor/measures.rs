//! How far a student on a device is from the same student under the CPU's kernels.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorData};

use super::parity::ParityError;
use crate::recipe::{AdamWRecipe, SftLoss};
use crate::sample::{Group, SamplerSettings, generate};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student, StudentError};
use crate::train::Trainer;

/// Training steps.
pub const STEPS: usize = 10;
/// Sequences of the batch, and tokens of the longest.
const SEQUENCES: usize = 4;
const LENGTH: usize = 64;
/// Tokens of the greedy answers.
const ANSWER: usize = 24;
/// Rate of the steps: large enough that ten of them move the loss.
const RATE: f64 = 1e-4;

/// What a student computes.
pub struct Computed {
    /// Logits after every token of the longest sequence.
    pub logits: Vec<f32>,
    /// Negative log-likelihoods of the batch's tokens.
    pub losses: Vec<f32>,
    /// Loss of the batch.
    pub loss: f64,
    /// Gradient of it: name, values.
    pub gradients: Vec<(String, Vec<f32>)>,
    /// Greedy answers to two prompts.
    pub greedy: Vec<Vec<u32>>,
    /// Loss before each of the training steps.
    pub steps: Vec<f64>,
    /// Weights after them.
    pub weights: Vec<f32>,
}

/// Sequences of different lengths over the whole vocabulary.
fn batch(vocab: usize) -> Vec<ChatTokens> {
    let chat = |i: usize| {
        let length = LENGTH - 13 * i;
        ChatTokens {
            text: String::new(),
            ids: (0..length).map(|t| ((t * 7919 + i * 104_729 + 13) % vocab) as u32).collect(),
            offsets: Vec::new(),
            trained: (8..length).collect(),
            contents: Vec::new(),
        }
    };
    (0..SEQUENCES).map(chat).collect()
}

/// Runs everything with one student.
///
/// # Errors
/// Those of sampling and training.
pub fn compute(student: Student, workers: &Arc<Workers>) -> Result<Computed, ParityError> {
    let chats = batch(student.config.vocab_size);
    let logits = logits(&student, &chats[0].ids)?;
    let losses = student.score(&chats)?.concat();
    let greedy = greedy(&student, workers, &chats)?;
    let tokens = SEQUENCES * LENGTH;
    let mut trainer = Trainer::new(student, AdamWRecipe::default(), tokens, Arc::clone(workers));
    let (gradients, loss) = trainer.sft_gradient(&chats, SftLoss::SampleMean)?;
    let parameters = trainer.student().model.named_parameters();
    let names = parameters.into_iter().map(|parameter| parameter.name);
    let gradients = names.zip(gradients.on_host().parts().iter().cloned()).collect();
    let mut steps = Vec::with_capacity(STEPS);
    for _ in 0..STEPS {
        steps.push(trainer.sft_step(&chats, SftLoss::SampleMean, RATE)?.loss);
    }
    let mut weights = Vec::new();
    for parameter in trainer.student().model.named_parameters() {
        weights.extend(parameter.value.to_vec()?);
    }
    Ok(Computed { logits, losses, loss, gradients, greedy, steps, weights })
}

/// Logits after each of `ids`, flat.
fn logits(student: &Student, ids: &[u32]) -> Result<Vec<f32>, StudentError> {
    let row: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let input = Tensor::<2, Int>::from_data(TensorData::new(row, [1, ids.len()]), &student.model.device());
    let table = student.model.logits(student.model.hidden(input, &student.rope(ids.len())));
    table
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|e| StudentError::Device(crate::student::device::one_line(&format!("{e:?}"))))
}

fn greedy(student: &Student, workers: &Workers, chats: &[ChatTokens]) -> Result<Vec<Vec<u32>>, ParityError> {
    let group = |chat: &ChatTokens| Group { prompt: chat.ids[..16].to_vec(), stream: 0, samples: 0..1 };
    let groups: Vec<Group> = chats.iter().take(2).map(group).collect();
    let settings = SamplerSettings {
        temperature: 0.0,
        top_p: 1.0,
        max_new_tokens: ANSWER,
        slots: 2,
        banned_first: Vec::new(),
        log_probs: false,
    };
    // Nothing ends an answer but its length.
    let mut student = student.clone();
    student.end_of_turn = Vec::new();
    let mut answers = vec![Vec::new(); groups.len()];
    generate(&student, workers, &groups, &settings, &mut |done| {
        answers[done.group] = done.ids;
        ControlFlow::Continue(())
    })?;
    Ok(answers)
}

/// Length of the difference over the length of the first: 0 where both are the same.
pub fn apart(wanted: &[f32], found: &[f32]) -> f64 {
    let square = |x: f64| x * x;
    let difference: f64 = wanted.iter().zip(found).map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let size: f64 = wanted.iter().map(|a| square(f64::from(*a))).sum();
    if wanted.len() != found.len() || !difference.is_finite() {
        return f64::INFINITY;
    }
    if difference == 0.0 { 0.0 } else { (difference / size.max(f64::MIN_POSITIVE)).sqrt() }
}

/// The parameter whose gradients are furthest apart, and how far. A gradient that is nothing beside the largest is
/// measured against a millionth of that one: rounding is all there is to it.
pub fn worst(wanted: &[(String, Vec<f32>)], found: &[(String, Vec<f32>)]) -> (String, f64) {
    let length = |values: &[f32]| values.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
    let floor = wanted.iter().map(|(_, v)| length(v)).fold(0.0, f64::max) * 1e-6;
    let pairs = wanted.iter().zip(found).map(|((name, a), (_, b))| {
        let size = length(a);
        (name.clone(), apart(a, b) * size / size.max(floor).max(f64::MIN_POSITIVE))
    });
    pairs.fold((String::new(), 0.0), |worst, one| if one.1 > worst.1 || one.1.is_nan() { one } else { worst })
}

/// Share of tokens, from the beginning of each answer, before the first that differs.
pub fn agreement(wanted: &[Vec<u32>], found: &[Vec<u32>]) -> f64 {
    let all: usize = wanted.iter().map(Vec::len).sum();
    let same = wanted.iter().zip(found).map(|(a, b)| a.iter().zip(b).take_while(|(x, y)| x == y).count());
    same.sum::<usize>() as f64 / all.max(1) as f64
}

/// The largest difference of two curves, as a share of the first.
pub fn curves(wanted: &[f64], found: &[f64]) -> f64 {
    let off = wanted.iter().zip(found).map(|(a, b)| ((a - b) / a.abs().max(1e-12)).abs());
    off.fold(0.0, |most, one| if one > most || one.is_nan() { one } else { most })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!((apart(&[3.0, 4.0], &[3.0, 4.0]), apart(&[3.0, 4.0], &[3.0, 4.5])), (0.0, 0.1));
        assert!(apart(&[1.0], &[f32::NAN]).is_infinite() && apart(&[1.0], &[]).is_infinite());
        let named = |a: f32, b: f32| vec![("a".to_owned(), vec![a]), ("b".to_owned(), vec![b])];
        assert_eq!(worst(&named(2.0, 1.0), &named(2.0, 1.5)), ("b".into(), 0.5));
        // 1e-9 beside 1 is rounding, however far off it is.
        assert!(worst(&named(1.0, 1e-9), &named(1.0, 3e-9)).1 < 0.01);
        assert_eq!(agreement(&[vec![1, 2, 3, 4]], &[vec![1, 2, 9, 4]]), 0.5);
        assert_eq!(curves(&[2.0, 4.0], &[2.0, 3.0]), 0.25);
        assert!(curves(&[1.0], &[f64::NAN]).is_nan());
    }
}
