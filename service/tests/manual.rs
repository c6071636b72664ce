//! The commands and options in `docs/emulator.md` exist and work.

#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use arr_service::{Config, Emulator};
use support::run;

const MANUAL: &str = include_str!("../../docs/emulator.md");

/// The reader's curl, but independent of the environment, and failing on HTTP errors.
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
fn every_command_in_the_manual_works() {
    const CREATE: &str = r#"curl -H "Authorization: Bearer $TOKEN" -d '{"maxLeaseTime": "4:0:0", "size": "standard"}' \
        $EMULATOR/v1/accounts/$ACCOUNT/sessions/create"#;
    const CONVERT: &str = r#"curl -X PUT -H "Authorization: Bearer $TOKEN" -d '{"settings": {
        "inputLocation": {"storageContainerUri": "https://contoso.example/in", "relativeInputAssetPath": "house.fbx"},
        "outputLocation": {"storageContainerUri": "https://contoso.example/out"}}}' \
        "$EMULATOR/accounts/$ACCOUNT/conversions/house-1?api-version=2021-01-01""#;
    // A command advances the clock.
    let conversion = Duration::from_secs(24 * 60 * 60);
    let config = Config { conversion, linked_storage: true, ..Config::default() };
    let emulator = Emulator::start(config).expect("it starts");
    shell(&emulator, CREATE);
    shell(&emulator, CONVERT);
    let commands: Vec<_> = MANUAL.lines().filter(|line| line.starts_with("curl ")).collect();
    for command in &commands {
        shell(&emulator, command);
    }
    // The last command closes the next connection, which is this one.
    TcpStream::connect(&emulator.url()["http://".len()..]).expect("it listens");
    let rules = shell(&emulator, "curl $EMULATOR/emulator/faults");
    let rules: serde_json::Value = serde_json::from_str(&rules).expect("JSON");
    let shown: BTreeSet<_> =
        rules["rules"].as_array().expect("rules").iter().map(|rule| rule["action"]["type"].as_str()).collect();
    // The twelfth, `close_on_accept`, is used up.
    assert_eq!(shown.len(), 11, "one of each type: {shown:?}");
}

#[test]
fn every_option_is_in_the_manual() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_arr-emulator"));
    let help = String::from_utf8(run(program.arg("--help"), "").stdout).expect("UTF-8");
    // An explanation may mention an option at the end of a clause.
    let words = help.split_whitespace().map(|word| word.trim_end_matches([';', ',', '.']));
    let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
    let options: Vec<_> = options.filter(|option| !["--help", "--version"].contains(option)).collect();
    assert!(options.len() > 10, "{help}");
    for option in options {
        assert!(MANUAL.contains(&format!("| `{option}")), "{option}");
    }
}
