//! What a device's libraries say when they fail: kept off the terminal where the caller tells it, and put into one line.
//!
//! cubecl runs each device on a thread of its own and panics there; burn panics on the thread that reads a result. Their
//! words are a chain of causes, the real one last, with a kernel's whole source behind it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, Once, PoisonError};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// From here on no panic of a device's own threads is printed, nor one of a thread that [`hush_this_thread`] was called on.
/// What they break, its caller hears of as an error.
pub fn hush() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_hushed() {
                before(info);
            }
        }));
    });
}

/// Whether a panic of this thread is told by who hears of it, so that nobody else should.
pub fn is_hushed() -> bool {
    HUSHED.get() || std::thread::current().name().is_some_and(is_devices_own)
}

/// Whether a thread of this name is one that cubecl runs a device on.
fn is_devices_own(name: &str) -> bool {
    name.starts_with("DSD-")
}

/// For a thread that computes on a device and catches its panics: from here on they are told once, by who catches them.
pub fn hush_this_thread() {
    hush();
    HUSHED.set(true);
}

/// Runs what may panic and gives the panic's words on one line. Libraries that load a driver panic on threads of their own
/// where it is missing; nothing of that reaches the terminal. Calls may stand within one another.
///
/// # Errors
/// What the panic said.
pub fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // One at a time: two that took the hook in turn could leave the silent one behind.
    static TURN: Mutex<()> = Mutex::new(());
    let work = AssertUnwindSafe(work);
    let outcome = if QUIET.get() {
        panic::catch_unwind(work)
    } else {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        QUIET.set(true);
        let outcome = panic::catch_unwind(work);
        QUIET.set(false);
        panic::set_hook(hook);
        outcome
    };
    outcome.map_err(|panic| of_panic(&*panic))
}

/// Runs what computes on a device. A panic of it is a fault of the device, told in its words alone; a panic of another
/// thread is printed as ever.
///
/// # Errors
/// What the panic said.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    hush();
    let was = HUSHED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    HUSHED.set(was);
    outcome.map_err(|panic| of_panic(&*panic))
}

/// The words of a panic, on one line.
pub fn of_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    one_line(text.unwrap_or("a panic without a message"))
}

/// The words of a message without its line breaks, and not too many of them: what happened and, of a chain of causes, the
/// last, without the traces and the source behind it.
pub fn one_line<'a>(text: &'a str) -> String {
    let advice = "use `try_into_data` instead to catch the error at runtime: ";
    let before = |text: &'a str, end| text.split_once(end).map_or(text, |(before, _)| before);
    let mut causes = before(before(text, "[Source]"), "Backtrace:").split("Caused by:");
    let happened = plain(causes.next().unwrap_or_default()).replace(advice, "");
    match causes.last() {
        Some(cause) => [cut(&happened, 100), meant(cut(&plain(cause), 300))].join(": "),
        None => cut(&happened, 300),
    }
}

/// Words with one space between them, without what would act on a terminal.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// A fault of the driver with what its number means (`CUresult` in `cuda.h`).
fn meant(cause: String) -> String {
    let known = [
        (2, "out of memory"),
        (214, "an uncorrectable memory error"),
        (700, "an illegal address"),
        (702, "a kernel that took too long"),
        (719, "a kernel that failed"),
        (999, "an unknown error"),
    ];
    let number = cause.rsplit_once("failed with status ").and_then(|(_, number)| number.parse::<u32>().ok());
    match number.and_then(|number| known.iter().find(|(known, _)| *known == number)) {
        Some((_, meaning)) => format!("{cause} ({meaning})"),
        None => cause,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_line() {
        assert_eq!(quietly(|| 7), Ok(7));
        assert_eq!(quietly(|| (quietly(|| 8), quietly::<()>(|| panic!("within")))), Ok((Ok(8), Err("within".into()))));
        let said = quietly::<()>(|| panic!("no\n driver\u{1b}[31m")).unwrap_err();
        assert_eq!(said, "no driver[31m");
        assert_eq!((guarded(|| 9), guarded::<()>(|| panic!("{}", "lost"))), (Ok(9), Err("lost".into())));
        assert!(is_devices_own("DSD-0-0") && !is_devices_own("main"));
    }

    #[test]
    fn of_a_chain_of_causes_the_first_and_the_last_are_told() {
        let poisoned = "Error while reading data: use `try_into_data` instead to catch the error at runtime: The device is \
                        poisoned\nCaused by:\n  Several failures at once\nCaused by:\n  The bytes were never written\n  \
                        skipped `SliceAssignKernel`\nCaused by:\n  cuLaunchKernel failed with status 700\nBacktrace:\nNo \
                        backtrace available\nAsked at:\nNo backtrace available";
        let said = "Error while reading data: The device is poisoned: cuLaunchKernel failed with status 700 (an illegal \
                    address)";
        assert_eq!(one_line(poisoned), said);
        let uncompiled =
            format!("A\nCaused by:\n  [Compilation Error]\n  line 3: no\n[Source]\n{}", "code;\n".repeat(900));
        assert_eq!(one_line(&uncompiled), "A: [Compilation Error] line 3: no");
        assert_eq!(one_line("status 700"), "status 700");
        assert_eq!(meant("cuMemAlloc failed with status 12345".into()), "cuMemAlloc failed with status 12345");
        assert_eq!(one_line(&"x".repeat(1000)).len(), 300);
    }
}
