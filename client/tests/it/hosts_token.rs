//! Tokens that the application gives: it is asked for a new one in time, and calls wait for it.

use crate::support::paced::Lab;
use crate::support::wire::{TOKEN, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, config_for};
use arr_client::{ClientConfig, Credential, ErrorKind, Event, EventKind, OperationState, SessionStatus, WatchOptions};
use arr_service::{Config, Emulator};
use std::time::Duration;

in_both_versions![
    a_token_of_entra_is_asked_for_once_five_minutes_before_its_end,
    an_access_token_is_asked_for_once_five_minutes_before_its_end,
    an_application_that_waits_for_events_is_asked_in_time,
    a_started_operation_whose_token_was_refused_waits_for_the_new_one,
    a_blocking_call_whose_token_was_refused_waits_for_the_new_one,
    a_call_that_gets_no_new_token_in_its_time_says_so,
    those_who_were_refused_together_ask_once,
    a_refused_token_of_entra_is_asked_for_and_not_tried_again,
    watching_goes_on_with_the_new_token,
    without_being_asked_for_tokens_calls_fail_at_once,
    what_cannot_be_a_new_token_is_refused,
];

const MINUTE: Duration = Duration::from_secs(60);

/// The application gives access tokens.
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
    /// Lets time pass, and pulls events each second; there is nothing that the client's thread has to do.
    fn idle(&self, time: Duration) -> Vec<(Duration, EventKind)> {
        let begun = self.clock.time();
        let mut told = Vec::new();
        while self.clock.time() < begun + time {
            self.clock.jump(SECOND);
            told.extend(self.told().into_iter().map(|kind| (self.clock.time() - begun, kind)));
        }
        told
    }
}

fn a_token_of_entra_is_asked_for_once_five_minutes_before_its_end(wire: &Wire) {
    let lab = with_entra_token(wire, HOUR, 24 * HOUR);
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.idle(2 * HOUR), [(55 * MINUTE, EventKind::TokenNeeded)]);
    for _ in 0..2 {
        lab.client.set_token(lab.emulator.entra_token(2 * HOUR)).unwrap();
        assert_eq!(lab.idle(2 * HOUR), [(115 * MINUTE, EventKind::TokenNeeded)]);
    }
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.requests(), [TOKEN, wire.list, wire.list], "the access token was good all the time");
}

fn an_access_token_is_asked_for_once_five_minutes_before_its_end(wire: &Wire) {
    let lab = with_access_token(wire, true);
    assert_eq!(lab.idle(59 * MINUTE), [(55 * MINUTE, EventKind::TokenNeeded)]);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    assert_eq!(lab.idle(59 * MINUTE), [(55 * MINUTE, EventKind::TokenNeeded)]);
    lab.client.list_sessions().run().unwrap();
    assert_eq!(lab.requests(), [wire.list]);
}

fn an_application_that_waits_for_events_is_asked_in_time(wire: &Wire) {
    let lab = with_access_token(wire, true);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lab.client.next_event(24 * HOUR).unwrap());
        lab.clock.until_others_wait(1);
        lab.clock.jump(55 * MINUTE - SECOND);
        assert!(!waiting.is_finished());
        lab.clock.jump(SECOND);
        assert_eq!(waiting.join().unwrap().map(|event| event.kind), Some(EventKind::TokenNeeded));
    });
    // Also if a token that runs out earlier is given meanwhile.
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

fn a_started_operation_whose_token_was_refused_waits_for_the_new_one(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    let list = lab.client.list_sessions().label(5).start().unwrap();
    lab.clock.pass(30 * SECOND);
    assert_eq!((list.state(), lab.told()), (OperationState::Running, vec![EventKind::TokenNeeded]));
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.clock.settle();
    assert_eq!((list.state(), lab.told()), (OperationState::Succeeded, vec![EventKind::OperationEnded]));
    assert_eq!(lab.requests(), [wire.list, wire.list]);
}

