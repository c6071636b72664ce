//! The state that all requests share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::auth::token::TokenIssuer;
use crate::auth::{Account, Throttle};
use crate::clock::AdjustableClock;
use crate::config::{Config, WireFormat};
use crate::faults::FaultRules;
use crate::net::{ConnectionRegistry, Hostnames};
use crate::request_log::RequestLog;
use crate::session::{RendererAllocator, SessionStore};
use crate::sync::lock;

/// The state of the service.
pub(crate) struct ServiceState {
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: AdjustableClock,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Arc<FaultRules>,
    pub(crate) connections: Arc<ConnectionRegistry>,
    pub(crate) throttle: Throttle,
    pub(crate) tokens: TokenIssuer,
    pub(crate) token_lifetime: Duration,
    pub(crate) entra_tokens: TokenIssuer,
    /// Whether any unexpired JSON Web Token is accepted as a Microsoft Entra token.
    pub(crate) accepts_any_entra_token: bool,
    pub(crate) hostnames: Hostnames,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    pub(crate) wire: WireFormat,
    /// How many sessions a page of the list has at most, in 2021-01-01.
    pub(crate) page_size: usize,
    /// Whether other machines may send control calls.
    pub(crate) control_remote: bool,
    sessions: Mutex<SessionStore>,
}

impl ServiceState {
    /// The state as configured; `None` if the system provides no random numbers.
    pub(crate) fn new(config: &Config) -> Option<ServiceState> {
        let sessions = SessionStore::new(config.startup, config.stopping, RendererAllocator::new(config));
        Some(ServiceState {
            accounts: config.accounts.clone(),
            clock: AdjustableClock::new(config.clock.clone(), config.time_scale),
            requests: RequestLog::default(),
            faults: Arc::default(),
            connections: Arc::default(),
            throttle: Throttle::new(config.min_call_interval),
            tokens: TokenIssuer::for_access_tokens()?,
            token_lifetime: config.token_lifetime,
            entra_tokens: TokenIssuer::for_entra_tokens()?,
            accepts_any_entra_token: config.accept_entra_tokens,
            hostnames: Hostnames::new(config.listen.ip(), &config.tls_names),
            scheme: if config.tls { "https" } else { "http" },
            wire: config.wire,
            page_size: config.page_size.map_or(usize::MAX, |size| size.max(1)),
            control_remote: config.control_remote,
            sessions: Mutex::new(sessions),
        })
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, SessionStore> {
        lock(&self.sessions)
    }

    /// An access token for this account.
    pub(crate) fn access_token(&self, account: &Account) -> String {
        self.tokens.issue(account.guid(), self.clock.unix_time(), self.token_lifetime)
    }

    /// A stand-in for a Microsoft Entra token of a user of this account.
    pub(crate) fn entra_token(&self, account: &Account, lifetime: Duration) -> String {
        self.entra_tokens.issue(account.guid(), self.clock.unix_time(), lifetime)
    }
}
