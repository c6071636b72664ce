//! The library's threads in this process. A test that counts them needs its own process.

use std::fs;
use std::time::{Duration, Instant};

/// The names of the live threads, which the system cuts after 15 characters.
pub(crate) fn names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it").flatten();
    // A thread that has just ended no longer has a name.
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let mut names: Vec<String> = names.map(|name| name.trim_end().to_owned()).filter(|name| is_ours(name)).collect();
    names.sort();
    names
}

pub(crate) fn is_ours(name: &str) -> bool {
    (name.starts_with("arr-") && !name.starts_with("arr-emulator")) || name.starts_with("reqwest-")
}

/// Waits until there is none, and returns how long that took.
///
/// # Panics
/// If some are left after `limit`.
pub(crate) fn wait_until_gone(limit: Duration) -> Duration {
    wait_until(limit, |names| names.is_empty())
}

/// Waits until the names are right, and returns how long that took.
pub(crate) fn wait_until(limit: Duration, right: impl Fn(&[String]) -> bool) -> Duration {
    let begun = Instant::now();
    loop {
        let names = names();
        if right(&names) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < limit, "after {limit:?} these threads are left: {names:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
