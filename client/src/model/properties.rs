//! What a session is.

use super::id::SessionId;
use super::new_session::NewSession;
use super::size::SessionSize;
use super::status::SessionStatus;
use std::time::{Duration, SystemTime};

/// What the service says about a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionProperties {
    /// Its id.
    pub id: SessionId,
    /// Where it is in its life.
    pub status: SessionStatus,
    /// Its size; `None` if the service does not say and this client did not create it.
    pub size: Option<SessionSize>,
    /// The host that renders; only while it is ready.
    pub hostname: Option<String>,
    /// The port of the ARR inspector on that host.
    pub arr_inspector_port: Option<u16>,
    /// The port for the rendering connection's handshake on that host.
    pub handshake_port: Option<u16>,
    /// The whole lease, counted from when the session became ready.
    pub max_lease: Option<Duration>,
    /// How much of it is used.
    pub elapsed: Option<Duration>,
    /// When it was created, by the service's clock (REST 2021-01-01).
    pub creation_time: Option<SystemTime>,
    /// The computing power of its server in teraflops, once it has one (REST 2021-01-01).
    pub teraflops: Option<f64>,
    /// The service's code for why it failed (REST 2021-01-01).
    pub error_code: Option<String>,
    /// Why it failed or ended, where the service says so.
    pub message: Option<String>,
    /// How long ago the service said so: zero for what was just read.
    pub age: Duration,
}

impl SessionProperties {
    /// What is known of a session when its create was answered: nothing but its id and what was asked for.
    pub(crate) fn created(id: SessionId, new: &NewSession) -> SessionProperties {
        SessionProperties {
            size: Some(new.size.clone()),
            max_lease: Some(new.max_lease.duration()),
            ..SessionProperties::bare(id, SessionStatus::Starting)
        }
    }

    /// A session of which no more is known.
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
        }
    }

    /// How much of the lease was left when the service answered.
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.max_lease?.saturating_sub(self.elapsed.unwrap_or_default()))
    }
}
