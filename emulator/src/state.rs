//! What the connections share: the service's memory and its clock.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::auth::token::TokenIssuer;
use crate::auth::{Account, Throttle};
use crate::clock::ServiceClock;
use crate::config::{Config, Wire};
use crate::faults::FaultBook;
use crate::net::{Connections, Names};
use crate::request_log::RequestLog;
use crate::session::{Servers, Sessions};
use crate::sync::lock;

/// The service without its sockets.
pub(crate) struct Service {
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: ServiceClock,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Arc<FaultBook>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) throttle: Throttle,
    pub(crate) tokens: TokenIssuer,
    pub(crate) token_lifetime: Duration,
    pub(crate) entra_tokens: TokenIssuer,
    /// Whether any unexpired token passes for one of Microsoft Entra's.
    pub(crate) accepts_any_entra_token: bool,
    pub(crate) names: Names,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    pub(crate) wire: Wire,
    /// How many sessions a page of the list has at most, in 2021-01-01.
    pub(crate) page_size: usize,
    /// Whether the control calls are for other machines too.
    pub(crate) control_remote: bool,
    sessions: Mutex<Sessions>,
}

impl Service {
    /// The service as configured; `None` if the system has no random numbers to give.
    pub(crate) fn new(config: &Config) -> Option<Service> {
        let sessions = Sessions::new(config.startup, config.stopping, Servers::new(config));
        Some(Service {
            accounts: config.accounts.clone(),
            clock: ServiceClock::new(config.clock.clone(), config.time_scale),
            requests: RequestLog::default(),
            faults: Arc::default(),
            connections: Arc::default(),
            throttle: Throttle::new(config.min_call_interval),
            tokens: TokenIssuer::of_access_tokens()?,
            token_lifetime: config.token_lifetime,
            entra_tokens: TokenIssuer::of_entra_tokens()?,
            accepts_any_entra_token: config.accept_entra_tokens,
            names: Names::of(config.listen.ip(), &config.tls_names),
            scheme: if config.tls { "https" } else { "http" },
            wire: config.wire,
            page_size: config.page_size.map_or(usize::MAX, |size| size.max(1)),
            control_remote: config.control_remote,
            sessions: Mutex::new(sessions),
        })
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }

    /// A token for this account's sessions.
    pub(crate) fn access_token(&self, account: &Account) -> String {
        self.tokens.issue(account.guid(), self.clock.unix_time(), self.token_lifetime)
    }

    /// A token that stands for one that Microsoft Entra gave to somebody who may use this account.
    pub(crate) fn entra_token(&self, account: &Account, lifetime: Duration) -> String {
        self.entra_tokens.issue(account.guid(), self.clock.unix_time(), lifetime)
    }
}
