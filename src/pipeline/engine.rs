//! One engine thread owns the device and every tensor; everybody else sends it requests and gets plain data back.
//!
//! A request is a closure over the [`Workshop`]. Dropping the handle of a generation cancels it at its next finished
//! sequence; a panic on the engine thread becomes an error that says what happened, and the session stays resumable.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};

use thiserror::Error;

use super::control::Control;
use super::workshop::Workshop;
use crate::domain::{Finish, Message};
use crate::recipe::{AdamWRecipe, GrpoRecipe, SamplingRecipe, SftLoss, StudentRecipe};
use crate::sample::SampleError;
use crate::session::{Session, SessionError};
use crate::student::device::{DeviceError, Placed, one_line};
use crate::student::{ChatTokens, Student, StudentError};
use crate::train::{GrpoMetrics, SftMetrics, TrainError};

/// What can go wrong on the device.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The student could not be read or written.
    #[error(transparent)]
    Student(#[from] StudentError),
    /// The device cannot be had.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The student could not be found.
    #[error(transparent)]
    Locate(#[from] super::locate::LocateError),
    /// Generation failed.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A training step failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A checkpoint could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The engine thread ended.
    #[error(
        "the engine stopped: {0}; the session keeps everything written so far, and `footbridge resume` continues it"
    )]
    Died(String),
    /// A training step was asked for before training began.
    #[error("no training run is open on the engine")]
    NotTraining,
}

type Job = Box<dyn FnOnce(&mut Workshop) + Send>;

/// The handle everybody holds.
pub struct Engine {
    jobs: Sender<Job>,
    text: Student,
    placed: Placed,
}

/// Prompts to sample alike.
pub struct Asking {
    /// A conversation per question, ending with the user's turn.
    pub prompts: Vec<Vec<Message>>,
    /// A random stream per question.
    pub streams: Vec<u64>,
    /// Samples per question.
    pub samples: u32,
    /// How they are drawn.
    pub sampling: SamplingRecipe,
    /// Whether the answer marker may not come first.
    pub ban_marker: bool,
}

/// One finished answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Index among the prompts.
    pub question: usize,
    /// Sample index.
    pub sample: u32,
    /// Generated tokens, the end-of-turn token included.
    pub ids: Vec<u32>,
    /// log p of each, nats: at the temperature, before top-p.
    pub log_probs: Vec<f32>,
    /// Their text, without the end-of-turn token.
    pub text: String,
    /// Number of generated tokens.
    pub tokens: u32,
    /// Why it ended.
    pub finish: Finish,
}

/// Answers as they finish.
pub struct Replies {
    incoming: Receiver<Result<Reply, EngineError>>,
}

impl Iterator for Replies {
    type Item = Result<Reply, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.incoming.recv().ok()
    }
}

/// A prompt with its group of responses and rewards.
pub struct GrpoGroup {
    /// The conversation, ending with the user's turn.
    pub prompt: Vec<Message>,
    /// Token ids of each response.
    pub responses: Vec<Vec<u32>>,
    /// Reward of each response.
    pub rewards: Vec<f64>,
}

impl Engine {
    /// Loads the student and starts the thread.
    pub fn start(recipe: &StudentRecipe, threads: usize) -> Result<Self, EngineError> {
        let (jobs, work) = channel::<Job>();
        let (loaded, started) = channel();
        let recipe = recipe.clone();
        std::thread::spawn(move || {
            let mut workshop = match Workshop::open(&recipe, threads) {
                Ok(workshop) => workshop,
                Err(error) => {
                    let _ = loaded.send(Err(error));
                    return;
                }
            };
            let _ = loaded.send(Ok((workshop.text(), workshop.placed().clone())));
            drop(loaded);
            for job in work {
                job(&mut workshop);
            }
        });
        let (text, placed) = started.recv().map_err(|_| EngineError::Died("it could not start".into()))??;
        Ok(Self { jobs, text, placed })
    }

    /// What the student computes on.
    pub fn placed(&self) -> &Placed {
        &self.placed
    }

    /// Tokenizer and chat template, for everybody.
    pub fn text(&self) -> &Student {
        &self.text
    }

