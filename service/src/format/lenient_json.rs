//! JSON, and the single-quoted near-JSON of the request bodies in the service's documentation (`docs/service.md`,
//! "Create").

use serde_json::Value;

/// Reads JSON, or near-JSON with `'strings'` in single quotes. The error is the strict parser's.
pub(crate) fn parse(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).or_else(|strict| {
        serde_json::from_str(&with_double_quotes(text)).map_err(|_| format!("the body is not JSON: {strict}"))
    })
}

/// Puts each single-quoted string in double quotes. Double-quoted strings stay as they are.
fn with_double_quotes(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 16);
    let mut open = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (open, character) {
            (None, '\'' | '"') => {
                open = Some(character);
                result.push('"');
            }
            (Some(quote), closing) if quote == closing => {
                open = None;
                result.push('"');
            }
            (Some('\''), '"') => result.push_str("\\\""),
            (Some(_), '\\') => match characters.next() {
                // JSON has no escape for the single quote, and needs none within double quotes.
                Some('\'') => result.push('\''),
                Some(escaped) => result.extend(['\\', escaped]),
                None => result.push('\\'),
            },
            (_, other) => result.push(other),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_documented_bodies_are_read() {
        assert_eq!(
            parse(b"{ 'maxLeaseTime': '4:0:0', 'models': [], 'size': 'standard' }"),
            Ok(json!({"maxLeaseTime": "4:0:0", "models": [], "size": "standard"}))
        );
        assert_eq!(parse(b"{ 'maxLeaseTime': '5:0:0' }"), Ok(json!({"maxLeaseTime": "5:0:0"})));
    }

    #[test]
    fn json_is_read_as_json() {
        let body = br#"{"a":"it's \"quoted\"","b":[1,null,true]}"#;
        assert_eq!(parse(body), Ok(json!({"a": "it's \"quoted\"", "b": [1, null, true]})));
        assert_eq!(parse("\u{feff}{}".as_bytes()), Ok(json!({})));
    }

    #[test]
    fn quotes_inside_the_other_quotes_are_text() {
        assert_eq!(parse(br#"{'a': 'say "x"', "b": "it's"}"#), Ok(json!({"a": "say \"x\"", "b": "it's"})));
        assert_eq!(parse(br"{'a': 'it\'s', 'b': 'tab\tx\\'}"), Ok(json!({"a": "it's", "b": "tab\tx\\"})));
    }

    #[test]
    fn other_bodies_are_refused_with_the_strict_parsers_error() {
        for body in [&b""[..], b"{", b"{'a'", b"{'a': 'b", b"{a: 1}", b"'", b"'\\", b"\xff", b"{} {}"] {
            assert!(parse(body).is_err(), "{body:?}");
        }
        let error = parse(b"{maxLeaseTime: 1}").expect_err("not JSON");
        assert!(error.starts_with("the body is not JSON: key must be a string at line 1"), "{error}");
        let deep = "[".repeat(60_000);
        assert!(parse(deep.as_bytes()).is_err());
    }
}
