//! REST v1: the operations on sessions under `/v1/accounts/{account}/sessions` (docs/service.md).

use super::json::Members;
use super::reply::{Hostname, Reply};
use super::request::{LONGEST_LIST, Method, Request};
use super::target::Target;
use super::timespan;
use crate::config::ApiVersion::V1;
use crate::error::{Error, Result};
use crate::model::{Lease, NewSession, ReplyText, SessionId, SessionProperties, SessionSize, SessionStatus};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Checks the parameters against this version: the service chooses the id.
pub(super) fn prepare(new: &NewSession) -> Result<NewSession> {
    match &new.id {
        None => Ok(new.clone()),
        Some(_) => Err(Error::invalid_argument(
            "with REST v1 the service chooses the session's id; omit `session_id`, or set `api_version` to 2021-01-01",
        )),
    }
}

/// `POST …/sessions/create`
pub(super) fn create(target: &Target, new: &NewSession) -> Request {
    let mut body = new.extra.clone();
    body.insert("maxLeaseTime".into(), timespan::format(new.max_lease.duration()).into());
    body.insert("size".into(), new.size.as_str().into());
    if !new.models.is_empty() {
        // The official script never sends an empty list.
        body.insert("models".into(), new.models.clone().into());
    }
    let url = sessions(target, &["create"]);
    // The service does not recognise a repeated create: each one makes a session. The reply's body is optional, because
    // `Location` may also contain the id.
    let request = Request::unsigned(Method::Post, url, Some(Value::Object(body)));
    Request { repeatable: false, creates: true, needs_body: false, ..request }
}

/// `GET …/sessions/{id}/properties`
pub(super) fn properties(target: &Target, id: &SessionId) -> Request {
    Request::unsigned(Method::Get, sessions(target, &[id.as_str(), "properties"]), None)
}

/// `PATCH …/sessions/{id}`
pub(super) fn update_lease(target: &Target, id: &SessionId, lease: Lease) -> Request {
    let body = json!({ "maxLeaseTime": timespan::format(lease.duration()) });
    Request { needs_body: false, ..Request::unsigned(Method::Patch, sessions(target, &[id.as_str()]), Some(body)) }
}

/// `GET …/sessions`
pub(super) fn list(target: &Target) -> Request {
    Request { longest_reply: LONGEST_LIST, ..Request::unsigned(Method::Get, sessions(target, &[]), None) }
}

/// `DELETE …/sessions/{id}`
pub(super) fn stop(target: &Target, id: &SessionId) -> Request {
    Request { needs_body: false, ..Request::unsigned(Method::Delete, sessions(target, &[id.as_str()]), None) }
}

fn sessions(target: &Target, rest: &[&str]) -> Arc<Url> {
    target.sessions(Some("v1"), rest, None)
}

/// The new session's id: from the body, or else the last segment of `Location`, which the service sends as a relative
/// path.
pub(super) fn read_created(reply: &Reply, new: &NewSession) -> Result<SessionProperties> {
    const CALL: &str = "creating the session";
    if !reply.is_success() {
        return Err(reply.error(CALL));
    }
    let text = reply.text();
    let from_body = Members::read_damaged(&text).text("sessionId").ok().flatten();
    let id = from_body
        .as_deref()
        .or_else(|| id_behind_damage(&text))
        .and_then(|id| reply.session_id(id))
        .or_else(|| reply.session_id(id_of_location(reply.location.as_deref()?)?));
    let id = id.ok_or_else(|| reply.unexpected(CALL, "it has no usable session id"))?;
    Ok(SessionProperties::created(id, new))
}

/// The only `"sessionId"` in JSON that is damaged before it, as by `NaN` or a control character in another member.
fn id_behind_damage(json: &str) -> Option<&str> {
    let mut parts = json.split("\"sessionId\"").skip(1);
    let (Some(rest), None) = (parts.next(), parts.next()) else { return None };
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(value.split_once('"')?.0)
}

/// The id in `accounts/{account}/sessions/{id}`. A truncated location, as printed in the document, has none.
fn id_of_location(location: &str) -> Option<&str> {
    let location = location.split(['?', '#']).next()?;
    let mut segments = location.trim_end_matches('/').rsplit('/');
    let (last, before) = (segments.next()?, segments.next()?);
    (before == "sessions").then_some(last)
}

