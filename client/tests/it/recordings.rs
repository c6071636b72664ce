//! Recorded replies, through the real transport: a server sends their status, headers and bytes, and the outcome must
//! have every field. The recordings are the project's own vectors (`vectors.json`) and, if available, the real
//! service's traffic, in the folder `ARR_RECORDINGS`. `src/wire/tests/recorded.rs` compares the requests.

use crate::support::scripted::{Act, Scripted, reply};
use arr_client::{
    ApiVersion, Client, ClientConfig, Error, ErrorKind, Lease, NewSession, SessionId, SessionProperties, SessionSize,
    SessionStatus,
};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// Headers that differ from the recorded reply, and why.
const CORRECTED: [(&str, &str, &str); 2] = [
    ("v1-04", "Content-Length", "the document's 60 cannot belong to its body, which has more than 200 bytes"),
    ("21-", "content-length", "the recorder has replaced the real token with a shorter one"),
];

/// Replies whose tokens were replaced by the recorders or in the document.
const NO_TOKENS: [&str; 3] = ["09-", "21-", "v1-06"];

#[test]
fn our_vectors_are_read_completely() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    for exchange in &vectors {
        replay(exchange["name"].as_str().unwrap(), exchange);
    }
}

#[test]
fn the_services_recorded_replies_are_read_completely() {
    let Some(folder) = std::env::var_os("ARR_RECORDINGS").map(PathBuf::from) else {
        println!("skipped: ARR_RECORDINGS is not set");
        return;
    };
    let mut replayed = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let exchange: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        if exchange.get("response").is_some() {
            replay(&file.file_stem().unwrap().to_string_lossy(), &exchange);
            replayed += 1;
        }
    }
    assert!(replayed >= 34, "only {replayed} exchanges were found");
}

/// The bytes of a recorded reply.
fn bytes(name: &str, response: &Value) -> String {
    let body = response["body_text_compact"].as_str().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} Recorded\r\n", response["status"]);
    let corrected =
        |header: &str| CORRECTED.iter().any(|(start, corrected, _)| name.starts_with(start) && header == *corrected);
    let mut framed = response["status"] == 204;
    for (header, value) in response["headers"].as_object().unwrap() {
        if !corrected(header) {
            framed |= header.eq_ignore_ascii_case("content-length");
            head.push_str(&format!("{header}: {}\r\n", value.as_str().unwrap()));
        }
    }
    if !framed {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}")
}

fn header<'a>(response: &'a Value, name: &str) -> Option<&'a str> {
    let headers = response["headers"].as_object().unwrap();
    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
}

fn replay(name: &str, exchange: &Value) {
    let (request, response) = (&exchange["request"], &exchange["response"]);
    let server = replayed(name, request, response);
    // Compares the request line without the account; `src/wire/tests/recorded.rs` compares bodies and headers.
    if let Some(server) = server.filter(|_| !name.starts_with("22-") && !name.starts_with("23-")) {
        let url = request["url"].as_str().unwrap();
        let path = &url[url.find("://").unwrap() + 3..];
        let recorded = format!("{} {}", request["method"].as_str().unwrap(), &path[path.find('/').unwrap()..]);
        let line = server.requests().last().unwrap().line.clone();
        assert_eq!(without_account(&line), without_account(&recorded), "{name}");
    }
}

/// A request without its account and the document's placeholders.
fn without_account(line: &str) -> String {
    let line = line.replace("{sessionId}", "e13d2c44-63e0-4591-991e-f9e05e599a93");
    match line.split_once("/accounts/") {
        Some((before, rest)) => format!("{before}/accounts/{}", rest.split_once('/').map_or("", |(_, rest)| rest)),
        None => line,
    }
}

/// Replays one exchange, and returns the server that answered a session request.
fn replayed(name: &str, request: &Value, response: &Value) -> Option<Scripted> {
    let url = request["url"].as_str().unwrap();
    let path = url.split("://").nth(1).unwrap().split_once('/').unwrap().1.split('?').next().unwrap();
    let segments: Vec<&str> = path.split('/').collect();
    let answer = bytes(name, response);
    if segments.last() == Some(&"token") {
        check_token(name, response, answer);
        return None;
    }
    let (version, segments) = match segments.as_slice() {
        ["v1", rest @ ..] => (ApiVersion::V1, rest),
        rest => (ApiVersion::V2021_01_01, rest),
    };
    let id = segments.get(3).copied().filter(|id| !id.contains('{') && *id != "create");
    let id = SessionId::parse(id.unwrap_or("e13d2c44-63e0-4591-991e-f9e05e599a93")).unwrap();
    Some(match (request["method"].as_str().unwrap(), segments.len()) {
        _ if segments[2] == "conversions" => {
            let (server, client) = client(version, answer);
            let error = client.list_sessions().run().unwrap_err();
            if response["status"] == 200 {
                assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{name}: it is no list of sessions");
            } else {
                check_error(name, response, &error);
            }
            server
        }
        ("GET", 3) => check_list(name, response, version, answer),
        ("PUT", _) | ("POST", 4) => check_create(name, response, version, answer, &id),
        (method, _) => check_session(name, method, response, version, answer, &id),
    })
}

