//! Handles that are never dereferenced: a pointer's bits carry slot, generation and type, and are looked up.
//!
//! ```text
//! bits 63…56  type, 1 to 127: never 0 (NULL) and never all ones (-1)
//! bits 55…24  generation of the slot, from 1; a slot whose generations are used up is retired
//! bits 23…0   slot
//! ```
//!
//! A frame thread looks up a handle at every poll, so a lookup must not block. The slots never move, and each has its
//! own lock, which a lookup only tries. A thread that changes a slot also holds the lock of the free list, so a slot's
//! lock is taken for writing only while that slot is filled or freed.

use client::{Error, ErrorKind, Result, abi};
use once_cell::sync::OnceCell;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError};

const SLOT_BITS: u32 = 24;
const SLOT_MASK: usize = (1 << SLOT_BITS) - 1;
const TYPE_SHIFT: u32 = 56;

/// The number of slots in the first chunk. Each further chunk has twice as many as the one before.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = (SLOT_BITS - FIRST_CHUNK.ilog2()) as usize;
/// The number of slots in all chunks.
const MOST_SLOTS: usize = FIRST_CHUNK * ((1 << CHUNKS) - 1);

/// The live objects of one type. `H` is the C type that its handles claim to point to.
pub(super) struct Table<T> {
    kind: u8,
    name: &'static str,
    /// Allocated on demand, and never moved or freed.
    chunks: [OnceCell<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
}

struct Free {
    /// Freed slots.
    slots: Vec<usize>,
    /// The number of slots ever used. The slots beyond are also free.
    used: usize,
}

struct Slot<T> {
    generation: AtomicU32,
    value: RwLock<Option<Arc<T>>>,
}

impl<T> Table<T> {
    /// `kind` is the type's number, from 1 to 127; `name` is its C name.
    pub(super) const fn new(kind: u8, name: &'static str) -> Table<T> {
        assert!(kind > 0 && kind < 128);
        let free = Mutex::new(Free { slots: Vec::new(), used: 0 });
        Table { kind, name, chunks: [const { OnceCell::new() }; CHUNKS], free }
    }

    /// Fails if no handle is left. Checked before creating something that must not be lost.
    pub(super) fn check_room(&self) -> Result<()> {
        let free = lock(&self.free);
        if free.slots.is_empty() && free.used == MOST_SLOTS { Err(self.full()) } else { Ok(()) }
    }

    fn full(&self) -> Error {
        abi::error(ErrorKind::Internal, format!("all {MOST_SLOTS} handles of {} are used up; free some", self.name))
    }

    /// Stores an object and returns its handle.
    pub(super) fn insert<H>(&self, value: T) -> Result<*mut H> {
        self.insert_with(|_| Ok(value))
    }

    /// Stores an object whose construction needs its handle. The handle is not valid until the object is stored. If
    /// construction fails, the handle counts as freed.
    pub(super) fn insert_with<H>(&self, make: impl FnOnce(*mut H) -> Result<T>) -> Result<*mut H> {
        let reserved = self.reserve()?;
        let handle = ptr::without_provenance_mut(reserved.bits());
        reserved.fill(make(handle)?);
        Ok(handle)
    }

