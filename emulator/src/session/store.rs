//! All sessions that the service remembers, and what can be done with them: both versions of the API do it here.

use std::time::Duration;

use uuid::Uuid;

use super::id::{SessionId, Wanted};
use super::lifecycle::{Identity, Session};
use super::renderer::Servers;
use super::settings::Settings;
use super::status::{SessionStatus, StatusRefused};
use super::view::SessionView;
use crate::clock::Moment;

/// How long the service answers questions about a session that is over.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What came of a create under the client's id.
pub(crate) enum Creation<'a> {
    /// There was none of that id before.
    New(&'a Session),
    /// It was there, and just like this.
    There(&'a Session),
}

/// The account has a session of that id, but with other settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherSettings;

/// The sessions, in the order of their creation.
#[derive(Debug)]
pub(crate) struct Sessions {
    startup: Duration,
    stopping: Duration,
    servers: Servers,
    /// How many were ever created.
    created: u64,
    sessions: Vec<Session>,
}

impl Sessions {
    /// None yet. A new session takes `startup` to be ready, a stopped one `stopping` to be gone.
    pub(crate) fn new(startup: Duration, stopping: Duration, servers: Servers) -> Sessions {
        Sessions { startup, stopping, servers, created: 0, sessions: Vec::new() }
    }

    /// Creates a session under an id of the service's choice, which it returns.
    pub(crate) fn create(&mut self, moment: Moment, account: Uuid, settings: Settings) -> SessionId {
        self.forget_old(moment.now);
        let id = SessionId::generate();
        self.add(moment, account, id.clone(), settings);
        id
    }

    /// Creates a session under the client's id. If the account has one of that id, over or not, it is that one, provided
    /// that its settings are these: a create that is repeated because its answer was lost does no harm.
    pub(crate) fn create_as(
        &mut self,
        moment: Moment,
        account: Uuid,
        id: SessionId,
        settings: Settings,
    ) -> Result<Creation<'_>, OtherSettings> {
        self.forget_old(moment.now);
        match self.place(account, Wanted::Exactly(id.as_str())) {
            None => Ok(Creation::New(self.add(moment, account, id, settings))),
            Some(place) if self.sessions[place].settings == settings => Ok(Creation::There(&self.sessions[place])),
            Some(_) => Err(OtherSettings),
        }
    }

    fn add(&mut self, moment: Moment, account: Uuid, id: SessionId, settings: Settings) -> &Session {
        self.created += 1;
        let identity = Identity { id, account, number: self.created };
        let session = Session::new(identity, settings, moment, self.startup, self.servers.next());
        self.sessions.push_mut(session)
    }

    /// The session that is wanted, if this account has it.
    pub(crate) fn find(&mut self, now: Duration, account: Uuid, wanted: Wanted<'_>) -> Option<&mut Session> {
        self.forget_old(now);
        let place = self.place(account, wanted)?;
        self.sessions.get_mut(place)
    }

    fn place(&self, account: Uuid, wanted: Wanted<'_>) -> Option<usize> {
        let own = self.sessions.iter().enumerate().filter(|(_, session)| session.identity.account == account);
        let place = wanted.position(own.clone().map(|(_, session)| &session.identity.id))?;
        own.map(|(place, _)| place).nth(place)
    }

    /// The session of this id, of whatever account. Clients choose ids, and two accounts may have chosen the same: then
    /// it is the one that is not over.
    fn of_any_account(&mut self, now: Duration, id: &str) -> Option<&mut Session> {
        self.forget_old(now);
        let (alive, over): (Vec<_>, Vec<_>) =
            self.sessions.iter_mut().partition(|session| !session.status(now).is_final());
        let mut in_order: Vec<_> = alive.into_iter().chain(over).collect();
        let place = Wanted::GuidInAnyCase(id).position(in_order.iter().map(|session| &session.identity.id))?;
        Some(in_order.swap_remove(place))
    }

    /// Asks a session to stop.
    pub(crate) fn stop(&mut self, now: Duration, account: Uuid, wanted: Wanted<'_>) -> Option<()> {
        let stopping = self.stopping;
        self.find(now, account, wanted).map(|session| session.stop(now, stopping))
    }

    /// The account's sessions that are not over, in the order of their creation.
    pub(crate) fn active(&self, now: Duration, account: Uuid) -> impl Iterator<Item = &Session> {
        self.sessions
            .iter()
            .filter(move |session| session.identity.account == account && !session.status(now).is_final())
    }

    /// Ends the session with this id, of whatever account, with a failure; false if there is none or it is over.
    pub(crate) fn fail(&mut self, now: Duration, id: &str, message: &str) -> bool {
        self.of_any_account(now, id).is_some_and(|session| session.fail(now, message))
    }

    /// Forces a status upon the session with this id, of whatever account; returns how it is then.
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

    /// All sessions still remembered, of every account.
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
    const BEGINNING: Moment = Moment { now: Duration::ZERO, unix_time: Duration::ZERO };
    const SETTINGS: Settings = Settings { size: SessionSize::Standard, max_lease: DAY };

    fn sessions() -> Sessions {
        Sessions::new(Duration::ZERO, Duration::ZERO, Servers::default())
    }

    fn named(id: &str) -> SessionId {
        SessionId::parse(id).expect("an id")
    }

    #[test]
    fn an_ended_session_is_remembered_for_thirty_days() {
        let (mut sessions, account) = (sessions(), Uuid::new_v4());
        let id = sessions.create(BEGINNING, account, SETTINGS);
        let wanted = Wanted::Exactly(id.as_str());
        let expired_at = DAY;
        let last_moment = expired_at + 30 * DAY - Duration::from_nanos(1);
        assert!(sessions.find(last_moment, account, wanted).is_some());
        assert!(sessions.find(expired_at + 30 * DAY, account, wanted).is_none());
        assert!(sessions.views(expired_at + 30 * DAY).is_empty());
    }

    #[test]
    fn a_session_belongs_to_one_account() {
        let (mut sessions, mine, yours) = (sessions(), Uuid::new_v4(), Uuid::new_v4());
        let id = sessions.create(BEGINNING, mine, SETTINGS);
        let wanted = Wanted::GuidInAnyCase(id.as_str());
        assert!(sessions.find(Duration::ZERO, yours, wanted).is_none());
        assert_eq!(sessions.stop(Duration::ZERO, yours, wanted), None);
        assert_eq!(sessions.active(Duration::ZERO, yours).count(), 0);
        assert_eq!(sessions.active(Duration::ZERO, mine).count(), 1);
    }

    #[test]
    fn an_id_is_taken_as_long_as_its_session_is_remembered() {
        let (mut sessions, account) = (sessions(), Uuid::new_v4());
        let create = |sessions: &mut Sessions, now, settings| {
            let moment = Moment { now, unix_time: now };
            let creation = sessions.create_as(moment, account, named("mine"), settings);
            creation.map(|creation| matches!(creation, Creation::New(_)))
        };
        let other = Settings { size: SessionSize::Premium, ..SETTINGS };
        assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(true));
        assert_eq!(create(&mut sessions, Duration::ZERO, SETTINGS), Ok(false));
        assert_eq!(create(&mut sessions, Duration::ZERO, other), Err(OtherSettings));
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
