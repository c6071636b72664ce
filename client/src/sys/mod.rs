//! Operating system calls that the standard library lacks.

#![allow(unsafe_code, reason = "these are foreign functions; each call says why it is sound")]

mod clock;
mod file_lock;
mod module;
mod signal;

pub(crate) use clock::elapsed;
pub(crate) use file_lock::FileLock;
pub(crate) use module::pin_module;
pub(crate) use signal::without_sigpipe;
