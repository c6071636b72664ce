//! Listing the account's sessions.

use super::Context;
use super::call::{Call, OneCall};
use crate::clock::Instant;
use crate::session::SessionProperties;
use std::sync::Arc;

/// The account's sessions that have not ended, whoever created them.
pub(crate) fn list(context: &Context, deadline: Instant) -> OneCall<Vec<SessionProperties>> {
    const WHAT: &str = "listing the sessions";
    let service = Arc::clone(&context.service);
    let call = Call::new(context, WHAT, service.list(), deadline);
    OneCall::new(call, move |outcome| service.read_list(&outcome.reply(WHAT)?))
}
