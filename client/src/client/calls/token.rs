//! Getting an access token.

use super::super::account::Account;
use crate::auth::IssuedToken;
use crate::clock::Instant;
use crate::config::Secret;
use crate::error::Result;
use crate::protocol::{self, Operation};
use std::sync::Arc;
use std::time::Duration;

/// An access token, which the rendering connection also needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// How long it remains valid; `None` if it does not say. Zero if it has expired by this machine's clock, which is
    /// possible only for a token that the application supplied: it is used until the service refuses it.
    pub remaining: Option<Duration>,
}

pub(in crate::client) fn access_token(
    account: &Account,
    deadline: Instant,
) -> impl Operation<Outcome = Result<AccessToken>> + Send + use<> {
    let clock = Arc::clone(&account.core.clock);
    protocol::token(&account.context, deadline).then(move |issued: Result<IssuedToken>| {
        let issued = issued?;
        let remaining = issued.expires.map(|expires| expires.saturating_since(clock.now()));
        Ok(AccessToken { token: issued.text, remaining })
    })
}
