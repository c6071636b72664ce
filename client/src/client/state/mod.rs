//! The cached state of a client's sessions, with watching and keep-alive.

mod keep_alive;
mod poll;
mod registry;
mod session;

pub(super) use keep_alive::{ExtensionEnd, LeaseMoment, Watching};
pub use keep_alive::{KeepAlive, OnSuspend, WatchOptions};
pub(super) use poll::{Poll, Poller};
pub(super) use registry::Registry;
pub(super) use session::SessionState;
