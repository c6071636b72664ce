//! The state folder under load, killed at random moments, and on a full disk.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use arr_service::{DEVELOPMENT_ACCOUNT_ID as ACCOUNT, DEVELOPMENT_ACCOUNT_KEY as KEY};
use rustls::ClientConfig;
use serde_json::Value;

use crate::https::{self, Https, trusting};
use crate::running::{Running, program};
use crate::support::{folder, run};

const OPTIONS: [&str; 5] = ["--tls", "--startup", "0s", "--state", "state"];

/// What a client knows of a session.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The last acknowledged lease, in hours.
    hours: u64,
    /// Whether a stop was sent, and whether it was acknowledged.
    stop_sent: bool,
    stopped: bool,
}

fn sessions() -> String {
    format!("/v1/accounts/{ACCOUNT}/sessions")
}

/// The text of the certificate that the emulator has written.
fn authority(folder: &Path) -> String {
    fs::read_to_string(folder.join("arr-emulator-ca.pem")).expect("a certificate")
}

fn token(https: &mut Https) -> String {
    let (status, body) =
        https.call("GET", &format!("/accounts/{ACCOUNT}/token"), &format!("{ACCOUNT}:{KEY}"), "").expect("a reply");
    assert_eq!(status, 200, "{body}");
    body["AccessToken"].as_str().expect("a token").to_owned()
}

