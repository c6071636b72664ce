//! The allocator of the C library: it wipes a block before it frees it.
//!
//! Keys and tokens pass through buffers of the HTTP stack, which does not wipe them. This way no copy outlives its
//! block.

use client::abi;
use std::alloc::{GlobalAlloc, Layout, System};

struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

// SAFETY: each block comes from the system and returns to it with the same layout. `realloc` is the trait's default: a
// new block, a copy and `dealloc`, so a block that moves is wiped too.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    /// Not inlined: it is called from everywhere.
    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this layout, and its owner is done with it.
        unsafe { abi::wipe_memory(block, layout.size()) };
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) };
    }
}
