//! The session as the store of paid answers, and of what they took.
//!
//! An answer and the new sum of its stage and purpose go into one frame of the journal: both are there or neither. Threads
//! that come while a frame is being written are written together in the next one, which keeps the sums in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::control::Control;
use crate::recipe::TeacherRecipe;
use crate::session::{Author, Batch, Record, Session, SessionError};
use crate::teacher::openai::Settings;
use crate::teacher::{AnswerStore, CacheSettings, Cached, Meter, OpenAi, Stored, TeacherError, Usage};

/// Bytes of answers that share a frame, the last one excluded.
const TOGETHER: usize = 4 << 20;
/// Time between two frames, so that answers that come close together share one: a frame costs more than an answer.
const GATHER: Duration = Duration::from_millis(20);

/// A paid answer. Key: the hash of its call.
impl Record for Stored {
    const TABLE: &'static str = "answer";
    const VERSION: u32 = 1;
}

/// What the calls of a stage took. Key: `stage/purpose`.
impl Record for Usage {
    const TABLE: &'static str = "usage";
    const VERSION: u32 = 1;
}

/// What a session's model teacher took, by `stage/purpose`.
///
/// # Errors
/// The session cannot be read.
pub fn spending(session: &Session) -> Result<BTreeMap<String, Usage>, SessionError> {
    session.scan::<Usage>("").collect()
}

/// The model of a recipe behind the answers of a session, which obeys the run's `control`. `refresh` asks anew for what
/// was kept before. Nothing is sent yet.
///
/// # Errors
/// [`TeacherError::Unusable`]: the key's variable is not set, an address that cannot be used.
pub fn open_chat(
    recipe: &TeacherRecipe,
    store: Arc<SessionAnswers>,
    control: &Control,
    refresh: bool,
) -> Result<Cached<OpenAi>, TeacherError> {
    let settings = Settings::of(recipe)?;
    let cache = CacheSettings { refresh, parameters: settings.parameters() };
    let control = control.clone();
    let chat = OpenAi::new(settings, Arc::new(move || control.cancelled()), &store.spent())?;
    Ok(Cached::new(chat, store, cache, Arc::new(Meter::default())))
}

/// The store of one open session.
pub struct SessionAnswers {
    session: Arc<Session>,
    stage: Mutex<String>,
    queue: Mutex<Queue>,
    turned: Condvar,
}

struct Job {
    answer: Option<(String, Stored)>,
    spender: String,
    took: Usage,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Job>,
    /// Jobs that came, jobs that are written.
    came: u64,
    written: u64,
    writing: bool,
    /// When a frame was last written.
    last: Option<Instant>,
    /// The first failure: nothing is written after it.
    failed: Option<String>,
    sums: BTreeMap<String, Usage>,
}

impl SessionAnswers {
    /// The store of a session that is open for writing.
    ///
    /// # Errors
    /// What was spent so far cannot be read.
    pub fn open(session: Arc<Session>) -> Result<Self, SessionError> {
        let queue = Queue { sums: spending(&session)?, ..Queue::default() };
        Ok(Self { session, stage: Mutex::default(), queue: Mutex::new(queue), turned: Condvar::new() })
    }

    /// From here on calls count for this stage.
    pub fn at(&self, stage: &str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage.to_owned();
    }

    /// What the session has spent, over all its parts.
    pub fn spent(&self) -> Usage {
        self.queue().sums.values().copied().sum()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spender(&self, purpose: &str) -> String {
        format!("{}/{purpose}", self.stage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns once the job is durable. Whoever finds nobody writing writes for all that wait.
    fn submit(&self, job: Job) -> Result<(), String> {
        let mut queue = self.queue();
        queue.waiting.push(job);
        queue.came += 1;
        let ticket = queue.came;
        loop {
            if queue.written >= ticket {
                return Ok(());
            }
            if let Some(reason) = &queue.failed {
                return Err(reason.clone());
            }
            if queue.writing {
                queue = self.turned.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.writing = true;
            let early = queue.last.map_or(Duration::ZERO, |last| GATHER.saturating_sub(last.elapsed()));
            drop(queue);
            std::thread::sleep(early);
            let (jobs, batch) = self.queue().next();
            let outcome = self.session.write(batch);
            queue = self.queue();
            queue.last = Some(Instant::now());
            queue.writing = false;
            match outcome {
                Ok(_) => queue.written += jobs,
                Err(error) => queue.failed = Some(error.to_string()),
            }
            self.turned.notify_all();
        }
    }
}

impl Queue {
    /// The next jobs as one batch, and how many they are.
    fn next(&mut self) -> (u64, Batch) {
        let mut bytes = 0;
        let fits = |job: &Job| {
            let before = bytes;
            bytes += job.answer.as_ref().map_or(0, |(_, answer)| answer.text.len());
            before < TOGETHER
        };
        let jobs = self.waiting.iter().map(fits).take_while(|fits| *fits).count();
        let mut batch = Batch::new(Author::Pipeline);
        let mut spenders = std::collections::BTreeSet::new();
        for Job { answer, spender, took } in self.waiting.drain(..jobs) {
            if let Some((key, answer)) = answer {
                batch.put(&key, &answer);
            }
            *self.sums.entry(spender.clone()).or_default() += took;
            spenders.insert(spender);
        }
        for spender in spenders {
            batch.put(&spender, &self.sums.get(&spender).copied().unwrap_or_default());
        }
        (jobs as u64, batch)
    }
}

impl AnswerStore for SessionAnswers {
    fn get(&self, key: &str) -> Result<Option<Stored>, String> {
        self.session.get(key).map_err(|error| error.to_string())
    }

    fn put(&self, key: &str, answer: &Stored, took: Usage) -> Result<(), String> {
        self.submit(Job {
            answer: Some((key.to_owned(), answer.clone())),
            spender: self.spender(&answer.purpose),
            took,
        })
    }

    fn charge(&self, purpose: &str, took: Usage) -> Result<(), String> {
        self.submit(Job { answer: None, spender: self.spender(purpose), took })
    }
}
