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
    let _ = ctrlc::set_handler(|| {
        let count = COUNT.fetch_add(1, Ordering::AcqRel) + 1;
        if !HELD.load(Ordering::Acquire) || count >= ENOUGH {
            process::exit(Exit::Interrupted as i32);
        }
    });
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
