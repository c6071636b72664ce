//! The JSON of REST 2021-01-01 (`docs/service-2021-01-01.md`, "Session" and "Errors").

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::config::WireFormat;
use crate::format::date_time;
use crate::http::reply;
use crate::session::{LeaseRefused, Session, SessionSettings, SessionSize, SessionStatus};

const MINUTE: Duration = Duration::from_secs(60);

/// One day.
const LONGEST_LEASE_MINUTES: u64 = 24 * 60;

/// Why a request body is refused. The text is for the author of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum V2021BodyError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("maxLeaseTimeMinutes must be a whole number")]
    NotWhole,
    // The service's wording.
    #[error("The maxLeaseTimeMinutes value cannot be negative.")]
    Negative,
    #[error("maxLeaseTimeMinutes is more than {LONGEST_LEASE_MINUTES}, one day")]
    TooLong,
    #[error("maxLeaseTimeMinutes is more than {}, the longest lease of this emulator", .0.as_secs() / 60)]
    LongerThanConfigured(Duration),
    #[error("size must be \"Standard\" or \"Premium\"")]
    UnknownSize,
}

/// Reads the body of a create.
pub(super) fn settings(body: &Map<String, Value>, longest: Duration) -> Result<SessionSettings, V2021BodyError> {
    Ok(SessionSettings { max_lease: max_lease(body, longest)?, size: size(body)? })
}

/// Reads the `maxLeaseTimeMinutes` of a create or an update.
pub(super) fn max_lease(body: &Map<String, Value>, longest: Duration) -> Result<Duration, V2021BodyError> {
    const NAME: &str = "maxLeaseTimeMinutes";
    let minutes = match body.get(NAME) {
        None | Some(Value::Null) => return Err(V2021BodyError::Missing(NAME)),
        Some(value) if value.as_i64().is_some_and(i64::is_negative) => return Err(V2021BodyError::Negative),
        Some(value) => value.as_u64().ok_or(V2021BodyError::NotWhole)?,
    };
    if minutes > LONGEST_LEASE_MINUTES {
        return Err(V2021BodyError::TooLong);
    }
    let lease = Duration::from_secs(minutes * MINUTE.as_secs());
    if lease > longest { Err(V2021BodyError::LongerThanConfigured(longest)) } else { Ok(lease) }
}

fn size(body: &Map<String, Value>) -> Result<SessionSize, V2021BodyError> {
    match body.get("size") {
        None | Some(Value::Null) => Err(V2021BodyError::Missing("size")),
        Some(size) => size.as_str().and_then(SessionSize::parse).ok_or(V2021BodyError::UnknownSize),
    }
}

/// The error text for a refused lease.
pub(super) fn lease_refused(refused: &LeaseRefused, asked: Duration) -> String {
    match refused {
        LeaseRefused::Over(status) => {
            format!("the session is {}; its lease can no longer be changed", status_name(*status))
        }
        LeaseRefused::NotLarger { current } => format!(
            "maxLeaseTimeMinutes is the whole lease and can only grow: {} is not larger than the current {}",
            asked.as_secs() / MINUTE.as_secs(),
            current.as_secs_f64() / MINUTE.as_secs_f64()
        ),
    }
}

/// A session as it is at one moment.
pub(super) struct SessionResource {
    wire: WireFormat,
    id: String,
    creation_time: String,
    /// For the inspector and for the handshake.
    ports: Option<(u16, u16)>,
    elapsed_minutes: u64,
    hostname: Option<String>,
    max_lease_minutes: u64,
    size: SessionSize,
    status: SessionStatus,
    teraflops: Option<f32>,
    error: Option<String>,
}

impl SessionResource {
    /// The session as it is now.
    pub(super) fn of(session: &Session, now: Duration, wire: WireFormat) -> SessionResource {
        let status = session.status(now);
        let is_ready = status == SessionStatus::Ready;
        SessionResource {
            wire,
            id: session.identity.id.to_string(),
            creation_time: date_time::format(session.creation_time),
            ports: session.ports(now),
            elapsed_minutes: session.elapsed(now).as_secs() / MINUTE.as_secs(),
            // Unlike in version 1, the name is gone once the session has ended.
            hostname: session.hostname(now).filter(|_| is_ready),
            max_lease_minutes: session.settings.max_lease.as_secs() / MINUTE.as_secs(),
            size: session.settings.size,
            status,
            teraflops: session.was_ready(now).then(|| teraflops(session.settings.size)),
            error: session.message(now).filter(|_| status == SessionStatus::Error),
        }
    }
}

