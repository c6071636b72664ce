//! The accounts of a client: the configured one, and those of sessions found in the journal.

use super::account::Account;
use crate::clock::lock;
use crate::config::{Endpoint, GivenIntervals, PollIntervals, excerpt};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Record;
use crate::protocol::{Context, Pacing};
use crate::wire::{Service, Target};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub(super) struct Accounts {
    /// At the configured endpoint.
    pub(super) home: Arc<Account>,
    others: Arc<Mutex<Vec<Arc<Account>>>>,
    /// Further endpoints that may be contacted.
    trusted: Arc<[Endpoint]>,
    intervals: GivenIntervals,
}

impl Accounts {
    pub(super) fn new(home: Arc<Account>, trusted: Vec<Endpoint>, intervals: GivenIntervals) -> Accounts {
        Accounts { home, others: Arc::default(), trusted: trusted.into(), intervals }
    }

    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        let others = lock(&self.others);
        std::iter::once(&self.home).chain(&*others).cloned().collect()
    }

    /// The account of a record's session.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] if this client may not send its token to that endpoint. Otherwise anyone who can write to
    /// the journal folder could get the token.
    pub(super) fn of_record(&self, record: &Record) -> Result<Arc<Account>> {
        let fits = |account: &Arc<Account>| {
            let service = &account.context.service;
            record.is_at(service) && record.version == service.version
        };
        if fits(&self.home) {
            return Ok(Arc::clone(&self.home));
        }
        let mut others = lock(&self.others);
        if let Some(known) = others.iter().find(|account| fits(account)) {
            return Ok(Arc::clone(known));
        }
        let context = &self.home.context;
        let endpoint = self.trusted_endpoint(&record.endpoint)?;
        let pacing = Arc::new(Pacing::new(PollIntervals::at(&endpoint, record.version, self.intervals)));
        let target = Target::new(endpoint, record.account_id.clone());
        let service = Service { target, version: record.version };
        let account = Account::new(&self.home.core, Context { service: Arc::new(service), pacing, ..context.clone() });
        others.push(Arc::clone(&account));
        Ok(account)
    }

    fn trusted_endpoint(&self, text: &str) -> Result<Endpoint> {
        let home = &self.home.context.service.target.endpoint;
        let endpoint = Endpoint::service(text).ok();
        let is_trusted = |endpoint: &Endpoint| {
            home.is_same_origin(endpoint) || self.trusted.iter().any(|trusted| trusted.is_same_origin(endpoint))
        };
        endpoint.filter(is_trusted).ok_or_else(|| {
            let message = format!(
                "the journal has a session at \"{}\", which this client may not contact; if you trust that service, \
                 add it to `trusted_endpoints`",
                excerpt(text)
            );
            Error::new(ErrorKind::Storage, message)
        })
    }
}
