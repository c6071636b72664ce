//! Tokens from the application: the client requests a new one in time, and calls wait for it.

use crate::support::paced::Lab;
use crate::support::wire::{TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, config_for};
use arr_client::{ClientConfig, Credential, ErrorKind, Event, EventKind, OperationState, SessionStatus, WatchOptions};
use arr_service::{Config, Emulator, Fault};
use std::time::Duration;

in_both_versions![
    an_entra_token_is_requested_once_five_minutes_before_it_expires,
    an_access_token_is_requested_once_five_minutes_before_it_expires,
    an_application_that_waits_for_events_is_asked_for_a_token_in_time,
    a_started_operation_with_a_refused_token_waits_for_the_new_one,
    a_blocking_call_with_a_refused_token_waits_for_the_new_one,
    a_call_without_a_new_token_in_time_says_so,
    calls_refused_together_request_one_token,
    a_refused_entra_token_is_requested_again_and_not_retried,
    watching_continues_with_the_new_token,
    without_token_on_request_calls_fail_at_once,
    an_invalid_new_token_is_refused,
    a_client_with_an_account_key_requests_no_token,
];

const MINUTE: Duration = Duration::from_secs(60);

/// The application supplies access tokens.
fn with_access_token(wire: &Wire, token_on_request: bool) -> Lab {
    with(wire, token_on_request, HOUR, |emulator| Credential::AccessToken(emulator.access_token().into()))
}

fn with_entra_token(wire: &Wire, lifetime: Duration, access_lifetime: Duration) -> Lab {
    with(wire, true, access_lifetime, |emulator| Credential::EntraToken(emulator.entra_token(lifetime).into()))
}

fn with(
    wire: &Wire,
    token_on_request: bool,
    token_lifetime: Duration,
    credential: impl FnOnce(&Emulator) -> Credential,
) -> Lab {
    let config = Config { startup: Duration::ZERO, token_lifetime, ..Config::default() };
    Lab::with(config, |emulator| {
        let credential = credential(emulator);
        ClientConfig { credential, token_on_request, ..config_for(emulator, wire.config()) }
    })
}

impl Lab {
    /// Lets time pass, and pulls events each second, while the driver has nothing to do.
    fn idle(&self, time: Duration) -> Vec<(Duration, EventKind)> {
        let begun = self.clock.time();
        let mut reported = Vec::new();
        while self.clock.time() < begun + time {
            self.clock.jump(SECOND);
            reported.extend(self.kinds().into_iter().map(|kind| (self.clock.time() - begun, kind)));
        }
        reported
    }
}

fn an_entra_token_is_requested_once_five_minutes_before_it_expires(wire: &Wire) {
    let lab = with_entra_token(wire, HOUR, 24 * HOUR);
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.idle(2 * HOUR), [(55 * MINUTE, EventKind::TokenNeeded)]);
    for _ in 0..2 {
        lab.client.set_token(lab.emulator.entra_token(2 * HOUR)).unwrap();
        assert_eq!(lab.idle(2 * HOUR), [(115 * MINUTE, EventKind::TokenNeeded)]);
    }
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.requests(), [TOKEN, wire.list, wire.list], "the access token was valid all the time");
}

fn an_access_token_is_requested_once_five_minutes_before_it_expires(wire: &Wire) {
    let lab = with_access_token(wire, true);
    assert_eq!(lab.idle(59 * MINUTE), [(55 * MINUTE, EventKind::TokenNeeded)]);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    assert_eq!(lab.idle(59 * MINUTE), [(55 * MINUTE, EventKind::TokenNeeded)]);
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.requests(), [wire.list]);
}

