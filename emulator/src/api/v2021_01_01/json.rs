//! What REST 2021-01-01 reads and writes as JSON (`docs/service-2021-01-01.md`, "Session" and "Errors").

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::config::Wire;
use crate::format::date_time;
use crate::http::reply;
use crate::session::{LeaseRefused, Session, SessionSize, SessionStatus, Settings};

const MINUTE: Duration = Duration::from_secs(60);

/// A day.
const LONGEST_LEASE_MINUTES: u64 = 24 * 60;

/// Why the service does not take a request. The text is for the one who wrote the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRequest {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("maxLeaseTimeMinutes must be a whole number")]
    NotWhole,
    // The service's own sentence.
    #[error("The maxLeaseTimeMinutes value cannot be negative.")]
    Negative,
    #[error("maxLeaseTimeMinutes is more than a day's {LONGEST_LEASE_MINUTES}")]
    TooLong,
    #[error("size must be \"Standard\" or \"Premium\"")]
    UnknownSize,
}

/// The body of a create.
pub(super) fn settings(body: &Map<String, Value>) -> Result<Settings, BadRequest> {
    Ok(Settings { max_lease: max_lease(body)?, size: size(body)? })
}

/// The `maxLeaseTimeMinutes` of a create or an update.
pub(super) fn max_lease(body: &Map<String, Value>) -> Result<Duration, BadRequest> {
    const NAME: &str = "maxLeaseTimeMinutes";
    let minutes = match body.get(NAME) {
        None | Some(Value::Null) => return Err(BadRequest::Missing(NAME)),
        Some(value) if value.as_i64().is_some_and(i64::is_negative) => return Err(BadRequest::Negative),
        Some(value) => value.as_u64().ok_or(BadRequest::NotWhole)?,
    };
    if minutes > LONGEST_LEASE_MINUTES {
        return Err(BadRequest::TooLong);
    }
    Ok(Duration::from_secs(minutes * MINUTE.as_secs()))
}

fn size(body: &Map<String, Value>) -> Result<SessionSize, BadRequest> {
    match body.get("size") {
        None | Some(Value::Null) => Err(BadRequest::Missing("size")),
        Some(size) => size.as_str().and_then(SessionSize::parse).ok_or(BadRequest::UnknownSize),
    }
}

/// What is said about a lease that was asked for and refused.
pub(super) fn lease_refused(refused: &LeaseRefused, asked: Duration) -> String {
    match refused {
        LeaseRefused::Over(status) => {
            format!("the session is {}; its lease cannot be changed any more", status_name(*status))
        }
        LeaseRefused::NotLarger { current } => format!(
            "maxLeaseTimeMinutes is the whole lease and can only grow: {} is not larger than the {} that stand",
            asked.as_secs() / MINUTE.as_secs(),
            current.as_secs_f64() / MINUTE.as_secs_f64()
        ),
    }
}

/// A session as it is at one moment.
pub(super) struct SessionBody {
    wire: Wire,
    id: String,
    creation_time: String,
    /// The inspector's and the handshake's.
    ports: Option<(u16, u16)>,
    elapsed_minutes: u64,
    hostname: Option<String>,
    max_lease_minutes: u64,
    size: SessionSize,
    status: SessionStatus,
    teraflops: Option<f32>,
    error: Option<String>,
}

impl SessionBody {
    /// The session as it is now.
    pub(super) fn of(session: &Session, now: Duration, wire: Wire) -> SessionBody {
        let status = session.status(now);
        let is_ready = status == SessionStatus::Ready;
        SessionBody {
            wire,
            id: session.identity.id.to_string(),
            creation_time: date_time::format(session.creation_time),
            ports: session.ports(now),
            elapsed_minutes: session.elapsed(now).as_secs() / MINUTE.as_secs(),
            // Unlike in version 1, the name goes with the end.
            hostname: session.hostname(now).filter(|_| is_ready),
            max_lease_minutes: session.settings.max_lease.as_secs() / MINUTE.as_secs(),
            size: session.settings.size,
            status,
            teraflops: session.was_ready(now).then(|| teraflops(session.settings.size)),
            error: session.message(now).filter(|_| status == SessionStatus::Error),
        }
    }
}

