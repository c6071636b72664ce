//! A session service, whichever version of the REST API it speaks.

use super::reply::Reply;
use super::request::{Request, Urgency};
use super::target::Target;
use super::{v1, v2021_01_01};
use crate::config::{ApiVersion, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, NewSession, SessionId, SessionProperties};
use std::time::Duration;

/// One account at one session service, spoken to in one version of the REST API: where every session request goes.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) target: Target,
    pub(crate) version: ApiVersion,
}

/// A part of a list, and where to go on.
pub(crate) type Page = (Vec<SessionProperties>, Option<String>);

impl Service {
    /// The service that a client is configured for.
    pub(crate) fn of(settings: &Settings) -> Service {
        let target = Target { endpoint: settings.service.clone(), account_id: settings.account_id.clone() };
        Service { target, version: settings.api_version }
    }

    /// The session as this version can be asked for it, with an id where the client chooses it.
    pub(crate) fn prepare(&self, new: &NewSession) -> Result<NewSession> {
        new.check()?;
        match self.version {
            ApiVersion::V1 => v1::prepare(new),
            ApiVersion::V2021_01_01 => v2021_01_01::prepare(new),
        }
    }

    /// An id as the service spells it: GUIDs in lower case with v1; with 2021-01-01 the letter case counts.
    pub(crate) fn spelled(&self, id: &SessionId) -> SessionId {
        match self.version {
            ApiVersion::V1 => id.to_lower_case(),
            ApiVersion::V2021_01_01 => id.clone(),
        }
    }

    /// A lease as it is sent, which may be longer than what was asked for.
    pub(crate) fn lease(&self, lease: Lease) -> Result<Lease> {
        match self.version {
            ApiVersion::V1 => Ok(lease),
            ApiVersion::V2021_01_01 => v2021_01_01::check_lease(lease).map(|()| v2021_01_01::as_sent(lease)),
        }
    }

    /// The longest lease that can be asked for and is not beyond this.
    pub(crate) fn longest_lease_within(&self, cap: Duration) -> Duration {
        match self.version {
            ApiVersion::V1 => cap,
            ApiVersion::V2021_01_01 => v2021_01_01::longest_within(cap),
        }
    }

    /// In what units a session tells how much of its lease is used; what is over is cut.
    pub(crate) fn lease_unit(&self) -> Duration {
        match self.version {
            ApiVersion::V1 => Duration::from_secs(1),
            ApiVersion::V2021_01_01 => Duration::from_secs(60),
        }
    }

    /// Creates a session that was prepared.
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

    /// What an update's success tells of the session; `None` where it tells nothing.
    pub(crate) fn read_updated(&self, reply: &Reply, id: &SessionId) -> Result<Option<SessionProperties>> {
        match self.version {
            ApiVersion::V1 => Ok(None),
            // The update has succeeded, whatever its body looks like.
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

    /// The request for a further page. The token goes along, so it must not lead anywhere else.
    pub(crate) fn next_page(&self, link: &str) -> Result<Request> {
        let refuse = |why: &str| {
            Err(Error::new(
                ErrorKind::UnexpectedReply,
                format!("listing the sessions: the link to the next page {why}"),
            ))
        };
        let Ok(url) = self.list().url.join(link) else { return refuse("is no URL") };
        if !self.target.endpoint.is_origin_of(&url) {
            return refuse("leads to another server; it was not followed, as the token would go along");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has a user name in it");
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
