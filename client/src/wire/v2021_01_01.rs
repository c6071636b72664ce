//! REST 2021-01-01: the operations on sessions under `/accounts/{account}/sessions` (docs/service-2021-01-01.md).

use super::json::Members;
use super::reply::{Hostname, Reply};
use super::request::{LONGEST_LIST, Method, Request};
use super::target::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lease, NewSession, ReplyText, SessionId, SessionProperties, SessionSize, SessionStatus};
use serde_json::json;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

/// The limit in the specification.
const LONGEST_LEASE: Duration = Duration::from_secs(1_440 * MINUTE);
const MINUTE: u64 = 60;

/// Checks the parameters against this version: no models, a lease of one day at most. Generates an id if none is given.
pub(super) fn prepare(new: &NewSession) -> Result<NewSession> {
    if !new.models.is_empty() {
        return Err(Error::invalid_argument(
            "REST 2021-01-01 cannot preload models; omit `models`, or set `api_version` to v1",
        ));
    }
    check_lease(new.max_lease)?;
    let id = match &new.id {
        Some(id) => id.clone(),
        None => SessionId::parse(&uuid::Uuid::new_v4().to_string())?,
    };
    Ok(NewSession { id: Some(id), max_lease: as_sent(new.max_lease), ..new.clone() })
}

pub(super) fn check_lease(lease: Lease) -> Result<()> {
    if as_sent(lease).duration() <= LONGEST_LEASE {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "`max_lease` of {} s is longer than the {} s that REST 2021-01-01 allows; shorten it",
        lease.duration().as_secs(),
        LONGEST_LEASE.as_secs()
    )))
}

/// Leases are whole minutes in this version. A fraction rounds up, so that no session gets less than requested.
pub(super) fn as_sent(lease: Lease) -> Lease {
    lease.rounded_up_to(Duration::from_secs(MINUTE))
}

/// The longest lease that can be requested and does not exceed `cap`.
pub(super) fn longest_within(cap: Duration) -> Duration {
    let cap = cap.min(LONGEST_LEASE);
    Duration::from_secs(cap.as_secs() / MINUTE * MINUTE)
}

fn minutes(lease: Lease) -> u64 {
    as_sent(lease).duration().as_secs() / MINUTE
}

/// `PUT …/sessions/{id}`. The client chooses the id, so a repeated create does not make a second session.
pub(super) fn create(target: &Target, new: &NewSession, id: &SessionId) -> Request {
    let size = match &new.size {
        SessionSize::Standard => "Standard",
        SessionSize::Premium => "Premium",
        SessionSize::Unknown(name) => name,
    };
    let mut body = new.extra.clone();
    body.insert("maxLeaseTimeMinutes".into(), minutes(new.max_lease).into());
    body.insert("size".into(), size.into());
    let url = sessions(target, &[id.as_str()]);
    Request {
        creates: true,
        needs_body: false,
        ..Request::unsigned(Method::Put, url, Some(serde_json::Value::Object(body)))
    }
}

/// `GET …/sessions/{id}`
pub(super) fn properties(target: &Target, id: &SessionId) -> Request {
    Request::unsigned(Method::Get, sessions(target, &[id.as_str()]), None)
}

/// `PATCH …/sessions/{id}`
pub(super) fn update_lease(target: &Target, id: &SessionId, lease: Lease) -> Request {
    let body = json!({ "maxLeaseTimeMinutes": minutes(lease) });
    Request { needs_body: false, ..Request::unsigned(Method::Patch, sessions(target, &[id.as_str()]), Some(body)) }
}

/// `GET …/sessions`, the first page
pub(super) fn list(target: &Target) -> Request {
    page(sessions(target, &[]))
}

pub(super) fn page(url: impl Into<Arc<Url>>) -> Request {
    Request { longest_reply: LONGEST_LIST, ..Request::unsigned(Method::Get, url, None) }
}

/// `POST …/sessions/{id}/:stop`
pub(super) fn stop(target: &Target, id: &SessionId) -> Request {
    let url = sessions(target, &[id.as_str(), ":stop"]);
    Request { needs_body: false, ..Request::unsigned(Method::Post, url, None) }
}

fn sessions(target: &Target, rest: &[&str]) -> Arc<Url> {
    target.sessions(None, rest, Some("api-version=2021-01-01"))
}