    /// Runs `work` on the engine thread and waits for its result.
    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = channel();
        let placed = self.placed.clone();
        let job: Job = Box::new(move |workshop| {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(workshop)));
            let _ = reply.send(outcome.unwrap_or_else(|panic| Err(died(&placed, &*panic))));
        });
        self.jobs.send(job).map_err(|_| EngineError::Died("its thread is gone".into()))?;
        answer.recv().map_err(|_| EngineError::Died("its thread is gone".into()))?
    }

    /// Makes a checkpoint the policy that samples, scores and is trained next.
    pub fn use_checkpoint(&self, session: &Session, id: &str) -> Result<(), EngineError> {
        let weights = super::checkpoints::weights(session, id)?;
        let id = id.to_string();
        self.call(move |workshop| workshop.use_weights(&id, weights))
    }

    /// Samples; answers arrive as they finish, in no particular order.
    pub fn generate(&self, asking: Asking, control: &Control) -> Result<Replies, EngineError> {
        let (outgoing, incoming) = channel();
        let (control, placed) = (control.clone(), self.placed.clone());
        let job: Job = Box::new(move |workshop| {
            let each = |reply: Reply| {
                let gone = outgoing.send(Ok(reply)).is_err();
                if gone || control.check().is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| workshop.generate(&asking, each)));
            let outcome = outcome.unwrap_or_else(|panic| Err(died(&placed, &*panic)));
            if let Err(error) = outcome {
                let _ = outgoing.send(Err(error));
            }
        });
        self.jobs.send(job).map_err(|_| EngineError::Died("its thread is gone".into()))?;
        Ok(Replies { incoming })
    }

    /// Negative log-likelihood of every trained token of each conversation, nats.
    pub fn score(&self, chats: Vec<ChatTokens>) -> Result<Vec<Vec<f32>>, EngineError> {
        self.call(move |workshop| workshop.score(&chats))
    }

    /// Opens a training run on the policy: fresh moments, or a saved state.
    pub fn begin(&self, adamw: AdamWRecipe, state: Option<File>) -> Result<(), EngineError> {
        self.call(move |workshop| workshop.begin(adamw, state))
    }

    /// Freezes the policy as the reference of GRPO.
    pub fn freeze_reference(&self) -> Result<(), EngineError> {
        self.call(|workshop| {
            workshop.freeze_reference();
            Ok(())
        })
    }

    /// One SFT update.
    pub fn sft_step(&self, batch: Vec<ChatTokens>, lr: f64, loss: SftLoss) -> Result<SftMetrics, EngineError> {
        self.call(move |workshop| workshop.sft_step(&batch, lr, loss))
    }

    /// One GRPO step: every mini-batch of it.
    pub fn grpo_step(&self, groups: Vec<GrpoGroup>, recipe: GrpoRecipe, lr: f64) -> Result<GrpoMetrics, EngineError> {
        self.call(move |workshop| workshop.grpo_step(&groups, &recipe, lr))
    }

    /// Writes weights, moments and update count of the open training run to `out`, and gives it back.
    pub fn write_state<W: Write + Send + 'static>(&self, mut out: W) -> Result<W, EngineError> {
        self.call(move |workshop| workshop.write_state(&mut out).map(|()| out))
    }

    /// Closes the training run: the trained weights become the policy, under this id.
    pub fn end(&self, id: &str) -> Result<(), EngineError> {
        let id = id.to_string();
        self.call(move |workshop| {
            workshop.end(&id);
            Ok(())
        })
    }

    /// The policy as the files of a Hugging Face folder: name and content.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, EngineError> {
        self.call(|workshop| workshop.files())
    }
}

/// A panic on the engine thread: a fault of ours, or of the device, whose library has no other way to say so.
fn died(placed: &Placed, panic: &(dyn std::any::Any + Send)) -> EngineError {
    let said = one_line(&message_of(panic));
    EngineError::Died(if placed.is_cpu() { said } else { format!("{said} (on {})", placed.name) })
}

/// What a panic said.
pub(super) fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()));
    text.unwrap_or_else(|| "a panic without a message".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// A kernel's fault reaches us as a panic in whatever reads its result next: here one is thrown in its place.
    #[test]
    fn a_fault_of_the_device_is_an_error_that_names_it_and_the_engine_goes_on() {
        let recipe = StudentRecipe { device: "cpu".into(), ..StudentRecipe::default() };
        let mut engine = Engine::start(&recipe, 1).unwrap();
        let fault = |engine: &Engine| {
            let thrown = engine.call::<()>(|_| panic!("CUDA_ERROR_ILLEGAL_ADDRESS\n  at kernel\u{1b}[0m 7"));
            thrown.unwrap_err().to_string()
        };
        let said = fault(&engine);
        assert!(said.contains("CUDA_ERROR_ILLEGAL_ADDRESS at kernel[0m 7;") && said.contains("footbridge resume"));
        engine.placed = Placed { index: Some(0), name: "a GPU (cuda:0), bf16".into(), ..engine.placed };
        assert!(fault(&engine).contains("kernel[0m 7 (on a GPU (cuda:0), bf16);"));
        assert!(
            engine.write_state(Vec::new()).is_err_and(|error| matches!(error, EngineError::NotTraining)),
            "it still answers"
        );
    }
}