    fn reserve(&self) -> Result<Reserved<'_, T>> {
        let mut free = lock(&self.free);
        let index = match free.slots.pop() {
            Some(index) => index,
            None if free.used < MOST_SLOTS => {
                let (chunk, _) = place(free.used);
                self.chunks[chunk].get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| Slot::new()).collect());
                free.used += 1;
                free.used - 1
            }
            None => return Err(self.full()),
        };
        drop(free);
        let slot = self.slot(index).expect("the chunk of a slot that was used is there");
        Ok(Reserved { table: self, index, slot })
    }

    /// The object of a handle. It lives as long as the caller holds it, even if the handle is freed meanwhile. Never
    /// blocks, and allocates only for an error.
    pub(super) fn get<H>(&self, handle: *const H) -> Result<Arc<T>> {
        let found = self.slot_of(handle.addr()).and_then(|(_, slot)| slot.value_for(handle.addr()));
        found.ok_or_else(|| {
            let what =
                if handle.is_null() { "NULL" } else { "not a live handle: freed, of another type, or never given out" };
            abi::error(ErrorKind::InvalidHandle, format!("the {} handle is {what}", self.name))
        })
    }

    /// Frees a handle. An invalid handle is ignored; the object is dropped with its last user.
    pub(super) fn remove<H>(&self, handle: *const H) -> Option<Arc<T>> {
        let mut free = lock(&self.free);
        let (index, slot) = self.slot_of(handle.addr())?;
        let mut locked = slot.write();
        let value = locked.take()?;
        slot.give_back(index, &mut free);
        Some(value)
    }

    /// All live objects.
    #[cfg(test)]
    pub(super) fn live(&self) -> Vec<Arc<T>> {
        // While this is held no thread writes, so no slot's lock blocks.
        let _free = lock(&self.free);
        let slots = self.chunks.iter().filter_map(OnceCell::get).flatten();
        slots.filter_map(|slot| slot.value.read().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// The slot that currently matches a handle, and its index.
    fn slot_of(&self, bits: usize) -> Option<(usize, &Slot<T>)> {
        let index = bits & SLOT_MASK;
        let slot = self.slot(index)?;
        (bits >> TYPE_SHIFT == usize::from(self.kind) && slot.answers_to(bits)).then_some((index, slot))
    }

    fn slot(&self, index: usize) -> Option<&Slot<T>> {
        let (chunk, offset) = place(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }
}

/// The chunk of a slot, and the position in it.
const fn place(index: usize) -> (usize, usize) {
    let position = index + FIRST_CHUNK;
    let chunk = (position.ilog2() - FIRST_CHUNK.ilog2()) as usize;
    (chunk, position - (FIRST_CHUNK << chunk))
}

impl<T> Slot<T> {
    const fn new() -> Slot<T> {
        Slot { generation: AtomicU32::new(1), value: RwLock::new(None) }
    }

    /// Changes only while both the free list and the slot are locked, so it is stable for a holder of either lock.
    fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }

    fn answers_to(&self, bits: usize) -> bool {
        bits >> SLOT_BITS & u32::MAX as usize == self.generation() as usize
    }

    /// The object of a handle that the slot has just matched.
    fn value_for(&self, bits: usize) -> Option<Arc<T>> {
        let value = match self.value.try_read() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(value)) => value.into_inner(),
            // The slot is being filled, so its handle has not been returned yet; or it is being freed.
            Err(TryLockError::WouldBlock) => return None,
        };
        // It may have been freed and reused since. From here on it is stable.
        if self.answers_to(bits) { value.clone() } else { None }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Arc<T>>> {
        self.value.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the slot available for another handle, unless its generations are used up. The slot must be locked.
    fn give_back(&self, index: usize, free: &mut Free) {
        if let Some(next) = self.generation().checked_add(1) {
            self.generation.store(next, Ordering::Relaxed);
            free.slots.push(index);
        }
    }
}

/// A slot that is neither free nor filled. If it is not filled, it is freed with a new generation, because its handle
/// may have been kept.
struct Reserved<'a, T> {
    table: &'a Table<T>,
    index: usize,
    slot: &'a Slot<T>,
}

impl<T> Reserved<'_, T> {
    fn bits(&self) -> usize {
        usize::from(self.table.kind) << TYPE_SHIFT | (self.slot.generation() as usize) << SLOT_BITS | self.index
    }

    fn fill(self, value: T) {
        let value = Some(Arc::new(value));
        let free = lock(&self.table.free);
        *self.slot.write() = value;
        drop(free);
        mem::forget(self);
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        let mut free = lock(&self.table.free);
        let _locked = self.slot.write();
        self.slot.give_back(self.index, &mut free);
    }
}