pub(super) fn read_properties(reply: &Reply, call: &str, id: &SessionId) -> Result<SessionProperties> {
    if !reply.is_success() {
        return Err(reply.error(call));
    }
    let text = reply.text();
    let members = reply.members(&text, call)?;
    let unexpected = |what: &str| reply.unexpected(call, what);
    let other = members.text("sessionId").map_err(|what| unexpected(&what))?;
    let is_same = |other: &str| SessionId::parse(other).is_ok_and(|other| other.key(V1) == id.key(V1));
    if other.is_some_and(|other| !is_same(&other)) {
        return Err(unexpected("it is about another session"));
    }
    Ok(read_members(&members, id.clone(), reply, call)?.read_from(&text))
}

/// The document shows both an object with `sessions` and a bare array. An empty list may be null or missing.
pub(super) fn read_list(reply: &Reply) -> Result<Vec<SessionProperties>> {
    const CALL: &str = "listing the sessions";
    if !reply.is_success() {
        return Err(reply.error(CALL));
    }
    let text = reply.text();
    let read = |entry, members: &Members| read_entry(entry, members, reply, CALL);
    Ok(reply.sessions(&text, true, CALL, read)?.1)
}

/// An entry of the list. Listed sessions cost money, so an entry that differs from the documentation is still listed,
/// with its id and status.
fn read_entry(entry: &str, members: &Members, reply: &Reply, call: &str) -> Result<SessionProperties> {
    let text = |name| members.text(name).ok().flatten();
    let id = text("sessionId").and_then(|id| reply.session_id(&id));
    let id = id.ok_or_else(|| reply.unexpected(call, "an entry has no usable session id"))?;
    let read = read_members(members, id.clone(), reply, call);
    let status = || SessionStatus::read(&text("sessionStatus").unwrap_or_default());
    Ok(read.unwrap_or_else(|_| SessionProperties::bare(id, status())).read_from(entry))
}

