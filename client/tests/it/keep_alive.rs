//! Keep-alive: the client's driver extends leases, up to a cap, while the application shows that it is alive.

use crate::support::gate::At;
use crate::support::paced::Lab;
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ClientConfig, ErrorKind, EventKind, KeepAlive, Lease, Session, SessionStatus, WatchOptions};
use arr_service::{Config, Fault, SessionStatus as Emulated};
use std::time::Duration;

in_both_versions![
    a_session_is_kept_alive_exactly_until_its_cap,
    an_extension_reaches_the_threshold_but_not_beyond_the_cap,
    one_extension_is_in_flight_at_a_time,
    a_failed_extension_is_reported_and_retried,
    a_lost_extension_is_reported_as_a_read_shows_it,
    a_lost_extension_is_reported_as_failed_while_reads_fail,
    a_failed_extension_is_retried_after_retry_after,
    a_lease_is_extended_when_the_threshold_is_reached,
    an_extension_without_a_token_in_time_is_retried,
    an_extension_by_another_client_is_not_a_failure,
    a_refused_extension_is_reported_after_a_read,
    no_lease_is_extended_while_the_application_hangs,
    leases_are_extended_again_once_the_application_responds,
    liveness_can_be_turned_off,
    an_application_that_waits_for_events_is_alive,
    keep_alive_can_be_turned_off,
    an_accepted_lease_that_no_read_shows_is_reported_as_not_extended,
    an_accepted_lease_is_reported_once_a_read_shows_it,
    extensions_are_paced_regardless_of_the_options,
    an_extension_lasts_until_the_next_one_may_be_sent,
    a_session_of_which_only_whole_minutes_are_known_is_extended_in_time,
    while_reads_fail_leases_are_extended_and_reported_afterwards,
    an_accepted_lease_is_reported_even_if_the_next_extension_fails,
    a_cap_below_the_threshold_is_reported_at_once,
];

const MINUTE: Duration = Duration::from_secs(60);

impl Lab {
    /// The number of extensions so far, all of which must have been granted.
    fn extensions(&self) -> usize {
        let updates = self.emulator.requests().into_iter().filter(|request| request.method == "PATCH");
        let statuses: Vec<u16> = updates.map(|request| request.status).collect();
        assert!(
            statuses.iter().all(|status| *status == 200),
            "the service refuses any that is not longer: {statuses:?}"
        );
        statuses.len()
    }

    fn lease(&self) -> Duration {
        self.emulator.sessions()[0].max_lease
    }
}

fn a_session_is_kept_alive_exactly_until_its_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 7).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let begun = std::time::Instant::now();
    let mut reported = lab.pump(6 * HOUR - SECOND, MINUTE);
    assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready);
    reported.extend(lab.pump(HOUR, SECOND).into_iter().map(|(at, kind)| (at + 6 * HOUR - SECOND, kind)));
    println!("6 h took {:?}", begun.elapsed());
    let extensions = (0..20).map(|number| (55 * MINUTE + number * 15 * MINUTE, EventKind::LeaseExtended));
    let end = [
        (355 * MINUTE, EventKind::LeaseCapReached),
        (355 * MINUTE, EventKind::LeaseExpiring),
        (360 * MINUTE, EventKind::StatusChanged),
    ];
    assert_eq!(reported, extensions.chain(end).collect::<Vec<_>>());
    assert_eq!((lab.extensions(), lab.lease()), (20, 6 * HOUR));
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn an_extension_reaches_the_threshold_but_not_beyond_the_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(10 * MINUTE);
    session.watch(WatchOptions::default(), 0).unwrap();
    let keep = KeepAlive::until(50 * MINUTE).threshold(30 * MINUTE).amount(15 * MINUTE);
    session.keep_alive(Some(keep)).unwrap();
    lab.clock.settle();
    assert_eq!((lab.kinds(), lab.lease()), (vec![EventKind::LeaseExtended], 40 * MINUTE));
    assert_eq!(lab.pump(10 * MINUTE, MINUTE), [(10 * MINUTE, EventKind::LeaseExtended)]);
    assert_eq!((lab.lease(), lab.extensions()), (50 * MINUTE, 2));
    assert_eq!(lab.pump(30 * MINUTE, MINUTE)[0], (10 * MINUTE, EventKind::LeaseCapReached));
}

