//! A session's record in the journal, and its JSON form.

use crate::clock::milliseconds;
use crate::config::{AccountId, ApiVersion};
use crate::model::{Lease, NewSession, SessionId, SessionSize};
use crate::wire::Service;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// The permanent id of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecordId(Uuid);

impl RecordId {
    pub(crate) fn new() -> RecordId {
        RecordId(Uuid::new_v4())
    }

    pub(super) fn parse(text: &str) -> Option<RecordId> {
        Uuid::try_parse(text).ok().map(RecordId)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The state of the create according to the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// About to be sent. If the owner has died, it may or may not have been sent.
    Creating,
    /// The session exists, and its id is known.
    Created,
    /// It was sent, and its reply was lost.
    Lost,
    /// The session exists, and its owner left it running on purpose.
    Released,
}

/// A session that may be running.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    /// When the create was about to be sent: wall time since 1970.
    pub(crate) written: Duration,
    pub(crate) account_id: AccountId,
    /// The session service's base URL.
    pub(crate) endpoint: String,
    pub(crate) version: ApiVersion,
    pub(crate) size: SessionSize,
    pub(crate) max_lease: Lease,
    /// Chosen by the client or received from the service.
    pub(crate) session_id: Option<SessionId>,
    /// The application gave the id, so another client may have the session.
    pub(super) id_given: bool,
    /// If the reply was lost: the sessions that the create may have made, as far as they have been named to a caller, and
    /// their leases.
    pub(crate) candidates: BTreeMap<SessionId, Lease>,
    pub(crate) state: RecordState,
    /// The number of changes so far. Of two copies, the one with more is the later.
    pub(super) changes: u64,
    /// Members added by later versions.
    unknown: Map<String, Value>,
}

impl Record {
    pub(super) fn new(written: Duration, service: &Service, new: &NewSession) -> Record {
        Record {
            id: RecordId::new(),
            written,
            account_id: service.target.account_id.clone(),
            endpoint: service.target.endpoint.to_string(),
            version: service.version,
            size: new.size.clone(),
            max_lease: new.max_lease,
            session_id: new.id.clone(),
            id_given: false,
            candidates: BTreeMap::new(),
            state: RecordState::Creating,
            changes: 0,
            unknown: Map::new(),
        }
    }

    /// Whether the session belongs to this account at this endpoint.
    pub(crate) fn is_at(&self, service: &Service) -> bool {
        self.endpoint == service.target.endpoint.to_string() && self.account_id == service.target.account_id
    }

    /// Whether a session is being created here whose id is not known yet.
    pub(crate) fn is_being_created_at(&self, service: &Service) -> bool {
        self.session_id.is_none() && self.state == RecordState::Creating && self.is_at(service)
    }

    pub(crate) fn is_of(&self, service: &Service, session: &SessionId) -> bool {
        self.session_id.as_ref().is_some_and(|id| service.key(id) == service.key(session)) && self.is_at(service)
    }

    /// Whether the session with its id is certainly ours.
    pub(crate) fn is_certain(&self) -> bool {
        !self.id_given || matches!(self.state, RecordState::Created | RecordState::Released)
    }

    /// Whether candidates of it have been named to a caller.
    pub(crate) fn is_undecided(&self) -> bool {
        self.session_id.is_none() && !self.candidates.is_empty()
    }

    /// Whether this session is among the candidates that have been named.
    pub(crate) fn names(&self, service: &Service, session: &SessionId) -> bool {
        self.candidates.keys().any(|id| service.key(id) == service.key(session)) && self.is_at(service)
    }

    /// Whether the session's lease has certainly expired. The extra day covers the time until the session was ready,
    /// when its lease started, and changes of the wall clock.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        const GRACE: Duration = Duration::from_secs(86_400);
        let longest = self.candidates.values().copied().fold(self.max_lease, Lease::max);
        now > self.written.saturating_add(longest.duration()).saturating_add(GRACE)
    }

    pub(super) fn to_json(&self) -> String {
        let mut candidates = Map::new();
        for (id, lease) in &self.candidates {
            candidates.insert(id.to_string(), lease.duration().as_secs().into());
        }
        let written = Written {
            id: self.id.to_string(),
            written_unix_ms: milliseconds(self.written),
            account_id: self.account_id.as_str().to_owned(),
            endpoint: self.endpoint.clone(),
            api_version: version_word(self.version).to_owned(),
            size: self.size.as_str().to_owned(),
            max_lease_seconds: self.max_lease.duration().as_secs(),
            session_id: self.session_id.as_ref().map(SessionId::to_string),
            id_given: self.id_given,
            candidates,
            state: state_word(self.state).to_owned(),
            changes: self.changes,
            unknown: self.unknown.clone(),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// `None` if this version cannot interpret it.
    pub(super) fn from_json(json: &str) -> Option<Record> {
        let mut members = Members(serde_json::from_str(json).ok()?);
        let mut candidates = BTreeMap::new();
        if let Some(listed) = members.take("candidates") {
            for (id, lease) in listed.as_object()? {
                candidates.insert(SessionId::parse(id).ok()?, Lease::from_secs(lease.as_u64()?).ok()?);
            }
        }
        let version = members.text("api_version")?;
        let state = members.text("state")?;
        Some(Record {
            id: RecordId::parse(&members.text("id")?)?,
            written: Duration::from_millis(members.number("written_unix_ms")?),
            account_id: AccountId::parse(&members.text("account_id")?).ok()?,
            endpoint: members.text("endpoint")?,
            version: VERSIONS.into_iter().find(|known| version_word(*known) == version)?,
            size: SessionSize::read(&members.text("size")?),
            max_lease: Lease::from_secs(members.number("max_lease_seconds")?).ok()?,
            session_id: match members.take("session_id") {
                None | Some(Value::Null) => None,
                Some(id) => Some(SessionId::parse(id.as_str()?).ok()?),
            },
            id_given: members.take("id_given").map_or(Some(false), |given| given.as_bool())?,
            candidates,
            state: STATES.into_iter().find(|known| state_word(*known) == state)?,
            changes: members.number("changes")?,
            unknown: members.0,
        })
    }
}

/// The members of a JSON object, taken one by one. The code that serde derives for this is ten times as long.
struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        self.take(name)?.as_u64()
    }
}