/// The new session. Members that the service leaves out are taken from the request.
pub(super) fn read_created(reply: &Reply, new: &NewSession, id: &SessionId) -> Result<SessionProperties> {
    const CALL: &str = "creating the session";
    if reply.status == 409 && reply.is_from_service() {
        let error = reply.error(CALL);
        let message = format!(
            "session {id} already exists with other settings, or has ended; choose another id, or open it ({error})"
        );
        return Err(error.recast(ErrorKind::Conflict, message));
    }
    // The id is ours and 201 is unambiguous, so an unreadable body does not matter.
    let created = match read(reply, CALL, id) {
        Err(_) if reply.status == 201 => SessionProperties::created(id.clone(), new),
        other => other?,
    };
    if matches!(created.status, SessionStatus::Stopped | SessionStatus::Expired) {
        // The id was in use before, with the same settings. The service does not use it again.
        let message = format!("session {id} already exists and has ended; choose another id");
        return Err(Error::new(ErrorKind::Conflict, message).with_reply(reply.facts()));
    }
    Ok(SessionProperties {
        size: created.size.or_else(|| Some(new.size.clone())),
        max_lease: created.max_lease.or_else(|| Some(new.max_lease.duration())),
        ..created
    })
}

/// The whole session, as every call except stop returns it.
pub(super) fn read(reply: &Reply, call: &str, id: &SessionId) -> Result<SessionProperties> {
    if !reply.is_success() {
        return Err(reply.error(call));
    }
    let text = reply.text();
    let members = reply.members(&text, call)?;
    let unexpected = |what: &str| reply.unexpected(call, what);
    if members.text("id").map_err(|what| unexpected(&what))?.is_some_and(|other| other != id.as_str()) {
        return Err(unexpected("it is about another session"));
    }
    Ok(read_members(&members, id.clone(), reply, call)?.read_from(&text))
}

/// One page of the list, and the link to the next: null, missing and empty mean that there is none.
pub(super) fn read_page(reply: &Reply) -> Result<(Vec<SessionProperties>, Option<String>)> {
    const CALL: &str = "listing the sessions";
    if !reply.is_success() {
        return Err(reply.error(CALL));
    }
    let text = reply.text();
    let read = |entry, members: &Members| read_entry(entry, members, reply, CALL);
    let (others, sessions) = reply.sessions(&text, false, CALL, read)?;
    let next = others.text("@nextLink").map_err(|what| reply.unexpected(CALL, &what))?;
    Ok((sessions, next.map(Cow::into_owned)))
}

/// An entry of the list. Listed sessions cost money, so an entry that differs from the specification is still listed,
/// with its id and status.
fn read_entry(entry: &str, members: &Members, reply: &Reply, call: &str) -> Result<SessionProperties> {
    let text = |name| members.text(name).ok().flatten();
    let id = text("id").and_then(|id| reply.session_id(&id));
    let id = id.ok_or_else(|| reply.unexpected(call, "an entry has no usable session id"))?;
    let read = read_members(members, id.clone(), reply, call);
    let status = || SessionStatus::read(&text("status").unwrap_or_default());
    Ok(read.unwrap_or_else(|_| SessionProperties::bare(id, status())).read_from(entry))
}

/// The members of a session. The serializer of 2021 sent null and zero; that of 2022 omits such members.
fn read_members(members: &Members, id: SessionId, reply: &Reply, call: &str) -> Result<SessionProperties> {
    let unexpected = |what: &str| reply.unexpected(call, what);
    let text = |name| members.text(name).map_err(|what| unexpected(&what));
    let span = |name| {
        let minutes = members.get::<u32>(name).map_err(|what| unexpected(&what))?;
        Ok(minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * MINUTE)))
    };
    let port =
        |name| members.get::<u16>(name).map(|port| port.filter(|port| *port != 0)).map_err(|what| unexpected(&what));
    let status = text("status")?.ok_or_else(|| unexpected("it has no status"))?;
    // Purely informative members must not make the reply unusable.
    let error = members.object("error").ok().flatten().unwrap_or_default();
    let creation_time = members.text("creationTime").ok().flatten().and_then(|text| date_time(&text));
    Ok(SessionProperties {
        id,
        status: SessionStatus::read(&status),
        size: text("size")?.as_deref().map(SessionSize::read),
        hostname: Hostname::read(text("hostname")?, unexpected)?,
        arr_inspector_port: port("arrInspectorPort")?,
        handshake_port: port("handshakePort")?,
        max_lease: span("maxLeaseTimeMinutes")?,
        elapsed: span("elapsedTimeMinutes")?,
        // A date before 1970 means that there is none.
        creation_time: creation_time.filter(|moment| *moment >= OffsetDateTime::UNIX_EPOCH).map(SystemTime::from),
        teraflops: members.get("teraflops").ok().flatten().filter(|teraflops| *teraflops > 0.0),
        error_code: reply.printable_member(&error, "code"),
        message: reply.printable_member(&error, "message").or_else(|| reply.printable_member(members, "error")),
        age: Duration::ZERO,
        reply: ReplyText::default(),
    })
}

