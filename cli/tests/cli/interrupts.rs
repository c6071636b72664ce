//! Ctrl+C at each stage: no session is left in doubt.

use std::time::Duration;

use arr_service::Fault;

use crate::place::{Place, Running, VERSIONS, eventually};

fn is_create(request: &arr_service::RecordedRequest) -> bool {
    request.method == "PUT" || request.path.ends_with("/create")
}

/// A create whose reply is late.
fn delayed() -> [Fault; 2] {
    [("POST", "**/create"), ("PUT", "**")]
        .map(|(method, path)| Fault::on(method, path).delay(Duration::from_secs(2)).executed(true))
}

#[test]
fn while_the_session_starts_it_is_stopped() {
    for version in VERSIONS {
        let place = Place::where_sessions_start(&format!("interrupt_wait_{version}"));
        let mut running = Running::begin(place.with_account(&["create", "--wait", "--api-version", version]));
        running.until("is starting\n");
        running.interrupt();
        let (code, stdout, stderr) = running.end();
        let id = &place.emulator.sessions()[0].id;
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.ends_with(&format!("error: interrupted; session {id} was stopped\n")), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
    }
}

#[test]
fn before_the_reply_to_the_create_it_is_awaited_and_the_session_stopped() {
    for version in VERSIONS {
        let place = Place::where_sessions_start(&format!("interrupt_create_{version}"));
        place.emulator.add_faults(delayed()).expect("valid faults");
        let mut running = Running::begin(place.with_account(&["create", "--api-version", version]));
        eventually("the create is sent", || place.emulator.requests().iter().any(is_create));
        running.interrupt();
        running.until("waiting for the service's reply");
        let (code, stdout, stderr) = running.end();
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.contains("was stopped"), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
    }
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
    let place = Place::where_sessions_start("interrupt_no_stop");
    place.emulator.add_faults([Fault::on("DELETE", "**").status(403).always()]).expect("a valid fault");
    let mut running = Running::begin(place.with_account(&["create", "--wait"]));
    running.until("is starting\n");
    running.interrupt();
    let (code, _, stderr) = running.end();
    let id = &place.emulator.sessions()[0].id;
    assert_eq!(code, Some(8), "{stderr}");
    assert!(stderr.contains(&format!("session {id} may be running\n hint: the stop failed: ")), "{stderr}");
    assert!(stderr.contains(&format!("hint: to stop it: arr --emulator={} stop {id}\n", place.url())), "{stderr}");
}

#[test]
fn a_wait_for_an_existing_session_leaves_it_and_says_so() {
    let place = Place::where_sessions_start("interrupt_existing");
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

#[test]
fn a_read_ends_at_once() {
    let place = Place::new("interrupt_list");
    place.emulator.add_faults([Fault::on("GET", "**/sessions").stall()]).expect("a valid fault");
    let running = Running::begin(place.with_account(&["list"]));
    eventually("it is sent", || place.emulator.requests().iter().any(|it| it.path.ends_with("/sessions")));
    running.interrupt();
    let (code, stdout, stderr) = running.end();
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(130), "", ""));
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