/// Locks even after another thread panicked: the free list changes in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    type Pointer = *mut u8;

    #[test]
    fn a_handle_finds_its_object_until_it_is_freed() {
        let table = Table::new(1, "arr_test");
        let first: Pointer = table.insert("first").unwrap();
        let second: Pointer = table.insert("second").unwrap();
        assert_eq!(*table.get(first).unwrap(), "first");
        assert!(table.remove(first).is_some());
        assert!(table.remove(first).is_none(), "a second free is harmless");
        assert_eq!(table.get(first).unwrap_err().kind(), ErrorKind::InvalidHandle);
        assert_eq!(*table.get(second).unwrap(), "second");
    }

    #[test]
    fn a_slot_used_again_does_not_answer_to_the_old_handle() {
        let table = Table::new(1, "arr_test");
        let old: Pointer = table.insert("old").unwrap();
        table.remove(old);
        let new: Pointer = table.insert("new").unwrap();
        assert_ne!(old, new);
        assert!(table.get(old).is_err());
        assert!(table.remove(old).is_none());
        assert_eq!(*table.get(new).unwrap(), "new");
    }

    #[test]
    fn nor_does_one_that_is_used_again_during_the_look_up() {
        let table = Table::new(1, "arr_test");
        let old: Pointer = table.insert("old").unwrap();
        let (_, slot) = table.slot_of(old.addr()).unwrap();
        table.remove(old);
        let new: Pointer = table.insert("new").unwrap();
        assert!(slot.value_for(old.addr()).is_none());
        assert_eq!(slot.value_for(new.addr()).as_deref(), Some(&"new"));
    }

    #[test]
    fn another_types_handle_null_and_forged_ones_are_refused() {
        let table = Table::new(1, "arr_test");
        let other = Table::new(2, "arr_other");
        let handle: Pointer = table.insert(1).unwrap();
        let foreign: Pointer = other.insert(2).unwrap();
        assert!(table.get(foreign).is_err());
        for bits in [
            0,
            1,
            usize::MAX,
            0xdead_beef,
            handle.addr() ^ 1,
            handle.addr() | 1 << 63,
            handle.addr() + (1 << SLOT_BITS),
        ] {
            assert!(table.get(ptr::without_provenance::<u8>(bits)).is_err(), "{bits:#x}");
        }
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_retired() {
        let table = Table::new(1, "arr_test");
        let _first: Pointer = table.insert(0).unwrap();
        table.remove(_first);
        table.slot(0).unwrap().generation.store(u32::MAX, Ordering::Relaxed);
        let last: Pointer = table.insert(1).unwrap();
        assert_eq!(*table.get(last).unwrap(), 1);
        table.remove(last);
        assert!(table.get(last).is_err());
        let fresh: Pointer = table.insert(2).unwrap();
        assert_eq!(fresh.addr() & SLOT_MASK, 1, "a new slot");
    }

    #[test]
    fn every_slot_has_a_place_of_its_own_and_none_is_beyond() {
        assert_eq!([place(0), place(FIRST_CHUNK - 1), place(FIRST_CHUNK)], [(0, 0), (0, FIRST_CHUNK - 1), (1, 0)]);
        assert_eq!(place(MOST_SLOTS - 1), (CHUNKS - 1, (FIRST_CHUNK << (CHUNKS - 1)) - 1));
        assert_eq!(place(MOST_SLOTS).0, CHUNKS);
        let table = Table::new(1, "arr_test");
        let handles: Vec<Pointer> = (0..1_000).map(|n| table.insert(n).unwrap()).collect();
        assert!(handles.iter().enumerate().all(|(n, handle)| *table.get(*handle).unwrap() == n));
        assert_eq!(table.live().len(), 1_000);
    }

    #[test]
    fn a_handle_is_known_before_its_object_is_there_and_finds_nothing_then() {
        let table = Table::new(1, "arr_test");
        let handle: Pointer = table
            .insert_with(|handle: Pointer| {
                assert!(table.get(handle).is_err());
                assert!(table.remove(handle).is_none(), "it is not given out yet");
                Ok(handle.addr())
            })
            .unwrap();
        assert_eq!(*table.get(handle).unwrap(), handle.addr());
    }

    #[test]
    fn the_slot_of_an_object_that_could_not_be_made_goes_back() {
        let table = Table::new(1, "arr_test");
        let mut failed: Pointer = ptr::null_mut();
        let error = table.insert_with(|handle: Pointer| {
            failed = handle;
            Err(abi::error(ErrorKind::Network, "down"))
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Network);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _never: Result<Pointer> = table.insert_with(|_| panic!("on purpose"));
        }));
        assert!(panicked.is_err());
        let next: Pointer = table.insert(1).unwrap();
        assert_eq!((failed.addr() & SLOT_MASK, next.addr() & SLOT_MASK), (0, 0));
        assert!(table.get(failed).is_err(), "what may remember the old handle does not get the new object");
        assert_eq!(table.live().len(), 1);
    }

    #[test]
    fn all_live_objects_are_found_and_no_others() {
        let table = Table::new(1, "arr_test");
        let handles: Vec<Pointer> = (0..4).map(|n| table.insert(n).unwrap()).collect();
        table.remove(handles[2]);
        assert_eq!(table.live().iter().map(|value| **value).collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn a_look_up_waits_for_nobody() {
        let table = Table::new(1, "arr_test");
        let handle: Pointer = table.insert(1).unwrap();
        let other: Pointer = table.insert(2).unwrap();
        let (own, others) = (handle.addr(), other.addr());
        let get = |bits: usize| table.get(ptr::without_provenance::<u8>(bits)).ok().map(|value| *value);
        let (found, receiver) = mpsc::channel();
        let (free, held) = (lock(&table.free), table.slot(1).unwrap().write());
        let found = thread::scope(|scope| {
            scope.spawn(|| found.send((get(own), get(others))));
            let found = receiver.recv_timeout(Duration::from_secs(20));
            drop((free, held));
            found
        });
        assert_eq!(found, Ok((Some(1), None)));
        assert_eq!(get(others), Some(2));
    }

    /// Each object contains its handle. Threads look up the handles that others publish, and free the handles that they
    /// replace.
    #[test]
    fn threads_at_random_never_find_a_wrong_object() {
        const ROUNDS: usize = 20_000;
        let table: Table<usize> = Table::new(1, "arr_test");
        let shown = [const { AtomicUsize::new(0) }; 16];
        let pointer = ptr::without_provenance::<u8>;
        let work = |mut random: usize| {
            for _ in 0..ROUNDS {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let place = &shown[random >> 60];
                let seen = place.load(Ordering::Acquire);
                if random >> 32 & 1 == 0 {
                    match table.get(pointer(seen)) {
                        Ok(value) => assert_eq!(*value, seen),
                        Err(_) => assert!(seen == 0 || place.load(Ordering::Acquire) != seen, "it was not freed"),
                    }
                    continue;
                }
                let own: Pointer = table.insert_with(|handle: Pointer| Ok(handle.addr())).unwrap();
                assert_eq!(*table.get(own).unwrap(), own.addr(), "nobody else has seen it");
                let old = place.swap(own.addr(), Ordering::AcqRel);
                if old != 0 {
                    assert_eq!(table.remove(pointer(old)).map(|value| *value), Some(old));
                    assert!(table.get(pointer(old)).is_err());
                }
            }
        };
        thread::scope(|scope| (1..=4).for_each(|seed| drop(scope.spawn(move || work(seed)))));
        let shown: Vec<usize> = shown.into_iter().map(AtomicUsize::into_inner).filter(|bits| *bits != 0).collect();
        let live = table.live();
        assert_eq!(live.len(), shown.len());
        assert!(live.iter().all(|bits| shown.contains(bits)));
    }
}