fn one_extension_is_in_flight_at_a_time(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(55 * MINUTE - SECOND, MINUTE);
    let tries = [(), ()].map(|()| gate.hold(wire, Asked::Update, At::Request));
    lab.clock.jump(SECOND);
    tries[0].arrived();
    for _ in 0..100 {
        // Each of these makes the driver check what is due.
        session.touch();
        session.watch(WatchOptions::default(), 0).unwrap();
        session.keep_alive(None).unwrap();
        session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
        assert_eq!(lab.kinds(), []);
    }
    assert!(!tries[1].has_arrived(), "the second waits for the first");
    let before = lab.clock.time();
    std::thread::scope(|scope| {
        let passing = scope.spawn(|| lab.clock.pass(MINUTE));
        tries[0].cut();
        tries[1].arrived();
        assert!(lab.clock.time() > before, "after a pause");
        tries[1].cut();
        passing.join().unwrap();
    });
    assert_eq!((lab.kinds(), lab.extensions()), (vec![EventKind::LeaseExtended], 1));
}

/// A ready session that is kept alive, with an hour's lease and without retries or warnings.
fn kept_alive(wire: &Wire, options: KeepAlive) -> (Lab, Session) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
    session.keep_alive(Some(options)).unwrap();
    (lab, session)
}

fn a_failed_extension_is_reported_and_retried(wire: &Wire) {
    let config = ClientConfig { max_retries: 0, ..wire.config() };
    let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 7).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("PATCH", "**").times(2).status(503)]).unwrap();
    assert_eq!(lab.pump(55 * MINUTE - SECOND, MINUTE), []);
    lab.clock.pass(SECOND);
    let events = lab.events();
    let reported: Vec<_> = events.iter().map(|event| (event.kind, event.error)).collect();
    let failed = (EventKind::LeaseNotExtended, Some(ErrorKind::ServiceFailure));
    assert_eq!(reported, [failed, (EventKind::LeaseExpiring, None)]);
    assert!(events.iter().all(|event| event.label.user_data == 7 && event.session.as_ref() == Some(session.id())));
    let reported = lab.pump(2 * MINUTE, SECOND);
    assert_eq!(reported, [(30 * SECOND, EventKind::LeaseNotExtended), (MINUTE, EventKind::LeaseExtended)]);
    assert_eq!(lab.lease(), 75 * MINUTE);
}

/// The reply is lost, but the service may have granted the lease.
fn a_lost_extension_is_reported_as_a_read_shows_it(wire: &Wire) {
    for (granted, expected) in [(true, EventKind::LeaseExtended), (false, EventKind::LeaseNotExtended)] {
        let (lab, session) = kept_alive(wire, KeepAlive::until(6 * HOUR));
        lab.emulator.add_faults([wire.on(Asked::Update).close().executed(granted)]).unwrap();
        assert_eq!(lab.pump(55 * MINUTE, MINUTE), [(55 * MINUTE, expected)]);
        let expected = if granted { vec![] } else { vec![(30 * SECOND, EventKind::LeaseExtended)] };
        assert_eq!(lab.pump(10 * MINUTE, SECOND), expected);
        assert_eq!((lab.lease(), session.snapshot().max_lease), (75 * MINUTE, Some(75 * MINUTE)));
    }
}

/// Once a read works, it shows that the first extension was granted.
fn a_lost_extension_is_reported_as_failed_while_reads_fail(wire: &Wire) {
    for then in [None, Some(403), Some(409)] {
        let (lab, session) = kept_alive(wire, KeepAlive::until(6 * HOUR));
        let reads = [Asked::Read, Asked::List].map(|asked| wire.on(asked).always().status(503));
        let next = then.map(|status| wire.on(Asked::Update).always().status(status));
        let lost = wire.on(Asked::Update).close().executed(true);
        lab.pump(55 * MINUTE - SECOND, MINUTE);
        lab.emulator.add_faults(reads.into_iter().chain([lost]).chain(next)).unwrap();
        assert_eq!(lab.pump(30 * SECOND, SECOND), []);
        assert_eq!(lab.pump(20 * SECOND, SECOND), [(SECOND, EventKind::LeaseNotExtended)], "no read shows it in time");
        session.keep_alive(None).unwrap();
        lab.emulator.clear_faults();
        let reported: Vec<EventKind> = lab.pump(2 * MINUTE, SECOND).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(reported, [EventKind::LeaseExtended], "{then:?}");
        assert_eq!(lab.lease(), 75 * MINUTE);
    }
}

