//! The commands on sessions, with both versions of the REST API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};

use serde_json::{Value, json};
use snapbox::cmd::cargo_bin;
use snapbox::str;

use crate::place::{Place, Running, stderr, stdout, with_both_versions};

#[test]
fn a_session_from_create_to_stop() {
    with_both_versions("story", Place::new, |place| {
        let created = place.json(&["create", "--wait", "--lease", "30m"]);
        let id = created["id"].as_str().expect("an id");
        assert_eq!((&created["status"], &created["size"]), (&json!("ready"), &json!("standard")));
        assert_eq!(created["max_lease_seconds"], 1_800);
        assert!(created["hostname"].is_string() && created["handshake_port"].is_number(), "{created}");

        assert_eq!(place.json(&["show", id])["id"], id);
        assert_eq!(place.json(&["wait", id])["status"], "ready");
        let longer = |amount: [&str; 2]| place.json(&["extend", id, amount[0], amount[1]]);
        assert_eq!(longer(["--lease", "1h"])["max_lease_seconds"], 3_600);
        assert_eq!(longer(["--by", "30m"])["max_lease_seconds"], 5_400);

        let listed = place.json(&["list"]);
        assert_eq!((&listed[0]["id"], &listed[0]["mine"]), (&json!(id), &json!(true)));
        assert_eq!(place.json(&["stop", id]), json!([{ "id": id, "outcome": "stopped" }]));
        assert_eq!(place.json(&["list"]), json!([]));
        assert_eq!(place.json(&["stop", id]), json!([{ "id": id, "outcome": "already_gone" }]));
    });
}

