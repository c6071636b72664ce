//! token, doctor, completions, man, help.

use std::fs;
use std::time::Duration;

use arr_service::Fault;
use serde_json::Value;
use snapbox::str;

use crate::place::{Place, stdout, with_both_versions};

#[test]
fn a_token_is_printed_alone() {
    with_both_versions("token", Place::new, |place| {
        let output = place.arr(&["token"]).assert().success().stderr_eq("");
        let token = stdout(&output).trim().to_owned();
        assert_eq!(token.split('.').count(), 3, "{token}");
        place.bare(&["list", "-o", "id"]).assert().code(2);
        let url = place.url().to_owned();
        let account = [("ARR_ACCESS_TOKEN", token.as_str()), ("ARR_ACCOUNT_ID", place.emulator.account().id())];
        let hosts = [("ARR_ACCOUNT_DOMAIN", url.as_str()), ("ARR_SERVICE_ENDPOINT", url.as_str())];
        place.bare(&["list", "-o", "id"]).envs(account).envs(hosts).assert().success();
        assert_eq!(place.json(&["token"])["expires_in_seconds"].as_u64().map(|it| it > 80_000), Some(true));
    });
}

/// The verdicts of the doctor, by check.
fn verdicts(place: &Place, code: i32) -> Vec<(String, String)> {
    let output = place.arr(&["doctor", "-o", "json"]).assert().code(code);
    let checks: Vec<Value> = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    let word = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    checks.iter().map(|check| (word(check, "check"), word(check, "verdict"))).collect()
}