/// And after at most five minutes.
fn a_failed_extension_is_retried_after_retry_after(wire: &Wire) {
    for (asked_for, honoured) in [("100", 100), ("86400", 300)] {
        let (lab, _session) = kept_alive(wire, KeepAlive::until(6 * HOUR).threshold(20 * MINUTE));
        lab.emulator.add_faults([Fault::on("PATCH", "**").status(503).header("Retry-After", asked_for)]).unwrap();
        assert_eq!(lab.pump(40 * MINUTE, MINUTE), [(40 * MINUTE, EventKind::LeaseNotExtended)]);
        assert_eq!(lab.pump(6 * MINUTE, SECOND), [(honoured * SECOND, EventKind::LeaseExtended)]);
    }
}

/// At exactly the second when the threshold is left, and not one second earlier.
fn a_lease_is_extended_when_the_threshold_is_reached(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
    lab.clock.pass(40 * MINUTE - SECOND);
    let keep = KeepAlive::until(6 * HOUR).threshold(20 * MINUTE);
    session.keep_alive(Some(keep)).unwrap();
    lab.clock.settle();
    assert_eq!((lab.kinds(), lab.extensions()), (vec![], 0));
    lab.clock.jump(SECOND);
    lab.clock.settle();
    assert_eq!((lab.kinds(), lab.lease()), (vec![EventKind::LeaseExtended], 75 * MINUTE));
}

fn an_extension_without_a_token_in_time_is_retried(wire: &Wire) {
    let config = Config { startup: Duration::ZERO, token_lifetime: HOUR - 5 * MINUTE, ..Config::default() };
    let lab = Lab::new(config, wire.config());
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("*", "/accounts/*/token").always().status(503)]).unwrap();
    let reported = lab.pump(58 * MINUTE, MINUTE);
    assert!(reported.iter().any(|(_, kind)| *kind == EventKind::LeaseNotExtended), "{reported:?}");
    lab.emulator.clear_faults();
    let reported = lab.pump(2 * MINUTE, MINUTE);
    assert!(reported.iter().any(|(_, kind)| *kind == EventKind::LeaseExtended), "{reported:?}");
    let reported = lab.pump(HOUR, MINUTE);
    assert_eq!(reported.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), [EventKind::LeaseExtended; 4]);
}

fn an_extension_by_another_client_is_not_a_failure(wire: &Wire) {
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
    assert_eq!(sent, [wire.update, wire.properties], "it was refused, and the session read");
    assert_eq!(session.snapshot().max_lease, Some(2 * HOUR));
    let reported = lab.pump(HOUR, SECOND);
    assert_eq!(reported, [(59 * MINUTE + SECOND, EventKind::LeaseExtended)]);
}

fn a_refused_extension_is_reported_after_a_read(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.emulator.add_faults([Fault::on("PATCH", "**").status(400)]).unwrap();
    lab.pump(55 * MINUTE - SECOND, MINUTE);
    lab.clock.pass(SECOND);
    let reported: Vec<_> = lab.events().iter().map(|event| (event.kind, event.error)).collect();
    let refused = (EventKind::LeaseNotExtended, Some(ErrorKind::BadRequest));
    assert_eq!(reported, [refused, (EventKind::LeaseExpiring, None)]);
    assert_eq!(lab.pump(MINUTE, SECOND), [(30 * SECOND, EventKind::LeaseExtended)]);
}

fn no_lease_is_extended_while_the_application_hangs(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    lab.pump(50 * MINUTE + SECOND, SECOND);
    lab.clock.pass(19 * MINUTE);
    assert_eq!(lab.extensions(), 1, "only the first was within five minutes of the last sign of life");
    lab.clock.pass(2 * HOUR);
    assert_eq!((lab.extensions(), lab.emulator.sessions()[0].status), (1, Emulated::Expired));
    let mut reported = lab.kinds();
    reported.sort_by_key(|kind| format!("{kind:?}"));
    let expected =
        [EventKind::KeepAlivePaused, EventKind::LeaseExpiring, EventKind::LeaseExtended, EventKind::StatusChanged];
    assert_eq!(reported, expected);
}

