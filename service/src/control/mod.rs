//! The control API, `/emulator/…`, by which tests and people control the emulator. It is not part of the service.

mod access;
mod json;
mod routes;

pub(crate) use routes::routes;