/// The members of a session. All but the status may be missing or null. For a while the ports were in
/// `connectionProperties`.
fn read_members(members: &Members, id: SessionId, reply: &Reply, call: &str) -> Result<SessionProperties> {
    let unexpected = |what: &str| reply.unexpected(call, what);
    let text = |name| members.text(name).map_err(|what| unexpected(&what));
    let span = |name| match text(name)? {
        Some(text) => timespan::parse(&text).map(Some).ok_or_else(|| unexpected("it has a malformed time span")),
        None => Ok(None),
    };
    let nested = members.object("connectionProperties").map_err(|what| unexpected(&what))?.unwrap_or_default();
    let port = |name| {
        let port =
            members.get::<u16>(name).and_then(|port| port.map_or_else(|| nested.get(name), |port| Ok(Some(port))));
        port.map(|port| port.filter(|port| *port != 0)).map_err(|what| unexpected(&what))
    };
    let status = text("sessionStatus")?.ok_or_else(|| unexpected("it has no status"))?;
    Ok(SessionProperties {
        id,
        status: SessionStatus::read(&status),
        size: text("sessionSize")?.as_deref().map(SessionSize::read),
        hostname: Hostname::read(text("sessionHostname")?, unexpected)?,
        arr_inspector_port: port("arrInspectorPort")?,
        handshake_port: port("handshakePort")?,
        max_lease: span("sessionMaxLeaseTime")?,
        elapsed: span("sessionElapsedTime")?,
        creation_time: None,
        teraflops: None,
        error_code: None,
        message: reply.printable_member(members, "message"),
        age: Duration::ZERO,
        reply: ReplyText::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::wire::tests::{reply, service};

    const ID: &str = "e13d2c44-63e0-4591-991e-f9e05e599a93";

    fn new_session() -> NewSession {
        NewSession::new(SessionSize::Premium, Lease::from_secs(5 * 3600).unwrap())
    }

    fn read(body: &str) -> Result<SessionProperties> {
        read_properties(&reply(200, body), "reading", &SessionId::parse(ID).unwrap())
    }

    #[test]
    fn requests_match_the_document() {
        let base = "https://remoterendering.westus2.mixedreality.azure.com/v1/accounts/68321d5a-7978-4ceb-b880-0f49751daae9/sessions";
        let id = SessionId::parse(ID).unwrap();
        for (request, method, path) in [
            (create(&service().target, &new_session()), Method::Post, "/create".to_owned()),
            (properties(&service().target, &id), Method::Get, format!("/{ID}/properties")),
            (stop(&service().target, &id), Method::Delete, format!("/{ID}")),
            (update_lease(&service().target, &id, hours(5)), Method::Patch, format!("/{ID}")),
            (list(&service().target), Method::Get, String::new()),
        ] {
            assert_eq!((request.method, request.url.as_str()), (method, format!("{base}{path}").as_str()));
        }
        let body: Value = serde_json::from_str(&create(&service().target, &new_session()).body.unwrap()).unwrap();
        assert_eq!(body, json!({ "maxLeaseTime": "05:00:00", "size": "premium" }));
        let body: Value = serde_json::from_str(&update_lease(&service().target, &id, hours(24)).body.unwrap()).unwrap();
        assert_eq!(body, json!({ "maxLeaseTime": "1.00:00:00" }), "24:00:00 would be 24 days");
    }

    fn hours(hours: u64) -> Lease {
        Lease::new(Duration::from_secs(hours * 3_600)).unwrap()
    }

    #[test]
    fn a_create_sends_models_and_extra_members() {
        let new = new_session().with_models(["https://x/a.arrAsset"]).unwrap();
        let new = new.with_extra_json(r#"{"directConnectionSession":"false","x":{"y":[1]}}"#).unwrap();
        let request = create(&service().target, &new);
        assert!(!request.repeatable);
        let body: Value = serde_json::from_str(&request.body.unwrap()).unwrap();
        assert_eq!(
            body,
            json!({ "maxLeaseTime": "05:00:00", "size": "premium", "models": ["https://x/a.arrAsset"],
                    "directConnectionSession": "false", "x": { "y": [1] } })
        );
    }

    #[test]
    fn a_list_is_read_in_every_documented_form() {
        let one = format!(r#"{{"sessionId":"{ID}","sessionStatus":"Ready","sessionMaxLeaseTime":"04:00:00","new":1}}"#);
        for body in
            [format!(r#"{{"sessions":[{one}]}}"#), format!("[{one}]"), format!(r#"{{"x":0,"sessions":[{one}]}}"#)]
        {
            let sessions = read_list(&reply(200, &body)).unwrap();
            assert_eq!((sessions.len(), sessions[0].id.as_str()), (1, ID), "{body}");
            assert_eq!(sessions[0].max_lease, Some(Duration::from_secs(4 * 3_600)));
            assert_eq!(sessions[0].reply.get().unwrap().as_deref(), Some(one.as_str()), "as received");
        }
        for body in [r#"{"sessions":[]}"#, "[]", r#"{"sessions":null}"#, "{}"] {
            assert!(read_list(&reply(200, body)).unwrap().is_empty(), "{body}");
        }
    }

    #[test]
    fn a_malformed_list_is_an_error() {
        for body in [
            "",
            "null",
            "7",
            r#"{"sessions":{}}"#,
            r#"{"error":{"code":"Busy"}}"#,
            r#"{"x":0}"#,
            r#"{"sessions":[7]}"#,
            r#"[{"sessionStatus":"Ready"}]"#,
            r#"[{"sessionId":"../x","sessionStatus":"Ready"}]"#,
            &"[".repeat(100_000),
        ] {
            let error = read_list(&reply(200, body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{}", &body[..body.len().min(80)]);
        }
        assert_eq!(read_list(&reply(403, "")).unwrap_err().kind(), ErrorKind::Forbidden);
    }

    #[test]
    fn odd_entries_are_still_listed() {
        let odd = format!(r#"{{"sessionId":"{ID}","sessionStatus":"Ready","sessionMaxLeaseTime":"24:00:00"}}"#);
        let odder = r#"{"sessionId":"b","handshakePort":-1}"#;
        let sessions = read_list(&reply(200, &format!("[{odd},{odder}]"))).unwrap();
        assert_eq!(
            (sessions[0].id.as_str(), &sessions[0].status, sessions[0].max_lease),
            (ID, &SessionStatus::Ready, None)
        );
        assert_eq!((sessions[1].id.as_str(), sessions[1].handshake_port), ("b", None));
    }

    #[test]
    fn a_created_session_has_its_id_and_the_requested_parameters() {
        let created = read_created(&reply(202, &format!(r#"{{"sessionId":"{ID}"}}"#)), &new_session()).unwrap();
        assert_eq!((created.id.as_str(), created.status), (ID, SessionStatus::Starting));
        assert_eq!(
            (created.size, created.max_lease),
            (Some(SessionSize::Premium), Some(Duration::from_secs(5 * 3600)))
        );
    }

    #[test]
    fn a_missing_id_is_taken_from_the_location() {
        for body in ["", "{}", "[]", r#"{"sessionId":null}"#] {
            for end in ["", "/", "?api-version=1", "/?a=b/c#d"] {
                let location = Some(format!("accounts/1111/sessions/{ID}{end}"));
                let with_location = Reply { location, ..reply(202, body) };
                assert_eq!(read_created(&with_location, &new_session()).unwrap().id.as_str(), ID);
            }
            assert_eq!(read_created(&reply(202, body), &new_session()).unwrap_err().kind(), ErrorKind::UnexpectedReply);
        }
        // Truncated, as printed in the document.
        let cut = Reply { location: Some("accounts/11111111-1111-1111-11...".into()), ..reply(202, "") };
        assert!(read_created(&cut, &new_session()).is_err());
    }

    #[test]
    fn damage_before_the_id_does_not_hide_it() {
        for before in ["\"x\":NaN,", "\"x\":\"\u{1}\n\",", "x:1,"] {
            let body = format!(r#"{{{before}"sessionId" : "{ID}","y":1}}"#);
            assert_eq!(read_created(&reply(202, &body), &new_session()).unwrap().id.as_str(), ID, "{body}");
        }
        let two = format!(r#"{{"x":NaN,"y":{{"sessionId":"a"}},"sessionId":"{ID}"}}"#);
        assert!(read_created(&reply(202, &two), &new_session()).is_err(), "which one is not known");
    }

    #[test]
    fn of_two_lists_in_a_reply_the_last_is_read() {
        let entry = |id: &str| format!(r#"{{"sessionId":"{id}","sessionStatus":"ready"}}"#);
        let body = format!(r#"{{"sessions":[{}],"sessions":[{}]}}"#, entry("first"), entry("last"));
        let ids = |body: &str| -> Result<Vec<_>> {
            Ok(read_list(&reply(200, body))?.into_iter().map(|session| session.id.to_string()).collect())
        };
        assert_eq!(ids(&body).unwrap(), ["last"]);
        assert!(ids(&body.replace("ready\"}]}", "ready\"},7]}")).is_err());
    }

    #[test]
    fn a_ready_session_is_read_as_documented() {
        let ready = read(&format!(
            r#"{{"message":null,"sessionElapsedTime":"00:00:01","sessionHostname":"5018fee8.remoterenderingvm.westeurope.mixedreality.azure.com",
                "sessionId":"{ID}","sessionMaxLeaseTime":"04:00:00","sessionStatus":"Ready"}}"#
        ))
        .unwrap();
        assert_eq!(ready.status, SessionStatus::Ready);
        assert_eq!(ready.hostname.as_deref(), Some("5018fee8.remoterenderingvm.westeurope.mixedreality.azure.com"));
        assert_eq!(ready.remaining(), Some(Duration::from_secs(4 * 3600 - 1)));
        assert_eq!((ready.message, ready.size, ready.handshake_port), (None, None, None));
    }

    #[test]
    fn null_missing_and_empty_are_equivalent() {
        let nulls = read(
            r#"{"message":null,"sessionElapsedTime":null,"sessionHostname":null,"sessionId":null,"sessionMaxLeaseTime":null,
                "sessionSize":null,"sessionStatus":"starting","arrInspectorPort":null,"handshakePort":0,"connectionProperties":null}"#,
        )
        .unwrap();
        assert_eq!(nulls, read(r#"{"sessionStatus":"Starting"}"#).unwrap());
        assert_eq!(nulls, read(r#"{"sessionStatus":"STARTING","sessionHostname":"","message":"","new":[1]}"#).unwrap());
    }

    #[test]
    fn ports_are_found_at_the_top_and_under_connection_properties() {
        let top = read(r#"{"sessionStatus":"ready","arrInspectorPort":50051,"handshakePort":50052}"#).unwrap();
        let nested = read(
            r#"{"sessionStatus":"ready","connectionProperties":{"arrInspectorPort":50051,"handshakePort":50052}}"#,
        )
        .unwrap();
        assert_eq!((top.arr_inspector_port, top.handshake_port), (Some(50_051), Some(50_052)));
        assert_eq!(top, nested);
    }

    #[test]
    fn an_invalid_reply_is_an_error_and_not_a_guess() {
        for body in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"sessionStatus":7}"#,
            r#"{"sessionStatus":"Ready","sessionMaxLeaseTime":"24:00:00"}"#,
            r#"{"sessionStatus":"Ready","handshakePort":70000}"#,
            r#"{"sessionStatus":"Ready","sessionId":"d31bddca-dab7-498e-9bc9-7594bc12862f"}"#,
            &format!(r#"{{"sessionStatus":"Ready","sessionHostname":"{}"}}"#, "x".repeat(254)),
            &"[".repeat(100_000),
        ] {
            let error = read(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{}", &body[..body.len().min(80)]);
            assert_eq!(error.http_status(), Some(200));
        }
    }
}