#[test]
fn create_prints_the_session_and_nothing_else() {
    with_both_versions("output", Place::new, |place| {
        place
            .arr(&["create", "--wait"])
            .assert()
            .success()
            .stdout_eq(str![[r#"
Session  [..]-[..]
Status   ready
Size     standard
Host     [..].mixedreality.azure.com
Ports    [..] handshake, [..] inspector
Lease    1h, [..] left
...
"#]])
            .stderr_eq(str![[r#"
creating a standard session with a lease of 1h
session [..] is [..]
to stop it: arr --emulator=[..] stop [..]

"#]]);
        place.arr(&["list"]).assert().success().stdout_eq(str![[r#"
ID                                    STATUS  SIZE      LEASE  LEFT[..]  MINE  HOST
[..]  ready   standard  1h     [..]  yes   [..].mixedreality.azure.com

"#]]);
    });
}

#[test]
fn the_formats_of_a_list() {
    with_both_versions("formats", Place::new, |place| {
        place.arr(&["list"]).assert().success().stdout_eq("").stderr_eq("no sessions at https://127.0.0.1:[..]\n");
        place.arr(&["list", "-o", "json"]).assert().success().stdout_eq("[]\n").stderr_eq("");
        for format in ["ndjson", "id"] {
            place.arr(&["list", "-o", format]).assert().success().stdout_eq("").stderr_eq("");
        }
        let ids = [place.create(&["--wait"]), place.create(&["--wait", "--size", "premium"])];
        let output = place.arr(&["list", "-o", "ndjson"]).assert().success();
        let lines = stdout(&output);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
        assert_eq!(lines[1]["size"], "premium");
        place.arr(&["ls", "-o", "id"]).assert().success().stdout_eq(format!("{}\n{}\n", ids[0], ids[1]));
    });
}

#[test]
fn mine_are_those_that_this_command_line_created() {
    with_both_versions("mine", Place::where_sessions_start, |place| {
        let other = "other-folder";
        let mine = place.create(&[]);
        let others = place.create(&["--journal", other]);
        let listed = place.json(&["list"]);
        let of =
            |id: &str| listed.as_array().expect("a list").iter().find(|it| it["id"] == id).expect("it")["mine"].clone();
        assert_eq!((of(&mine), of(&others)), (json!(true), json!(false)));
        place.arr(&["list", "--mine", "-o", "id"]).assert().success().stdout_eq(format!("{mine}\n"));
        place.arr(&["list", "--status", "ready", "-o", "id"]).assert().success().stdout_eq("");
        place.arr(&["list", "--status", "starting", "--mine", "-o", "id"]).assert().stdout_eq(format!("{mine}\n"));

        place.arr(&["stop", "--mine", "-o", "id"]).assert().success().stdout_eq(format!("{mine}\n"));
        place.arr(&["list", "-o", "id"]).assert().success().stdout_eq(format!("{others}\n"));
        place.arr(&["stop", "--mine"]).assert().success().stdout_eq("").stderr_eq("no sessions to stop\n");
    });
}

#[test]
fn stopping_the_whole_account_needs_consent() {
    with_both_versions("account", Place::where_sessions_start, |place| {
        place.create(&["--journal", "other-folder"]);
        place.create(&[]);
        place.arr(&["stop", "--account"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: this would stop 2 sessions of the account, 1 of which this command line did not create
 hint: if that is intended, add --yes

"#]]);
        assert_eq!(place.json(&["list"]).as_array().expect("a list").len(), 2);
        let stopped = place.json(&["stop", "--account", "--yes"]);
        assert_eq!(stopped.as_array().expect("a list").len(), 2);
        assert_eq!(place.json(&["list"]), json!([]));
    });
}

#[test]
fn an_extended_or_created_session_stays_released() {
    with_both_versions("released", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        place.arr(&["extend", &id, "--by", "1h"]).assert().success();
        place.arr(&["list", "--mine", "-o", "id"]).assert().success().stdout_eq(format!("{id}\n"));
        let journal = place.home.join(".local/state/arr/journal");
        let files = std::fs::read_dir(journal).expect("a journal").map(|entry| entry.expect("an entry").path());
        let texts: Vec<String> = files.map(|file| std::fs::read_to_string(file).expect("a file")).collect();
        let last = texts.iter().flat_map(|text| text.lines()).rfind(|line| line.contains(&id)).expect("a record");
        assert!(last.contains("\"released\""), "{texts:?}");
    });
}

#[test]
fn options_of_create_reach_the_service() {
    let place = Place::where_sessions_start("create_options");
    let id = "my-session";
    let options = ["--api-version", "2021-01-01", "--id", id, "--size", "premium", "--lease", "1:30:00"];
    assert_eq!(place.create(&[&options[..], &["--extra", "{\"note\": 1}"]].concat()), id);
    let session = place.json(&["show", id, "--api-version", "2021-01-01"]);
    assert_eq!((&session["size"], &session["max_lease_seconds"]), (&json!("premium"), &json!(5_400)));
    assert!(session["creation_time"].as_str().is_some_and(|time| time.ends_with('Z')), "{session}");
}

/// The body of the create that a service gets which refuses it.
fn body_of_create(place: &Place, options: &[&str]) -> Value {
    let service = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let emulator = format!("--emulator=http://{}", service.local_addr().expect("an address"));
    let mut running =
        place.program(&["create", &emulator]).args(options).stderr(Stdio::null()).spawn().expect("it runs");
    let token = json!({ "AccessToken": place.emulator.access_token() }).to_string();
    let body = loop {
        let (mut stream, _) = service.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
        let (status, reply) = if head[0].contains("/token") { (200, token.as_str()) } else { (400, "{}") };
        let length =
            head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or_default()];
        reader.read_exact(&mut body).expect("the body");
        let length = reply.len();
        write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{reply}")
            .expect("sent");
        if status == 400 {
            break body;
        }
    };
    assert_eq!(running.wait().expect("it ends").code(), Some(1));
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn models_and_further_members_are_in_the_request() {
    let place = Place::new("create_body");
    let url = "https://models.example/a?sig=x";
    let sent =
        body_of_create(&place, &["--model", url, "--model", "https://b.example/b", "--extra", r#"{"note": [1]}"#]);
    assert_eq!((&sent["models"], &sent["note"]), (&json!([url, "https://b.example/b"]), &json!([1])), "{sent}");
    let newer = ["--api-version", "2021-01-01", "--id", "x", "--lease", "90m", "--extra", r#"{"note": {}}"#];
    let sent = body_of_create(&place, &newer);
    assert_eq!((&sent["note"], &sent["maxLeaseTimeMinutes"]), (&json!({}), &json!(90)), "{sent}");
}

#[test]
fn verbose_shows_requests_without_secrets() {
    let place = Place::new("verbose");
    let output = place.arr(&["list", "-v"]).assert().success().stdout_eq("");
    let text = stderr(&output);
    for part in ["* GET /accounts/", "/token: 200 in ", "* GET /v1/accounts/", "/sessions: 200 in ", "(MS-CV "] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("eyJ") && !text.contains("YXJy"), "{text}");
}

#[test]
fn the_variables_that_the_emulator_prints_are_enough() {
    let place = Place::new("program");
    let mut emulator = Program::new(emulator_program());
    emulator.current_dir(&place.home).args(["--tls", "--listen", "127.0.0.1:0", "--startup", "0s"]);
    let mut emulator = Running::begin(emulator);
    emulator.until_printed("Press Ctrl+C to stop.");
    let script = |command: &str| {
        let lines = emulator.printed().lines().filter(|line| line.trim_start().starts_with("export "));
        let script = format!("{}\n{command}", lines.collect::<Vec<_>>().join("\n"));
        let mut shell = Program::new("sh");
        shell.env_clear().env("HOME", &place.home).arg("-c").arg(script).arg(cargo_bin!("arr"));
        snapbox::cmd::Command::from_std(shell).assert()
    };
    script("\"$0\" create --wait -o id && \"$0\" stop --mine -o id").success();
    script("\"$0\" list -o json").success().stdout_eq("[]\n");
    emulator.interrupt();
    assert_eq!(emulator.end().0, Some(0));
}

/// The emulator's program, which is built together with this one.
fn emulator_program() -> PathBuf {
    let program = cargo_bin!("arr").with_file_name("arr-emulator");
    if !program.exists() {
        let mut cargo = Program::new(env!("CARGO"));
        let built = cargo.args(["build", "--quiet", "--package", "arr-service"]).status();
        assert!(built.expect("cargo runs").success());
    }
    program
}
