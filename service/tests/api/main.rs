//! The emulator as a client sees it: over real sockets, with a clock that the tests advance.

mod access;
mod clock;
mod connections;
mod control;
mod create;
mod entra;
mod faults;
#[cfg(unix)]
#[path = "../support/folder.rs"]
mod folder;
mod health;
mod http;
#[cfg(unix)]
mod kept;
mod lifecycle;
mod limits;
mod list;
mod page;
mod routes;
mod story;
mod throttle;
mod token;
mod update;
mod v2021;
