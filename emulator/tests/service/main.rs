//! The emulator as a client sees it, over real sockets, by a clock that the tests move.

mod access;
mod connections;
mod create;
mod http;
mod lifecycle;
mod list;
mod routes;
mod story;
mod token;
mod update;
