//! REST v1: the operations on sessions under `/v1/accounts/{account}/sessions` (docs/service.md).

use super::{Method, Reply, Request, Service, printable};
use crate::error::Result;
use crate::session::{NewSession, SessionId, SessionProperties, SessionSize, SessionStatus};
use crate::timespan;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// The documentation's own sample polls every ten seconds; five is called the least.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// The longest host name that DNS allows, in characters.
const LONGEST_HOSTNAME: usize = 253;

/// `POST …/sessions/create`
pub(super) fn create(service: &Service, new: &NewSession) -> Request {
    let size = match &new.size {
        SessionSize::Standard => "standard",
        SessionSize::Premium => "premium",
        SessionSize::Unknown(name) => name,
    };
    let body = json!({ "maxLeaseTime": timespan::format(new.max_lease.duration()), "size": size });
    // Nothing marks a repeated create as such: each makes a session.
    Request { repeatable: false, ..Request::unsigned(Method::Post, sessions(service, &["create"]), Some(body)) }
}

/// `GET …/sessions/{id}/properties`
pub(super) fn properties(service: &Service, id: &SessionId) -> Request {
    Request::unsigned(Method::Get, sessions(service, &[id.as_str(), "properties"]), None)
}

/// `DELETE …/sessions/{id}`
pub(super) fn stop(service: &Service, id: &SessionId) -> Request {
    Request::unsigned(Method::Delete, sessions(service, &[id.as_str()]), None)
}

fn sessions(service: &Service, rest: &[&str]) -> url::Url {
    service.endpoint.join(&[&["v1", "accounts", service.account_id.as_str(), "sessions"], rest].concat())
}

/// The new session's id: from the body, else the last segment of `Location`, which the service sends as a relative path.
pub(super) fn read_created(reply: &Reply, new: &NewSession) -> Result<SessionProperties> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "sessionId")]
        session_id: Option<String>,
    }
    const CALL: &str = "creating the session";
    if !reply.is_success() {
        return Err(reply.error(CALL));
    }
    let from_body = serde_json::from_slice::<Body>(&reply.body).ok().and_then(|body| body.session_id);
    let id = from_body.and_then(|id| SessionId::parse(&id).ok()).or_else(|| id_of_location(reply.location.as_deref()?));
    let id = id.ok_or_else(|| reply.unexpected(CALL, "there is no usable session id in it"))?;
    Ok(SessionProperties::created(id, new))
}

/// The id in `accounts/{account}/sessions/{id}`. A location that is cut off, as the document prints it, has none.
fn id_of_location(location: &str) -> Option<SessionId> {
    let mut segments = location.trim_end_matches('/').rsplit('/');
    let (last, before) = (segments.next()?, segments.next()?);
    if before == "sessions" { SessionId::parse(last).ok() } else { None }
}

/// The members of a properties reply. All may be missing or null; ports stood under `connectionProperties` for a while.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    message: Option<String>,
    session_elapsed_time: Option<String>,
    session_hostname: Option<String>,
    session_id: Option<String>,
    session_max_lease_time: Option<String>,
    session_size: Option<String>,
    session_status: Option<String>,
    #[serde(flatten)]
    ports: Ports,
    connection_properties: Option<Ports>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ports {
    arr_inspector_port: Option<u16>,
    handshake_port: Option<u16>,
}

