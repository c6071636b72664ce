//! Who calls: the account, and what proves it.

use crate::error::{Error, Result};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A key or a token: wiped from memory when dropped, and never shown.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the library makes no copy that outlives its use.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself: for the `Authorization` header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Secret {
        Secret::new(text)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The GUID of an account, in lower case with hyphens, as it stands in the service's paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountId(String);

impl AccountId {
    pub(crate) fn parse(text: &str) -> Result<AccountId> {
        match Uuid::try_parse(text.trim()) {
            Ok(id) => Ok(AccountId(id.hyphenated().to_string())),
            Err(_) => Err(Error::invalid_argument(format!(
                "account id \"{}\" is not a GUID; it looks like 11111111-2222-3333-4444-555555555555 and stands on the \
                 account's page",
                excerpt(text)
            ))),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What proves to the token service who calls.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// The account's primary or secondary key, sent as `Bearer {account id}:{key}`.
    AccountKey(Secret),
}

impl Credential {
    pub(crate) fn account_key(text: &str) -> Result<Credential> {
        let key = text.trim();
        if key.is_empty() {
            return Err(Error::invalid_argument(
                "account key is missing; copy the primary or secondary key of the account",
            ));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            // It goes into a header. The key itself is not quoted: messages end up in logs.
            return Err(Error::invalid_argument(
                "account key has characters that no key has (spaces, line ends or non-ASCII letters); copy it again",
            ));
        }
        Ok(Credential::AccountKey(Secret::new(key)))
    }

    /// What follows `Bearer ` in the request to the token service.
    pub(crate) fn bearer(&self, account: &AccountId) -> Secret {
        match self {
            Credential::AccountKey(key) => Secret::new(format!("{}:{}", account.as_str(), key.expose())),
        }
    }
}

/// The beginning of a user's text, for a message. Long or odd input must not flood a log; and as a key is easily given in
/// the place of something else, what looks like one (in base64, keys end in `=`), or like a password in a URL, is not
/// shown at all.
pub(crate) fn excerpt(text: &str) -> String {
    const LIMIT: usize = 64;
    if text.contains(['=', '@']) {
        return "(not shown, it may be a secret)".to_owned();
    }
    let mut shown: String = text.chars().take(LIMIT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let credential = Credential::account_key("c2VjcmV0").unwrap();
        assert!(!format!("{credential:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn a_guid_in_any_common_form_becomes_the_form_of_the_paths() {
        for text in [
            "68321D5A-7978-4CEB-B880-0F49751DAAE9",
            " 68321d5a79784cebb8800f49751daae9\n",
            "{68321d5a-7978-4ceb-b880-0f49751daae9}",
        ] {
            assert_eq!(AccountId::parse(text).unwrap().as_str(), "68321d5a-7978-4ceb-b880-0f49751daae9");
        }
    }

    #[test]
    fn a_bad_guid_is_named_but_never_at_full_length() {
        let error = AccountId::parse(&"x".repeat(10_000_000)).unwrap_err();
        assert!(error.message().contains("is not a GUID"));
        assert!(error.message().len() < 400, "{}", error.message().len());
    }

    #[test]
    fn a_key_in_the_place_of_an_id_is_not_shown() {
        let error = AccountId::parse("YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ=").unwrap_err();
        assert!(!error.message().contains("YXJy") && error.message().contains("is not a GUID"), "{error}");
    }

    #[test]
    fn a_key_that_could_break_a_header_is_refused_without_being_quoted() {
        let error = Credential::account_key("abc\r\nX-Evil: 1").unwrap_err();
        assert!(!error.message().contains("Evil"));
    }
}