#[test]
fn the_doctor_checks_everything_in_order() {
    with_both_versions("doctor", Place::new, |place| {
        place.arr(&["doctor"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
✓ configuration    account d0ca11ed-0000-4000-8000-a0ca7a57e0de with an account key, from --emulator
                   account_id        d0ca11ed-0000-4000-8000-a0ca7a57e0de [..] --emulator
                   account_key       (set) [..] --emulator
                   account_domain    https://127.0.0.1:[..] --emulator
                   service_endpoint  https://127.0.0.1:[..] --emulator
                   api_version       [..]  ARR_API_VERSION
                   ca_file           [..]ca.pem  ARR_CA_FILE
✓ name resolution  127.0.0.1:[..]
✓ proxy            none, or the system's
✓ TLS              trusted, with the authorities in [..]ca.pem
✓ clock            agrees with the service's
✓ credential       accepted by the token service, good for [..]
✓ region           https://127.0.0.1:[..]
✓ rate limit       not reached
✓ service          answers; 0 running
✓ journal          [..]/.local/state/arr/journal, 0 recorded

"#]]);
        place.emulator.advance_clock(Duration::from_secs(7_200));
        assert!(verdicts(place, 0).contains(&("clock".to_owned(), "warning".to_owned())));
    });
}

#[test]
fn the_doctor_says_what_is_wrong() {
    let place = Place::new("doctor_wrong");
    place.bare(&["doctor"]).assert().code(2).stdout_eq(str![[r#"
✗ configuration    no account is configured
                   ca_file  [..]ca.pem  ARR_CA_FILE
                   hint: with an arrconfig.json: arr config import arrconfig.json, once, or --config arrconfig.json
                   hint: with a local emulator: --emulator
                   hint: or set ARR_ACCOUNT_ID, ARR_ACCOUNT_KEY, ARR_ACCOUNT_DOMAIN and ARR_SERVICE_ENDPOINT
- service          the configuration comes first
- journal          [..]

"#]]);
    let output = place.arr(&["doctor"]).env_remove("ARR_CA_FILE").assert().code(7);
    assert!(stdout(&output).contains("✗ TLS "));
    let output = place.arr(&["doctor", "--service-endpoint", "https://nowhere.invalid"]).assert().code(7);
    assert!(stdout(&output).contains("✗ name resolution  nowhere.invalid has"));
    place.emulator.add_faults([Fault::on("GET", "**/token").status(401).always()]).expect("a valid fault");
    assert!(verdicts(&place, 3).contains(&("credential".to_owned(), "failed".to_owned())));
}

#[test]
fn the_doctor_tells_a_wrong_region_from_throttling_and_a_service_that_does_not_answer() {
    with_both_versions("doctor_service", Place::new, |place| {
        for (fault, check, code) in [
            (Fault::on("GET", "**/sessions").status(401), "region", 3),
            (Fault::on("GET", "**/sessions").status(429), "rate limit", 6),
            (Fault::on("GET", "**/sessions").status(500), "service", 1),
            (Fault::on("GET", "**/token").close(), "connection", 7),
        ] {
            place.emulator.add_faults([fault.always()]).expect("a valid fault");
            let verdicts = verdicts(place, code);
            assert!(verdicts.contains(&(check.to_owned(), "failed".to_owned())), "{verdicts:?}");
            assert_eq!(verdicts.iter().filter(|(_, verdict)| verdict == "failed").count(), 1, "{verdicts:?}");
            place.emulator.clear_faults();
        }
    });
    let place = Place::new("doctor_proxy");
    let elsewhere = ["--account-domain", "https://nowhere.invalid", "--service-endpoint", "https://nowhere.invalid"];
    let doctor = place.arr(&["doctor", "--proxy", "http://127.0.0.1:9"]).args(elsewhere).assert().code(7);
    let text = stdout(&doctor);
    for part in ["! name resolution  nowhere.invalid has no address here", "✓ proxy            http://127.0.0.1:9,"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains("✗ connection       getting a token failed") && text.contains("through the proxy"), "{text}");
}

#[test]
fn completions_and_pages_are_of_all_commands() {
    let place = Place::new("pages");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = place.bare(&["completions", shell]).assert().success();
        let script = stdout(&output);
        assert!(script.contains("recover") && script.contains("on-exit"), "{shell}");
        assert!(!script.contains("--access-token "), "{shell} offers what is refused");
    }
    let output = place.bare(&["man"]).assert().success();
    assert!(stdout(&output).starts_with(".ie"), "roff");
    place.bare(&["man", "--folder", "pages"]).assert().success().stdout_eq("");
    for page in ["arr.1", "arr-create.1", "arr-config-import.1"] {
        assert!(fs::metadata(place.home.join("pages").join(page)).is_ok_and(|it| it.len() > 500), "{page}");
    }
}

#[test]
fn the_reference_is_the_programs_help() {
    let place = Place::new("reference");
    let help = |command: &[&str]| {
        let output = place.bare(&[command, &["--help"]].concat()).env("COLUMNS", "100").assert().success();
        stdout(&output).trim_end().to_owned()
    };
    let mut page =
        "# arr: reference\n\nWhat `arr COMMAND --help` prints. A tour and examples: [arr](cli.md).\n".to_owned();
    // The options of all commands are shown once.
    let own = |text: &str| {
        const OF_ALL: [&str; 7] =
            ["-o, ", "-v, ", "--request-timeout ", "--poll-interval ", "--journal ", "-h, ", "-V, "];
        let (mut lines, mut kept) = (Vec::new(), true);
        for line in text.lines().take_while(|line| *line != "Account:") {
            let is_continued = line.starts_with("        ");
            kept = if is_continued { kept } else { !OF_ALL.iter().any(|it| line.trim_start().starts_with(it)) };
            if kept {
                lines.push(line);
            }
        }
        let text = lines.join("\n");
        text.trim_end().trim_end_matches("Options:").trim_end().to_owned()
    };
    page += &format!("\n## arr\n\n```text\n{}\n```\n", help(&[]));
    for command in [
        &["create"][..],
        &["list"],
        &["show"],
        &["wait"],
        &["extend"],
        &["stop"],
        &["hold"],
        &["watch"],
        &["recover"],
        &["token"],
        &["doctor"],
        &["config", "show"],
        &["config", "import"],
        &["config", "path"],
        &["completions"],
        &["man"],
    ] {
        page += &format!("\n## arr {}\n\n```text\n{}\n```\n", command.join(" "), own(&help(command)));
    }
    snapbox::assert_data_eq!(page, snapbox::file!["../../../docs/cli-reference.md"].raw());
}
