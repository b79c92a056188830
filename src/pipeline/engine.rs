//! One engine thread owns the device and every tensor; everybody else sends it requests and gets plain data back.
//!
//! A request is a closure over the [`Workshop`]. Dropping the handle of a generation cancels it between two tokens, where
//! it also hears a pause and a cancel; a panic on the engine thread becomes an error that says what happened, and the
//! session stays resumable.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use thiserror::Error;

use super::control::Control;
use super::ending::{Ending, ending};
use super::fault::died;
pub use super::replies::{Asking, Replies, Reply};
use super::workshop::Workshop;
use crate::domain::Message;
use crate::recipe::{AdamWRecipe, GrpoRecipe, SftLoss, StudentRecipe};
use crate::sample::SampleError;
use crate::session::{Session, SessionError};
use crate::student::device::{DeviceError, Placed, Room, hush_this_thread, of_panic};
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
    /// The device failed for the rest of this process.
    #[error(
        "the engine stopped: {0}; it does not compute any more in this process. The session keeps everything written so \
         far: end footbridge, start it again, and `footbridge resume` continues it"
    )]
    Lost(String),
    /// The run needs more memory than the device has.
    #[error(transparent)]
    Memory(#[from] Box<super::memory::TooLarge>),
    /// A training step was asked for before training began.
    #[error("no training run is open on the engine")]
    NotTraining,
}

type Job = Box<dyn FnOnce(&mut Workshop) + Send>;

/// What is asked before a student is loaded: told what it will compute on and the room there, it may refuse; else it has a
/// line to tell, or none.
pub type Check = Box<dyn FnOnce(&Placed, Option<Room>) -> Result<Option<String>, EngineError> + Send>;

/// What the thread says on its way to work.
enum Started {
    /// A line to tell.
    Told(String),
    /// The student, what it computes on, and the room that was there before it.
    Loaded(Box<(Student, Placed, Option<Room>)>),
}

/// The handle everybody holds.
pub struct Engine {
    jobs: Sender<Job>,
    text: Student,
    placed: Placed,
    room: Option<Room>,
    ending: Ending,
}

impl Drop for Engine {
    /// Waits until the device and the student's memory are given back: a run that begins next counts what is free.
    fn drop(&mut self) {
        drop(std::mem::replace(&mut self.jobs, channel().0));
        self.ending.wait();
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
        Self::start_checked(recipe, threads, Box::new(|_, _| Ok(None)), &mut |_| ())
    }

