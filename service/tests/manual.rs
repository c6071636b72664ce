//! The commands that `docs/emulator.md` shows do what they are shown for.

#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process::Command;

use arr_service::{Config, Emulator};
use support::run;

const MANUAL: &str = include_str!("../../docs/emulator.md");

/// curl as the manual's reader has it, but for what the environment would add, and with an error for an error.
const CURL: &str = r#"curl() { command curl -q --silent --show-error --fail --noproxy '*' --max-time 30 "$@"; }"#;

fn shell(emulator: &Emulator, command: &str) -> String {
    let session = emulator.sessions().first().map(|session| session.id.clone()).unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.env("EMULATOR", emulator.url()).env("SESSION", session);
    shell.env("ACCOUNT", emulator.account().id()).env("TOKEN", emulator.access_token());
    let output = run(shell.args(["-c", &format!("{CURL}\n{command}")]), "dash curl");
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_command_of_the_manual_works() {
    const CREATE: &str = r#"curl -H "Authorization: Bearer $TOKEN" -d '{"maxLeaseTime": "4:0:0", "size": "standard"}' \
        $EMULATOR/v1/accounts/$ACCOUNT/sessions/create"#;
    let emulator = Emulator::start(Config::default()).expect("it starts");
    shell(&emulator, CREATE);
    let commands: Vec<_> = MANUAL.lines().filter(|line| line.starts_with("curl ")).collect();
    for command in &commands {
        shell(&emulator, command);
    }
    // The last of them closes the next connection, which is this one.
    TcpStream::connect(&emulator.url()["http://".len()..]).expect("it listens");
    let rules = shell(&emulator, "curl $EMULATOR/emulator/faults");
    let rules: serde_json::Value = serde_json::from_str(&rules).expect("JSON");
    let shown: BTreeSet<_> =
        rules["rules"].as_array().expect("rules").iter().map(|rule| rule["action"]["type"].as_str()).collect();
    // The twelfth type is used up.
    assert_eq!(shown.len(), 11, "one of each type: {shown:?}");
}

#[test]
fn every_option_is_in_the_manual() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_arr-emulator"));
    let help = String::from_utf8(run(program.arg("--help"), "").stdout).expect("UTF-8");
    let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    let options: Vec<_> = options.filter(|option| !["--help", "--version"].contains(option)).collect();
    assert!(options.len() > 10, "{help}");
    for option in options {
        assert!(MANUAL.contains(&format!("| `{option}")), "{option}");
    }
}