impl Serialize for SessionResource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = self.error.as_deref().map(|message| ErrorObject { wire: self.wire, code: SESSION_FAILED, message });
        let mut members = MemberWriter { map: serializer.serialize_map(None)?, wire: self.wire };
        members.write("id", &self.id)?;
        members.write("creationTime", &self.creation_time)?;
        members.write_or("arrInspectorPort", self.ports.map(|(inspector, _)| inspector), 0)?;
        members.write_or("handshakePort", self.ports.map(|(_, handshake)| handshake), 0)?;
        // Always known, so a zero is never left out.
        members.write("elapsedTimeMinutes", &self.elapsed_minutes)?;
        members.write_or("hostname", self.hostname.as_deref(), ())?;
        members.write("maxLeaseTimeMinutes", &self.max_lease_minutes)?;
        members.write("size", size_name(self.size))?;
        members.write("status", status_name(self.status))?;
        members.write_or("teraflops", self.teraflops, 0.0)?;
        members.write_or("error", error, ())?;
        members.map.end()
    }
}

/// The code of the error object in a failed session. Invented: the service's own code is unknown.
const SESSION_FAILED: &str = "SessionFailed";

fn size_name(size: SessionSize) -> &'static str {
    match size {
        SessionSize::Standard => "Standard",
        SessionSize::Premium => "Premium",
    }
}

/// This version has no `Stopping`: a session is `Stopped` as soon as a client stops it.
fn status_name(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Stopping => SessionStatus::Stopped.as_str(),
        other => other.as_str(),
    }
}

/// Figures from recorded replies.
fn teraflops(size: SessionSize) -> f32 {
    match size {
        SessionSize::Standard => 10.6,
        SessionSize::Premium => 14.0,
    }
}

/// The reply to a list.
#[derive(Serialize)]
pub(super) struct SessionPage {
    pub(super) sessions: Vec<SessionResource>,
    // Both formats leave it out on the last page.
    #[serde(rename = "@nextLink", skip_serializing_if = "Option::is_none")]
    pub(super) next_link: Option<String>,
}

/// What the service says of an id that is in use with other settings.
pub(super) const CONFLICT_TEXT: &str = "A resource already exists under the given ID.";

/// An error reply whose code is derived from the status.
pub(super) fn error_reply(wire: WireFormat, status: StatusCode, message: &str) -> Response {
    let code: String = status.canonical_reason().unwrap_or_default().split(' ').collect();
    error_reply_with_code(wire, status, &code, message)
}

/// An error reply with a specific code.
pub(super) fn error_reply_with_code(wire: WireFormat, status: StatusCode, code: &str, message: &str) -> Response {
    #[derive(Serialize)]
    struct ErrorReply<'a> {
        error: ErrorObject<'a>,
    }
    reply::json(status, &ErrorReply { error: ErrorObject { wire, code, message } })
}

/// An error object.
struct ErrorObject<'a> {
    wire: WireFormat,
    code: &'a str,
    message: &'a str,
}

impl Serialize for ErrorObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = MemberWriter { map: serializer.serialize_map(None)?, wire: self.wire };
        members.write("code", self.code)?;
        members.write("message", self.message)?;
        for name in ["details", "target", "innerError"] {
            members.write_or(name, None::<()>, ())?;
        }
        members.map.end()
    }
}

/// Writes the members of an object in one of the two formats.
struct MemberWriter<M> {
    map: M,
    wire: WireFormat,
}

impl<M: SerializeMap> MemberWriter<M> {
    fn write(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.map.serialize_entry(name, value)
    }

    /// Writes a member whose value may be unknown: then as `unknown`, or not at all.
    fn write_or(&mut self, name: &str, value: Option<impl Serialize>, unknown: impl Serialize) -> Result<(), M::Error> {
        match value {
            Some(value) => self.write(name, &value),
            None if self.wire == WireFormat::V2021 => self.write(name, &unknown),
            None => Ok(()),
        }
    }
}
