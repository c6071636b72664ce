//! Every exit code, with its message.

use std::fs;
use std::time::Duration;

use arr_service::{Config, Fault};
use serde_json::{Value, json};
use snapbox::str;

use crate::place::{Place, stderr, stdout, with_both_versions};

#[test]
fn code_1_if_the_session_failed() {
    with_both_versions("code_1", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        place.emulator.fail_session(&id, "no server is left");
        place.arr(&["wait", &id]).assert().code(1).stdout_eq("").stderr_eq(str![[r#"
session [..] is error
error: session [..] failed: [..]no server is left
...
"#]]);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn code_1_if_a_create_cannot_be_recorded_but_reads_go_on() {
    let place = Place::new("journal");
    // A folder where nobody can write.
    place.arr(&["create", "--journal", "/proc"]).assert().code(1).stdout_eq("");
    assert!(place.emulator.sessions().is_empty());
    let output = place.arr(&["list", "--journal", "/proc", "-o", "json"]).assert().success().stdout_eq("[]\n");
    let text = stderr(&output);
    assert!(text.starts_with("note: which sessions are yours is unknown: "), "{text}");
    place.create(&["--journal", "none"]);
    place.arr(&["list", "--mine", "-o", "id"]).assert().success().stdout_eq("");
}

#[test]
fn code_2_for_what_the_user_can_mend() {
    let place = Place::new("code_2");
    for arguments in [
        &["frobnicate"][..],
        &["show"],
        &["show", "a/b"],
        &["create", "--lease", "soon"],
        &["create", "--size", "huge"],
        &["create", "--id", "x"],
        &["extend", "x"],
        &["extend", "x", "--by", "1h", "--lease", "2h"],
        &["stop"],
        &["stop", "x", "--mine"],
        &["stop", "--all"],
        &["extend", "x", "--to", "2h"],
        &["list", "--json"],
        &["list", "--output", "xml"],
        &["list", "--api-version", "v9"],
        &["list", "--ca-file", "missing.pem"],
    ] {
        let output = place.arr(arguments).assert().code(2).stdout_eq("");
        let text = stderr(&output);
        assert!(text.starts_with("error: "), "{text}");
    }
    assert!(place.emulator.requests().is_empty(), "nothing was sent");
}

#[test]
fn code_2_for_options_of_the_script_with_their_successors() {
    let place = Place::new("script_options");
    place.bare(&["-GetSessionProperties", "-Id", "x"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: -GetSessionProperties is an option of RenderingSession.ps1
 hint: for -GetSessionProperties: arr show ID
 hint: for -Id: the id without an option, or --id with create

"#]]);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).expect("the page");
    let (_, table) = page.split_once("## From RenderingSession.ps1").expect("the table");
    let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let options: Vec<&str> =
        cells.flat_map(|cell| cell.split([' ', '`', ','])).filter(|it| it.starts_with('-')).collect();
    assert!(options.len() > 18, "{options:?}");
    for option in options {
        let output = place.bare(&[option]).assert().code(2);
        let text = stderr(&output);
        assert!(text.contains(" hint: ") && !text.contains("unexpected argument"), "{option}: {text}");
    }
    place.arr(&["create", "-VmSize", "premium"]).assert().code(2).stderr_eq(str![[r#"
error: -VmSize is an option of RenderingSession.ps1
 hint: for -VmSize: --size

"#]]);
    place.arr(&["stop"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: stop which session?
 hint: one by its id, which `arr list` shows: arr --emulator=[..] stop ID
 hint: all that this command line created here: arr --emulator=[..] stop --mine
 hint: all of the account: arr --emulator=[..] stop --account

"#]]);
}

#[test]
fn code_3_for_a_wrong_key() {
    with_both_versions("code_3", Place::new, |place| {
        place.write_private("key", "d3Jvbmc=");
        let arguments = ["list", "--account-key-file", "key"];
        place.arr(&arguments).assert().code(3).stdout_eq("").stderr_eq(str![[r#"
error: getting a token failed with 401: the account key was refused
 hint: check that --account-id, the account key and --account-domain belong together
       HTTP 401, MS-CV [..]

"#]]);
    });
}

#[test]
fn code_4_for_an_unknown_session() {
    with_both_versions("code_4", Place::new, |place| {
        for command in [&["show", "nope"][..], &["wait", "nope"], &["extend", "nope", "--by", "1h"], &["stop", "nope"]]
        {
            let output = place.arr(command).args(["-o", "id"]).assert().code(4);
            let text = stderr(&output);
            assert!(text.contains("error: session nope is not known to account"), "{text}");
            assert!(text.contains("HTTP 404") && text.contains("MS-CV"), "{text}");
        }
    });
}

#[test]
fn code_5_for_a_conflict() {
    let place = Place::where_sessions_start("code_5");
    let create = ["create", "--api-version", "2021-01-01", "--id", "x"];
    place.arr(&create).assert().success();
    place.arr(&[&create[..], &["--size", "premium"]].concat()).assert().code(5);
    place.arr(&["stop", "x"]).assert().success();
    let extend = ["extend", "x", "--by", "1h", "--api-version", "2021-01-01"];
    place.arr(&extend).assert().code(5).stdout_eq("").stderr_eq(str![[r#"
error: session x is stopped, so its lease cannot be extended
 hint: for another session: arr --emulator=https://127.0.0.1:[..] --api-version=2021-01-01 create

"#]]);
}

#[test]
fn code_6_for_a_timeout_or_throttling() {
    with_both_versions("code_6", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        place.arr(&["wait", &id, "--timeout", "300ms"]).assert().code(6).stdout_eq("").stderr_eq(str![[r#"
session [..] is starting
error: session [..] is still starting after 0s; it keeps running
 hint: to wait longer: arr --emulator=https://127.0.0.1:[..] wait [..]
 hint: to stop it: arr --emulator=https://127.0.0.1:[..] stop [..]

"#]]);
        place.arr(&["create", "--wait", "--timeout", "300ms"]).assert().code(6).stdout_eq("");
        let output = place.arr(&["create", "--wait", "--timeout", "300ms", "-o", "id"]).assert().code(6);
        let printed = stdout(&output);
        assert_eq!(printed.trim(), place.emulator.sessions()[2].id, "a script can stop it");
        assert_eq!(place.statuses(), ["Starting"; 3], "all run");
        place.emulator.add_faults([Fault::on("GET", "**/sessions").status(429).always()]).expect("a valid fault");
        place.arr(&["list", "--request-timeout", "4s"]).assert().code(6).stdout_eq("");
    });
}

#[test]
fn code_6_if_the_service_does_not_answer() {
    let place = Place::new("code_6_stalled");
    place.emulator.add_faults([Fault::on("GET", "**/sessions").stall().always()]).expect("a valid fault");
    place.arr(&["list", "--request-timeout", "500ms"]).assert().code(6).stdout_eq("").stderr_eq(str![[r#"
error: listing the sessions failed: no complete reply from https://127.0.0.1:[..] within [..] ms
 hint: check that it works, or give it more time with --request-timeout

"#]]);
}

#[test]
fn code_6_if_the_service_is_full() {
    let config = Config { max_sessions: Some(1), ..Config::default() };
    let place = Place::with("code_6_full", config);
    place.create(&[]);
    let output = place.arr(&["create", "--request-timeout", "4s"]).assert().code(6);
    let text = stderr(&output);
    assert!(text.contains("code ServiceFull"), "{text}");
}

#[test]
fn code_7_for_the_network_and_tls() {
    let place = Place::new("code_7");
    place
        .bare(&["list", "--emulator=http://127.0.0.1:9", "--request-timeout", "1s"])
        .assert()
        .code(7)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: getting a token failed: no connection to http://127.0.0.1:9 ([..])
 hint: [..]

"#]]);
    let output = place.arr(&["list"]).env_remove("ARR_CA_FILE").assert().code(7);
    let text = stderr(&output);
    assert!(text.contains("--ca-file"), "{text}");
}

#[test]
fn code_8_if_a_session_may_run() {
    let place = Place::where_sessions_start("code_8");
    let lost = Fault::on("POST", "/v1/accounts/*/sessions/create").close().executed(true);
    place.emulator.add_faults([lost]).expect("a valid fault");
    let output = place.arr(&["create"]).assert().code(8).stdout_eq("");
    let text = stderr(&output);
    let id = &place.emulator.sessions()[0].id;
    assert!(text.contains(&format!("hint: it may be {id}; to stop it: arr --emulator")), "{text}");

    let lost = Fault::on("PUT", "**").close().executed(true).always();
    place.emulator.add_faults([lost]).expect("a valid fault");
    let options = ["create", "--api-version", "2021-01-01", "--request-timeout", "2s"];
    let output = place.arr(&options).assert().code(8).stdout_eq("");
    let text = stderr(&output);
    let id = &place.emulator.sessions()[1].id;
    assert!(text.contains(&format!("hint: it may be {id}; to stop it:")), "{text}");
}

#[test]
fn several_failures_are_all_shown_and_the_others_stopped() {
    with_both_versions("several", Place::where_sessions_start, |place| {
        let (one, two) = (place.create(&[]), place.create(&[]));
        let output = place.arr(&["stop", "nope", &one, "neither", &two]).assert().code(4);
        let text = stderr(&output);
        assert!(text.contains("session nope is not") && text.contains("session neither is not"), "{text}");
        assert_eq!(place.statuses(), ["Stopped", "Stopped"]);
        let delayed = Fault::on("GET", "**/sessions").delay(Duration::from_millis(1));
        place.emulator.add_faults([delayed]).expect("a valid fault");
        place.arr(&["list", "-o", "id"]).assert().success().stdout_eq("");
    });
}

#[test]
fn a_script_reads_errors_as_json() {
    with_both_versions("json_errors", Place::new, |place| {
        let unknown = "00000000-0000-0000-0000-000000000001";
        for format in ["json", "ndjson"] {
            let output = place.arr(&["show", unknown, "-o", format]).assert().code(4).stdout_eq("");
            let error = &last_line(&stderr(&output))["error"];
            assert_eq!((&error["exit_code"], &error["http_status"]), (&4.into(), &404.into()), "{error}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains(unknown)), "{error}");
            assert!(error["hints"].is_array() && error["ms_cv"].is_string(), "{error}");
            assert!(error["service_code"].is_null() && error["retry_after_seconds"].is_null(), "{error}");
        }
        let id = place.create(&[]);
        let refused =
            [("DELETE", "**"), ("POST", "**/:stop")].map(|(method, path)| Fault::on(method, path).status(403));
        place.emulator.add_faults(refused.map(Fault::always)).expect("valid faults");
        let output = place.arr(&["stop", &id, "-o", "json"]).assert().code(3);
        let outcomes: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
        assert_eq!((&outcomes[0]["outcome"], &outcomes[0]["error"]["http_status"]), (&"failed".into(), &403.into()));
        assert_eq!(last_line(&stderr(&output))["error"], outcomes[0]["error"]);
        place.emulator.clear_faults();
        let output = place.arr(&["stop", &id, "-o", "json"]).assert().success();
        let outcomes: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
        assert_eq!(outcomes[0], json!({ "id": id, "outcome": "stopped" }));
    });
}

fn last_line(text: &str) -> Value {
    let line = text.lines().last().expect("an error");
    serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))
}
