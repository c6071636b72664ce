//! Sessions that are kept alive: their leases are extended by the client's own thread, up to a cap, while the application
//! shows that it is alive.

use crate::support::gate::At;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ClientConfig, ErrorKind, EventKind, KeepAlive, Lease, SessionStatus, WatchOptions};
use arr_service::{Config, Fault, SessionStatus as Emulated};
use std::time::Duration;

in_both_versions![
    a_session_lives_exactly_until_its_cap,
    a_lease_is_extended_by_as_much_as_it_takes_and_not_beyond_the_cap,
    one_extension_is_under_way_at_a_time,
    an_extension_that_failed_is_told_and_tried_again,
    an_extension_that_failed_is_tried_again_when_the_service_wants_it,
    a_lease_is_extended_when_the_threshold_is_reached,
    an_extension_that_found_no_token_in_its_time_is_tried_again,
    a_lease_that_somebody_else_extended_is_learned_and_no_alarm,
    a_lease_that_the_service_refuses_for_good_is_told_once_it_was_read,
    a_lease_is_not_extended_for_an_application_that_hangs,
    an_application_that_hung_and_shows_itself_again_has_its_leases_extended,
    an_application_may_do_without_liveness,
    an_application_that_waits_for_events_is_alive,
    keeping_alive_can_be_ended,
];

const MINUTE: Duration = Duration::from_secs(60);

impl Lab {
    /// The leases that were asked for so far: each has been granted, and is longer than the one before.
    fn extensions(&self) -> usize {
        let updates = self.emulator.requests().into_iter().filter(|request| request.method == "PATCH");
        let statuses: Vec<u16> = updates.map(|request| request.status).collect();
        assert!(
            statuses.iter().all(|status| *status == 200),
            "the service takes none that is not longer: {statuses:?}"
        );
        statuses.len()
    }

    fn lease(&self) -> Duration {
        self.emulator.sessions()[0].max_lease
    }
}

fn a_session_lives_exactly_until_its_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 7).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let begun = std::time::Instant::now();
    let mut told = lab.pump(6 * HOUR - SECOND, MINUTE);
    assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready);
    told.extend(lab.pump(HOUR, SECOND).into_iter().map(|(at, kind)| (at + 6 * HOUR - SECOND, kind)));
    println!("6 h took {:?}", begun.elapsed());
    let extensions = (0..20).map(|number| (55 * MINUTE + number * 15 * MINUTE, EventKind::LeaseExtended));
    let end = [
        (355 * MINUTE, EventKind::LeaseCapReached),
        (355 * MINUTE, EventKind::LeaseExpiring),
        (360 * MINUTE, EventKind::StatusChanged),
    ];
    assert_eq!(told, extensions.chain(end).collect::<Vec<_>>());
    assert_eq!((lab.extensions(), lab.lease()), (20, 6 * HOUR));
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn a_lease_is_extended_by_as_much_as_it_takes_and_not_beyond_the_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(10 * MINUTE);
    session.watch(WatchOptions::default(), 0).unwrap();
    let keep = KeepAlive::until(50 * MINUTE).threshold(30 * MINUTE).amount(15 * MINUTE);
    session.keep_alive(Some(keep)).unwrap();
    lab.clock.settle();
    assert_eq!((lab.told(), lab.lease()), (vec![EventKind::LeaseExtended], 40 * MINUTE));
    assert_eq!(lab.pump(10 * MINUTE, MINUTE), [(10 * MINUTE, EventKind::LeaseExtended)]);
    assert_eq!((lab.lease(), lab.extensions()), (50 * MINUTE, 2));
    assert_eq!(lab.pump(30 * MINUTE, MINUTE)[0], (10 * MINUTE, EventKind::LeaseCapReached));
}

fn one_extension_is_under_way_at_a_time(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(55 * MINUTE - SECOND, MINUTE);
    let tries = [(), ()].map(|()| gate.hold(wire, Asked::Update, At::Request));
    lab.clock.jump(SECOND);
    tries[0].arrived();
    for _ in 0..100 {
        // All of this makes the client look what there is to do.
        session.touch();
        session.watch(WatchOptions::default(), 0).unwrap();
        session.keep_alive(None).unwrap();
        session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
        assert_eq!(lab.told(), []);
    }
    assert!(!tries[1].has_arrived(), "one after the other");
    let before = lab.clock.time();
    std::thread::scope(|scope| {
        let passing = scope.spawn(|| lab.clock.pass(MINUTE));
        tries[0].cut();
        tries[1].arrived();
        assert!(lab.clock.time() > before, "after a pause");
        tries[1].cut();
        passing.join().unwrap();
    });
    assert_eq!((lab.told(), lab.extensions()), (vec![EventKind::LeaseExtended], 1));
}

