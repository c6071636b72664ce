//! Requests.

use crate::clock::Instant;
use crate::config::{Secret, without_secrets};
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

/// The scheduling class of an operation and its requests: what may delay it, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Waits for a worker and for pauses that the service asked for. Ends with its caller.
    Normal,
    /// Gets a worker at once. For the lease of a session in use.
    Urgent,
    /// Gets a worker at once, ignores pauses, and continues after its caller has gone or the client has ended, because
    /// it saves money.
    Stop,
}

/// A request. The transport adds what all requests have in common.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The bearer token of the `Authorization` header.
    pub(crate) bearer: Secret,
    /// A JSON body.
    pub(crate) body: Option<String>,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) repeatable: bool,
    /// Whether it creates a session. Then it must be certain whether it was ever sent.
    pub(crate) creates: bool,
    /// Our own correlation vector (`X-MRC-CV`).
    pub(crate) correlation_vector: Option<String>,
    /// The limit on the reply's body, in bytes.
    pub(crate) longest_reply: u64,
    /// Whether a success is useless without its body.
    pub(crate) needs_body: bool,
    pub(crate) urgency: Urgency,
    /// A reply is useless after this.
    pub(crate) answer_by: Instant,
}

impl fmt::Debug for Request {
    /// Omits the body, which may contain signed URLs.
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
    /// A request without its token, which is added later.
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
            answer_by: Instant::NEVER,
        }
    }

    /// The headers that matter to the service, except `Authorization`.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let content_type = self.body.as_ref().map(|_| ("content-type", "application/json"));
        let vector = self.correlation_vector.as_deref().map(|vector| ("x-mrc-cv", vector));
        [Some(("accept", "application/json")), content_type, vector].into_iter().flatten()
    }

    /// Method and path, for the log, without secrets: a link from the service may contain the token.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method.as_str(), without_secrets(self.url.path(), self.bearer.expose()))
    }
}
