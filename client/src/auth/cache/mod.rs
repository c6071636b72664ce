//! The access token cache, which all calls of a client share.
//!
//! The cache does no I/O. A call that needs a token asks [`TokenCache::acquire`]. It gets a token, or an [`Exchange`]
//! (the job of fetching one), or must wait for the call that holds the exchange.

use super::expiry::expiry;
use crate::clock::{Clock, Instant, Signal, lock, milliseconds};
use crate::config::Endpoint;
use crate::config::{AccountId, Credential, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::wire::{Reply, Request, token_service};
use base64::Engine as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// A token is refreshed this long before it expires. Other calls keep using the old one meanwhile.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);
/// A token this close to its expiry is no longer used: the request takes time to arrive.
const LAST_USE: Duration = Duration::from_secs(30);
/// After a failed early refresh, the old token is used for this long before the next attempt.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);

/// An access token and how long it may be used.
#[derive(Debug)]
struct Token {
    text: Secret,
    /// `None`: unknown, or given only by a clock that cannot be checked.
    expires: Option<Instant>,
    use_until: Instant,
    refresh_at: Instant,
    /// The number of the exchange that fetched it.
    exchange: u64,
}

/// A token as handed to a call.
#[derive(Clone, Debug)]
pub(crate) struct IssuedToken {
    pub(crate) text: Secret,
    pub(crate) expires: Option<Instant>,
    exchange: u64,
}

/// The reply to a call that needs a token.
#[derive(Debug)]
pub(crate) enum Acquired {
    /// A token.
    Token(IssuedToken),
    /// The job of fetching a token for all calls. Afterwards, call [`TokenCache::acquire`] again with
    /// [`Exchange::waited`].
    Fetch(Box<Exchange>),
    /// Another call is fetching a token. Call again with this value when the signal changes.
    Wait(Waited),
    /// The application has been asked for a token. Call again when the signal changes. The error is the reason, if none
    /// arrives in time.
    Starved(Error),
    /// The token service failed or asked for a pause: no requests before this instant. The error is its last failure.
    Rest(Instant, Error),
}

/// The exchange that a call waited for, and whether the call ran it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waited {
    number: u64,
    own: bool,
}

impl Waited {
    pub(crate) fn is_for_same(self, other: Waited) -> bool {
        self.number == other.number
    }
}

/// The job of fetching a token for all calls. Its holder sends the request and passes on the reply; dropping it
/// unfinished returns the job. It belongs to no operation, so an abandoned operation blocks no other call.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    /// The old token is still valid, so the exchange is not urgent.
    pub(crate) ahead: bool,
    cache: Arc<TokenCache>,
    number: u64,
}

impl Exchange {
    /// What to pass to [`TokenCache::acquire`] afterwards.
    pub(crate) fn waited(&self) -> Waited {
        // An early refresh gets only part of the caller's time, so its timeout is not the caller's.
        Waited { number: self.number, own: !self.ahead }
    }

    /// Takes the reply and wakes the waiting calls.
    pub(crate) fn complete(self, answer: Result<Reply>) {
        let outcome = answer.and_then(|reply| self.cache.read(&reply, self.number));
        self.cache.finish(self.number, outcome.map_err(Some));
    }
}

/// Where tokens come from.
#[derive(Debug)]
pub(crate) struct TokenSource {
    pub(crate) token_service: Endpoint,
    pub(crate) account_id: AccountId,
    pub(crate) credential: Credential,
    pub(crate) on_request: bool,
}

pub(crate) struct TokenCache {
    token_service: Endpoint,
    account_id: AccountId,
    /// The application supplies new tokens on request.
    on_request: bool,
    /// Asks the application for a new token.
    ask: Box<dyn Fn() + Send + Sync>,
    clock: Arc<dyn Clock>,
    changed: Arc<Signal>,
    log: Arc<Log>,
    state: Mutex<CacheState>,
    /// When to ask the application, in milliseconds of the clock. `u64::MAX`: never, or already asked.
    ask_at: AtomicU64,
    /// Counts completed exchanges and tokens supplied by the application.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct CacheState {
    credential: Credential,
    /// Set while calls must wait for a new token from the application, with the reason.
    starved: Option<Error>,
    token: Option<Token>,
    /// The number of the exchange in flight.
    running: Option<u64>,
    /// The number of the latest exchange.
    latest: u64,
    /// The latest failed exchange. The calls that waited for it fail with its error, instead of each trying a wrong key
    /// again.
    failed: Option<(u64, Error)>,
    /// No requests to the token service before this instant, and why.
    rest: Option<(Instant, Error)>,
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCache").field("account_id", &self.account_id).finish_non_exhaustive()
    }
}

