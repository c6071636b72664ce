//! Sessions that look after themselves: watched and kept alive by the client's own thread, under a clock that only the test
//! moves.

mod support;

use arr_emulator::{Fault, SessionStatus as Emulated};
use arr_session::{Client, ErrorKind, Event, EventKind, KeepAlive, OperationState, SessionStatus, WatchOptions};
use std::time::Duration;
use support::paced::Lab;
use support::wire::{Wire, in_both_versions};
use support::{HOUR, SECOND};

in_both_versions![
    changes_of_status_and_the_end_of_the_lease_are_told_at_their_moment,
    what_the_applications_own_calls_find_is_told_too,
    nothing_is_told_after_watching_has_ended,
    a_session_that_is_kept_alive_lives_exactly_until_its_cap,
    without_a_sign_of_life_nothing_is_extended,
    an_extension_that_fails_is_told_and_tried_again,
    a_lease_that_somebody_else_has_extended_is_learned,
    after_the_machine_has_slept_everything_is_read_before_anything_is_told,
    a_resume_that_is_announced_does_the_same,
    a_hundred_sessions_cost_two_lists_a_minute,
    a_snapshot_counts_down_without_a_request,
    what_was_promised_for_the_end_is_kept,
];

const MINUTE: Duration = Duration::from_secs(60);

fn watched(lab: &Lab, lease: Duration) -> arr_session::Session {
    let session = lab.ready(lease);
    session.watch(WatchOptions::default(), 7.into()).unwrap();
    session
}

fn times(told: &[(Duration, EventKind)], kind: EventKind) -> Vec<Duration> {
    told.iter().filter(|(_, it)| *it == kind).map(|(when, _)| *when).collect()
}

/// How often a session was asked for a longer lease.
fn extensions(lab: &Lab) -> usize {
    lab.emulator.requests().iter().filter(|request| request.method == "PATCH").count()
}

fn changes_of_status_and_the_end_of_the_lease_are_told_at_their_moment(wire: &Wire) {
    for startup in [25, 30] {
        let lab = Lab::with_startup(wire, startup * SECOND);
        let session = lab.create(HOUR);
        session.watch(WatchOptions::default(), 7.into()).unwrap();
        let told = lab.pump(2 * HOUR, SECOND);
        // It is read every 10 s. One version then tells how long it has been ready, to the second; the other cuts to minutes.
        let ready = Duration::from_secs(30);
        let began = if wire.is_v1() { startup * SECOND } else { ready };
        let expected = [
            (ready, EventKind::StatusChanged),
            (began + 55 * MINUTE, EventKind::LeaseExpiring),
            (began + HOUR, EventKind::StatusChanged),
        ];
        assert_eq!(told, expected, "ready after {startup} s");
        assert_eq!(session.snapshot().status, SessionStatus::Expired);
    }
}

fn what_the_applications_own_calls_find_is_told_too(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.create(HOUR);
    session.watch(WatchOptions::default(), 7.into()).unwrap();
    session.properties(None).unwrap();
    lab.clock.settle();
    let told = lab.events();
    let known = told.iter().map(|event| (event.kind, event.label.user_data)).collect::<Vec<_>>();
    let expected = if wire.is_v1() { vec![(EventKind::StatusChanged, 7)] } else { vec![] }; // It was ready when created.
    assert_eq!(known, expected);
    session.stop(None).unwrap();
    lab.clock.pass(MINUTE);
    assert_eq!(session.snapshot().status, SessionStatus::Stopped);
    assert!(lab.told().iter().all(|kind| *kind == EventKind::StatusChanged));
    assert_eq!(lab.pump(HOUR, MINUTE), [], "an end is told once");
}

fn nothing_is_told_after_watching_has_ended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let (first, second) = (watched(&lab, HOUR), lab.ready(HOUR));
    second.watch(WatchOptions::default(), 8.into()).unwrap();
    let again = second.clone();
    drop(again);
    first.unwatch();
    let told: Vec<Event> = {
        lab.clock.pass(56 * MINUTE);
        lab.events()
    };
    assert_eq!(told.iter().map(|event| event.label.user_data).collect::<Vec<_>>(), [8], "a clone ends nothing");
    drop(second);
    assert_eq!(lab.pump(HOUR, MINUTE), []);
    lab.requests();
    lab.clock.pass(HOUR);
    assert_eq!(lab.requests(), [] as [&str; 0], "nobody is looked after any more");
}

