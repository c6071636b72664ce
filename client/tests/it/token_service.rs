//! Fetching tokens: when, how often, and what happens while there is none.

use crate::support::paced::Paced;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::started::LONG;
use crate::support::wire::{TOKEN, V1, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{Client, ClientConfig, Credential, ErrorKind};
use arr_service::VirtualClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

in_both_versions![
    a_failing_token_service_is_retried,
    eight_threads_that_need_a_token_cause_one_exchange,
    a_stop_does_not_wait_for_an_early_token_refresh,
    calls_that_failed_together_for_a_token_retry_together,
    later_calls_respect_the_token_services_pause,
    a_reply_without_a_token_is_described,
    an_expired_token_names_the_clock_that_says_so,
];

fn a_failing_token_service_is_retried(wire: &'static Wire) {
    for (bad, pause) in [
        (reply("503 Service Unavailable", "Retry-After: 3\r\n", ""), 3 * SECOND),
        (reply("429 Too Many Requests", "Retry-After: 5\r\n", ""), 5 * SECOND),
    ] {
        let clock = VirtualClock::new();
        let server = Scripted::with_tokens(bad, |line| Act::Answer(wire.good(line)));
        let client = server.client_on(&clock, wire.config());
        let error = client.list_sessions().timeout(pause * 2).run().unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(server.seen(), [TOKEN, TOKEN], "a third attempt would be too late");
        assert_eq!(clock.now(), pause);
    }
}

fn eight_threads_that_need_a_token_cause_one_exchange(wire: &'static Wire) {
    let server = Scripted::by(|line| Act::Answer(wire.good(line)));
    let client = server.client(wire.config());
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                client.list_sessions().run().unwrap();
            });
        }
    });
    let seen = server.seen();
    assert_eq!(seen.iter().filter(|line| *line == TOKEN).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|line| *line == wire.list).count(), 8);
}

const DATE: &str = "Date: Tue, 06 May 2025 09:30:00 GMT\r\n";
const NOW: u64 = 1_746_523_800;

/// A token that expires in this many seconds, by the clock of the reply.
fn token_for(seconds: u64) -> String {
    token_until(DATE, NOW + seconds)
}

