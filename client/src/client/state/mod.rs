//! The cached state of a client's sessions, with watching and keep-alive.

mod keep_alive;
mod knowledge;
mod poll;
mod published;
mod read_health;
mod registry;
mod session;

pub(super) use keep_alive::{Extension, ExtensionEnd, LeaseMoment, Watching};
pub use keep_alive::{KeepAlive, OnSuspend, WatchOptions};
pub(super) use poll::{Poll, Poller};
pub(super) use registry::Registry;
pub(super) use session::SessionState;
