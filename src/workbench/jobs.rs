//! Work behind the screen: closures on a few threads, a notice when one has ended, and [`Query`], which keeps at most one
//! answer, one run and one wish for another run. The screen never waits: it draws what it has and says that it asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Threads that answer queries: more than one, so that a slow question does not hold up a quick one.
const THREADS: usize = 2;

/// Says that an answer is no longer wanted. Whoever works long looks at it now and then.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the work to end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the answer is no longer wanted.
    pub fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// `Err` once the answer is no longer wanted, so that `cancel.check()?` ends long work.
    ///
    /// # Errors
    /// When it was cancelled.
    pub fn check(&self) -> Result<(), String> {
        if self.cancelled() { Err("cancelled".to_string()) } else { Ok(()) }
    }
}

type Job = Box<dyn FnOnce() + Send>;
type Notify = Arc<dyn Fn() + Send + Sync>;

/// Where work is done.
#[derive(Clone)]
pub struct Jobs {
    sender: Option<Sender<Job>>,
    notify: Notify,
    /// Jobs that were done at once.
    done: Arc<AtomicU64>,
}

impl Jobs {
    /// Work on threads; `notify` is called from there when something has ended.
    pub fn threads(notify: Notify) -> Self {
        let (sender, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..THREADS {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || {
                loop {
                    let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match job {
                        Ok(job) => job(),
                        Err(_) => return,
                    }
                }
            });
        }
        Self { sender: Some(sender), notify, done: Arc::default() }
    }

    /// Work is done at once, where it is asked for: for pictures and tests.
    pub fn at_once() -> Self {
        Self { sender: None, notify: Arc::new(|| ()), done: Arc::default() }
    }

    /// Does something of which nobody waits for the answer here; there is a notice when it is done.
    pub fn errand(&self, job: impl FnOnce() + Send + 'static) {
        let notify = Arc::clone(&self.notify);
        self.run(move || {
            drop(catch_unwind(AssertUnwindSafe(job)));
            notify();
        });
    }

    /// Says that there is something to see, from work that is not at its end yet.
    pub fn notice(&self) {
        (self.notify)();
    }

