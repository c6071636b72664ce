//! Tests of the token cache alone, with a settable clock and invented replies.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

const DAY: Duration = Duration::from_secs(86_400);

/// A clock that a test sets.
#[derive(Debug, Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_elapsed(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
    fn unix_time(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: &Signal, _: u64, _: Instant) {}
}

struct Fixture {
    clock: Arc<SetClock>,
    cache: Arc<TokenCache>,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(Credential::AccountKey("key=".into()))
    }

    fn with(credential: Credential) -> Fixture {
        let config = crate::config::ClientConfig { credential, ..crate::config::tests::config() };
        let settings = config.check().unwrap();
        let clock = Arc::new(SetClock::default());
        let log = Arc::new(Log::new(crate::log::LogLevel::Debug, clock.clone()));
        let from = TokenSource {
            token_service: settings.token_service,
            account_id: settings.account_id,
            credential: settings.credential,
            on_request: false,
        };
        let cache = TokenCache::new(from, clock.clone(), Arc::default(), || (), log);
        Fixture { clock, cache }
    }

    fn acquire(&self) -> Acquired {
        self.cache.acquire(self.clock.now(), None).unwrap()
    }

    fn exchange(&self) -> Exchange {
        match self.acquire() {
            Acquired::Fetch(exchange) => *exchange,
            other => panic!("expected the job to fetch a token, got {other:?}"),
        }
    }

    fn token(&self) -> IssuedToken {
        match self.acquire() {
            Acquired::Token(issued) => issued,
            other => panic!("expected a token, got {other:?}"),
        }
    }

    fn at(&self, time: Duration) {
        self.clock.0.store(time.as_secs(), Ordering::Relaxed);
    }
}