fn a_session_that_is_kept_alive_lives_exactly_until_its_cap(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = watched(&lab, HOUR);
    session.keep_alive(Some(KeepAlive::until(6 * HOUR))).unwrap();
    let told = lab.pump(7 * HOUR, MINUTE);
    assert_eq!(times(&told, EventKind::LeaseExtended).len(), 20, "from 1 h to 6 h by 15 minutes: {told:?}");
    assert_eq!(extensions(&lab), 20, "and none is asked for twice");
    assert_eq!(times(&told, EventKind::LeaseCapReached), [6 * HOUR - 5 * MINUTE]);
    assert_eq!(times(&told, EventKind::LeaseExpiring), [6 * HOUR - 5 * MINUTE]);
    assert_eq!(times(&told, EventKind::StatusChanged), [6 * HOUR]);
    assert_eq!(lab.emulator.sessions()[0].max_lease, 6 * HOUR);
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn without_a_sign_of_life_nothing_is_extended(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let (touched, silent) = (watched(&lab, HOUR), watched(&lab, HOUR));
    for session in [&touched, &silent] {
        session.keep_alive(Some(KeepAlive::until(10 * HOUR))).unwrap();
    }
    // Nobody pulls events from here on. One session is touched every minute, the other is not.
    for _ in 0..90 {
        lab.clock.pass(MINUTE);
        touched.touch();
    }
    assert_eq!(extensions(&lab), 3, "only what was touched has grown, by 15 minutes each time");
    assert_eq!(touched.snapshot().max_lease, Some(HOUR + 45 * MINUTE));
    let told = lab.events();
    let of = |id, kind| told.iter().filter(|event| event.session.as_ref() == Some(id) && event.kind == kind).count();
    assert_eq!(of(silent.id(), EventKind::KeepAlivePaused), 1);
    assert_eq!(of(silent.id(), EventKind::LeaseExtended), 0);
    assert_eq!(silent.snapshot().status, SessionStatus::Expired);
    assert_eq!(of(touched.id(), EventKind::KeepAlivePaused), 0);

    // Pulling is a sign of life too, and what was paused goes on at once.
    let paused = watched(&lab, HOUR);
    paused.keep_alive(Some(KeepAlive::until(10 * HOUR))).unwrap();
    touched.unwatch();
    let before = extensions(&lab);
    lab.clock.pass(57 * MINUTE);
    assert_eq!(extensions(&lab), before, "exactly zero extensions");
    lab.events();
    lab.clock.settle();
    assert_eq!(extensions(&lab), before + 1);
    // Without the switch the process's life is enough.
    paused.keep_alive(Some(KeepAlive { liveness: None, ..KeepAlive::until(10 * HOUR) })).unwrap();
    lab.clock.pass(2 * HOUR);
    assert!(extensions(&lab) > before + 5);
}

fn an_extension_that_fails_is_told_and_tried_again(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = watched(&lab, HOUR);
    session.keep_alive(Some(KeepAlive::until(2 * HOUR))).unwrap();
    lab.emulator.add_faults([refuse_updates(1)]).unwrap();
    let told = lab.pump(58 * MINUTE, 10 * SECOND);
    let failed = times(&told, EventKind::LeaseNotExtended);
    assert_eq!(failed, [55 * MINUTE]);
    assert_eq!(times(&told, EventKind::LeaseExtended), [55 * MINUTE + 30 * SECOND]);
}

/// The next updates are answered 403, which is not repeated by the call itself.
fn refuse_updates(times: u32) -> Fault {
    Fault::on("PATCH", "**").times(times).status(403)
}

fn a_lease_that_somebody_else_has_extended_is_learned(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = watched(&lab, HOUR);
    session.keep_alive(Some(KeepAlive::until(3 * HOUR))).unwrap();
    lab.clock.pass(54 * MINUTE + 50 * SECOND);
    let other = lab.another_client(wire.config());
    let theirs = other.open_session(session.id(), None).unwrap();
    theirs.update_lease(arr_session::Lease::new(2 * HOUR).unwrap(), None).unwrap();
    lab.pump(MINUTE, SECOND);
    assert_eq!(session.snapshot().max_lease, Some(2 * HOUR));
    assert_eq!(lab.emulator.sessions()[0].max_lease, 2 * HOUR);
}

/// The first event after a sleep of 30 hours, and what was asked before it.
fn sleep_through(lab: &Lab, announce: bool) -> (Vec<EventKind>, Vec<String>) {
    lab.events();
    lab.emulator.close_idle_connections();
    lab.requests();
    lab.clock.jump(30 * HOUR);
    if announce {
        lab.client.resume().unwrap();
    }
    lab.clock.settle();
    (lab.told(), lab.requests())
}

fn slept(wire: &Wire, announce: bool) {
    const TOKEN: &str = "GET /accounts/{id}/token";
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let day = if wire.is_v1() { 48 * HOUR } else { 24 * HOUR };
    let (lives, ended) = (watched(&lab, day), watched(&lab, HOUR));
    lives.keep_alive(Some(KeepAlive::until(day))).unwrap();
    lab.clock.pass(10 * MINUTE);
    let (told, asked) = sleep_through(&lab, announce);
    assert_eq!(asked[..2], [TOKEN, wire.list], "the token has run out, and then everything is read: {asked:?}");
    let of_sessions = if wire.is_v1() { 1 } else { 2 }; // Both leases have ended where a day is the most.
    let changed = told.iter().filter(|kind| **kind == EventKind::StatusChanged).count();
    assert_eq!((changed, told.len()), (of_sessions, of_sessions + 1), "{told:?}");
    assert!(told.contains(&EventKind::Resumed));
    assert_eq!(ended.snapshot().status, SessionStatus::Expired);
    assert_eq!(lives.snapshot().status, if wire.is_v1() { SessionStatus::Ready } else { SessionStatus::Expired });
    // The first call succeeds, although every connection that was kept is dead.
    lab.emulator.close_idle_connections();
    lab.clock.jump(30 * HOUR);
    assert_eq!(lives.properties(None).unwrap().status, SessionStatus::Expired);
}

fn after_the_machine_has_slept_everything_is_read_before_anything_is_told(wire: &Wire) {
    slept(wire, false);
}

fn a_resume_that_is_announced_does_the_same(wire: &Wire) {
    slept(wire, true);
}

fn a_hundred_sessions_cost_two_lists_a_minute(wire: &Wire) {
    for count in [100, 1_000] {
        let lab = Lab::with_startup(wire, Duration::ZERO);
        let sessions: Vec<_> = (0..count).map(|_| lab.ready(2 * HOUR)).collect();
        let (memory, threads) = cost();
        sessions.iter().for_each(|session| session.watch(WatchOptions::default(), 7.into()).unwrap());
        lab.requests();
        let minutes = if count > 100 { 5 } else { 60 };
        lab.pump(minutes * MINUTE, MINUTE);
        let (memory_after, threads_after) = cost();
        println!(
            "{count} watched sessions: {} kB and {threads_after} threads of the process, which is the emulator too; {} kB and \
             {} threads more than before they were watched",
            memory_after,
            memory_after.saturating_sub(memory),
            threads_after.saturating_sub(threads)
        );
        let asked = lab.requests();
        // A list is read page by page in one version.
        let lists = asked.iter().filter(|line| *line == wire.list).count();
        assert_eq!(lists, asked.len(), "no session is read singly: {asked:?}");
        let pages = if wire.is_v1() { 1 } else { lists.div_ceil(2 * minutes as usize) };
        assert!(lists <= 2 * minutes as usize * pages, "{lists} lists in {minutes} minutes");
        // One that leaves the list is asked what became of it.
        lab.emulator.set_session_status(sessions[7].id().as_str(), Emulated::Stopped, None).unwrap();
        lab.clock.pass(31 * SECOND);
        assert_eq!(lab.requests().iter().filter(|line| *line == wire.properties).count(), 1);
        assert_eq!(sessions[7].snapshot().status, SessionStatus::Stopped);
    }
}

/// Resident memory in kB, and threads, of this process.
fn cost() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    (number("VmRSS:"), number("Threads:"))
}

