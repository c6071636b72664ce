//! The store of all sessions, shared by both versions of the API.

mod overview;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use uuid::Uuid;

use super::batch::{Batch, Change, Commit, Pending};
use super::id::{SessionId, SessionSelector};
use super::lifecycle::{LeaseRefused, Session, SessionIdentity};
use super::renderer::RendererAllocator;
use super::settings::SessionSettings;
use super::status::{SessionStatus, StatusRefused};
use super::view::SessionView;
use crate::clock::Timestamp;
use crate::config::Config;

/// How many ended sessions are remembered. Beyond that, the first to end are forgotten.
const MOST_REMEMBERED: usize = 100_000;

/// The result of a create with an id that the client chose.
pub(crate) enum Creation<'a> {
    /// The session is new.
    New(&'a Session),
    /// A session with this id and these settings already existed.
    Existing(&'a Session),
}

/// The account has a session with this id but other settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SettingsConflict;

/// The sessions. The cost of a call does not depend on their number.
#[derive(Debug)]
pub(crate) struct SessionStore {
    startup: Duration,
    stopping: Duration,
    /// How long an ended session can still be read.
    remember: Duration,
    renderers: RendererAllocator,
    /// How many may run at a time.
    limit: Option<usize>,
    /// How many have been created so far.
    created: u64,
    /// By number.
    sessions: BTreeMap<u64, Session>,
    /// The numbers of the sessions with an id, in lower case.
    ids: HashMap<String, Vec<u64>>,
    /// Those that have not ended, by account and number.
    alive: BTreeSet<(Uuid, u64)>,
    /// Those that have ended, by the time of their end.
    over: BTreeSet<(Duration, u64)>,
    /// When to check whether a session has ended; never later than its end. A session may have several entries.
    due: BinaryHeap<Reverse<(Duration, u64)>>,
    /// Changes that are not stored yet; none if sessions are not kept.
    pending: Option<Pending>,
}

impl SessionStore {
    /// An empty store, as configured.
    pub(crate) fn new(config: &Config) -> SessionStore {
        SessionStore {
            startup: config.startup,
            stopping: config.stopping,
            remember: config.remember,
            renderers: RendererAllocator::new(config),
            limit: config.max_sessions,
            created: 0,
            sessions: BTreeMap::new(),
            ids: HashMap::new(),
            alive: BTreeSet::new(),
            over: BTreeSet::new(),
            due: BinaryHeap::new(),
            pending: None,
        }
    }

    /// Fills an empty store with the sessions of an earlier run, in the order of their creation. From now on, changes are
    /// collected in batches; `wake` is sent to when there is one to write.
    pub(crate) fn keep(&mut self, created: u64, sessions: impl IntoIterator<Item = Session>, wake: SyncSender<()>) {
        self.created = created;
        for session in sessions {
            self.created = self.created.max(session.identity.number);
            self.insert(session);
        }
        self.pending = Some(Pending::new(wake));
    }

    /// Ends a call. What it has found or changed is stored once this is; `None` if it already is, or is not kept.
    pub(crate) fn end_call(&mut self) -> Option<Commit> {
        self.pending.as_mut()?.end_call()
    }

    /// Adds an advance of the clock to the open batch; false if sessions are not kept.
    pub(crate) fn advance_clock(&mut self, step: Duration) -> bool {
        self.pending.as_mut().map(|pending| pending.advance_clock(step)).is_some()
    }

    /// The next batch to write, and how many sessions have been created so far.
    pub(crate) fn take_batch(&mut self) -> Option<(Batch, u64)> {
        let batch = self.pending.as_mut()?.take()?;
        Some((batch, self.created))
    }

    /// The batch that was taken is stored.
    pub(crate) fn stored(&mut self, batch: &Batch) {
        self.pending.iter_mut().for_each(|pending| pending.stored(batch));
    }

    /// The batch that was taken could not be stored: undoes its changes and later ones.
    pub(crate) fn not_stored(&mut self, batch: Batch) {
        let Some(pending) = &mut self.pending else { return };
        let (changes, commits) = pending.not_stored(batch);
        for Change { number, before, after } in changes {
            // A session that has been forgotten meanwhile stays forgotten.
            if self.remove(number).is_some()
                && let Some(before) = before
            {
                self.insert(before);
            }
            drop(after);
        }
        commits.iter().for_each(|commit| commit.resolve(false));
    }

    /// Lets the thread end that writes the batches. Nothing may be changed any more.
    pub(crate) fn end_keeping(&mut self) {
        self.pending.iter_mut().for_each(Pending::end);
    }

    /// How many sessions have not ended.
    pub(crate) fn running(&mut self, now: Duration) -> usize {
        self.settle(now);
        self.alive.len()
    }

    /// False if the last batch could not be stored.
    pub(crate) fn is_writable(&self) -> bool {
        self.pending.as_ref().is_none_or(Pending::is_writable)
    }

    /// Whether as many sessions run as the limit allows.
    pub(crate) fn is_full(&mut self, now: Duration) -> bool {
        let running = self.running(now);
        self.limit.is_some_and(|limit| running >= limit)
    }

    /// Creates a session under a generated id, which it returns.
    pub(crate) fn create(&mut self, timestamp: Timestamp, account: Uuid, settings: SessionSettings) -> SessionId {
        self.settle(timestamp.now);
        let id = SessionId::generate();
        self.add(timestamp, account, id.clone(), settings);
        id
    }

    /// Creates a session under the client's id. If the account has a session with this id and these settings, ended or
    /// not, returns that one: a create is idempotent, so that a client can repeat it if the reply is lost.
    pub(crate) fn create_as(
        &mut self,
        timestamp: Timestamp,
        account: Uuid,
        id: SessionId,
        settings: SessionSettings,
    ) -> Result<Creation<'_>, SettingsConflict> {
        self.settle(timestamp.now);
        let Some(number) = self.number_of(account, SessionSelector::Exact(id.as_str())) else {
            return Ok(Creation::New(self.add(timestamp, account, id, settings)));
        };
        self.found(number);
        let session = &self.sessions[&number];
        if session.settings == settings { Ok(Creation::Existing(session)) } else { Err(SettingsConflict) }
    }

    fn add(&mut self, timestamp: Timestamp, account: Uuid, id: SessionId, settings: SessionSettings) -> &Session {
        self.created += 1;
        let number = self.created;
        let identity = SessionIdentity { id, account, number };
        let session = Session::new(identity, settings, timestamp, self.startup, self.renderers.allocate());
        if let Some(pending) = &mut self.pending {
            pending.add(number, None, session.clone());
        }
        self.insert(session)
    }

    fn insert(&mut self, session: Session) -> &Session {
        let SessionIdentity { id, account, number } = &session.identity;
        let (account, number) = (*account, *number);
        self.ids.entry(id.as_str().to_ascii_lowercase()).or_default().push(number);
        self.alive.insert((account, number));
        self.due.push(Reverse((session.end(), number)));
        self.sessions.entry(number).or_insert(session)
    }

    /// The selected session, if this account has it.
    pub(crate) fn find(&mut self, now: Duration, account: Uuid, selector: SessionSelector<'_>) -> Option<&Session> {
        self.settle(now);
        let number = self.number_of(account, selector)?;
        self.found(number);
        Some(&self.sessions[&number])
    }

    /// Sets the whole lease of the selected session, which can only grow; `None` if the account has no such session.
    pub(crate) fn extend(
        &mut self,
        now: Duration,
        account: Uuid,
        selector: SessionSelector<'_>,
        lease: Duration,
    ) -> Option<Result<&Session, LeaseRefused>> {
        self.settle(now);
        let number = self.number_of(account, selector)?;
        Some(self.change(number, |session| session.extend(now, lease)).map(|()| &self.sessions[&number]))
    }

    /// The identity of the session with this id, of any account.
    pub(crate) fn identify(&mut self, now: Duration, id: &str) -> Option<SessionIdentity> {
        self.settle(now);
        self.of_any_account(id).map(|number| self.sessions[&number].identity.clone())
    }

    /// Stops a session.
    pub(crate) fn stop(&mut self, now: Duration, account: Uuid, selector: SessionSelector<'_>) -> Option<()> {
        self.settle(now);
        let (number, stopping) = (self.number_of(account, selector)?, self.stopping);
        self.change(number, |session| session.stop(now, stopping));
        Some(())
    }

    /// The account's sessions from this number on that have not ended, in the order of their creation.
    pub(crate) fn active(&mut self, now: Duration, account: Uuid, from: u64) -> impl Iterator<Item = &Session> {
        self.settle(now);
        self.pending.iter_mut().for_each(Pending::found_all);
        self.alive.range((account, from)..=(account, u64::MAX)).map(|(_, number)| &self.sessions[number])
    }

    /// Ends the session with this id, of any account, with a failure; false if there is none or it has ended.
    pub(crate) fn fail(&mut self, now: Duration, id: &str, message: &str) -> bool {
        self.settle(now);
        self.of_any_account(id).is_some_and(|number| self.change(number, |session| session.fail(now, message)))
    }

    /// Forces the session with this id, of any account, into a status; returns the resulting state.
    pub(crate) fn force(
        &mut self,
        now: Duration,
        id: &str,
        to: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        self.settle(now);
        let number = self.of_any_account(id).ok_or_else(|| StatusRefused::NoSession(id.to_owned()))?;
        self.change(number, |session| session.force(now, to, message))?;
        Ok(SessionView::of(&self.sessions[&number], now))
    }

    /// All sessions in the store, of every account.
    pub(crate) fn views(&mut self, now: Duration) -> Vec<SessionView> {
        self.settle(now);
        self.pending.iter_mut().for_each(Pending::found_all);
        self.sessions.values().map(|session| SessionView::of(session, now)).collect()
    }

    /// The number of the selected session, if this account has it.
    fn number_of(&self, account: Uuid, selector: SessionSelector<'_>) -> Option<u64> {
        let numbers = self.ids.get(&selector.id().to_ascii_lowercase())?;
        self.select(
            numbers.iter().copied().filter(|number| self.sessions[number].identity.account == account),
            selector,
        )
    }

    /// The number of the session with this id, of any account. Clients choose ids: if two accounts chose the same, this
    /// is the one that has not ended.
    fn of_any_account(&self, id: &str) -> Option<u64> {
        let is_alive = |number: &u64| self.alive.contains(&(self.sessions[number].identity.account, *number));
        let (alive, over): (Vec<u64>, Vec<u64>) =
            self.ids.get(&id.to_ascii_lowercase())?.iter().partition(|number| is_alive(number));
        self.select(alive.into_iter().chain(over), SessionSelector::GuidIgnoringCase(id))
    }

    fn select(&self, numbers: impl Iterator<Item = u64> + Clone, selector: SessionSelector<'_>) -> Option<u64> {
        let position = selector.position(numbers.clone().map(|number| &self.sessions[&number].identity.id))?;
        numbers.into_iter().nth(position)
    }

    /// Changes a session. If its end moves forward, so does the check for it.
    fn change<T>(&mut self, number: u64, change: impl FnOnce(&mut Session) -> T) -> T {
        self.found(number);
        let Some(session) = self.sessions.get_mut(&number) else { unreachable!("it has just been found") };
        let before = session.end();
        let kept = self.pending.as_mut().map(|pending| (pending, session.clone()));
        let result = change(session);
        if session.end() < before {
            self.due.push(Reverse((session.end(), number)));
        }
        if let Some((pending, before)) = kept
            && *session != before
        {
            pending.add(number, Some(before), session.clone());
        }
        result
    }

    /// The current call depends on this session.
    fn found(&mut self, number: u64) {
        self.pending.iter_mut().for_each(|pending| pending.found(number));
    }

    /// Moves sessions that have ended by now to `over`, and forgets those past `remember` or the limit.
    fn settle(&mut self, now: Duration) {
        while let Some(&Reverse((at, number))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            let Some(session) = self.sessions.get(&number) else { continue };
            let (end, account) = (session.end(), session.identity.account);
            if end > now {
                self.due.push(Reverse((end, number)));
            } else if self.alive.remove(&(account, number)) {
                self.over.insert((end, number));
            }
        }
        while let Some(&(end, number)) = self.over.first()
            && (end.saturating_add(self.remember) <= now || self.over.len() > MOST_REMEMBERED)
        {
            self.over.pop_first();
            self.forget(number);
        }
    }

    fn forget(&mut self, number: u64) {
        if self.remove(number).is_some() {
            self.pending.iter_mut().for_each(|pending| pending.forget(number));
        }
    }

    /// Removes a session, ended or not.
    fn remove(&mut self, number: u64) -> Option<Session> {
        let session = self.sessions.remove(&number)?;
        self.alive.remove(&(session.identity.account, number));
        self.over.remove(&(session.end(), number));
        let id = session.identity.id.as_str().to_ascii_lowercase();
        if let Some(numbers) = self.ids.get_mut(&id) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.ids.remove(&id);
            }
        }
        Some(session)
    }
}

#[cfg(test)]
mod tests;
