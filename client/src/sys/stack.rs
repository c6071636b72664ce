//! Wipes what calls leave on a thread's stack. Decryption and copying leave parts of secrets in their frames. So does a
//! dynamic loader that binds a function at its first call: it saves the vector registers, which may still contain the
//! last copy, on the calling thread's stack.

use super::wipe::wipe_memory;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;
use std::hint::black_box;
use std::mem::MaybeUninit;

/// More than a C library leaves of an ended thread's stack when it keeps that for the next thread (glibc: 16 KiB).
const AT_END: usize = 64 * 1024;

/// Wipes this much below the caller's frame, and the vector registers.
#[inline(never)]
pub(crate) fn wipe_stack<const SIZE: usize>() {
    let mut area = [const { MaybeUninit::<u8>::uninit() }; SIZE];
    // SAFETY: the array is this function's own.
    unsafe { wipe_memory(area.as_mut_ptr().cast(), SIZE) };
    black_box(&mut area);
    wipe_registers();
}

/// Wipes this thread's stack when the thread ends. Works on any thread, including those of other libraries.
pub(crate) fn wipe_stack_at_end() {
    struct Wipe;
    impl Drop for Wipe {
        fn drop(&mut self) {
            wipe_stack::<AT_END>();
        }
    }
    thread_local!(static WIPE: Wipe = const { Wipe });
    // Fails only in a thread that is already ending, whose stack has been or will be wiped.
    let _ = WIPE.try_with(|_| ());
}

/// Copies use these registers, and late binding would save them.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
fn wipe_registers() {
    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has these registers, and a called function may change them.
        unsafe {
            asm!(
                "vpxord zmm16, zmm16, zmm16", "vpxord zmm17, zmm17, zmm17", "vpxord zmm18, zmm18, zmm18",
                "vpxord zmm19, zmm19, zmm19", "vpxord zmm20, zmm20, zmm20", "vpxord zmm21, zmm21, zmm21",
                "vpxord zmm22, zmm22, zmm22", "vpxord zmm23, zmm23, zmm23", "vpxord zmm24, zmm24, zmm24",
                "vpxord zmm25, zmm25, zmm25", "vpxord zmm26, zmm26, zmm26", "vpxord zmm27, zmm27, zmm27",
                "vpxord zmm28, zmm28, zmm28", "vpxord zmm29, zmm29, zmm29", "vpxord zmm30, zmm30, zmm30",
                "vpxord zmm31, zmm31, zmm31",
                clobber_abi("C"), options(nostack, nomem, preserves_flags),
            );
        }
    }
    if std::is_x86_feature_detected!("avx") {
        // SAFETY: the processor has this instruction, and every register that it changes is declared.
        unsafe {
            asm!(
                "vzeroall",
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nostack, nomem, preserves_flags),
            );
        }
    }
}

/// Late binding saves these registers.
#[cfg(target_arch = "aarch64")]
#[rustfmt::skip]
fn wipe_registers() {
    // SAFETY: a called function may change these registers.
    unsafe {
        asm!(
            "movi v0.2d, #0", "movi v1.2d, #0", "movi v2.2d, #0", "movi v3.2d, #0",
            "movi v4.2d, #0", "movi v5.2d, #0", "movi v6.2d, #0", "movi v7.2d, #0",
            clobber_abi("C"), options(nostack, nomem, preserves_flags),
        );
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn wipe_registers() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::start_thread;
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::sync::mpsc;

    #[test]
    fn a_thread_that_has_ended_leaves_nothing_on_its_stack() {
        const LEFT: u8 = 0x5a;
        let (sender, place) = mpsc::channel();
        let work = move || {
            let mut block = [0_u8; 4096];
            black_box(&mut block).fill(LEFT);
            sender.send(block.as_ptr().addr() as u64).unwrap();
            black_box(&mut block);
        };
        start_thread("arr-test", work).unwrap().join().unwrap();
        let mut left = [0; 4096];
        // The stack may have been unmapped.
        if File::open("/proc/self/mem").unwrap().read_exact_at(&mut left, place.recv().unwrap()).is_ok() {
            assert!(!left.contains(&LEFT));
        }
    }
}
