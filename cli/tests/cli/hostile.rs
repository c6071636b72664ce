//! A hostile service, and hostile files.

use std::fs;
use std::os::unix::fs::symlink;

use arr_service::{DEVELOPMENT_ACCOUNT_ID, Fault};
use serde_json::json;
use snapbox::cmd::Command;

use crate::place::{KEY, Place, with_both_versions};

/// Sets the terminal's title and colour, in both forms, and turns the text around.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}31m\u{202e}end";

/// What a command prints to both outputs, which has nothing that a terminal obeys.
#[track_caller]
fn printed(command: Command) -> String {
    let output = command.output().expect("it runs");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    let obeyed = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(text.chars().find(obeyed), None, "{text:?}");
    text
}

#[test]
fn the_services_texts_control_no_terminal() {
    with_both_versions("hostile_service", Place::where_sessions_start, |place| {
        let id = place.create(&[]);
        place.emulator.fail_session(&id, HOSTILE);
        for command in [
            &["show", &id][..],
            &["show", &id, "-o", "json"],
            &["show", &id, "-o", "ndjson"],
            &["wait", &id],
            &["wait", &id, "-o", "json"],
            &["list"],
            &["watch", &id],
            &["watch", &id, "-o", "json"],
        ] {
            printed(place.arr(command));
        }
        assert!(printed(place.arr(&["show", &id])).contains("owned"));
        let reply = json!({ "error": { "code": HOSTILE, "message": HOSTILE } }).to_string();
        let refused = Fault::on("GET", "**/sessions").status(403).body(reply);
        place.emulator.add_faults([refused.always()]).expect("a valid fault");
        for command in [&["list"][..], &["list", "-v"], &["doctor"], &["doctor", "-o", "json"], &["watch"]] {
            let text = printed(place.arr(command));
            assert!(text.contains("owned"), "{command:?}: {text}");
        }
    });
}

#[test]
fn unknown_words_control_no_terminal() {
    let place = Place::new("hostile_words");
    let session = json!({ "sessionId": "x", "sessionStatus": HOSTILE, "sessionSize": HOSTILE, "sessionHostname": "h" });
    let list = Fault::on("GET", "**/sessions").status(200).body(json!({ "sessions": [session] }).to_string());
    let read = Fault::on("GET", "**/sessions/**").status(200).body(session.to_string());
    place.emulator.add_faults([list.always(), read.always()]).expect("valid faults");
    for command in [
        &["list"][..],
        &["list", "-o", "json"],
        &["show", "x"],
        &["show", "x", "-o", "ndjson"],
        &["wait", "x", "--timeout", "100ms"],
    ] {
        let text = printed(place.arr(command));
        assert!(text.contains("owned"), "{command:?}: {text}");
    }
    assert_eq!(place.json(&["show", "x"])["status"], HOSTILE, "a program gets the word itself");
}

#[test]
fn texts_of_files_control_no_terminal() {
    let place = Place::new("hostile_files");
    place.write("arrconfig.json", &place.arrconfig(KEY).replace(DEVELOPMENT_ACCOUNT_ID, "\\u001b[31mowned\\u009b"));
    for command in [&["list"][..], &["config", "show"], &["config", "show", "-o", "json"], &["doctor"]] {
        assert!(printed(place.bare(command)).contains("owned"), "{command:?}");
    }
    let profiles = json!({ "Profiles": [{ "name": HOSTILE, "arr_account_id": "x" }] }).to_string();
    place.write("profiles.json", &profiles);
    assert!(printed(place.bare(&["config", "show", "--config", "profiles.json"])).contains("owned"));
}

#[test]
fn a_link_in_the_folder_reveals_nothing() {
    let place = Place::new("hostile_link");
    place.write_private("private", "TOP SECRET");
    symlink("private", place.home.join("arrconfig.json")).expect("a link");
    for command in [&["list"][..], &["config", "show"], &["doctor", "-o", "json"]] {
        let text = printed(place.bare(command));
        assert!(text.contains("arrconfig.json in this folder is not used") && !text.contains("SECRET"), "{text}");
    }
}

#[test]
fn a_key_file_that_others_can_read_is_named() {
    let place = Place::new("exposed_key");
    place.write_private("key", KEY);
    let list = ["list", "-o", "id", "--account-key-file", "key"];
    place.arr(&list).assert().success().stderr_eq("");
    place.write("key", KEY);
    fs::set_permissions(place.home.join("key"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .expect("it is there");
    let note = "note: other users can read key, which has a secret; to prevent it: chmod 600 key\n";
    place.arr(&list).assert().success().stderr_eq(note);

    place.write("arrconfig.json", &place.arrconfig(KEY));
    place.bare(&["config", "import", "arrconfig.json"]).assert().success();
    let profile = place.home.join(".config/arr/config.toml");
    fs::set_permissions(&profile, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("it is there");
    let note = "note: other users can read [..]/config.toml, which has a secret; to prevent it: chmod 600 [..]\n";
    place.bare(&["list", "-o", "id"]).assert().success().stderr_eq(note);
}

#[test]
fn files_without_end_are_refused() {
    let place = Place::new("endless");
    for option in ["--account-key-file", "--config"] {
        let text = printed(place.bare(&["list", option, "/dev/zero"]));
        assert!(text.contains("cannot read") && text.contains("it is too large"), "{text}");
    }
}
