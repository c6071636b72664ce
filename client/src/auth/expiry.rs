//! The expiry of a JSON Web Token.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::time::Duration;

/// The token's `exp`, as time since 1970.
///
/// Real tokens deviate from the standard: `exp` may be a number or a string, the payload may use either base64
/// alphabet, with or without padding, the signature may be empty, and the header may be unreadable.
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
    let claims: serde_json::Value = serde_json::from_slice(&payload).map_err(|_| "its payload is not JSON")?;
    let exp = claims.get("exp").ok_or("it does not say when it expires")?;
    let seconds = match exp {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        // Fractions are legal in a JSON Web Token; whole seconds suffice.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        number => number.as_u64().or_else(|| number.as_f64().map(|seconds| seconds as u64)),
    };
    seconds.map(Duration::from_secs).ok_or("its expiry is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_is_read_from_every_kind_of_token() {
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
            (&jwt(&url_safe.encode(r#"{"exp":null}"#)), "not a number"),
        ] {
            assert!(expiry(token).unwrap_err().contains(problem), "{token}");
        }
    }

    /// The test vectors of an official SDK, if available. That SDK decodes only the standard alphabet; ours accepts
    /// both.
    #[test]
    fn the_expiry_is_read_from_an_official_sdks_vectors() {
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
