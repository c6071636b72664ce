//! The active faults in order, and how often each has matched.

use std::sync::Mutex;

use axum::http::Method;

use super::fault::{Action, Fault};
use crate::sync::lock;

/// One of the faults to add is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault rule {number}: {reason}")]
pub struct FaultError {
    pub(crate) number: usize,
    pub(crate) reason: String,
}

/// A fault with its counter.
#[derive(Clone, Debug)]
pub(crate) struct ActiveFault {
    /// Counted from 1 in the order of their addition.
    pub(crate) id: u64,
    pub(crate) fault: Fault,
    /// How many requests it has matched, skipped ones included.
    pub(crate) matched: u64,
}

impl ActiveFault {
    /// How many more times it happens; `None`: no limit.
    pub(crate) fn remaining(&self) -> Option<u64> {
        let total = u64::from(self.fault.skip) + u64::from(self.fault.times);
        (self.fault.times > 0).then(|| total.saturating_sub(self.matched.max(u64::from(self.fault.skip))))
    }

    /// Counts a match; true if the fault happens this time.
    fn count_match(&mut self) -> bool {
        self.matched += 1;
        self.matched > u64::from(self.fault.skip)
    }
}

/// The active faults. A fault is removed once it has happened as often as it should.
#[derive(Debug, Default)]
pub(crate) struct FaultRules {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    active: Vec<ActiveFault>,
    /// How many have been added.
    added: u64,
    /// How often the faults or their counters have changed.
    changes: u64,
}

impl FaultRules {
    /// Appends these faults; none if one of them is invalid.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        for (index, fault) in faults.iter().enumerate() {
            fault.check().map_err(|reason| FaultError { number: index + 1, reason })?;
        }
        let mut state = lock(&self.state);
        for fault in faults {
            state.added += 1;
            let id = state.added;
            state.active.push(ActiveFault { id, fault, matched: 0 });
        }
        state.changes += 1;
        Ok(())
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        state.active.clear();
        state.changes += 1;
    }

    /// Removes the fault with this id; false if there is none.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut state = lock(&self.state);
        let before = state.active.len();
        state.active.retain(|active| active.id != id);
        state.changes += 1;
        state.active.len() < before
    }

    pub(crate) fn all(&self) -> Vec<ActiveFault> {
        lock(&self.state).active.clone()
    }

    /// The number of changes so far, the number of faults, and up to `most` of them as `picked` picks them; `None` if
    /// nothing has changed since `seen`.
    pub(crate) fn changed<T>(
        &self,
        seen: Option<u64>,
        most: usize,
        picked: impl Fn(&ActiveFault) -> T,
    ) -> Option<(u64, usize, Vec<T>)> {
        let state = lock(&self.state);
        let rules = || state.active.iter().take(most).map(&picked).collect();
        (seen != Some(state.changes)).then(|| (state.changes, state.active.len(), rules()))
    }

    /// The fault that happens to this request: the first that matches it and does not skip it.
    pub(crate) fn match_request(&self, method: &Method, path: &str) -> Option<Fault> {
        self.first(|fault| fault.matches(method, path))
    }

    /// Whether the connection that was just accepted must be closed.
    pub(crate) fn match_connection(&self) -> bool {
        self.first(|fault| fault.action == Action::CloseOnAccept).is_some()
    }

    fn first(&self, concerns: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut state = lock(&self.state);
        let mut concerned = state.active.iter_mut().filter(|active| concerns(&active.fault)).peekable();
        concerned.peek()?;
        let fault = concerned.find_map(|active| active.count_match().then(|| active.fault.clone()));
        state.active.retain(|active| active.remaining() != Some(0));
        state.changes += 1;
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(faults: impl IntoIterator<Item = Fault>) -> FaultRules {
        let rules = FaultRules::default();
        rules.add(faults.into_iter().collect()).expect("good faults");
        rules
    }

    /// The statuses of the faults that happen to so many requests; 0 where none does.
    fn statuses(rules: &FaultRules, requests: usize) -> Vec<u16> {
        let status = |_| match rules.match_request(&Method::GET, "/").map(|fault| fault.action) {
            Some(Action::Status { status, .. }) => status,
            _ => 0,
        };
        (0..requests).map(status).collect()
    }

    fn status(status: u16) -> Fault {
        Fault::on("GET", "/").status(status)
    }

    #[test]
    fn a_fault_happens_once_by_default() {
        assert_eq!(statuses(&rules([status(500)]), 3), [500, 0, 0]);
        assert_eq!(statuses(&rules([status(500).times(2)]), 3), [500, 500, 0]);
        assert_eq!(statuses(&rules([status(500).always()]), 4), [500; 4]);
    }

    #[test]
    fn the_first_match_wins_until_it_is_used_up() {
        assert_eq!(statuses(&rules([status(501), status(502).times(2), status(503)]), 5), [501, 502, 502, 503, 0]);
        assert_eq!(statuses(&rules([Fault::on("POST", "/"), status(502)]), 2), [502, 0]);
    }

    #[test]
    fn skipped_requests_pass_to_later_faults() {
        assert_eq!(statuses(&rules([status(501).skip(2)]), 4), [0, 0, 501, 0]);
        assert_eq!(statuses(&rules([status(501).skip(1), status(502).always()]), 3), [502, 501, 502]);
        assert_eq!(statuses(&rules([status(501).skip(1).always()]), 3), [0, 501, 501]);
    }

    #[test]
    fn a_fault_counts_its_matches_until_it_is_used_up() {
        let rules = rules([status(501).skip(1).times(2), status(502)]);
        statuses(&rules, 2);
        let seen: Vec<_> = rules.all().iter().map(|active| (active.matched, active.remaining())).collect();
        assert_eq!(seen, [(2, Some(1))]);
        rules.clear();
        assert!(rules.all().is_empty());
    }

    #[test]
    fn one_fault_can_be_removed() {
        let rules = rules([status(501), status(502), status(503)]);
        assert!(rules.remove(2) && !rules.remove(2));
        rules.add(vec![status(504)]).expect("a good fault");
        assert_eq!(rules.all().iter().map(|active| active.id).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(statuses(&rules, 3), [501, 503, 504]);
    }

    #[test]
    fn close_on_accept_does_not_match_requests() {
        let rules = rules([Fault::close_on_accept().times(2).skip(1), status(500)]);
        assert_eq!([(); 4].map(|()| rules.match_connection()), [false, true, true, false]);
        assert_eq!(statuses(&rules, 2), [500, 0]);
    }

    #[test]
    fn one_invalid_fault_rejects_all() {
        let rules = FaultRules::default();
        let error = rules.add(vec![status(500), status(1)]).expect_err("a bad one");
        assert_eq!(error.to_string(), "fault rule 2: status must be 200 to 999, not 1");
        assert!(rules.all().is_empty());
    }
}
