//! The JSON of the control calls (`docs/emulator.md`, "Control calls").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::AdjustableClock;
use crate::faults::json::FaultRuleState;
use crate::format::{milliseconds, tenths_of_milliseconds};
use crate::request_log::RecordedRequest;
use crate::session::SessionView;

/// `POST /emulator/faults`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddFaults {
    pub(super) rules: Vec<Value>,
}

/// The active faults.
#[derive(Serialize)]
pub(super) struct FaultRulesReply {
    pub(super) rules: Vec<FaultRuleState>,
}

/// `POST /emulator/clock`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvanceClock {
    pub(super) advance_ms: u64,
}

/// The emulator's time.
#[derive(Serialize)]
pub(super) struct ClockReply {
    /// Since its start, as in the request log.
    time_ms: u64,
    /// Since 1970-01-01T00:00:00Z.
    unix_ms: u64,
}

impl ClockReply {
    pub(super) fn of(clock: &AdjustableClock) -> ClockReply {
        ClockReply { time_ms: milliseconds(clock.uptime()), unix_ms: milliseconds(clock.unix_time()) }
    }
}

/// `POST /emulator/sessions/{session}`: either a status, perhaps with a message, or a lease.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeSession {
    pub(super) status: Option<String>,
    pub(super) message: Option<String>,
    pub(super) lease_minutes: Option<u32>,
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
pub(super) struct EntraTokenReply {
    pub(super) token: String,
}

#[derive(Serialize)]
pub(super) struct ClosedReply {
    pub(super) closed: usize,
}

/// One request in the log.
#[derive(Serialize)]
pub(super) struct LoggedRequest {
    time_ms: u64,
    connection: u64,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    status: u16,
    /// Null while it is in progress.
    duration_ms: Option<f64>,
    ms_cv: Option<String>,
    session: Option<String>,
    fault: Option<&'static str>,
}

impl From<RecordedRequest> for LoggedRequest {
    fn from(request: RecordedRequest) -> LoggedRequest {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in request.headers {
            let whole = headers.entry(name).or_default();
            // The way HTTP joins the values of a repeated header.
            *whole = if whole.is_empty() { value } else { format!("{whole}, {value}") };
        }
        LoggedRequest {
            time_ms: milliseconds(request.at),
            connection: request.connection,
            method: request.method,
            path: request.path,
            headers,
            status: request.status,
            duration_ms: request.duration.map(tenths_of_milliseconds),
            ms_cv: request.ms_cv,
            session: request.session,
            fault: request.fault,
        }
    }
}

/// The sessions of all accounts.
#[derive(Serialize)]
pub(super) struct SessionsReply {
    pub(super) sessions: Vec<SessionSummary>,
}

/// One session. Unlike the service's replies, it has plain units.
#[derive(Serialize)]
pub(super) struct SessionSummary {
    id: String,
    account_id: String,
    status: &'static str,
    size: &'static str,
    max_lease_ms: u64,
    elapsed_ms: u64,
    hostname: Option<String>,
    message: Option<String>,
}

impl From<SessionView> for SessionSummary {
    fn from(session: SessionView) -> SessionSummary {
        SessionSummary {
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
