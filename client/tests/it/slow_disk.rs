//! A disk that hangs.

use crate::support::journal::JournalWorld;
use crate::support::wire::V1;
use crate::support::{SECOND, an_hour, config_for, own_process, threads};
use arr_client::{Client, ClientConfig, ErrorKind};
use arr_service::{Config, Emulator};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const STORE: &str = "ARR_TEST_STORE";

/// A client removes its file only when it ends.
#[test]
fn the_end_of_a_client_does_not_wait_for_the_disk() {
    for (waits, has_driver) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = JournalWorld::new(&V1);
        let client = world.client();
        client.create_session(&an_hour()).run().unwrap().stop().run().unwrap();
        if has_driver {
            client.list_sessions().start().unwrap().wait(20 * SECOND);
        }
        let held = world.folder.hold();
        let (ends, ended) = mpsc::channel();
        let end = thread::spawn(move || {
            if waits {
                let error = client.shut_down_within(Duration::from_millis(50)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout);
                ends.send(Some(client)).unwrap();
            } else {
                drop(client);
                ends.send(None).unwrap();
            }
        });
        let client = ended.recv_timeout(20 * SECOND).expect("the end does not wait for the disk");
        end.join().unwrap();
        drop(held);
        if let Some(client) = client {
            client.shut_down_within(20 * SECOND).unwrap();
        }
        world.over();
    }
}

/// The process of the test below. Does nothing when run alone.
#[test]
fn a_process_whose_certificates_cannot_be_read() {
    let Ok(store) = std::env::var(STORE) else { return };
    // Ends the process if a call hangs.
    thread::spawn(|| {
        thread::sleep(60 * SECOND);
        std::process::exit(1);
    });
    let emulator = Emulator::start(Config::default()).unwrap();
    let client = Client::new(config_for(&emulator, ClientConfig { max_retries: 0, ..V1.config() })).unwrap();
    thread::scope(|scope| {
        let token = scope.spawn(|| client.access_token().timeout(2 * SECOND).run().map(drop));
        threads::wait_until(20 * SECOND, |names| names.contains(&"arr-setup".to_owned()));
        client.resume().unwrap();
        assert!(!token.is_finished(), "the token waits for the store; the resume did not");
        assert_eq!(token.join().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    });
    let error = client.create_session(&an_hour()).timeout(SECOND).run().unwrap_err();
    assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Timeout, false), "{error}");
    let listed = client.list_sessions().timeout(SECOND).start().unwrap();
    assert_eq!(listed.wait(20 * SECOND), arr_client::OperationState::Failed);
    assert_eq!(client.shut_down_within(Duration::from_millis(50)).unwrap_err().kind(), ErrorKind::Timeout);
    // The store can be read now. It is empty.
    std::fs::write(store, "").unwrap();
    client.shut_down_within(20 * SECOND).unwrap();
    assert_eq!(threads::names(), [""; 0]);
}

#[test]
fn calls_and_shutdowns_respect_their_timeouts_while_the_certificate_store_hangs() {
    let store = std::env::temp_dir().join(format!("arr-store-{}", uuid::Uuid::new_v4()));
    assert!(Command::new("mkfifo").arg(&store).status().unwrap().success());
    let mut process = own_process::command(module_path!(), "a_process_whose_certificates_cannot_be_read");
    let output = process.env("SSL_CERT_FILE", &store).env_remove("SSL_CERT_DIR").env(STORE, &store).output().unwrap();
    std::fs::remove_file(store).unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
