//! Work on all cores.

use std::sync::Mutex;
use std::thread;

use anyhow::Result;

/// Works on each item, as many at a time as there are cores. Returns the problems in the items' order.
pub(crate) fn work_off<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Vec<String> {
    map(items, work).into_iter().filter_map(|outcome| outcome.err()).map(|error| format!("{error:#}")).collect()
}

/// The same, with what came of each item.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_on(thread::available_parallelism().map_or(1, usize::from), items, work)
}

/// The same, with all items at once: for work that is waiting.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_the_items_is_in_their_order() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(map(&items, |item| item * 2), (0..100).map(|item| item * 2).collect::<Vec<_>>());
        let odd = |item: &u32| if item % 2 == 1 { anyhow::bail!("{item} is odd") } else { Ok(()) };
        assert_eq!(work_off(&items[..4], odd), ["1 is odd", "3 is odd"]);
    }
}
