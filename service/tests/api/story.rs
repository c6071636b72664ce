//! The beginning of most tests: an emulator with a virtual clock, a connection, a token.

use std::time::Duration;

use arr_service::{Account, Clock, Config, Emulator, VirtualClock};
use serde_json::Value;

use crate::http::{Connection, Reply};

/// The startup time of sessions in these tests.
pub(crate) const STARTUP: Duration = Duration::from_secs(150);

pub(crate) const OTHER_ACCOUNT: &str = "11111111-2222-3333-4444-aaaaaaaaaaaa:other+key/1=";

/// An emulator with two accounts, and a client of the first.
pub(crate) struct Story {
    pub(crate) emulator: Emulator,
    pub(crate) clock: VirtualClock,
    pub(crate) connection: Connection,
    pub(crate) token: String,
}

impl Story {
    pub(crate) fn begin() -> Story {
        Story::begin_with(Config::default())
    }

    /// Begins with this configuration, but for its clock, accounts and startup time.
    pub(crate) fn begin_with(config: Config) -> Story {
        Story::begin_at(VirtualClock::new(), config)
    }

    /// Begins with a clock that another story has used.
    pub(crate) fn begin_at(clock: VirtualClock, config: Config) -> Story {
        let emulator = Emulator::start(Config {
            accounts: vec![Account::development(), other_account()],
            clock: Clock::Virtual(clock.clone()),
            startup: STARTUP,
            ..config
        })
        .expect("the emulator starts");
        let mut connection = Connection::open(emulator.url());
        let token = token_for(&mut connection, &Account::development());
        Story { emulator, clock, connection, token }
    }

    /// A call with the token; `path` is below the account's, such as `/sessions`.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let path = self.path(path);
        let authorization = format!("Bearer {}", self.token);
        let headers = [("Authorization", authorization.as_str())];
        self.connection.call(method, &path, &headers, body.as_bytes())
    }

    /// A call of REST 2021-01-01 with the token; `path` is below the account's.
    pub(crate) fn call_2021(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let path = self.path_2021(path);
        let authorization = format!("Bearer {}", self.token);
        self.connection.call(method, &path, &[("Authorization", authorization.as_str())], body.as_bytes())
    }

    /// Sends a [`call`](Self::call) without waiting for a reply.
    pub(crate) fn request(&mut self, method: &str, path: &str, body: &str) {
        let path = self.path(path);
        let authorization = format!("Bearer {}", self.token);
        self.connection.request(method, &path, &[("Authorization", authorization.as_str())], body.as_bytes());
    }

    /// A control call on its own connection; `path` is below `/emulator`.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Reply {
        let mut connection = Connection::open(self.emulator.url());
        connection.call(method, &format!("/emulator{path}"), &[], body.as_bytes())
    }

    /// Reconnects, as a client does that has lost its connection.
    pub(crate) fn reconnect(&mut self) {
        self.connection = Connection::open(self.emulator.url());
    }

    /// The statuses in the request log.
    pub(crate) fn recorded_statuses(&self) -> Vec<u16> {
        self.emulator.requests().iter().map(|request| request.status).collect()
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/accounts/{}{rest}", self.emulator.account().id())
    }

    pub(crate) fn path_2021(&self, rest: &str) -> String {
        format!("/accounts/{}{rest}?api-version=2021-01-01", self.emulator.account().id())
    }

    /// Creates a session with this id and a lease of this many minutes.
    pub(crate) fn create_2021(&mut self, id: &str, minutes: u32) {
        let body = format!(r#"{{"maxLeaseTimeMinutes":{minutes},"size":"Standard"}}"#);
        let reply = self.call_2021("PUT", &format!("/sessions/{id}"), &body);
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// The session in REST 2021-01-01.
    pub(crate) fn get_2021(&mut self, id: &str) -> Value {
        let reply = self.call_2021("GET", &format!("/sessions/{id}"), "");
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Creates a session with a lease of four hours and returns its id.
    pub(crate) fn create(&mut self) -> String {
        self.create_with_lease("4:0:0")
    }

    pub(crate) fn create_with_lease(&mut self, lease: &str) -> String {
        let body = format!(r#"{{"maxLeaseTime":"{lease}","size":"standard"}}"#);
        let reply = self.call("POST", "/sessions/create", &body);
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.json()["sessionId"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn properties(&mut self, session: &str) -> Value {
        let reply = self.call("GET", &format!("/sessions/{session}/properties"), "");
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    pub(crate) fn status(&mut self, session: &str) -> String {
        let properties = self.properties(session);
        properties["sessionStatus"].as_str().expect("a status").to_owned()
    }
}

pub(crate) fn other_account() -> Account {
    OTHER_ACCOUNT.parse().expect("an account")
}

pub(crate) fn token_for(connection: &mut Connection, account: &Account) -> String {
    let authorization = format!("Bearer {}:{}", account.id(), account.key());
    let path = format!("/accounts/{}/token", account.id());
    let reply = connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["AccessToken"].as_str().expect("a token").to_owned()
}