fn an_extension_that_failed_is_told_and_tried_again(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 7).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("PATCH", "**").times(2).status(503)]).unwrap();
    assert_eq!(lab.pump(55 * MINUTE - SECOND, MINUTE), []);
    lab.clock.pass(SECOND);
    let events = lab.events();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.error)).collect();
    let failed = (EventKind::LeaseNotExtended, Some(ErrorKind::ServiceFailure));
    assert_eq!(told, [failed, (EventKind::LeaseExpiring, None)]);
    assert!(events.iter().all(|event| event.label.user_data == 7 && event.session.as_ref() == Some(session.id())));
    let told = lab.pump(2 * MINUTE, SECOND);
    assert_eq!(told, [(30 * SECOND, EventKind::LeaseNotExtended), (MINUTE, EventKind::LeaseExtended)]);
    assert_eq!(lab.lease(), 75 * MINUTE);
}

/// And after five minutes at most.
fn an_extension_that_failed_is_tried_again_when_the_service_wants_it(wire: &Wire) {
    for (asked_for, honoured) in [("100", 100), ("86400", 300)] {
        let config = ClientConfig { max_retries: 0, ..wire.config() };
        let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
        let session = lab.ready(HOUR);
        session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
        session.keep_alive(Some(KeepAlive::until(6 * HOUR).threshold(20 * MINUTE))).unwrap();
        lab.emulator.add_faults([Fault::on("PATCH", "**").status(503).header("Retry-After", asked_for)]).unwrap();
        assert_eq!(lab.pump(40 * MINUTE, MINUTE), [(40 * MINUTE, EventKind::LeaseNotExtended)]);
        assert_eq!(lab.pump(6 * MINUTE, SECOND), [(honoured * SECOND, EventKind::LeaseExtended)]);
    }
}

/// At the second at which as much is left as the threshold, and not at the one before.
fn a_lease_is_extended_when_the_threshold_is_reached(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
    lab.clock.pass(40 * MINUTE - SECOND);
    let keep = KeepAlive::until(6 * HOUR).threshold(20 * MINUTE);
    session.keep_alive(Some(keep)).unwrap();
    lab.clock.settle();
    assert_eq!((lab.told(), lab.extensions()), (vec![], 0));
    lab.clock.jump(SECOND);
    lab.clock.settle();
    assert_eq!((lab.told(), lab.lease()), (vec![EventKind::LeaseExtended], 75 * MINUTE));
}

fn an_extension_that_found_no_token_in_its_time_is_tried_again(wire: &Wire) {
    let config = Config { startup: Duration::ZERO, token_lifetime: HOUR - 5 * MINUTE, ..Config::default() };
    let lab = Lab::new(config, wire.config());
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("*", "/accounts/*/token").always().status(503)]).unwrap();
    let told = lab.pump(58 * MINUTE, MINUTE);
    assert!(told.iter().any(|(_, kind)| *kind == EventKind::LeaseNotExtended), "{told:?}");
    lab.emulator.clear_faults();
    let told = lab.pump(2 * MINUTE, MINUTE);
    assert!(told.iter().any(|(_, kind)| *kind == EventKind::LeaseExtended), "{told:?}");
    let told = lab.pump(HOUR, MINUTE);
    assert_eq!(told.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), [EventKind::LeaseExtended; 4]);
}

fn a_lease_that_somebody_else_extended_is_learned_and_no_alarm(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(55 * MINUTE - SECOND, MINUTE);
    let other = lab.another_client(wire.config());
    other.open_session(session.id()).run().unwrap().update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
    lab.requests();
    assert_eq!(lab.pump(MINUTE, SECOND), []);
    let sent: Vec<_> = lab.requests().into_iter().filter(|line| line != wire.list).collect();
    assert_eq!(sent, [wire.update, wire.properties], "it was refused, and looked at");
    assert_eq!(session.snapshot().max_lease, Some(2 * HOUR));
    let told = lab.pump(HOUR, SECOND);
    assert_eq!(told, [(59 * MINUTE + SECOND, EventKind::LeaseExtended)]);
}