    /// Does some work.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        match &self.sender {
            Some(sender) => drop(sender.send(Box::new(job))),
            None => {
                job();
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Jobs that were done at once so far: where it has grown, an answer waits of which there was no notice.
    pub fn done_at_once(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

type Work<T> = Box<dyn FnOnce(&Cancel) -> Result<T, String> + Send>;
type Inbox<T> = Arc<Mutex<Option<Result<T, String>>>>;

struct Flight<T> {
    inbox: Inbox<T>,
    cancel: Cancel,
    since: Duration,
}

/// Nobody takes the answer of a flight that is gone, also where the pane that asked has forgotten its query.
impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A question to the session or the disk, and its last answer.
pub struct Query<T> {
    answer: Option<Result<T, String>>,
    flight: Option<Flight<T>>,
    again: Option<Work<T>>,
}

impl<T> Default for Query<T> {
    fn default() -> Self {
        Self { answer: None, flight: None, again: None }
    }
}

impl<T: Send + 'static> Query<T> {
    /// Asks something else than before: an answer on its way is dropped. The last answer stays until the new one comes;
    /// [`Query::clear`] first, where it would mislead.
    pub fn ask(
        &mut self,
        jobs: &Jobs,
        now: Duration,
        work: impl FnOnce(&Cancel) -> Result<T, String> + Send + 'static,
    ) {
        self.cancel();
        self.start(jobs, now, Box::new(work));
    }

    /// Asks the same again because the records have changed: at most one run is under way and one waits.
    pub fn refresh(
        &mut self,
        jobs: &Jobs,
        now: Duration,
        work: impl FnOnce(&Cancel) -> Result<T, String> + Send + 'static,
    ) {
        if self.flight.is_some() {
            self.again = Some(Box::new(work));
        } else {
            self.start(jobs, now, Box::new(work));
        }
    }

    fn start(&mut self, jobs: &Jobs, now: Duration, work: Work<T>) {
        let inbox: Inbox<T> = Inbox::default();
        let cancel = Cancel::default();
        self.flight = Some(Flight { inbox: Arc::clone(&inbox), cancel: cancel.clone(), since: now });
        let notify = Arc::clone(&jobs.notify);
        jobs.run(move || {
            if cancel.cancelled() {
                return;
            }
            let answer = catch_unwind(AssertUnwindSafe(|| work(&cancel)))
                .unwrap_or_else(|_| Err("a defect in footbridge ended this query; please report it".to_string()));
            *inbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            notify();
        });
    }

    /// Takes an answer that has come. True when there is a new one.
    pub fn poll(&mut self, jobs: &Jobs, now: Duration) -> bool {
        let Some(flight) = &self.flight else { return false };
        let Some(answer) = flight.inbox.lock().unwrap_or_else(PoisonError::into_inner).take() else { return false };
        self.flight = None;
        self.answer = Some(answer);
        if let Some(work) = self.again.take() {
            self.start(jobs, now, work);
        }
        true
    }

    /// Gives up what is under way; the last answer stays.
    pub fn cancel(&mut self) {
        (self.flight, self.again) = (None, None);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cancel();
        self.answer = None;
    }

    /// The last good answer.
    pub fn value(&self) -> Option<&T> {
        self.answer.as_ref().and_then(|answer| answer.as_ref().ok())
    }

    /// The last good answer, to be changed in place.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.answer.as_mut().and_then(|answer| answer.as_mut().ok())
    }

    /// The last good answer, taken out.
    pub fn into_value(self) -> Option<T> {
        self.answer.and_then(Result::ok)
    }

    /// Why there is no answer.
    pub fn error(&self) -> Option<&str> {
        self.answer.as_ref().and_then(|answer| answer.as_ref().err()).map(String::as_str)
    }

    /// Since when an answer is waited for.
    pub fn waiting(&self) -> Option<Duration> {
        self.flight.as_ref().map(|flight| flight.since)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn waited(query: &mut Query<u32>, jobs: &Jobs) {
        for _ in 0..2000 {
            if query.poll(jobs, Duration::ZERO) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("no answer");
    }

    #[test]
    fn an_answer_comes_with_a_notice_and_the_old_one_stays_until_then() {
        let (say, heard) = channel();
        let jobs = Jobs::threads(Arc::new(move || {
            let _ = say.send(());
        }));
        let mut query = Query::default();
        query.ask(&jobs, Duration::ZERO, |_| Ok(1));
        heard.recv().unwrap();
        waited(&mut query, &jobs);
        assert_eq!((query.value(), query.waiting()), (Some(&1), None));
        let (go, wait) = channel::<()>();
        query.ask(&jobs, Duration::from_secs(3), move |_| {
            let _ = wait.recv();
            Err("nothing there".into())
        });
        assert_eq!((query.value(), query.waiting()), (Some(&1), Some(Duration::from_secs(3))));
        go.send(()).unwrap();
        waited(&mut query, &jobs);
        assert_eq!((query.value(), query.error()), (None, Some("nothing there")));
    }

    #[test]
    fn a_new_question_replaces_the_old_and_a_refresh_waits_its_turn() {
        let jobs = Jobs::threads(Arc::new(|| ()));
        let mut query = Query::default();
        let (go, wait) = channel::<()>();
        let (begin, began) = channel();
        let (cancelled_in, cancelled) = channel();
        query.ask(&jobs, Duration::ZERO, move |cancel| {
            let _ = begin.send(());
            let _ = wait.recv();
            let _ = cancelled_in.send(cancel.check().is_err());
            Ok(1)
        });
        began.recv().unwrap();
        query.ask(&jobs, Duration::ZERO, |_| Ok(2));
        query.refresh(&jobs, Duration::ZERO, |_| Ok(3));
        query.refresh(&jobs, Duration::ZERO, |_| Ok(4));
        waited(&mut query, &jobs);
        assert_eq!(query.value(), Some(&2));
        waited(&mut query, &jobs);
        assert_eq!((query.value(), query.waiting()), (Some(&4), None));
        go.send(()).unwrap();
        assert!(cancelled.recv().unwrap());
    }

    #[test]
    fn a_query_that_is_forgotten_is_given_up() {
        let jobs = Jobs::threads(Arc::new(|| ()));
        let mut query: Query<u32> = Query::default();
        let (go, wait) = channel::<()>();
        let (begin, began) = channel();
        let (cancelled_in, cancelled) = channel();
        query.ask(&jobs, Duration::ZERO, move |cancel| {
            let _ = begin.send(());
            let _ = wait.recv();
            let _ = cancelled_in.send(cancel.cancelled());
            Ok(1)
        });
        began.recv().unwrap();
        drop(query);
        go.send(()).unwrap();
        assert!(cancelled.recv().unwrap());
    }

    #[test]
    fn a_defect_in_a_query_is_an_error_of_that_query() {
        let jobs = Jobs::at_once();
        let mut query: Query<u32> = Query::default();
        query.ask(&jobs, Duration::ZERO, |_| std::panic::panic_any("deliberate"));
        query.poll(&jobs, Duration::ZERO);
        assert!(query.error().unwrap().contains("a defect"));
        query.ask(&jobs, Duration::ZERO, |_| Ok(5));
        query.poll(&jobs, Duration::ZERO);
        assert_eq!(query.value(), Some(&5));
    }
}
