//! A thread that holds much, and whoever started it: dropped, the one waits for the other, so that memory is free again
//! before the next run counts what there is.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for a thread that was told to end: what it computes is told to stop between two tokens, and a device that
/// hangs must not hang the program.
const LONGEST: Duration = Duration::from_secs(10);

/// Lives on the thread; its end is the thread's, also where that panics.
#[derive(Debug)]
pub(super) struct Alive(#[expect(dead_code, reason = "dropping it is what is heard")] Sender<()>);

/// Who waits.
#[derive(Debug)]
pub(super) struct Ending(Mutex<Receiver<()>>);

/// The two sides.
pub(super) fn ending() -> (Alive, Ending) {
    let (sender, receiver) = channel();
    (Alive(sender), Ending(Mutex::new(receiver)))
}

impl Ending {
    /// Waits until the other side is gone. Let go of what keeps the thread at work before.
    pub(super) fn wait(&self) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_end_of_a_thread_is_heard_also_where_it_panics() {
        for panics in [false, true] {
            let (alive, ended) = ending();
            let thread = std::thread::spawn(move || {
                let _alive = alive;
                std::thread::sleep(Duration::from_millis(30));
                assert!(!panics, "on purpose");
            });
            let begun = Instant::now();
            ended.wait();
            assert!(begun.elapsed() >= Duration::from_millis(20) && begun.elapsed() < LONGEST);
            assert_eq!(thread.join().is_err(), panics);
        }
    }
}
