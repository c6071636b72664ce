//! What the connections share: the service's memory and its clock.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::request_log::RequestLog;
use crate::sessions::Sessions;
use crate::sync::lock;
use crate::token::TokenIssuer;
use crate::{Account, Clock, Config};

/// The service without its sockets.
pub(crate) struct Service {
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: Clock,
    pub(crate) requests: RequestLog,
    pub(crate) tokens: TokenIssuer,
    sessions: Mutex<Sessions>,
    started_at: Duration,
}

impl Service {
    /// The service as configured; `None` if the system has no random numbers to give.
    pub(crate) fn new(config: &Config) -> Option<Service> {
        Some(Service {
            accounts: config.accounts.clone(),
            clock: config.clock.clone(),
            requests: RequestLog::default(),
            tokens: TokenIssuer::new(config.token_lifetime)?,
            sessions: Mutex::new(Sessions::new(config.startup, config.stopping)),
            started_at: config.clock.now(),
        })
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }

    /// Time since the service's start, by its clock.
    pub(crate) fn uptime(&self) -> Duration {
        self.clock.now().saturating_sub(self.started_at)
    }
}