/// Creates, extends and stops sessions until the emulator dies; returns what it acknowledged, and counts the creates.
fn load(url: &str, trust: &Arc<ClientConfig>, token: &str, created: &AtomicU64) -> HashMap<String, Known> {
    let mut known = HashMap::new();
    // Ends with the first error: the emulator has been killed.
    let mut work = || -> std::io::Result<()> {
        let mut https = https::open(url, trust)?;
        for number in 0_u32.. {
            let (status, body) = https.call(
                "POST",
                &format!("{}/create", sessions()),
                token,
                r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#,
            )?;
            assert_eq!(status, 202, "{body}");
            created.fetch_add(1, Ordering::Relaxed);
            let id = body["sessionId"].as_str().expect("an id").to_owned();
            let path = format!("{}/{id}", sessions());
            let session = known.entry(id).or_insert(Known { hours: 4, stop_sent: false, stopped: false });
            if number % 2 == 0 {
                let (status, body) = https.call("PATCH", &path, token, r#"{"maxLeaseTime":"5:0:0"}"#)?;
                assert_eq!(status, 200, "{body}");
                session.hours = 5;
            }
            if number % 3 == 0 {
                session.stop_sent = true;
                let (status, body) = https.call("DELETE", &path, token, "")?;
                assert_eq!(status, 204, "{body}");
                session.stopped = true;
            }
        }
        Ok(())
    };
    let _ = work();
    known
}

/// A number below this.
fn random_below(limit: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").subsec_nanos();
    u64::from(now) / 1000 % limit
}

#[test]
fn nothing_acknowledged_is_lost_by_sigkill() {
    const ROUNDS: usize = 10;
    const THREADS: usize = 6;
    let folder = folder("sigkill");
    let mut known = HashMap::<String, Known>::new();
    let mut first: Option<(String, String)> = None;
    for round in 0..=ROUNDS {
        let mut running = Running::begin(&folder, &OPTIONS);
        let url = running.ready["url"].as_str().expect("a URL").to_owned();
        let pem = authority(&folder);
        // Trust: the authority that clients were given before the first kill.
        let trust = trusting(first.as_ref().map_or(&pem, |(pem, _)| pem));
        let mut https = https::open(&url, &trust).expect("a connection");
        let new_token = token(&mut https);
        let (old_pem, old_token) = first.get_or_insert_with(|| (pem.clone(), new_token.clone()));
        assert_eq!(*old_pem, pem, "round {round}");
        let (_, found) = https.call("GET", "/emulator/sessions", "", "").expect("a list");
        let found: HashMap<_, _> = found["sessions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| (it["id"].as_str().expect("an id"), it))
            .collect();
        for (id, known) in &known {
            let session: &Value = found.get(id.as_str()).unwrap_or_else(|| panic!("round {round}: {id} is lost"));
            let lease = session["max_lease_ms"].as_u64().expect("a number");
            assert!(lease >= known.hours * 3_600_000, "round {round}: {session}, {known:?}");
            let expected = match known {
                Known { stopped: true, .. } => &["Stopped"][..],
                Known { stop_sent: true, .. } => &["Stopped", "Ready"],
                _ => &["Ready"],
            };
            assert!(expected.contains(&session["status"].as_str().expect("a status")), "{session}, {known:?}");
        }
        // The first token, through the service's own call.
        let ids = known.keys().take(20).cloned().collect::<Vec<_>>();
        for id in &ids {
            let (status, body) =
                https.call("GET", &format!("{}/{id}/properties", sessions()), old_token, "").expect("a reply");
            assert_eq!((status, body["sessionId"].as_str()), (200, Some(id.as_str())), "round {round}");
        }
        if round == ROUNDS {
            break;
        }
        let before = known.len();
        let created = AtomicU64::new(0);
        let acknowledged = thread::scope(|scope| {
            let work = || load(&url, &trust, &new_token, &created);
            let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            // The moment depends on the load, not on how busy the machine is.
            let (enough, deadline) = (1 + random_below(100), Instant::now() + Duration::from_secs(60));
            while created.load(Ordering::Relaxed) < enough && Instant::now() < deadline {
                thread::sleep(Duration::from_micros(100));
            }
            thread::sleep(Duration::from_millis(random_below(10)));
            running.child.kill().expect("killed");
            running.child.wait().expect("dead");
            workers.into_iter().map(|worker| worker.join().expect("no assertion failed")).collect::<Vec<_>>()
        });
        known.extend(acknowledged.into_iter().flatten());
        assert!(known.len() > before, "round {round}: there was load");
        fs::remove_file(folder.join("ready.json")).expect("a killed emulator leaves it");
    }
    println!("{} sessions in {ROUNDS} rounds", known.len());
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let folder = folder("state_in_use");
    let _running = Running::begin(&folder, &OPTIONS);
    let output = program(&folder, &["--listen", "127.0.0.1:0", "--state", "state"]).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
    let path = folder.join("state");
    assert!(stderr.contains(&format!("the state folder {} is in use", path.display())), "{stderr}");
}

/// A running emulator that may write files of this size only, in blocks of 512 bytes, as on a disk that fills up.
fn on_a_full_disk(folder: &Path, blocks: u32) -> Running {
    const SCRIPT: &str = r#"trap "" XFSZ; ulimit -S -f "$0"; exec "$@""#;
    Running::begin_command(
        folder,
        |program| {
            let mut shell = Command::new("sh");
            shell.args(["-c", SCRIPT, &blocks.to_string()]).arg(program.get_program()).args(program.get_args());
            shell
        },
        &OPTIONS,
    )
}

#[test]
fn what_cannot_be_stored_is_a_503_and_has_no_effect() {
    let folder = folder("full_disk");
    let mut running = on_a_full_disk(&folder, 400);
    let url = running.ready["url"].as_str().expect("a URL").to_owned();
    let trust = trusting(&authority(&folder));
    let mut https = https::open(&url, &trust).expect("a connection");
    let token = token(&mut https);
    let create = format!("{}/create", sessions());
    let body = r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;
    let mut acknowledged = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let refused = loop {
        assert!(Instant::now() < deadline, "the disk is never full");
        match https.call("POST", &create, &token, body).expect("a reply") {
            (202, body) => acknowledged.push(body["sessionId"].as_str().expect("an id").to_owned()),
            other => break other,
        }
    };
    assert_eq!(refused.0, 503, "{refused:?}");
    assert!(refused.1["error"].as_str().is_some_and(|text| text.contains("state folder")), "{refused:?}");
    let listed = |https: &mut Https| {
        let (status, list) = https.call("GET", &sessions(), &token, "").expect("a list");
        assert_eq!(status, 200, "{list}");
        let sessions = list["sessions"].as_array().expect("a list").clone();
        sessions.iter().map(|it| it["sessionId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut https), acknowledged);
    // The smallest change of all takes what is left.
    while https.call("POST", "/emulator/clock", &token, r#"{"advance_ms":1}"#).expect("a reply").0 == 200 {
        assert!(Instant::now() < deadline, "the disk is never full");
    }
    // Neither an extension nor a stop nor an advance of the clock is possible, or seen.
    let session = format!("{}/{}", sessions(), acknowledged[0]);
    let (_, before) = https.call("GET", &format!("{session}/properties"), &token, "").expect("a reply");
    for (method, path, body) in [
        ("PATCH", session.as_str(), r#"{"maxLeaseTime":"5:0:0"}"#),
        ("DELETE", &session, ""),
        ("POST", "/emulator/clock", r#"{"advance_ms":36000000}"#),
    ] {
        assert_eq!(https.call(method, path, &token, body).expect("a reply").0, 503, "{method}");
    }
    let (_, after) = https.call("GET", &format!("{session}/properties"), &token, "").expect("a reply");
    assert_eq!(after["sessionMaxLeaseTime"], before["sessionMaxLeaseTime"]);
    assert_eq!(after["sessionStatus"], "Ready");

    assert_eq!(https.call("GET", "/health", "", "").expect("a reply").0, 503);

    // There is room again.
    let process = running.child.id().to_string();
    let freed = run(Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]), "util-linux");
    assert!(freed.status.success(), "{freed:?}");
    assert_eq!(https.call("DELETE", &session, &token, "").expect("a reply").0, 204);
    assert_eq!(https.call("GET", "/health", "", "").expect("a reply").0, 200);
    let (status, body) = https.call("POST", &create, &token, body).expect("a reply");
    assert_eq!(status, 202, "{body}");
    acknowledged.push(body["sessionId"].as_str().expect("an id").to_owned());
    running.child.kill().expect("killed");
    let (_, _, stderr) = running.end();
    assert!(stderr.contains("cannot write the state folder, so calls that change something get 503"), "{stderr}");
    assert!(stderr.contains("the state folder can be written again"), "{stderr}");

    fs::remove_file(folder.join("ready.json")).expect("a killed emulator leaves it");
    let running = Running::begin(&folder, &OPTIONS);
    let mut https = https::open(running.ready["url"].as_str().expect("a URL"), &trust).expect("a connection");
    assert_eq!(listed(&mut https), acknowledged[1..], "the first is stopped");
}
