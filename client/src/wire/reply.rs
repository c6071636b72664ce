//! Replies, and the errors that failed ones stand for.

use crate::config::{Secret, without_secrets};
use crate::error::{Error, ErrorKind, ReplyFacts, Result};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// A reply: the status, the relevant headers, and the body.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) correlation_vector: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    /// The request's key or token: services have been seen to echo it.
    pub(crate) sent: Secret,
    /// Wiped on drop, because it may contain a token.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Reply {
    /// Omits the body, which may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("length", &self.body.len()).finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The details of the reply for an error about it.
    pub(crate) fn facts(&self) -> ReplyFacts {
        ReplyFacts {
            http_status: Some(self.status),
            correlation_vector: self.correlation_vector.clone(),
            retry_after: self.retry_after(),
            service_code: None,
        }
    }

    /// `Date`, as time since 1970.
    pub(crate) fn date(&self) -> Option<Duration> {
        let date = httpdate::parse_http_date(self.date.as_deref()?).ok()?;
        date.duration_since(std::time::UNIX_EPOCH).ok()
    }

    /// `Retry-After` as a duration. A date is taken relative to this reply's own `Date`.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(until.saturating_sub(self.date()?))
    }

    /// Parses the body as JSON. The error gives a position but quotes nothing: a body may contain a token, and the
    /// parser's own messages repeat their input.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, call: &str) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|cause| {
            let place = format!("line {}, column {}", cause.line(), cause.column());
            self.unexpected(call, &format!("the body is not the documented JSON ({place})"))
        })
    }

    pub(super) fn unexpected(&self, call: &str, what: &str) -> Error {
        Error::new(
            ErrorKind::UnexpectedReply,
            format!(
                "{call} was answered {}, but {what}; check that the endpoint is an Azure Remote Rendering service and that \
                 the API version is the one it speaks",
                self.status
            ),
        )
        .with_reply(self.facts())
    }

    /// The error that a failed reply stands for. The status determines the kind; the body only adds text.
    pub(crate) fn error(&self, call: &str) -> Error {
        let (kind, advice) = match self.status {
            401 => (ErrorKind::Unauthorized, "the token was refused"),
            403 => (
                ErrorKind::Forbidden,
                "the credential may not do this; check that it belongs to this account and has a role there",
            ),
            404 => (
                ErrorKind::NotFound,
                "the service does not know it; check id, account and endpoint (ids are kept for 30 days)",
            ),
            409 | 422 => (ErrorKind::Conflict, "the session as it is does not allow it; read its properties"),
            408 => (ErrorKind::ServiceFailure, "the service did not receive the request in time; try again"),
            429 => (ErrorKind::Throttled, "too many requests; wait, a minute is always enough"),
            400..=499 => (ErrorKind::BadRequest, "the request was refused"),
            500..=599 => (ErrorKind::ServiceFailure, "the service failed; try again later"),
            300..=399 => (
                ErrorKind::UnexpectedReply,
                "redirects are not followed, they could give the token away; give the final URL",
            ),
            _ => (ErrorKind::UnexpectedReply, "this is not a status that the service uses"),
        };
        let parsed = ServiceError::read(self);
        let words = parsed.message.map(|message| format!(" (\"{message}\")")).unwrap_or_default();
        let mut facts = self.facts();
        facts.service_code = parsed.code;
        Error::new(kind, format!("{call} was answered {}{words}: {advice}", self.status)).with_reply(facts)
    }
}

/// The parsed body of an error. Nothing is required of it: bodies seen are empty, text, `{"error":"text"}`,
/// `{"error":{"code","message"}}` and `{"message"}` (docs/service.md, "Errors").
#[derive(Debug, Default, PartialEq)]
struct ServiceError {
    code: Option<String>,
    message: Option<String>,
}

impl ServiceError {
    /// The limit on the message, in bytes.
    const LONGEST: usize = 4096;

    fn read(reply: &Reply) -> ServiceError {
        let Ok(text) = std::str::from_utf8(&reply.body) else { return ServiceError::default() };
        let printable = |text: &str| reply.printable(text);
        let text = text.trim_start_matches('\u{feff}');
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            // Truncated JSON is of no use to a reader, and may hide a secret that it echoes.
            let json = text.trim_start().starts_with(['{', '[', '"']);
            return ServiceError { code: None, message: if json { None } else { printable(text) } };
        };
        let inner = value.get("error").unwrap_or(&value);
        let text_of = |names: [&str; 2]| names.iter().find_map(|name| printable(inner.get(name)?.as_str()?));
        ServiceError {
            code: text_of(["code", "Code"]),
            message: inner.as_str().and_then(printable).or_else(|| text_of(["message", "Message"])),
        }
    }
}

impl Reply {
    /// Prepares a text of the service for a message: bounded, on one line, without control characters, and without any
    /// echo of the request's key or token. `None` if nothing is left.
    pub(crate) fn printable(&self, text: &str) -> Option<String> {
        self.printable_up_to(text, ServiceError::LONGEST)
    }

