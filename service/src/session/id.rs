//! Session ids. Version 1 generates GUIDs; in 2021-01-01 the client chooses (`docs/service-2021-01-01.md`, "Create").

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use crate::format::guid;

/// A valid session id: 1 to 256 letters, digits, hyphens and underscores. Letter case matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct SessionId(String);

/// The text is not a valid session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 1 to 256 letters, digits, hyphens and underscores")]
pub(crate) struct InvalidSessionId;

impl SessionId {
    const LONGEST: usize = 256;

    /// A new GUID.
    pub(crate) fn generate() -> SessionId {
        SessionId(Uuid::new_v4().to_string())
    }

    /// Validates an id that a client chose.
    pub(crate) fn parse(text: &str) -> Result<SessionId, InvalidSessionId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.is_empty() || text.len() > SessionId::LONGEST || !text.bytes().all(allowed) {
            return Err(InvalidSessionId);
        }
        Ok(SessionId(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_same_guid(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text) && guid::parse(text).is_some()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a request selects a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SessionSelector<'a> {
    /// By its exact id.
    Exact(&'a str),
    /// By its exact id or, failing that, by the same GUID in another letter case.
    GuidIgnoringCase(&'a str),
}

impl<'a> SessionSelector<'a> {
    /// The id as it was given.
    pub(crate) fn id(self) -> &'a str {
        let (SessionSelector::Exact(id) | SessionSelector::GuidIgnoringCase(id)) = self;
        id
    }

    /// The position of the selected session among these.
    pub(crate) fn position<'s>(self, mut ids: impl Iterator<Item = &'s SessionId> + Clone) -> Option<usize> {
        match self {
            SessionSelector::Exact(text) => ids.position(|id| id.as_str() == text),
            SessionSelector::GuidIgnoringCase(text) => {
                let exactly = SessionSelector::Exact(text).position(ids.clone());
                exactly.or_else(|| ids.position(|id| id.is_same_guid(text)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "d31bddca-dab7-498e-9bc9-7594bc12862f";

    #[test]
    fn an_id_is_1_to_256_plain_characters() {
        let longest = "x".repeat(256);
        for id in ["a", "-", "Contoso_Session-1", GUID, &longest] {
            assert_eq!(SessionId::parse(id).map(|id| id.to_string()), Ok(id.to_owned()));
        }
        for text in ["", "a b", "a/b", "a.b", "é", ":stop", &"x".repeat(257)] {
            assert_eq!(SessionId::parse(text), Err(InvalidSessionId), "{text}");
        }
        assert!(guid::parse(SessionId::generate().as_str()).is_some());
    }

    #[test]
    fn guids_ignore_letter_case_but_an_exact_match_wins() {
        let upper = GUID.to_ascii_uppercase();
        let ids = ["name", GUID, &upper].map(|id| SessionId::parse(id).expect("an id"));
        let position = |selector: SessionSelector<'_>| selector.position(ids.iter());
        assert_eq!(position(SessionSelector::Exact("name")), Some(0));
        assert_eq!(position(SessionSelector::Exact("NAME")), None);
        assert_eq!(position(SessionSelector::GuidIgnoringCase("NAME")), None);
        assert_eq!(position(SessionSelector::GuidIgnoringCase("name")), Some(0));
        assert_eq!(position(SessionSelector::GuidIgnoringCase(&upper)), Some(2));
        assert_eq!(position(SessionSelector::GuidIgnoringCase(&GUID.replace('d', "D"))), Some(1));
        assert_eq!(position(SessionSelector::Exact(&GUID.replace('d', "D"))), None);
    }
}
