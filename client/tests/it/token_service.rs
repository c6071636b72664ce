//! Tokens that are fetched: when, how often, and what happens while there is none.

use crate::support::paced::Paced;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::started::LONG;
use crate::support::wire::{TOKEN, V1, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{ClientConfig, ErrorKind};
use arr_service::VirtualClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

in_both_versions![
    a_token_service_in_trouble_is_asked_again,
    eight_threads_that_need_a_token_cause_one_exchange,
    a_stop_does_not_wait_for_a_token_that_is_only_fetched_ahead_of_time,
    who_failed_together_for_want_of_a_token_comes_back_together,
    a_token_service_that_asked_for_a_pause_is_left_alone_by_later_calls,
];

fn a_token_service_in_trouble_is_asked_again(wire: &'static Wire) {
    for (bad, pause) in [
        (reply("503 Service Unavailable", "Retry-After: 3\r\n", ""), 3 * SECOND),
        (reply("429 Too Many Requests", "Retry-After: 5\r\n", ""), 5 * SECOND),
    ] {
        let clock = VirtualClock::new();
        let server = Scripted::with_tokens(bad, |line| Act::Answer(wire.good(line)));
        let client = server.client_on(&clock, wire.config());
        let error = client.list_sessions().timeout(pause * 2).run().unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(server.seen(), [TOKEN, TOKEN], "a third would come too late");
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

/// A token that expires in so many seconds, by the clock of the reply.
fn token_for(seconds: u64) -> String {
    use base64::Engine as _;
    let date = "Date: Tue, 06 May 2025 09:30:00 GMT\r\n";
    let payload = format!(r#"{{"exp":{}}}"#, 1_746_523_800 + seconds);
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
    reply("200 OK", date, &format!(r#"{{"AccessToken":"h.{payload}.s"}}"#))
}

fn a_stop_does_not_wait_for_a_token_that_is_only_fetched_ahead_of_time(wire: &'static Wire) {
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

fn who_failed_together_for_want_of_a_token_comes_back_together(wire: &'static Wire) {
    let clock = Arc::new(Paced::default());
    let (held, tokens) = (Arc::clone(&clock), AtomicUsize::new(0));
    let server = Scripted::deciding_tokens(
        move || {
            // One has asked, and the seven others wait for the same.
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
    assert_eq!(server.seen(), [TOKEN; 3], "each time one asks for all");
}

fn a_token_service_that_asked_for_a_pause_is_left_alone_by_later_calls(wire: &'static Wire) {
    let server = Scripted::with_tokens(reply("429 Too Many Requests", "Retry-After: 90\r\n", ""), |_| Act::Close);
    let clock = VirtualClock::new();
    let client = server.client_on(&clock, wire.config());
    for _ in 0..3 {
        assert_eq!(client.list_sessions().timeout(60 * SECOND).run().unwrap_err().kind(), ErrorKind::Throttled);
    }
    assert_eq!((server.seen().len(), clock.now()), (1, Duration::ZERO));
}

/// A create that must not be sent twice is not sent with no time left for its answer.
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