fn an_application_that_waits_for_events_is_asked_for_a_token_in_time(wire: &Wire) {
    let lab = with_access_token(wire, true);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lab.client.next_event(24 * HOUR).unwrap());
        lab.clock.until_others_wait(1);
        lab.clock.jump(55 * MINUTE - SECOND);
        assert!(!waiting.is_finished());
        lab.clock.jump(SECOND);
        assert_eq!(waiting.join().unwrap().map(|event| event.kind), Some(EventKind::TokenNeeded));
    });
    // Also if the application supplies a token that expires earlier meanwhile.
    let early = lab.emulator.access_token();
    lab.clock.jump(10 * MINUTE);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lab.client.next_event(24 * HOUR).unwrap());
        lab.clock.until_others_wait(1);
        lab.client.set_token(early).unwrap();
        lab.clock.until_others_wait_until(1, 110 * MINUTE);
        lab.clock.jump(45 * MINUTE);
        assert_eq!(waiting.join().unwrap().map(|event| event.kind), Some(EventKind::TokenNeeded));
    });
}

fn a_started_operation_with_a_refused_token_waits_for_the_new_one(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    let list = lab.client.list_sessions().label(5).start().unwrap();
    lab.clock.pass(30 * SECOND);
    assert_eq!((list.state(), lab.kinds()), (OperationState::Running, vec![EventKind::TokenNeeded]));
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.clock.settle();
    assert_eq!((list.state(), lab.kinds()), (OperationState::Succeeded, vec![EventKind::OperationEnded]));
    assert_eq!(lab.requests(), [wire.list, wire.list]);
}

fn a_blocking_call_with_a_refused_token_waits_for_the_new_one(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    std::thread::scope(|scope| {
        let list = scope.spawn(|| lab.client.list_sessions().run());
        lab.clock.until_others_wait(1);
        assert_eq!(lab.kinds(), [EventKind::TokenNeeded]);
        lab.client.set_token(lab.emulator.access_token()).unwrap();
        assert!(list.join().unwrap().is_ok());
    });
}

fn a_call_without_a_new_token_in_time_says_so(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    let started = lab.client.list_sessions().timeout(20 * SECOND).label(5).start().unwrap();
    std::thread::scope(|scope| {
        let blocking = scope.spawn(|| lab.client.list_sessions().timeout(MINUTE).run());
        lab.clock.until_others_wait(1);
        lab.clock.pass(20 * SECOND - Duration::from_millis(1));
        assert_eq!(started.state(), OperationState::Running);
        lab.clock.pass(Duration::from_millis(1));
        assert_eq!(started.state(), OperationState::Failed);
        lab.clock.pass(40 * SECOND);
        for error in [started.outcome().unwrap_err(), blocking.join().unwrap().unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(error.message().contains("was asked for a new token and did not supply one in time"), "{error}");
        }
    });
    assert_eq!(lab.kinds(), [EventKind::TokenNeeded, EventKind::OperationEnded]);
}

fn calls_refused_together_request_one_token(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    assert_eq!(lab.kinds(), [EventKind::TokenNeeded], "it has expired");
    let mut asked = 0;
    let mut count = |event: Event| asked += usize::from(event.kind == EventKind::TokenNeeded);
    let started: Vec<_> = (1..=20)
        .map(|number| lab.client.list_sessions().timeout((60 + number * 2) * SECOND).label(0).start().unwrap())
        .collect();
    std::thread::scope(|scope| {
        let passing = scope.spawn(|| lab.clock.pass(SECOND));
        while !passing.is_finished() {
            lab.client.next_event(Duration::ZERO).unwrap().into_iter().for_each(&mut count);
        }
    });
    lab.events().into_iter().for_each(&mut count);
    assert_eq!(asked, 1, "and it was refused");
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.clock.settle();
    assert!(started.iter().all(|operation| operation.state() == OperationState::Succeeded));
}

fn a_refused_entra_token_is_requested_again_and_not_retried(wire: &Wire) {
    let lab = with_entra_token(wire, 10 * MINUTE, 30 * MINUTE);
    let session = lab.ready(24 * HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    let reported = lab.pump(24 * MINUTE, SECOND);
    assert_eq!(
        reported,
        [(8 * MINUTE, EventKind::TokenNeeded)],
        "short-lived tokens are requested when a fifth of their time is left"
    );
    lab.requests();
    let reported = lab.pump(2 * HOUR, SECOND);
    let kinds: Vec<EventKind> = reported.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, [EventKind::TokenNeeded, EventKind::ReadsFailing], "{reported:?}");
    assert!(reported[0].0 <= MINUTE + 30 * SECOND, "when the access token was to be renewed: {reported:?}");
    let requests = lab.requests();
    assert_eq!(requests.iter().filter(|line| *line == TOKEN).count(), 1, "a retry would be useless");
    assert!(requests.len() <= 14, "the access token was used until it expired: {requests:?}");
    lab.client.set_token(lab.emulator.entra_token(10 * MINUTE)).unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests()[0], TOKEN);
    lab.clock.pass(30 * SECOND);
    assert!(session.snapshot().age <= 30 * SECOND);
}

