//! The program `arr-emulator`, as people and scripts run it.

#![cfg(unix)]

#[path = "../support/http.rs"]
mod http;
mod https;
mod kept;
mod running;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use arr_service::{DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY};

use running::{Running, program};
use support::{folder, run};

/// Runs the program to its end, without a signal.
fn output(options: &[&str]) -> Output {
    program(Path::new("."), options).output().expect("the program runs")
}

#[track_caller]
fn assert_refused(output: &Output, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("arr-emulator: ") && stderr.contains(expected), "{stderr}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn the_ready_file_has_the_connection_details() {
    let folder = folder("ready_file");
    let running = Running::begin(&folder, &["--startup", "0s"]);
    let url = running.ready["url"].as_str().expect("a URL");
    assert_eq!(
        running.ready,
        serde_json::json!({
            "url": url,
            "account_id": DEVELOPMENT_ACCOUNT_ID,
            "account_key": DEVELOPMENT_ACCOUNT_KEY,
            "account_domain": url,
            "ca_file": null,
        })
    );
    let mode = fs::metadata(&running.ready_file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> =
        fs::read_dir(&*folder).expect("a folder").map(|entry| entry.expect("a file").file_name()).collect();
    assert_eq!(names, ["ready.json"], "nothing temporary is left");

    let address = url.strip_prefix("http://").expect("no TLS");
    let mut connection = TcpStream::connect(address).expect("it listens");
    connection.write_all(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).expect("a reply");
    assert_eq!(line, "HTTP/1.1 404 Not Found\r\n");
}

#[test]
fn the_banner_has_the_connection_details() {
    let folder = folder("banner");
    let running = Running::begin(&folder, &["--tls", "--startup", "2m"]);
    let url = running.ready["url"].as_str().expect("a URL").to_owned();
    let ca_file = folder.join("arr-emulator-ca.pem");
    assert_eq!(running.ready["ca_file"].as_str(), ca_file.to_str());
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let pem = fs::read_to_string(&ca_file).expect("a certificate");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    // Not by searching for "KEY", which base64 can contain by chance.
    let blocks = |name: &str| pem.matches(&format!("-----BEGIN {name}")).count();
    assert_eq!((blocks(""), blocks("CERTIFICATE-----")), (1, 1), "nothing but one certificate: {pem}");

    running.signal("TERM");
    let (_, stdout, _) = running.end();
    for part in [
        format!("URL           {url}\n"),
        format!("Account id    {DEVELOPMENT_ACCOUNT_ID}\n"),
        format!("{DEVELOPMENT_ACCOUNT_KEY} (development key: public, not a secret)\n"),
        format!("CA file       {}", ca_file.display()),
        "ready 2m after creation\n".to_owned(),
        format!("export ARR_ACCOUNT_ID='{DEVELOPMENT_ACCOUNT_ID}'\n"),
        format!("export ARR_ACCOUNT_KEY='{DEVELOPMENT_ACCOUNT_KEY}'\n"),
        format!("export ARR_ACCOUNT_DOMAIN='{url}'\n"),
        format!("export ARR_SERVICE_ENDPOINT='{url}'\n"),
        format!("export ARR_CA_FILE='{}'\n", ca_file.display()),
    ] {
        assert!(stdout.contains(&part), "{part} in {stdout}");
    }
    assert!(!stdout.contains("Warning"), "{stdout}");
}

#[test]
fn a_configured_accounts_key_is_not_shown() {
    let folder = folder("given_account");
    let id = "11111111-2222-3333-4444-aaaaaaaaaaaa";
    let account = format!("{id}:s3cret");
    let running = Running::begin(&folder, &["--account", &account, "--ca-file", "my ca.pem", "--tls"]);
    assert_eq!(running.ready["account_id"], id);
    assert_eq!(running.ready["account_key"], "s3cret");
    assert_eq!(running.ready["ca_file"].as_str(), folder.join("my ca.pem").to_str());
    running.signal("TERM");
    let (_, stdout, stderr) = running.end();
    assert!(stdout.contains(id) && !stdout.contains(DEVELOPMENT_ACCOUNT_ID), "{stdout}");
    assert!(!stdout.contains("s3cret") && !stderr.contains("s3cret"), "{stdout}{stderr}");
}

#[test]
fn a_port_in_use_is_one_line_and_code_2() {
    let (_taken, address) = a_port_in_use();
    assert_refused(&output(&["--listen", &address]), &format!("{address} is in use"));
}

/// An address where another program listens.
fn a_port_in_use() -> (TcpListener, String) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    (taken, address)
}

