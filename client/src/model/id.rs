//! Session ids.

use crate::config::excerpt;
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A session id: 1 to 256 characters of `A-Z a-z 0-9 _ -`. REST v1 issues GUIDs. With REST 2021-01-01 the client
/// chooses the id, and letter case is significant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// Validates an id.
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

impl FromStr for SessionId {
    type Err = Error;

    /// As [`SessionId::parse`].
    fn from_str(text: &str) -> Result<SessionId> {
        SessionId::parse(text)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
}
