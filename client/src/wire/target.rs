//! The target of session requests.

use crate::config::{AccountId, Endpoint};
use url::Url;

/// One account at the endpoint of a session service.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) account_id: AccountId,
}

impl Target {
    /// `{endpoint}/{root}/accounts/{account}/sessions/{rest}`
    pub(super) fn sessions(&self, root: &[&str], rest: &[&str]) -> Url {
        self.endpoint.join(&[root, &["accounts", self.account_id.as_str(), "sessions"], rest].concat())
    }
}