fn a_blocking_call_whose_token_was_refused_waits_for_the_new_one(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    std::thread::scope(|scope| {
        let list = scope.spawn(|| lab.client.list_sessions().run());
        lab.clock.until_others_wait(1);
        assert_eq!(lab.told(), [EventKind::TokenNeeded]);
        lab.client.set_token(lab.emulator.access_token()).unwrap();
        assert!(list.join().unwrap().is_ok());
    });
}

fn a_call_that_gets_no_new_token_in_its_time_says_so(wire: &Wire) {
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
            assert!(error.message().contains("was asked for a new token, and has given none in time"), "{error}");
        }
    });
    assert_eq!(lab.told(), [EventKind::TokenNeeded, EventKind::OperationEnded]);
}

fn those_who_were_refused_together_ask_once(wire: &Wire) {
    let lab = with_access_token(wire, true);
    lab.clock.jump(2 * HOUR);
    assert_eq!(lab.told(), [EventKind::TokenNeeded], "it has run out");
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

fn a_refused_token_of_entra_is_asked_for_and_not_tried_again(wire: &Wire) {
    let lab = with_entra_token(wire, 10 * MINUTE, 30 * MINUTE);
    let session = lab.ready(24 * HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    let told = lab.pump(24 * MINUTE, SECOND);
    assert_eq!(told, [(8 * MINUTE, EventKind::TokenNeeded)], "of short ones, a fifth of their time before the end");
    lab.requests();
    let told = lab.pump(2 * HOUR, SECOND);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, EventKind::TokenNeeded);
    assert!(told[0].0 <= MINUTE + 30 * SECOND, "when the access token was to be renewed: {told:?}");
    let requests = lab.requests();
    assert_eq!(requests.iter().filter(|line| *line == TOKEN).count(), 1, "it is of no use to try it again");
    assert!(requests.len() <= 14, "the access token was used to its end: {requests:?}");
    lab.client.set_token(lab.emulator.entra_token(10 * MINUTE)).unwrap();
    lab.clock.settle();
    assert_eq!(lab.requests()[0], TOKEN);
    lab.clock.pass(30 * SECOND);
    assert!(session.snapshot().age <= 30 * SECOND);
}

fn watching_goes_on_with_the_new_token(wire: &Wire) {
    let lab = with_access_token(wire, true);
    let starts = lab.create(2 * HOUR);
    starts.watch(WatchOptions::default(), 0).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!((lab.told().last(), starts.snapshot().status), (told_in(wire).last(), SessionStatus::Ready));
    lab.clock.jump(70 * MINUTE);
    lab.clock.pass(20 * MINUTE);
    assert_eq!(lab.told(), [EventKind::TokenNeeded]);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.clock.settle();
    assert_eq!((lab.told(), starts.snapshot().age), (vec![EventKind::Resumed], Duration::ZERO));
    let told = lab.pump(40 * MINUTE, MINUTE);
    let kinds: Vec<_> = told.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, [EventKind::LeaseExpiring, EventKind::StatusChanged]);
}

/// Where a create is answered by the whole session, one that is ready at once does not change.
fn told_in(wire: &Wire) -> &'static [EventKind] {
    if wire.is_v1() { &[EventKind::StatusChanged] } else { &[] }
}

fn without_being_asked_for_tokens_calls_fail_at_once(wire: &Wire) {
    let lab = with_access_token(wire, false);
    lab.clock.jump(2 * HOUR);
    let started = lab.client.list_sessions().label(0).start().unwrap();
    lab.clock.settle();
    assert_eq!((started.state(), lab.told()), (OperationState::Failed, vec![EventKind::OperationEnded]));
    let error = lab.client.list_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("access token was refused"), "{error}");
    assert_eq!(lab.idle(2 * HOUR), []);
    lab.client.set_token(lab.emulator.access_token()).unwrap();
    lab.client.list_sessions().run().unwrap();
}

fn what_cannot_be_a_new_token_is_refused(wire: &Wire) {
    let lab = with_access_token(wire, true);
    for bad in ["", "a b", "a\nb"] {
        assert_eq!(lab.client.set_token(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad:?}");
    }
    lab.client.list_sessions().run().unwrap();
    let with_key = lab.another_client(wire.config());
    let error = with_key.set_token(lab.emulator.access_token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("account key"), "{error}");
}
