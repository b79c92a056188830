//! A model of this machine as teacher: whatever could be a student, on the same engine, asked in batches.
//!
//! It lives on a thread of its own. Calls that come while a batch is under way are gathered and make the next one, so that
//! many callers keep its slots full. An answer is a function of the messages, the settings, the sample number and the
//! seed, whatever else is in the batch. A cancel of the run is heard between two tokens; in a pause, calls under way are
//! answered, so that a researcher can still ask. Teacher and student lie in memory at the same time, and the run's plan counts both (`memory/teacher.rs`).

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burn::tensor::Device;

use super::ending::{Ending, ending};
use super::engine::EngineError;
use super::locate::{Place, locate};
use super::seeds::stream;
use crate::domain::{Finish, strip_control};
use crate::sample::{Group, SampleError, SamplerSettings, generate_while};
use crate::student::device::of_panic;
use crate::student::workers::Workers;
use crate::student::{ModelConfig, Student, StudentError};
use crate::teacher::{Chat, ChatRequest, Completion, TeacherError};

/// How long a batch waits for more calls once it has one.
const GATHER: Duration = Duration::from_millis(20);

/// Where and how a local model runs.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// Calls answered at once.
    pub slots: usize,
    /// Worker threads.
    pub threads: usize,
    /// Seed of its samples.
    pub seed: u64,
}

/// Asked between two tokens whether to go on.
pub type GoOn = Arc<dyn Fn() -> bool + Send + Sync>;

/// A model of this machine that is found and not loaded.
#[derive(Debug)]
pub struct LocalModel {
    word: String,
    place: Place,
    settings: LocalSettings,
}

/// A model of this machine.
pub struct LocalChat {
    name: String,
    slots: usize,
    go_on: GoOn,
    calls: Mutex<Sender<Call>>,
    ending: Ending,
}

type Outcome = Result<Completion, TeacherError>;

/// A request on its way to the model's thread, and the way back.
struct Call {
    request: ChatRequest,
    go_on: GoOn,
    answer: SyncSender<Outcome>,
}

impl LocalModel {
    /// The model of `word`, found as students are ([`locate`]). `tell` hears how far a download has come.
    ///
    /// # Errors
    /// What cannot be found.
    pub fn find(word: &str, settings: LocalSettings, tell: &mut dyn FnMut(&str)) -> Result<Self, EngineError> {
        Ok(Self { word: word.to_owned(), place: locate(word, tell)?, settings })
    }

    /// Its shape, of which the plan of memory is made.
    ///
    /// # Errors
    /// What its folder lacks, or what Footbridge does not compute.
    pub fn config(&self) -> Result<ModelConfig, EngineError> {
        Ok(self.place.config()?)
    }

    /// Loads it and starts its thread, which ends with the handle.
    ///
    /// # Errors
    /// What cannot be used.
    pub fn load(self) -> Result<LocalChat, EngineError> {
        let Self { word, place, settings } = self;
        let student = place.load(&Device::flex())?;
        let name = Path::new(&word).file_name();
        let name = name.map_or_else(|| "local".into(), |name| name.to_string_lossy().into_owned());
        let name = strip_control(&name).into_owned();
        let (calls, incoming) = channel();
        let slots = settings.slots.max(1);
        let (alive, ending) = ending();
        std::thread::Builder::new()
            .name("local-teacher".into())
            .spawn(move || {
                let _alive = alive;
                answer_all(&student, &settings, &incoming);
            })
            .map_err(|error| EngineError::Died(format!("its thread cannot be started: {error}")))?;
        Ok(LocalChat { name, slots, go_on: Arc::new(|| true), calls: Mutex::new(calls), ending })
    }
}

impl LocalChat {
    /// [`LocalModel::find`] and [`LocalModel::load`].
    ///
    /// # Errors
    /// Theirs.
    pub fn open(word: &str, settings: LocalSettings, tell: &mut dyn FnMut(&str)) -> Result<Self, EngineError> {
        LocalModel::find(word, settings, tell)?.load()
    }

    /// Asks `go_on` between two tokens: once it says no, every call is [`TeacherError::Cancelled`].
    pub fn while_wanted(self, go_on: GoOn) -> Self {
        let mut chat = self;
        chat.go_on = go_on;
        chat
    }
}

impl fmt::Debug for LocalChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalChat").field("name", &self.name).field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl Drop for LocalChat {
    /// Waits until the model's memory is free again.
    fn drop(&mut self) {
        *self.calls.get_mut().unwrap_or_else(PoisonError::into_inner) = channel().0;
        self.ending.wait();
    }
}

impl Chat for LocalChat {
    fn name(&self) -> &str {
        &self.name
    }

    fn concurrency(&self) -> usize {
        self.slots
    }

