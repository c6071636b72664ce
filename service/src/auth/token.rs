//! Tokens: JSON Web Tokens signed with HS256 by a key that lives as long as the emulator or, if there is one, its state
//! folder (`docs/service.md`, "Token").
//! There are two kinds, each with its own issuer: access tokens, and stand-ins for Microsoft Entra tokens.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::sync::lock;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const ACCESS_ISSUER: &str = "arr-emulator";
const ENTRA_ISSUER: &str = "arr-emulator/entra";
const AUDIENCE: &str = "https://sts.mixedreality.azure.com";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The account.
    sub: Uuid,
    /// Makes any two tokens differ.
    jti: Uuid,
    /// Unix time in seconds, as are the next two.
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// A new key for an issuer; `None` if the system provides no random numbers.
pub(crate) fn generate_key() -> Option<Vec<u8>> {
    let mut key = vec![0; 32];
    SystemRandom::new().fill(&mut key).ok()?;
    Some(key)
}

/// Issues tokens and recognises its own.
pub(crate) struct TokenIssuer {
    name: &'static str,
    key: hmac::Key,
    /// Its tokens that clients have used, so that each is verified once.
    verified: Mutex<HashMap<String, Validity>>,
}

/// What a token is good for.
#[derive(Clone, Copy)]
struct Validity {
    account: Uuid,
    /// Unix time in seconds.
    expiry: u64,
}

impl TokenIssuer {
    /// An issuer of access tokens.
    pub(crate) fn for_access_tokens(key: &[u8]) -> TokenIssuer {
        TokenIssuer::new(ACCESS_ISSUER, key)
    }

    /// An issuer of stand-ins for Microsoft Entra tokens.
    pub(crate) fn for_entra_tokens(key: &[u8]) -> TokenIssuer {
        TokenIssuer::new(ENTRA_ISSUER, key)
    }

    fn new(name: &'static str, key: &[u8]) -> TokenIssuer {
        TokenIssuer { name, key: hmac::Key::new(hmac::HMAC_SHA256, key), verified: Mutex::default() }
    }

    /// A token for this account, valid from `unix_now` on.
    pub(crate) fn issue(&self, account: Uuid, unix_now: Duration, lifetime: Duration) -> String {
        let issued_at = unix_now.as_secs();
        let claims = serde_json::json!(Claims {
            iss: self.name.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account,
            jti: Uuid::new_v4(),
            iat: issued_at,
            nbf: issued_at,
            exp: rounded_up(unix_now.saturating_add(lifetime)),
        });
        let signed = format!("{}.{}", encode(HEADER.as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", encode(signature.as_ref()))
    }

    /// The account of a token that this issuer made and that has not expired.
    pub(crate) fn account_of(&self, token: &str, unix_now: Duration) -> Option<Uuid> {
        let known = lock(&self.verified).get(token).copied();
        let Validity { account, expiry } = known.or_else(|| self.verify(token))?;
        (unix_now < Duration::from_secs(expiry)).then_some(account)
    }

    fn verify(&self, token: &str) -> Option<Validity> {
        /// A client uses a token for hours, and each is at most a few hundred bytes.
        const MOST_VERIFIED: usize = 1000;
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let (_header, claims) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        if claims.iss != self.name {
            return None;
        }
        let validity = Validity { account: claims.sub, expiry: claims.exp };
        let mut verified = lock(&self.verified);
        if verified.len() >= MOST_VERIFIED {
            verified.clear();
        }
        verified.insert(token.to_owned(), validity);
        Some(validity)
    }
}

/// Whether a text is a JSON Web Token of any issuer that has not expired. Its signature is not verified.
pub(crate) fn is_unexpired_jwt(token: &str, unix_now: Duration) -> bool {
    let parts: Vec<_> = token.split('.').collect();
    let [_header, claims, _signature] = parts[..] else {
        return false;
    };
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok();
    let claims: Option<Value> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
    let expiry = claims.and_then(|claims| claims.get("exp")?.as_u64());
    expiry.is_some_and(|expiry| unix_now < Duration::from_secs(expiry))
}

/// Rounds up to a whole second, so that a lifetime below a second is not over at once.
fn rounded_up(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn issuer() -> TokenIssuer {
        TokenIssuer::for_access_tokens(&generate_key().expect("random numbers"))
    }

    #[test]
    fn a_token_is_valid_until_it_expires() {
        let (issuer, account) = (issuer(), Uuid::new_v4());
        let token = issuer.issue(account, NOW, MINUTE);
        let expiry = NOW + Duration::from_secs(60);
        assert_eq!(issuer.account_of(&token, NOW), Some(account));
        assert_eq!(issuer.account_of(&token, expiry - Duration::from_nanos(1)), Some(account));
        assert_eq!(issuer.account_of(&token, expiry), None);
    }

    #[test]
    fn a_token_is_a_jwt_with_numeric_times() {
        let account = Uuid::new_v4();
        let token = issuer().issue(account, NOW + Duration::from_millis(1), MINUTE);
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, _signature] = parts[..] else {
            panic!("three parts, not {}", parts.len());
        };
        assert_eq!(URL_SAFE_NO_PAD.decode(header).expect("base64url"), HEADER.as_bytes());
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims["sub"], account.to_string());
        assert_eq!(claims["iat"], 1_000_000);
        assert_eq!(claims["exp"], 1_000_061);
    }

