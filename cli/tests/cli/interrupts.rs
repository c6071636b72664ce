//! Ctrl+C at each stage: no session is left in doubt.

use std::time::Duration;

use arr_service::{Fault, RecordedRequest};

use crate::place::{Place, Running, eventually, with_both_versions};

fn is_create(request: &RecordedRequest) -> bool {
    request.method == "PUT" || request.path.ends_with("/create")
}

/// Stops.
fn stops() -> [Fault; 2] {
    [Fault::on("DELETE", "**"), Fault::on("POST", "**/:stop")]
}

/// A create whose reply is late.
fn delayed() -> [Fault; 2] {
    [("POST", "**/create"), ("PUT", "**")]
        .map(|(method, path)| Fault::on(method, path).delay(Duration::from_secs(2)).executed(true))
}

#[test]
fn while_the_session_starts_it_is_stopped() {
    with_both_versions("interrupt_wait", Place::where_sessions_start, |place| {
        let mut running = Running::begin(place.with_account(&["create", "--wait"]));
        running.until("is starting\n");
        running.interrupt();
        let (code, stdout, stderr) = running.end();
        let id = &place.emulator.sessions()[0].id;
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.ends_with(&format!("error: interrupted; session {id} was stopped\n")), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
    });
}

#[test]
fn before_the_reply_to_the_create_it_is_awaited_and_the_session_stopped() {
    with_both_versions("interrupt_create", Place::where_sessions_start, |place| {
        place.emulator.add_faults(delayed()).expect("valid faults");
        let mut running = Running::begin(place.with_account(&["create"]));
        eventually("the create is sent", || place.emulator.requests().iter().any(is_create));
        running.interrupt();
        running.until("waiting for the service's reply");
        let (code, stdout, stderr) = running.end();
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.contains("was stopped"), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
    });
}

#[test]
fn twice_before_the_reply_it_says_that_a_session_may_run() {
    let place = Place::where_sessions_start("interrupt_twice");
    place.emulator.add_faults([Fault::on("POST", "**/create").stall().executed(true)]).expect("a valid fault");
    let mut running = Running::begin(place.with_account(&["create"]));
    eventually("the create is sent", || place.emulator.requests().iter().any(is_create));
    running.interrupt();
    running.until("waiting for the service's reply");
    running.interrupt();
    let (code, _, stderr) = running.end();
    assert_eq!(code, Some(8), "{stderr}");
    assert!(stderr.contains("a session may be running\n hint: to find it: arr --emulator"), "{stderr}");
}

#[test]
fn if_it_cannot_be_stopped_it_says_how() {
    with_both_versions("interrupt_no_stop", Place::where_sessions_start, |place| {
        place.emulator.add_faults(stops().map(|stop| stop.status(403).always())).expect("valid faults");
        let mut running = Running::begin(place.with_account(&["create", "--wait"]));
        running.until("is starting\n");
        running.interrupt();
        let (code, _, stderr) = running.end();
        let id = &place.emulator.sessions()[0].id;
        assert_eq!(code, Some(8), "{stderr}");
        assert!(stderr.contains(&format!("session {id} may be running\n hint: the stop failed: ")), "{stderr}");
        assert!(stderr.contains(&format!("hint: to stop it: arr --emulator={} stop {id}\n", place.url())), "{stderr}");
    });
}

#[test]
fn a_wait_for_an_existing_session_leaves_it_and_says_so() {
    with_both_versions("interrupt_existing", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        let mut running = Running::begin(place.with_account(&["wait", &id]));
        running.until("is starting\n");
        running.interrupt();
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(
            stderr.contains(&format!("session {id} is still starting and keeps running\n hint: to stop it: ")),
            "{stderr}"
        );
        assert_eq!(place.statuses(), ["Starting"]);
    });
}

#[test]
fn a_stop_in_flight_is_finished_and_the_next_is_not_begun() {
    let place = Place::where_sessions_start("interrupt_stop");
    let (one, two) = (place.create(&[]), place.create(&[]));
    place.emulator.add_faults([Fault::on("DELETE", "**").delay(Duration::from_secs(1))]).expect("a valid fault");
    let running = Running::begin(place.with_account(&["stop", &one, &two, "-o", "json"]));
    eventually("the stop is sent", || place.emulator.requests().iter().any(|it| it.method == "DELETE"));
    running.interrupt();
    let (code, stdout, stderr) = running.end();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stdout.contains("stopped") && stdout.contains("failed"), "{stdout}");
    assert_eq!(place.statuses(), ["Stopped", "Starting"]);
}

/// Begins a command, and waits until it has sent a request that will have no reply.
fn begin_stalled(place: &Place, command: &[&str], is_it: fn(&RecordedRequest) -> bool) -> Running {
    let sent = || place.emulator.requests().iter().filter(|it| is_it(it)).count();
    let before = sent();
    let running = Running::begin(place.with_account(command));
    eventually("it is sent", || sent() > before);
    running
}

