//! Property tests of parsing, for both versions: the meaning of a reply does not depend on how its JSON is written, and
//! no input makes parsing panic.

use super::{reply, service};
use crate::config::ApiVersion;
use crate::error::ErrorKind;
use crate::model::{Lease, NewSession, SessionId, SessionProperties, SessionSize};
use crate::wire::{Reply, Service, token_service};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::time::Duration;

const ID: &str = "e13d2c44-63e0-4591-991e-f9e05e599a93";

fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

fn versions() -> [Service; 2] {
    [ApiVersion::V1, ApiVersion::V2021_01_01].map(|version| Service { version, ..service() })
}

fn new_session() -> NewSession {
    NewSession::new(SessionSize::Standard, Lease::from_secs(3_600).unwrap())
}

/// The relevant members of a session, with values that a service may send.
fn session(version: ApiVersion) -> impl Strategy<Value = Map<String, Value>> {
    let word = |words: &'static [&'static str]| proptest::sample::select(words);
    let status = word(&["Starting", "Ready", "Stopping", "Stopped", "Expired", "Error", "Dreaming"]);
    let size = word(&["Standard", "Premium", "Gigantic"]);
    let text = proptest::option::of("[ -~äß€]{0,40}");
    let port = proptest::option::of(any::<u16>());
    (status, size, "[a-z0-9.-]{0,60}", 0..500_000_u32, 0..500_000_u32, port, text).prop_map(
        move |(status, size, hostname, lease, elapsed, port, message)| {
            let span = |seconds: u32| crate::wire::timespan::format(Duration::from_secs(seconds.into()));
            let members = match version {
                ApiVersion::V1 => json!({
                    "sessionId": ID, "sessionStatus": status, "sessionSize": size, "sessionHostname": hostname,
                    "sessionMaxLeaseTime": span(lease), "sessionElapsedTime": span(elapsed), "message": message,
                    "arrInspectorPort": port, "handshakePort": port,
                }),
                ApiVersion::V2021_01_01 => json!({
                    "id": ID, "status": status, "size": size, "hostname": hostname, "maxLeaseTimeMinutes": lease,
                    "elapsedTimeMinutes": elapsed, "arrInspectorPort": port, "handshakePort": port,
                    "creationTime": "2021-01-29T16:04:29.1569219+00:00", "teraflops": f64::from(lease) / 10.0,
                    "error": message.map(|message| json!({ "code": "Some", "message": message })),
                }),
            };
            members.as_object().unwrap().clone()
        },
    )
}

/// Another way to write the same JSON: extra members, another order, another letter case, white space.
#[derive(Clone, Debug)]
struct Writing {
    strangers: Vec<(String, Value)>,
    order: u64,
    upper: bool,
    space: String,
}

fn writing() -> impl Strategy<Value = Writing> {
    let stranger = prop_oneof![
        Just(Value::Null),
        Just(json!([1, { "a": "\u{0}b" }])),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,9}".prop_map(Value::from)
    ];
    let strangers = proptest::collection::vec(("x[a-zA-Z]{1,9}", stranger), 0..5);
    (strangers, any::<u64>(), any::<bool>(), "[ \\t\\r\\n]{0,3}").prop_map(|(strangers, order, upper, space)| Writing {
        strangers,
        order,
        upper,
        space,
    })
}

