//! A process that cannot open more files or sockets: calls fail until it can again.

use crate::support::an_hour;
use crate::support::journal::Folder;
use crate::support::own_process;
use crate::support::scripted::{Act, Scripted};
use crate::support::wire::V1;
use arr_client::{Client, ClientConfig, Error, ErrorKind};
use std::fs::File;
use std::process::Command;

#[test]
fn without_free_file_descriptors_calls_say_so() {
    own_process::run(module_path!(), "without_free_file_descriptors_calls_say_so", || {
        let limit = ["--pid", &std::process::id().to_string(), "--nofile=200:200"].map(str::to_owned);
        assert!(Command::new("prlimit").args(limit).status().unwrap().success());
        // The connection is closed before the next call.
        let server = Scripted::by(|line| Act::AnswerAndClose(V1.good(line)));
        let new = || server.client(ClientConfig { max_retries: 0, ..V1.config() });
        let (used, unused, folder) = (new(), new(), Folder::new());
        let recorded =
            server.client(ClientConfig { journal_folder: Some(folder.0.clone()), max_retries: 0, ..V1.config() });
        used.list_sessions().run().unwrap();
        let calls: [&dyn Fn() -> Result<(), Error>; 5] = [
            &|| create(&used),
            &|| used.list_sessions().run().map(drop),
            &|| unused.list_sessions().run().map(drop),
            &|| create(&recorded),
            &|| recorded.recover_sessions().run().map(drop),
        ];
        let pem = std::env::temp_dir().join(format!("arr-ca-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&pem, "-----BEGIN CERTIFICATE-----\n").unwrap();
        let mut files: Vec<File> = Vec::new();
        for call in calls {
            // The server may close a connection, and free a descriptor, only now.
            let failed = || {
                files.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
                call().err()
            };
            let error = std::iter::repeat_with(failed).take(10).flatten().next().unwrap();
            assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::OutOfResources, false), "{error}");
            assert!(error.is_retryable() && error.message().contains("os error 24"), "{error}");
        }
        let config = ClientConfig { ca_file: Some(pem.clone()), ..V1.config() };
        let error = server.try_client(config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfResources, "{error}");
        assert!(error.message().contains("`ca_file`"), "{error}");
        files.truncate(files.len() / 2);
        for call in calls {
            call().unwrap();
        }
        std::fs::remove_file(pem).unwrap();
    });
}

/// A write beyond the limit raises SIGXFSZ, which by default ends the process.
#[test]
fn at_the_file_size_limit_creates_fail_and_the_process_survives() {
    own_process::run(module_path!(), "at_the_file_size_limit_creates_fail_and_the_process_survives", || {
        let limit = ["--pid", &std::process::id().to_string(), "--fsize=2000:2000"].map(str::to_owned);
        assert!(Command::new("prlimit").args(limit).status().unwrap().success());
        let (folder, server) = (Folder::new(), Scripted::by(|line| Act::Answer(V1.good(line))));
        let config = ClientConfig { journal_folder: Some(folder.0.clone()), ..V1.config() };
        let client = server.client(config);
        let refused = (0..20).find_map(|_| create(&client).err()).unwrap();
        assert_eq!((refused.kind(), refused.is_outcome_unknown()), (ErrorKind::Storage, false), "{refused}");
    });
}

fn create(client: &Client) -> Result<(), Error> {
    client.create_session(&an_hour()).run().map(drop)
}
