//! The emulator as a client sees it, over real sockets, by a clock that the tests move.

mod access;
mod clock;
mod connections;
mod control;
mod create;
mod entra;
mod faults;
mod http;
mod lifecycle;
mod list;
mod routes;
mod story;
mod throttle;
mod token;
mod update;
mod v2021;
