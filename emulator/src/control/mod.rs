//! The control API, `/emulator/…`: how tests and people move the emulator. It is no part of the service.

mod access;
mod json;
mod routes;

pub(crate) use routes::routes;
