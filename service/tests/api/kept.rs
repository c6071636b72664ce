//! The state folder (`docs/emulator.md`, "Kept across restarts"): what a later emulator goes on with, and which folders
//! are refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use arr_service::{Account, Config, Emulator, SessionStatus, StartError, StateFolderError};

use crate::folder::folder;
use crate::http::Connection;
use crate::story::{STARTUP, Story, token_for};

const HOUR: Duration = Duration::from_secs(3600);

fn config(folder: &Path) -> Config {
    Config { state_folder: Some(folder.to_owned()), ..Config::default() }
}

/// Ends an emulator and begins another with the same folder and the same clock.
fn restart(story: Story, config: Config) -> Story {
    let Story { emulator, clock, token, .. } = story;
    emulator.stop();
    Story { token, ..Story::begin_at(clock, config) }
}

#[test]
fn sessions_and_tokens_survive_a_restart() {
    let folder = folder("kept_sessions");
    let mut story = Story::begin_with(config(&folder));
    let [running, extended, stopped, failed] = [(); 4].map(|()| story.create());
    story.create_2021("mine", 60);
    story.call("PATCH", &format!("/sessions/{extended}"), r#"{"maxLeaseTime":"10.00:00:00.1234567"}"#);
    story.clock.advance(STARTUP + HOUR);
    story.call("DELETE", &format!("/sessions/{stopped}"), "");
    assert!(story.emulator.fail_session(&failed, "The server caught fire."));
    let before = story.emulator.sessions();
    let properties = story.properties(&running);
    let resource = story.get_2021("mine");

    let mut story = restart(story, config(&folder));
    assert_eq!(story.emulator.sessions(), before);
    assert_eq!(story.properties(&running), properties, "with the token of the earlier emulator");
    assert_eq!(story.get_2021("mine"), resource);
    assert_eq!(story.properties(&extended)["sessionMaxLeaseTime"], "10.00:00:00.1234567");
    assert_eq!(story.properties(&failed)["message"], "The server caught fire.");
    let new = story.create();
    let ids: Vec<_> = story.emulator.sessions().into_iter().map(|session| session.id).collect();
    assert_eq!(ids, [&running, &extended, &stopped, &failed, "mine", &new], "in the order of creation");
}

#[test]
fn leases_go_on_while_the_emulator_is_down() {
    let folder = folder("kept_leases");
    let mut story = Story::begin_with(config(&folder));
    let (short, long) = (story.create_with_lease("1:0:0"), story.create_with_lease("4:0:0"));
    story.clock.advance(STARTUP);
    let Story { emulator, clock, token, .. } = story;
    emulator.stop();
    clock.advance(2 * HOUR);
    let mut story = Story { token, ..Story::begin_at(clock, config(&folder)) };
    assert_eq!((story.status(&short).as_str(), story.status(&long).as_str()), ("Expired", "Ready"));
    assert_eq!(story.properties(&short)["sessionElapsedTime"], "01:00:00");
    assert_eq!(story.properties(&long)["sessionElapsedTime"], "02:00:00");
    story.clock.advance(2 * HOUR);
    assert_eq!(story.status(&long), "Expired");
}

#[test]
fn a_token_expires_while_the_emulator_is_down() {
    let folder = folder("kept_tokens");
    let story = Story::begin_with(config(&folder));
    story.clock.advance(24 * HOUR);
    let mut story = restart(story, config(&folder));
    assert_eq!(story.call("GET", "/sessions", "").status, 401);
}

#[test]
fn a_token_of_an_account_that_was_removed_is_refused() {
    let folder = folder("kept_removed");
    let mut story = Story::begin_with(config(&folder));
    let other = crate::story::other_account();
    let token = token_for(&mut story.connection, &other);
    story.emulator.stop();
    let emulator = Emulator::start(Config { accounts: vec![Account::development()], ..config(&folder) });
    let emulator = emulator.expect("it starts");
    let path = format!("/v1/accounts/{}/sessions", other.id());
    let reply =
        Connection::open(emulator.url()).call("GET", &path, &[("Authorization", &format!("Bearer {token}"))], b"");
    assert_eq!(reply.status, 401);
}

#[test]
fn forgotten_sessions_stay_forgotten() {
    let folder = folder("kept_forgotten");
    let config = Config { remember: HOUR, ..config(&folder) };
    let mut story = Story::begin_with(config.clone());
    let (first, second) = (story.create_with_lease("1:0:0"), story.create_with_lease("4:0:0"));
    story.clock.advance(STARTUP + 3 * HOUR);
    let mut story = restart(story, config.clone());
    assert_eq!(story.call("GET", &format!("/sessions/{first}/properties"), "").status, 404);
    let third = story.create();
    let story = restart(story, config);
    let ids: Vec<_> = story.emulator.sessions().into_iter().map(|session| session.id).collect();
    assert_eq!(ids, [second, third]);
}

#[test]
fn an_advanced_clock_stays_advanced() {
    let folder = folder("kept_clock");
    let start = || Emulator::start(config(&folder)).expect("it starts");
    let emulator = start();
    let mut connection = Connection::open(emulator.url());
    let authorization = format!("Bearer {}", emulator.access_token());
    let sessions = format!("/v1/accounts/{}/sessions", emulator.account().id());
    let body = br#"{"maxLeaseTime":"1:0:0","size":"standard"}"#;
    let reply = connection.call("POST", &format!("{sessions}/create"), &[("Authorization", &authorization)], body);
    assert_eq!(reply.status, 202);
    let advance = connection.call("POST", "/emulator/clock", &[], br#"{"advance_ms":7200000}"#).json();
    emulator.advance_clock(HOUR);
    assert_eq!(emulator.sessions()[0].status, SessionStatus::Expired);
    drop(connection);
    emulator.stop();

    let emulator = start();
    assert_eq!(emulator.sessions()[0].status, SessionStatus::Expired, "an ended session never comes back");
    let now = Connection::open(emulator.url()).call("GET", "/emulator/clock", &[], b"").json();
    let unix_ms = |reply: &serde_json::Value| Duration::from_millis(reply["unix_ms"].as_u64().expect("a time"));
    let passed = unix_ms(&now) - unix_ms(&advance);
    assert!((HOUR..HOUR + HOUR / 2).contains(&passed), "{passed:?}");
    assert!(now["time_ms"].as_u64().is_some_and(|time| time < 1_000_000), "{now}");
}

#[test]
fn the_authority_survives_a_restart_and_its_key_is_private() {
    let folder = folder("kept_authority");
    let start = || Emulator::start(Config { tls: true, ..config(&folder.join("new/folder")) }).expect("it starts");
    let first = start();
    let pem = first.ca_pem().expect("HTTPS").to_owned();
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder.join("new/folder")), 0o700);
    for entry in fs::read_dir(folder.join("new/folder")).expect("a folder") {
        let path = entry.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    first.stop();
    assert_eq!(start().ca_pem(), Some(pem.as_str()));
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = folder("kept_in_use");
    let emulator = Emulator::start(config(&folder)).expect("it starts");
    let error = Emulator::start(config(&folder)).expect_err("the folder is in use");
    assert!(matches!(&error, StartError::StateFolder(StateFolderError::InUse { .. })), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(folder.to_str().expect("UTF-8")) && text.contains("stop that one"), "{text}");
    drop(emulator);
    Emulator::start(config(&folder)).expect("it is free again");
}

/// The files in a folder, with their contents.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    files.map(|file| (file.file_name().into_string().expect("UTF-8"), fs::read(file.path()).expect("read"))).collect()
}

