//! Turns a panic inside sled into an error.
//!
//! Sled 0.34 answers some damaged files with a panic instead of an error. [`caught`] stops such a panic at our border
//! and keeps the panic hook from printing it: the user gets one line, not a backtrace. Panics on sled's own worker
//! threads are not printed either; what they break, the caller hears of as an error.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it becomes `Err` with its message, and nothing is printed on this thread meanwhile.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let on_sleds_thread = std::thread::current().name().is_some_and(|n| n.starts_with("sled-io-"));
            if !QUIET.get() && !on_sleds_thread {
                before(info);
            }
        }));
    });
    let was = QUIET.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(was);
    outcome.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "sled panicked".to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let damaged = 3;
        assert_eq!(caught(|| -> u8 { panic!("page {damaged} is bad") }), Err("page 3 is bad".to_owned()));
    }
}