fn token_until(headers: &str, exp: u64) -> String {
    use base64::Engine as _;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#));
    reply("200 OK", headers, &format!(r#"{{"AccessToken":"h.{payload}.s"}}"#))
}

fn a_reply_without_a_token_is_described(wire: &'static Wire) {
    for (body, fact) in [
        ("<!DOCTYPE html><html>SECRET", "HTML"),
        ("", "empty body"),
        ("SECRET", "not a JSON object"),
        (r#""SECRET""#, "not a JSON object"),
        (r#"{"AccessToken":"SECRET"#, "malformed JSON"),
        (r#"{"AccessToken":null}"#, "null"),
        (r#"{"accessToken":"SECRET"}"#, "missing"),
        (r#"{"AccessToken":""}"#, "empty"),
        (r#"{"AccessToken":["SECRET"]}"#, "not text"),
        (r#"{"AccessToken":"SEC RET"}"#, "characters"),
        (r#"{"AccessToken":"SECRET"}"#, "three parts"),
    ] {
        let server = Scripted::with_tokens(reply("200 OK", "", body), |line| Act::Answer(wire.good(line)));
        let error = server.client(wire.config()).list_sessions().run().unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::InvalidToken, Some(200)), "{error}");
        assert!(error.message().contains(fact) && !format!("{error:?}").contains("SEC"), "{body}: {error}");
        assert_eq!(server.seen(), [TOKEN]);
    }
}

fn an_expired_token_names_the_clock_that_says_so(wire: &'static Wire) {
    for (date, fact) in
        [(DATE, "the token service's clock"), ("", "this machine's clock"), ("Date: now\r\n", "check the clock")]
    {
        let clock = VirtualClock::new();
        // It expired years ago by the device's clock, and a second ago by the service's.
        let server = Scripted::with_tokens(token_until(date, NOW - 1), |line| Act::Answer(wire.good(line)));
        clock.advance(Duration::from_secs((NOW + 1_000_000_000).saturating_sub(clock.unix_time().as_secs())));
        let error = server.client_on(&clock, wire.config()).list_sessions().run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidToken);
        assert!(error.message().contains(fact), "{error}");
        let says = httpdate::fmt_http_date(std::time::UNIX_EPOCH + clock.unix_time());
        assert_eq!(error.message().contains(&says), date != DATE, "{error}");
    }
}

#[test]
fn an_expiry_in_milliseconds_is_recognised() {
    for exp in [NOW + 3_600, (NOW + 3_600) * 1_000, (NOW + 3_600) * 1_000_000 + 1] {
        let server = Scripted::with_tokens(token_until(DATE, exp), |line| Act::Answer(V1.good(line)));
        let token = server.client_on(&VirtualClock::new(), V1.config()).access_token().run().unwrap();
        assert_eq!(token.remaining, Some(HOUR), "{exp}");
    }
}

#[test]
fn an_expired_token_differs_from_one_without_an_expiry() {
    let server = Scripted::by(|line| Act::Answer(V1.good(line)));
    for (token, remaining) in [("h.eyJleHAiOjF9.s", Some(Duration::ZERO)), ("h.e30.s", None), ("opaque", None)] {
        let config = ClientConfig {
            account_id: "68321d5a-7978-4ceb-b880-0f49751daae9".into(),
            credential: Credential::AccessToken(token.into()),
            account_domain: server.url.clone(),
            service_endpoint: server.url.clone(),
            ..V1.config()
        };
        let client = Client::new(config).unwrap();
        assert_eq!(client.access_token().run().unwrap().remaining, remaining);
        client.list_sessions().run().unwrap();
    }
}

fn a_stop_does_not_wait_for_an_early_token_refresh(wire: &'static Wire) {
    let tokens = AtomicUsize::new(0);
    let server = Scripted::deciding_tokens(
        move || match tokens.fetch_add(1, Ordering::SeqCst) {
            0 => Act::Answer(token_for(3_600)),
            _ => Act::Silence,
        },
        |line| Act::Answer(wire.good(line)),
    );
    let clock = VirtualClock::new();
    let client = server.client_on(&clock, ClientConfig { attempt_timeout: 10 * LONG, ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    clock.advance(HOUR - 240 * SECOND);
    let before = std::time::Instant::now();
    session.stop().run().unwrap();
    assert!(before.elapsed() < LONG, "{:?}", before.elapsed());
}

fn calls_that_failed_together_for_a_token_retry_together(wire: &'static Wire) {
    let clock = Arc::new(Paced::default());
    let (held, tokens) = (Arc::clone(&clock), AtomicUsize::new(0));
    let server = Scripted::deciding_tokens(
        move || {
            // One call has sent the request, and the seven others wait for its result.
            held.until_others_wait(7);
            Act::Answer(match tokens.fetch_add(1, Ordering::SeqCst) {
                0..2 => reply("503 Service Unavailable", "Retry-After: 7\r\n", ""),
                _ => reply("403 Forbidden", "", ""),
            })
        },
        |line| Act::Answer(wire.good(line)),
    );
    let client = server.client_with_clock(clock.clone(), wire.config());
    std::thread::scope(|scope| {
        let calling: Vec<_> = (0..8).map(|_| scope.spawn(|| client.list_sessions().run())).collect();
        for pause in 1..=2 {
            clock.until_others_wait_until(8, pause * 7 * SECOND);
            clock.jump(7 * SECOND);
        }
        for thread in calling {
            assert_eq!(thread.join().unwrap().unwrap_err().kind(), ErrorKind::Forbidden);
        }
    });
    assert_eq!(server.seen(), [TOKEN; 3], "one request for all each time");
}

fn later_calls_respect_the_token_services_pause(wire: &'static Wire) {
    let server = Scripted::with_tokens(reply("429 Too Many Requests", "Retry-After: 90\r\n", ""), |_| Act::Close);
    let clock = VirtualClock::new();
    let client = server.client_on(&clock, wire.config());
    for _ in 0..3 {
        assert_eq!(client.list_sessions().timeout(60 * SECOND).run().unwrap_err().kind(), ErrorKind::Throttled);
    }
    assert_eq!((server.seen().len(), clock.now()), (1, Duration::ZERO));
}

/// A create that must not be sent twice is not sent with too little time left for its reply.
#[test]
fn a_create_that_waited_too_long_for_its_token_is_not_sent() {
    let clock = VirtualClock::new();
    let (slow, tokens) = (clock.clone(), token_for(86_400));
    let server = Scripted::deciding_tokens(
        move || {
            slow.advance(Duration::from_millis(19_900));
            Act::Answer(tokens.clone())
        },
        |line| Act::Answer(V1.good(line)),
    );
    let client = server.client_on(&clock, V1.config());
    let error = client.create_session(&an_hour()).timeout(20 * SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Timeout, false), "{error}");
    assert_eq!(server.seen(), [TOKEN]);
}