pub(super) fn read_properties(reply: &Reply, id: &SessionId) -> Result<SessionProperties> {
    const CALL: &str = "reading the session's properties";
    if !reply.is_success() {
        return Err(reply.error(CALL));
    }
    let read: Properties = reply.json(CALL)?;
    let unexpected = |what: &str| reply.unexpected(CALL, what);
    // Null, missing and empty mean the same.
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let span = |text: Option<String>| match given(text) {
        Some(text) => timespan::parse(&text).map(Some).ok_or_else(|| unexpected("a time span in it is malformed")),
        None => Ok(None),
    };
    if given(read.session_id).is_some_and(|other| !other.eq_ignore_ascii_case(id.as_str())) {
        return Err(unexpected("it is about another session"));
    }
    let hostname = given(read.session_hostname);
    let is_hostname =
        |name: &String| name.len() <= LONGEST_HOSTNAME && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !hostname.as_ref().is_none_or(is_hostname) {
        return Err(unexpected("the host name in it cannot be one"));
    }
    let status = given(read.session_status).ok_or_else(|| unexpected("there is no status in it"))?;
    let nested = read.connection_properties.unwrap_or_default();
    let port = |top: Option<u16>, nested: Option<u16>| top.or(nested).filter(|port| *port != 0);
    Ok(SessionProperties {
        id: id.clone(),
        status: SessionStatus::read(&status),
        size: given(read.session_size).as_deref().map(SessionSize::read),
        hostname,
        arr_inspector_port: port(read.ports.arr_inspector_port, nested.arr_inspector_port),
        handshake_port: port(read.ports.handshake_port, nested.handshake_port),
        max_lease: span(read.session_max_lease_time)?,
        elapsed: span(read.session_elapsed_time)?,
        message: read.message.as_deref().and_then(printable),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tests::{reply, service};
    use crate::error::ErrorKind;
    use serde_json::Value;

    const ID: &str = "e13d2c44-63e0-4591-991e-f9e05e599a93";

    fn new_session() -> NewSession {
        NewSession::new(SessionSize::Premium, Duration::from_secs(5 * 3600)).unwrap()
    }

    fn read(body: &str) -> Result<SessionProperties> {
        read_properties(&reply(200, body), &SessionId::parse(ID).unwrap())
    }

    #[test]
    fn requests_are_those_of_the_document() {
        let base = "https://remoterendering.westus2.mixedreality.azure.com/v1/accounts/68321d5a-7978-4ceb-b880-0f49751daae9/sessions";
        let id = SessionId::parse(ID).unwrap();
        for (request, method, path) in [
            (create(&service(), &new_session()), Method::Post, "/create".to_owned()),
            (properties(&service(), &id), Method::Get, format!("/{ID}/properties")),
            (stop(&service(), &id), Method::Delete, format!("/{ID}")),
        ] {
            assert_eq!((request.method, request.url.as_str()), (method, format!("{base}{path}").as_str()));
        }
        let body: Value = serde_json::from_str(&create(&service(), &new_session()).body.unwrap()).unwrap();
        assert_eq!(body, json!({ "maxLeaseTime": "05:00:00", "size": "premium" }));
    }

    #[test]
    fn a_created_session_is_known_by_its_id_and_by_what_was_asked_for() {
        let created = read_created(&reply(202, &format!(r#"{{"sessionId":"{ID}"}}"#)), &new_session()).unwrap();
        assert_eq!((created.id.as_str(), created.status), (ID, SessionStatus::Starting));
        assert_eq!(
            (created.size, created.max_lease),
            (Some(SessionSize::Premium), Some(Duration::from_secs(5 * 3600)))
        );
    }

    #[test]
    fn the_location_stands_in_for_a_missing_id() {
        for body in ["", "{}", "[]", r#"{"sessionId":null}"#] {
            let with_location = Reply { location: Some(format!("accounts/1111/sessions/{ID}/")), ..reply(202, body) };
            assert_eq!(read_created(&with_location, &new_session()).unwrap().id.as_str(), ID);
            assert_eq!(read_created(&reply(202, body), &new_session()).unwrap_err().kind(), ErrorKind::UnexpectedReply);
        }
        // As the document prints it: cut off.
        let cut = Reply { location: Some("accounts/11111111-1111-1111-11...".into()), ..reply(202, "") };
        assert!(read_created(&cut, &new_session()).is_err());
    }

    #[test]
    fn a_ready_session_is_read_as_the_document_prints_it() {
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
    fn null_missing_and_empty_mean_the_same() {
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
    fn what_cannot_be_meant_is_an_error_and_not_a_guess() {
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
