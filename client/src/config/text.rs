//! Cleanup of user input: pasted from web pages, read from files, or still the sample's placeholder.

use crate::error::{Error, Result};
use zeroize::Zeroizing;

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
/// from text received from outside. Redacts the whole text if it repeats part of the secret in another form.
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

/// Whether a text repeats 15 or more consecutive letters and digits of a key or token: in any letter case, mixed with
/// other characters, escaped, or in hexadecimal or base64. An account's id and a token's header are not secret.
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
    let secret = Zeroizing::new(folded(secret.bytes()).collect::<Vec<_>>());
    if secret.len() < SHORTEST {
        return false;
    }
    let length = PART.min(secret.len());
    let readings = readings(text);
    let mut here: Vec<&[u8]> = readings.windows(length).collect();
    here.sort_unstable();
    secret.chunks_exact(length).any(|part| here.binary_search(&part).is_ok())
}

/// A text's letters and digits, folded, and those of the text that it may encode, from each place where that may begin.
fn readings(text: &str) -> Zeroizing<Vec<u8>> {
    /// Separates the readings, and is in none of them.
    const NEXT: u8 = 0;
    let text = Zeroizing::new(unescaped(text));
    let mut all = Zeroizing::new(folded(text.bytes()).collect::<Vec<_>>());
    let hexadecimal: Vec<u8> = text.replace("0x", "").bytes().filter_map(hexadecimal_digit).collect();
    let base64: Vec<u8> = text.bytes().filter_map(base64_digit).collect();
    for (bits, digits) in [(4, Zeroizing::new(hexadecimal)), (6, Zeroizing::new(base64))] {
        // Three bytes, in whole digits of either encoding.
        let group = 24 / bits;
        for from in 0..group.min(digits.len()) {
            all.push(NEXT);
            for group in digits[from..].chunks_exact(group) {
                let value = group.iter().fold(0_u32, |value, digit| value << bits | u32::from(*digit));
                all.extend(folded(value.to_be_bytes()[1..].iter().copied()));
            }
        }
    }
    all
}

/// The letters and digits, in lower case. The rest differs between encodings, or separates characters.
fn folded(text: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    text.filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}

fn hexadecimal_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

/// Of either alphabet.
fn base64_digit(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
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
    for start in ["%", "\\x"] {
        if let Some(digits) = text.strip_prefix(start).and_then(|rest| rest.get(..2)) {
            return Some((hexadecimal(digits)?, start.len() + 2));
        }
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
    fn a_secret_in_another_encoding_is_redacted() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let hex = |text: &str, between: &str| {
            text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
        };
        let spread = |text: &str, between: &str| text.chars().map(String::from).collect::<Vec<_>>().join(between);
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let key = "qX7vB2nM9+LpR4tY6wZs8dFgHjK3c/b5N1xQaEoUiTg=";
        let token =
            format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(r#"{"exp":1,"name":"x~y?"}"#));
        for secret in [&format!("an-account:{key}"), key, &token] {
            let shown = secret.rsplit(':').next().unwrap();
            for echo in [
                shown.to_uppercase(),
                shown.to_lowercase(),
                shown.replace('+', "-").replace('/', "_"),
                spread(shown, ","),
                spread(shown, "\" + \""),
                hex(shown, ""),
                hex(shown, " ").to_uppercase(),
                format!("0x{}", hex(shown, ", 0x")),
                format!("\\x{}", hex(shown, "\\x")),
                STANDARD.encode(utf16(shown)),
                String::from_utf8(utf16(shown)).unwrap(),
            ]
            .into_iter()
            .chain(["", "a", "Bearer "].into_iter().flat_map(|before| {
                let text = format!("{before}{shown}");
                [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text), spread(&STANDARD.encode(&text), "\r\n")]
            })) {
                for text in [echo.clone(), format!("wrong credential: \"{echo}\"")] {
                    let safe = without_secrets(&text, secret);
                    assert!(safe.contains("(redacted)") && safe.len() <= 40, "{text}: {safe}");
                }
            }
        }
        let harmless = "request 0x9f86d081884c7d65 of aHR0cHM6Ly9leGFtcGxlLmNvbS8= failed at 12:34:56";
        assert_eq!(without_secrets(harmless, key), harmless);
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
