//! Handles that are never dereferenced: a pointer's bits carry slot, generation and type, and are looked up.
//!
//! ```text
//! bits 63…56  type, 1 to 127: never 0 (NULL) and never all ones (-1)
//! bits 55…24  generation of the slot, from 1; a slot whose generations are used up is retired
//! bits 23…0   slot
//! ```

use crate::error::{Error, ErrorKind, Result};
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SLOT_BITS: u32 = 24;
const TYPE_SHIFT: u32 = 56;
const MOST_SLOTS: usize = 1 << SLOT_BITS;

/// The live objects of one type. `H` is the C type that its handles pose as pointers to.
pub(super) struct Table<T> {
    kind: u8,
    name: &'static str,
    slots: RwLock<Slots<T>>,
}

struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

struct Slot<T> {
    generation: u32,
    value: Option<Arc<T>>,
}

impl<T> Table<T> {
    /// `kind` is the type's number, from 1 to 127; `name` its C name.
    pub(super) const fn new(kind: u8, name: &'static str) -> Table<T> {
        assert!(kind > 0 && kind < 128);
        Table { kind, name, slots: RwLock::new(Slots { slots: Vec::new(), free: Vec::new() }) }
    }

    /// Fails if there is no handle left to give out: asked before something is made that must not be lost.
    pub(super) fn check_room(&self) -> Result<()> {
        let table = self.read();
        if table.free.is_empty() && table.slots.len() == MOST_SLOTS { Err(self.full()) } else { Ok(()) }
    }

    fn full(&self) -> Error {
        Error::new(ErrorKind::Internal, format!("all {MOST_SLOTS} handles of {} are used up; free some", self.name))
    }

    /// Keeps an object and gives its handle out.
    pub(super) fn insert<H>(&self, value: T) -> Result<*mut H> {
        let mut table = self.write();
        let slot = match table.free.pop() {
            Some(slot) => slot,
            None if table.slots.len() < MOST_SLOTS => {
                table.slots.push(Slot { generation: 1, value: None });
                table.slots.len() - 1
            }
            None => return Err(self.full()),
        };
        table.slots[slot].value = Some(Arc::new(value));
        let bits = usize::from(self.kind) << TYPE_SHIFT | (table.slots[slot].generation as usize) << SLOT_BITS | slot;
        Ok(ptr::without_provenance_mut(bits))
    }

    /// The object of a handle. It lives as long as the caller holds it, even if the handle is freed meanwhile.
    pub(super) fn get<H>(&self, handle: *const H) -> Result<Arc<T>> {
        let table = self.read();
        let found = self.slot_of(&table, handle.addr()).and_then(|slot| table.slots[slot].value.clone());
        found.ok_or_else(|| {
            let what =
                if handle.is_null() { "NULL" } else { "not a live handle: freed, of another type, or never given out" };
            Error::new(ErrorKind::InvalidHandle, format!("the {} handle is {what}", self.name))
        })
    }

    /// Frees a handle. What is no live handle is left alone; the object itself goes when its last user does.
    pub(super) fn remove<H>(&self, handle: *const H) -> Option<Arc<T>> {
        let mut table = self.write();
        let slot = self.slot_of(&table, handle.addr())?;
        let value = table.slots[slot].value.take()?;
        if let Some(next) = table.slots[slot].generation.checked_add(1) {
            table.slots[slot].generation = next;
            table.free.push(slot);
        }
        Some(value)
    }

    fn slot_of(&self, table: &Slots<T>, bits: usize) -> Option<usize> {
        let slot = bits & (MOST_SLOTS - 1);
        let generation = bits >> SLOT_BITS & u32::MAX as usize;
        let known = table.slots.get(slot)?;
        (bits >> TYPE_SHIFT == usize::from(self.kind) && generation == known.generation as usize).then_some(slot)
    }

    fn read(&self) -> RwLockReadGuard<'_, Slots<T>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots<T>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        table.write().slots[0].generation = u32::MAX;
        let last: Pointer = table.insert(1).unwrap();
        assert_eq!(*table.get(last).unwrap(), 1);
        table.remove(last);
        assert!(table.get(last).is_err());
        let fresh: Pointer = table.insert(2).unwrap();
        assert_eq!(fresh.addr() & (MOST_SLOTS - 1), 1, "a new slot");
    }
}
