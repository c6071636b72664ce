//! The service's nouns: what a session is asked to be, and what it is.

use crate::error::{Error, Result};
use crate::given::excerpt;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The id of a session: 1 to 256 characters of `A-Z a-z 0-9 _ -`. REST v1 gives out GUIDs; with REST 2021-01-01 the client
/// chooses, and letter case counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// Checks and keeps an id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is empty, longer than 256 characters, or
    /// has other characters.
    pub fn parse(text: &str) -> Result<SessionId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=256).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(SessionId(text.into()));
        }
        Err(Error::invalid_argument(format!(
            "session id \"{}\" is not valid; an id has 1 to 256 letters, digits, hyphens and underscores",
            excerpt(text)
        )))
    }

    pub(crate) fn to_lower_case(&self) -> SessionId {
        SessionId(self.0.to_ascii_lowercase().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The size of the rendering server. It decides the price and cannot change during a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionSize {
    /// Up to 20 million primitives.
    Standard,
    /// No fixed limit.
    Premium,
    /// A size that this version of the library does not know, as the service wrote it.
    Unknown(String),
}

impl SessionSize {
    /// A number for each, which is for ever: the C ABI's. 0 if it is not known.
    #[doc(hidden)]
    pub const fn code(size: Option<&SessionSize>) -> i32 {
        match size {
            Some(SessionSize::Standard) => 1,
            Some(SessionSize::Premium) => 2,
            Some(SessionSize::Unknown(_)) | None => 0,
        }
    }

    /// The size of a number.
    #[doc(hidden)]
    pub const fn of_code(code: i32) -> Option<SessionSize> {
        match code {
            1 => Some(SessionSize::Standard),
            2 => Some(SessionSize::Premium),
            _ => None,
        }
    }

    pub(crate) fn read(text: &str) -> SessionSize {
        match text.to_ascii_lowercase().as_str() {
            "standard" => SessionSize::Standard,
            "premium" => SessionSize::Premium,
            _ => SessionSize::Unknown(text.to_owned()),
        }
    }
}

/// Where a session is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionStatus {
    /// A server is being found and started; this takes from seconds to minutes. Costs nothing yet.
    Starting,
    /// The server runs, and costs, whether or not anybody is connected.
    Ready,
    /// The session was stopped and its server is being given back. REST 2021-01-01 does not tell it; but after its own stop
    /// a client takes it for the status until the service is read.
    Stopping,
    /// The session was stopped. Final.
    Stopped,
    /// The lease ran out. Final.
    Expired,
    /// The session failed; its message tells why. Final.
    Error,
    /// A status that this version of the library does not know, as the service wrote it.
    Unknown(String),
}

impl SessionStatus {
    /// The service writes the words in lower case in its documentation and capitalised on the wire.
    pub(crate) fn read(text: &str) -> SessionStatus {
        match text.to_ascii_lowercase().as_str() {
            "starting" => SessionStatus::Starting,
            "ready" => SessionStatus::Ready,
            "stopping" => SessionStatus::Stopping,
            "stopped" => SessionStatus::Stopped,
            "expired" => SessionStatus::Expired,
            "error" => SessionStatus::Error,
            _ => SessionStatus::Unknown(text.to_owned()),
        }
    }

    /// A number for each, which is for ever: the C ABI's.
    #[doc(hidden)]
    pub const fn code(&self) -> i32 {
        match self {
            SessionStatus::Unknown(_) => 0,
            SessionStatus::Starting => 1,
            SessionStatus::Ready => 2,
            SessionStatus::Stopped => 3,
            SessionStatus::Expired => 4,
            SessionStatus::Error => 5,
            SessionStatus::Stopping => 6,
        }
    }

    /// The status of a number; the word of an unknown one is not kept. Allocates nothing.
    #[doc(hidden)]
    pub const fn of_code(code: i32) -> SessionStatus {
        match code {
            1 => SessionStatus::Starting,
            2 => SessionStatus::Ready,
            3 => SessionStatus::Stopped,
            4 => SessionStatus::Expired,
            5 => SessionStatus::Error,
            6 => SessionStatus::Stopping,
            _ => SessionStatus::Unknown(String::new()),
        }
    }

    /// Whether the session has ended for good. An unknown status is taken as not final.
    pub fn is_final(&self) -> bool {
        matches!(self, SessionStatus::Stopped | SessionStatus::Expired | SessionStatus::Error)
    }

    /// Whether the session has neither ended nor begun to end.
    pub(crate) fn is_alive(&self) -> bool {
        !self.is_final() && *self != SessionStatus::Stopping
    }
}

/// How long a session may run: whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease(Duration);

impl Lease {
    /// The longest lease: 365 days, far beyond what the service grants.
    pub const MAX: Duration = Duration::from_secs(365 * 86_400);

    /// Shorter and longer leases are probably not meant: billing is by the minute, and sessions are typically of hours.
    pub(crate) const USUAL: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(86_400);

    /// A lease of this length; a fraction of a second rounds up.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for zero and for more than [`Lease::MAX`].
    pub fn new(length: Duration) -> Result<Lease> {
        if length.is_zero() || length > Lease::MAX {
            return Err(Error::invalid_argument(format!(
                "a lease of {} s is out of range; give 1 s to 365 days, for example 3600 s for an hour",
                length.as_secs()
            )));
        }
        Ok(Lease(Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0))))
    }

    /// The shortest lease that is not shorter and is a multiple of `unit`.
    pub(crate) fn rounded_up_to(self, unit: Duration) -> Lease {
        let (length, unit) = (self.0.as_secs(), unit.as_secs().max(1));
        Lease(Duration::from_secs(length.div_ceil(unit) * unit))
    }

    /// Its length, in whole seconds.
    pub fn duration(self) -> Duration {
        self.0
    }
}

