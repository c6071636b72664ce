//! The account and its credential.

use super::redaction::Filter;
use super::text::{excerpt, looks_like_token, tidy};
use crate::error::{Error, Result};
use once_cell::sync::OnceCell;
use reqwest::header::HeaderValue;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A key or a token. Clones share one copy, which is wiped from memory when the last of them is dropped. Never shown.
#[derive(Clone, Default)]
pub struct Secret(Arc<Kept>);

#[derive(Default)]
struct Kept {
    text: Zeroizing<String>,
    /// The header that sends it, made once.
    header: OnceCell<Option<HeaderValue>>,
    /// For searching texts for it.
    filter: OnceCell<Box<Filter>>,
}

impl Secret {
    /// Takes ownership of the text. Sending it leaves copies in memory: see [Secrets](crate#secrets).
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Arc::new(Kept { text: Zeroizing::new(text.into()), ..Kept::default() }))
    }

    /// The text itself. Only for sending; never write it anywhere.
    pub fn expose(&self) -> &str {
        &self.0.text
    }

    /// The value of the `Authorization` header that sends it as a bearer token. `None` if no header can have it.
    pub(crate) fn bearer(&self) -> Option<HeaderValue> {
        let make = || {
            let text = Zeroizing::new(["Bearer ", self.expose()].concat());
            let mut value = HeaderValue::from_str(&text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        self.0.header.get_or_init(make).clone()
    }

    pub(super) fn filter(&self) -> &Filter {
        self.0.filter.get_or_init(|| Box::new(Filter::of(self.expose())))
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

/// The GUID of an account, in lower case with hyphens, as used in the service's paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountId(String);

impl AccountId {
    pub(crate) fn parse(text: &str) -> Result<AccountId> {
        let text = tidy("`account_id`", text)?;
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(AccountId(id.hyphenated().to_string()));
        }
        Err(Error::invalid_argument(if text.is_empty() {
            "`account_id` is missing; it is the GUID on the account's page".to_owned()
        } else if text.to_ascii_lowercase().ends_with(crate::config::region::DOMAIN) {
            "`account_id` is a host name; `account_id` and `account_domain` were probably mixed up".to_owned()
        } else {
            format!(
                "`account_id` \"{}\" is not a GUID; it looks like 11111111-2222-3333-4444-555555555555 and is on the \
                 account's page",
                excerpt(text)
            )
        }))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The credential of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// The account's primary or secondary key. For development only: a key gives full access to the account, so a
    /// shipped application must not contain one.
    AccountKey(Secret),
    /// A Microsoft Entra ID token of the signed-in user or application, with the scope
    /// `https://sts.mixedreality.azure.com/.default`. It is valid for about an hour. The token service exchanges it for
    /// an access token that is valid for a day.
    EntraToken(Secret),
    /// An access token of the token service that was obtained elsewhere, for example by the application's own server.
    /// It is used as is; the token service is never called.
    AccessToken(Secret),
}

impl Default for Credential {
    /// An empty key. A client cannot be created with it.
    fn default() -> Credential {
        Credential::AccountKey(Secret::default())
    }
}

impl Credential {
    /// Removes surrounding white space. Fails if the credential cannot be sent.
    pub(crate) fn check(self) -> Result<Credential> {
        match self {
            Credential::AccountKey(key) => Ok(Credential::AccountKey(Credential::check_key(&key)?)),
            Credential::EntraToken(token) => {
                Ok(Credential::EntraToken(Credential::check_token("`entra_token`", &token)?))
            }
            Credential::AccessToken(token) => {
                Ok(Credential::AccessToken(Credential::check_token("`access_token`", &token)?))
            }
        }
    }

    fn check_key(key: &Secret) -> Result<Secret> {
        let key = sendable("`account_key`", key, "copy the primary or secondary key of the account")?;
        if Uuid::try_parse(key.expose()).is_ok() {
            return Err(Error::invalid_argument(
                "`account_key` is a GUID; `account_id` and `account_key` were probably mixed up",
            ));
        }
        if looks_like_token(key.expose()) || has_scheme(key.expose()) {
            return Err(Error::invalid_argument(
                "`account_key` is a token; give it as `entra_token` or `access_token` instead",
            ));
        }
        Ok(key)
    }

    fn check_token(what: &str, token: &Secret) -> Result<Secret> {
        let token = sendable(what, token, "give the complete token from the sign-in")?;
        let text = token.expose();
        if has_scheme(text) {
            return Err(Error::invalid_argument(format!("{what} begins with \"Bearer\"; give what follows it")));
        }
        if !text.contains('.') && text.ends_with('=') {
            return Err(Error::invalid_argument(format!("{what} looks like an account key; give it as `account_key`")));
        }
        Ok(token)
    }

    /// The bearer token of the request to the token service.
    pub(crate) fn bearer(&self, account: &AccountId) -> Secret {
        match self {
            Credential::AccountKey(key) => Secret::new(format!("{}:{}", account.as_str(), key.expose())),
            Credential::EntraToken(token) | Credential::AccessToken(token) => token.clone(),
        }
    }

    /// What was refused, and what to do about it. Follows "failed with 401: " in a message.
    pub(crate) fn refused(&self) -> &'static str {
        match self {
            Credential::AccountKey(_) => {
                "the account key was refused; check that `account_id`, `account_key` and `account_domain` belong \
                 together"
            }
            Credential::EntraToken(_) => {
                "the Microsoft Entra token was refused; it is valid for about an hour, so sign in again, and check \
                 that its scope is https://sts.mixedreality.azure.com/.default and that the account is in that tenant"
            }
            Credential::AccessToken(_) => {
                "the access token was refused; it is valid for a day at most, so get a new one, and check that it is \
                 for this account"
            }
        }
    }
}

const SCHEME: &str = "Bearer ";

fn has_scheme(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// A secret that can be sent in a header. An invalid one is not quoted, because messages end up in logs.
fn sendable(what: &str, secret: &Secret, advice: &str) -> Result<Secret> {
    let text = tidy(what, secret.expose())?;
    if text.is_empty() {
        return Err(Error::invalid_argument(format!("{what} is missing; {advice}")));
    }
    /// Servers limit headers. Real tokens have a few KiB.
    const LONGEST: usize = 64 * 1024;
    let without_scheme = if has_scheme(text) { &text[SCHEME.len()..] } else { text };
    if text.len() > LONGEST {
        let message = format!("{what} has {} bytes; the limit is {LONGEST}; {advice}", text.len());
        return Err(Error::invalid_argument(message));
    }
    if without_scheme.starts_with(['{', '[']) {
        return Err(Error::invalid_argument(format!("{what} is JSON; give only the text of the token in it")));
    }
    if without_scheme.contains(['"', '\'', '`']) {
        return Err(Error::invalid_argument(format!("{what} has quotes in or around it; remove them")));
    }
    if !without_scheme.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid_argument(format!(
            "{what} has characters that are not allowed (spaces, line ends or non-ASCII letters); copy it again"
        )));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let secret = || Secret::new("c2VjcmV0");
        for credential in
            [Credential::AccountKey(secret()), Credential::EntraToken(secret()), Credential::AccessToken(secret())]
        {
            assert!(!format!("{credential:?}").contains("c2VjcmV0"));
        }
    }

    #[test]
    fn a_guid_is_accepted_in_any_common_form() {
        for text in [
            "68321D5A-7978-4CEB-B880-0F49751DAAE9",
            " 68321d5a79784cebb8800f49751daae9\n",
            "{68321d5a-7978-4ceb-b880-0f49751daae9}",
        ] {
            assert_eq!(AccountId::parse(text).unwrap().as_str(), "68321d5a-7978-4ceb-b880-0f49751daae9");
        }
    }

    #[test]
    fn a_long_bad_guid_is_quoted_only_in_part() {
        let error = AccountId::parse(&"x".repeat(10_000_000)).unwrap_err();
        assert!(error.message().contains("is not a GUID"));
        assert!(error.message().len() < 400, "{}", error.message().len());
    }

    #[test]
    fn a_key_given_as_an_id_is_not_shown() {
        let error = AccountId::parse("YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ=").unwrap_err();
        assert!(!error.message().contains("YXJy") && error.message().contains("is not a GUID"), "{error}");
    }

    #[test]
    fn a_credential_that_could_break_a_header_is_refused_and_not_quoted() {
        for credential in [
            Credential::AccountKey("abc\r\nX-Evil: 1".into()),
            Credential::EntraToken("abc\r\nX-Evil: 1".into()),
            Credential::AccessToken("Evil token".into()),
        ] {
            let error = credential.check().unwrap_err();
            assert!(!error.message().contains("Evil") && error.message().contains("copy it again"), "{error}");
        }
    }

    #[test]
    fn a_credential_in_the_wrong_option_is_recognised() {
        for (credential, expected) in [
            (Credential::AccountKey("eyJhbGciOiJIUzI1NiJ9.e30.c2ln".into()), "`account_key` is a token"),
            (Credential::EntraToken("c2VjcmV0a2V5c2VjcmV0a2V5=".into()), "looks like an account key"),
            (Credential::AccessToken("Bearer eyJh.e30.c2ln".into()), "begins with \"Bearer\""),
            (Credential::AccountKey("<your key>".into()), "placeholder"),
            (Credential::AccountKey("bearer abcdef".into()), "`account_key` is a token"),
            (Credential::AccountKey("68321d5a-7978-4ceb-b880-0f49751daae9".into()), "mixed up"),
            (Credential::EntraToken(" ".into()), "`entra_token` is missing"),
            (Credential::default(), "`account_key` is missing"),
            (Credential::AccountKey("\"c2VjcmV0a2V5\"".into()), "quotes"),
            (Credential::AccessToken("'eyJh.e30.c2ln'".into()), "quotes"),
            (Credential::AccessToken("Bearer \"eyJh.e30.c2ln\"".into()), "quotes"),
            (Credential::AccessToken("{\"AccessToken\": \"eyJh.e30.c2ln\"}".into()), "`access_token` is JSON"),
            (Credential::EntraToken(format!("a.b.{}", "x".repeat(64 * 1024)).into()), "65540 bytes"),
        ] {
            let error = credential.check().unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
    }

    #[test]
    fn an_id_and_a_domain_mixed_up_are_recognised() {
        let error = AccountId::parse("westus2.mixedreality.azure.com").unwrap_err();
        assert!(error.message().contains("mixed up"), "{error}");
        assert!(AccountId::parse(" ").unwrap_err().message().contains("missing"));
    }
}
