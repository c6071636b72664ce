//! Replies, and the errors of failed ones.

use super::json::{Members, read_objects};
use super::service_error::ServiceError;
use crate::config::{Secret, is_hidden, quoted, without_secrets};
use crate::error::{Error, ErrorKind, ReplyFacts, Result};
use crate::model::SessionId;
use crate::sys::Wiped;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// A reply: the status, the relevant headers, and the body.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) correlation_vector: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    /// Whether `Content-Type` says HTML.
    pub(crate) is_html: bool,
    /// The body ended early, or is too long.
    pub(crate) is_cut: bool,
    /// The request's key or token, because some services echo it.
    pub(crate) sent: Secret,
    /// Wiped on drop, because it may contain a token.
    pub(crate) body: Wiped,
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
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        let until = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(until.saturating_sub(self.date()?))
    }

    /// The body without a byte order mark.
    pub(super) fn text(&self) -> Cow<'_, str> {
        let body = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.body);
        std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
    }

    /// An id that the service chose. Refuses one with a part of the token, which would get into messages, the log and
    /// the journal.
    pub(super) fn session_id(&self, text: &str) -> Option<SessionId> {
        /// Only tests use shorter tokens.
        const SHORTEST_TOKEN: usize = 20;
        // No token contains a GUID. Nearly all ids are, and a list may have thousands.
        let is_guid = |id: &SessionId| id.as_str().len() == 36 && Uuid::try_parse(id.as_str()).is_ok();
        let can_have_token = |id: &SessionId| self.sent.expose().len() >= SHORTEST_TOKEN && !is_guid(id);
        SessionId::parse(text).ok().filter(|id| !can_have_token(id) || without_secrets(text, &self.sent) == text)
    }

    /// The members of the body's object, or of a part of it.
    pub(super) fn members<'a>(&self, json: &'a str, call: &str) -> Result<Members<'a>> {
        Members::read(json).map_err(|cause| self.not_documented(&cause, call))
    }

    /// The sessions in the list of an object, or in a bare array if that is allowed, and the other members.
    pub(super) fn sessions<'a, T>(
        &self,
        json: &'a str,
        bare: bool,
        call: &str,
        mut read: impl FnMut(&'a str, &Members<'a>) -> Result<T>,
    ) -> Result<(Members<'a>, Vec<T>)> {
        const NAME: &str = "sessions";
        let is_bare = bare && json.trim_start().starts_with('[');
        let mut sessions = Vec::new();
        let mut add = |session, members: &Members<'a>| read(session, members).map(|read| sessions.push(read));
        if let Some(others) = read_objects(json, (!is_bare).then_some(NAME), &mut add) {
            return Ok((others?, sessions));
        }
        // Another form, or an error, which is to be described.
        let (others, list): (_, Vec<&RawValue>) = if is_bare {
            (Members::default(), serde_json::from_str(json).map_err(|cause| self.not_documented(&cause, call))?)
        } else {
            let members = self.members(json, call)?;
            let list = members.listed(NAME).map_err(|what| self.unexpected(call, &what))?;
            (members, list)
        };
        let read = |session: &&'a RawValue| read(session.get(), &Members::read(session.get()).unwrap_or_default());
        Ok((others, list.iter().map(read).collect::<Result<_>>()?))
    }

    /// The error gives a position but quotes nothing: a body may contain a token, and the parser's own messages repeat
    /// their input.
    pub(super) fn not_documented(&self, cause: &serde_json::Error, call: &str) -> Error {
        let place = format!("line {}, column {}", cause.line(), cause.column());
        self.unexpected(call, &format!("its body is not the documented JSON ({place})"))
    }

    pub(super) fn unexpected(&self, call: &str, what: &str) -> Error {
        Error::new(
            ErrorKind::UnexpectedReply,
            format!(
                "{call} failed: the reply ({}) cannot be used, because {what}; check that `service_endpoint` is an \
                 Azure Remote Rendering service and that it speaks this `api_version`",
                self.status
            ),
        )
        .with_reply(self.facts())
    }

    /// Whether it is a page, as gateways and sign-in pages send. The service sends only JSON.
    pub(crate) fn is_web_page(&self) -> bool {
        let text = self.text();
        let text = text.trim_start();
        text.starts_with('<') || (self.is_html && !text.is_empty() && !text.starts_with(['{', '[']))
    }

    /// Whether the service can have sent it. What a gateway sends in its place says nothing about a session. All replies
    /// of the service have a correlation vector. One without is accepted if its body is empty or in the service's form
    /// (docs/service.md, "Errors").
    pub(crate) fn is_from_service(&self) -> bool {
        if self.is_web_page() || self.correlation_vector.is_some() {
            return !self.is_web_page();
        }
        let text = self.text();
        if text.trim().is_empty() {
            return !self.is_cut;
        }
        let is_error = |members: &Members| match members.object("error") {
            Ok(error) => error.is_some(),
            // Spring's gateway has `"error":"Not Found"` beside other members.
            Err(_) => members.has_only("error") && members.text("error").is_ok(),
        };
        Members::read(&text).is_ok_and(|members| self.is_success() || is_error(&members))
    }

    /// What a web server says about a request that should have come in another way, and what to do.
    fn misdirected(&self, server: &Server) -> Option<String> {
        if !matches!(self.status, 400 | 403) || self.correlation_vector.is_some() {
            return None;
        }
        let text = self.text();
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        // Go, nginx and Apache.
        if says(&["HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port", "plain HTTP to an SSL"]) {
            return Some(format!("the server speaks TLS on this port; write https:// in {}", server.option));
        }
        // nginx, Apache and IIS.
        let certificate = says(&[
            "No required SSL certificate was sent",
            "Post-Handshake Authentication",
            "(SSL) client certificate",
        ]);
        certificate.then(|| {
            format!(
                "the server demands a client certificate, which this library does not support; turn off client certificates \
                 (mutual TLS) there, or check {}",
                server.option
            )
        })
    }

    /// The error of a failed reply of the session service.
    pub(crate) fn error(&self, call: &str) -> Error {
        self.error_at(call, &SESSION_SERVICE)
    }

    /// The error of a failed reply. The status determines the kind, unless the reply is not the service's. The body
    /// only adds text.
    pub(super) fn error_at(&self, call: &str, server: &Server) -> Error {
        let is_foreign = match self.status {
            408 | 429 => false,
            200..=299 | 404 | 409 | 410 | 422 => !self.is_from_service(),
            400..=499 => self.is_web_page() && self.correlation_vector.is_none(),
            _ => false,
        };
        let foreign = format!(
            "the reply is not one of the {}: a gateway, proxy or sign-in page replied instead; check them, and {}",
            server.name, server.option
        );
        let redirect = format!(
            "redirects are not followed, because they could leak the token; give the final URL as {}, or sign in to the \
             network if this is its sign-in page (captive portal)",
            server.option
        );
        let unknown = format!(
            "the {} does not use this status, so a gateway or proxy may have replied instead; check for one, and check {}",
            server.name, server.option
        );
        let misdirected = self.misdirected(server);
        let (kind, advice) = match self.status {
            _ if misdirected.is_some() => (ErrorKind::UnexpectedReply, misdirected.as_deref().unwrap_or_default()),
            _ if is_foreign => (ErrorKind::UnexpectedReply, &*foreign),
            401 => (ErrorKind::Unauthorized, "the token was refused"),
            403 => (
                ErrorKind::Forbidden,
                "the credential lacks permission; check that it belongs to this account and has a role there",
            ),
            404 => (ErrorKind::NotFound, server.not_found),
            409 | 422 => (ErrorKind::Conflict, "the session's state does not allow this; read its properties"),
            408 => (ErrorKind::ServiceFailure, "the service did not receive the request in time; try again"),
            429 => (ErrorKind::Throttled, "too many requests; wait before sending more"),
            400 | 410 => (ErrorKind::BadRequest, "the request was refused"),
            402 | 405..=407 | 411..=421 | 423..=428 | 430..=499 => (ErrorKind::BadRequest, &*unknown),
            511 => (
                ErrorKind::Network,
                "this network's sign-in page (captive portal) replied instead of the service; sign in to the network",
            ),
            500..=599 => (ErrorKind::ServiceFailure, "the service failed; try again later"),
            300..=399 => (ErrorKind::UnexpectedReply, &*redirect),
            _ => (ErrorKind::UnexpectedReply, &*unknown),
        };
        let parsed = ServiceError::read(self);
        let is_full = self.status == 429 && parsed.code.as_deref() == Some(SERVICE_FULL);
        let (kind, advice) = if is_full { (ErrorKind::ServiceFull, FULL) } else { (kind, advice) };
        let words = parsed.message.map(|message| format!(" ({})", quoted(&message))).unwrap_or_default();
        let mut facts = self.facts();
        facts.service_code = parsed.code;
        let pause = facts.retry_after.filter(|pause| !pause.is_zero());
        let pause =
            pause.map(|pause| format!("; the service asks for a pause of {} s", pause.as_secs())).unwrap_or_default();
        // The service's own text comes last: it may be long, and the C ABI cuts a message after 511 bytes.
        Error::new(kind, format!("{call} failed with {}: {advice}{pause}{words}", self.status)).with_reply(facts)
    }
}