/// A folder with a hundred sessions. The database is in two files, as after SIGKILL.
fn used(name: &str) -> crate::folder::Folder {
    let (original, copy) = (folder(&format!("{name}_original")), folder(name));
    let mut story = Story::begin_with(config(&original));
    for _ in 0..100 {
        story.create();
    }
    for (file, bytes) in contents(&original) {
        fs::write(copy.join(file), bytes).expect("written");
    }
    copy
}

#[track_caller]
fn assert_refused(folder: &Path, expected: &str) {
    let before = contents(folder);
    let error = Emulator::start(config(folder)).expect_err("the folder is refused").to_string();
    let file = folder.join("state.sqlite");
    assert!(error.contains(expected) && error.contains(file.to_str().expect("UTF-8")), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(contents(folder) == before, "the files are unchanged");
}

#[test]
fn a_copy_taken_at_any_time_is_complete() {
    let folder = used("kept_copy");
    assert!(contents(&folder).contains_key("state.sqlite-wal"));
    let story = Story::begin_with(config(&folder));
    assert_eq!(story.emulator.sessions().len(), 100);
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let folder = folder("kept_foreign");
    for bytes in [&b""[..], b"dear diary", &[b"SQLite format 3\0".as_slice(), &[0; 500]].concat()] {
        fs::write(folder.join("state.sqlite"), bytes).expect("written");
        fs::write(folder.join("lock"), "").expect("written");
        assert_refused(&folder, "was not written by arr-emulator");
    }
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = used("kept_newer");
    let file = folder.join("state.sqlite");
    let mut bytes = fs::read(&file).expect("read");
    bytes[63] = 2;
    fs::write(&file, bytes).expect("written");
    assert_refused(&folder, "has format 2, but this arr-emulator knows only formats up to 1");
}

#[test]
fn a_damaged_database_is_refused_and_left_alone() {
    let folder = used("kept_damaged");
    let files = contents(&folder);
    let page =
        |bytes: &[u8], number: usize| [&bytes[..number * 4096], &[0xa5; 4096], &bytes[(number + 1) * 4096..]].concat();
    let database = &files["state.sqlite"];
    // Without the log, so that what is damaged counts.
    fs::remove_file(folder.join("state.sqlite-wal")).expect("removed");
    for damaged in
        [page(database, 1), page(database, 2), database[..database.len() - 4096].to_vec(), database[..300].to_vec()]
    {
        fs::write(folder.join("state.sqlite"), damaged).expect("written");
        assert_refused(&folder, "is damaged");
    }
    fs::write(folder.join("state.sqlite-wal"), &files["state.sqlite-wal"]).expect("written");
    fs::remove_file(folder.join("state.sqlite")).expect("removed");
    assert_refused(&folder, "it is missing, although its log state.sqlite-wal is there");
}

#[test]
fn a_folder_that_cannot_be_made_is_reported() {
    let folder = folder("kept_unusable");
    fs::write(folder.join("file"), "").expect("written");
    let error = Emulator::start(config(&folder.join("file"))).expect_err("it is not a folder").to_string();
    assert!(error.contains("cannot use the state folder") && error.contains("kept_unusable"), "{error}");
}
