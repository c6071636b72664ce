//! All sessions that the service remembers.

use std::time::Duration;

use uuid::Uuid;

use crate::server::Servers;
use crate::session::{Session, SessionSize, SessionStatus, StatusRefused};

/// How long the service answers questions about a session that is over.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// One session as it is at the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionView {
    /// The session's id: a GUID in lower case.
    pub id: String,
    /// The id of the account that created it: a GUID in lower case.
    pub account_id: String,
    /// How far it is.
    pub status: SessionStatus,
    /// What kind of server it runs on.
    pub size: SessionSize,
    /// The whole lease, counted from `Ready`.
    pub max_lease: Duration,
    /// How long it has been ready, up to its end.
    pub elapsed: Duration,
    /// The name of its server; none before it is ready.
    pub hostname: Option<String>,
    /// Why it ended, where nobody asked for the end.
    pub message: Option<String>,
}

impl SessionView {
    fn of(session: &Session, now: Duration) -> SessionView {
        SessionView {
            id: session.id.to_string(),
            account_id: session.account.to_string(),
            status: session.status(now),
            size: session.size,
            max_lease: session.max_lease,
            elapsed: session.elapsed(now),
            hostname: session.hostname(now),
            message: session.message(now),
        }
    }
}

/// The sessions, in the order of their creation.
#[derive(Debug)]
pub(crate) struct Sessions {
    startup: Duration,
    stopping: Duration,
    servers: Servers,
    sessions: Vec<Session>,
}

impl Sessions {
    /// None yet. A new session takes `startup` to be ready, a stopped one `stopping` to be gone.
    pub(crate) fn new(startup: Duration, stopping: Duration, servers: Servers) -> Sessions {
        Sessions { startup, stopping, servers, sessions: Vec::new() }
    }

    /// Creates a session and returns its id.
    pub(crate) fn create(&mut self, now: Duration, account: Uuid, size: SessionSize, max_lease: Duration) -> Uuid {
        self.forget_old(now);
        let session = Session::new(account, size, max_lease, now, self.startup, self.servers.next());
        let id = session.id;
        self.sessions.push(session);
        id
    }

    /// The session with this id, if this account has it.
    pub(crate) fn find(&mut self, now: Duration, account: Uuid, id: Uuid) -> Option<&mut Session> {
        self.forget_old(now);
        self.sessions.iter_mut().find(|session| session.id == id && session.account == account)
    }

    /// Asks a session to stop.
    pub(crate) fn stop(&mut self, now: Duration, account: Uuid, id: Uuid) -> Option<()> {
        let stopping = self.stopping;
        self.find(now, account, id).map(|session| session.stop(now, stopping))
    }

    /// The account's sessions that are not over.
    pub(crate) fn active(&self, now: Duration, account: Uuid) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(move |session| session.account == account && !session.status(now).is_final())
    }

    /// Ends the session with this id, of whatever account, with a failure; false if there is none or it is over.
    pub(crate) fn fail(&mut self, now: Duration, id: Uuid, message: &str) -> bool {
        self.sessions.iter_mut().find(|session| session.id == id).is_some_and(|session| session.fail(now, message))
    }

    /// Forces a status upon the session with this id, of whatever account; returns how it is then.
    pub(crate) fn force(
        &mut self,
        now: Duration,
        id: Uuid,
        to: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        self.forget_old(now);
        let session = self.sessions.iter_mut().find(|session| session.id == id);
        let session = session.ok_or_else(|| StatusRefused::NoSession(id.to_string()))?;
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

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn an_ended_session_is_remembered_for_thirty_days() {
        let mut sessions = Sessions::new(Duration::ZERO, Duration::ZERO, Servers::default());
        let account = Uuid::new_v4();
        let id = sessions.create(Duration::ZERO, account, SessionSize::Standard, DAY);
        let expired_at = DAY;
        let last_moment = expired_at + 30 * DAY - Duration::from_nanos(1);
        assert!(sessions.find(last_moment, account, id).is_some());
        assert!(sessions.find(expired_at + 30 * DAY, account, id).is_none());
        assert!(sessions.views(expired_at + 30 * DAY).is_empty());
    }

    #[test]
    fn a_session_belongs_to_one_account() {
        let mut sessions = Sessions::new(Duration::ZERO, Duration::ZERO, Servers::default());
        let (mine, yours) = (Uuid::new_v4(), Uuid::new_v4());
        let id = sessions.create(Duration::ZERO, mine, SessionSize::Standard, DAY);
        assert!(sessions.find(Duration::ZERO, yours, id).is_none());
        assert_eq!(sessions.stop(Duration::ZERO, yours, id), None);
        assert_eq!(sessions.active(Duration::ZERO, yours).count(), 0);
        assert_eq!(sessions.active(Duration::ZERO, mine).count(), 1);
    }
}
