//! What the control calls read and write as JSON (`docs/emulator.md`, "Control calls").

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::ServiceClock;
use crate::faults::json::StandingForm;
use crate::request_log::RecordedRequest;
use crate::session::SessionView;

/// `POST /emulator/faults`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddFaults {
    pub(super) rules: Vec<Value>,
}

/// The faults that stand.
#[derive(Serialize)]
pub(super) struct Faults {
    pub(super) rules: Vec<StandingForm>,
}

/// `POST /emulator/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvanceClock {
    pub(super) advance_ms: u64,
}

/// The emulator's time.
#[derive(Serialize)]
pub(super) struct Time {
    /// Since its start, as in the record of requests.
    time_ms: u64,
    /// Since 1970-01-01T00:00:00Z.
    unix_ms: u64,
}

impl Time {
    pub(super) fn of(clock: &ServiceClock) -> Time {
        Time { time_ms: milliseconds(clock.uptime()), unix_ms: milliseconds(clock.unix_time()) }
    }
}

/// `POST /emulator/sessions/{session}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceStatus {
    pub(super) status: String,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// `POST /emulator/entra-token`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskEntraToken {
    #[serde(default)]
    pub(super) account_id: Option<String>,
    #[serde(default = "an_hour")]
    pub(super) lifetime_seconds: u64,
}

/// About as long as Microsoft Entra's tokens live.
fn an_hour() -> u64 {
    60 * 60
}

#[derive(Serialize)]
pub(super) struct EntraToken {
    pub(super) token: String,
}

#[derive(Serialize)]
pub(super) struct Closed {
    pub(super) closed: usize,
}

/// The record of requests.
#[derive(Serialize)]
pub(super) struct Requests {
    pub(super) requests: Vec<Request>,
}

/// One request of the record.
#[derive(Serialize)]
pub(super) struct Request {
    time_ms: u64,
    connection: u64,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    status: u16,
}

impl From<RecordedRequest> for Request {
    fn from(request: RecordedRequest) -> Request {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in request.headers {
            let whole = headers.entry(name).or_default();
            // As HTTP has it for a header that comes twice.
            *whole = if whole.is_empty() { value } else { format!("{whole}, {value}") };
        }
        Request {
            time_ms: milliseconds(request.at),
            connection: request.connection,
            method: request.method,
            path: request.path,
            headers,
            status: request.status,
        }
    }
}

/// The sessions of all accounts.
#[derive(Serialize)]
pub(super) struct Sessions {
    pub(super) sessions: Vec<Session>,
}

/// One session. Other than the service's own reply, it is in plain units.
#[derive(Serialize)]
pub(super) struct Session {
    id: String,
    account_id: String,
    status: &'static str,
    size: &'static str,
    max_lease_ms: u64,
    elapsed_ms: u64,
    hostname: Option<String>,
    message: Option<String>,
}

impl From<SessionView> for Session {
    fn from(session: SessionView) -> Session {
        Session {
            id: session.id,
            account_id: session.account_id,
            status: session.status.as_str(),
            size: session.size.as_str(),
            max_lease_ms: milliseconds(session.max_lease),
            elapsed_ms: milliseconds(session.elapsed),
            hostname: session.hostname,
            message: session.message,
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
