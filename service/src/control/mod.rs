//! The control API, `/emulator/…`, by which tests and the page control the emulator. It is not part of the service.

mod access;
mod conversions;
mod json;
mod requests;
mod routes;
mod sessions;

pub(crate) use routes::{guarded, routes};