    pub(crate) fn printable_up_to(&self, text: &str, longest: usize) -> Option<String> {
        let text = without_secrets(text, self.sent.expose());
        let end = text.to_ascii_lowercase().find("bearer ").unwrap_or(text.len()).min(longest);
        let clean: String =
            text[..text.floor_char_boundary(end)].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let clean = clean.trim();
        if clean.is_empty() { None } else { Some(clean.to_owned()) }
    }
}

/// Null, missing and empty are equivalent.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The name of a rendering host in a reply.
pub(super) struct Hostname;

impl Hostname {
    /// The longest name that DNS allows, in characters.
    const LONGEST: usize = 253;

    /// The host name, if there is one. An invalid one is an error.
    pub(super) fn read(text: Option<String>, unexpected: impl Fn(&str) -> Error) -> Result<Option<String>> {
        let can_be = |name: &String| name.len() <= Self::LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic());
        match given(text) {
            Some(name) if !can_be(&name) => Err(unexpected("the host name in it cannot be one")),
            hostname => Ok(hostname),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tests::reply;

    #[test]
    fn every_shape_of_an_error_body_is_read() {
        for (body, code, message) in [
            ("", None, None),
            ("Bad gateway\r\n", None, Some("Bad gateway")),
            (r#"{"error":"no server is free"}"#, None, Some("no server is free")),
            (r#"{"error":{"code":"BadRequest","message":"negative"}}"#, Some("BadRequest"), Some("negative")),
            (r#"{"error":{"Message":"capital"}}"#, None, Some("capital")),
            (r#"{"message":"bare"}"#, None, Some("bare")),
            (r#"{"Message":"bare"}"#, None, Some("bare")),
            (r#"{"error":null}"#, None, None),
            ("[1,2]", None, None),
            (r#"{"error":"bad header: Authorization: BEARER abc.def"}"#, None, Some("bad header: Authorization:")),
        ] {
            let parsed = ServiceError::read(&reply(400, body));
            assert_eq!((parsed.code.as_deref(), parsed.message.as_deref()), (code, message), "{body}");
        }
        let binary = Reply { body: vec![0xff, 0xfe].into(), ..reply(400, "") };
        assert_eq!(ServiceError::read(&binary), ServiceError::default());
    }

    #[test]
    fn a_reply_shows_no_body_in_debug_output() {
        assert_eq!(format!("{:?}", reply(200, "SECRET")), "Reply { status: 200, length: 6, .. }");
    }

    #[test]
    fn a_services_text_is_bounded_at_a_character_and_kept_on_one_line() {
        let parsed = ServiceError::read(&reply(400, &"ä\n".repeat(5_000))).message.unwrap();
        assert!(parsed.len() <= ServiceError::LONGEST && !parsed.contains('\n'));
    }

    #[test]
    fn what_a_service_repeats_of_the_requests_key_or_token_is_not_kept() {
        for (sent, body) in [
            ("68321d5a-7978:c2VjcmV0a2V5=", r#"{"error":"the credential 68321d5a-7978:c2VjcmV0a2V5= is not known"}"#),
            ("68321d5a-7978:c2VjcmV0/2V5=", r#"{"error":"the key c2VjcmV0\/2V5\u003d is not known"}"#),
            (
                "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln",
                r#"{"error":{"code":"eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln","message":"x"}}"#,
            ),
            ("a:ab+cd/ef==", r#"{"error":"ab+cd\/ef=="#),
            ("a:ab+cd/ef==", r#"{"error":"{\"key\":\"ab\\u002bcd\\/ef\\u003d=\"}"}"#),
            ("a:ab+cd/ef==", "<p>ab&#x2B;cd/ef==</p>"),
            ("a:ab+cd/ef==", "key=ab%2Bcd%2Fef%3D%3D"),
            ("other", r#"{"error":"got eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln, which is old"}"#),
        ] {
            let repeating = Reply { sent: Secret::new(sent), ..reply(403, body) };
            let error = repeating.error("reading");
            let shown = format!("{error} {error:?}");
            for part in ["c2VjcmV0", "eyJh", "cd/ef", "cd\\", "x2B;", "%2B"] {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }

    #[test]
    fn the_status_decides_the_kind() {
        for (status, kind) in [
            (302, ErrorKind::UnexpectedReply),
            (400, ErrorKind::BadRequest),
            (401, ErrorKind::Unauthorized),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Conflict),
            (422, ErrorKind::Conflict),
            (418, ErrorKind::BadRequest),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::ServiceFailure),
            (503, ErrorKind::ServiceFailure),
        ] {
            let error = reply(status, "").error("reading");
            assert_eq!((error.kind(), error.http_status()), (kind, Some(status)));
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_against_the_replys_own_date() {
        let mut throttled = reply(429, "");
        throttled.retry_after = Some("7".into());
        assert_eq!(throttled.error("x").retry_after(), Some(Duration::from_secs(7)));
        throttled.retry_after = Some("Thu, 09 May 2019 16:18:00 GMT".into());
        assert_eq!(throttled.error("x").retry_after(), None, "a date alone says nothing");
        throttled.date = Some("Thu, 09 May 2019 16:17:50 GMT".into());
        assert_eq!(throttled.error("x").retry_after(), Some(Duration::from_secs(10)));
    }
}