/// A server that answers everything except tokens like this, and a client of it without retries.
fn client(version: ApiVersion, answer: String) -> (Scripted, Client) {
    let server = Scripted::always(Act::Answer(answer));
    let client = server.client(ClientConfig { api_version: version, max_retries: 0, ..ClientConfig::default() });
    (server, client)
}

fn check_token(name: &str, response: &Value, answer: String) {
    let server = Scripted::with_tokens(answer, |_| Act::Close);
    let client = server.client(ClientConfig { max_retries: 0, ..ClientConfig::default() });
    let token = client.access_token().run();
    let body = response["body_text_compact"].as_str().filter(|body| !body.is_empty());
    if NO_TOKENS.iter().any(|start| name.starts_with(start)) {
        // 21 has a real token, but it had expired when it was recorded.
        assert_eq!(token.unwrap_err().kind(), ErrorKind::InvalidToken, "{name}");
        return;
    }
    match (response["status"].as_u64(), body) {
        (Some(200), Some(body)) => {
            let body: Value = serde_json::from_str(body).unwrap();
            let token = token.unwrap();
            assert_eq!(Some(token.token.expose()), body["AccessToken"].as_str(), "{name}");
            assert!(token.remaining > Some(Duration::from_secs(86_400)), "{name}");
        }
        _ => check_error(name, response, &token.unwrap_err()),
    }
}

fn check_list(name: &str, response: &Value, version: ApiVersion, answer: String) -> Scripted {
    let (server, client) = client(version, answer);
    let listed = client.list_sessions().run();
    if response["status"] != 200 {
        check_error(name, response, &listed.unwrap_err());
        return server;
    }
    let body: Value = serde_json::from_str(response["body_text_compact"].as_str().unwrap()).unwrap();
    let entries = body.as_array().or(body["sessions"].as_array()).cloned().unwrap_or_default();
    let listed = listed.unwrap();
    assert_eq!(listed.len(), entries.len(), "{name}");
    for (listed, entry) in listed.iter().zip(&entries) {
        check_fields(name, entry, &listed.properties);
    }
    assert_eq!(server.seen().len(), 2, "{name}: there is no other page");
    server
}

fn check_create(name: &str, response: &Value, version: ApiVersion, answer: String, id: &SessionId) -> Scripted {
    let (server, client) = client(version, answer);
    let new = NewSession::new(SessionSize::Standard, Lease::new(Duration::from_secs(3_600)).unwrap());
    let new = if version == ApiVersion::V1 { new } else { new.with_id(id.clone()) };
    let created = client.create_session(&new).run().map(|session| session.known_properties());
    if response["status"].as_u64() >= Some(300) {
        check_error(name, response, &created.unwrap_err());
        return server;
    }
    let body: Value = serde_json::from_str(response["body_text_compact"].as_str().unwrap()).unwrap();
    let mut created = created.unwrap();
    created.age = Duration::ZERO;
    check_fields(name, &body, &created);
    server
}

/// A call on a session, which is first opened with a reply of ours.
fn check_session(
    name: &str,
    method: &str,
    response: &Value,
    version: ApiVersion,
    answer: String,
    id: &SessionId,
) -> Scripted {
    let first = std::sync::atomic::AtomicBool::new(method != "GET");
    let opened = match version {
        ApiVersion::V1 => r#"{"sessionStatus":"Starting"}"#,
        _ => r#"{"status":"Starting"}"#,
    };
    let server = Scripted::by(move |_| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
        true => Act::Answer(reply("200 OK", "", opened)),
        false => Act::Answer(answer.clone()),
    });
    let client = server.client(ClientConfig { api_version: version, max_retries: 0, ..ClientConfig::default() });
    let session = client.open_session(id).run();
    let outcome = match method {
        "GET" => session.map(|session| Some(session.known_properties())),
        "PATCH" => session.unwrap().update_lease(Lease::new(Duration::from_secs(7_200)).unwrap()).run().map(Some),
        _ => session.unwrap().stop().run().map(|stopped| {
            assert_eq!(stopped.already_gone, response["status"] == 404, "{name}");
            None
        }),
    };
    match (outcome, response["body_text_compact"].as_str().filter(|body| !body.is_empty())) {
        (Ok(Some(read)), Some(body)) => {
            let body: Value = serde_json::from_str(body).unwrap();
            let mut read = read;
            read.age = Duration::ZERO;
            check_fields(name, &body, &read);
        }
        (Ok(Some(known)), None) => assert_eq!(known.max_lease, Some(Duration::from_secs(7_200)), "{name}"),
        (Ok(None), _) => {}
        (Err(error), _) => check_error(name, response, &error),
    }
    server
}

