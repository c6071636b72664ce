//! Session properties.

use super::id::SessionId;
use super::new_session::NewSession;
use super::reply_text::ReplyText;
use super::size::SessionSize;
use super::status::SessionStatus;
use std::time::{Duration, SystemTime};

/// The properties of a session as the service reports them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionProperties {
    /// The session id.
    pub id: SessionId,
    /// The session's status.
    pub status: SessionStatus,
    /// The size; `None` if the service does not report it and this client did not create the session.
    pub size: Option<SessionSize>,
    /// The rendering host; only while the session is ready.
    pub hostname: Option<String>,
    /// The port of the ARR inspector on that host.
    pub arr_inspector_port: Option<u16>,
    /// The port for the rendering connection's handshake on that host.
    pub handshake_port: Option<u16>,
    /// The total lease, counted from the moment the session became ready.
    pub max_lease: Option<Duration>,
    /// The used part of the lease. For a ready session that this client has a handle of, it includes the time since the
    /// service's report. In a list, it is as reported: in whole minutes with REST 2021-01-01.
    pub elapsed: Option<Duration>,
    /// When it was created, by the service's clock (REST 2021-01-01).
    pub creation_time: Option<SystemTime>,
    /// The computing power of the server in teraflops, once one is assigned (REST 2021-01-01).
    pub teraflops: Option<f64>,
    /// The service's code for a failure (REST 2021-01-01).
    pub error_code: Option<String>,
    /// The service's message about a failure or the end of the session, if any.
    pub message: Option<String>,
    /// The time since the service reported these properties: zero if they were just read.
    pub age: Duration,
    /// The JSON that they were read from.
    pub(crate) reply: ReplyText,
}

impl SessionProperties {
    /// The properties right after the create: only the id and the requested parameters.
    pub(crate) fn created(id: SessionId, new: &NewSession) -> SessionProperties {
        SessionProperties {
            size: Some(new.size.clone()),
            max_lease: Some(new.max_lease.duration()),
            ..SessionProperties::bare(id, SessionStatus::Starting)
        }
    }

    /// Only id and status; everything else is unknown.
    pub(crate) fn bare(id: SessionId, status: SessionStatus) -> SessionProperties {
        SessionProperties {
            id,
            status,
            size: None,
            hostname: None,
            arr_inspector_port: None,
            handshake_port: None,
            max_lease: None,
            elapsed: None,
            creation_time: None,
            teraflops: None,
            error_code: None,
            message: None,
            age: Duration::ZERO,
            reply: ReplyText::default(),
        }
    }

    /// The properties with the JSON that they were read from.
    pub(crate) fn read_from(self, json: &str) -> SessionProperties {
        SessionProperties { reply: ReplyText::of(json), ..self }
    }

    /// Whether nothing but time has passed since the other report.
    pub(crate) fn is_same_apart_from_time(&self, other: &SessionProperties) -> bool {
        let SessionProperties { id, status, size, hostname, arr_inspector_port, handshake_port, .. } = other;
        let SessionProperties { max_lease, creation_time, teraflops, error_code, message, .. } = other;
        (&self.id, &self.status, &self.size, &self.hostname) == (id, status, size, hostname)
            && (&self.arr_inspector_port, &self.handshake_port) == (arr_inspector_port, handshake_port)
            && (&self.max_lease, &self.creation_time, &self.teraflops) == (max_lease, creation_time, teraflops)
            && (&self.error_code, &self.message) == (error_code, message)
    }

    /// The remaining lease: the whole one less the used part.
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.max_lease?.saturating_sub(self.elapsed.unwrap_or_default()))
    }
}