/// A reply with a token valid for `lifetime`. The service's clock says 2019, regardless of the device's.
fn good_for(lifetime: Duration) -> Reply {
    let date = "Thu, 09 May 2019 16:17:50 GMT";
    let issued = httpdate::parse_http_date(date).unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    let payload = format!(r#"{{"exp":{}}}"#, (issued + lifetime).as_secs());
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
    let body = format!(r#"{{"AccessToken":"h.{payload}.s"}}"#).into_bytes();
    Reply { status: 200, date: Some(date.into()), body: body.into(), ..Reply::default() }
}

#[test]
fn a_token_is_fetched_once_and_expires_by_the_services_clock() {
    let it = Fixture::new();
    it.exchange().complete(Ok(good_for(DAY)));
    it.at(DAY - REFRESH_AHEAD - Duration::from_secs(1));
    it.token();
    it.at(DAY - REFRESH_AHEAD);
    let _exchange = it.exchange();
}

#[test]
fn during_an_exchange_calls_use_the_old_token_or_wait() {
    let it = Fixture::new();
    let first = it.exchange();
    assert!(matches!(it.acquire(), Acquired::Wait(Waited { number: 1, own: false })));
    first.complete(Ok(good_for(DAY)));
    it.at(DAY - REFRESH_AHEAD);
    let _refresh = it.exchange();
    it.token();
    it.at(DAY - LAST_USE);
    assert!(matches!(it.acquire(), Acquired::Wait(Waited { number: 2, .. })), "too close to its expiry to be used");
}

#[test]
fn waiting_calls_share_the_failure_and_a_later_call_retries() {
    let it = Fixture::new();
    let first = it.exchange();
    let Acquired::Wait(number) = it.acquire() else { panic!() };
    let own = first.waited();
    first.complete(Ok(Reply { status: 401, ..Reply::default() }));
    for waited in [own, number] {
        assert_eq!(it.cache.acquire(it.clock.now(), Some(waited)).unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    let _again = it.exchange();
}

#[test]
fn one_calls_timeout_does_not_fail_the_others() {
    let it = Fixture::new();
    let first = it.exchange();
    let Acquired::Wait(number) = it.acquire() else { panic!() };
    let own = first.waited();
    first.complete(Err(Error::new(ErrorKind::Timeout, "250 ms")));
    assert_eq!(it.cache.acquire(it.clock.now(), Some(own)).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(matches!(it.cache.acquire(it.clock.now(), Some(number)), Ok(Acquired::Fetch(..))));
}

#[test]
fn a_pause_that_the_token_service_asked_for_applies_to_all_calls() {
    let it = Fixture::new();
    it.exchange().complete(Ok(Reply { status: 429, retry_after: Some("90".into()), ..Reply::default() }));
    it.at(Duration::from_secs(89));
    let Acquired::Rest(until, error) = it.acquire() else { panic!("no request is allowed yet") };
    assert_eq!((until, error.kind()), (Instant::from_elapsed(Duration::from_secs(90)), ErrorKind::Throttled));
    it.at(Duration::from_secs(90));
    it.exchange().complete(Ok(good_for(DAY)));

    // Nor for an early refresh, while the old token is valid.
    let ahead = DAY - REFRESH_AHEAD + Duration::from_secs(90);
    it.at(ahead);
    it.exchange().complete(Ok(Reply { status: 503, retry_after: Some("60".into()), ..Reply::default() }));
    it.at(ahead + Duration::from_secs(59));
    it.token();
    it.at(ahead + Duration::from_secs(60));
    let _exchange = it.exchange();
}

#[test]
fn calls_that_failed_together_retry_together() {
    let it = Fixture::new();
    let error = Error::new(ErrorKind::Network, "down");
    let at = |seconds| Instant::from_elapsed(Duration::from_secs(seconds));
    assert_eq!(it.cache.rest_until(at(0), at(3), &error), at(3));
    assert_eq!(it.cache.rest_until(at(0), at(2), &error), at(3));
    assert!(matches!(it.acquire(), Acquired::Rest(..)));
}

#[test]
fn a_returned_exchange_does_not_hide_an_earlier_failure() {
    let it = Fixture::new();
    let first = it.exchange();
    let own = first.waited();
    first.complete(Ok(Reply { status: 401, ..Reply::default() }));
    drop(it.exchange());
    assert_eq!(it.cache.acquire(it.clock.now(), Some(own)).unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[test]
fn a_failed_refresh_leaves_the_old_token_in_use_and_pauses() {
    let it = Fixture::new();
    it.exchange().complete(Ok(good_for(DAY)));
    it.at(DAY - REFRESH_AHEAD);
    it.exchange().complete(Err(Error::new(ErrorKind::Network, "down")));
    it.token();
    it.at(DAY - REFRESH_AHEAD + REFRESH_PAUSE);
    let _again = it.exchange();
}

#[test]
fn a_dropped_exchange_goes_to_the_next_call() {
    let it = Fixture::new();
    drop(it.exchange());
    let _next = it.exchange();
}

#[test]
fn only_the_refused_token_is_forgotten() {
    let it = Fixture::new();
    it.exchange().complete(Ok(good_for(DAY)));
    let old = it.token();
    it.cache.refused(&old);
    it.exchange().complete(Ok(good_for(DAY)));
    it.cache.refused(&old);
    it.token();
}

#[test]
fn a_short_lived_token_is_used_for_most_of_its_time() {
    let it = Fixture::new();
    it.exchange().complete(Ok(good_for(Duration::from_secs(20))));
    it.at(Duration::from_secs(15));
    it.token();
}

#[test]
fn each_exchange_has_its_own_correlation_vector() {
    let it = Fixture::new();
    let vectors: Vec<String> = (0..2).map(|_| it.exchange().request.correlation_vector.clone().unwrap()).collect();
    assert!(vectors.iter().all(|vector| vector.len() == 22), "{vectors:?}");
    assert_ne!(vectors[0], vectors[1]);
}

#[test]
fn an_applications_token_is_used_until_the_service_refuses_it() {
    let it = Fixture::with(Credential::AccessToken("h.eyJleHAiOjEwMDB9.s".into()));
    let issued = it.token();
    assert_eq!(issued.text.expose(), "h.eyJleHAiOjEwMDB9.s");
    assert_eq!(issued.expires, Some(Instant::from_elapsed(Duration::from_secs(1_000))));
    it.at(DAY * 100);
    let issued = it.token();
    assert!(!it.cache.refused(&issued), "there is no source of another");
    it.token();
    let odd = Fixture::with(Credential::AccessToken("opaque".into()));
    assert_eq!(odd.token().expires, None);
}

#[test]
fn an_entra_token_is_exchanged_and_its_refusal_names_it() {
    let it = Fixture::with(Credential::EntraToken("entra.to.ken".into()));
    let exchange = it.exchange();
    assert_eq!(exchange.request.bearer.expose(), "entra.to.ken");
    let own = exchange.waited();
    exchange.complete(Ok(Reply { status: 401, ..Reply::default() }));
    let error = it.cache.acquire(it.clock.now(), Some(own)).unwrap_err();
    assert!(error.message().contains("Microsoft Entra token was refused"), "{error}");
}

#[test]
fn a_fetched_token_that_has_expired_is_refused() {
    let it = Fixture::new();
    let exchange = it.exchange();
    let own = exchange.waited();
    exchange.complete(Ok(good_for(Duration::ZERO)));
    assert_eq!(it.cache.acquire(it.clock.now(), Some(own)).unwrap_err().kind(), ErrorKind::InvalidToken);
}