fn a_lease_that_the_service_refuses_for_good_is_told_once_it_was_read(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("PATCH", "**").status(400)]).unwrap();
    lab.pump(55 * MINUTE - SECOND, MINUTE);
    lab.clock.pass(SECOND);
    let told: Vec<_> = lab.events().iter().map(|event| (event.kind, event.error)).collect();
    let refused = (EventKind::LeaseNotExtended, Some(ErrorKind::BadRequest));
    assert_eq!(told, [refused, (EventKind::LeaseExpiring, None)]);
    assert_eq!(lab.pump(MINUTE, SECOND), [(30 * SECOND, EventKind::LeaseExtended)]);
}

fn a_lease_is_not_extended_for_an_application_that_hangs(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(50 * MINUTE + SECOND, SECOND);
    lab.clock.pass(19 * MINUTE);
    assert_eq!(lab.extensions(), 1, "at the first one it was alive less than five minutes ago");
    lab.clock.pass(2 * HOUR);
    assert_eq!((lab.extensions(), lab.emulator.sessions()[0].status), (1, Emulated::Expired));
    let mut told = lab.told();
    told.sort_by_key(|kind| format!("{kind:?}"));
    let expected =
        [EventKind::KeepAlivePaused, EventKind::LeaseExpiring, EventKind::LeaseExtended, EventKind::StatusChanged];
    assert_eq!(told, expected);
}

fn an_application_that_hung_and_shows_itself_again_has_its_leases_extended(wire: &Wire) {
    for by_touching in [false, true] {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let session = lab.ready(HOUR);
        session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
        session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
        lab.clock.pass(57 * MINUTE);
        assert_eq!(lab.extensions(), 0);
        if by_touching {
            session.touch();
            lab.clock.settle();
            assert_eq!((lab.extensions(), lab.clock.time()), (1, 57 * MINUTE), "at once");
            assert_eq!(lab.told(), [EventKind::LeaseExtended, EventKind::KeepAlivePaused]);
        } else {
            assert_eq!(lab.told(), [EventKind::KeepAlivePaused]);
            lab.clock.settle();
            assert_eq!(lab.told(), [EventKind::LeaseExtended]);
        }
        lab.clock.pass(15 * MINUTE);
        assert_eq!(lab.told(), [EventKind::KeepAlivePaused], "it hangs again");
        assert_eq!(lab.extensions(), 1);
    }
}

fn an_application_may_do_without_liveness(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(3 * HOUR).liveness(None))).unwrap();
    lab.clock.pass(3 * HOUR - SECOND);
    assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready);
    assert_eq!(lab.told(), [EventKind::LeaseExtended, EventKind::LeaseCapReached, EventKind::LeaseExpiring]);
}

/// It is woken when its sessions are about to be left alone, and its next wait shows that it lives.
fn an_application_that_waits_for_events_is_alive(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            std::iter::repeat_with(|| lab.client.next_event(24 * HOUR).unwrap().unwrap().kind)
                .find(|kind| *kind == EventKind::LeaseExtended)
        });
        lab.clock.until_others_wait(1);
        lab.clock.pass(58 * MINUTE);
        waiting.join().unwrap();
    });
    assert_eq!(lab.extensions(), 1);
}

fn keeping_alive_can_be_ended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    let keep = KeepAlive::until(6 * HOUR);
    assert_eq!(session.keep_alive(Some(keep)).unwrap_err().kind(), ErrorKind::InvalidArgument, "not watched");
    session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
    for bad in [
        keep.threshold(Duration::ZERO),
        keep.amount(Duration::ZERO),
        keep.liveness(Some(Duration::ZERO)),
        KeepAlive::until(Duration::ZERO),
    ] {
        assert_eq!(session.keep_alive(Some(bad)).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad:?}");
    }
    session.keep_alive(Some(keep)).unwrap();
    assert_eq!(lab.pump(HOUR, MINUTE), [(55 * MINUTE, EventKind::LeaseExtended)]);
    session.keep_alive(None).unwrap();
    assert_eq!(lab.pump(HOUR, MINUTE), [(15 * MINUTE, EventKind::StatusChanged)]);
    assert_eq!(lab.extensions(), 1);
}
