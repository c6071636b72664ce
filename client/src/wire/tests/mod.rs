//! Fixtures shared by the tests of the wire.

mod any_reply;
mod recorded;

use super::{Reply, Service};
use crate::config::tests::config;

/// The session service of the test configuration.
pub(crate) fn service() -> Service {
    let settings = config().check().unwrap();
    Service::of(&settings)
}

pub(crate) fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.as_bytes().to_vec().into(), ..Reply::default() }
}
