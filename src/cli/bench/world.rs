//! The world's student at the demo's batch sizes, on the demo's own questions: the figures in README.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use super::BenchError;
use super::clock::{Clock, Pace};
use crate::data::world::splits::{Split, World, WorldSpec};
use crate::domain::Message;
use crate::recipe::{AdamWRecipe, SftLoss};
use crate::sample::{Group, SamplerSettings, generate};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student};
use crate::train::Trainer;

/// Questions that are sampled, and samples of each.
const QUESTIONS: usize = 48;
const SAMPLES: u32 = 8;
/// Conversations of a training batch, and updates made.
const BATCH: usize = 8;
const UPDATES: usize = 30;
/// Tokens a conversation of the training measure is filled up to.
const LENGTH: usize = 128;

/// What the demo does most.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Paces {
    /// Sampling at temperature 0.7 and top-p 0.9, 64 sequences at once.
    pub sampling: Pace,
    /// Sampling at temperature 1 from all tokens.
    pub rollouts: Pace,
    /// Forward, backward and AdamW.
    pub training: Pace,
}

/// Measures the world's student.
///
/// # Errors
/// Those of sampling and training.
pub(super) fn paces(student: &Student, workers: &Arc<Workers>) -> Result<Paces, BenchError> {
    let spec = WorldSpec { seed: 1, train: QUESTIONS, dev: 0, test: 0, ood: 0 };
    let questions: Vec<String> =
        World::generate(&spec)?.questions(Split::Train).into_iter().map(|question| question.text).collect();
    let (rollouts, _) = sample(student, workers, &questions, 1.0, 1.0)?;
    let (sampling, answers) = sample(student, workers, &questions, 0.7, 0.9)?;
    let training = train(student.clone(), workers, &questions, &answers)?;
    Ok(Paces { sampling, rollouts, training })
}

fn sample(
    student: &Student,
    workers: &Workers,
    questions: &[String],
    temperature: f64,
    top_p: f64,
) -> Result<(Pace, Vec<Vec<u32>>), BenchError> {
    let mut groups = Vec::with_capacity(questions.len());
    for (stream, question) in (0..).zip(questions) {
        let prompt = student.encode_prompt(&[Message::user(question.as_str())])?;
        groups.push(Group { prompt, stream, samples: 0..SAMPLES });
    }
    let settings = SamplerSettings {
        temperature,
        top_p,
        max_new_tokens: 180,
        slots: 64,
        banned_first: Vec::new(),
        log_probs: false,
    };
    let mut answers = vec![Vec::new(); groups.len()];
    let mut tokens = 0;
    let clock = Clock::start();
    generate(student, workers, &groups, &settings, &mut |done| {
        tokens += done.ids.len() as u64;
        if done.sample == 0 {
            answers[done.group] = done.ids;
        }
        ControlFlow::Continue(())
    })?;
    Ok((clock.stop(tokens), answers))
}

fn train(
    student: Student,
    workers: &Arc<Workers>,
    questions: &[String],
    answers: &[Vec<u32>],
) -> Result<Pace, BenchError> {
    let mut chats: Vec<ChatTokens> = Vec::with_capacity(questions.len());
    for (question, answer) in questions.iter().zip(answers) {
        let answer = student.tokenizer.decode(answer)?;
        let mut turns = vec![Message::user(question.as_str()), Message::assistant(answer.trim())];
        let mut chat = student.encode_chat(&turns)?;
        while chat.ids.len() < LENGTH {
            turns.extend([turns[0].clone(), turns[1].clone()]);
            chat = student.encode_chat(&turns)?;
        }
        chat.truncate(LENGTH);
        chats.push(chat);
    }
    let micro_batch = BATCH * LENGTH / workers.count().min(BATCH);
    let mut trainer = Trainer::new(student, AdamWRecipe::default(), micro_batch, Arc::clone(workers));
    let clock = Clock::start();
    for update in 0..UPDATES {
        let batch: Vec<ChatTokens> = (0..BATCH).map(|i| chats[(update * BATCH + i) % chats.len()].clone()).collect();
        trainer.sft_step(&batch, SftLoss::SampleMean, 1e-4)?;
    }
    Ok(clock.stop((UPDATES * BATCH * LENGTH) as u64))
}
