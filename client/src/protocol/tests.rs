//! Fixtures shared by the tests of operations.

use super::Context;
use super::pacing::Pacing;
use crate::auth::{TokenCache, TokenSource};
use crate::clock::Instant;
use crate::clock::SystemClock;
use crate::config::{Credential, PollIntervals, RetryPolicy};
use crate::log::Log;
use crate::wire::Reply;
use std::sync::Arc;
use std::time::Duration;

/// The shared context of operations, without a client.
pub(crate) struct World {
    pub(crate) context: Context,
}

impl World {
    /// With a token available.
    pub(crate) fn new() -> World {
        let retry = RetryPolicy { most: 4, delay: RetryPolicy::DELAY };
        World::with(Credential::AccessToken("a.b.c".into()), retry)
    }

    pub(crate) fn without_token(retry: RetryPolicy) -> World {
        World::with(Credential::AccountKey("key=".into()), retry)
    }

    fn with(credential: Credential, retry: RetryPolicy) -> World {
        let config = crate::config::ClientConfig { credential, ..crate::config::tests::config() };
        let settings = config.check().unwrap();
        let clock = Arc::new(SystemClock);
        let log = Arc::new(Log::new(settings.log_level, clock.clone()));
        let tokens = TokenCache::new(
            TokenSource {
                token_service: settings.token_service,
                account_id: settings.account_id,
                credential: settings.credential,
                on_request: false,
            },
            clock.clone(),
            Arc::default(),
            || (),
            Arc::clone(&log),
        );
        let pacing =
            Arc::new(Pacing::new(PollIntervals::at(&settings.service, settings.api_version, settings.intervals)));
        World { context: Context { service: Arc::new(crate::wire::tests::service()), tokens, pacing, retry, log } }
    }
}

pub(crate) fn at(seconds: u64) -> Instant {
    Instant::from_elapsed(Duration::from_secs(seconds))
}

pub(crate) fn reply(status: u16) -> Reply {
    Reply { status, ..Reply::default() }
}
