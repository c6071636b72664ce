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

/// Whether a text can only be a credential: a token, or a key, which ends in `=`.
pub(crate) fn is_credential(text: &str) -> bool {
    looks_like_token(text) || text.ends_with('=') && looks_like_key(text.trim_end_matches('='))
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
