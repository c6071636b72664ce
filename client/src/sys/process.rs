//! Which process this is. A forked child has copies of its parent's objects but none of its threads, so it must not use
//! them.

use super::module::pin_module;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The generation of this process, from 1: a forked child's number is higher than its parent's. Costs no system call
/// where the system can clear memory in a forked child.
#[cfg(unix)]
pub fn generation() -> u32 {
    numbered::generation()
}

/// This platform has no fork.
#[cfg(not(unix))]
pub fn generation() -> u32 {
    1
}

#[cfg(unix)]
mod numbered {
    use super::pin_module;
    use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

    /// Copied to a forked child.
    static LATEST: AtomicU32 = AtomicU32::new(0);
    /// The generation, in memory that a forked child finds cleared; or [`NOT_CLEARED`].
    static CLEARED: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());
    /// Used where there is no such memory.
    static NOT_CLEARED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn generation() -> u32 {
        let mut place = CLEARED.load(Ordering::Acquire);
        if place.is_null() {
            place = set_up();
        }
        if std::ptr::eq(place, &raw const NOT_CLEARED) {
            return by_process_id();
        }
        // SAFETY: it is not null, so it comes from `set_up`, and is never unmapped.
        let place = unsafe { &*place };
        match place.load(Ordering::Relaxed) {
            0 => next(place),
            generation => generation,
        }
    }

    /// For the first call in this process, or several concurrent ones.
    fn next(place: &AtomicU32) -> u32 {
        let next = LATEST.load(Ordering::Relaxed) + 1;
        match place.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                LATEST.store(next, Ordering::Relaxed);
                next
            }
            Err(generation) => generation,
        }
    }

    fn set_up() -> *mut AtomicU32 {
        pin_module();
        let made = clearable().unwrap_or((&raw const NOT_CLEARED).cast_mut());
        match CLEARED.compare_exchange(std::ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => made,
            // Another thread was first. A page is leaked.
            Err(place) => place,
        }
    }

    /// A page that the system clears for a forked child. Kernels before Linux 4.14 cannot.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn clearable() -> Option<*mut AtomicU32> {
        const SIZE: usize = 4096;
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping touches nothing that exists.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the page is this function's own.
        if unsafe { libc::madvise(page, SIZE, libc::MADV_WIPEONFORK) } != 0 {
            // SAFETY: as above, and nothing refers to it.
            unsafe { libc::munmap(page, SIZE) };
            return None;
        }
        Some(page.cast())
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn clearable() -> Option<*mut AtomicU32> {
        None
    }

    fn by_process_id() -> u32 {
        /// The process id, and the generation.
        static KNOWN: AtomicU64 = AtomicU64::new(0);
        let id = u64::from(std::process::id());
        let known = KNOWN.load(Ordering::Relaxed);
        let generation = (known & u64::from(u32::MAX)) as u32;
        if known >> 32 == id {
            return generation;
        }
        let next = id << 32 | u64::from(generation + 1);
        match KNOWN.compare_exchange(known, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => generation + 1,
            Err(_) => by_process_id(),
        }
    }

    #[cfg(test)]
    #[test]
    fn without_cleared_memory_the_process_id_detects_a_fork() {
        assert_eq!([by_process_id(), by_process_id()], [1, 1]);
    }
}

/// A value per process. A forked child starts with a new one, because the parent's may be locked by a thread that the
/// child does not have.
pub struct PerProcess<T>(AtomicPtr<Value<T>>);

struct Value<T> {
    generation: u32,
    value: T,
    /// The parent's value. Null if there is none.
    inherited: AtomicPtr<Value<T>>,
}

impl<T: Default + Send + Sync + 'static> PerProcess<T> {
    /// For a static.
    #[allow(clippy::new_without_default, reason = "only for statics")]
    pub const fn new() -> PerProcess<T> {
        PerProcess(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// This process's value.
    pub fn get(&self) -> &'static T {
        &self.current().value
    }

    /// The values of the processes that this one was forked from, the closest first. Threads that this process does not
    /// have may hold their locks.
    pub fn inherited(&self) -> impl Iterator<Item = &'static T> {
        let older = |value: &&'static Value<T>| value_at(value.inherited.load(Ordering::Acquire));
        std::iter::successors(Some(self.current()), older).skip(1).map(|value| &value.value)
    }

    fn current(&self) -> &'static Value<T> {
        let (current, generation) = (self.0.load(Ordering::Acquire), generation());
        match value_at(current) {
            Some(value) if value.generation == generation => value,
            _ => self.replace(current, generation),
        }
    }

    /// One value is leaked for each fork, and for each thread that loses the race to store the first.
    #[cold]
    fn replace(&self, current: *mut Value<T>, generation: u32) -> &'static Value<T> {
        pin_module();
        let inherited = AtomicPtr::new(current);
        let new = Box::leak(Box::new(Value { generation, value: T::default(), inherited }));
        match self.0.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(_) => self.current(),
        }
    }
}

fn value_at<T>(place: *mut Value<T>) -> Option<&'static Value<T>> {
    // SAFETY: it is null or comes from the `Box::leak` above, so it is valid forever.
    unsafe { place.as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    static COUNT: PerProcess<Mutex<u32>> = PerProcess::new();

    #[test]
    fn all_threads_share_one_value_and_one_generation() {
        let add = || {
            assert_eq!(generation(), 1);
            *COUNT.get().lock().unwrap() += 1;
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(add))));
        assert_eq!(*COUNT.get().lock().unwrap(), 8);
    }
}
