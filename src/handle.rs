//! Handles that are never dereferenced: a pointer's bits carry slot, generation and type, and are looked up.
//!
//! ```text
//! bits 63…53  0, so that a double, as in Lua and JavaScript, can hold a handle
//! bits 52…48  generation of the process, from 1: higher in a forked child, which has its own tables
//! bits 47…44  type, 1 to 15: never 0 (NULL)
//! bits 43…20  generation of the slot, from 1; a slot whose generations are used up is retired
//! bits 19…0   slot
//! ```
//!
//! A frame thread looks up a handle at every poll, so a lookup must not block. The slots never move, and each has its
//! own lock, which a lookup only tries. A thread that changes a slot also holds the lock of the free list, so a slot's
//! lock is taken for writing only while that slot is filled or freed.

use client::abi::{PerProcess, generation};
use client::{Error, ErrorKind, Result, abi};
use once_cell::sync::OnceCell;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError};

const SLOT_BITS: u32 = 20;
const SLOT_MASK: usize = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: usize = (1 << 24) - 1;
const TYPE_SHIFT: u32 = 44;
const TYPE_MASK: usize = 15;
const PROCESS_SHIFT: u32 = 48;
const PROCESS_MASK: usize = 31;

/// The number of slots in the first chunk. Each further chunk has twice as many as the one before.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = (SLOT_BITS - FIRST_CHUNK.ilog2()) as usize;
/// The number of slots in all chunks.
const MOST_SLOTS: usize = FIRST_CHUNK * ((1 << CHUNKS) - 1);

/// The live objects of one type. `H` is the C type that its handles claim to point to.
pub(super) struct Table<T> {
    kind: u8,
    name: &'static str,
    /// Why a handle is refused. Fixed texts, since that allocates nothing.
    is_null: &'static str,
    is_dead: &'static str,
    slots: PerProcess<Slots<T>>,
}

struct Slots<T> {
    /// Allocated on demand, and never moved or freed.
    chunks: [OnceCell<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
}

/// A table for the type with this number, from 1 to 15, and this C name.
macro_rules! table {
    ($kind:expr, $name:literal) => {
        $crate::handle::Table::new(
            $kind,
            $name,
            concat!("the ", $name, " handle is NULL"),
            concat!("the ", $name, " handle is invalid: freed, of another type, or never returned by the library"),
        )
    };
}
pub(super) use table;

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { chunks: [const { OnceCell::new() }; CHUNKS], free: Mutex::default() }
    }
}

#[derive(Default)]
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

