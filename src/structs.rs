//! Extensible plain structs: each begins with `uint32_t struct_size`, and fields are only ever appended.
//!
//! * In: a caller's struct may be older or newer. An older one is shorter: missing fields are zero, which means the
//!   default. A newer one is longer: fields that this library does not know must be zero.
//! * Out: at most `struct_size` bytes are written, and fields that this library does not know are zeroed.

use client::{ErrorKind, Result, abi};
use std::mem::MaybeUninit;
use std::time::Duration;

/// The limit on a struct's size. A larger `struct_size` was not initialised.
const LONGEST: usize = 64 * 1024;

/// A time in whole seconds. Saturates.
pub(super) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// A time in whole milliseconds. Saturates.
pub(super) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// A struct that crosses the boundary.
///
/// # Safety
/// The type is `repr(C)`, begins with `struct_size: u32`, has no padding, and every bit pattern is a value of it.
pub(super) unsafe trait Plain: Copy {
    /// The size in the first version of the ABI: the minimum for a caller's struct.
    const SIZE_V1: u32;
}

/// A caller's struct for output, validated but not written yet.
#[derive(Debug)]
pub(super) struct Out<T> {
    target: *mut u8,
    size: usize,
    shape: std::marker::PhantomData<T>,
}

impl<T: Plain> Out<T> {
    /// An output struct that may be NULL.
    ///
    /// # Safety
    /// `pointer` is NULL, or stays writable for as many bytes as the struct says until the last use of what is
    /// returned.
    pub(super) unsafe fn optional(pointer: *mut T, what: &str) -> Result<Option<Out<T>>> {
        if pointer.is_null() {
            return Ok(None);
        }
        // SAFETY: the caller's promise; every struct begins with its size.
        let size = unsafe { pointer.cast::<u32>().read_unaligned() } as usize;
        check_size::<T>(size, what)?;
        Ok(Some(Out { target: pointer.cast(), size, shape: std::marker::PhantomData }))
    }

    /// An output struct that must not be NULL.
    ///
    /// # Safety
    /// As [`Out::optional`].
    pub(super) unsafe fn required(pointer: *mut T, what: &str) -> Result<Out<T>> {
        // SAFETY: the caller's promise.
        let out = unsafe { Out::optional(pointer, what) }?;
        out.ok_or_else(|| {
            abi::invalid_argument(format!("{what} is NULL; pass a struct that its init function has initialized"))
        })
    }

    /// Fills the caller's struct, except its `struct_size`.
    pub(super) fn write(self, value: &T) {
        let known = self.size.min(size_of::<T>());
        let skip = size_of::<u32>();
        let source = std::ptr::from_ref(value).cast::<u8>();
        // SAFETY: `optional` was promised `size` writable bytes and found `size` to be at least SIZE_V1, which is more
        // than `skip`. `known` is within both structs. A caller's struct cannot overlap a value of ours.
        unsafe {
            std::ptr::copy_nonoverlapping(source.add(skip), self.target.add(skip), known - skip);
            std::ptr::write_bytes(self.target.add(known), 0, self.size - known);
        }
    }
}

/// Reads a caller's struct.
///
/// # Safety
/// `pointer` is NULL or readable for as many bytes as the struct states.
pub(super) unsafe fn read<T: Plain>(pointer: *const T, what: &str) -> Result<T> {
    if pointer.is_null() {
        return Err(abi::invalid_argument(format!(
            "{what} is NULL; pass a struct that its init function has initialized"
        )));
    }
    // SAFETY: the caller's promise; every struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() } as usize;
    check_size::<T>(size, what)?;
    let known = size.min(size_of::<T>());
    let bytes = pointer.cast::<u8>();
    // SAFETY: the caller's promise covers `size` bytes, and the part past `known` is within them.
    let unknown = unsafe { std::slice::from_raw_parts(bytes.add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(abi::error(
            ErrorKind::Unsupported,
            format!(
                "{what} has fields that this version of the library does not know; update the library or set them to zero"
            ),
        ));
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable there and writable here. All of T's bytes are then set, and every bit pattern
    // is a value of it (the promise of `Plain`).
    unsafe {
        std::ptr::copy_nonoverlapping(bytes, value.as_mut_ptr().cast(), known);
        Ok(value.assume_init())
    }
}

/// Sets a caller's struct of `size` bytes to the defaults.
///
/// # Safety
/// `pointer` is NULL or writable for `size` bytes.
pub(super) unsafe fn init<T: Plain>(pointer: *mut T, size: usize, defaults: &T) -> Result<()> {
    if pointer.is_null() {
        return Err(abi::invalid_argument("the struct to initialize is NULL"));
    }
    check_size::<T>(size, "the struct to initialize")?;
    let struct_size = u32::try_from(size).unwrap_or(u32::MAX);
    // SAFETY: the caller's promise covers `size` bytes, at least SIZE_V1.
    unsafe { pointer.cast::<u32>().write_unaligned(struct_size) };
    Out { target: pointer.cast(), size, shape: std::marker::PhantomData }.write(defaults);
    Ok(())
}

fn check_size<T: Plain>(size: usize, what: &str) -> Result<()> {
    let least = T::SIZE_V1 as usize;
    if (least..=LONGEST).contains(&size) {
        return Ok(());
    }
    Err(abi::invalid_argument(format!(
        "{what} has a struct_size of {size}, which is not between {least} and {LONGEST}; initialize it with its init function"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Sample {
        struct_size: u32,
        old: u32,
        new: u32,
    }

    // SAFETY: repr(C), three u32 without padding, the first is struct_size.
    unsafe impl Plain for Sample {
        const SIZE_V1: u32 = 8;
    }

    fn read_words(words: &[u32]) -> Result<Sample> {
        // SAFETY: every test's struct_size is within the slice or refused.
        unsafe { read(words.as_ptr().cast::<Sample>(), "sample") }
    }

    #[test]
    fn an_older_callers_missing_fields_are_zero() {
        assert_eq!(read_words(&[8, 5, 99]).unwrap(), Sample { struct_size: 8, old: 5, new: 0 });
    }

    #[test]
    fn a_newer_callers_fields_must_be_zero_here() {
        assert_eq!(read_words(&[16, 5, 6, 0]).unwrap().new, 6);
        assert_eq!(read_words(&[16, 5, 6, 1]).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn an_unset_size_is_refused() {
        for size in [0, 7, 64 * 1024 + 1, u32::MAX] {
            assert_eq!(read_words(&[size, 0, 0]).unwrap_err().kind(), ErrorKind::InvalidArgument, "{size}");
        }
    }

    #[test]
    fn no_more_is_written_than_the_caller_has_room_for() {
        let value = Sample { struct_size: 0, old: 1, new: 2 };
        for (size, expected) in [(8, [8, 1, 77, 77, 77]), (12, [12, 1, 2, 77, 77]), (16, [16, 1, 2, 0, 77])] {
            let mut words = [77_u32; 5];
            words[0] = size;
            // SAFETY: no size here is longer than the array.
            let out = unsafe { Out::optional(words.as_mut_ptr().cast::<Sample>(), "sample") };
            out.unwrap().unwrap().write(&value);
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn init_writes_exactly_the_size_given() {
        let mut words = [77_u32; 5];
        let defaults = Sample { struct_size: 0, old: 3, new: 4 };
        // SAFETY: the array is longer than 16 bytes.
        unsafe { init(words.as_mut_ptr().cast::<Sample>(), 16, &defaults) }.unwrap();
        assert_eq!(words, [16, 3, 4, 0, 77]);
    }
}
