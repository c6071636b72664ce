//! The parameters of a new session.

use super::id::SessionId;
use super::lease::Lease;
use super::size::SessionSize;
use crate::config::excerpt;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::fmt;

/// The parameters of a new session.
#[derive(Clone)]
pub struct NewSession {
    pub(crate) id: Option<SessionId>,
    pub(crate) size: SessionSize,
    pub(crate) max_lease: Lease,
    pub(crate) models: Vec<String>,
    pub(crate) extra: Map<String, Value>,
}

impl fmt::Debug for NewSession {
    /// Omits the models and the caller's extra members: such URLs contain signatures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession")
            .field("id", &self.id)
            .field("size", &self.size)
            .field("max_lease", &self.max_lease)
            .field("models", &self.models.len())
            .finish_non_exhaustive()
    }
}

impl NewSession {
    /// The maximum number of models per session.
    pub(crate) const MOST_MODELS: usize = 1_000;
    /// The members of the request that have their own parameters, under their names in all versions.
    const TAKEN: [&str; 4] = ["maxLeaseTime", "maxLeaseTimeMinutes", "size", "models"];
    /// The longest URL that works anywhere, in bytes.
    const LONGEST_MODEL: usize = 8 * 1024;
    const LONGEST_EXTRA: usize = 64 * 1024;
    const DEEPEST_EXTRA: usize = 16;

    /// A session of this size. It ends at the latest when it has been ready for `max_lease`, even if the program
    /// crashes.
    pub fn new(size: SessionSize, max_lease: Lease) -> NewSession {
        NewSession { id: None, size, max_lease, models: Vec::new(), extra: Map::new() }
    }

    /// Fails if no service could accept these parameters.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.size {
            SessionSize::Unknown(name) => {
                Err(Error::invalid_argument(format!("`size` \"{}\" is neither standard nor premium", excerpt(name))))
            }
            _ => Ok(()),
        }
    }

    /// The id of the new session. Only with REST 2021-01-01, where the client generates a GUID if none is given; with
    /// REST v1 the service chooses the id.
    pub fn with_id(self, id: SessionId) -> NewSession {
        NewSession { id: Some(id), ..self }
    }

    /// Models to load before the session becomes ready: the URLs of their asset containers, 1,000 at most. Only with
    /// REST v1.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for too many models, or for a text that cannot
    /// be a URL.
    pub fn with_models<T: Into<String>>(mut self, urls: impl IntoIterator<Item = T>) -> Result<NewSession> {
        for url in urls {
            let url: String = url.into();
            let sendable = !url.is_empty()
                && url.len() <= NewSession::LONGEST_MODEL
                && !url.chars().any(|c| c.is_control() || c.is_whitespace());
            if !sendable {
                // Not quoted: such URLs contain signatures.
                return Err(Error::invalid_argument(format!(
                    "number {} of `models` is not the URL of an asset container: it is empty, has white space, or is \
                     longer than {} bytes",
                    self.models.len(),
                    NewSession::LONGEST_MODEL
                )));
            }
            self.models.push(url);
        }
        if self.models.len() > NewSession::MOST_MODELS {
            return Err(Error::invalid_argument(format!(
                "`models` has {} entries; give at most {}",
                self.models.len(),
                NewSession::MOST_MODELS
            )));
        }
        Ok(self)
    }

    /// Additional members of the request, as a JSON object of at most 64 KiB and 16 levels. For parameters that a
    /// service supports and this library does not.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is not a JSON object, or contains a
    /// member that has its own parameter: the lease, the size, the models.
    pub fn with_extra_json(mut self, object: &str) -> Result<NewSession> {
        if object.len() > NewSession::LONGEST_EXTRA {
            return Err(Error::invalid_argument(format!(
                "`extra_json` is longer than {} bytes; shorten it",
                NewSession::LONGEST_EXTRA
            )));
        }
        if depth(object) > NewSession::DEEPEST_EXTRA {
            return Err(Error::invalid_argument(format!(
                "`extra_json` is nested more than {} levels deep",
                NewSession::DEEPEST_EXTRA
            )));
        }
        // Text from a file may begin with a byte order mark.
        self.extra = match serde_json::from_str(object.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                let message = "`extra_json` is not a JSON object; it looks like {\"name\":\"value\"}";
                return Err(Error::invalid_argument(message));
            }
            Err(cause) => {
                return Err(Error::invalid_argument(format!(
                    "`extra_json` is not valid JSON (line {}, column {}); it looks like {{\"name\":\"value\"}}",
                    cause.line(),
                    cause.column()
                )));
            }
        };
        let taken = |name: &&String| NewSession::TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name));
        match self.extra.keys().find(taken) {
            Some(name) => Err(Error::invalid_argument(format!(
                "`extra_json` has the member \"{name}\"; use the option for it instead"
            ))),
            None => Ok(self),
        }
    }
}

/// How deep arrays and objects are nested. Parsing recurses that deep on the caller's stack.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = depth.max(deepest);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_validated() {
        let new = || NewSession::new(SessionSize::Standard, Lease::from_secs(60).unwrap());
        assert_eq!(new().with_models(["https://a", "https://b"]).unwrap().models.len(), 2);
        assert!(new().with_models([""]).is_err());
        let error = new().with_models(["https://a", "https://b?sig=SECRET x"]).unwrap_err();
        assert!(error.message().starts_with("number 1 of `models` ") && !error.message().contains("SECRET"), "{error}");
        assert!(new().with_models(vec!["https://a"; 1_000]).is_ok());
        assert!(new().with_models(vec!["https://a"; 1_001]).is_err());
    }

    #[test]
    fn extra_json_is_an_object_and_cannot_override_options() {
        let new = || NewSession::new(SessionSize::Standard, Lease::from_secs(60).unwrap());
        assert_eq!(new().with_extra_json(r#"{"a":{"b":1}}"#).unwrap().extra["a"]["b"], 1);
        assert_eq!(new().with_extra_json("\u{feff}{\"a\":1}\r\n").unwrap().extra["a"], 1);
        for bad in ["", "[]", "{", "7", r#"{"size":"premium"}"#, r#"{"MaxLeaseTime":"9:0:0"}"#, &"[".repeat(9_000)] {
            assert!(new().with_extra_json(bad).is_err(), "{bad}");
        }
        assert!(new().with_extra_json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(64 * 1024))).is_err());
        let nested =
            |levels: usize| format!(r#"{{"a{{[":{}"\"[["{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
        new().with_extra_json(&nested(16)).unwrap();
        assert!(new().with_extra_json(&nested(17)).unwrap_err().message().contains("16 levels"));
    }
}
