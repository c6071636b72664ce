//! Session ids.

use crate::config::{ApiVersion, excerpt};
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// A session id: 1 to 256 characters of `A-Z a-z 0-9 _ -`. REST v1 issues GUIDs. With REST 2021-01-01 the client
/// chooses the id, and letter case is significant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Arc<str>);

/// An id in the form in which ids are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey(Arc<str>);

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
            "`session_id` \"{}\" is not valid; an id has 1 to 256 letters, digits, hyphens and underscores",
            excerpt(text)
        )))
    }

    /// For REST v1, GUIDs are the same in any letter case. All other ids are compared exactly.
    pub(crate) fn key(&self, version: ApiVersion) -> SessionKey {
        let is_guid = || self.0.len() == 36 && Uuid::try_parse(&self.0).is_ok();
        let has_other_form = version == ApiVersion::V1 && self.0.bytes().any(|it| it.is_ascii_uppercase()) && is_guid();
        SessionKey(if has_other_form { self.0.to_ascii_lowercase().into() } else { Arc::clone(&self.0) })
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

    #[test]
    fn only_guids_of_v1_are_the_same_in_any_letter_case() {
        let are_same = |version, texts: [&str; 2]| {
            let [one, other] = texts.map(|text| SessionId::parse(text).unwrap().key(version));
            one == other
        };
        let guid = ["E13D2C44-63e0-4591-991e-f9e05e599a93", "e13d2c44-63E0-4591-991E-f9e05e599a93"];
        assert!(are_same(ApiVersion::V1, guid) && !are_same(ApiVersion::V2021_01_01, guid));
        for other in
            [["AbC-DeF-0", "abc-def-0"], ["E13D2C4463e04591991ef9e05e599a93", "e13d2c4463e04591991ef9e05e599a93"]]
        {
            assert!(!are_same(ApiVersion::V1, other), "{other:?}");
        }
    }
}
