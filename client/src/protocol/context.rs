//! The shared context of operations.

use super::pacing::Pacing;
use crate::auth::TokenCache;
use crate::config::RetryPolicy;
use crate::log::Log;
use crate::wire::Service;
use std::sync::Arc;

/// What every operation of a client needs: the service, tokens, pacing, the retry policy, and the log.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) service: Arc<Service>,
    pub(crate) tokens: Arc<TokenCache>,
    pub(crate) pacing: Arc<Pacing>,
    pub(crate) retry: RetryPolicy,
    pub(crate) log: Arc<Log>,
}