#[test]
fn while_it_only_reads_every_command_ends_at_once() {
    with_both_versions("interrupt_reads", Place::where_sessions_start, |place| {
        let mut running = Running::begin(place.with_account(&["create", "--wait"]));
        running.until("is starting\n");
        running.kill();
        let id = place.emulator.sessions()[0].id.clone();
        let reads = ["**/sessions", "**/sessions/**"].map(|path| Fault::on("GET", path).stall().always());
        place.emulator.add_faults(reads).expect("valid faults");
        for command in [
            &["list"][..],
            &["show", &id],
            &["wait", &id],
            &["extend", &id, "--by", "1h"],
            &["stop", "--account", "--yes"],
            &["hold", &id, "--cap", "2h"],
            &["watch"],
            &["watch", &id],
            &["recover"],
            &["doctor"],
        ] {
            let running = begin_stalled(place, command, |it| it.method == "GET" && it.path.contains("/sessions"));
            running.interrupt();
            let (code, stdout, _) = running.end();
            assert_eq!((code, stdout.as_str()), (Some(130), ""), "{command:?}");
        }
        assert_eq!(place.statuses(), ["Starting"]);
    });
}

#[test]
fn while_it_gets_a_token_nothing_is_created() {
    with_both_versions("interrupt_token", Place::new, |place| {
        place.emulator.add_faults([Fault::on("GET", "**/token").stall().always()]).expect("a valid fault");
        for command in [&["create"][..], &["create", "--wait"], &["create", "--hold", "--cap", "2h"], &["token"]] {
            let running = begin_stalled(place, command, |it| it.path.contains("/token"));
            running.interrupt();
            let (code, stdout, stderr) = running.end();
            assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        }
        assert!(!place.emulator.requests().iter().any(is_create));
    });
}

#[test]
fn a_session_that_would_be_held_is_stopped_while_it_starts() {
    let place = Place::where_sessions_start("interrupt_create_hold");
    let mut running = Running::begin(place.with_account(&["create", "--hold", "--cap", "2h"]));
    running.until("is starting\n");
    running.interrupt();
    let (code, _, stderr) = running.end();
    assert_eq!(code, Some(130), "{stderr}");
    assert_eq!(place.statuses(), ["Stopped"]);
}

#[test]
fn twice_while_it_stops_it_says_that_the_session_may_run() {
    with_both_versions("interrupt_stop_twice", Place::new, |place| {
        let is_stop = |it: &RecordedRequest| it.method == "DELETE" || it.path.contains(":stop");
        place.emulator.add_faults(stops().map(|stop| stop.stall().always())).expect("valid faults");
        let id = place.create(&[]);
        let running = begin_stalled(place, &["stop", &id], is_stop);
        // Two different signals, since two of a kind may become one.
        running.interrupt();
        running.signal("TERM");
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(8), "{stderr}");
        assert!(stderr.contains(&format!("session {id} may still be running")), "{stderr}");

        let mut running = Running::begin(place.with_account(&["hold", &id, "--cap", "2h", "--on-exit", "stop"]));
        running.until("holding session");
        running.interrupt();
        running.until("stopping session");
        running.interrupt();
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(8), "{stderr}");
        assert!(stderr.contains(&format!("session {id} may be running\n hint: to stop it: ")), "{stderr}");
    });
}

#[test]
fn a_session_that_existed_already_is_not_stopped() {
    let place = Place::where_sessions_start("interrupt_reused");
    let create = ["create", "--api-version", "2021-01-01", "--id", "x"];
    place.arr(&create).assert().success();
    let mut running = Running::begin(place.with_account(&[&create[..], &["--wait"]].concat()));
    running.until("session x exists already; it is opened, not created\n");
    running.until("session x is starting\n");
    running.interrupt();
    let (code, _, stderr) = running.end();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("session x is still starting and keeps running\n hint: to stop it: "), "{stderr}");
    assert_eq!(place.statuses(), ["Starting"]);
}

#[test]
#[cfg(target_os = "linux")]
fn with_nohup_a_hold_outlives_its_terminal() {
    let place = Place::new("nohup");
    let id = place.create(&[]);
    let arr = place.with_account(&["hold", &id, "--cap", "2h"]);
    let mut program = std::process::Command::new("nohup");
    program.arg(arr.get_program()).args(arr.get_args()).current_dir(&place.home).env("HOME", &place.home);
    program.env("ARR_CA_FILE", place.home.join("ca.pem"));
    let mut running = Running::begin(program);
    running.until("holding session");
    running.signal("HUP");
    std::thread::sleep(Duration::from_millis(200));
    assert!(running.is_running());
    running.signal("TERM");
    let (code, _, stderr) = running.end();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("keeps running"), "{stderr}");
}