/// The longest text of a service in a message, in bytes.
const LONGEST_TEXT: usize = 4096;

/// A server, as messages about its replies name it.
pub(super) struct Server {
    pub(super) name: &'static str,
    /// The option that names it.
    pub(super) option: &'static str,
    /// What a 404 means.
    pub(super) not_found: &'static str,
}

const SESSION_SERVICE: Server = Server {
    name: "session service",
    option: "`service_endpoint`",
    not_found: "the service does not know it; check the id, the account and the endpoint (ids are kept for 30 days)",
};

/// The code of a 429 for too many sessions, rather than too many requests (ours; docs/service.md, "Errors").
const SERVICE_FULL: &str = "ServiceFull";
const FULL: &str = "the service has no room for another session; stop one, or wait until one ends";

impl Reply {
    /// Prepares a text of the service for a message: bounded, on one line, without hidden characters, and without any
    /// echo of the request's key or token. `None` if nothing is left.
    pub(crate) fn printable(&self, text: &str) -> Option<String> {
        self.printable_up_to(text, LONGEST_TEXT)
    }

    /// A purely informative text, prepared for a message. A malformed one counts as missing.
    pub(super) fn printable_member(&self, members: &Members, name: &str) -> Option<String> {
        self.printable(&members.text(name).ok().flatten()?)
    }

