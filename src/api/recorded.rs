//! The replies of the real service, where its recorded traffic is at hand: the folder that `ARR_RECORDINGS` names, with one
//! JSON file for each request and reply. Without it these tests say so and pass; the vectors in the modules' own tests
//! cover the same ground.

use super::tests::{ACCOUNT, service};
use super::{Reply, Request, sts, v1};
use crate::credential::Credential;
use crate::error::{ErrorKind, Result};
use crate::session::{Lease, NewSession, SessionId, SessionProperties, SessionSize, SessionStatus};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// One recorded exchange; `None` if there are no recordings.
fn recorded(name: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("ARR_RECORDINGS") else {
        println!("skipped: ARR_RECORDINGS is not set");
        return None;
    };
    let path = PathBuf::from(folder).join(name).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

/// The reply of an exchange, byte for byte.
fn reply(exchange: &Value) -> Reply {
    let response = &exchange["response"];
    let header = |name: &str| {
        let headers = response["headers"].as_object().unwrap();
        headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str().unwrap().to_owned())
    };
    Reply {
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        correlation_vector: header("MS-CV"),
        date: header("Date"),
        location: header("Location"),
        retry_after: header("Retry-After"),
        body: response["body_text_compact"].as_str().unwrap_or_default().as_bytes().to_vec().into(),
    }
}

/// The request of an exchange is this one, placeholders aside.
fn assert_sent(exchange: &Value, request: &Request, placeholders: &[(&str, &str)]) {
    let sent = &exchange["request"];
    let mut url = sent["url"].as_str().unwrap().to_owned();
    for (placeholder, value) in placeholders {
        url = url.replace(placeholder, value);
    }
    assert_eq!((sent["method"].as_str().unwrap(), url.as_str()), (request.method.as_str(), request.url.as_str()));
}

fn new_session() -> NewSession {
    NewSession::new(SessionSize::Standard, Duration::from_secs(4 * 3600)).unwrap()
}

fn key() -> Credential {
    Credential::AccountKey("key=".into())
}

#[test]
fn v1_create() {
    let Some(exchange) = recorded("v1-01-create-202") else { return };
    let request = v1::create(&service(), &new_session());
    assert_sent(&exchange, &request, &[("{accountId}", ACCOUNT)]);
    let created = v1::read_created(&reply(&exchange), &new_session()).unwrap();
    assert_eq!(created.id.as_str(), "d31bddca-dab7-498e-9bc9-7594bc12862f");
}

#[test]
fn v1_properties() {
    let Some(exchange) = recorded("v1-04-properties-200-ready") else { return };
    let id = SessionId::parse("e13d2c44-63e0-4591-991e-f9e05e599a93").unwrap();
    let placeholders = [("{accountId}", ACCOUNT), ("{sessionId}", id.as_str())];
    assert_sent(&exchange, &v1::properties(&service(), &id), &placeholders);
    let read: Result<SessionProperties> = v1::read_properties(&reply(&exchange), &id);
    let hostname = "5018fee8-817e-4366-9179-556af79a4240.remoterenderingvm.westeurope.mixedreality.azure.com";
    assert_eq!(
        read.unwrap(),
        SessionProperties {
            id,
            status: SessionStatus::Ready,
            size: None,
            hostname: Some(hostname.into()),
            arr_inspector_port: None,
            handshake_port: None,
            max_lease: Some(Duration::from_secs(4 * 3600)),
            elapsed: Some(Duration::from_secs(1)),
            message: None,
            age: Duration::ZERO,
        }
    );
}

#[test]
fn v1_update() {
    let Some(exchange) = recorded("v1-02-update-200-empty") else { return };
    let id = SessionId::parse("e13d2c44-63e0-4591-991e-f9e05e599a93").unwrap();
    let lease = Lease::new(Duration::from_secs(5 * 3600)).unwrap();
    let placeholders = [("{accountId}", ACCOUNT), ("{sessionId}", id.as_str())];
    assert_sent(&exchange, &v1::update_lease(&service(), &id, lease), &placeholders);
    assert!(reply(&exchange).is_success());
}

#[test]
fn v1_list() {
    for name in ["v1-03a-list-200-object", "v1-03b-list-200-bare-array"] {
        let Some(exchange) = recorded(name) else { return };
        assert_sent(&exchange, &v1::list(&service()), &[("{accountId}", ACCOUNT)]);
        assert!(v1::read_list(&reply(&exchange)).unwrap().is_empty());
    }
}

#[test]
fn v1_stop() {
    let Some(exchange) = recorded("v1-05-stop-204") else { return };
    let id = SessionId::parse("e13d2c44-63e0-4591-991e-f9e05e599a93").unwrap();
    let placeholders = [("{accountId}", ACCOUNT), ("{sessionId}", id.as_str())];
    assert_sent(&exchange, &v1::stop(&service(), &id), &placeholders);
    assert!(reply(&exchange).is_success());
}

#[test]
fn a_token() {
    for (name, token) in [("v1-06-sts-200", "{token}"), ("09-net-sts-200", "Sanitized")] {
        let Some(exchange) = recorded(name) else { return };
        assert_eq!(sts::read_token(&reply(&exchange), &key()).unwrap().expose(), token);
    }
}

#[test]
fn a_wrong_key() {
    for name in ["19-py-sts-401-empty", "20-py-sts-401-empty-2021"] {
        let Some(exchange) = recorded(name) else { return };
        let error = sts::read_token(&reply(&exchange), &key()).unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(401)));
        assert!(error.correlation_vector().is_some());
    }
}
