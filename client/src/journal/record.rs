//! A session's record in the journal, and its JSON form.

use crate::clock::milliseconds;
use crate::config::{AccountId, ApiVersion};
use crate::model::{Lease, NewSession, SessionId, SessionSize};
use crate::wire::Service;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// The permanent id of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecordId(Uuid);

/// The id of the owner of a record: a journal that is or was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OwnerId(Uuid);

impl OwnerId {
    pub(super) fn new() -> OwnerId {
        OwnerId(Uuid::new_v4())
    }

    pub(super) fn parse(text: &str) -> Option<OwnerId> {
        Uuid::try_parse(text).ok().map(OwnerId)
    }
}

impl std::fmt::Display for OwnerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The state of the create, as far as the journal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// About to be sent. If the owner is dead, it may or may not have been sent.
    Creating,
    /// The session exists, and its id is known.
    Created,
    /// It was sent, and its reply was lost.
    Lost,
}

/// A session that may be running.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    pub(super) owner: OwnerId,
    /// When the create was about to be sent: wall time since 1970.
    pub(crate) written: Duration,
    pub(crate) account_id: AccountId,
    /// The session service's base URL.
    pub(crate) endpoint: String,
    pub(crate) version: ApiVersion,
    pub(crate) size: SessionSize,
    pub(crate) max_lease: Lease,
    /// As chosen by the client or received from the service.
    pub(crate) session_id: Option<SessionId>,
    pub(crate) state: RecordState,
    /// Members that a later version added.
    unknown: Map<String, Value>,
}

impl Record {
    pub(super) fn new(owner: OwnerId, written: Duration, service: &Service, new: &NewSession) -> Record {
        Record {
            id: RecordId(Uuid::new_v4()),
            owner,
            written,
            account_id: service.target.account_id.clone(),
            endpoint: service.target.endpoint.to_string(),
            version: service.version,
            size: new.size.clone(),
            max_lease: new.max_lease,
            session_id: new.id.clone(),
            state: RecordState::Creating,
            unknown: Map::new(),
        }
    }

    /// Whether the session belongs to this account at this endpoint.
    pub(crate) fn is_at(&self, service: &Service) -> bool {
        self.endpoint == service.target.endpoint.to_string() && self.account_id == service.target.account_id
    }

    pub(super) fn is_of(&self, service: &Service, session: &SessionId) -> bool {
        let spelled_alike = |id| service.spelled(id) == service.spelled(session);
        self.is_at(service) && self.session_id.as_ref().is_some_and(spelled_alike)
    }

    /// Whether the session's lease has certainly expired. The extra day covers the time until the session was ready,
    /// when its lease started, and changes of the wall clock.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        const GRACE: Duration = Duration::from_secs(86_400);
        now > self.written.saturating_add(self.max_lease.duration()).saturating_add(GRACE)
    }

    pub(super) fn to_json(&self) -> String {
        let written = Written {
            format: FORMAT,
            id: self.id.0.to_string(),
            owner: self.owner.to_string(),
            written_unix_ms: milliseconds(self.written),
            account_id: self.account_id.as_str().to_owned(),
            endpoint: self.endpoint.clone(),
            api_version: version_word(self.version).to_owned(),
            size: size_word(&self.size).to_owned(),
            max_lease_seconds: self.max_lease.duration().as_secs(),
            session_id: self.session_id.as_ref().map(SessionId::to_string),
            state: state_word(self.state).to_owned(),
            unknown: self.unknown.clone(),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// `None` if this version cannot interpret it.
    pub(super) fn from_json(json: &str) -> Option<Record> {
        let written: Written = serde_json::from_str(json).ok()?;
        if written.format != FORMAT {
            return None;
        }
        Some(Record {
            id: RecordId(Uuid::try_parse(&written.id).ok()?),
            owner: OwnerId::parse(&written.owner)?,
            written: Duration::from_millis(written.written_unix_ms),
            account_id: AccountId::parse(&written.account_id).ok()?,
            endpoint: written.endpoint,
            version: VERSIONS.into_iter().find(|version| version_word(*version) == written.api_version)?,
            size: SessionSize::read(&written.size),
            max_lease: Lease::new(Duration::from_secs(written.max_lease_seconds)).ok()?,
            session_id: written.session_id.as_deref().map(SessionId::parse).transpose().ok()?,
            state: STATES.into_iter().find(|state| state_word(*state) == written.state)?,
            unknown: written.unknown,
        })
    }
}

/// A later format has a higher number. Adding members does not need one, because unknown members are preserved.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    id: String,
    owner: String,
    written_unix_ms: u64,
    account_id: String,
    endpoint: String,
    api_version: String,
    size: String,
    max_lease_seconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    state: String,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

// These words must not change as long as journals exist.

const VERSIONS: [ApiVersion; 2] = [ApiVersion::V1, ApiVersion::V2021_01_01];

fn version_word(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V1 => "v1",
        ApiVersion::V2021_01_01 => "2021-01-01",
    }
}

