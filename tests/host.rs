//! What the application tells the client: that it is suspended, that it is back, and a new token.

mod support;

use arr_emulator::{Config, Fault, SessionStatus as Emulated};
use arr_session::{
    ClientConfig, Credential, ErrorKind, EventKind, OnSuspend, OperationState, SessionStatus, WatchOptions,
};
use std::time::Duration;
use support::paced::Lab;
use support::wire::{TOKEN, Wire, in_both_versions};
use support::{HOUR, SECOND, config_for};

in_both_versions![
    each_session_is_left_extended_or_stopped_when_the_application_is_suspended,
    a_service_that_is_silent_does_not_hold_up_a_suspension,
    a_token_is_asked_for_before_it_runs_out,
    a_call_whose_token_was_refused_waits_for_the_new_one,
    without_a_new_token_a_call_fails_in_its_time_and_says_why,
    who_gives_no_tokens_is_not_waited_for,
    an_entra_token_that_was_refused_is_asked_for_too,
];

const MINUTE: Duration = Duration::from_secs(60);

fn suspended_by(lab: &Lab, on_suspend: OnSuspend) -> arr_session::Session {
    let session = lab.ready(HOUR);
    session.watch(WatchOptions { on_suspend, ..WatchOptions::default() }, 1.into()).unwrap();
    session
}

fn each_session_is_left_extended_or_stopped_when_the_application_is_suspended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let left = suspended_by(&lab, OnSuspend::Leave);
    let long_enough = suspended_by(&lab, OnSuspend::Extend(30 * MINUTE));
    let extended = suspended_by(&lab, OnSuspend::Extend(2 * HOUR));
    let stopped = suspended_by(&lab, OnSuspend::Stop);
    lab.clock.pass(10 * MINUTE);
    lab.requests();
    lab.client.suspend(MINUTE).unwrap();
    let mut asked = lab.requests();
    asked.sort();
    let mut expected = vec![wire.update, wire.stop];
    expected.sort_unstable();
    assert_eq!(asked, expected, "each once");
    let least = 2 * HOUR + 10 * MINUTE;
    let granted = extended.snapshot().max_lease.unwrap();
    assert!(
        (least..=least + MINUTE).contains(&granted),
        "two hours are left, and no more than is cut off: {granted:?}"
    );
    let lease = |session: &arr_session::Session| session.snapshot().max_lease;
    assert_eq!((lease(&left), lease(&long_enough)), (Some(HOUR), Some(HOUR)));
    // Nothing is asked from here on, and nothing is told, as nobody looks.
    lab.events();
    lab.clock.pass(20 * SECOND);
    assert_eq!((lab.requests(), lab.told()), (Vec::new(), Vec::new()));
    lab.client.resume().unwrap();
    lab.clock.settle();
    assert!(lab.told().contains(&EventKind::Resumed));
    assert!(lab.requests().contains(&wire.list.to_owned()));
    assert_eq!(stopped.snapshot().status, SessionStatus::Stopped);
    let running = lab.emulator.sessions().iter().filter(|session| session.status == Emulated::Ready).count();
    assert_eq!(running, 3);
}

fn a_service_that_is_silent_does_not_hold_up_a_suspension(wire: &Wire) {
    // By the machine's own clock: it is about real time.
    let emulator = arr_emulator::Emulator::start(Config { startup: Duration::ZERO, ..Config::default() }).unwrap();
    let config = ClientConfig { attempt_timeout: SECOND, call_timeout: SECOND, ..wire.config() };
    let client = arr_session::Client::new(config_for(&emulator, config)).unwrap();
    let session = client.create_session(&support::an_hour(), None).unwrap();
    session.watch(WatchOptions { on_suspend: OnSuspend::Stop, ..WatchOptions::default() }, 1.into()).unwrap();
    emulator
        .add_faults([Fault::on("DELETE", "**").stall().always(), Fault::on("POST", "**").stall().always()])
        .unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(client.suspend(SECOND / 5).unwrap_err().kind(), ErrorKind::Timeout);
    let took = begun.elapsed();
    assert!(took < SECOND / 2, "{took:?}");
}

