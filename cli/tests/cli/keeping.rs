//! hold, watch and recover.

use std::time::Duration;

use arr_service::{Config, Emulator, Fault, SessionStatus};
use serde_json::json;
use snapbox::str;

use crate::place::{Place, Running, stderr, with_both_versions};

#[test]
fn a_held_session_is_extended_and_left_running() {
    with_both_versions("hold", Place::new, |place| {
        let id = place.create(&["--lease", "2m"]);
        let mut running = Running::begin(place.with_account(&["hold", &id, "--cap", "8h"]));
        running.until("lease extended to ");
        running.interrupt();
        let (code, stdout, stderr) = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(stdout.starts_with(&format!("Session  {id}\n")), "{stdout}");
        assert!(stderr.contains(&format!("interrupted; session {id} keeps running, its lease ends in ")), "{stderr}");
        let stop = format!("hint: to stop it: arr --emulator={} stop {id}\n", place.url());
        assert!(stderr.contains(&stop), "{stderr}");
        assert_eq!(place.statuses(), ["Ready"]);
        // It runs on purpose, and is still this command line's.
        place.arr(&["recover", "-o", "json"]).assert().success().stdout_eq("[]\n");
        place.arr(&["list", "--mine", "-o", "id"]).assert().success().stdout_eq(format!("{id}\n"));
    });
}

