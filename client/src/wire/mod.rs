//! The wire protocol: turns operations into [`Request`]s and [`Reply`]s into outcomes. Pure: no sockets, no clock.
//!
//! One module per REST version and one for the token service; [`Service`] picks the version.

mod failure;
mod json;
mod reply;
mod request;
mod service;
mod service_error;
mod target;
#[cfg(test)]
pub(crate) mod tests;
mod timespan;
pub(crate) mod token_service;
mod v1;
mod v2021_01_01;

pub(crate) use failure::{Answer, Cause, Failure};
pub(crate) use json::Members;
pub(crate) use reply::Reply;
pub(crate) use request::{Method, Request, Urgency};
pub(crate) use service::Service;
pub(crate) use target::Target;