/// A client with an access token that lives for a day.
fn with_access_token(wire: &Wire, token_on_request: bool) -> Lab {
    let config = wire.config();
    Lab::with(Config { startup: Duration::ZERO, ..Config::default() }, |emulator| ClientConfig {
        credential: Credential::AccessToken(emulator.access_token().into()),
        token_on_request,
        ..config_for(emulator, config)
    })
}

fn a_token_is_asked_for_before_it_runs_out(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.client.list_sessions(None).unwrap();
    assert_eq!(asked_at(&lab), [24 * HOUR - 5 * MINUTE], "once, five minutes before");
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.client.list_sessions(None).unwrap();
    assert_eq!(asked_at(&lab), [24 * HOUR - 5 * MINUTE], "and so for the next one");
    assert!(!lab.requests().contains(&TOKEN.to_owned()), "the token service is never asked");
}

/// When, in a day from now, a new token was asked for. Nothing was started, so no thread of the client needs to follow.
fn asked_at(lab: &Lab) -> Vec<Duration> {
    let mut asked = Vec::new();
    for minute in 1..=24 * 60 {
        lab.clock.jump(MINUTE);
        asked.extend(lab.told().iter().filter(|kind| **kind == EventKind::TokenNeeded).map(|_| minute * MINUTE));
    }
    asked
}

fn a_call_whose_token_was_refused_waits_for_the_new_one(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(25 * HOUR);
    let listing = lab.client.list_sessions_start(None, 5.into()).unwrap();
    // It is refused, and waits: for the application, not for the network.
    while lab.requests().is_empty() {
        std::thread::yield_now();
    }
    lab.clock.settle();
    assert_eq!(listing.state(), OperationState::Running);
    assert!(lab.told().contains(&EventKind::TokenNeeded));
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    assert_eq!(listing.wait(MINUTE), OperationState::Succeeded);
}

fn without_a_new_token_a_call_fails_in_its_time_and_says_why(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(25 * HOUR);
    let listing = lab.client.list_sessions_start(Some(10 * SECOND), 5.into()).unwrap();
    while lab.requests().is_empty() {
        std::thread::yield_now();
    }
    lab.clock.pass(11 * SECOND);
    let error = listing.outcome().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("asked for a new token"), "{error}");
}

fn who_gives_no_tokens_is_not_waited_for(wire: &Wire) {
    let lab = with_access_token(wire, false);
    lab.clock.jump(25 * HOUR);
    assert_eq!(lab.client.list_sessions(None).unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(lab.told(), []);
    // A new one is taken all the same; but not where a key needs none.
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.client.list_sessions(None).unwrap();
    let keyed = Lab::with_startup(wire, Duration::ZERO);
    assert_eq!(keyed.client.set_token("a.b.c").unwrap_err().kind(), ErrorKind::InvalidArgument);
}

fn an_entra_token_that_was_refused_is_asked_for_too(wire: &Wire) {
    let config = wire.config();
    let lab = Lab::with(Config { startup: Duration::ZERO, ..Config::default() }, |emulator| ClientConfig {
        credential: Credential::EntraToken(emulator.entra_token(HOUR).into()),
        token_on_request: true,
        ..config_for(emulator, config)
    });
    lab.clock.jump(2 * HOUR);
    let listing = lab.client.list_sessions_start(None, 5.into()).unwrap();
    while lab.requests().is_empty() {
        std::thread::yield_now();
    }
    lab.clock.settle();
    assert!(lab.told().contains(&EventKind::TokenNeeded));
    lab.client.set_token(lab.emulator.entra_token(HOUR)).unwrap();
    assert_eq!(listing.wait(MINUTE), OperationState::Succeeded);
}