/// Asserts that every member of a session's body was read.
fn check_fields(name: &str, body: &Value, read: &SessionProperties) {
    let minutes = |value: &Value| value.as_u64().map(|minutes| Duration::from_secs(minutes * 60));
    let span = |value: &Value| value.as_str().map(seconds);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let port = |value: &Value| value.as_u64().filter(|port| *port != 0).map(|port| u16::try_from(port).unwrap());
    // It has advanced since the reply.
    let elapsed = read.elapsed.map(|elapsed| Duration::from_secs(elapsed.as_secs()));
    for (member, value) in body.as_object().unwrap() {
        let what = format!("{name}: {member}");
        match member.as_str() {
            "id" | "sessionId" => assert_eq!(Some(read.id.as_str()), value.as_str(), "{what}"),
            "status" | "sessionStatus" => {
                let word = value.as_str().unwrap().to_ascii_lowercase();
                assert_eq!(format!("{:?}", read.status).to_ascii_lowercase(), word, "{what}");
            }
            "size" | "sessionSize" => {
                let word = value.as_str().unwrap().to_ascii_lowercase();
                assert_eq!(format!("{:?}", read.size.as_ref().unwrap()).to_ascii_lowercase(), word, "{what}");
            }
            "hostname" | "sessionHostname" => assert_eq!(read.hostname, text(value), "{what}"),
            "arrInspectorPort" => assert_eq!(read.arr_inspector_port, port(value), "{what}"),
            "handshakePort" => assert_eq!(read.handshake_port, port(value), "{what}"),
            "elapsedTimeMinutes" => assert_eq!(elapsed, minutes(value), "{what}"),
            "maxLeaseTimeMinutes" => assert_eq!(read.max_lease, minutes(value), "{what}"),
            "sessionElapsedTime" => assert_eq!(elapsed, span(value), "{what}"),
            "sessionMaxLeaseTime" => assert_eq!(read.max_lease, span(value), "{what}"),
            "teraflops" => assert_eq!(read.teraflops, value.as_f64().filter(|it| *it > 0.0), "{what}"),
            "message" => assert_eq!(read.message, text(value), "{what}"),
            "error" => {
                assert_eq!(read.message, text(&value["message"]), "{what}");
                assert_eq!(read.error_code, text(&value["code"]), "{what}");
            }
            "creationTime" => assert_eq!(read.creation_time, Some(moment(value.as_str().unwrap())), "{what}"),
            _ => panic!("{what} is not checked"),
        }
    }
    assert!(!matches!(read.status, SessionStatus::Unknown(_)), "{name}");
}

/// `[d.]hh:mm:ss`
fn seconds(text: &str) -> Duration {
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let clock = clock.split(':').fold(0, |sum, field| sum * 60 + field.parse::<u64>().unwrap());
    Duration::from_secs(days.parse::<u64>().unwrap() * 86_400 + clock)
}

/// `yyyy-mm-ddThh:mm:ss.fffffff` in UTC.
fn moment(text: &str) -> std::time::SystemTime {
    let (date_and_time, fraction) = text.trim_end_matches("+00:00").trim_end_matches('Z').split_once('.').unwrap();
    let days_of = |year: u64, month: u64, day: u64| {
        // Days since 1970 of the proleptic Gregorian calendar, by the months from March on.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
    };
    let numbers: Vec<u64> = date_and_time.split(['-', 'T', ':']).map(|field| field.parse().unwrap()).collect();
    let [year, month, day, hour, minute, second] = numbers[..] else { panic!("{text}") };
    let whole = days_of(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let nanoseconds = format!("{fraction:0<9}").parse().unwrap();
    UNIX_EPOCH + Duration::new(whole, nanoseconds)
}

/// Asserts that an error has the reply's status, vector, pause, code and message.
fn check_error(name: &str, response: &Value, error: &Error) {
    let status = response["status"].as_u64().map(|status| u16::try_from(status).unwrap());
    assert_eq!(error.http_status(), status, "{name}: {error}");
    let kind = match status.unwrap() {
        400 => ErrorKind::BadRequest,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 | 422 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        // Only creates are recorded with this status.
        500 => ErrorKind::OutcomeUnknown,
        other => panic!("{name}: {other}"),
    };
    assert_eq!(error.kind(), kind, "{name}: {error}");
    assert_eq!(error.correlation_vector(), header(response, "MS-CV"), "{name}");
    let pause = header(response, "Retry-After").map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    assert_eq!(error.retry_after(), pause, "{name}");
    let body: Value =
        serde_json::from_str(response["body_text_compact"].as_str().unwrap_or_default()).unwrap_or_default();
    assert_eq!(error.service_code(), body["error"]["code"].as_str(), "{name}");
    let message = body["error"].as_str().or(body["error"]["message"].as_str());
    assert!(message.is_none_or(|message| error.message().contains(message)), "{name}: {error}");
}