fn leases_are_extended_again_once_the_application_responds(wire: &Wire) {
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
            assert_eq!(lab.kinds(), [EventKind::LeaseExtended, EventKind::KeepAlivePaused]);
        } else {
            assert_eq!(lab.kinds(), [EventKind::KeepAlivePaused]);
            lab.clock.settle();
            assert_eq!(lab.kinds(), [EventKind::LeaseExtended]);
        }
        lab.clock.pass(15 * MINUTE);
        assert_eq!(lab.kinds(), [EventKind::KeepAlivePaused], "the application hangs again");
        assert_eq!(lab.extensions(), 1);
    }
}

fn liveness_can_be_turned_off(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(3 * HOUR).liveness(None))).unwrap();
    lab.clock.pass(3 * HOUR - SECOND);
    assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready);
    assert_eq!(lab.kinds(), [EventKind::LeaseExtended, EventKind::LeaseCapReached, EventKind::LeaseExpiring]);
}

/// The wait ends when liveness runs out, and the next wait shows that the application is alive.
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

fn keep_alive_can_be_turned_off(wire: &Wire) {
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

impl Lab {
    /// The number of extensions sent since the last call.
    fn updates(&self, wire: &Wire) -> usize {
        self.requests().iter().filter(|line| *line == wire.update).count()
    }
}

/// The service accepts every lease and grants none. With 2021-01-01 the reply even shows the longer lease.
fn an_accepted_lease_that_no_read_shows_is_reported_as_not_extended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let lie = wire.session_with(&SessionStatus::Ready, 2);
    lab.emulator.add_faults([wire.on(Asked::Update).always().status(200).body(lie)]).unwrap();
    assert_eq!(lab.pump(55 * MINUTE - SECOND, SECOND), []);
    lab.clock.pass(SECOND);
    let reported: Vec<_> = lab.events().iter().map(|event| (event.kind, event.error)).collect();
    let refuted = (EventKind::LeaseNotExtended, Some(ErrorKind::UnexpectedReply));
    assert_eq!(reported, [refuted, (EventKind::LeaseExpiring, None)]);
    assert_eq!(session.snapshot().max_lease, Some(HOUR), "it stays as last read");
    let expected: Vec<_> = (1..=4).map(|number| (number * 30 * SECOND, EventKind::LeaseNotExtended)).collect();
    assert_eq!(lab.pump(2 * MINUTE + 10 * SECOND, SECOND), expected);
    assert_eq!(lab.updates(wire), 5);
    lab.emulator.clear_faults();
    assert_eq!(lab.pump(MINUTE, SECOND), [(20 * SECOND, EventKind::LeaseExtended)]);
    assert_eq!(session.snapshot().max_lease, Some(75 * MINUTE));
}

fn an_accepted_lease_is_reported_once_a_read_shows_it(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default().warn_before(Duration::ZERO), 0).unwrap();
    // Not at a time when the sessions are listed.
    session.keep_alive(Some(KeepAlive::until(6 * HOUR).threshold(5 * MINUTE + 10 * SECOND))).unwrap();
    lab.pump(55 * MINUTE - 11 * SECOND, MINUTE);
    let read = gate.hold(wire, Asked::Read, At::Request);
    lab.clock.jump(SECOND);
    read.arrived();
    assert_eq!((lab.extensions(), lab.kinds(), session.snapshot().max_lease), (1, vec![], Some(HOUR)));
    read.let_go();
    lab.clock.settle();
    assert_eq!((lab.kinds(), session.snapshot().max_lease), (vec![EventKind::LeaseExtended], Some(75 * MINUTE)));
}

fn extensions_are_paced_regardless_of_the_options(wire: &Wire) {
    for (interval, pace) in [(30 * SECOND, 30 * SECOND), (HOUR, MINUTE)] {
        let config = wire.config().ready_poll_interval(interval);
        let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
        let session = lab.ready(HOUR);
        session.watch(WatchOptions::default(), 0).unwrap();
        let keep = KeepAlive::until(24 * HOUR).threshold(HOUR).amount(SECOND);
        session.keep_alive(Some(keep)).unwrap();
        for _ in 0..20 {
            // Turning it off and on does not circumvent the pace.
            session.keep_alive(None).unwrap();
            session.keep_alive(Some(keep)).unwrap();
            lab.pump(MINUTE, SECOND);
        }
        let most = (20 * MINUTE).as_secs() / pace.as_secs();
        let updates = lab.updates(wire) as u64;
        assert!((most / 3..=most).contains(&updates), "{updates} in 20 min, {interval:?}");
        assert!(session.snapshot().remaining >= HOUR - pace, "{:?}", session.snapshot());
    }
}