/// What a new session shall be.
#[derive(Clone)]
pub struct NewSession {
    pub(crate) id: Option<SessionId>,
    pub(crate) size: SessionSize,
    pub(crate) max_lease: Lease,
    pub(crate) models: Vec<String>,
    pub(crate) extra: Map<String, Value>,
}

impl fmt::Debug for NewSession {
    /// Without the models and the members of the caller's own: such URLs carry signatures.
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
    /// The most models that a session can be asked for.
    #[doc(hidden)]
    pub const MOST_MODELS: usize = 1_000;
    /// The members of the request that have a place of their own, in the names of all versions.
    const TAKEN: [&str; 4] = ["maxLeaseTime", "maxLeaseTimeMinutes", "size", "models"];
    /// The longest URL that is of use anywhere, in bytes.
    const LONGEST_MODEL: usize = 8 * 1024;
    const LONGEST_EXTRA: usize = 64 * 1024;

    /// A session of this size that ends by itself when it has been ready for `max_lease` (1 s to 365 days).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a lease out of range or an unknown size.
    pub fn new(size: SessionSize, max_lease: Duration) -> Result<NewSession> {
        if let SessionSize::Unknown(name) = &size {
            return Err(Error::invalid_argument(format!(
                "session size \"{}\" is neither standard nor premium",
                excerpt(name)
            )));
        }
        Ok(NewSession { id: None, size, max_lease: Lease::new(max_lease)?, models: Vec::new(), extra: Map::new() })
    }

    /// The id that the session shall have. Only with REST 2021-01-01, which takes a new GUID if none is given; with REST
    /// v1 the service chooses it.
    pub fn with_id(self, id: SessionId) -> NewSession {
        NewSession { id: Some(id), ..self }
    }

    /// Models to load before the session is ready: the URLs of their asset containers, at most 1,000. Only with REST v1.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for too many, and for a text that cannot be a URL.
    pub fn with_models<T: Into<String>>(mut self, urls: impl IntoIterator<Item = T>) -> Result<NewSession> {
        for url in urls {
            let url: String = url.into();
            let sendable = !url.is_empty()
                && url.len() <= NewSession::LONGEST_MODEL
                && !url.chars().any(|c| c.is_control() || c.is_whitespace());
            if !sendable {
                // Not quoted: such URLs carry signatures.
                return Err(Error::invalid_argument(format!(
                    "model {} is not the URL of an asset container: it is empty, has white space, or is longer than {} bytes",
                    self.models.len(),
                    NewSession::LONGEST_MODEL
                )));
            }
            self.models.push(url);
        }
        if self.models.len() > NewSession::MOST_MODELS {
            return Err(Error::invalid_argument(format!(
                "{} models are too many; give at most {}",
                self.models.len(),
                NewSession::MOST_MODELS
            )));
        }
        Ok(self)
    }

    /// Further members for the request, as a JSON object of at most 64 KiB: for what a service takes that this library
    /// does not know.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is no JSON object, or has a member that is
    /// given otherwise: the lease, the size, the models.
    pub fn with_extra_json(mut self, object: &str) -> Result<NewSession> {
        if object.len() > NewSession::LONGEST_EXTRA {
            return Err(Error::invalid_argument(format!(
                "extra JSON is longer than {} bytes",
                NewSession::LONGEST_EXTRA
            )));
        }
        self.extra = match serde_json::from_str(object) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                return Err(Error::invalid_argument("extra JSON is no object; it looks like {\"name\":\"value\"}"));
            }
            Err(cause) => {
                return Err(Error::invalid_argument(format!(
                    "extra JSON cannot be read (line {}, column {}); it looks like {{\"name\":\"value\"}}",
                    cause.line(),
                    cause.column()
                )));
            }
        };
        let taken = |name: &&String| NewSession::TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name));
        match self.extra.keys().find(taken) {
            Some(name) => Err(Error::invalid_argument(format!(
                "extra JSON has the member \"{name}\", which is given by an option of its own"
            ))),
            None => Ok(self),
        }
    }
}

