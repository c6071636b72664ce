//! Cleanup of user input: pasted from web pages, read from files, or still the sample's placeholder.

use crate::error::{Error, Result};

/// Trims what copying adds: white space, byte order marks and zero-width characters. Rejects a placeholder that was not
/// replaced.
pub(crate) fn tidy<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    let tidy = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}'));
    if tidy.contains('<') && tidy.contains('>') {
        return Err(Error::invalid_argument(format!(
            "{what} is still a placeholder in angle brackets; put your own value in its place"
        )));
    }
    Ok(tidy)
}

/// The start of a user's text, for a message. Long or odd input must not flood a log. Users easily paste a key in the
/// wrong place, so anything that looks like a key (in base64, keys end in `=`), a token, or a URL with a password is
/// not shown at all.
pub(crate) fn excerpt(text: &str) -> String {
    const LIMIT: usize = 64;
    if text.contains(['=', '@']) || text.contains("eyJ") || text.split(['.', '-', '_', ':', ' ']).any(looks_like_key) {
        return "(not shown, it may be a secret)".to_owned();
    }
    let mut shown: String = text.chars().take(LIMIT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

/// Removes this secret, the part of it behind a colon (an account's key), and anything that looks like a JSON Web Token
/// from text received from outside.
pub(crate) fn without_secrets(text: &str, secret: &str) -> String {
    const GONE: &str = "(redacted)";
    /// Shorter secrets would match everywhere.
    const SHORTEST: usize = 4;
    /// The header of a token alone has about 20 characters and is not secret. A correlation vector (22 base64
    /// characters and a number) must not be mistaken for a token.
    const SHORTEST_TOKEN: usize = 28;
    let key = secret.split_once(':').map_or("", |(_, key)| key);
    let mut text = text.to_owned();
    for secret in [secret, key].into_iter().filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, GONE);
        if unescaped(&text).contains(secret) {
            return GONE.to_owned();
        }
    }
    let mut from = 0;
    while let Some(start) = text[from..].find("eyJ").map(|place| from + place) {
        let end = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "._-+/=".contains(c)));
        let end = end.map_or(text.len(), |length| start + length);
        if end - start < SHORTEST_TOKEN {
            from = end;
        } else {
            text.replace_range(start..end, GONE);
            from = start + GONE.len();
        }
    }
    text
}

/// Decodes the escapes of JSON, HTML and URLs, including nested ones.
fn unescaped(text: &str) -> String {
    const DEPTH: usize = 3;
    let mut text = text.to_owned();
    for _ in 0..DEPTH {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(place) = rest.find(['\\', '%', '&']) {
            plain.push_str(&rest[..place]);
            rest = &rest[place..];
            let (character, length) = unescape(rest).unwrap_or((rest.chars().next(), 1));
            plain.extend(character);
            rest = &rest[length..];
        }
        plain.push_str(rest);
        if plain == text {
            break;
        }
        text = plain;
    }
    text
}

/// The character that an escape at the start of a text stands for, and the escape's length.
fn unescape(text: &str) -> Option<(Option<char>, usize)> {
    let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).ok().map(char::from_u32);
    if let Some(digits) = text.strip_prefix("\\u").and_then(|rest| rest.get(..4)) {
        return Some((hexadecimal(digits)?, 6));
    }
    if let Some(digits) = text.strip_prefix('%').and_then(|rest| rest.get(..2)) {
        return Some((hexadecimal(digits)?, 3));
    }
    if let Some(rest) = text.strip_prefix("&#") {
        let digits = rest.split_once(';')?.0;
        let character = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => hexadecimal(digits)?,
            None => digits.parse().ok().map(char::from_u32)?,
        };
        return Some((character, digits.len() + 3));
    }
    text.strip_prefix('\\').map(|_| (None, 1))
}

/// Whether a word may be base64 data: long, and not just letters or hexadecimal digits.
fn looks_like_key(word: &str) -> bool {
    let base64 = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    let mixed = word.bytes().any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase());
    word.len() >= 20 && base64 && mixed
}

/// Whether a text looks like a JSON Web Token. Its header is JSON, which starts like this in base64.
pub(crate) fn looks_like_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_invisible_characters_are_trimmed() {
        for text in ["eastus", " eastus\r\n", "\u{feff}eastus", "\u{200b}eastus\u{a0}", "\teastus"] {
            assert_eq!(tidy("region", text).unwrap(), "eastus", "{text:?}");
        }
    }

    #[test]
    fn an_unfilled_placeholder_is_named() {
        for text in ["<account-id>", " <your account key> ", "https://remoterendering.<region>.mixedreality.azure.com"]
        {
            let error = tidy("account id", text).unwrap_err();
            assert!(error.message().contains("account id") && error.message().contains("placeholder"), "{error}");
        }
        assert!(tidy("x", "a < b").is_ok());
    }

    #[test]
    fn what_looks_like_a_token_goes_and_a_correlation_vector_stays() {
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";
        assert_eq!(without_secrets(&format!("{token} and \"{token}\""), ""), "(redacted) and \"(redacted)\"");
        assert_eq!(without_secrets(&format!("eyJ, {token}"), ""), "eyJ, (redacted)");
        for vector in ["eyJ4k2v9TUuQm0T1LhKx/w.0", "eyJ4k2v9TUuQm0T1LhKx/w.12", "k2v9TUuQm0T1LhKx/weyJA.0"] {
            assert_eq!(without_secrets(vector, ""), vector);
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for secret in [
            "c2VjcmV0=",
            "user:password@host",
            "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ",
        ] {
            assert!(excerpt(secret).contains("not shown"), "{secret}");
        }
        assert!(excerpt(&"x".repeat(10_000)).chars().count() <= 65);
        assert_eq!(excerpt("a\nb"), "a\u{fffd}b");
    }
}
