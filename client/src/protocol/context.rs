//! What operations need.

use super::pacing::Pacing;
use crate::auth::TokenCache;
use crate::config::RetryPolicy;
use crate::log::Log;
use crate::wire::Service;
use std::sync::Arc;

/// What every operation of a client needs: where to send, a token, how fast and how often, and where to tell about it.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) service: Arc<Service>,
    pub(crate) tokens: Arc<TokenCache>,
    pub(crate) pacing: Arc<Pacing>,
    pub(crate) retry: RetryPolicy,
    pub(crate) log: Arc<Log>,
}