#[test]
fn a_held_session_is_stopped_if_that_is_asked_for() {
    with_both_versions("hold_stop", Place::new, |place| {
        let id = place.create(&[]);
        let mut running = Running::begin(place.with_account(&["hold", &id, "--cap", "2h", "--on-exit", "stop"]));
        running.until("holding session");
        running.interrupt();
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(stderr.ends_with(&format!("interrupted; session {id} was stopped\n")), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
        place.arr(&["hold", &id, "--cap", "2h"]).assert().code(5).stdout_eq("");
    });
}

#[test]
fn create_can_hold_and_stops_at_the_end() {
    with_both_versions("create_hold", Place::new, |place| {
        let mut running = Running::begin(place.with_account(&["create", "--hold", "--cap", "4h", "-o", "id"]));
        running.until("holding session");
        running.interrupt();
        let (code, stdout, stderr) = running.end();
        assert_eq!((code, stdout.trim()), (Some(130), place.emulator.sessions()[0].id.as_str()), "{stderr}");
        assert_eq!(place.statuses(), ["Stopped"]);
        place.arr(&["create", "--hold"]).assert().code(2);
    });
}

#[test]
fn a_hold_ends_when_the_session_does() {
    with_both_versions("hold_end", Place::new, |place| {
        let id = place.create(&[]);
        let options = ["hold", &id, "--cap", "2h", "--poll-interval", "100ms"];
        let mut running = Running::begin(place.with_account(&options));
        running.until("holding session");
        place.arr(&["stop", &id]).assert().success();
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(&format!("error: session {id} is stopped")), "{stderr}");

        let id = place.create(&["--lease", "2m"]);
        let options = ["hold", &id, "--cap", "2m", "--poll-interval", "100ms"];
        let mut running = Running::begin(place.with_account(&options));
        running.until("reached the cap of 2m");
        place.emulator.advance_clock(Duration::from_secs(700));
        let (code, _, stderr) = running.end();
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains(&format!("session {id} has expired at its cap")), "{stderr}");

        let id = place.create(&["--lease", "10m"]);
        for shorter in [&["hold", &id, "--cap", "5s"][..], &["create", "--lease", "10m", "--hold", "--cap", "5s"]] {
            let refused = place.arr(shorter).assert().code(2).stdout_eq("");
            refused.stderr_eq(str![[r#"
error: the lease is already 10m, more than --cap 5s
 hint: --cap limits the total lease; a session is held until Ctrl+C

"#]]);
        }
        assert_eq!(place.emulator.sessions().len(), 3, "nothing was created");
    });
}

#[test]
fn what_a_killed_run_left_behind_is_found() {
    with_both_versions("recover", Place::where_sessions_start, |place| {
        place.arr(&["recover"]).assert().success().stdout_eq("").stderr_eq("nothing was left behind\n");
        let mut running = Running::begin(place.with_account(&["create", "--wait"]));
        running.until("is starting\n");
        running.kill();
        let id = place.emulator.sessions()[0].id.clone();
        for _ in 0..2 {
            place.arr(&["recover"]).assert().success().stdout_eq(str![[r#"
ID                                    STATUS    SIZE      LEASE  LEFT  CLAIM  HOST
[..]  starting  standard  1h     1h    ours   -

"#]]);
        }
        let doctor = place.json(&["doctor"]);
        let journal = doctor.as_array().expect("a list").last().expect("a check");
        assert_eq!((&journal["check"], &journal["verdict"]), (&json!("journal"), &json!("warning")), "{journal}");
        place.arr(&["recover", "--keep", "-o", "id"]).assert().success().stdout_eq(format!("{id}\n"));
        place.arr(&["recover", "-o", "id"]).assert().success().stdout_eq("");
        assert_eq!(place.statuses(), ["Starting"]);
    });
}

#[test]
fn what_was_left_behind_elsewhere_is_a_note() {
    let [mut here, there] = ["recover_here", "recover_there"].map(Place::where_sessions_start);
    let lose_create = |place: &Place, home: &Place| {
        let lost = Fault::on("POST", "/v1/accounts/*/sessions/create").close().executed(true);
        place.emulator.add_faults([lost]).expect("a valid fault");
        place.arr(&["create"]).env("HOME", &home.home).assert().code(8);
    };
    lose_create(&there, &here);
    let output = here.arr(&["recover", "-o", "json"]).assert().success().stdout_eq("[]\n");
    let text = stderr(&output);
    assert!(text.starts_with("note: the journal has a session at ") && text.contains(there.url()), "{text}");
    assert!(!text.contains("trusted_endpoints"), "{text}");
    lose_create(&here, &here);
    let url = here.url().to_owned();
    here.emulator = Emulator::start(Config::default()).expect("it starts");
    let gone = ["recover", "--request-timeout", "1s", &format!("--emulator={url}")];
    here.bare(&gone).assert().code(7).stdout_eq("");
}

#[test]
fn what_is_certainly_ours_can_be_stopped_at_once() {
    let place = Place::where_sessions_start("recover_stop");
    let mut running = Running::begin(place.with_account(&["create", "--wait"]));
    running.until("is starting\n");
    running.kill();
    let lost = Fault::on("POST", "/v1/accounts/*/sessions/create").close().executed(true);
    place.emulator.add_faults([lost]).expect("a valid fault");
    place.arr(&["create", "--size", "premium"]).assert().code(8);
    place.arr(&["recover", "--stop"]).assert().success().stdout_eq("[..]  stopped\n").stderr_eq(str![[r#"
session [..] may be another's, so it was not stopped; to stop it: arr --emulator=https://127.0.0.1:[..] stop [..]

"#]]);
    assert_eq!(place.statuses(), ["Stopped", "Starting"]);
}

#[test]
fn what_is_certainly_ours_can_be_held() {
    with_both_versions("recover_hold", Place::where_sessions_start, |place| {
        let hold = ["recover", "--hold", "--cap", "8h"];
        place.arr(&hold).assert().success().stdout_eq("").stderr_eq("nothing was left behind\n");
        for _ in 0..2 {
            let mut running = Running::begin(place.with_account(&["create", "--wait", "--lease", "2m"]));
            running.until("is starting\n");
            running.kill();
        }
        let ids: Vec<String> = place.emulator.sessions().iter().map(|session| session.id.clone()).collect();
        let mut running = Running::begin(place.with_account(&[&hold[..], &["--poll-interval", "100ms"]].concat()));
        running.until("holding 2 sessions");
        for id in &ids {
            place.emulator.set_session_status(id, SessionStatus::Ready, None).expect("a valid change");
        }
        running.until(&format!("session {}: lease extended to ", ids[0]));
        running.until(&format!("session {}: lease extended to ", ids[1]));
        running.interrupt();
        let (code, stdout, stderr) = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(ids.iter().all(|id| stdout.contains(id)), "{stdout}");
        assert!(ids.iter().all(|id| stderr.contains(&format!("session {id} keeps running"))), "{stderr}");
        place.arr(&["recover", "-o", "id"]).assert().success().stdout_eq("");
        assert_eq!(place.statuses(), ["Ready", "Ready"]);
    });
    let place = Place::new("recover_usage");
    for wrong in [&["--hold"][..], &["--hold", "--cap", "2h", "--stop"], &["--stop", "--keep"], &["--cap", "2h"]] {
        place.arr(&["recover"]).args(wrong).assert().code(2);
    }
}

#[test]
fn watch_prints_changes_until_all_have_ended() {
    with_both_versions("watch", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        let mut running = Running::begin(place.with_account(&["watch", &id, "--interval", "50ms"]));
        running.until_printed("starting");
        place.emulator.set_session_status(&id, SessionStatus::Ready, None).expect("a valid change");
        running.until_printed("ready");
        place.arr(&["stop", &id]).assert().success();
        let (code, stdout, stderr) = running.end();
        assert_eq!(code, Some(0), "{stderr}");
        let words: Vec<&str> = stdout.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(words, ["starting", "ready", "stopped"], "{stdout}");
        place.arr(&["watch", "nope"]).assert().code(4);
    });
}