impl<T: Send + Sync + 'static> Table<T> {
    /// See [`table!`](super::table).
    pub(super) const fn new(kind: u8, name: &'static str, is_null: &'static str, is_dead: &'static str) -> Table<T> {
        assert!(kind > 0 && kind as usize <= TYPE_MASK);
        Table { kind, name, is_null, is_dead, slots: PerProcess::new() }
    }

    fn full(&self) -> Error {
        abi::error(
            ErrorKind::OutOfResources,
            format!("all {MOST_SLOTS} handles of {} are in use; free some", self.name),
        )
    }

    /// Stores an object and returns its handle.
    pub(super) fn insert<H>(&self, value: T) -> Result<*mut H> {
        self.insert_with(|_| Ok(value))
    }

    /// Stores an object whose construction needs its handle, or must not begin without one. The handle is not valid
    /// until the object is stored. If construction fails, the handle counts as freed.
    pub(super) fn insert_with<H>(&self, make: impl FnOnce(*mut H) -> Result<T>) -> Result<*mut H> {
        let reserved = self.reserve()?;
        let handle = ptr::without_provenance_mut(reserved.bits());
        reserved.fill(make(handle)?);
        Ok(handle)
    }

    fn reserve(&self) -> Result<Reserved<T>> {
        // Its handles could be mistaken for an ancestor's.
        if generation() as usize > PROCESS_MASK {
            return Err(abi::error(ErrorKind::OutOfResources, TOO_MANY_FORKS));
        }
        let Slots { chunks, free } = self.slots.get();
        let mut free = lock(free);
        let index = match free.slots.pop() {
            Some(index) => index,
            None if free.used < MOST_SLOTS => {
                let (chunk, _) = place(free.used);
                chunks[chunk].get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| Slot::new()).collect());
                free.used += 1;
                free.used - 1
            }
            None => return Err(self.full()),
        };
        drop(free);
        let slots = self.slots.get();
        let slot = slots.slot(index).expect("the chunk of a slot that was used is there");
        Ok(Reserved { kind: self.kind, slots, index, slot })
    }

    /// The object of a handle. It lives as long as the caller holds it, even if the handle is freed meanwhile. Never
    /// blocks or allocates.
    pub(super) fn get<H>(&self, handle: *const H) -> Result<Arc<T>> {
        let found = self.slot_of(handle.addr()).and_then(|(_, slot)| slot.value_for(handle.addr()));
        found.ok_or_else(|| {
            if self.is_inherited(handle.addr(), generation()) {
                return abi::error(ErrorKind::Forked, FORKED);
            }
            abi::error(ErrorKind::InvalidHandle, if handle.is_null() { self.is_null } else { self.is_dead })
        })
    }

    /// Frees a handle. An invalid handle is ignored; the object is dropped with its last user.
    pub(super) fn remove<H>(&self, handle: *const H) -> Option<Arc<T>> {
        let mut free = lock(&self.slots.get().free);
        let (index, slot) = self.slot_of(handle.addr())?;
        let mut locked = slot.write();
        let value = locked.take()?;
        slot.give_back(index, &mut free);
        Some(value)
    }

    /// Uses up all handles except one.
    #[cfg(test)]
    pub(super) fn use_up_all_but_one(&self) {
        *lock(&self.slots.get().free) = Free { slots: Vec::new(), used: MOST_SLOTS - 1 };
    }

    /// All live objects.
    #[cfg(test)]
    pub(super) fn live(&self) -> Vec<Arc<T>> {
        // While this is held no thread writes, so no slot's lock blocks.
        let Slots { chunks, free } = self.slots.get();
        let _free = lock(free);
        let slots = chunks.iter().filter_map(OnceCell::get).flatten();
        slots.filter_map(|slot| slot.value.read().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// The slot that currently matches a handle, and its index.
    fn slot_of(&self, bits: usize) -> Option<(usize, &'static Slot<T>)> {
        let index = bits & SLOT_MASK;
        let slot = self.slots.get().slot(index)?;
        (bits >> TYPE_SHIFT == head(generation(), self.kind) && slot.answers_to(bits)).then_some((index, slot))
    }

    /// Whether an ancestor of this process issued this handle.
    fn is_inherited(&self, bits: usize, generation: u32) -> bool {
        let process = bits >> PROCESS_SHIFT;
        let is_earlier = process > 0 && process < generation as usize;
        is_earlier && bits >> TYPE_SHIFT & TYPE_MASK == usize::from(self.kind)
    }
}

/// The upper bits of this type's handles in this process.
const fn head(generation: u32, kind: u8) -> usize {
    (generation as usize & PROCESS_MASK) << (PROCESS_SHIFT - TYPE_SHIFT) | kind as usize
}

const TOO_MANY_FORKS: &str = "this process descends from 31 others that have used the library, each forked from the one before; \
     start it as a separate program";
const FORKED: &str = "the handle belongs to the process that this one was forked from; create a client in this process";

impl<T> Slots<T> {
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
        bits >> SLOT_BITS & GENERATION_MASK == self.generation() as usize
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
        let next = self.generation() + 1;
        // Once all are used up, it is one that no handle has.
        self.generation.store(next, Ordering::Relaxed);
        if next as usize <= GENERATION_MASK {
            free.slots.push(index);
        }
    }
}

/// A slot that is neither free nor filled. If it is not filled, it is freed with a new generation, because its handle
/// may have been kept.
struct Reserved<T: 'static> {
    kind: u8,
    slots: &'static Slots<T>,
    index: usize,
    slot: &'static Slot<T>,
}

impl<T> Reserved<T> {
    fn bits(&self) -> usize {
        head(generation(), self.kind) << TYPE_SHIFT | (self.slot.generation() as usize) << SLOT_BITS | self.index
    }

    fn fill(self, value: T) {
        let value = Some(Arc::new(value));
        let free = lock(&self.slots.free);
        *self.slot.write() = value;
        drop(free);
        mem::forget(self);
    }
}

impl<T> Drop for Reserved<T> {
    fn drop(&mut self) {
        let mut free = lock(&self.slots.free);
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
        let table = table!(1, "arr_test");
        let first: Pointer = table.insert("first").unwrap();
        let second: Pointer = table.insert("second").unwrap();
        assert_eq!(*table.get(first).unwrap(), "first");
        assert!(table.remove(first).is_some());
        assert!(table.remove(first).is_none(), "a second free is harmless");
        assert_eq!(table.get(first).unwrap_err().kind(), ErrorKind::InvalidHandle);
        assert_eq!(*table.get(second).unwrap(), "second");
    }

    #[test]
    fn a_reused_slot_rejects_the_old_handle() {
        let table = table!(1, "arr_test");
        let old: Pointer = table.insert("old").unwrap();
        table.remove(old);
        let new: Pointer = table.insert("new").unwrap();
        assert_ne!(old, new);
        assert!(table.get(old).is_err());
        assert!(table.remove(old).is_none());
        assert_eq!(*table.get(new).unwrap(), "new");
    }

    #[test]
    fn a_slot_reused_during_the_lookup_rejects_the_old_handle() {
        let table = table!(1, "arr_test");
        let old: Pointer = table.insert("old").unwrap();
        let (_, slot) = table.slot_of(old.addr()).unwrap();
        table.remove(old);
        let new: Pointer = table.insert("new").unwrap();
        assert!(slot.value_for(old.addr()).is_none());
        assert_eq!(slot.value_for(new.addr()).as_deref(), Some(&"new"));
    }

