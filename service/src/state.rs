//! The state that all requests share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::token::TokenIssuer;
use crate::auth::{Account, Failures, Throttle};
use crate::clock::{AdjustableClock, Timestamp};
use crate::config::{Config, Limits, WireFormat};
use crate::conversion::ConversionStore;
use crate::faults::FaultRules;
use crate::http::body_budget::BodyBudget;
use crate::log::Log;
use crate::net::{ConnectionRegistry, Hostnames};
use crate::request_log::RequestLog;
use crate::secrets::Secrets;
use crate::session::{Commit, NotStored, SessionStore};
use crate::start_error::StartError;
use crate::storage::{Database, Writer};
use crate::sync::lock;

/// The state of the service.
pub(crate) struct ServiceState {
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: Arc<AdjustableClock>,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Arc<FaultRules>,
    pub(crate) connections: Arc<ConnectionRegistry>,
    pub(crate) throttle: Throttle,
    pub(crate) wrong_keys: Failures,
    pub(crate) tokens: TokenIssuer,
    pub(crate) token_lifetime: Duration,
    pub(crate) max_lease: Duration,
    pub(crate) entra_tokens: TokenIssuer,
    /// Whether any unexpired JSON Web Token is accepted as a Microsoft Entra token.
    pub(crate) accepts_any_entra_token: bool,
    pub(crate) hostnames: Hostnames,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    pub(crate) wire: WireFormat,
    /// The most sessions on a page of the list, in 2021-01-01.
    pub(crate) page_size: usize,
    /// Whether the storage accounts of conversions are linked, so that they need no shared access signatures.
    pub(crate) linked_storage: bool,
    /// Whether other machines may send control calls.
    pub(crate) control_remote: bool,
    pub(crate) limits: Limits,
    pub(crate) bodies: BodyBudget,
    pub(crate) log: Arc<Log>,
    pub(crate) started_at: Instant,
    sessions: Arc<Mutex<SessionStore>>,
    conversions: Mutex<ConversionStore>,
    /// None if nothing is kept.
    writer: Mutex<Option<Writer>>,
}

impl ServiceState {
    /// The state as configured, with the clock and the sessions in the database if there is one.
    pub(crate) fn new(
        config: &Config,
        secrets: &Secrets,
        mut database: Option<Database>,
    ) -> Result<ServiceState, StartError> {
        let (base, scale) = (config.clock.clone(), config.time_scale);
        let clock = Arc::new(match &mut database {
            Some(database) => database.resume_clock(&base, scale)?,
            None => AdjustableClock::new(base, scale),
        });
        let log = Arc::new(Log::start(config.log_requests));
        let sessions = Arc::new(Mutex::new(SessionStore::new(config)));
        let start_writer = |database| Writer::start(database, &sessions, clock.clone(), log.clone());
        let writer = database.map(start_writer).transpose()?.transpose().map_err(StartError::Thread)?;
        Ok(ServiceState {
            accounts: config.accounts.clone(),
            clock,
            requests: RequestLog::default(),
            faults: Arc::default(),
            connections: Arc::default(),
            throttle: Throttle::new(config.min_call_interval),
            wrong_keys: Failures::default(),
            tokens: TokenIssuer::for_access_tokens(&secrets.access_token_key),
            token_lifetime: config.token_lifetime,
            max_lease: config.max_lease,
            entra_tokens: TokenIssuer::for_entra_tokens(&secrets.entra_token_key),
            accepts_any_entra_token: config.accept_entra_tokens,
            hostnames: Hostnames::new(config.listen.ip(), &config.tls_names),
            scheme: if config.has_tls() { "https" } else { "http" },
            wire: config.wire,
            page_size: config.page_size.map_or(usize::MAX, |size| size.max(1)),
            linked_storage: config.linked_storage,
            control_remote: config.control_remote,
            limits: config.limits,
            bodies: BodyBudget::default(),
            log,
            started_at: Instant::now(),
            sessions,
            conversions: Mutex::new(ConversionStore::new(config)),
            writer: Mutex::new(writer),
        })
    }

    /// Makes a call on the sessions. Returns once everything that it has found or changed is stored, if that is kept.
    pub(crate) async fn sessions<T>(
        &self,
        call: impl FnOnce(&mut SessionStore, Timestamp) -> T,
    ) -> Result<T, NotStored> {
        let (result, commit) = self.begin_sessions(call);
        if let Some(commit) = commit {
            commit.wait().await?;
        }
        Ok(result)
    }

    /// Makes a call on the sessions. Its result holds only once the commit, if there is one, is stored. The time is read
    /// under the lock, so that it never goes back from one call to the next.
    pub(crate) fn begin_sessions<T>(
        &self,
        call: impl FnOnce(&mut SessionStore, Timestamp) -> T,
    ) -> (T, Option<Commit>) {
        let mut sessions = lock(&self.sessions);
        let result = call(&mut sessions, self.clock.timestamp());
        (result, sessions.end_call())
    }

    /// Writes everything that is not stored yet, and gives up the state folder. No call may come after this.
    pub(crate) fn close_storage(&self) {
        drop(lock(&self.writer).take());
    }

    /// The conversions, and the time, which never goes back from one call to the next.
    pub(crate) fn conversions(&self) -> (MutexGuard<'_, ConversionStore>, Timestamp) {
        let conversions = lock(&self.conversions);
        (conversions, self.clock.timestamp())
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn time_never_goes_back_from_one_call_to_the_next() {
        let secrets = Secrets::load(None, false).expect("random numbers");
        let state = ServiceState::new(&Config::default(), &secrets, None).expect("a state in memory");
        let times = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..5000).for_each(|_| drop(state.begin_sessions(|_, at| lock(&times).push(at.now))));
                });
            }
        });
        assert!(lock(&times).is_sorted());
    }
}
