//! Sessions, version 1 of the API (`docs/service.md`).

mod json;
mod routes;

pub(super) use routes::routes;
