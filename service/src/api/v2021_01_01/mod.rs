//! Sessions and conversions, REST 2021-01-01 (`docs/service-2021-01-01.md`).

mod conversion_json;
mod conversions;
mod json;
mod paging;
mod routes;
#[cfg(test)]
mod tests;
mod version;

pub(super) use routes::{error_reply, owns_path, routes};