/// RFC 3339, with up to seven fractional digits and any offset.
fn date_time(text: &str) -> Option<OffsetDateTime> {
    // .NET writes an unset date without an offset.
    OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ApiVersion;
    use crate::wire::Service;
    use crate::wire::tests::{reply, service};
    use serde_json::Value;
    use std::time::UNIX_EPOCH;

    const ID: &str = "a2b38ff2-fbf4-78e5-6702-b52fc9f12a1d";

    fn id() -> SessionId {
        SessionId::parse(ID).unwrap()
    }

    fn this_version() -> Service {
        Service { version: ApiVersion::V2021_01_01, ..service() }
    }

    fn new_session(seconds: u64) -> NewSession {
        NewSession::new(SessionSize::Standard, Lease::from_secs(seconds).unwrap())
    }

    fn read_body(body: &str) -> Result<SessionProperties> {
        read(&reply(200, body), "reading", &id())
    }

    #[test]
    fn requests_match_the_specification() {
        let service = this_version();
        let base = "https://remoterendering.westus2.mixedreality.azure.com/accounts/68321d5a-7978-4ceb-b880-0f49751daae9/sessions";
        let lease = Lease::new(Duration::from_secs(301)).unwrap();
        for (request, method, path, body) in [
            (
                create(&service.target, &new_session(240), &id()),
                Method::Put,
                format!("/{ID}"),
                Some(json!({ "maxLeaseTimeMinutes": 4, "size": "Standard" })),
            ),
            (properties(&service.target, &id()), Method::Get, format!("/{ID}"), None),
            (
                update_lease(&service.target, &id(), lease),
                Method::Patch,
                format!("/{ID}"),
                Some(json!({ "maxLeaseTimeMinutes": 6 })),
            ),
            (stop(&service.target, &id()), Method::Post, format!("/{ID}/:stop"), None),
            (list(&service.target), Method::Get, String::new(), None),
        ] {
            assert_eq!(
                (request.method, request.url.as_str()),
                (method, format!("{base}{path}?api-version=2021-01-01").as_str())
            );
            assert_eq!(request.body.map(|body| serde_json::from_str::<Value>(&body).unwrap()), body);
            assert!(request.repeatable, "even a create: the id is ours");
        }
    }

    #[test]
    fn unsupported_parameters_are_refused_before_anything_is_sent() {
        let with_models = new_session(60).with_models(["https://x"]).unwrap();
        assert!(prepare(&with_models).unwrap_err().message().contains("models"));
        assert!(prepare(&new_session(1_440 * 60 + 1)).unwrap_err().message().contains("86400 s"));
        let prepared = prepare(&new_session(61)).unwrap();
        assert_eq!(prepared.max_lease.duration(), Duration::from_secs(120), "minutes round up");
        assert_eq!(prepared.id.map(|id| id.as_str().len()), Some(36), "an id is generated if none is given");
    }

    #[test]
    fn a_session_is_read_from_either_serializer() {
        let of_2021 = read_body(&format!(
            r#"{{"id":"{ID}","creationTime":"2021-01-29T16:04:29.1569219+00:00","arrInspectorPort":0,"handshakePort":0,
                "elapsedTimeMinutes":0,"hostname":null,"maxLeaseTimeMinutes":4,"size":"Standard","status":"Starting",
                "teraflops":0.0,"error":null}}"#
        ))
        .unwrap();
        let of_2022 = read_body(&format!(
            r#"{{"id":"{ID}","creationTime":"2021-01-29T16:04:29.1569219Z","maxLeaseTimeMinutes":4,"size":"Standard",
                "status":"Starting","elapsedTimeMinutes":0}}"#
        ))
        .unwrap();
        assert_eq!(of_2021, of_2022);
        assert_eq!(of_2021.creation_time, Some(UNIX_EPOCH + Duration::new(1_611_936_269, 156_921_900)));
        assert_eq!((of_2021.max_lease, of_2021.elapsed), (Some(Duration::from_secs(240)), Some(Duration::ZERO)));
        assert_eq!((of_2021.teraflops, of_2021.handshake_port, of_2021.hostname), (None, None, None));
    }

    #[test]
    fn a_creation_time_that_was_never_set_is_none() {
        for time in ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "", "yesterday"] {
            let body = format!(r#"{{"status":"Ready","creationTime":"{time}"}}"#);
            assert_eq!(read_body(&body).unwrap().creation_time, None, "{time}");
        }
    }

    #[test]
    fn a_201_under_our_id_is_a_session_even_with_an_unreadable_body() {
        for body in ["", "{}", "<html>", r#"{"status":7}"#] {
            let created = read_created(&reply(201, body), &new_session(60), &id()).unwrap();
            assert_eq!(
                (created.id, created.status, created.size),
                (id(), SessionStatus::Starting, Some(SessionSize::Standard))
            );
        }
    }

    #[test]
    fn an_unreadable_200_is_an_error_because_any_web_server_sends_one() {
        assert!(read_created(&reply(200, "<html>"), &new_session(60), &id()).is_err());
    }

    #[test]
    fn a_failed_session_has_code_and_message() {
        let failed =
            read_body(r#"{"status":"error","error":{"code":"OutOfCapacity","message":"no server","details":[]}}"#);
        let failed = failed.unwrap();
        assert_eq!(
            (failed.error_code.as_deref(), failed.message.as_deref()),
            (Some("OutOfCapacity"), Some("no server"))
        );
        assert_eq!(
            read_body(r#"{"status":"error","error":"no server"}"#).unwrap().message.as_deref(),
            Some("no server")
        );
    }

    #[test]
    fn a_page_links_to_the_next() {
        let one = format!(r#"{{"id":"{ID}","status":"Ready","teraflops":10.6}}"#);
        let page = |rest: &str| read_page(&reply(200, &format!(r#"{{"sessions":[{one}]{rest}}}"#))).unwrap();
        let (sessions, next) = page(r#","@nextLink":"https://x/next""#);
        assert_eq!(
            (sessions[0].id.as_str(), sessions[0].teraflops, next.as_deref()),
            (ID, Some(10.6), Some("https://x/next"))
        );
        for none in ["", r#","@nextLink":null"#, r#","@nextLink":"""#] {
            assert_eq!(page(none).1, None);
        }
        assert!(read_page(&reply(200, "{}")).unwrap().0.is_empty());
    }

    #[test]
    fn a_create_under_the_id_of_an_ended_session_is_a_conflict() {
        for status in ["Stopped", "Expired"] {
            let body = format!(r#"{{"id":"{ID}","status":"{status}"}}"#);
            let error = read_created(&reply(200, &body), &new_session(60), &id()).unwrap_err();
            assert!(error.kind() == ErrorKind::Conflict && error.message().contains("choose another id"), "{error}");
        }
    }

    #[test]
    fn a_conflict_names_the_id_and_what_to_do() {
        let body = r#"{"error":{"code":"Conflict","message":"A resource already exists under the given ID."}}"#;
        let error = read_created(&reply(409, body), &new_session(60), &id()).unwrap_err();
        assert_eq!((error.kind(), error.service_code()), (ErrorKind::Conflict, Some("Conflict")));
        assert!(error.message().contains(ID) && error.message().contains("choose another id"), "{error}");
    }

    #[test]
    fn an_invalid_reply_is_an_error_and_not_a_guess() {
        for body in [
            "",
            "null",
            "{}",
            r#"{"status":"Ready","id":"another"}"#,
            r#"{"status":"Ready","handshakePort":-1}"#,
            r#"{"status":"Ready","maxLeaseTimeMinutes":1.5}"#,
            r#"{"status":"Ready","elapsedTimeMinutes":-1}"#,
            r#"{"status":"Ready","hostname":"a b"}"#,
            &"[".repeat(100_000),
        ] {
            let error = read_body(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{}", &body[..body.len().min(80)]);
        }
        for body in [
            "[]",
            r#"{"sessions":{}}"#,
            r#"{"error":{"code":"Busy"}}"#,
            r#"{"@nextLink":null}"#,
            r#"{"sessions":[{"status":"Ready"}]}"#,
            r#"{"sessions":[{"id":"a/b","status":"Ready"}]}"#,
        ] {
            assert_eq!(read_page(&reply(200, body)).unwrap_err().kind(), ErrorKind::UnexpectedReply, "{body}");
        }
    }
}