impl TokenCache {
    pub(crate) fn new(
        from: TokenSource,
        clock: Arc<dyn Clock>,
        changed: Arc<Signal>,
        ask: impl Fn() + Send + Sync + 'static,
        log: Arc<Log>,
    ) -> Arc<TokenCache> {
        let TokenSource { token_service, account_id, credential, on_request } = from;
        let token = Token::of(&credential, &*clock);
        let cache = TokenCache {
            token_service,
            account_id,
            on_request,
            ask: Box::new(ask),
            clock,
            changed,
            log,
            state: Mutex::new(CacheState { token, credential, ..CacheState::default() }),
            ask_at: AtomicU64::new(u64::MAX),
            changes: AtomicU64::new(0),
        };
        cache.plan_to_ask(&lock(&cache.state).credential);
        Arc::new(cache)
    }

    /// Wipes the credential and the token. The client has ended, and makes no more requests.
    pub(crate) fn forget(&self) {
        let mut state = lock(&self.state);
        (state.credential, state.token) = (Credential::default(), None);
    }

    /// Takes a new token from the application, of the same kind as before.
    pub(crate) fn set(&self, token: Secret) -> Result<()> {
        let mut state = lock(&self.state);
        let credential = match &state.credential {
            Credential::AccountKey(_) => {
                return Err(Error::invalid_argument(
                    "the client has an account key and takes no token; to use a token, create another client",
                ));
            }
            Credential::EntraToken(_) => Credential::EntraToken(token),
            Credential::AccessToken(_) => Credential::AccessToken(token),
        };
        state.credential = credential.check()?;
        if let Some(token) = Token::of(&state.credential, &*self.clock) {
            // A new number, so that a late refusal of the old token does not discard this one.
            state.latest += 1;
            state.token = Some(Token { exchange: state.latest, ..token });
        }
        // The result of an exchange of the old token no longer counts.
        (state.running, state.starved, state.failed, state.rest) = (None, None, None, None);
        self.plan_to_ask(&state.credential);
        drop(state);
        self.log.info(None, || "the application supplied a new token".into());
        self.has_changed();
        Ok(())
    }

    /// Asks the application for a new token if its own expires soon. One comparison: cheap enough for every frame.
    pub(crate) fn ask_application_if_due(&self, now: Instant) {
        let ask_at = self.ask_at.load(Ordering::Relaxed);
        if ask_at != u64::MAX && now.since_beginning().as_millis() >= u128::from(ask_at) {
            self.ask();
        }
    }

