//! The sessions that matter most to an observer.

use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use super::{Session, SessionStore};

/// Some of the sessions of all accounts, and how many there are.
pub(crate) struct Overview<'a> {
    /// The newest of those that have not ended, the newest first.
    pub(crate) active: Vec<&'a Session>,
    /// Those that ended last, the last first.
    pub(crate) ended: Vec<&'a Session>,
    pub(crate) active_count: usize,
    pub(crate) ended_count: usize,
}

impl SessionStore {
    /// At most this many active and ended sessions. The cost does not depend on how many others there are.
    pub(crate) fn overview(&mut self, now: Duration, active: usize, ended: usize) -> Overview<'_> {
        self.settle(now);
        let mut numbers = Vec::new();
        let mut below = Unbounded;
        // From the last account with active sessions to the first.
        while let Some(&(account, _)) = self.alive.range((Unbounded, below)).next_back() {
            let newest = self.alive.range((account, 0)..=(account, u64::MAX)).rev().take(active);
            numbers.extend(newest.map(|(_, number)| *number));
            below = Excluded((account, 0));
        }
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        Overview {
            active: numbers.iter().take(active).map(|number| &self.sessions[number]).collect(),
            ended: self.over.iter().rev().take(ended).map(|(_, number)| &self.sessions[number]).collect(),
            active_count: self.alive.len(),
            ended_count: self.over.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::clock::Timestamp;
    use crate::config::Config;
    use crate::session::{SessionSelector, SessionSettings, SessionSize};

    #[test]
    fn the_newest_of_all_accounts_and_the_last_to_end_are_shown() {
        let mut store = SessionStore::new(&Config { startup: Duration::ZERO, ..Config::default() });
        let accounts = [Uuid::new_v4(), Uuid::new_v4()];
        let settings = SessionSettings { size: SessionSize::Standard, max_lease: Duration::from_secs(60) };
        let mut ids = Vec::new();
        for number in 0..8 {
            let now = Duration::from_secs(number);
            let account = accounts[usize::from(number % 2 == 0)];
            ids.push((account, store.create(Timestamp { now, unix_time: now }, account, settings)));
        }
        for (second, stopped) in [(10, 3), (11, 7), (12, 0)] {
            let (account, id) = &ids[stopped];
            store.stop(Duration::from_secs(second), *account, SessionSelector::Exact(id.as_str()));
        }
        let overview = store.overview(Duration::from_secs(20), 3, 2);
        let numbers = |sessions: &[&Session]| sessions.iter().map(|it| it.identity.number).collect::<Vec<_>>();
        assert_eq!((numbers(&overview.active), numbers(&overview.ended)), (vec![7, 6, 5], vec![1, 8]));
        assert_eq!((overview.active_count, overview.ended_count), (5, 3));
    }
}
