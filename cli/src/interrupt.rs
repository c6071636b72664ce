//! Ctrl+C, and the other signals that ask the program to end.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::failure::{Exit, Failure};

static COUNT: AtomicU32 = AtomicU32::new(0);
static HELD: AtomicBool = AtomicBool::new(false);

/// While it lives, Ctrl+C does not end the program: the command looks at [`count`].
#[must_use]
pub(crate) struct Held;

/// Installs the handler. Without a handler the program still ends at Ctrl+C.
pub(crate) fn install() {
    /// So often, and it ends in any case.
    const ENOUGH: u32 = 3;
    on_signal(|| {
        let count = COUNT.fetch_add(1, Ordering::AcqRel) + 1;
        if !HELD.load(Ordering::Acquire) {
            process::exit(Exit::Interrupted as i32);
        }
        if count >= ENOUGH {
            process::exit(Exit::Unknown as i32);
        }
    });
}

#[cfg(unix)]
fn on_signal(act: impl Fn() + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let hangup = (!ignores_hangup()).then_some(SIGHUP);
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup)) {
        std::thread::spawn(move || signals.forever().for_each(|_| act()));
    }
}

/// Whether it is to outlive its terminal, as `nohup` arranges. Only Linux shows that.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

#[cfg(windows)]
fn on_signal(act: impl Fn() + Send + 'static) {
    let _ = ctrlc::set_handler(act);
}

pub(crate) fn hold() -> Held {
    HELD.store(true, Ordering::Release);
    Held
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.store(false, Ordering::Release);
    }
}

/// How often Ctrl+C was pressed.
pub(crate) fn count() -> u32 {
    COUNT.load(Ordering::Acquire)
}

/// The end of a command that was interrupted.
pub(crate) fn interrupted(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Interrupted, what)
}
