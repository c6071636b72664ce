//! The creates of an account in this process, and which sessions a create with a lost reply may have made.

use super::account::Account;
use crate::clock::{Instant, lock};
use crate::config::ApiVersion;
use crate::journal::{Record, RecordId};
use crate::model::{Lease, SessionId, SessionKey, SessionProperties, SessionSize};
use crate::sys::PerProcess;
use crate::wire::Target;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// A create from a process that has died may still arrive for this long, so its session may still appear.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// Far longer than a session takes to become ready, which is some minutes.
const LONGEST_START: Duration = Duration::from_secs(30 * 60);

/// The creates of all clients of this process, for an account at one endpoint.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// Each create in progress holds a clone.
    running: Arc<()>,
    /// The sessions that these clients certainly created.
    created: Mutex<HashSet<SessionKey>>,
    lost: Mutex<Vec<Lost>>,
}

/// A create with a lost reply whose session, if it made one, has an unknown id.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    /// The id of its record, if it has one.
    pub(super) create: RecordId,
    pub(super) size: SessionSize,
    pub(super) max_lease: Lease,
    pub(super) begun: Instant,
}

/// What a create requested, and how long ago.
#[derive(Clone, Copy)]
pub(super) struct Requested<'a> {
    size: &'a SessionSize,
    max_lease: Lease,
    age: Duration,
}

/// See [`Account::candidates`].
pub(super) struct Candidates {
    pub(super) possible: Vec<SessionProperties>,
    /// Further sessions match the request in everything but their age.
    pub(super) only_age_excludes_some: bool,
}

/// Records of the journal, each with whether its owner is alive.
pub(super) type Records = Vec<(Record, bool)>;

/// By endpoint and account.
type Places = HashMap<(String, String), Weak<Here>>;

static HERE: PerProcess<Mutex<Places>> = PerProcess::new();

impl Here {
    pub(super) fn at(target: &Target) -> Arc<Here> {
        let mut all = lock(HERE.get());
        all.retain(|_, here| here.strong_count() > 0);
        let place = all.entry((target.endpoint.to_string(), target.account_id.as_str().to_owned())).or_default();
        place.upgrade().unwrap_or_else(|| {
            let here = Arc::new(Here::default());
            *place = Arc::downgrade(&here);
            here
        })
    }
}

impl Lost {
    pub(super) fn requested(&self, now: Instant) -> Requested<'_> {
        Requested { size: &self.size, max_lease: self.max_lease, age: now.saturating_since(self.begun) }
    }
}

impl<'a> Requested<'a> {
    /// `now`: wall time since 1970.
    pub(super) fn by(record: &'a Record, now: Duration) -> Requested<'a> {
        Requested { size: &record.size, max_lease: record.max_lease, age: now.saturating_sub(record.written) }
    }

    fn is_like(&self, session: &SessionProperties) -> bool {
        session.size.as_ref().is_none_or(|it| it == self.size)
            && session.max_lease.is_none_or(|lease| lease == self.max_lease.duration())
    }

    /// `unit`: that of the elapsed time that the service reports, which it truncates.
    fn fits_age_of(&self, session: &SessionProperties, unit: Duration) -> bool {
        let ready_for = session.elapsed.unwrap_or_default();
        ready_for <= self.age + unit && self.age.saturating_sub(ready_for) <= ON_ITS_WAY + LONGEST_START
    }

    /// Whether any session that it made has expired, unless its lease was extended.
    fn has_expired(&self) -> bool {
        self.age > self.max_lease.duration() + ON_ITS_WAY + LONGEST_START
    }
}

impl Account {
    /// Counts a create until the result is dropped.
    pub(super) fn count_create(&self) -> Arc<()> {
        Arc::clone(&self.here.running)
    }

    /// Whether a client of this process, or a live owner of one of these records, is creating a session whose id is not
    /// known yet.
    pub(super) fn has_creates_in(&self, records: &[(Record, bool)]) -> bool {
        let service = &self.context.service;
        Arc::strong_count(&self.here.running) > 1
            || records.iter().any(|(record, lives)| *lives && record.is_being_created_at(service))
    }

    /// Records that a create certainly made this session, so that it is no candidate of a lost create.
    pub(super) fn created(&self, id: &SessionId) {
        lock(&self.here.created).insert(key_in_list(id));
    }

    /// Records a lost create, so that none of its candidates looks like the only possibility of another.
    pub(super) fn lost(&self, lost: Lost) {
        let now = self.core.now();
        let mut all = lock(&self.here.lost);
        all.retain(|other| !other.requested(now).has_expired());
        all.push(lost);
    }

    /// The session of a lost create, if it made one, has ended.
    pub(super) fn decided(&self, create: RecordId) {
        lock(&self.here.lost).retain(|other| other.create != create);
    }

    /// The listed sessions that a create with a lost reply may have made: not certainly made by another, alive, matching
    /// the request, and ready no earlier than possible. `excluded`: those of other clients, and earlier ones.
    pub(super) fn candidates(
        &self,
        listed: Vec<SessionProperties>,
        excluded: &HashSet<SessionKey>,
        requested: Requested<'_>,
    ) -> Candidates {
        let created = lock(&self.here.created).clone();
        let service = &self.context.service;
        let is_alike = |session: &SessionProperties| {
            !self.registry.has_created(&session.id)
                && !created.contains(&key_in_list(&session.id))
                && !excluded.contains(&service.key(&session.id))
                && session.status.is_alive()
                && requested.is_like(session)
        };
        let alike = listed.into_iter().filter(is_alike);
        let (possible, others): (Vec<_>, Vec<_>) =
            alike.partition(|session| requested.fits_age_of(session, service.lease_unit()));
        Candidates { possible, only_age_excludes_some: !others.is_empty() }
    }

    /// Whether another create with a lost reply may have made this session too: one of this process, or one of these
    /// records. `now`: wall time since 1970.
    pub(super) fn is_shared(
        &self,
        session: &SessionProperties,
        create: RecordId,
        records: &[(Record, bool)],
        now: Duration,
    ) -> bool {
        let service = &self.context.service;
        let may_have_made = |requested: Requested<'_>| {
            requested.is_like(session) && requested.fits_age_of(session, service.lease_unit())
        };
        let may_be_of = |record: &Record| match &record.session_id {
            Some(_) => !record.is_certain() && record.is_of(service, &session.id),
            None => {
                record.names(service, &session.id) || record.is_at(service) && may_have_made(Requested::by(record, now))
            }
        };
        let elapsed = self.core.now();
        records.iter().any(|(record, _)| record.id != create && may_be_of(record))
            || lock(&self.here.lost).iter().any(|lost| lost.create != create && may_have_made(lost.requested(elapsed)))
    }

    /// The sessions that the creates of these records have certainly made.
    pub(super) fn certain_in(&self, records: &[(Record, bool)]) -> HashSet<SessionKey> {
        let certain = records.iter().filter(|(record, _)| record.is_certain());
        certain.filter_map(|(record, _)| Some(self.context.service.key(record.session_id.as_ref()?))).collect()
    }
}

/// Two readings of the journal in one: a single reading may miss a record that moves meanwhile.
pub(super) fn with_missing(mut later: Records, earlier: &[(Record, bool)]) -> Records {
    let known: HashSet<RecordId> = later.iter().map(|(record, _)| record.id).collect();
    later.extend(earlier.iter().filter(|(record, _)| !known.contains(&record.id)).cloned());
    later
}

/// Only REST v1 has lost creates with unknown ids, but a session made with either version may be in its list.
fn key_in_list(id: &SessionId) -> SessionKey {
    id.key(ApiVersion::V1)
}
