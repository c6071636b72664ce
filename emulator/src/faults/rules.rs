//! The faults that stand, in order, and how far each is used up.

use std::sync::Mutex;

use axum::http::Method;

use super::fault::{Action, Fault};
use crate::sync::lock;

/// A fault that cannot be, out of several that were given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault rule {number}: {reason}")]
pub struct FaultError {
    pub(crate) number: usize,
    pub(crate) reason: String,
}

/// A fault in the book.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) fault: Fault,
    /// How often it was for a request, whether skipped or not.
    pub(crate) matched: u64,
}

impl Standing {
    /// How often it still happens; `None` is for ever.
    pub(crate) fn left(&self) -> Option<u64> {
        let total = u64::from(self.fault.skip) + u64::from(self.fault.times);
        (self.fault.times > 0).then(|| total.saturating_sub(self.matched.max(u64::from(self.fault.skip))))
    }

    /// Counts a match, and says whether the fault happens this time.
    fn strikes(&mut self) -> bool {
        self.matched += 1;
        self.matched > u64::from(self.fault.skip)
    }
}

/// The faults that stand. Those that have happened as often as they were to are gone.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    standing: Mutex<Vec<Standing>>,
}

impl FaultBook {
    /// Appends these, all or, if one of them cannot be, none.
    pub(crate) fn add(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        for (index, fault) in faults.iter().enumerate() {
            fault.check().map_err(|reason| FaultError { number: index + 1, reason })?;
        }
        lock(&self.standing).extend(faults.into_iter().map(|fault| Standing { fault, matched: 0 }));
        Ok(())
    }

    /// Removes all.
    pub(crate) fn clear(&self) {
        lock(&self.standing).clear();
    }

    pub(crate) fn all(&self) -> Vec<Standing> {
        lock(&self.standing).clone()
    }

    /// The fault that happens to this request: the first that is for it and does not let it pass.
    pub(crate) fn strike(&self, method: &Method, path: &str) -> Option<Fault> {
        self.first(|fault| fault.is_for(method, path))
    }

    /// Whether the connection that was just accepted is to be closed.
    pub(crate) fn strikes_connection(&self) -> bool {
        self.first(|fault| fault.action == Action::CloseOnAccept).is_some()
    }

    fn first(&self, concerns: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut standing = lock(&self.standing);
        let mut concerned = standing.iter_mut().filter(|standing| concerns(&standing.fault));
        let fault = concerned.find_map(|standing| standing.strikes().then(|| standing.fault.clone()));
        standing.retain(|standing| standing.left() != Some(0));
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(faults: impl IntoIterator<Item = Fault>) -> FaultBook {
        let book = FaultBook::default();
        book.add(faults.into_iter().collect()).expect("good faults");
        book
    }

    /// The statuses of the faults that happen to so many requests; 0 where none does.
    fn statuses(book: &FaultBook, requests: usize) -> Vec<u16> {
        let strike = |_| match book.strike(&Method::GET, "/").map(|fault| fault.action) {
            Some(Action::Status { status, .. }) => status,
            _ => 0,
        };
        (0..requests).map(strike).collect()
    }

    fn status(status: u16) -> Fault {
        Fault::on("GET", "/").status(status)
    }

    #[test]
    fn a_fault_happens_once_unless_told_otherwise() {
        assert_eq!(statuses(&book([status(500)]), 3), [500, 0, 0]);
        assert_eq!(statuses(&book([status(500).times(2)]), 3), [500, 500, 0]);
        assert_eq!(statuses(&book([status(500).always()]), 4), [500; 4]);
    }

    #[test]
    fn the_first_that_matches_wins_and_the_next_follows_when_it_is_used_up() {
        assert_eq!(statuses(&book([status(501), status(502).times(2), status(503)]), 5), [501, 502, 502, 503, 0]);
        assert_eq!(statuses(&book([Fault::on("POST", "/"), status(502)]), 2), [502, 0]);
    }

    #[test]
    fn skipped_requests_pass_to_the_faults_after_it() {
        assert_eq!(statuses(&book([status(501).skip(2)]), 4), [0, 0, 501, 0]);
        assert_eq!(statuses(&book([status(501).skip(1), status(502).always()]), 3), [502, 501, 502]);
        assert_eq!(statuses(&book([status(501).skip(1).always()]), 3), [0, 501, 501]);
    }

    #[test]
    fn the_book_tells_how_often_each_has_matched_and_forgets_what_is_used_up() {
        let book = book([status(501).skip(1).times(2), status(502)]);
        statuses(&book, 2);
        let seen: Vec<_> = book.all().iter().map(|standing| (standing.matched, standing.left())).collect();
        assert_eq!(seen, [(2, Some(1))]);
        book.clear();
        assert!(book.all().is_empty());
    }

    #[test]
    fn a_connection_is_no_request() {
        let book = book([Fault::close_on_accept().times(2).skip(1), status(500)]);
        assert_eq!([(); 4].map(|()| book.strikes_connection()), [false, true, true, false]);
        assert_eq!(statuses(&book, 2), [500, 0]);
    }

    #[test]
    fn a_bad_fault_keeps_the_others_out() {
        let book = FaultBook::default();
        let error = book.add(vec![status(500), status(1)]).expect_err("a bad one");
        assert_eq!(error.to_string(), "fault rule 2: status must be 200 to 999, not 1");
        assert!(book.all().is_empty());
    }
}