const STATES: [RecordState; 3] = [RecordState::Creating, RecordState::Created, RecordState::Lost];

fn state_word(state: RecordState) -> &'static str {
    match state {
        RecordState::Creating => "creating",
        RecordState::Created => "created",
        RecordState::Lost => "lost",
    }
}

fn size_word(size: &SessionSize) -> &str {
    match size {
        SessionSize::Standard => "standard",
        SessionSize::Premium => "premium",
        SessionSize::Unknown(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Target;
    use crate::wire::tests::service;

    fn record() -> Record {
        let new = NewSession::new(SessionSize::Premium, Lease::from_secs(3600).unwrap());
        Record::new(OwnerId::new(), Duration::from_millis(1_600_000_000_123), &service(), &new)
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for (version, state) in VERSIONS.into_iter().flat_map(|version| STATES.map(|state| (version, state))) {
            for (session_id, size) in [
                (None, SessionSize::Standard),
                (SessionId::parse("My_session-1").ok(), SessionSize::Unknown("Gigantic \"\n".into())),
            ] {
                let record = Record { version, state, session_id, size, ..record() };
                assert_eq!(Record::from_json(&record.to_json()), Some(record));
            }
        }
    }

    #[test]
    fn the_words_of_the_file_do_not_change() {
        let record = Record { session_id: SessionId::parse("s-1").ok(), ..record() };
        let expected = format!(
            r#"{{"format":1,"id":"{}","owner":"{}","written_unix_ms":1600000000123,"account_id":"{}","endpoint":"https://remoterendering.westus2.mixedreality.azure.com","api_version":"v1","size":"premium","max_lease_seconds":3600,"session_id":"s-1","state":"creating"}}"#,
            record.id.0,
            record.owner,
            crate::config::tests::ACCOUNT
        );
        assert_eq!(record.to_json(), expected);
    }

    #[test]
    fn members_of_a_later_version_outlive_a_change_by_this_one() {
        let json = record().to_json().replacen('{', r#"{"colour":{"name":"blue"},"#, 1);
        let mut read = Record::from_json(&json).unwrap();
        read.state = RecordState::Lost;
        let again: Value = serde_json::from_str(&read.to_json()).unwrap();
        assert_eq!((&again["colour"]["name"], &again["state"]), (&"blue".into(), &"lost".into()));
    }

    #[test]
    fn unknown_formats_are_not_records() {
        let json = record().to_json();
        for (good, strange) in [
            ("\"format\":1", "\"format\":2"),
            ("\"api_version\":\"v1\"", "\"api_version\":\"v9\""),
            ("\"state\":\"creating\"", "\"state\":\"paused\""),
            ("\"max_lease_seconds\":3600", "\"max_lease_seconds\":0"),
        ] {
            assert!(json.contains(good));
            assert_eq!(Record::from_json(&json.replace(good, strange)), None, "{strange}");
        }
        assert_eq!(Record::from_json("[]"), None);
    }

    #[test]
    fn a_session_is_over_a_day_after_its_lease() {
        let record = record();
        let end = record.written + Duration::from_secs(3600 + 86_400);
        assert!(!record.is_over(end) && record.is_over(end + Duration::from_millis(1)));
        assert!(!record.is_over(Duration::ZERO), "a wall clock that was set back ends nothing");
    }

    #[test]
    fn a_session_is_known_by_account_endpoint_and_id() {
        let id = |text: &str| SessionId::parse(text).unwrap();
        let v1 = service();
        let named = Record { session_id: Some(id("abc")), ..record() };
        assert!(named.is_of(&v1, &id("ABC")), "v1 spells GUIDs either way");
        let version = ApiVersion::V2021_01_01;
        assert!(!named.is_of(&Service { version, ..service() }, &id("ABC")), "here the letter case counts");
        assert!(!record().is_of(&v1, &id("abc")));
        let account_id = AccountId::parse("11111111-2222-3333-4444-555555555555").unwrap();
        assert!(!named.is_of(&Service { target: Target { account_id, ..service().target }, ..service() }, &id("abc")));
        let endpoint = crate::config::Endpoint::service("eastus").unwrap();
        assert!(!named.is_of(&Service { target: Target { endpoint, ..service().target }, ..service() }, &id("abc")));
    }
}
