//! A deliberate data race. If ThreadSanitizer missed it, its silence about the library would mean nothing.

#![allow(unsafe_code, reason = "safe Rust has no data races")]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

struct Unguarded(UnsafeCell<u32>);

// SAFETY: none. This is the error to find.
unsafe impl Sync for Unguarded {}

static SHARED: Unguarded = Unguarded(UnsafeCell::new(0));
static WRITTEN: AtomicBool = AtomicBool::new(false);

fn main() {
    let writer = thread::spawn(|| {
        write(1);
        // Relaxed: the second write comes later, but nothing orders the two, so they race in every run.
        WRITTEN.store(true, Ordering::Relaxed);
    });
    while !WRITTEN.load(Ordering::Relaxed) {
        thread::yield_now();
    }
    write(2);
    writer.join().expect("writing does not panic");
    // SAFETY: the other thread has ended.
    println!("{}", unsafe { *SHARED.0.get() });
}

fn write(value: u32) {
    // SAFETY: none, see above.
    unsafe { *SHARED.0.get() = value };
}