    /// As [`Engine::start`], once `check` has let the student be loaded; `tell` hears its line.
    ///
    /// # Errors
    /// What `check` refuses, a device that cannot be had, a student that cannot be loaded.
    pub fn start_checked(
        recipe: &StudentRecipe,
        threads: usize,
        check: Check,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Self, EngineError> {
        let (jobs, work) = channel::<Job>();
        let (says, started) = channel();
        let recipe = recipe.clone();
        let (alive, ending) = ending();
        std::thread::spawn(move || {
            let _alive = alive;
            let opening = || open(&recipe, threads, check, &says);
            let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(opening));
            let opened = opened.unwrap_or_else(|panic| Err(EngineError::Died(of_panic(&*panic))));
            let (mut workshop, room) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    let _ = says.send(Err(error));
                    return;
                }
            };
            let placed = workshop.placed().clone();
            if !placed.is_cpu() {
                hush_this_thread();
            }
            let _ = says.send(Ok(Started::Loaded(Box::new((workshop.text(), placed.clone(), room)))));
            drop(says);
            for job in work {
                job(&mut workshop);
            }
            drop(workshop);
            placed.give_back();
        });
        for said in started {
            match said? {
                Started::Told(line) => tell(&line),
                Started::Loaded(loaded) => {
                    let (text, placed, room) = *loaded;
                    return Ok(Self { jobs, text, placed, room, ending });
                }
            }
        }
        Err(EngineError::Died("it could not start".into()))
    }

    /// The room that was on the device before the student was loaded; `None` for the CPU.
    pub fn room(&self) -> Option<Room> {
        self.room
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

    /// Makes a checkpoint the policy that samples, scores and is trained next; it is read where it is not that already.
    pub fn use_checkpoint(&self, session: &Session, id: &str) -> Result<(), EngineError> {
        let asked = id.to_string();
        if self.call(move |workshop| Ok(workshop.is_at(&asked)))? {
            return Ok(());
        }
        let weights = super::checkpoints::weights(session, id)?;
        let id = id.to_string();
        self.call(move |workshop| workshop.use_weights(&id, weights))
    }

    /// Samples; answers arrive as they finish, in no particular order. A pause makes it stand still, and a cancel ends it,
    /// between two tokens.
    pub fn generate(&self, asking: Asking, control: &Control) -> Result<Replies, EngineError> {
        let (outgoing, incoming) = channel();
        let (control, placed) = (control.clone(), self.placed.clone());
        let gone = Arc::new(AtomicBool::new(false));
        let left = gone.clone();
        let job: Job = Box::new(move |workshop| {
            let each = |reply: Reply| match outgoing.send(Ok(reply)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let go_on = || !left.load(Ordering::Relaxed) && control.check().is_ok();
            let generating = || workshop.generate(&asking, &go_on, each);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(generating));
            let outcome = outcome.unwrap_or_else(|panic| Err(died(&placed, &*panic)));
            if let Err(error) = outcome {
                let _ = outgoing.send(Err(error));
            }
        });
        self.jobs.send(job).map_err(|_| EngineError::Died("its thread is gone".into()))?;
        Ok(Replies { incoming, gone })
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

/// Finds the device, asks `check`, and loads the student.
fn open(
    recipe: &StudentRecipe,
    threads: usize,
    check: Check,
    says: &Sender<Result<Started, EngineError>>,
) -> Result<(Workshop, Option<Room>), EngineError> {
    let placed = Workshop::place(recipe)?;
    let room = placed.room();
    if let Some(line) = check(&placed, room)? {
        let _ = says.send(Ok(Started::Told(line)));
    }
    Ok((Workshop::open(recipe, threads, placed)?, room))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::fault::fault;
    use super::*;

    /// A kernel's fault reaches us as a panic in whatever reads its result next: here one is thrown in its place.
    #[test]
    fn a_fault_of_the_device_is_an_error_that_names_it_and_the_engine_goes_on() {
        let recipe = StudentRecipe { device: "cpu".into(), ..StudentRecipe::default() };
        let mut engine = Engine::start(&recipe, 1).unwrap();
        let fault_of = |engine: &Engine| {
            let thrown = engine.call::<()>(|_| panic!("CUDA_ERROR_ILLEGAL_ADDRESS\n  at kernel\u{1b}[0m 7"));
            thrown.unwrap_err().to_string()
        };
        let said = fault_of(&engine);
        assert!(said.contains("CUDA_ERROR_ILLEGAL_ADDRESS at kernel[0m 7;") && said.contains("footbridge resume"));
        engine.placed = Placed { index: Some(0), name: "a GPU (cuda:0), bf16".into(), ..engine.placed.clone() };
        assert!(fault_of(&engine).contains("kernel[0m 7 (on a GPU (cuda:0), bf16);"));
        assert!(
            engine.write_state(Vec::new()).is_err_and(|error| matches!(error, EngineError::NotTraining)),
            "it still answers"
        );
    }

    /// A device that computes nothing after a fault is lost to the process: the run ends with what to do, and the next run
    /// of this process is refused before it loads anything.
    #[test]
    fn after_a_fault_that_lasts_the_program_is_to_be_started_anew() {
        let far = 4343;
        let placed = Placed { index: Some(far), name: "a GPU (cuda:4343), bf16".into(), ..Placed::cpu() };
        let passing = fault(&placed, "out of memory".into(), Ok(()));
        assert!(matches!(passing, EngineError::Died(_)), "{passing}");
        let lasting = fault(&placed, "CUDA_ERROR_ILLEGAL_ADDRESS".into(), Err("the same again".into())).to_string();
        for word in ["CUDA_ERROR_ILLEGAL_ADDRESS (on a GPU", "end footbridge, start it again", "footbridge resume"] {
            assert!(lasting.contains(word) && !lasting.contains('\n'), "{lasting}");
        }
        let recipe = StudentRecipe { device: format!("cuda:{far}"), ..StudentRecipe::default() };
        let mut told = Vec::new();
        let check: Check = Box::new(|_, _| panic!("a lost device is not asked for its room"));
        let Err(refused) = Engine::start_checked(&recipe, 1, check, &mut |line| told.push(line.to_owned())) else {
            panic!("a lost device was taken");
        };
        assert!(matches!(refused, EngineError::Device(DeviceError::Lost { index, .. }) if index == far), "{refused}");
        assert!(refused.to_string().contains("start it again") && told.is_empty());
    }

    #[test]
    fn a_check_tells_or_refuses_before_the_student_is_loaded() {
        let recipe = StudentRecipe { device: "cpu".into(), ..StudentRecipe::default() };
        let mut told = Vec::new();
        let line: Check = Box::new(|placed, room| Ok(Some(format!("{} {room:?}", placed.name))));
        let engine = Engine::start_checked(&recipe, 1, line, &mut |line| told.push(line.to_owned())).unwrap();
        assert_eq!((told, engine.room()), (vec!["cpu None".to_owned()], None));
        let missing = StudentRecipe { path: "/no/such/folder".into(), ..recipe };
        let refuse: Check = Box::new(|_, _| Err(EngineError::NotTraining));
        let refused = Engine::start_checked(&missing, 1, refuse, &mut |_| ());
        assert!(matches!(refused, Err(EngineError::NotTraining)), "nothing was looked for");
        let dies: Check = Box::new(|_, _| panic!("out\nof memory"));
        let died = Engine::start_checked(&missing, 1, dies, &mut |_| ());
        assert!(matches!(died, Err(EngineError::Died(said)) if said == "out of memory"));
    }
}
