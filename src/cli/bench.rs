//! `footbridge bench`: how fast this machine samples and trains, per second of processor time, so that figures from busy
//! machines can be compared.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use serde::Serialize;

use crate::data::world::base::BASE;
use crate::data::world::splits::{Split, World, WorldError, WorldSpec};
use crate::domain::Message;
use crate::recipe::{AdamWRecipe, SftLoss};
use crate::sample::{Group, SampleError, SamplerSettings, generate};
use crate::student::workers::Workers;
use crate::student::{ChatTokens, Student, StudentError, StudentFiles};
use crate::train::{TrainError, Trainer};

/// Questions that are sampled, and samples of each.
const QUESTIONS: usize = 48;
const SAMPLES: u32 = 8;
/// Conversations of a training batch, and updates made.
const BATCH: usize = 8;
const UPDATES: usize = 30;
/// Tokens a conversation of the training measure is filled up to.
const LENGTH: usize = 128;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The built-in student could not be read.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// Sampling failed.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The questions could not be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The figures could not be written.
    #[error("the figures could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// One kind of work, measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pace {
    /// Tokens sampled, or trained on with their padding.
    pub tokens: u64,
    /// Processor time of all threads, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Time on the clock, in seconds.
    pub seconds: f64,
}

impl Pace {
    /// Tokens per second of processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.tokens as f64 / self.cpu_seconds.max(1e-9)
    }
}

/// The figures of one machine.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bench {
    /// Worker threads.
    pub threads: usize,
    /// Sampling at temperature 0.7 and top-p 0.9, 64 sequences at once.
    pub sampling: Pace,
    /// Sampling at temperature 1 from all tokens.
    pub rollouts: Pace,
    /// Forward, backward and AdamW.
    pub training: Pace,
    /// Most memory the process held, in MiB.
    pub peak_mib: f64,
}

/// Measures the world's student on `threads` threads.
///
/// # Errors
/// Those of sampling and training.
pub fn measure(threads: usize) -> Result<Bench, BenchError> {
    let student = world_student()?;
    let workers = Arc::new(Workers::new(threads));
    let spec = WorldSpec { seed: 1, train: QUESTIONS, dev: 0, test: 0, ood: 0 };
    let questions: Vec<String> =
        World::generate(&spec)?.questions(Split::Train).into_iter().map(|question| question.text).collect();
    let (rollouts, _) = sample(&student, &workers, &questions, 1.0, 1.0)?;
    let (sampling, answers) = sample(&student, &workers, &questions, 0.7, 0.9)?;
    let training = train(student, &workers, &questions, &answers)?;
    Ok(Bench { threads, sampling, rollouts, training, peak_mib: peak_mib() })
}

/// [`measure`], told in a few lines or as JSON.
///
/// # Errors
/// As [`measure`].
pub fn run(threads: usize, json: bool) -> Result<String, BenchError> {
    let bench = measure(threads)?;
    if json {
        return Ok(serde_json::to_string(&bench)?);
    }
    let line = |name: &str, pace: Pace| {
        let (rate, cpu, wall) = (pace.per_cpu_second(), pace.cpu_seconds, pace.seconds);
        format!(
            "{name:<24}{rate:>10.0} tokens per CPU-second   {:>8} tokens, {cpu:.2} CPU-s, {wall:.2} s\n",
            pace.tokens
        )
    };
    Ok(format!(
        "the world's student on {threads} threads\n{}{}{}peak memory {:.0} MiB\n",
        line("sampling, top-p 0.9", bench.sampling),
        line("sampling, all tokens", bench.rollouts),
        line("training", bench.training),
        bench.peak_mib
    ))
}

/// The built-in base.
fn world_student() -> Result<Student, StudentError> {
    let files = StudentFiles {
        config: BASE.config.to_vec(),
        tokenizer: BASE.tokenizer.to_vec(),
        tokenizer_config: BASE.tokenizer_config.to_vec(),
        generation_config: Some(BASE.generation_config.to_vec()),
        chat_template: None,
        others: Vec::new(),
    };
    Student::from_bytes(files, BASE.weights, &Device::flex())
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
    let settings = SamplerSettings { temperature, top_p, max_new_tokens: 180, slots: 64, banned_first: Vec::new() };
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

/// Processor time and time on the clock since a moment.
struct Clock {
    cpu: f64,
    wall: std::time::Instant,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: cpu_seconds(), wall: std::time::Instant::now() }
    }

    fn stop(self, tokens: u64) -> Pace {
        let seconds = self.wall.elapsed().as_secs_f64();
        let cpu_seconds = if cfg!(unix) { cpu_seconds() - self.cpu } else { seconds };
        Pace { tokens, cpu_seconds, seconds }
    }
}

#[cfg(unix)]
fn usage() -> Option<nix::sys::resource::Usage> {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()
}

/// Processor time of this process so far.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 * 1e-6;
    usage().map_or(0.0, |u| seconds(u.user_time()) + seconds(u.system_time()))
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    0.0
}

/// Most memory this process has held; 0 where the system does not say.
#[cfg(unix)]
pub(super) fn peak_mib() -> f64 {
    let unit = if cfg!(target_os = "macos") { 1024.0 * 1024.0 } else { 1024.0 };
    usage().map_or(0.0, |u| u.max_rss() as f64 / unit)
}

#[cfg(not(unix))]
pub(super) fn peak_mib() -> f64 {
    0.0
}
