//! Removes secrets from texts of others, which may repeat what they were sent.

use super::credential::Secret;
use super::text::looks_like_token;
use std::borrow::Cow;

/// A secret's letters and digits are searched for in aligned parts of this length. Any 15 of them contain a whole part.
const PART: usize = 8;

/// A secret, prepared for searching many texts for it.
pub(super) struct Filter {
    /// The length of a part; 0 if the secret is too short to be searched for.
    part: usize,
    /// Bits of the hashes of the parts of what is confidential.
    bits: [u64; 64],
}

impl Filter {
    pub(super) fn of(secret: &str) -> Filter {
        /// Shorter secrets would match everywhere.
        const SHORTEST: usize = 4;
        let letters = confidential(secret).bytes().filter(u8::is_ascii_alphanumeric).count();
        let mut filter = Filter { part: if letters < SHORTEST { 0 } else { PART.min(letters) }, bits: [0; 64] };
        for part in parts(secret, filter.part) {
            let (word, bit) = Filter::place(part);
            filter.bits[word] |= bit;
        }
        filter
    }

    /// Whether the secret may have this part.
    fn may_have(&self, part: u64) -> bool {
        let (word, bit) = Filter::place(part);
        self.bits[word] & bit != 0
    }

    fn place(part: u64) -> (usize, u64) {
        let hash = part.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
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

/// The last letters and digits of a text, at most 8, in lower case, packed into a number. Other characters are skipped,
/// because they differ between encodings or are separators.
#[derive(Clone, Copy)]
struct Window {
    mask: u64,
    latest: u64,
    /// How many more characters fill the window.
    missing: usize,
}

impl Window {
    fn of(part: usize) -> Window {
        Window { mask: u64::MAX >> (64 - 8 * part), latest: 0, missing: part }
    }

    /// Adds a byte. Returns the window if the byte is a letter or digit and the window is full.
    fn add(&mut self, byte: u8) -> Option<u64> {
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        self.latest = (self.latest << 8 | u64::from(byte.to_ascii_lowercase())) & self.mask;
        self.missing = self.missing.saturating_sub(1);
        (self.missing == 0).then_some(self.latest)
    }
}

/// Every run of `part` consecutive letters and digits of the text, in lower case.
fn windows(text: &str, part: usize) -> impl Iterator<Item = u64> {
    let mut window = Window::of(part);
    text.bytes().filter_map(move |byte| window.add(byte))
}

/// The parts of what is confidential in a secret.
fn parts(secret: &str, part: usize) -> impl Iterator<Item = u64> {
    (part > 0).then(|| windows(confidential(secret), part).step_by(part)).into_iter().flatten()
}

/// Removes this secret, the part of it after a colon (an account's key), and anything that looks like a JSON Web Token or
/// the signature of a model's shared access URL (SAS) from text received from outside. Redacts the whole text if it
/// repeats part of the secret in another form.
pub(crate) fn without_secrets<'a>(text: &'a str, secret: &Secret) -> Cow<'a, str> {
    const GONE: &str = "(redacted)";
    /// The header of a token alone has about 20 characters and is not secret. A correlation vector (22 base64
    /// characters and a number) must not be mistaken for a token.
    const SHORTEST_TOKEN: usize = 28;
    /// A signature itself has 44 characters, or more if they are escaped.
    const SHORTEST_SIGNATURE: usize = 28;
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
    for (mark, shortest) in [("eyJ", SHORTEST_TOKEN), ("sig=", SHORTEST_SIGNATURE)] {
        let mut from = 0;
        while let Some(start) = text[from..].find(mark).map(|place| from + place) {
            let end = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "._-+/=%".contains(c)));
            let end = end.map_or(text.len(), |length| start + length);
            if end - start < shortest {
                from = end;
            } else {
                text.to_mut().replace_range(start..end, GONE);
                from = start + GONE.len();
            }
        }
    }
    text
}

/// Whether a text repeats 15 or more consecutive letters and digits of a key or token: in any letter case, mixed with
/// other characters, escaped, or in hexadecimal or base64.
fn repeats(text: &str, secret: &Secret) -> bool {
    let filter = secret.filter();
    if filter.part == 0 {
        return false;
    }
    let has = |part: u64| filter.may_have(part) && parts(secret.expose(), filter.part).any(|own| own == part);
    let text = unescaped(text);
    let hexadecimal = if text.contains("0x") { Cow::Owned(text.replace("0x", "")) } else { Cow::Borrowed(&*text) };
    windows(&text, filter.part).any(has)
        || decodings_have(&hexadecimal, 4, hexadecimal_digit, filter.part, has)
        || decodings_have(&text, 6, base64_digit, filter.part, has)
}

/// Whether the bytes that the text's digits may encode (hexadecimal or base64, `bits` each) contain such a part, at any
/// alignment.
fn decodings_have(
    text: &str,
    bits: usize,
    digit: fn(u8) -> Option<u8>,
    part: usize,
    has: impl Fn(u64) -> bool,
) -> bool {
    /// Three bytes are six hexadecimal digits, or four of base64.
    const MOST_DIGITS: usize = 6;
    let group = 24 / bits;
    let mut windows = [Window::of(part); MOST_DIGITS];
    let mut value = 0_u32;
    text.bytes().filter_map(digit).enumerate().any(|(index, digit)| {
        value = value << bits | u32::from(digit);
        // Each alignment has its own window: this digit ends a group of the decoding that is aligned to it.
        index + 1 >= group && {
            let window = &mut windows[(index + 1) % group];
            let [_, bytes @ ..] = value.to_be_bytes();
            bytes.into_iter().any(|byte| window.add(byte).is_some_and(&has))
        }
    })
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
fn unescaped(text: &str) -> Cow<'_, str> {
    const DEPTH: usize = 3;
    let is_mark = |byte| matches!(byte, b'\\' | b'%' | b'&');
    let mut text = Cow::Borrowed(text);
    for _ in 0..DEPTH {
        if !text.bytes().any(is_mark) {
            break;
        }
        let mut plain = String::with_capacity(text.len());
        let mut rest = &*text;
        while let Some(place) = rest.bytes().position(is_mark) {
            plain.push_str(&rest[..place]);
            rest = &rest[place..];
            let (character, length) = unescape(rest).unwrap_or((rest.chars().next(), 1));
            plain.extend(character);
            rest = &rest[length..];
        }
        plain.push_str(rest);
        text = Cow::Owned(plain);
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
    fn the_signature_of_a_models_url_is_redacted() {
        let url =
            "https://x.blob.core.windows.net/c?sv=2019-07-07&sig=aB3%2BdE5gH7jK9mN1pQ3sT5vX7zA2cE4gI6kM8oQ0%3D&sp=rl";
        assert_eq!(
            without(&format!("no access to {url}"), ""),
            "no access to https://x.blob.core.windows.net/c?sv=2019-07-07&(redacted)&sp=rl"
        );
        assert_eq!(without("sig=short, design=minimal", ""), "sig=short, design=minimal");
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
                    let safe = without(&text, secret);
                    assert!(safe.contains("(redacted)") && safe.len() <= 40, "{text}: {safe}");
                }
            }
        }
        let harmless = "request 0x9f86d081884c7d65 of aHR0cHM6Ly9leGFtcGxlLmNvbS8= failed at 12:34:56";
        assert_eq!(without(harmless, key), harmless);
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
