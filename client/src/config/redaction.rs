//! Removes secrets from texts of others, which may repeat what they were sent.

use super::credential::Secret;
use super::text::{is_hidden, looks_like_token};
use std::borrow::Cow;

/// A secret is searched for in aligned parts of this length. Any 15 characters of it contain a whole part.
const PART: usize = 8;

/// A secret, prepared for searching many texts for it.
pub(super) struct Filter {
    /// Where its confidential part begins.
    from: usize,
    /// Bits of the hashes of that part's own parts.
    bits: [u64; 64],
}

impl Filter {
    pub(super) fn of(secret: &str) -> Filter {
        let confidential = confidential(secret);
        let mut bits = [0; 64];
        for part in confidential.as_bytes().chunks_exact(PART) {
            let (word, bit) = Filter::place(part);
            bits[word] |= bit;
        }
        Filter { from: secret.len() - confidential.len(), bits }
    }

    /// Whether the secret may have this part.
    fn may_have(&self, part: &[u8]) -> bool {
        let (word, bit) = Filter::place(part);
        self.bits[word] & bit != 0
    }

    fn place(part: &[u8]) -> (usize, u64) {
        let number = part.try_into().map_or(0, u64::from_le_bytes);
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

/// An account's id and a token's header are not secret.
fn confidential(secret: &str) -> &str {
    match secret.split_once(':') {
        Some((_, key)) => key,
        None if looks_like_token(secret) => secret.split_once('.').map_or(secret, |(_, rest)| rest),
        None => secret,
    }
}

/// Removes this secret, the part of it after a colon (an account's key), and anything that looks like a JSON Web Token
/// from text received from outside. Redacts the whole text if it repeats part of the secret, or an escaped form of it.
pub(crate) fn without_secrets<'a>(text: &'a str, secret: &Secret) -> Cow<'a, str> {
    const GONE: &str = "(redacted)";
    /// The header of a token alone has about 20 characters and is not secret. A correlation vector (22 base64
    /// characters and a number) must not be mistaken for a token.
    const SHORTEST_TOKEN: usize = 28;
    let mut text = Cow::Borrowed(text);
    if repeats(&text, secret) {
        let whole = secret.expose();
        let key = whole.split_once(':').map_or("", |(_, key)| key);
        for secret in [whole, key].into_iter().filter(|secret| !secret.is_empty()) {
            text = Cow::Owned(text.replace(secret, GONE));
        }
        if repeats(&text, secret) {
            return Cow::Borrowed(GONE);
        }
    }
    let mut from = 0;
    while let Some(start) = text.as_bytes()[from..].windows(3).position(|it| it == b"eyJ").map(|place| from + place) {
        let end = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "._-+/=".contains(c)));
        let end = end.map_or(text.len(), |length| start + length);
        if end - start < SHORTEST_TOKEN {
            from = end;
        } else {
            text.to_mut().replace_range(start..end, GONE);
            from = start + GONE.len();
        }
    }
    text
}

/// Whether a text repeats 15 or more consecutive characters of a key or token, even escaped, folded, or mixed with
/// hidden characters.
fn repeats(text: &str, secret: &Secret) -> bool {
    /// Shorter secrets would match everywhere.
    const SHORTEST: usize = 4;
    let filter = secret.filter();
    let confidential = &secret.expose()[filter.from..];
    let text = plain(text);
    if confidential.len() < PART {
        return confidential.len() >= SHORTEST && text.contains(confidential);
    }
    let mut candidates = text.as_bytes().windows(PART).filter(|here| filter.may_have(here));
    candidates.any(|here| confidential.as_bytes().chunks_exact(PART).any(|part| part == here))
}

/// The text without escapes, white space and hidden characters.
fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'%' | b'&')) {
        return Cow::Borrowed(text);
    }
    let mut text = unescaped(text);
    text.retain(|c| !c.is_whitespace() && !is_hidden(c));
    Cow::Owned(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, secret: &str) -> String {
        without_secrets(text, &Secret::new(secret)).into_owned()
    }

    #[test]
    fn tokens_are_redacted_and_correlation_vectors_are_not() {
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";
        assert_eq!(without(&format!("{token} and \"{token}\""), ""), "(redacted) and \"(redacted)\"");
        assert_eq!(without(&format!("eyJ, {token}"), ""), "eyJ, (redacted)");
        for vector in ["eyJ4k2v9TUuQm0T1LhKx/w.0", "eyJ4k2v9TUuQm0T1LhKx/w.12", "k2v9TUuQm0T1LhKx/weyJA.0"] {
            assert_eq!(without(vector, ""), vector);
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
                assert_eq!(without(&text, secret), "(redacted)", "{part}");
            }
        }
        assert_eq!(without(&format!("not {key}!"), key), "not (redacted)!");
        for harmless in ["the key of an-account is not valid", &key[..6], "eyJhbGciOiJub25lIn0"] {
            assert_eq!(without(harmless, &format!("an-account:{key}")), harmless);
            assert_eq!(without(harmless, &token), harmless);
        }
    }

    #[test]
    fn escapes_are_decoded_up_to_a_maximum_length() {
        assert_eq!(unescaped(r"\u0061%62&#99;&#x64;\/"), "abcd/");
        let open = "&#".repeat(2) + &"0".repeat(20) + "97;";
        assert_eq!(unescaped(&open), open);
    }

    #[test]
    fn every_place_of_a_long_secret_is_found_in_a_long_text() {
        let secret: String = (0..2_000_u32).map(|n| char::from(b'a' + (n * n % 23) as u8)).collect();
        let noise = "0123456789".repeat(300);
        assert_eq!(without(&noise, &secret), noise);
        for start in (0..1_980).step_by(7) {
            assert_eq!(without(&format!("{noise}{}{noise}", &secret[start..start + 15]), &secret), "(redacted)");
        }
    }
}