    #[test]
    fn two_tokens_differ() {
        let (issuer, account) = (issuer(), Uuid::new_v4());
        assert_ne!(issuer.issue(account, NOW, MINUTE), issuer.issue(account, NOW, MINUTE));
    }

    #[test]
    fn any_number_of_tokens_is_verified_in_bounded_memory() {
        let (issuer, account) = (issuer(), Uuid::new_v4());
        for _ in 0..2500 {
            let token = issuer.issue(account, NOW, MINUTE);
            assert_eq!(
                [NOW, NOW, NOW + MINUTE].map(|now| issuer.account_of(&token, now)),
                [Some(account), Some(account), None]
            );
        }
        assert!(lock(&issuer.verified).len() <= 1000);
    }

    #[test]
    fn changed_and_foreign_tokens_are_refused() {
        let (issuer, account) = (issuer(), Uuid::new_v4());
        let token = issuer.issue(account, NOW, MINUTE);
        assert_eq!(issuer.account_of(&token, NOW), Some(account));
        let foreign = self::issuer().issue(account, NOW, MINUTE);
        let changed = token.replacen("eyJ", "eyK", 1);
        let unsigned = &token[..=token.rfind('.').expect("a signature")];
        for wrong in [&foreign, &changed, unsigned, "", ".", "..", "a.b.c", "é.é.é"] {
            assert_eq!(issuer.account_of(wrong, NOW), None, "{wrong}");
        }
    }

    #[test]
    fn the_two_kinds_of_token_are_not_interchangeable() {
        let key = generate_key().expect("random numbers");
        let (access, entra) = (TokenIssuer::for_access_tokens(&key), TokenIssuer::for_entra_tokens(&key));
        let account = Uuid::new_v4();
        assert_eq!(access.account_of(&entra.issue(account, NOW, MINUTE), NOW), None);
        assert_eq!(entra.account_of(&access.issue(account, NOW, MINUTE), NOW), None);
        assert_eq!(entra.account_of(&entra.issue(account, NOW, MINUTE), NOW), Some(account));
    }

    #[test]
    fn an_unverified_token_needs_only_a_future_expiry() {
        let token = |claims: &str| format!("x.{}.y", encode(claims.as_bytes()));
        assert!(is_unexpired_jwt(&token(r#"{"exp":1000001}"#), NOW));
        assert!(is_unexpired_jwt(&format!("{}==.", &token(r#"{"exp":1000001}"#).replace(".y", "")), NOW));
        for wrong in [
            token(r#"{"exp":1000000}"#),
            token(r#"{"exp":-1}"#),
            token("{}"),
            token("[]"),
            token("x"),
            "x.y".to_owned(),
            "a:b".to_owned(),
            String::new(),
            format!("{}.z", token(r#"{"exp":1000001}"#)),
        ] {
            assert!(!is_unexpired_jwt(&wrong, NOW), "{wrong}");
        }
    }
}