fn watching_continues_with_the_new_token(wire: &Wire) {
    let lab = with_access_token(wire, true);
    let starts = lab.create(2 * HOUR);
    starts.watch(WatchOptions::default(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!((lab.kinds().last(), starts.snapshot().status), (change_to_ready(wire).last(), SessionStatus::Ready));
    lab.clock.jump(70 * MINUTE);
    lab.clock.pass(20 * MINUTE);
    assert_eq!(lab.kinds(), [EventKind::TokenNeeded, EventKind::ReadsFailing]);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.clock.settle();
    let reported = vec![EventKind::Resumed, EventKind::ReadsRecovered];
    assert_eq!((lab.kinds(), starts.snapshot().age), (reported, Duration::ZERO));
    let reported = lab.pump(40 * MINUTE, MINUTE);
    let kinds: Vec<_> = reported.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, [EventKind::LeaseExpiring, EventKind::StatusChanged]);
}

/// With 2021-01-01 the reply to a create has the status, so a session that is ready at once does not change.
fn change_to_ready(wire: &Wire) -> &'static [EventKind] {
    if wire.is_v1() { &[EventKind::StatusChanged] } else { &[] }
}

fn without_token_on_request_calls_fail_at_once(wire: &Wire) {
    let lab = with_access_token(wire, false);
    lab.clock.jump(2 * HOUR);
    let started = lab.client.list_sessions().label(0).start().unwrap();
    lab.clock.settle();
    assert_eq!((started.state(), lab.kinds()), (OperationState::Failed, vec![EventKind::OperationEnded]));
    let error = lab.client.list_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("access token was refused"), "{error}");
    assert_eq!(lab.idle(2 * HOUR), []);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.client.list_sessions().run().unwrap();
}

fn an_invalid_new_token_is_refused(wire: &Wire) {
    let lab = with_access_token(wire, true);
    let good = lab.emulator.access_token();
    for (bad, fact) in [
        (String::new(), "missing"),
        ("a b".into(), "spaces"),
        ("a\nb".into(), "line ends"),
        (format!("\"{good}\""), "quotes"),
        (format!("{{\"AccessToken\":\"{good}\"}}"), "JSON"),
        (good.clone() + &"x".repeat(64 * 1024), "65536"),
    ] {
        let credential = Credential::AccessToken(bad.clone().into());
        let config = ClientConfig { credential, ..config_for(&lab.emulator, wire.config()) };
        for error in [lab.client.set_token(bad.clone()).unwrap_err(), arr_client::Client::new(config).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            assert!(error.message().contains(fact) && !error.message().contains(&good[10..]), "{error}");
        }
    }
    lab.client.list_sessions().run().unwrap();
    let with_key = lab.another_client(wire.config());
    let error = with_key.set_token(lab.emulator.access_token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("account key"), "{error}");
}

fn a_client_with_an_account_key_requests_no_token(wire: &Wire) {
    let lab = with_access_token(wire, true);
    let with_key = lab.another_client(ClientConfig { token_on_request: true, ..wire.config() });
    with_key.list_sessions().run().unwrap();
    lab.clock.jump(2 * HOUR);
    lab.emulator.add_faults([Fault::on("GET", "/accounts/*/token").status(401)]).unwrap();
    let list = with_key.list_sessions().start().unwrap();
    lab.clock.settle();
    assert_eq!(list.outcome().unwrap_err().kind(), ErrorKind::Unauthorized);
    let event = with_key.next_event(Duration::ZERO).unwrap().map(|event| event.kind);
    assert_eq!(event, Some(EventKind::OperationEnded), "no token is requested");
}
