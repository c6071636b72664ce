//! Another Rust library in the same program. It also contains the standard library, and catches its own panics.

#![allow(unsafe_code, reason = "a function for C")]

use std::hint::black_box;
use std::panic::catch_unwind;
use std::thread;

/// 1 if panics on this thread and on another are caught.
#[unsafe(no_mangle)]
pub extern "C" fn neighbour_catches_its_panics() -> i32 {
    let panics = || catch_unwind(|| black_box(Vec::<u8>::new())[0]).is_err();
    (panics() && thread::spawn(panics).join().unwrap_or(false)).into()
}
