//! When a JSON Web Token expires.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::time::Duration;

/// As time since 1970: its `exp`.
///
/// Real ones differ from the standard: `exp` is a number or a text, the payload is in either base64 alphabet, padded or
/// not, the signature may be empty, and the header need not be readable.
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
        // A fraction is legal in a JSON Web Token; whole seconds are enough.
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
        // The filler makes the two alphabets differ.
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

    /// The vectors of an official SDK, where they are at hand. It decodes the standard alphabet only; ours takes both.
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