impl Writing {
    fn write(&self, session: &Map<String, Value>) -> String {
        let cased = |name: &str, value: &Value| match value.as_str() {
            Some(word)
                if name.to_ascii_lowercase().ends_with("status") || name.to_ascii_lowercase().ends_with("size") =>
            {
                // Unknown words keep their spelling.
                let known = !matches!(word, "Dreaming" | "Gigantic");
                json!(match (known, self.upper) {
                    (false, _) => word.to_owned(),
                    (true, true) => word.to_ascii_uppercase(),
                    (true, false) => word.to_ascii_lowercase(),
                })
            }
            _ => value.clone(),
        };
        let mut members: Vec<(String, Value)> =
            session.iter().map(|(name, value)| (name.clone(), cased(name, value))).collect();
        members.extend(self.strangers.iter().cloned());
        let length = members.len().max(1) as u64;
        members.sort_by_key(|(name, _)| {
            name.bytes().fold(self.order, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
        });
        members.rotate_left(usize::try_from(self.order % length).unwrap());
        let space = &self.space;
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{space}{}{space}:{space}{value}{space}", Value::from(name.as_str())))
            .collect();
        format!("{space}{{{}}}{space}", members.join(","))
    }
}

/// Runs every parser on this reply.
fn read_everything(reply: &Reply) {
    for service in versions() {
        let _ = service.read_created(reply, &service.prepare(&new_session()).unwrap());
        let _ = service.read_properties(reply, &id());
        let _ = service.read_updated(reply, &id());
        let _ = service.read_page(reply);
    }
    let _ = token_service::read_token(reply, &crate::config::Credential::default());
    let _ = reply.error("reading");
}

fn properties(service: &Service, body: &str) -> SessionProperties {
    service.read_properties(&reply(200, body), &id()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_json_form_of_a_session_does_not_matter_in_v1(session in session(ApiVersion::V1), writing in writing()) {
        let [service, _] = versions();
        let plain = Value::Object(session.clone()).to_string();
        let other = writing.write(&session);
        let read = properties(&service, &plain);
        prop_assert_eq!(&read, &properties(&service, &other), "{}", &other);
        let lease = read.max_lease.map(crate::wire::timespan::format);
        prop_assert_eq!(lease.as_deref(), session["sessionMaxLeaseTime"].as_str());
        let elapsed = read.elapsed.map(crate::wire::timespan::format);
        prop_assert_eq!(elapsed.as_deref(), session["sessionElapsedTime"].as_str());
        prop_assert_eq!(read.handshake_port.map_or(0, u64::from), session["handshakePort"].as_u64().unwrap_or(0));
        prop_assert_eq!(read.hostname.as_deref().unwrap_or_default(), session["sessionHostname"].as_str().unwrap());
        let list = |entry: &str| service.read_page(&reply(200, &format!("{{\"sessions\":[{entry},{entry}]}}"))).unwrap();
        prop_assert_eq!(list(&plain), list(&other));
    }

    #[test]
    fn the_json_form_of_a_session_does_not_matter_in_2021(session in session(ApiVersion::V2021_01_01), writing in writing()) {
        let [_, service] = versions();
        let plain = Value::Object(session.clone()).to_string();
        let other = writing.write(&session);
        let read = properties(&service, &plain);
        prop_assert_eq!(&read, &properties(&service, &other), "{}", &other);
        let minutes = |span: Option<Duration>| span.map(|span| span.as_secs() / 60);
        prop_assert_eq!(minutes(read.max_lease), session["maxLeaseTimeMinutes"].as_u64());
        prop_assert_eq!(minutes(read.elapsed), session["elapsedTimeMinutes"].as_u64());
        prop_assert_eq!(read.handshake_port.map_or(0, u64::from), session["handshakePort"].as_u64().unwrap_or(0));
        prop_assert_eq!(read.hostname.as_deref().unwrap_or_default(), session["hostname"].as_str().unwrap());
        prop_assert_eq!(read.creation_time.is_some(), true);
        prop_assert_eq!(read.error_code.is_some(), session["error"].is_object());
        let list = |entry: &str| service.read_page(&reply(200, &format!("{{\"sessions\":[{entry},{entry}]}}"))).unwrap();
        prop_assert_eq!(list(&plain), list(&other));
    }

    #[test]
    fn no_bytes_make_parsing_panic(body in proptest::collection::vec(any::<u8>(), 0..200), status in 100..600_u16) {
        let reply = Reply { status, body: body.into(), ..Reply::default() };
        read_everything(&reply);
    }

    #[test]
    fn bytes_that_are_not_json_are_an_error(body in "[^\\[{ntf0-9\" \t\r\n-].{0,60}") {
        for service in versions() {
            let reply = reply(200, &body);
            prop_assert_eq!(service.read_properties(&reply, &id()).unwrap_err().kind(), ErrorKind::UnexpectedReply);
            prop_assert_eq!(service.read_page(&reply).unwrap_err().kind(), ErrorKind::UnexpectedReply);
            let new = service.prepare(&new_session()).unwrap();
            prop_assert_eq!(service.read_created(&reply, &new).unwrap_err().kind(), ErrorKind::UnexpectedReply);
            let token = token_service::read_token(&reply, &crate::config::Credential::default());
            prop_assert_eq!(token.unwrap_err().kind(), ErrorKind::InvalidToken);
        }
    }

    #[test]
    fn a_damaged_session_is_an_error_or_another_session(
        session in session(ApiVersion::V1),
        newer in session(ApiVersion::V2021_01_01),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for members in [session, newer] {
            let mut bytes = Value::Object(members).to_string().into_bytes();
            let at = place.index(bytes.len());
            bytes[at] = byte;
            read_everything(&Reply { status: 200, body: bytes.clone().into(), ..Reply::default() });
            bytes.truncate(at);
            let cut = Reply { status: 200, body: bytes.into(), ..Reply::default() };
            for service in versions() {
                prop_assert!(service.read_properties(&cut, &id()).is_err());
            }
        }
    }

    #[test]
    fn no_headers_make_parsing_panic(
        retry_after in proptest::option::of(".{0,40}"),
        date in proptest::option::of(".{0,40}"),
        location in proptest::option::of(".{0,80}"),
        status in 100..600_u16,
    ) {
        read_everything(&Reply { status, retry_after, date, location, ..Reply::default() });
    }
}

#[test]
fn endless_json_is_an_error_and_not_a_crash() {
    for piece in ["[", "{\"a\":", "[{\"sessions\":", "{\"error\":{\"error\":", "{\"connectionProperties\":"] {
        let deep = piece.repeat(200_000);
        for status in [200, 400] {
            read_everything(&reply(status, &deep));
        }
    }
}