    fn complete(&self, request: &ChatRequest) -> Outcome {
        let ended = || TeacherError::Unusable("the local teacher's thread has ended".into());
        let (answer, outcome) = sync_channel(1);
        let call = Call { request: request.clone(), go_on: self.go_on.clone(), answer };
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        calls.send(call).map_err(|_| ended())?;
        outcome.recv().map_err(|_| ended())?
    }
}

/// Answers until nobody can ask any more.
fn answer_all(student: &Student, settings: &LocalSettings, incoming: &Receiver<Call>) {
    let workers = Workers::new(settings.threads);
    while let Ok(first) = incoming.recv() {
        let mut waiting = vec![first];
        while waiting.len() < settings.slots.max(1)
            && let Ok(call) = incoming.recv_timeout(GATHER)
        {
            waiting.push(call);
        }
        while !waiting.is_empty() {
            let first = waiting.remove(0);
            let (mut batch, others): (Vec<Call>, _) = waiting.into_iter().partition(|call| alike(call, &first));
            batch.push(first);
            waiting = others;
            answer(student, &workers, settings, batch);
        }
    }
}

/// Whether two calls are sampled alike; such calls share a batch.
fn alike(one: &Call, other: &Call) -> bool {
    let (one, other) = (&one.request, &other.request);
    (one.temperature, one.top_p, one.max_tokens) == (other.temperature, other.top_p, other.max_tokens)
}

/// Answers calls that are sampled alike, each as soon as it is finished.
fn answer(student: &Student, workers: &Workers, settings: &LocalSettings, calls: Vec<Call>) {
    let mut groups = Vec::with_capacity(calls.len());
    let mut asked = Vec::with_capacity(calls.len());
    for call in calls {
        match group(student, settings.seed, &call.request) {
            Ok(group) => {
                groups.push(group);
                asked.push(Some(call));
            }
            // Whoever asked has gone away.
            Err(error) => drop(call.answer.send(Err(error))),
        }
    }
    let Some(Call { request: ChatRequest { temperature, top_p, max_tokens, .. }, go_on, .. }) =
        asked.iter().flatten().next()
    else {
        return;
    };
    let sampler = SamplerSettings {
        temperature: *temperature,
        top_p: *top_p,
        max_new_tokens: *max_tokens as usize,
        slots: settings.slots,
        banned_first: Vec::new(),
        log_probs: false,
    };
    let (go_on, stopped) = (go_on.clone(), AtomicBool::new(false));
    let go_on = || {
        let on = go_on();
        stopped.fetch_or(!on, Ordering::Relaxed);
        on
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        generate_while(student, workers, &groups, &sampler, &go_on, &mut |finished| {
            if let Some(call) = asked.get_mut(finished.group).and_then(Option::take) {
                let completion = completion(student, &groups[finished.group], &finished.ids, finished.finish);
                let _ = call.answer.send(completion);
            }
            ControlFlow::Continue(())
        })
    }));
    let error = match outcome {
        Ok(Ok(())) if stopped.into_inner() => TeacherError::Cancelled,
        Ok(Ok(())) => TeacherError::Unanswered("the local teacher gave no answer".into()),
        Ok(Err(error)) => TeacherError::Unusable(format!("the local teacher: {error}")),
        Err(panic) => TeacherError::Unusable(format!("the local teacher stopped: {}", of_panic(&*panic))),
    };
    for call in asked.into_iter().flatten() {
        let _ = call.answer.send(Err(error.clone()));
    }
}

/// The request as the model reads it. What it cannot read is lost; other requests are not.
fn group(student: &Student, seed: u64, request: &ChatRequest) -> Result<Group, TeacherError> {
    let lost = |error: StudentError| TeacherError::Unanswered(format!("{}: {error}", request.purpose));
    let prompt = student.encode_prompt(&request.messages).map_err(lost)?;
    let (tokens, limit) = (prompt.len(), student.config.max_positions);
    if tokens >= limit {
        let reason = SampleError::PromptTooLong { group: 0, tokens, limit };
        return Err(TeacherError::Unanswered(format!("{}: {reason}", request.purpose)));
    }
    let said: Vec<&str> = request.messages.iter().flat_map(|m| [m.role.as_str(), m.content.as_str()]).collect();
    let stream = stream(seed, "local-teacher", &said.join("\0"));
    Ok(Group { prompt, stream, samples: request.sample..request.sample.saturating_add(1) })
}

fn completion(student: &Student, group: &Group, ids: &[u32], finish: Finish) -> Outcome {
    let said: Vec<u32> = ids.iter().copied().filter(|id| !student.end_of_turn.contains(id)).collect();
    let unreadable = |error: StudentError| TeacherError::Unanswered(format!("the answer is no text: {error}"));
    Ok(Completion {
        text: student.tokenizer.decode(&said).map_err(unreadable)?,
        prompt_tokens: group.prompt.len() as u64,
        completion_tokens: ids.len() as u64,
        cut: finish == Finish::Length,
        cached: false,
    })
}
