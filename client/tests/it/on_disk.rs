//! The disk operations of a create and a recovery, and their order, as strace shows them.

use crate::support::journal::Folder;
use crate::support::own_process;
use crate::support::wire::V1;
use crate::support::{an_hour, config_for};
use arr_client::{Client, ClientConfig};
use arr_service::{Config, Emulator};
use std::process::Command;

const URL: &str = "ARR_TEST_SERVICE";
const FOLDER: &str = "ARR_TEST_JOURNAL";

/// The process of the test below. Does nothing when run alone.
#[test]
fn child_that_creates_two_sessions_and_recovers_one() {
    let (Ok(url), Ok(folder)) = (std::env::var(URL), std::env::var(FOLDER)) else { return };
    let account = arr_service::Account::development();
    let config = ClientConfig {
        account_id: account.id().to_owned(),
        credential: arr_client::Credential::AccountKey(account.key().into()),
        account_domain: url.clone(),
        service_endpoint: url,
        journal_folder: Some(folder.into()),
        ..V1.config()
    };
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        drop(client.create_session(&an_hour()).run().unwrap());
    }
    assert_eq!(client.recover_sessions().run().unwrap().len(), 1);
    // Its file must stay.
    std::mem::forget(client);
}

#[test]
fn records_are_flushed_before_creates_and_before_copies_are_removed() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace is missing");
        return println!("skipped: strace is missing");
    }
    let emulator = Emulator::start(Config::default()).unwrap();
    let folder = Folder::new();
    let config = config_for(&emulator, folder.config(&V1));
    let url = config.service_endpoint.clone();
    drop(Client::new(config).unwrap().create_session(&an_hour()).run().unwrap());
    let trace = folder.0.with_extension("trace");
    let traced = own_process::command(module_path!(), "child_that_creates_two_sessions_and_recovers_one");
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "300", "-e", "trace=fsync,fdatasync,?unlink,?unlinkat,%network,write,writev", "-o"])
        .arg(&trace)
        .arg(traced.get_program())
        .args(traced.get_args())
        .env(URL, url)
        .env(FOLDER, &folder.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&trace).unwrap();
    std::fs::remove_file(&trace).unwrap();

    let is_done = |line: &str, call: &str| {
        line.contains(&format!("{call} resumed>")) || (line.contains(&format!("{call}(")) && line.ends_with("= 0"))
    };
    let steps: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let line = line.trim_end();
            if is_done(line, "fdatasync") {
                Some("file")
            } else if is_done(line, "fsync") {
                Some("folder")
            } else if line.contains("POST /v1/") && line.contains("sessions/create") {
                Some("create")
            } else if line.contains("unlink") && line.contains(".journal") {
                Some("removed")
            } else {
                None
            }
        })
        .collect();
    assert_eq!(steps, ["file", "folder", "create", "file", "create", "file", "removed"], "{text}");
    assert!(text.contains(".journal>") && text.contains(&format!("<{}>", folder.0.display())), "{text}");
}
