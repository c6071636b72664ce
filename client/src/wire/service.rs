//! A session service, independent of its REST API version.

use super::reply::Reply;
use super::request::{Request, Urgency};
use super::target::Target;
use super::{v1, v2021_01_01};
use crate::config::{ApiVersion, Settings, has_ascii_host};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, NewSession, SessionId, SessionKey, SessionProperties};
use std::time::Duration;

/// One account at one session service, with the version of its REST API. All session requests go through it.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) target: Target,
    pub(crate) version: ApiVersion,
}

/// One page of a list, and the link to the next.
pub(crate) type Page = (Vec<SessionProperties>, Option<String>);

impl Service {
    /// The configured service of a client.
    pub(crate) fn of(settings: &Settings) -> Service {
        let target = Target::new(settings.service.clone(), settings.account_id.clone());
        Service { target, version: settings.api_version }
    }

    /// The parameters of a new session as this version supports them. Adds an id where the client chooses it.
    pub(crate) fn prepare(&self, new: &NewSession) -> Result<NewSession> {
        new.check()?;
        match self.version {
            ApiVersion::V1 => v1::prepare(new),
            ApiVersion::V2021_01_01 => v2021_01_01::prepare(new),
        }
    }

    /// An id in the form in which it is compared. It is sent as received.
    pub(crate) fn key(&self, id: &SessionId) -> SessionKey {
        id.key(self.version)
    }

    /// A lease as it is sent, which may be longer than requested.
    pub(crate) fn lease(&self, lease: Lease) -> Result<Lease> {
        match self.version {
            ApiVersion::V1 => Ok(lease),
            ApiVersion::V2021_01_01 => v2021_01_01::check_lease(lease).map(|()| v2021_01_01::as_sent(lease)),
        }
    }

    /// The longest lease that can be requested and does not exceed `cap`.
    pub(crate) fn longest_lease_within(&self, cap: Duration) -> Duration {
        match self.version {
            ApiVersion::V1 => cap,
            ApiVersion::V2021_01_01 => v2021_01_01::longest_within(cap),
        }
    }

    /// The unit in which the service reports the used part of a lease; fractions are truncated.
    pub(crate) fn lease_unit(&self) -> Duration {
        match self.version {
            ApiVersion::V1 => Duration::from_secs(1),
            ApiVersion::V2021_01_01 => Duration::from_secs(60),
        }
    }

    /// Creates a session from prepared parameters.
    pub(crate) fn create(&self, new: &NewSession) -> Request {
        match (self.version, &new.id) {
            (ApiVersion::V2021_01_01, Some(id)) => v2021_01_01::create(&self.target, new, id),
            _ => v1::create(&self.target, new),
        }
    }

    pub(crate) fn read_created(&self, reply: &Reply, new: &NewSession) -> Result<SessionProperties> {
        match (self.version, &new.id) {
            (ApiVersion::V2021_01_01, Some(id)) => v2021_01_01::read_created(reply, new, id),
            _ => v1::read_created(reply, new),
        }
    }

    pub(crate) fn properties(&self, id: &SessionId) -> Request {
        match self.version {
            ApiVersion::V1 => v1::properties(&self.target, id),
            ApiVersion::V2021_01_01 => v2021_01_01::properties(&self.target, id),
        }
    }

    pub(crate) fn read_properties(&self, reply: &Reply, id: &SessionId) -> Result<SessionProperties> {
        const CALL: &str = "reading the session's properties";
        match self.version {
            ApiVersion::V1 => v1::read_properties(reply, CALL, id),
            ApiVersion::V2021_01_01 => v2021_01_01::read(reply, CALL, id),
        }
    }

    pub(crate) fn update_lease(&self, id: &SessionId, lease: Lease) -> Request {
        let request = match self.version {
            ApiVersion::V1 => v1::update_lease(&self.target, id, lease),
            ApiVersion::V2021_01_01 => v2021_01_01::update_lease(&self.target, id, lease),
        };
        Request { urgency: Urgency::Urgent, ..request }
    }

    /// The session's properties in the reply to an update; `None` where the version returns none.
    pub(crate) fn read_updated(&self, reply: &Reply, id: &SessionId) -> Result<Option<SessionProperties>> {
        match self.version {
            ApiVersion::V1 => Ok(None),
            // The update has succeeded, even if its body cannot be read.
            ApiVersion::V2021_01_01 => Ok(v2021_01_01::read(reply, "extending the lease", id).ok()),
        }
    }

    pub(crate) fn list(&self) -> Request {
        match self.version {
            ApiVersion::V1 => v1::list(&self.target),
            ApiVersion::V2021_01_01 => v2021_01_01::list(&self.target),
        }
    }

    pub(crate) fn read_page(&self, reply: &Reply) -> Result<Page> {
        match self.version {
            ApiVersion::V1 => v1::read_list(reply).map(|sessions| (sessions, None)),
            ApiVersion::V2021_01_01 => v2021_01_01::read_page(reply),
        }
    }

    /// The request for the next page. It carries the token, so it must not go to another server.
    pub(crate) fn next_page(&self, link: &str) -> Result<Request> {
        let refuse = |why: &str| {
            Err(Error::new(
                ErrorKind::UnexpectedReply,
                format!("listing the sessions failed: the link to the next page {why}"),
            ))
        };
        /// The HTTP library accepts no longer URLs.
        const LONGEST: usize = 65_000;
        if !link.is_ascii() || !has_ascii_host(link) {
            return refuse("is not in ASCII");
        }
        let Ok(url) = self.list().url.join(link) else { return refuse("is not a URL") };
        if url.as_str().len() > LONGEST {
            return refuse(&format!("is longer than {LONGEST} bytes"));
        }
        if !self.target.endpoint.is_origin_of(&url) {
            return refuse("leads to another server; it was not followed, because the token would go with it");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("contains a user name");
        }
        Ok(v2021_01_01::page(url))
    }

    pub(crate) fn stop(&self, id: &SessionId) -> Request {
        let request = match self.version {
            ApiVersion::V1 => v1::stop(&self.target, id),
            ApiVersion::V2021_01_01 => v2021_01_01::stop(&self.target, id),
        };
        Request { urgency: Urgency::Stop, ..request }
    }
}