    fn plan_to_ask(&self, credential: &Credential) {
        let text = match credential {
            Credential::AccountKey(_) => None,
            Credential::EntraToken(text) | Credential::AccessToken(text) => Some(text),
        };
        // Only the device's clock is available here. Asking too early does no harm, and a refusal also asks.
        let ends = text.filter(|_| self.on_request).and_then(|text| expiry(text.expose()).ok());
        let ask_at = ends.map_or(u64::MAX, |ends| {
            let lifetime = ends.saturating_sub(self.clock.unix_time());
            let ask_at = self.clock.now() + lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 5));
            milliseconds(ask_at.since_beginning())
        });
        self.ask_at.store(ask_at, Ordering::Relaxed);
    }

    /// When [`TokenCache::ask_application_if_due`] next has something to do.
    pub(crate) fn asks_at(&self) -> Instant {
        match self.ask_at.load(Ordering::Relaxed) {
            u64::MAX => Instant::NEVER,
            moment => Instant::from_elapsed(Duration::from_millis(moment)),
        }
    }

    fn ask(&self) {
        self.ask_at.store(u64::MAX, Ordering::Relaxed);
        (self.ask)();
    }

    fn has_changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.changed.notify();
    }

    /// Marks the application's token as unusable, for this reason. Returns whether to wait for another.
    fn starve(&self, state: &mut CacheState, why: &Error) -> bool {
        if !self.on_request {
            return false;
        }
        if state.starved.is_none() {
            let message = format!("{why}; the application was asked for a new token and did not supply one in time");
            state.starved = Some(why.clone().recast(ErrorKind::Unauthorized, message));
            self.ask();
        }
        true
    }

    /// Changes whenever calls that wait for a token should check again.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether an exchange is in flight. If not, only the application or time can provide a token.
    pub(crate) fn is_fetching(&self) -> bool {
        lock(&self.state).running.is_some()
    }

    /// Whether there was a token that can no longer be used.
    pub(crate) fn has_run_out(&self, now: Instant) -> bool {
        lock(&self.state).token.as_ref().is_some_and(|token| now >= token.use_until)
    }

    /// Returns a token or the next step towards one. `waited` is the exchange that the caller waited for, if any.
    pub(crate) fn acquire(self: &Arc<Self>, now: Instant, waited: Option<Waited>) -> Result<Acquired> {
        let mut state = lock(&self.state);
        let usable = state.token.as_ref().filter(|token| now < token.use_until);
        let resting = state.rest.as_ref().filter(|(until, _)| now < *until);
        if let (None, Some(why)) = (usable, &state.starved) {
            return Ok(Acquired::Starved(why.clone()));
        }
        if let Some(token) = usable {
            // While the application's token is unusable, an exchange cannot succeed.
            let no_use = state.running.is_some() || resting.is_some() || state.starved.is_some();
            if now < token.refresh_at || no_use {
                return Ok(Acquired::Token(token.issue()));
            }
        } else if let Some(number) = state.running {
            return Ok(Acquired::Wait(Waited { number, own: false }));
        } else if let Some((number, error)) = &state.failed
            && waited
                .is_some_and(|waited| waited.number == *number && (waited.own || error.kind() != ErrorKind::Timeout))
        {
            // A timeout may be specific to the call that ran the exchange; calls that waited for it have time left.
            return Err(error.clone());
        } else if let Some((until, error)) = resting {
            return Ok(Acquired::Rest(*until, error.clone()));
        }
        let usable = usable.is_some();
        state.latest += 1;
        state.running = Some(state.latest);
        Ok(Acquired::Fetch(Box::new(Exchange {
            request: token_service::token(
                &self.token_service,
                &self.account_id,
                &state.credential,
                correlation_vector(),
            ),
            ahead: usable,
            cache: Arc::clone(self),
            number: state.latest,
        })))
    }

    /// Discards a token that the service refused, unless another call has already replaced it. Returns whether retrying
    /// can yield another token; it cannot if the application supplied the access token and does not replace it on
    /// request.
    pub(crate) fn refused(&self, issued: &IssuedToken) -> bool {
        let mut state = lock(&self.state);
        if matches!(state.credential, Credential::AccessToken(_)) {
            if state.token.as_ref().is_some_and(|token| token.exchange != issued.exchange) {
                return true;
            }
            let why = Error::new(ErrorKind::Unauthorized, "the access token was refused");
            let waits = self.starve(&mut state, &why);
            if waits {
                state.token = None;
            }
            return waits;
        }
        if state.token.as_ref().is_some_and(|token| token.exchange == issued.exchange) {
            state.token = None;
            self.log.info(None, || "the service refused the access token; fetching a new one".into());
        }
        true
    }

    /// Sends no requests to the token service before `until`, because of this failure. If another call has already
    /// chosen an instant, that one stands. Returns the one in effect.
    pub(crate) fn rest_until(&self, now: Instant, until: Instant, why: &Error) -> Instant {
        let mut state = lock(&self.state);
        if let Some((chosen, _)) = state.rest.as_ref().filter(|(chosen, _)| now < *chosen) {
            return *chosen;
        }
        state.rest = Some((until, why.clone()));
        until
    }

    /// What a 401 to a session request means, and what to do about it. `renewed`: a new token was refused too.
    pub(crate) fn refusal(&self, renewed: bool) -> &'static str {
        match &lock(&self.state).credential {
            _ if renewed => {
                "the access token was refused, and so was a new one; check that `service_endpoint` belongs to the same \
                 service as `account_domain`"
            }
            credential => credential.refused(),
        }
    }

    fn finish(&self, number: u64, outcome: std::result::Result<Token, Option<Error>>) {
        let mut state = lock(&self.state);
        if state.running != Some(number) {
            return;
        }
        state.running = None;
        match outcome {
            Ok(token) => {
                let lifetime = token.expires.map(|expires| expires.saturating_since(self.clock.now()).as_secs());
                self.log.info(None, || format!("a new access token, good for {} s", lifetime.unwrap_or_default()));
                state.token = Some(token);
            }
            Err(error) => {
                if let Some(old) = &mut state.token {
                    old.refresh_at = self.clock.now() + REFRESH_PAUSE;
                }
                if let Some(error) = &error {
                    self.log.warning(error.correlation_vector(), || error.message().to_owned());
                }
                // A returned job is not a failure, and must not hide an earlier failure from the calls that waited for
                // it.
                if let Some(error) = error {
                    let refused = error.kind() == ErrorKind::Unauthorized;
                    if refused && matches!(state.credential, Credential::EntraToken(_)) {
                        self.starve(&mut state, &error);
                    }
                    if let Some(pause) = error.honoured_retry_after() {
                        state.rest = Some((self.clock.now() + pause, error.clone()));
                    }
                    state.failed = Some((number, error));
                }
            }
        }
        drop(state);
        self.has_changed();
    }

    /// Reads the reply to an exchange.
    fn read(&self, reply: &Reply, number: u64) -> Result<Token> {
        let credential = lock(&self.state).credential.clone();
        let text = token_service::read_token(reply, &credential)?;
        let expires = expiry(text.expose()).map_err(|what| {
            let message =
                format!("the token service replied with an invalid access token: {what}; check `account_domain`");
            Error::new(ErrorKind::InvalidToken, message).with_reply(reply.facts())
        })?;
        // Uses only the service's clock: a device's clock may be years off.
        let issued = reply.date().unwrap_or_else(|| self.clock.unix_time());
        let lifetime = expires.saturating_sub(issued);
        if lifetime.is_zero() {
            let whose = match reply.date() {
                Some(_) => "by the date of the same reply; the token service's clock is wrong".to_owned(),
                None => format!(
                    "by this machine's clock ({}), as the reply has no date; check the clock",
                    httpdate::fmt_http_date(std::time::UNIX_EPOCH + issued)
                ),
            };
            let message = format!("the token service replied with a token that has already expired {whose}");
            return Err(Error::new(ErrorKind::InvalidToken, message).with_reply(reply.facts()));
        }
        let now = self.clock.now();
        Ok(Token {
            text,
            expires: Some(now + lifetime),
            use_until: now + lifetime.saturating_sub(LAST_USE.min(lifetime / 10)),
            refresh_at: now + lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 5)),
            exchange: number,
        })
    }
}

