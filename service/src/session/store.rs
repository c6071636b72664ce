//! The store of all sessions, which both versions of the API use.

use std::time::Duration;

use uuid::Uuid;

use super::id::{SessionId, SessionSelector};
use super::lifecycle::{Session, SessionIdentity};
use super::renderer::RendererAllocator;
use super::settings::SessionSettings;
use super::status::{SessionStatus, StatusRefused};
use super::view::SessionView;
use crate::clock::Timestamp;

/// How long a session that is over can still be read.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The result of a create with an id of the client's choice.
pub(crate) enum Creation<'a> {
    /// The session is new.
    New(&'a Session),
    /// A session with this id and these settings existed before.
    Existing(&'a Session),
}

/// The account has a session with this id, but with other settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SettingsConflict;

/// The sessions, in the order of their creation.
#[derive(Debug)]
pub(crate) struct SessionStore {
    startup: Duration,
    stopping: Duration,
    renderers: RendererAllocator,
    /// How many were created so far.
    created: u64,
    sessions: Vec<Session>,
}

impl SessionStore {
    /// An empty store. A new session takes `startup` to be ready, a stopped one `stopping` to end.
    pub(crate) fn new(startup: Duration, stopping: Duration, renderers: RendererAllocator) -> SessionStore {
        SessionStore { startup, stopping, renderers, created: 0, sessions: Vec::new() }
    }

    /// Creates a session under a generated id, which it returns.
    pub(crate) fn create(&mut self, timestamp: Timestamp, account: Uuid, settings: SessionSettings) -> SessionId {
        self.forget_old(timestamp.now);
        let id = SessionId::generate();
        self.add(timestamp, account, id.clone(), settings);
        id
    }

    /// Creates a session under the client's id. If the account has a session with this id and these settings, over or
    /// not, returns that one: a create is idempotent, so a client may repeat it when the reply is lost.
    pub(crate) fn create_as(
        &mut self,
        timestamp: Timestamp,
        account: Uuid,
        id: SessionId,
        settings: SessionSettings,
    ) -> Result<Creation<'_>, SettingsConflict> {
        self.forget_old(timestamp.now);
        match self.position_of(account, SessionSelector::Exact(id.as_str())) {
            None => Ok(Creation::New(self.add(timestamp, account, id, settings))),
            Some(position) if self.sessions[position].settings == settings => {
                Ok(Creation::Existing(&self.sessions[position]))
            }
            Some(_) => Err(SettingsConflict),
        }
    }

    fn add(&mut self, timestamp: Timestamp, account: Uuid, id: SessionId, settings: SessionSettings) -> &Session {
        self.created += 1;
        let identity = SessionIdentity { id, account, number: self.created };
        let session = Session::new(identity, settings, timestamp, self.startup, self.renderers.allocate());
        self.sessions.push_mut(session)
    }

    /// The selected session, if this account has it.
    pub(crate) fn find(&mut self, now: Duration, account: Uuid, selector: SessionSelector<'_>) -> Option<&mut Session> {
        self.forget_old(now);
        let position = self.position_of(account, selector)?;
        self.sessions.get_mut(position)
    }

    fn position_of(&self, account: Uuid, selector: SessionSelector<'_>) -> Option<usize> {
        let own = self.sessions.iter().enumerate().filter(|(_, session)| session.identity.account == account);
        let position = selector.position(own.clone().map(|(_, session)| &session.identity.id))?;
        own.map(|(position, _)| position).nth(position)
    }

    /// The session with this id, of any account. Clients choose ids, and two accounts may have chosen the same: then
    /// the one that is not over.
    fn of_any_account(&mut self, now: Duration, id: &str) -> Option<&mut Session> {
        self.forget_old(now);
        let (alive, over): (Vec<_>, Vec<_>) =
            self.sessions.iter_mut().partition(|session| !session.status(now).is_final());
        let mut in_order: Vec<_> = alive.into_iter().chain(over).collect();
        let position =
            SessionSelector::GuidIgnoringCase(id).position(in_order.iter().map(|session| &session.identity.id))?;
        Some(in_order.swap_remove(position))
    }

    /// Stops a session.
    pub(crate) fn stop(&mut self, now: Duration, account: Uuid, selector: SessionSelector<'_>) -> Option<()> {
        let stopping = self.stopping;
        self.find(now, account, selector).map(|session| session.stop(now, stopping))
    }

    /// The account's sessions that are not over, in the order of their creation.
    pub(crate) fn active(&self, now: Duration, account: Uuid) -> impl Iterator<Item = &Session> {
        self.sessions
            .iter()
            .filter(move |session| session.identity.account == account && !session.status(now).is_final())
    }

    /// Ends the session with this id, of any account, with a failure; false if there is none or it is over.
    pub(crate) fn fail(&mut self, now: Duration, id: &str, message: &str) -> bool {
        self.of_any_account(now, id).is_some_and(|session| session.fail(now, message))
    }

    /// Forces a status upon the session with this id, of any account; returns the resulting state.
    pub(crate) fn force(
        &mut self,
        now: Duration,
        id: &str,
        to: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        let session = self.of_any_account(now, id).ok_or_else(|| StatusRefused::NoSession(id.to_owned()))?;
        session.force(now, to, message).map(|()| SessionView::of(session, now))
    }

    /// All sessions in the store, of every account.
    pub(crate) fn views(&mut self, now: Duration) -> Vec<SessionView> {
        self.forget_old(now);
        let view = |session| SessionView::of(session, now);
        self.sessions.iter().map(view).collect()
    }

    fn forget_old(&mut self, now: Duration) {
        self.sessions.retain(|session| {
            let ended_at = session.ended_at(now);
            ended_at.is_none_or(|end| now.saturating_sub(end) < KEPT_AFTER_END)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::settings::SessionSize;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const BEGINNING: Timestamp = Timestamp { now: Duration::ZERO, unix_time: Duration::ZERO };
    const SETTINGS: SessionSettings = SessionSettings { size: SessionSize::Standard, max_lease: DAY };

    fn sessions() -> SessionStore {
        SessionStore::new(Duration::ZERO, Duration::ZERO, RendererAllocator::default())
    }

    fn named(id: &str) -> SessionId {
        SessionId::parse(id).expect("an id")
    }

    #[test]
    fn an_ended_session_is_remembered_for_thirty_days() {
        let (mut sessions, account) = (sessions(), Uuid::new_v4());
        let id = sessions.create(BEGINNING, account, SETTINGS);
        let selector = SessionSelector::Exact(id.as_str());
        let expired_at = DAY;
        let last_moment = expired_at + 30 * DAY - Duration::from_nanos(1);
        assert!(sessions.find(last_moment, account, selector).is_some());
        assert!(sessions.find(expired_at + 30 * DAY, account, selector).is_none());
        assert!(sessions.views(expired_at + 30 * DAY).is_empty());
    }

    #[test]
    fn a_session_belongs_to_one_account() {
        let (mut sessions, mine, yours) = (sessions(), Uuid::new_v4(), Uuid::new_v4());
        let id = sessions.create(BEGINNING, mine, SETTINGS);
        let selector = SessionSelector::GuidIgnoringCase(id.as_str());
        assert!(sessions.find(Duration::ZERO, yours, selector).is_none());
        assert_eq!(sessions.stop(Duration::ZERO, yours, selector), None);
        assert_eq!(sessions.active(Duration::ZERO, yours).count(), 0);
        assert_eq!(sessions.active(Duration::ZERO, mine).count(), 1);
    }

    #[test]
    fn an_id_is_taken_as_long_as_its_session_is_remembered() {
        let (mut sessions, account) = (sessions(), Uuid::new_v4());
        let create = |sessions: &mut SessionStore, now, settings| {
            let timestamp = Timestamp { now, unix_time: now };
            let creation = sessions.create_as(timestamp, account, named("mine"), settings);
            creation.map(|creation| matches!(creation, Creation::New(_)))
        };
        let other = SessionSettings { size: SessionSize::Premium, ..SETTINGS };
        assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(true));
        assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(false));
        assert_eq!(create(&mut sessions, Duration::ZERO, other), Err(SettingsConflict));
        assert_eq!(create(&mut sessions, 2 * DAY, SETTINGS), Ok(false), "expired, and still there");
        assert_eq!(create(&mut sessions, 31 * DAY, other), Ok(true), "forgotten");
    }

    #[test]
    fn two_accounts_may_choose_the_same_id_and_what_lives_is_meant_first() {
        let (mut sessions, one, two) = (sessions(), Uuid::new_v4(), Uuid::new_v4());
        for account in [one, two] {
            assert!(matches!(sessions.create_as(BEGINNING, account, named("x"), SETTINGS), Ok(Creation::New(_))));
        }
        assert!(sessions.fail(Duration::ZERO, "x", "the first"));
        assert!(sessions.fail(Duration::ZERO, "x", "the second"));
        assert!(!sessions.fail(Duration::ZERO, "x", "there is no third"));
        let messages: Vec<_> = sessions.views(Duration::ZERO).into_iter().filter_map(|view| view.message).collect();
        assert_eq!(messages, ["the first", "the second"]);
    }
}