impl Serialize for SessionBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = self.error.as_deref().map(|message| ErrorBody { wire: self.wire, code: SESSION_FAILED, message });
        let mut members = Members { map: serializer.serialize_map(None)?, wire: self.wire };
        members.known("id", &self.id)?;
        members.known("creationTime", &self.creation_time)?;
        members.or("arrInspectorPort", self.ports.map(|(inspector, _)| inspector), 0)?;
        members.or("handshakePort", self.ports.map(|(_, handshake)| handshake), 0)?;
        // A zero that is known, and so never left out.
        members.known("elapsedTimeMinutes", &self.elapsed_minutes)?;
        members.or("hostname", self.hostname.as_deref(), ())?;
        members.known("maxLeaseTimeMinutes", &self.max_lease_minutes)?;
        members.known("size", size_name(self.size))?;
        members.known("status", status_name(self.status))?;
        members.or("teraflops", self.teraflops, 0.0)?;
        members.or("error", error, ())?;
        members.map.end()
    }
}

/// Why a session failed is told in an error object of its own. No code of the service's is known for it.
const SESSION_FAILED: &str = "SessionFailed";

fn size_name(size: SessionSize) -> &'static str {
    match size {
        SessionSize::Standard => "Standard",
        SessionSize::Premium => "Premium",
    }
}

/// This version knows no `Stopping`: a stop is a stop, however long the server takes to go.
fn status_name(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Stopping => SessionStatus::Stopped.as_str(),
        other => other.as_str(),
    }
}

/// Two of the figures that were seen.
fn teraflops(size: SessionSize) -> f32 {
    match size {
        SessionSize::Standard => 10.6,
        SessionSize::Premium => 14.0,
    }
}

/// The reply to a list.
#[derive(Serialize)]
pub(super) struct SessionList {
    pub(super) sessions: Vec<SessionBody>,
    // Left out on the last page by both generations.
    #[serde(rename = "@nextLink", skip_serializing_if = "Option::is_none")]
    pub(super) next_link: Option<String>,
}

/// A reply that says what is wrong, under the code that its status has.
pub(super) fn problem(wire: Wire, status: StatusCode, message: &str) -> Response {
    let code: String = status.canonical_reason().unwrap_or_default().split(' ').collect();
    error(wire, status, &code, message)
}

/// A reply that says what is wrong, under a code of its own.
pub(super) fn error(wire: Wire, status: StatusCode, code: &str, message: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        error: ErrorBody<'a>,
    }
    reply::json(status, &Body { error: ErrorBody { wire, code, message } })
}

/// An error object.
struct ErrorBody<'a> {
    wire: Wire,
    code: &'a str,
    message: &'a str,
}

impl Serialize for ErrorBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members { map: serializer.serialize_map(None)?, wire: self.wire };
        members.known("code", self.code)?;
        members.known("message", self.message)?;
        for name in ["details", "target", "innerError"] {
            members.or(name, None::<()>, ())?;
        }
        members.map.end()
    }
}

/// The members of an object, as one of the two generations writes them.
struct Members<M> {
    map: M,
    wire: Wire,
}

impl<M: SerializeMap> Members<M> {
    fn known(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.map.serialize_entry(name, value)
    }

    /// What may be unknown: then it is written as `unknown`, or left out.
    fn or(&mut self, name: &str, value: Option<impl Serialize>, unknown: impl Serialize) -> Result<(), M::Error> {
        match value {
            Some(value) => self.known(name, &value),
            None if self.wire == Wire::V2021 => self.known(name, &unknown),
            None => Ok(()),
        }
    }
}