impl Token {
    /// The access token in the credential, if it holds one.
    fn of(credential: &Credential, clock: &dyn Clock) -> Option<Token> {
        match credential {
            Credential::AccessToken(text) => Some(Token::given(text, clock)),
            Credential::AccountKey(_) | Credential::EntraToken(_) => None,
        }
    }

    /// An access token that the application supplied. Its expiry can only be checked against the device's clock, which
    /// may be wrong, so it is used until the service refuses it.
    fn given(text: &Secret, clock: &dyn Clock) -> Token {
        let lifetime = expiry(text.expose()).ok().map(|expires| expires.saturating_sub(clock.unix_time()));
        let never = clock.now() + Duration::MAX;
        Token {
            text: text.clone(),
            expires: lifetime.map(|lifetime| clock.now() + lifetime),
            use_until: never,
            refresh_at: never,
            exchange: 0,
        }
    }

    fn issue(&self) -> IssuedToken {
        IssuedToken { text: self.text.clone(), expires: self.expires, exchange: self.exchange }
    }
}

/// Our own correlation vector, which the official clients also send. The service's operators find the request by it.
fn correlation_vector() -> String {
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(Uuid::new_v4().as_bytes())
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.cache.finish(self.number, Err(None));
    }
}

#[cfg(test)]
mod tests;
