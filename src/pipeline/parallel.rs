//! Many calls at once: items go to as many threads as the teacher allows, results come back as they are ready.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::control::Control;

/// Whoever waits for results looks up this often.
pub const IDLE: Duration = Duration::from_millis(100);

/// Makes `work` of every item on up to `threads` threads and hands each result to `each` on the calling thread, in order of
/// completion. With one thread, results come in order. Where nothing comes for [`IDLE`], as while the run stands still,
/// `each` is called without. No new item is begun once `control` is cancelled, `each` fails, or a
/// result is an error; what is under way then is waited for and, where it succeeded, still handed to `each`, so that nothing
/// paid for is lost.
///
/// # Errors
/// The first error of `work` or `each`, or that of a cancelled run.
pub fn parallel<I, T, E>(
    items: &[I],
    threads: usize,
    control: &Control,
    work: impl Fn(&I) -> Result<T, E> + Sync,
    mut each: impl FnMut(Option<(&I, T)>) -> Result<(), E>,
) -> Result<(), E>
where
    I: Sync,
    T: Send,
    E: Send + From<super::control::Cancelled>,
{
    let queue = Mutex::new(items.iter());
    let stop = AtomicBool::new(false);
    let threads = threads.clamp(1, items.len().max(1));
    let (results_in, results) = sync_channel(threads);
    let mut first_error = None;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (results_in, queue, stop, work) = (results_in.clone(), &queue, &stop, &work);
            scope.spawn(move || {
                let _stops = StopsOthers(stop);
                while !stop.load(Ordering::Relaxed) {
                    if let Err(cancelled) = control.check() {
                        let _ = results_in.send((None, Err(E::from(cancelled))));
                        return;
                    }
                    let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                    let Some(item) = next else { return };
                    if results_in.send((Some(item), work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results_in);
        loop {
            let outcome = match results.recv_timeout(IDLE) {
                Ok((Some(item), Ok(made))) => each(Some((item, made))),
                Ok((_, Err(error))) => Err(error),
                Err(RecvTimeoutError::Timeout) if first_error.is_none() => each(None),
                Ok((None, Ok(_))) | Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(error) = outcome {
                stop.store(true, Ordering::Relaxed);
                first_error.get_or_insert(error);
            }
        }
    });
    first_error.map_or(Ok(()), Err)
}

/// On a thread that panics: the others begin nothing new, which might be paid for, before the panic is passed on.
struct StopsOthers<'a>(&'a AtomicBool);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::control::Cancelled;
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Fault {
        Stopped,
        Bad(usize),
    }

    impl From<Cancelled> for Fault {
        fn from(_: Cancelled) -> Self {
            Fault::Stopped
        }
    }

    #[test]
    fn every_item_is_made_once_and_one_thread_keeps_the_order() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [1, 7, 1000] {
            let mut seen = Vec::new();
            let each = |done: Option<(&usize, usize)>| {
                seen.extend(done.map(|(_, made)| made));
                Ok::<_, Fault>(())
            };
            parallel(&items, threads, &Control::default(), |i| Ok(i * 2), each).unwrap();
            if threads > 1 {
                seen.sort_unstable();
            }
            assert_eq!(seen, items.iter().map(|i| i * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_an_error_nothing_new_begins_and_what_was_made_is_kept() {
        let items: Vec<usize> = (0..1000).collect();
        let (begun, mut kept) = (AtomicUsize::new(0), 0);
        let work = |i: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *i == 10 { Err(Fault::Bad(10)) } else { Ok(*i) }
        };
        let each = |done: Option<(&usize, usize)>| {
            kept += usize::from(done.is_some());
            Ok(())
        };
        assert_eq!(parallel(&items, 4, &Control::default(), work, each), Err(Fault::Bad(10)));
        let begun = begun.into_inner();
        assert!(begun < 1000 && kept == begun - 1, "{begun} begun, {kept} kept");
    }

    #[test]
    fn after_a_panic_nothing_new_begins() {
        let items: Vec<usize> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let work = |i: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(*i != 10, "on purpose");
            std::thread::sleep(Duration::from_millis(1));
            Ok::<_, Fault>(*i)
        };
        let run = || parallel(&items, 4, &Control::default(), work, |_| Ok(()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
        assert!(begun.into_inner() < 900);
    }

    #[test]
    fn a_cancelled_run_begins_nothing() {
        let control = Control::default();
        control.apply(&super::super::events::Command::Cancel);
        let outcome = parallel(&[1, 2, 3], 2, &control, |i| Ok(*i), |_| Ok(()));
        assert_eq!(outcome, Err(Fault::Stopped));
    }
}
