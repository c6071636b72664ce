//! The two versions of the REST API, so that one test can be written for both.

use super::scripted::reply;
use arr_client::{ApiVersion, ClientConfig, SessionStatus};
use arr_service::Fault;
use std::time::Duration;

/// The requests and replies of one version. Requests are `METHOD path` with every GUID as `{id}`.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) version: ApiVersion,
    pub(crate) create: &'static str,
    pub(crate) properties: &'static str,
    pub(crate) update: &'static str,
    pub(crate) list: &'static str,
    pub(crate) stop: &'static str,
}

pub(crate) const TOKEN: &str = "GET /accounts/{id}/token";

pub(crate) static V1: Wire = Wire {
    version: ApiVersion::V1,
    create: "POST /v1/accounts/{id}/sessions/create",
    properties: "GET /v1/accounts/{id}/sessions/{id}/properties",
    update: "PATCH /v1/accounts/{id}/sessions/{id}",
    list: "GET /v1/accounts/{id}/sessions",
    stop: "DELETE /v1/accounts/{id}/sessions/{id}",
};

pub(crate) static V2021: Wire = Wire {
    version: ApiVersion::V2021_01_01,
    create: "PUT /accounts/{id}/sessions/{id}",
    properties: "GET /accounts/{id}/sessions/{id}",
    update: "PATCH /accounts/{id}/sessions/{id}",
    list: "GET /accounts/{id}/sessions",
    stop: "POST /accounts/{id}/sessions/{id}/:stop",
};

/// The id in scripted replies of v1, whose service chooses it.
pub(crate) const ID: &str = "e13d2c44-63e0-4591-991e-f9e05e599a93";

impl Wire {
    pub(crate) fn is_v1(&self) -> bool {
        self.version == ApiVersion::V1
    }

    /// A client's configuration for this version, with the same poll interval in both versions.
    pub(crate) fn config(&self) -> ClientConfig {
        ClientConfig {
            api_version: self.version,
            poll_interval: Some(Duration::from_secs(10)),
            ..ClientConfig::default()
        }
    }

    /// A success reply to a create.
    pub(crate) fn created(&self) -> String {
        match self.version {
            ApiVersion::V1 => reply("202 Accepted", "", &format!(r#"{{"sessionId":"{ID}"}}"#)),
            _ => reply("201 Created", "", &self.session(&SessionStatus::Starting)),
        }
    }

    /// A success reply to a read.
    pub(crate) fn read(&self, status: &SessionStatus) -> String {
        reply("200 OK", "", &self.session(status))
    }

    /// A body with a session of one hour.
    pub(crate) fn session(&self, status: &SessionStatus) -> String {
        self.session_with(status, 1)
    }

    /// A body with a session of this many hours.
    pub(crate) fn session_with(&self, status: &SessionStatus, hours: u32) -> String {
        let word = match status {
            SessionStatus::Unknown(word) => word.clone(),
            known => format!("{known:?}"),
        };
        match self.version {
            ApiVersion::V1 => format!(
                r#"{{"sessionStatus":"{word}","sessionMaxLeaseTime":"{hours:02}:00:00","sessionHostname":"h","message":null}}"#
            ),
            _ => format!(
                r#"{{"status":"{word}","maxLeaseTimeMinutes":{},"hostname":"h","creationTime":"2025-05-06T07:08:09Z"}}"#,
                hours * 60
            ),
        }
    }

    /// The purpose of a request to a scripted server.
    pub(crate) fn act_of(&self, line: &str) -> Asked {
        let line = super::shortened(line);
        let is = |wanted: &str| line.split(' ').next() == wanted.split(' ').next();
        match () {
            () if line == self.list => Asked::List,
            () if is(self.stop) && (self.is_v1() || line.ends_with("/:stop")) => Asked::Stop,
            () if is(self.create) => Asked::Create,
            () if is(self.update) => Asked::Update,
            () => Asked::Read,
        }
    }

    /// A fault of the emulator for one such request.
    pub(crate) fn on(&self, asked: Asked) -> Fault {
        let line = match asked {
            Asked::Create => self.create,
            Asked::Read => self.properties,
            Asked::Update => self.update,
            Asked::List => self.list,
            Asked::Stop => self.stop,
        };
        let (method, path) = line.split_once(' ').expect("a line has a method and a path");
        Fault::on(method, &path.replace("{id}", "*"))
    }

    /// A success reply to any request.
    pub(crate) fn good(&self, line: &str) -> String {
        match self.act_of(line) {
            Asked::List => reply("200 OK", "", r#"{"sessions":[]}"#),
            Asked::Stop => reply("204 No Content", "", ""),
            Asked::Create => self.created(),
            Asked::Update if self.is_v1() => reply("200 OK", "", ""),
            Asked::Update => reply("200 OK", "", &self.session_with(&SessionStatus::Ready, 2)),
            Asked::Read => self.read(&SessionStatus::Ready),
        }
    }
}

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Create,
    Read,
    Update,
    List,
    Stop,
}

/// Runs these tests with both versions. (A test missing here is dead code, which is an error.)
macro_rules! in_both_versions {
    ($($name:ident),* $(,)?) => {
        mod v1 {
            $(#[test] fn $name() { super::$name(&crate::support::wire::V1); })*
        }

        mod v2021_01_01 {
            $(#[test] fn $name() { super::$name(&crate::support::wire::V2021); })*
        }
    };
}
pub(crate) use in_both_versions;

/// Runs these tests with both versions, each in its own process: see [`own_process`](crate::support::own_process).
macro_rules! in_both_versions_in_own_processes {
    ($($name:ident),* $(,)?) => {
        mod v1_in_own_processes {
            $(#[test] fn $name() {
                crate::support::own_process::run(module_path!(), stringify!($name), || super::$name(&crate::support::wire::V1));
            })*
        }

        mod v2021_01_01_in_own_processes {
            $(#[test] fn $name() {
                crate::support::own_process::run(module_path!(), stringify!($name), || super::$name(&crate::support::wire::V2021));
            })*
        }
    };
}
pub(crate) use in_both_versions_in_own_processes;
