//! The target of session requests.

use crate::clock::lock;
use crate::config::{AccountId, Endpoint};
use once_cell::sync::OnceCell;
use std::sync::{Arc, Mutex};
use url::Url;

/// One account at the endpoint of a session service.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) account_id: AccountId,
    made: Arc<Made>,
}

/// URLs that were made before.
#[derive(Debug, Default)]
struct Made {
    /// Of the account's sessions.
    sessions: OnceCell<Url>,
    /// The latest one, with its end: most applications have one session, and read it again and again.
    latest: Mutex<Option<(Vec<String>, Arc<Url>)>>,
}

impl Target {
    pub(crate) fn new(endpoint: Endpoint, account_id: AccountId) -> Target {
        Target { endpoint, account_id, made: Arc::default() }
    }

    /// `{endpoint}/{root}/accounts/{account}/sessions/{rest}?{query}`. Root and query are the REST version's.
    pub(super) fn sessions(&self, root: Option<&str>, rest: &[&str], query: Option<&str>) -> Arc<Url> {
        let mut latest = lock(&self.made.latest);
        if let Some((end, url)) = &*latest
            && end == rest
        {
            return Arc::clone(url);
        }
        let sessions = self.made.sessions.get_or_init(|| {
            let account = ["accounts", self.account_id.as_str(), "sessions"];
            let mut sessions = self.endpoint.join(&root.into_iter().chain(account).collect::<Vec<_>>());
            sessions.set_query(query);
            sessions
        });
        let mut url = sessions.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(rest);
        }
        let url = Arc::new(url);
        *latest = Some((rest.iter().copied().map(str::to_owned).collect(), Arc::clone(&url)));
        url
    }
}