/// Even if the amount is tiny.
fn an_extension_lasts_until_the_next_one_may_be_sent(wire: &Wire) {
    for interval in [30 * SECOND, 24 * HOUR] {
        let config = wire.config().ready_poll_interval(interval);
        let lab = Lab::new(Config { startup: Duration::ZERO, ..Config::default() }, config);
        let session = lab.ready(5 * MINUTE);
        session.watch(WatchOptions::default(), 0).unwrap();
        session.keep_alive(Some(KeepAlive::until(HOUR).threshold(SECOND).amount(SECOND))).unwrap();
        lab.pump(HOUR - SECOND, SECOND);
        assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready, "{interval:?}");
    }
}

/// Up to a minute more is used than the service reports.
fn a_session_of_which_only_whole_minutes_are_known_is_extended_in_time(wire: &Wire) {
    for used in [59 * SECOND, 89 * SECOND, 119_900 * SECOND / 1000] {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let id = lab.create(4 * MINUTE).id().clone();
        lab.clock.jump(used);
        let client = lab.another_client(wire.config());
        let session = client.open_session(&id).run().unwrap();
        session.watch(WatchOptions::default(), 0).unwrap();
        session.keep_alive(Some(KeepAlive::until(HOUR).threshold(SECOND).amount(MINUTE).liveness(None))).unwrap();
        lab.clock.pass(HOUR - used - SECOND);
        assert_eq!(lab.emulator.sessions()[0].status, Emulated::Ready, "{used:?}");
    }
}

fn while_reads_fail_leases_are_extended_and_reported_afterwards(wire: &Wire) {
    let lab = Lab::new(
        Config { startup: Duration::ZERO, ..Config::default() },
        ClientConfig { max_retries: 0, ..wire.config() },
    );
    let session = lab.ready(HOUR);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let reads = [Asked::Read, Asked::List].map(|asked| wire.on(asked).always().status(503));
    lab.emulator.add_faults(reads).unwrap();
    let reported: Vec<EventKind> = lab.pump(2 * HOUR, SECOND).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(reported, [EventKind::ReadsFailing, EventKind::LeaseExpiring], "according to the cached lease");
    assert_eq!((lab.extensions(), lab.lease()), (5, 135 * MINUTE));
    lab.emulator.clear_faults();
    let reported: Vec<EventKind> = lab.pump(2 * MINUTE, SECOND).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(reported, [EventKind::LeaseExtended, EventKind::ReadsRecovered]);
    assert_eq!(session.snapshot().max_lease, Some(135 * MINUTE));
}

fn an_accepted_lease_is_reported_even_if_the_next_extension_fails(wire: &Wire) {
    for status in [403, 409] {
        let (lab, session) = kept_alive(wire, KeepAlive::until(6 * HOUR));
        let reads = [Asked::Read, Asked::List].map(|asked| wire.on(asked).always().status(503));
        lab.emulator.add_faults(reads).unwrap();
        lab.pump(56 * MINUTE, SECOND);
        assert_eq!((lab.extensions(), lab.lease()), (1, 75 * MINUTE));
        lab.emulator.add_faults([wire.on(Asked::Update).always().status(status)]).unwrap();
        lab.pump(15 * MINUTE, SECOND);
        session.keep_alive(None).unwrap();
        lab.emulator.clear_faults();
        let reported: Vec<EventKind> = lab.pump(2 * MINUTE, SECOND).into_iter().map(|(_, kind)| kind).collect();
        assert!(reported.contains(&EventKind::LeaseExtended), "{status}: {reported:?}");
    }
}

fn a_cap_below_the_threshold_is_reported_at_once(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(10 * MINUTE);
    session.watch(WatchOptions::default(), 0).unwrap();
    session.keep_alive(Some(KeepAlive::until(25 * MINUTE).threshold(HOUR))).unwrap();
    lab.clock.settle();
    assert_eq!(lab.kinds(), [EventKind::LeaseExtended, EventKind::LeaseCapReached]);
    assert_eq!(lab.pump(10 * MINUTE, SECOND), []);
}
