//! The JSON that properties were read from.

use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::Arc;

/// The JSON of a session as received, so that the application can read members that this crate does not know.
#[derive(Clone, Default)]
pub(crate) struct ReplyText(Kept);

#[derive(Clone, Default)]
enum Kept {
    #[default]
    Nothing,
    Text(Arc<str>),
    /// Its length in bytes.
    TooLong(usize),
}

impl ReplyText {
    /// The limit on what is kept for each session, in bytes.
    pub(crate) const LONGEST: usize = 64 * 1024;

    /// Keeps a reply, unless it is too long.
    pub(crate) fn of(json: &str) -> ReplyText {
        let kept = json.len() <= ReplyText::LONGEST;
        ReplyText(if kept { Kept::Text(json.into()) } else { Kept::TooLong(json.len()) })
    }

    pub(crate) fn get(&self) -> Result<Option<Arc<str>>> {
        match &self.0 {
            Kept::Nothing => Ok(None),
            Kept::Text(text) => Ok(Some(Arc::clone(text))),
            Kept::TooLong(length) => Err(Error::new(
                ErrorKind::UnexpectedReply,
                format!(
                    "the session's last reply was not kept: it has {length} bytes, and the limit is {}",
                    ReplyText::LONGEST
                ),
            )),
        }
    }
}

impl PartialEq for ReplyText {
    /// Always equal: the same properties can be written in many ways, and with REST v1 every reply has a new elapsed
    /// time.
    fn eq(&self, _: &ReplyText) -> bool {
        true
    }
}

impl fmt::Debug for ReplyText {
    /// Omits the text, which may contain anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kept::Nothing => "none",
            Kept::Text(_) => "kept",
            Kept::TooLong(_) => "too long",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_kept_up_to_a_limit_and_never_shown() {
        assert_eq!(ReplyText::default().get().unwrap(), None);
        let longest = "x".repeat(ReplyText::LONGEST);
        let kept = ReplyText::of(&longest);
        assert_eq!(kept.get().unwrap().as_deref(), Some(longest.as_str()));
        let error = ReplyText::of(&format!("{longest}x")).get().unwrap_err();
        assert!(error.kind() == ErrorKind::UnexpectedReply && error.message().contains("65537"), "{error}");
        assert_eq!(format!("{kept:?}"), "kept");
    }
}
