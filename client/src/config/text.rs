//! Cleanup of user input: pasted from web pages, read from files, or still the sample's placeholder.

use crate::error::{Error, Result};

/// Whether a character is invisible, or can make one text look like another: controls, line separators, direction
/// marks, zero-width characters, tags. Covers Unicode's `Default_Ignorable_Code_Point` and similar characters.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}')
        || matches!(c, '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{13440}' | '\u{1bca0}'..='\u{1bca3}')
        || matches!(c, '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Quotes a text of the service for an error message, where backticks are reserved for option names.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('`', "'"))
}

/// Trims white space, byte order marks and other invisible characters, which come with copied text. Rejects a
/// placeholder that was not replaced.
pub(crate) fn tidy<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    let tidy = text.trim_matches(|c: char| c.is_whitespace() || is_hidden(c));
    if tidy.contains('<') && tidy.contains('>') {
        return Err(Error::invalid_argument(format!(
            "{what} is still a placeholder in angle brackets; replace it with your own value"
        )));
    }
    Ok(tidy)
}

/// The start of a user's text, for a message. Long or odd input must not flood a log. Users paste keys in the wrong
/// place, so anything that looks like a key (in base64, keys end in `=`), a token, or a URL with a password is not
/// shown.
pub(crate) fn excerpt(text: &str) -> String {
    const LIMIT: usize = 64;
    if text.contains(['=', '@']) || text.contains("eyJ") || text.split(['.', '-', '_', ':', ' ']).any(looks_like_key) {
        return "(not shown, it may be a secret)".to_owned();
    }
    let mut shown: String = text.chars().take(LIMIT).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

/// Removes this secret, the part of it after a colon (an account's key), and anything that looks like a JSON Web Token
/// from text received from outside. Redacts the whole text if it repeats part of the secret, or an escaped form of it.
pub(crate) fn without_secrets(text: &str, secret: &str) -> String {
    const GONE: &str = "(redacted)";
    /// The header of a token alone has about 20 characters and is not secret. A correlation vector (22 base64
    /// characters and a number) must not be mistaken for a token.
    const SHORTEST_TOKEN: usize = 28;
    let key = secret.split_once(':').map_or("", |(_, key)| key);
    let mut text = text.to_owned();
    if repeats(&text, secret) {
        for secret in [secret, key].into_iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, GONE);
        }
        if repeats(&text, secret) {
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

/// Whether a text repeats 15 or more consecutive characters of a key or token, even escaped, folded, or mixed with
/// hidden characters. An account's id and a token's header are not secret.
fn repeats(text: &str, secret: &str) -> bool {
    /// The secret is searched for in aligned parts of this length. Any 15 characters of it contain a whole part.
    const PART: usize = 8;
    /// Shorter secrets would match everywhere.
    const SHORTEST: usize = 4;
    let secret = match secret.split_once(':') {
        Some((_, key)) => key,
        None if looks_like_token(secret) => secret.split_once('.').map_or(secret, |(_, rest)| rest),
        None => secret,
    };
    let mut text = unescaped(text);
    text.retain(|c| !c.is_whitespace() && !is_hidden(c));
    if secret.len() < PART {
        return secret.len() >= SHORTEST && text.contains(secret);
    }
    let mut here: Vec<&[u8]> = text.as_bytes().windows(PART).collect();
    here.sort_unstable();
    secret.as_bytes().chunks_exact(PART).any(|part| here.binary_search(&part).is_ok())
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

/// Decodes an escape at the start of a text: its character, if any, and its length.
fn unescape(text: &str) -> Option<(Option<char>, usize)> {
    let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).ok().map(char::from_u32);
    if let Some(digits) = text.strip_prefix("\\u").and_then(|rest| rest.get(..4)) {
        return Some((hexadecimal(digits)?, 6));
    }
    if let Some(digits) = text.strip_prefix('%').and_then(|rest| rest.get(..2)) {
        return Some((hexadecimal(digits)?, 3));
    }
    if let Some(rest) = text.strip_prefix("&#") {
        /// More than any character needs. Without a limit, many unfinished escapes would take quadratic time.
        const LONGEST: usize = 16;
        let digits = &rest[..rest.bytes().take(LONGEST).position(|byte| byte == b';')?];
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
        for text in
            ["eastus", " eastus\r\n", "\u{feff}eastus", "\u{200b}eastus\u{a0}", "\teastus", "\u{200e}eastus\u{202c}"]
        {
            assert_eq!(tidy("region", text).unwrap(), "eastus", "{text:?}");
        }
    }

    #[test]
    fn an_unfilled_placeholder_is_named() {
        for text in ["<account-id>", " <your account key> ", "https://remoterendering.<region>.mixedreality.azure.com"]
        {
            let error = tidy("`account_id`", text).unwrap_err();
            assert!(error.message().contains("`account_id`") && error.message().contains("placeholder"), "{error}");
        }
        assert!(tidy("x", "a < b").is_ok());
    }

    #[test]
    fn tokens_are_redacted_and_correlation_vectors_are_not() {
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";
        assert_eq!(without_secrets(&format!("{token} and \"{token}\""), ""), "(redacted) and \"(redacted)\"");
        assert_eq!(without_secrets(&format!("eyJ, {token}"), ""), "eyJ, (redacted)");
        for vector in ["eyJ4k2v9TUuQm0T1LhKx/w.0", "eyJ4k2v9TUuQm0T1LhKx/w.12", "k2v9TUuQm0T1LhKx/weyJA.0"] {
            assert_eq!(without_secrets(vector, ""), vector);
        }
    }

    #[test]
    fn a_text_that_repeats_part_of_a_secret_is_redacted() {
        let key = "Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx5";
        let token = format!("eyJhbGciOiJub25lIn0.{key}.c2lnbmF0dXJlc2lnbmF0dXJl");
        let folded: String = key.chars().flat_map(|c| [c, '\u{200b}']).collect();
        let spaced = format!("{}\r\n {}", &key[..20], &key[20..]);
        for part in [&key[..20], &key[3..18], &key[key.len() - 15..], &folded, &spaced, &key.replace('Z', "%5a")] {
            for secret in [&format!("an-account:{key}"), key, &token] {
                let text = format!("the key '{part}...' is not valid");
                assert_eq!(without_secrets(&text, secret), "(redacted)", "{part}");
            }
        }
        assert_eq!(without_secrets(&format!("not {key}!"), key), "not (redacted)!");
        for harmless in ["the key of an-account is not valid", &key[..6], "eyJhbGciOiJub25lIn0"] {
            assert_eq!(without_secrets(harmless, &format!("an-account:{key}")), harmless);
            assert_eq!(without_secrets(harmless, &token), harmless);
        }
    }

    #[test]
    fn escapes_are_decoded_up_to_a_maximum_length() {
        assert_eq!(unescaped(r"\u0061%62&#99;&#x64;\/"), "abcd/");
        let open = "&#".repeat(2) + &"0".repeat(20) + "97;";
        assert_eq!(unescaped(&open), open);
    }

    #[test]
    fn possible_secrets_are_not_shown() {
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
        assert_eq!(excerpt("a\nb\u{202e}c"), "a\u{fffd}b\u{fffd}c");
    }
}