#[test]
fn a_failed_start_removes_no_file() {
    let folder = folder("failed_start");
    // From a killed emulator: nothing listens at this URL.
    let ready = r#"{"url":"http://127.0.0.1:1","account_id":"","account_key":"","account_domain":"","ca_file":null}"#;
    fs::write(folder.join("ready.json"), ready).expect("written");
    let (_taken, address) = a_port_in_use();
    let output = program(&folder, &["--listen", &address, "--ready-file", "ready.json"]).output();
    assert_refused(&output.expect("the program runs"), "in use");
    assert_eq!(fs::read_to_string(folder.join("ready.json")).expect("still there"), ready);

    let running = Running::begin_where(&folder, "127.0.0.1:0", &[], |contents| contents != ready.as_bytes());
    assert_ne!(running.ready["url"], "http://127.0.0.1:1", "a successful start replaces it");
}

#[test]
fn a_failed_start_keeps_another_emulators_ready_file() {
    let folder = folder("live");
    let running = Running::begin(&folder, &[]);
    let ready_file = running.ready_file.to_str().expect("UTF-8").to_owned();
    let contents: serde_json::Value =
        serde_json::from_slice(&fs::read(&running.ready_file).expect("it is there")).expect("JSON");
    let url = contents["url"].as_str().expect("a URL");
    let address = url.rsplit('/').next().expect("an address").to_owned();
    assert_refused(&output(&["--listen", &address, "--ready-file", &ready_file]), "in use");
    assert!(running.ready_file.exists());
}

#[test]
fn other_files_are_never_replaced() {
    let folder = folder("not_ours");
    let notes = folder.join("notes.txt");
    fs::write(&notes, "dear diary").expect("written");
    for path in [notes.to_str().expect("UTF-8"), folder.to_str().expect("UTF-8"), "/dev/null"] {
        assert_refused(&output(&["--listen", "127.0.0.1:0", "--ready-file", path]), "give another path");
        assert_refused(&output(&["--listen", "127.0.0.1:0", "--tls", "--ca-file", path]), "give another path");
    }
    assert_eq!(fs::read_to_string(&notes).expect("still there"), "dear diary");
}

#[test]
fn our_own_certificate_is_replaced_but_a_bundle_is_not() {
    let folder = folder("bundle");
    let ca_file = folder.join("arr-emulator-ca.pem");
    drop(Running::begin(&folder, &["--tls"]));
    let ours = fs::read_to_string(&ca_file).expect("a certificate");
    fs::remove_file(folder.join("ready.json")).expect("a killed emulator leaves it");
    drop(Running::begin(&folder, &["--tls"]));
    assert_ne!(fs::read_to_string(&ca_file).expect("a certificate"), ours);

    let bundle = folder.join("bundle.pem");
    fs::write(&bundle, ours.repeat(2)).expect("written");
    let path = bundle.to_str().expect("UTF-8");
    assert_refused(&output(&["--listen", "127.0.0.1:0", "--tls", "--ca-file", path]), "give another path");
    assert_eq!(fs::read_to_string(&bundle).expect("still there"), ours.repeat(2));
}

#[test]
fn another_emulators_ready_file_is_not_removed() {
    let folder = folder("another_s");
    let running = Running::begin(&folder, &[]);
    let ready_file = running.ready_file.clone();
    fs::write(&ready_file, "another's").expect("written");
    running.signal("TERM");
    assert_eq!(running.end().0.code(), Some(0));
    assert_eq!(fs::read_to_string(&ready_file).expect("still there"), "another's");
}

#[test]
fn invalid_options_are_one_line_and_code_2() {
    for (options, expected) in [
        (&["--lisen", "x"][..], "'--listen'"),
        (&["--listen", "localhost:1"], "such as 127.0.0.1:8722"),
        (&["--listen"], "--listen"),
        (&["--startup", "soon"], "--startup"),
        (&["--account", "no-guid:s3cret"], "not a GUID"),
        (&["--account", "11111111-2222-3333-4444-aaaaaaaaaaaa"], "ID:KEY"),
        (&["--account", "11111111-2222-3333-4444-aaaaaaaaaaaa:"], "the key is empty"),
        (&["--ca-file", "x.pem"], "--ca-file needs --tls"),
        (&["--listen", "192.0.2.1:0"], "cannot listen on 192.0.2.1:0"),
    ] {
        let output = output(options);
        assert_refused(&output, expected);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("s3cret"));
    }
}

#[test]
fn an_unwritable_file_is_one_line_and_code_2() {
    let folder = folder("unwritable");
    let path = folder.join("missing/file");
    let path = path.to_str().expect("UTF-8");
    let listen = ["--listen", "127.0.0.1:0"];
    let with = |options: &[&str]| output(&[&listen[..], options].concat());
    assert_refused(&with(&["--tls", "--ca-file", path]), &format!("cannot write {path}"));
    assert_refused(&with(&["--ready-file", path]), &format!("cannot write {path}"));
}

