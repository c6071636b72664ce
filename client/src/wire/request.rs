//! Requests.

use crate::config::Secret;
use serde_json::Value;
use std::fmt;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// What may hold an operation and its requests up, and what ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// It waits for a worker and for pauses that the service asked for, and ends with its caller.
    Normal,
    /// It has a worker at once: the lease of a session that is in use.
    Urgent,
    /// It has a worker at once, waits for no pause, and goes on when its caller has gone or the client ends: it saves money.
    Stop,
}

/// What shall be sent. The transport adds what every request has.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// What follows `Bearer ` in the `Authorization` header.
    pub(crate) bearer: Secret,
    /// A JSON body.
    pub(crate) body: Option<String>,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) repeatable: bool,
    /// Whether it makes a session: then it matters to know that it was never sent.
    pub(crate) creates: bool,
    /// A correlation vector of ours (`X-MRC-CV`).
    pub(crate) correlation_vector: Option<String>,
    /// The longest reply that is read, in bytes.
    pub(crate) longest_reply: u64,
    /// Whether a success means nothing without its body.
    pub(crate) needs_body: bool,
    pub(crate) urgency: Urgency,
}

impl fmt::Debug for Request {
    /// Without the body: it may hold signed URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("line", &self.line())
            .field("repeatable", &self.repeatable)
            .finish_non_exhaustive()
    }
}

/// Real replies are below 2 KiB.
const LONGEST_REPLY: u64 = 1024 * 1024;
/// A list may have thousands of entries.
pub(super) const LONGEST_LIST: u64 = 8 * 1024 * 1024;

impl Request {
    /// A request whose token is still to come.
    pub(super) fn unsigned(method: Method, url: Url, body: Option<Value>) -> Request {
        Request {
            method,
            url,
            bearer: Secret::default(),
            body: body.map(|value| value.to_string()),
            repeatable: true,
            creates: false,
            correlation_vector: None,
            longest_reply: LONGEST_REPLY,
            needs_body: true,
            urgency: Urgency::Normal,
        }
    }

    /// The headers that mean something to the service, but for `Authorization`.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let content_type = self.body.as_ref().map(|_| ("content-type", "application/json"));
        let vector = self.correlation_vector.as_deref().map(|vector| ("x-mrc-cv", vector));
        [Some(("accept", "application/json")), content_type, vector].into_iter().flatten()
    }

    /// Method and path, for the log. Neither holds a secret.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method.as_str(), self.url.path())
    }
}