fn a_snapshot_counts_down_without_a_request(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let session = lab.ready(HOUR);
    lab.requests();
    let first = session.snapshot();
    assert_eq!((first.status.clone(), first.max_lease, first.remaining), (SessionStatus::Ready, Some(HOUR), HOUR));
    lab.clock.jump(100 * SECOND);
    let later = session.snapshot();
    assert_eq!((later.remaining, later.elapsed, later.age), (HOUR - 100 * SECOND, 100 * SECOND, 100 * SECOND));
    assert_eq!(later.revision, first.revision, "only time has passed");
    lab.clock.jump(2 * HOUR);
    assert_eq!(session.snapshot().remaining, Duration::ZERO);
    assert_eq!(lab.requests(), [] as [&str; 0]);
    session.properties(None).unwrap();
    assert!(session.snapshot().revision > first.revision);
    assert_eq!(session.snapshot().status, SessionStatus::Expired);
}

fn what_was_promised_for_the_end_is_kept(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let (promised, other) = (lab.ready(HOUR), watched(&lab, HOUR));
    promised.watch(WatchOptions { stop_on_shutdown: true, ..WatchOptions::default() }, 1.into()).unwrap();
    let waiting = promised.properties_start(None, 3.into()).unwrap();
    waiting.wait(MINUTE);
    lab.client.shut_down_within(MINUTE).unwrap();
    let left: Vec<_> =
        lab.emulator.sessions().into_iter().filter(|session| session.status == Emulated::Ready).collect();
    assert_eq!(left.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), [other.id().as_str()]);
    assert_eq!(waiting.state(), OperationState::Succeeded);
    assert_eq!(rest(&lab.client).last(), Some(&ErrorKind::ShutDown), "what is queued is delivered, then the end");
}

/// Pulls to the end.
fn rest(client: &Client) -> Vec<ErrorKind> {
    loop {
        match client.next_event(Duration::ZERO) {
            Ok(Some(_)) => {}
            Ok(None) => return Vec::new(),
            Err(error) => return vec![error.kind()],
        }
    }
}