/// What the service says about a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionProperties {
    /// Its id.
    pub id: SessionId,
    /// Where it is in its life.
    pub status: SessionStatus,
    /// Its size; `None` if the service does not say and this client did not create it.
    pub size: Option<SessionSize>,
    /// The host that renders; only while it is ready.
    pub hostname: Option<String>,
    /// The port of the ARR inspector on that host.
    pub arr_inspector_port: Option<u16>,
    /// The port for the rendering connection's handshake on that host.
    pub handshake_port: Option<u16>,
    /// The whole lease, counted from when the session became ready.
    pub max_lease: Option<Duration>,
    /// How much of it is used.
    pub elapsed: Option<Duration>,
    /// When it was created, by the service's clock (REST 2021-01-01).
    pub creation_time: Option<SystemTime>,
    /// The computing power of its server in teraflops, once it has one (REST 2021-01-01).
    pub teraflops: Option<f64>,
    /// The service's code for why it failed (REST 2021-01-01).
    pub error_code: Option<String>,
    /// Why it failed or ended, where the service says so.
    pub message: Option<String>,
    /// How long ago the service said so: zero for what was just read.
    pub age: Duration,
}

impl SessionProperties {
    /// What is known of a session when its create was answered: nothing but its id and what was asked for.
    pub(crate) fn created(id: SessionId, new: &NewSession) -> SessionProperties {
        SessionProperties {
            size: Some(new.size.clone()),
            max_lease: Some(new.max_lease.duration()),
            ..SessionProperties::bare(id, SessionStatus::Starting)
        }
    }

    /// A session of which no more is known.
    pub(crate) fn bare(id: SessionId, status: SessionStatus) -> SessionProperties {
        SessionProperties {
            id,
            status,
            size: None,
            hostname: None,
            arr_inspector_port: None,
            handshake_port: None,
            max_lease: None,
            elapsed: None,
            creation_time: None,
            teraflops: None,
            error_code: None,
            message: None,
            age: Duration::ZERO,
        }
    }

    /// How much of the lease was left when the service answered.
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.max_lease?.saturating_sub(self.elapsed.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_path_segment() {
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2f", "ä", &"x".repeat(257)] {
            assert!(SessionId::parse(bad).is_err(), "{bad}");
        }
        assert!(SessionId::parse(&"x".repeat(256)).is_ok());
        assert!(SessionId::parse("Sample-Session_1").is_ok());
    }

    #[test]
    fn words_are_read_in_any_letter_case_and_unknown_ones_are_kept() {
        assert_eq!(SessionStatus::read("READY"), SessionStatus::Ready);
        assert_eq!(SessionStatus::read("Napping"), SessionStatus::Unknown("Napping".into()));
        assert!(!SessionStatus::read("Napping").is_final());
        assert_eq!(SessionSize::read("PreMium"), SessionSize::Premium);
    }

    #[test]
    fn models_are_urls_and_bounded() {
        let new = || NewSession::new(SessionSize::Standard, Duration::from_secs(60)).unwrap();
        assert_eq!(new().with_models(["https://a", "https://b"]).unwrap().models.len(), 2);
        assert!(new().with_models([""]).is_err());
        let error = new().with_models(["https://a", "https://b?sig=SECRET x"]).unwrap_err();
        assert!(error.message().starts_with("model 1 ") && !error.message().contains("SECRET"), "{error}");
        assert!(new().with_models(vec!["https://a"; 1_000]).is_ok());
        assert!(new().with_models(vec!["https://a"; 1_001]).is_err());
    }

    #[test]
    fn extra_json_is_an_object_that_changes_nothing_known() {
        let new = || NewSession::new(SessionSize::Standard, Duration::from_secs(60)).unwrap();
        assert_eq!(new().with_extra_json(r#"{"a":{"b":1}}"#).unwrap().extra["a"]["b"], 1);
        for bad in ["", "[]", "{", "7", r#"{"size":"premium"}"#, r#"{"MaxLeaseTime":"9:0:0"}"#, &"[".repeat(9_000)] {
            assert!(new().with_extra_json(bad).is_err(), "{bad}");
        }
        assert!(new().with_extra_json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(64 * 1024))).is_err());
    }

    #[test]
    fn a_lease_is_whole_seconds_and_never_zero() {
        assert!(Lease::new(Duration::ZERO).is_err());
        assert!(Lease::new(Lease::MAX + Duration::from_nanos(1)).is_err());
        assert_eq!(Lease::new(Duration::from_millis(1_001)).unwrap().duration(), Duration::from_secs(2));
        assert_eq!(Lease::new(Lease::MAX).unwrap().duration(), Lease::MAX);
    }
}
