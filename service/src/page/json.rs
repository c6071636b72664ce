//! The JSON of the events. Only the page reads it; it may change with the page.

use serde::Serialize;

use crate::clock::AdjustableClock;
use crate::faults::json::FaultRuleState;
use crate::format::{milliseconds, tenths_of_milliseconds};
use crate::request_log::RecordedRequest;
use crate::session::{Session, SessionView};

/// The first event.
#[derive(Serialize)]
pub(super) struct Hello<'a> {
    pub(super) version: &'static str,
    /// For other machines.
    pub(super) urls: &'a [String],
}

/// The emulator's time, and how fast it runs.
#[derive(Serialize)]
pub(super) struct ClockEvent {
    pub(super) time_ms: u64,
    unix_ms: u64,
    /// Compared with real time; 0 if it moves only when it is advanced.
    rate: u32,
}

impl ClockEvent {
    pub(super) fn of(clock: &AdjustableClock) -> ClockEvent {
        ClockEvent {
            time_ms: milliseconds(clock.uptime()),
            unix_ms: milliseconds(clock.unix_time()),
            rate: clock.rate(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SessionsEvent {
    /// How many there are; not all of them are in `sessions`.
    pub(super) active: usize,
    pub(super) ended: usize,
    pub(super) sessions: Vec<SessionItem>,
}

/// A session, without what changes only because time passes.
#[derive(Serialize)]
pub(super) struct SessionItem {
    number: u64,
    id: String,
    account: String,
    status: &'static str,
    size: &'static str,
    lease_ms: u64,
    created_unix_ms: u64,
    /// When it ended or will end, on the clock of [`ClockEvent`]; null if that is not known.
    end_ms: Option<i64>,
    host: Option<String>,
    message: Option<String>,
}

impl SessionItem {
    pub(super) fn of(session: &Session, clock: &AdjustableClock) -> SessionItem {
        let view = SessionView::of(session, clock.now());
        SessionItem {
            number: session.identity.number,
            id: view.id,
            account: view.account_id,
            status: view.status.as_str(),
            size: view.size.as_str(),
            lease_ms: milliseconds(view.max_lease),
            created_unix_ms: milliseconds(session.creation_time),
            end_ms: clock.milliseconds_since_start(session.end()),
            host: view.hostname,
            message: view.message.map(shortened),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FaultsEvent {
    /// How many there are; not all of them are in `rules`.
    pub(super) count: usize,
    pub(super) rules: Vec<FaultRuleState>,
}

#[derive(Serialize)]
pub(super) struct RequestsEvent {
    /// The number of the first request in the record. Earlier ones have been cleared or dropped.
    pub(super) first: u64,
    /// The new and changed ones, oldest first.
    pub(super) requests: Vec<RequestItem>,
}

#[derive(Serialize)]
pub(super) struct RequestItem {
    number: u64,
    time_ms: u64,
    connection: u64,
    method: String,
    path: String,
    status: u16,
    duration_ms: Option<f64>,
    ms_cv: Option<String>,
    session: Option<String>,
    fault: Option<&'static str>,
}

impl RequestItem {
    pub(super) fn of(number: u64, request: &RecordedRequest) -> RequestItem {
        RequestItem {
            number,
            time_ms: milliseconds(request.at),
            connection: request.connection,
            method: request.method.clone(),
            path: request.path.clone(),
            status: request.status,
            duration_ms: request.duration.map(tenths_of_milliseconds),
            ms_cv: request.ms_cv.clone(),
            session: request.session.clone(),
            fault: request.fault,
        }
    }
}

/// A text of any length, as the page shows it.
fn shortened(mut text: String) -> String {
    const LONGEST: usize = 500;
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}
