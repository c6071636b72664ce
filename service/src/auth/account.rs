//! Accounts: an id and a key.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use uuid::Uuid;

use crate::format::guid;

/// The id of the development account, the only account unless others are configured.
pub const DEVELOPMENT_ACCOUNT_ID: &str = "d0ca11ed-0000-4000-8000-a0ca7a57e0de";

/// The key of the development account. It is public, so that examples and tests need no configuration, and protects
/// nothing.
pub const DEVELOPMENT_ACCOUNT_KEY: &str = "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ=";

/// An account id with its key.
///
/// Parses from `ID:KEY`, where the id is a GUID. `Debug` shows the id and never the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    guid: Uuid,
    id: String,
    key: String,
}

impl Account {
    /// An account with this id (a GUID, in either letter case) and key (any text that is not empty).
    pub fn new(id: &str, key: &str) -> Result<Account, ParseAccountError> {
        let guid = guid::parse(id).ok_or(ParseAccountError::IdIsNotAGuid)?;
        if key.trim().is_empty() {
            return Err(ParseAccountError::NoKey);
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ParseAccountError::KeyCannotBeSent);
        }
        Ok(Account { guid, id: guid.to_string(), key: key.to_owned() })
    }

    /// The well-known account: [`DEVELOPMENT_ACCOUNT_ID`] with [`DEVELOPMENT_ACCOUNT_KEY`].
    pub fn development() -> Account {
        let guid = Uuid::from_u128(0xd0ca11ed_0000_4000_8000_a0ca7a57e0de);
        Account { guid, id: DEVELOPMENT_ACCOUNT_ID.to_owned(), key: DEVELOPMENT_ACCOUNT_KEY.to_owned() }
    }

    /// The account's id: a GUID in lower case.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The account's key, as it goes into the `Authorization` header of a token request.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn guid(&self) -> Uuid {
        self.guid
    }

    /// Compares in constant time, so that the time does not reveal how much of the key was right: both keys are signed
    /// with the same HMAC key, and the signatures are compared.
    pub(crate) fn has_key(&self, candidate: &str) -> bool {
        let comparison = hmac::Key::new(hmac::HMAC_SHA256, b"account key comparison");
        let expected = hmac::sign(&comparison, self.key.as_bytes());
        hmac::verify(&comparison, candidate.as_bytes(), expected.as_ref()).is_ok()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).field("key", &"<redacted>").finish()
    }
}

impl FromStr for Account {
    type Err = ParseAccountError;

    fn from_str(text: &str) -> Result<Account, ParseAccountError> {
        let (id, key) = text.split_once(':').ok_or(ParseAccountError::NoColon)?;
        Account::new(id, key)
    }
}

/// Why a text is not an account. The messages never repeat the text, because it may contain a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAccountError {
    /// There is no colon between id and key.
    #[error("an account is written ID:KEY, but this has no colon")]
    NoColon,
    /// The part before the colon is not a GUID.
    #[error(
        "an account is written ID:KEY, but the part before the colon is not a GUID such as {DEVELOPMENT_ACCOUNT_ID}"
    )]
    IdIsNotAGuid,
    /// The part after the colon is empty.
    #[error("an account is written ID:KEY, but the key is empty")]
    NoKey,
    /// The key contains spaces, control characters or characters outside ASCII, which a header cannot carry.
    #[error("the account key contains characters that an Authorization header cannot carry; use ASCII without spaces")]
    KeyCannotBeSent,
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_development_account_matches_its_constants() {
        let account = Account::development();
        assert_eq!(Ok(account.clone()), Account::new(DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY));
        assert_eq!(account.id(), DEVELOPMENT_ACCOUNT_ID);
        let bytes = STANDARD.decode(DEVELOPMENT_ACCOUNT_KEY).expect("base64");
        assert_eq!(bytes, b"arr-emulator-development-account");
    }

    #[test]
    fn an_account_parses_from_id_colon_key() {
        let account: Account = "11111111-2222-3333-4444-AAAAAAAAAAAA:a:b=".parse().expect("an account");
        assert_eq!(account.id(), "11111111-2222-3333-4444-aaaaaaaaaaaa");
        assert_eq!(account.key(), "a:b=");
        assert!(account.has_key("a:b="));
        assert!(!account.has_key("a:b"));
        assert!(!account.has_key(""));
    }

    #[test]
    fn a_malformed_account_is_explained_without_its_key() {
        for (text, error) in [
            ("secret", ParseAccountError::NoColon),
            ("not-a-guid:secret", ParseAccountError::IdIsNotAGuid),
            ("{11111111-2222-3333-4444-aaaaaaaaaaaa}:secret", ParseAccountError::IdIsNotAGuid),
            ("11111111-2222-3333-4444-aaaaaaaaaaaa:", ParseAccountError::NoKey),
            ("11111111-2222-3333-4444-aaaaaaaaaaaa:  ", ParseAccountError::NoKey),
            ("11111111-2222-3333-4444-aaaaaaaaaaaa:sec\nret", ParseAccountError::KeyCannotBeSent),
        ] {
            assert_eq!(text.parse::<Account>(), Err(error), "{text:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let text = format!("{:?}", Account::development());
        assert!(text.contains(DEVELOPMENT_ACCOUNT_ID));
        assert!(!text.contains(DEVELOPMENT_ACCOUNT_KEY));
    }
}
