//! Keeps this module loaded once it has started threads or keeps memory for the life of the process. Unloading code that
//! a thread is running crashes the process; and a module that is loaded again does not know the memory that it kept.

use std::sync::atomic::{AtomicBool, Ordering};

/// Pins the shared library that contains this code, once. Must be called before the first thread starts, and before memory
/// is leaked on purpose.
///
/// Does nothing if the code is linked into an executable.
pub(crate) fn pin_module() {
    static PINNED: AtomicBool = AtomicBool::new(false);
    if !PINNED.swap(true, Ordering::Relaxed) {
        pin();
    }
}

#[cfg(unix)]
fn pin() {
    let here = pin_module as *const libc::c_void;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `here` points into this module and `info` is writable; dladdr keeps neither pointer.
    let found = unsafe { libc::dladdr(here, info.as_mut_ptr()) };
    if found == 0 {
        return;
    }
    // SAFETY: zeroed bytes are a valid Dl_info (it has only pointers), and dladdr has filled it.
    let path = unsafe { info.assume_init() }.dli_fname;
    if !path.is_null() {
        // SAFETY: the path is the loader's own NUL-terminated text. RTLD_NOLOAD loads nothing and runs no code. A
        // failure is harmless: it means that the code is part of the executable. The handle is leaked on purpose.
        unsafe { libc::dlopen(path, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
    }
}

#[cfg(windows)]
fn pin() {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const u16, module: *mut *mut core::ffi::c_void) -> i32;
    }
    const GET_MODULE_HANDLE_EX_FLAG_PIN: u32 = 1;
    const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;
    let mut module = std::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the second argument is any address within the module, here this function's own, and is
    // not read as text; `module` is writable. A failure leaves the module as it was.
    unsafe {
        GetModuleHandleExW(
            GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
            pin_module as *const u16,
            &raw mut module,
        )
    };
}

#[cfg(not(any(unix, windows)))]
fn pin() {}
