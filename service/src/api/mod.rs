//! The REST API: the token service (STS) and both versions of the session service.

mod access;
mod error_reply;
mod pipeline;
mod router;
mod sts;
mod v1;
mod v2021_01_01;

pub(crate) use pipeline::FOREIGN_HOST;
pub(crate) use router::router;
