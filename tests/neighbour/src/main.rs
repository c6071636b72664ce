//! A Rust program that contains the packaged static library.

#![allow(unsafe_code, reason = "a function of C")]

use std::hint::black_box;
use std::panic::catch_unwind;

unsafe extern "C" {
    /// In `../library.c`.
    safe fn library_catches_its_panic() -> i32;
}

fn main() {
    for _ in 0..2 {
        assert!(catch_unwind(|| black_box(Vec::<u8>::new())[0]).is_err());
        assert_eq!(library_catches_its_panic(), 1);
    }
    println!("both caught their panics");
}