    #[test]
    fn null_forged_and_foreign_handles_are_refused() {
        let table = table!(1, "arr_test");
        let other = table!(2, "arr_other");
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
            handle.addr() ^ 1 << PROCESS_SHIFT,
            handle.addr() + (1 << SLOT_BITS),
        ] {
            assert!(table.get(ptr::without_provenance::<u8>(bits)).is_err(), "{bits:#x}");
        }
    }

    #[test]
    fn a_double_holds_every_handle() {
        let last = head(u32::MAX, 15) << TYPE_SHIFT | GENERATION_MASK << SLOT_BITS | SLOT_MASK;
        assert!(last < 1 << 53 && place(SLOT_MASK - FIRST_CHUNK).0 < CHUNKS);
    }

    #[test]
    fn an_ancestors_handle_is_recognised() {
        let table: Table<u8> = table!(3, "arr_test");
        let of = |generation, kind| head(generation, kind) << TYPE_SHIFT | 1 << SLOT_BITS;
        assert!(table.is_inherited(of(1, 3), 2) && table.is_inherited(of(1, 3), 4) && table.is_inherited(of(3, 3), 4));
        for (bits, generation) in [(of(1, 3), 1), (of(2, 3), 2), (of(3, 3), 2), (of(1, 4), 2), (of(0, 3), 2), (0, 2)] {
            assert!(!table.is_inherited(bits, generation), "{bits:#x} {generation}");
        }
        assert!(table.is_inherited(of(1, 3), 33) && table.is_inherited(of(31, 3), 32), "and no generation comes twice");
        assert!(!table.is_inherited(of(1, 3) | 1 << 63, 2));
    }

    #[test]
    fn a_slot_without_generations_is_retired() {
        let table = table!(1, "arr_test");
        let _first: Pointer = table.insert(0).unwrap();
        table.remove(_first);
        table.slots.get().slot(0).unwrap().generation.store(GENERATION_MASK as u32, Ordering::Relaxed);
        let last: Pointer = table.insert(1).unwrap();
        assert_eq!(*table.get(last).unwrap(), 1);
        table.remove(last);
        assert!(table.get(last).is_err());
        let fresh: Pointer = table.insert(2).unwrap();
        assert_eq!(fresh.addr() & SLOT_MASK, 1, "a new slot");
    }

    #[test]
    fn every_slot_has_its_own_place() {
        assert_eq!([place(0), place(FIRST_CHUNK - 1), place(FIRST_CHUNK)], [(0, 0), (0, FIRST_CHUNK - 1), (1, 0)]);
        assert_eq!(place(MOST_SLOTS - 1), (CHUNKS - 1, (FIRST_CHUNK << (CHUNKS - 1)) - 1));
        assert_eq!(place(MOST_SLOTS).0, CHUNKS);
        let table = table!(1, "arr_test");
        let handles: Vec<Pointer> = (0..1_000).map(|n| table.insert(n).unwrap()).collect();
        assert!(handles.iter().enumerate().all(|(n, handle)| *table.get(*handle).unwrap() == n));
        assert_eq!(table.live().len(), 1_000);
    }

    #[test]
    fn a_reserved_handle_finds_nothing() {
        let table = table!(1, "arr_test");
        let handle: Pointer = table
            .insert_with(|handle: Pointer| {
                assert!(table.get(handle).is_err());
                assert!(table.remove(handle).is_none(), "it was not returned yet");
                Ok(handle.addr())
            })
            .unwrap();
        assert_eq!(*table.get(handle).unwrap(), handle.addr());
    }

    #[test]
    fn the_slot_of_a_failed_object_is_reused() {
        let table = table!(1, "arr_test");
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
        assert!(table.get(failed).is_err(), "the old handle does not find the new object");
        assert_eq!(table.live().len(), 1);
    }

    #[test]
    fn exactly_the_live_objects_are_found() {
        let table = table!(1, "arr_test");
        let handles: Vec<Pointer> = (0..4).map(|n| table.insert(n).unwrap()).collect();
        table.remove(handles[2]);
        assert_eq!(table.live().iter().map(|value| **value).collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn a_lookup_never_blocks() {
        let table = table!(1, "arr_test");
        let handle: Pointer = table.insert(1).unwrap();
        let other: Pointer = table.insert(2).unwrap();
        let (own, others) = (handle.addr(), other.addr());
        let get = |bits: usize| table.get(ptr::without_provenance::<u8>(bits)).ok().map(|value| *value);
        let (found, receiver) = mpsc::channel();
        let slots = table.slots.get();
        let (free, held) = (lock(&slots.free), slots.slot(1).unwrap().write());
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
    fn random_threads_never_find_a_wrong_object() {
        const ROUNDS: usize = 20_000;
        let table: Table<usize> = table!(1, "arr_test");
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
                assert_eq!(*table.get(own).unwrap(), own.addr(), "no other thread has seen it");
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
