//! The threads of this process that are the library's: all of them, so who counts them needs a process of its own.

use std::fs;
use std::time::{Duration, Instant};

/// The names of those that live: the system cuts them after 15 characters.
pub(crate) fn names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux has it").flatten();
    // One that has just ended has no name any more.
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let mut names: Vec<String> = names.map(|name| name.trim_end().to_owned()).filter(|name| is_ours(name)).collect();
    names.sort();
    names
}

fn is_ours(name: &str) -> bool {
    (name.starts_with("arr-") && name != "arr-emulator") || name.starts_with("reqwest-")
}

/// Waits until there is none. How long that took.
///
/// # Panics
/// If some are left after `limit`.
pub(crate) fn wait_until_gone(limit: Duration) -> Duration {
    wait_until(limit, |names| names.is_empty())
}

/// The same until they are as they should be.
pub(crate) fn wait_until(limit: Duration, right: impl Fn(&[String]) -> bool) -> Duration {
    let begun = Instant::now();
    loop {
        let names = names();
        if right(&names) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < limit, "after {limit:?} these threads are there: {names:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
