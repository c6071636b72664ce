//! Wipes memory that had secrets.

use std::ops::{Deref, DerefMut};

/// Overwrites memory with zeros, also if nothing reads it afterwards. Unlike `memset`, it does not start the processor's
/// block instruction, which costs more than most blocks do.
///
/// # Safety
/// The memory is writable, and no reference to it is in use.
#[cfg(target_arch = "x86_64")]
#[inline]
pub unsafe fn wipe_memory(place: *mut u8, length: usize) {
    use std::arch::asm;
    // SAFETY: all writes are within the memory, as each comment says.
    unsafe {
        if length >= 128 && std::is_x86_feature_detected!("avx") {
            asm!(
                "vxorps {zero}, {zero}, {zero}",
                // Its last 128 bytes, and from its start as many whole pieces of 128 as there are.
                "sub {end}, 128",
                "vmovups [{end}], {zero:y}",
                "vmovups [{end} + 32], {zero:y}",
                "vmovups [{end} + 64], {zero:y}",
                "vmovups [{end} + 96], {zero:y}",
                "2:",
                "vmovups [{place}], {zero:y}",
                "vmovups [{place} + 32], {zero:y}",
                "vmovups [{place} + 64], {zero:y}",
                "vmovups [{place} + 96], {zero:y}",
                "add {place}, 128",
                "cmp {place}, {end}",
                "jbe 2b",
                "vzeroupper",
                place = inout(reg) place => _,
                end = inout(reg) place.add(length) => _,
                zero = out(xmm_reg) _,
                options(nostack),
            );
        } else if length >= 16 {
            asm!(
                "xorps {zero}, {zero}",
                // Its last 16 bytes, and from its start as many whole pieces of 16 as there are.
                "sub {end}, 16",
                "movups [{end}], {zero}",
                "2:",
                "movups [{place}], {zero}",
                "add {place}, 16",
                "cmp {place}, {end}",
                "jbe 2b",
                place = inout(reg) place => _,
                end = inout(reg) place.add(length) => _,
                zero = out(xmm_reg) _,
                options(nostack),
            );
        } else if length >= 8 {
            // Its first and its last 8 bytes.
            asm!(
                "mov qword ptr [{place}], 0",
                "mov qword ptr [{last}], 0",
                place = in(reg) place,
                last = in(reg) place.add(length - 8),
                options(nostack, preserves_flags),
            );
        } else {
            (0..length).for_each(|index| place.add(index).write_volatile(0));
        }
    }
}

/// The same.
///
/// # Safety
/// The same.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub unsafe fn wipe_memory(place: *mut u8, length: usize) {
    const WORD: usize = size_of::<u64>();
    let before = place.align_offset(WORD).min(length);
    let words = (length - before) / WORD;
    // SAFETY: all writes are within the memory, and those of words are aligned.
    unsafe {
        (0..before).for_each(|index| place.add(index).write_volatile(0));
        let middle = place.add(before).cast::<u64>();
        (0..words).for_each(|index| middle.add(index).write_volatile(0));
        (before + words * WORD..length).for_each(|index| place.add(index).write_volatile(0));
    }
}

/// Bytes that are wiped on drop, also those beyond the length. They do not grow: that would leave a copy.
#[derive(Clone, Default)]
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    /// So many zeros.
    pub(crate) fn zeros(length: usize) -> Wiped {
        Wiped(vec![0; length])
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }
}

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Wiped {
        Wiped(bytes)
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        // SAFETY: the vector owns its whole capacity, and nothing else refers to it.
        unsafe { wipe_memory(self.0.as_mut_ptr(), self.0.capacity()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_given_bytes_are_wiped() {
        for length in (0..300).chain([1_000, 4_096, 5_001]) {
            for offset in 0..17 {
                let mut bytes = vec![7_u8; offset + length + 20];
                // SAFETY: that many bytes are there.
                unsafe { wipe_memory(bytes.as_mut_ptr().add(offset), length) };
                let (before, rest) = bytes.split_at(offset);
                let (wiped, after) = rest.split_at(length);
                assert!(wiped.iter().all(|byte| *byte == 0), "{length} at {offset}");
                assert!(before.iter().chain(after).all(|byte| *byte == 7), "{length} at {offset}");
            }
        }
    }
}