/// Sorts by a number, and keeps the order of those with the same. One sort serves all types, because the standard
/// library's takes 5 KB of code for each.
pub(crate) fn sort_by_number<T>(items: &mut Vec<T>, number: impl Fn(&T) -> u128) {
    let mut places: Vec<(u128, usize)> = Vec::with_capacity(items.len());
    places.extend(items.iter().enumerate().map(|(place, item)| (number(item), place)));
    places.sort_unstable();
    let mut unsorted: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(places.into_iter().filter_map(|(_, place)| unsorted[place].take()));
}

/// The latest copy of each record: an adopter that died in the middle has left two.
pub(super) fn latest(copies: impl Iterator<Item = Record>) -> Vec<Record> {
    let (mut latest, mut places) = (Vec::<Record>::new(), HashMap::new());
    for record in copies {
        match places.get(&record.id).map(|place: &usize| &mut latest[*place]) {
            Some(other) if record.changes > other.changes => *other = record,
            Some(_) => {}
            None => {
                places.insert(record.id, latest.len());
                latest.push(record);
            }
        }
    }
    latest
}

/// Adding members does not need a new format, because unknown members are preserved.
#[derive(Serialize)]
struct Written {
    id: String,
    written_unix_ms: u64,
    account_id: String,
    endpoint: String,
    api_version: String,
    size: String,
    max_lease_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    id_given: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    candidates: Map<String, Value>,
    state: String,
    changes: u64,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

// These words are part of the file format and must never change.

const VERSIONS: [ApiVersion; 2] = [ApiVersion::V1, ApiVersion::V2021_01_01];

fn version_word(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V1 => "v1",
        ApiVersion::V2021_01_01 => "2021-01-01",
    }
}

const STATES: [RecordState; 4] =
    [RecordState::Creating, RecordState::Created, RecordState::Lost, RecordState::Released];

fn state_word(state: RecordState) -> &'static str {
    match state {
        RecordState::Creating => "creating",
        RecordState::Created => "created",
        RecordState::Lost => "lost",
        RecordState::Released => "released",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Target;
    use crate::wire::tests::service;

    fn record() -> Record {
        let new = NewSession::new(SessionSize::Premium, Lease::from_secs(3600).unwrap());
        Record::new(Duration::from_millis(1_600_000_000_123), &service(), &new)
    }

    #[test]
    fn a_written_record_is_read_back() {
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
            r#"{{"id":"{}","written_unix_ms":1600000000123,"account_id":"{}","endpoint":"https://remoterendering.westus2.mixedreality.azure.com","api_version":"v1","size":"premium","max_lease_seconds":3600,"session_id":"s-1","state":"creating","changes":0}}"#,
            record.id,
            crate::config::tests::ACCOUNT
        );
        assert_eq!(record.to_json(), expected);
    }

    #[test]
    fn a_change_preserves_members_of_later_versions() {
        let json = record().to_json().replacen('{', r#"{"colour":{"name":"blue"},"#, 1);
        let mut read = Record::from_json(&json).unwrap();
        read.state = RecordState::Lost;
        let again: Value = serde_json::from_str(&read.to_json()).unwrap();
        assert_eq!((&again["colour"]["name"], &again["state"]), (&"blue".into(), &"lost".into()));
    }

    #[test]
    fn unknown_values_are_not_records() {
        let json = record().to_json();
        for (good, strange) in [
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
    fn a_session_is_identified_by_account_endpoint_and_id() {
        let id = |text: &str| SessionId::parse(text).unwrap();
        let v1 = service();
        let guids = ["abcdef01-2345-6789-abcd-ef0123456789", "ABCDEF01-2345-6789-ABCD-EF0123456789"].map(id);
        let named = Record { session_id: Some(guids[0].clone()), ..record() };
        let lost = Record { candidates: BTreeMap::from([(guids[0].clone(), record().max_lease)]), ..record() };
        assert!(named.is_of(&v1, &guids[1]) && lost.names(&v1, &guids[1]), "in v1 a GUID may have any letter case");
        let named = Record { session_id: Some(id("abc")), ..record() };
        assert!(!named.is_of(&v1, &id("ABC")), "another id may not");
        let version = ApiVersion::V2021_01_01;
        assert!(!named.is_of(&Service { version, ..service() }, &id("ABC")), "letter case is significant here");
        assert!(!record().is_of(&v1, &id("abc")));
        let account_id = AccountId::parse("11111111-2222-3333-4444-555555555555").unwrap();
        assert!(
            !named.is_of(
                &Service { target: Target::new(service().target.endpoint, account_id), ..service() },
                &id("abc")
            )
        );
        let endpoint = crate::config::Endpoint::service("eastus").unwrap();
        assert!(
            !named.is_of(
                &Service { target: Target::new(endpoint, service().target.account_id), ..service() },
                &id("abc")
            )
        );
    }
}
