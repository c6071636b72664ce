//! The expiry of a JSON Web Token.

use crate::wire::Members;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;
use std::hint::black_box;
use std::time::Duration;

/// The token's `exp`, as time since 1970.
///
/// Real tokens deviate from the standard: `exp` may be a number or a string, the payload may use either base64
/// alphabet, with or without padding, the signature may be empty, and the header may be unreadable. Some count
/// milliseconds.
pub(super) fn expiry(token: &str) -> std::result::Result<Duration, &'static str> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

    let mut parts = token.split('.');
    let (Some(_header), Some(payload), Some(_signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it does not have three parts");
    };
    if payload.is_empty() {
        return Err("its payload is empty");
    }
    let payload = payload.replace('+', "-").replace('/', "_");
    let payload = URL_SAFE.decode(payload).map_err(|_| "its payload is not base64")?;
    let payload = String::from_utf8_lossy(&payload);
    let claims = Members::read(&payload).map_err(|_| "its payload is not JSON")?;
    let malformed = "its expiry is not a number";
    // Not parsed as a `Value`: that recurses, so deep nesting could exhaust the stack.
    let exp = claims.get::<&RawValue>("exp").map_err(|_| malformed)?.ok_or("it does not say when it expires")?;
    let number = exp.get().trim_matches(|c: char| c == '"' || c.is_whitespace());
    // Fractions are legal in a JSON Web Token; whole seconds suffice. The check comes before the cast, and the compiler
    // must not swap them: a host may have made an invalid conversion trap.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number is in range")]
    let whole = |number: f64| (0.0..1e18).contains(&number).then(|| black_box(number) as u64);
    let seconds = number.parse().ok().or_else(|| number.parse().ok().and_then(whole));
    /// As seconds, the year 5138; as milliseconds, 1973.
    const NO_SECONDS: u64 = 100_000_000_000;
    let mut seconds = seconds.ok_or(malformed)?;
    // Some issuers write milliseconds, as JavaScript's clock does, or smaller units.
    while seconds >= NO_SECONDS {
        seconds /= 1_000;
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_is_read_from_every_form_of_token() {
        let jwt = |payload: &str| format!("x.{payload}.");
        let standard = base64::engine::general_purpose::STANDARD;
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        // The padding text makes the two alphabets differ.
        let claims = r#"{"n":"~~~???","exp":2147483647}"#;
        assert_ne!(standard.encode(claims).trim_end_matches('='), url_safe.encode(claims));
        for payload in [
            standard.encode(claims),
            url_safe.encode(claims),
            url_safe.encode(r#"{"exp":"2147483647"}"#),
            url_safe.encode(r#"{"exp":2147483647.9}"#),
            url_safe.encode(r#"{"exp":2147483647999}"#),
            url_safe.encode(r#"{"exp":"2147483647999999"}"#),
        ] {
            assert_eq!(expiry(&jwt(&payload)), Ok(Duration::from_secs(2_147_483_647)), "{payload}");
        }
        for (token, problem) in [
            ("", "three parts"),
            ("a.b", "three parts"),
            ("a..", "empty"),
            ("a.!!!.", "base64"),
            (&jwt(&url_safe.encode("text")), "JSON"),
            (&jwt(&url_safe.encode("{}")), "when it expires"),
            (&jwt(&url_safe.encode(r#"{"exp":1e400}"#)), "not a number"),
            (&jwt(&url_safe.encode(r#"{"exp":1e300}"#)), "not a number"),
            (&jwt(&url_safe.encode(r#"{"exp":-1}"#)), "not a number"),
            (&jwt(&url_safe.encode(r#"{"exp":"inf"}"#)), "not a number"),
            (&jwt(&url_safe.encode(format!(r#"{{"exp":{}0{}}}"#, "[".repeat(100), "]".repeat(100)))), "not a number"),
        ] {
            assert!(expiry(token).unwrap_err().contains(problem), "{token}");
        }
    }

    /// The test vectors of an official SDK, if available. That SDK decodes only the standard alphabet; ours accepts
    /// both.
    #[test]
    fn the_expiry_matches_an_official_sdks_vectors() {
        let Some(folder) = std::env::var_os("ARR_RECORDINGS") else {
            println!("skipped: ARR_RECORDINGS is not set");
            return;
        };
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join("jwt-vectors.json")).unwrap();
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let read = expiry(case["jwt"].as_str().unwrap()).ok().map(|expires| expires.as_secs());
            assert_eq!(read, case["exp"].as_u64(), "{}", case["name"]);
        }
    }
}
