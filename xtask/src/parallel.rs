//! Work on all cores.

use std::sync::Mutex;
use std::thread;

use anyhow::Result;

/// Runs `work` on each item, as many at a time as there are cores. Returns the errors, in the items' order.
pub(crate) fn work_off<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Vec<String> {
    map(items, work).into_iter().filter_map(|outcome| outcome.err()).map(|error| format!("{error:#}")).collect()
}

/// The same, but returns the result of each item.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_on(thread::available_parallelism().map_or(1, usize::from), items, work)
}

/// The same, with all items at once, for work that mostly waits.
pub(crate) fn map_at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_on(items.len(), items, work)
}

fn map_on<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let queue = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let next = || queue.lock().expect("no one panics with the queue").next();
    let work_off = || {
        while let Some((index, item)) = next() {
            let outcome = work(item);
            done.lock().expect("no one panics with the outcomes").push((index, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work_off);
        }
    });
    let mut done = done.into_inner().expect("no one panics with the outcomes");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