    pub(crate) fn printable_up_to(&self, text: &str, longest: usize) -> Option<String> {
        // Cut first: searching megabytes would take too long.
        const CREDENTIAL: &[u8] = b"bearer ";
        let text = without_secrets(&text[..text.floor_char_boundary(longest)], &self.sent);
        let mut parts = text.as_bytes().windows(CREDENTIAL.len());
        let end = parts.position(|part| part.eq_ignore_ascii_case(CREDENTIAL)).unwrap_or(text.len()).min(longest);
        let text = &text[..text.floor_char_boundary(end)];
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return (!text.is_empty()).then(|| text.to_owned());
        }
        let shown = |c: char| if is_hidden(c) { ' ' } else { c };
        let clean = text.trim_matches(|c| shown(c).is_whitespace());
        if clean.is_empty() { None } else { Some(clean.chars().map(shown).collect()) }
    }
}

/// The name of a rendering host in a reply.
pub(super) struct Hostname;

impl Hostname {
    /// The longest name that DNS allows, in characters.
    const LONGEST: usize = 253;

    /// The host name, if there is one. An invalid one is an error.
    pub(super) fn read(text: Option<Cow<str>>, unexpected: impl Fn(&str) -> Error) -> Result<Option<String>> {
        let can_be = |name: &str| name.len() <= Self::LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic());
        match text {
            Some(name) if !can_be(&name) => Err(unexpected("its host name is not valid")),
            hostname => Ok(hostname.map(Cow::into_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tests::{reply, service};

    #[test]
    fn every_form_of_error_body_is_read() {
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
        let of_bytes = |body: &[u8]| ServiceError::read(&Reply { body: body.to_vec().into(), ..reply(400, "") });
        assert_eq!(of_bytes(&[0xff, 0xfe]), ServiceError::default());
        // In Latin-1, as older gateways write.
        let parsed = of_bytes(b"{\"error\":{\"code\":\"ServiceFull\",\"message\":\"caf\xe9\"}}");
        assert_eq!((parsed.code.as_deref(), parsed.message.as_deref()), (Some("ServiceFull"), Some("caf\u{fffd}")));
    }

    #[test]
    fn a_reply_shows_no_body_in_debug_output() {
        assert_eq!(format!("{:?}", reply(200, "SECRET")), "Reply { status: 200, length: 6, .. }");
    }

    #[test]
    fn a_services_text_is_cut_at_a_character_boundary_and_kept_on_one_line() {
        let parsed = ServiceError::read(&reply(400, &"ä\n".repeat(5_000))).message.unwrap();
        assert!(parsed.len() <= LONGEST_TEXT && !parsed.contains('\n'));
    }

    /// Searching a reply of megabytes would take longer than a call may.
    #[test]
    fn only_the_shown_part_of_a_text_is_searched_for_secrets() {
        let secret = Secret::new("aB3dE5gH7jK9mN1pQ3sT5vX7");
        let text = |before: usize| format!("reason {} {}", "x".repeat(before), &secret.expose()[..16]);
        let sent = Reply { sent: secret.clone(), ..reply(400, "") };
        assert_eq!(sent.printable(&text(100)).as_deref(), Some("(redacted)"));
        assert!(sent.printable(&text(100_000)).unwrap().starts_with("reason x"));
    }

    #[test]
    fn an_echoed_token_is_not_accepted_as_a_session_id() {
        let token = "opaque0123456789opaque";
        let sent = Reply { sent: Secret::new(token), ..reply(200, "") };
        assert!(sent.session_id(token).is_none() && sent.session_id(&format!("a-{token}")).is_none());
        assert!(sent.session_id(&format!("a-{}", &token[3..20])).is_none(), "nor is a part of it");
        assert!(sent.session_id(&token[..7]).is_some() && reply(200, "").session_id(token).is_some());
        let new = crate::NewSession::new(crate::SessionSize::Standard, crate::Lease::from_secs(60).unwrap());
        let created = |reply: Reply| service().read_created(&reply, &new).map(|session| session.id);
        let listed = |reply: Reply| service().read_page(&reply).map(|page| page.0.len());
        let location = Some(format!("sessions/{token}"));
        let body = format!(r#"{{"sessionId":"{token}"}}"#);
        let list = Reply { sent: Secret::new(token), ..reply(200, &format!("[{body}]")) };
        assert!(created(Reply { location, ..sent }).is_err() && listed(list).is_err());
        assert!(created(Reply { sent: Secret::new(token), ..reply(202, &body) }).is_err());
        assert_eq!(created(reply(202, &body)).unwrap().as_str(), token);
    }

    #[test]
    fn backticks_of_the_service_do_not_mark_options() {
        let error = reply(403, r#"{"error":{"code":"`cap`","message":"`cap`"}}"#).error("x");
        assert!(error.message().contains("'cap'") && !error.message().contains('`'), "{error}");
    }

    #[test]
    fn an_echo_of_the_requests_key_or_token_is_removed() {
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
    fn the_status_determines_the_kind() {
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
            (511, ErrorKind::Network),
        ] {
            let error = reply(status, "").error("reading");
            assert_eq!((error.kind(), error.http_status()), (kind, Some(status)));
        }
    }

    #[test]
    fn a_status_that_no_service_uses_names_the_option_of_its_server() {
        const OTHER: Server = Server { name: "token service", option: "`account_domain`", not_found: "" };
        for status in [101, 302, 304, 402, 405, 407, 413, 415, 421, 426, 431, 451, 600] {
            let reply = Reply { correlation_vector: Some("cv".into()), ..reply(status, "{}") };
            assert!(reply.error("x").message().contains("`service_endpoint`"), "{status}");
            let of_token = reply.error_at("x", &OTHER);
            assert!(of_token.message().contains("`account_domain`"), "{of_token}");
            assert!(!of_token.message().contains("`service_endpoint`"), "{of_token}");
        }
    }

    #[test]
    fn a_full_service_and_too_many_requests_differ_by_code() {
        for (status, body, kind) in [
            (429, r#"{"error":{"code":"ServiceFull","message":"8 run"}}"#, ErrorKind::ServiceFull),
            (429, r#"{"error":{"code":"TooManyRequests"}}"#, ErrorKind::Throttled),
            (429, r#"{"error":"ServiceFull"}"#, ErrorKind::Throttled),
            (503, r#"{"error":{"code":"ServiceFull"}}"#, ErrorKind::ServiceFailure),
        ] {
            assert_eq!(reply(status, body).error("creating").kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_relative_to_the_replys_date() {
        let mut throttled = reply(429, "");
        throttled.retry_after = Some("7".into());
        assert_eq!(throttled.error("x").retry_after(), Some(Duration::from_secs(7)));
        throttled.retry_after = Some("9".repeat(30));
        assert_eq!(throttled.error("x").retry_after(), Some(Duration::from_secs(u64::MAX)));
        for nothing in ["", "+7", "-7", "7.5", "soon"] {
            throttled.retry_after = Some(nothing.into());
            assert_eq!(throttled.error("x").retry_after(), None, "{nothing}");
        }
        throttled.retry_after = Some("Thu, 09 May 2019 16:18:00 GMT".into());
        assert_eq!(throttled.error("x").retry_after(), None, "a date alone says nothing");
        throttled.date = Some("Thu, 09 May 2019 16:17:50 GMT".into());
        assert_eq!(throttled.error("x").retry_after(), Some(Duration::from_secs(10)));
    }
}
