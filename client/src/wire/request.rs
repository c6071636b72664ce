//! Requests.

use crate::clock::Instant;
use crate::config::{Secret, without_secrets};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use url::{Position, Url};

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
    pub(crate) url: Arc<Url>,
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
    pub(super) fn unsigned(method: Method, url: impl Into<Arc<Url>>, body: Option<Value>) -> Request {
        Request {
            method,
            url: url.into(),
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
    pub(crate) fn headers(&self) -> HeaderMap {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, JSON);
        if self.body.is_some() {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        // Ours can be sent.
        if let Some(Ok(vector)) = self.correlation_vector.as_deref().map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static("x-mrc-cv"), vector);
        }
        headers
    }

    /// The scheme, host and port of its URL, which has no user: `https://host:port`, without the scheme's own port.
    pub(crate) fn origin(&self) -> &str {
        &self.url[..Position::BeforePath]
    }

    /// Method and path, for the log, without secrets: a link from the service may contain the token.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method.as_str(), without_secrets(self.url.path(), &self.bearer))
    }
}