#[test]
fn the_help_has_defaults_and_dangers() {
    let help = output(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    // Lines may be broken anywhere.
    let text = String::from_utf8_lossy(&help.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "WITHOUT verifying it",
        "[default: 127.0.0.1:8722]",
        "[default: 3s]",
        "[default: arr-emulator-ca.pem]",
        "Example:",
        "Ctrl+C",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_version_is_the_packages_version() {
    let version = output(&["--version"]);
    let expected = format!("arr-emulator {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&version.stdout), expected);
}

#[test]
fn a_closed_stdout_does_not_matter() {
    let folder = folder("closed_stdout");
    let mut running = Running::begin(&folder, &[]);
    drop(running.child.stdout.take());
    running.signal("TERM");
    let (status, _, stderr) = running.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn plain_http_on_the_network_gets_a_warning() {
    let folder = folder("warning");
    let running = Running::begin_on(&folder, "0.0.0.0:0", &[]);
    let url = running.ready["url"].as_str().expect("a URL");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    running.signal("TERM");
    let (_, stdout, _) = running.end();
    assert!(stdout.contains("Warning: without --tls, keys and tokens cross the network unencrypted."), "{stdout}");
    assert!(stdout.contains("Warning: the development key is public") && stdout.contains("--account-file"), "{stdout}");
}

#[test]
fn the_banner_has_the_url_for_devices() {
    let folder = folder("network");
    let running = Running::begin_on(&folder, "0.0.0.0:0", &["--tls", "--tls-name", "studio.local"]);
    let url = running.ready["url"].as_str().expect("a URL");
    let port = url.rsplit(':').next().expect("a port").to_owned();
    running.signal("TERM");
    let (_, stdout, _) = running.end();
    assert!(stdout.contains(&format!("For devices   https://studio.local:{port}\n")), "{stdout}");
    assert!(stdout.contains("install it on devices"), "{stdout}");
}

#[test]
fn options_that_open_the_emulator_get_a_warning() {
    let folder = folder("open");
    let running = Running::begin_on(&folder, "0.0.0.0:0", &["--tls", "--accept-entra-tokens", "--control-remote"]);
    running.signal("TERM");
    let (_, stdout, _) = running.end();
    assert!(stdout.contains("Warning: with --accept-entra-tokens, anyone who reaches"), "{stdout}");
    assert!(stdout.contains("Warning: with --control-remote, anyone who reaches"), "{stdout}");
}

#[test]
fn sessions_can_lead_to_a_real_renderer() {
    let folder = folder("real_server");
    let options = ["--startup", "0s", "--session-hostname", "render.local", "--session-ports", "50051,50052"];
    let running = Running::begin(&folder, &options);
    let url = running.ready["url"].as_str().expect("a URL");
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]);
        let output = run(command.args(arguments), "curl");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let key = format!("Authorization: Bearer {DEVELOPMENT_ACCOUNT_ID}:{DEVELOPMENT_ACCOUNT_KEY}");
    let token = curl(&["-H", &key, &format!("{url}/accounts/{DEVELOPMENT_ACCOUNT_ID}/token")]);
    let token = format!("Authorization: Bearer {}", token["AccessToken"].as_str().expect("a token"));
    let sessions = format!("{url}/v1/accounts/{DEVELOPMENT_ACCOUNT_ID}/sessions");
    let body = r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;
    curl(&["-H", &token, "-d", body, &format!("{sessions}/create")]);
    let session = &curl(&["-H", &token, &sessions])["sessions"][0];
    assert_eq!(session["sessionHostname"], "render.local");
    assert_eq!((&session["arrInspectorPort"], &session["handshakePort"]), (&50_051.into(), &50_052.into()));
}

#[test]
fn the_log_option_logs_requests_without_secrets() {
    let folder = folder("log");
    for format in ["human", "json"] {
        let running = Running::begin(&folder, &["--log", format]);
        let address =
            running.ready["url"].as_str().and_then(|url| url.strip_prefix("http://")).expect("a URL").to_owned();
        let path = format!("/accounts/{DEVELOPMENT_ACCOUNT_ID}/token");
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {DEVELOPMENT_ACCOUNT_ID}:");
        for (key, status) in [(DEVELOPMENT_ACCOUNT_KEY, 200), ("wrong", 401)] {
            let mut connection = TcpStream::connect(&address).expect("connected");
            let request = format!("{head}{key}\r\nConnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).expect("sent");
            let mut reply = String::new();
            connection.read_to_string(&mut reply).expect("a reply");
            assert!(reply.contains(&status.to_string()), "{reply}");
        }
        running.signal("TERM");
        let (_, _, stderr) = running.end();
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines.len() == 2 && !stderr.contains(DEVELOPMENT_ACCOUNT_KEY), "{stderr}");
        for (line, status) in lines.iter().zip([200, 401]) {
            assert!(["GET", &path, &status.to_string(), "127.0.0.1"].iter().all(|part| line.contains(part)), "{line}");
        }
        if format == "json" {
            let line: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
            assert!(line["ms_cv"].as_str().is_some_and(|cv| cv.ends_with(".0")) && line["milliseconds"].is_number());
        }
    }
}
