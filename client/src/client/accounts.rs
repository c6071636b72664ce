//! The accounts of a client: the configured one, and those of sessions found in the journal.

use super::account::Account;
use crate::clock::lock;
use crate::config::Endpoint;
use crate::error::Result;
use crate::journal::Record;
use crate::protocol::{Context, Pacing};
use crate::wire::{Service, Target};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub(super) struct Accounts {
    /// At the configured endpoint.
    pub(super) home: Arc<Account>,
    others: Arc<Mutex<Vec<Arc<Account>>>>,
}

impl Accounts {
    pub(super) fn new(home: Arc<Account>) -> Accounts {
        Accounts { home, others: Arc::default() }
    }

    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        let others = lock(&self.others);
        std::iter::once(&self.home).chain(&*others).cloned().collect()
    }

    /// The account of a record's session. Fails if no client could be configured with its endpoint.
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
        let target = Target { endpoint: Endpoint::service(&record.endpoint)?, account_id: record.account_id.clone() };
        let service = Service { target, version: record.version };
        let pacing = Arc::new(Pacing::new(context.pacing.intervals));
        let account = Account::new(&self.home.core, Context { service: Arc::new(service), pacing, ..context.clone() });
        others.push(Arc::clone(&account));
        Ok(account)
    }
}
