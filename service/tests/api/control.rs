//! The control calls, and who may send them.

use std::time::Duration;

use arr_service::{Config, Emulator, SessionStatus, StatusRefused};
use serde_json::{Value, json};

use crate::http::Connection;
use crate::story::{STARTUP, Story};

#[test]
fn faults_are_added_listed_and_removed() {
    let mut story = Story::begin();
    let rules = json!({"rules": [
        {"method": "POST", "path": "/v1/accounts/*/sessions/create", "times": 2,
         "action": {"type": "status", "status": 429, "headers": {"Retry-After": "2"}, "body": ""}},
        {"action": {"type": "reset", "execute": true}, "skip": 5},
    ]});
    let reply = story.control("POST", "/faults", &rules.to_string());
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["rules"].as_array().map(Vec::len), Some(2));

    let reply = story.call("POST", "/sessions/create", "{}");
    assert_eq!((reply.status, reply.header("Retry-After")), (429, Some("2")));
    assert_eq!(story.call("GET", "/sessions", "").status, 200);
    let left = story.control("GET", "/faults", "").json();
    assert_eq!(
        left["rules"][0],
        json!({"id": 1, "method": "POST", "path": "/v1/accounts/*/sessions/create", "times": 2, "skip": 0, "matched": 1,
               "left": 1,
               "action": {"type": "status", "status": 429, "headers": {"Retry-After": "2"}, "body": "", "execute": false}})
    );
    assert_eq!((&left["rules"][1]["matched"], &left["rules"][1]["left"]), (&json!(1), &json!(1)));

    story.control("DELETE", "/faults/1", "").assert_empty(204);
    assert_eq!(story.control("GET", "/faults", "").json()["rules"][0]["id"], 2);
    for id in ["1", "x", "-1"] {
        assert_eq!(story.control("DELETE", &format!("/faults/{id}"), "").status, 404, "{id}");
    }
    story.control("DELETE", "/faults", "").assert_empty(204);
    assert_eq!(story.control("GET", "/faults", "").text(), r#"{"rules":[]}"#);
    story.create();
}

#[test]
fn a_malformed_rule_gets_an_error_with_its_number() {
    let story = Story::begin();
    for (body, error) in [
        (
            r#"{"rules":[{"action":{"type":"close"}},{"action":{"type":"burn"}}]}"#,
            "fault rule 2: action: unknown variant `burn`",
        ),
        (r#"{"rules":[{"action":{"type":"status","status":1000}}]}"#, "fault rule 1: status must be 200 to 999"),
        (r#"{"rules":{}}"#, "the body cannot be read: invalid type: map, expected a sequence"),
        ("", "the body cannot be read: missing field `rules`"),
        ("{", "the body cannot be read: EOF"),
    ] {
        let reply = story.control("POST", "/faults", body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.error().starts_with(error), "{body}: {}", reply.error());
    }
    assert_eq!(story.control("GET", "/faults", "").text(), r#"{"rules":[]}"#);
}

#[test]
fn control_calls_are_exempt_from_faults_and_the_request_log() {
    let story = Story::begin();
    story.emulator.clear_requests();
    let everything = r#"{"rules":[{"path":"**","times":0,"action":{"type":"close"}}]}"#;
    assert_eq!(story.control("POST", "/faults", everything).status, 200);
    for path in ["/faults", "/requests", "/sessions", "/clock"] {
        assert_eq!(story.control("GET", path, "").status, 200, "{path}");
    }
    assert!(story.emulator.requests().is_empty());
}

#[test]
fn the_request_log_shows_each_request_without_its_secrets() {
    let mut story = Story::begin();
    story.clock.advance(Duration::from_millis(1500));
    let session = story.create();
    let reply = story.control("GET", "/requests", "");
    assert!(!reply.text().contains(&story.token) && !reply.text().contains(story.emulator.account().key()));
    let log = reply.json();
    let host = story.emulator.url().strip_prefix("http://").expect("a URL");
    let (duration, cv) = (&log["requests"][1]["duration_ms"], &log["requests"][1]["ms_cv"]);
    assert!(duration.is_number() && cv.as_str().is_some_and(|cv| cv.ends_with(".0")), "{log}");
    assert_eq!(
        log["requests"][1],
        json!({"time_ms": 1500, "connection": 1, "method": "POST", "path": story.path("/sessions/create"), "status": 202,
               "duration_ms": duration, "ms_cv": cv, "session": session, "fault": null,
               "headers": {"authorization": "<redacted>", "content-length": "42", "host": host}})
    );
    assert_eq!(log["requests"].as_array().map(Vec::len), Some(2));
    assert_eq!(story.emulator.requests()[1].header("Content-Length"), Some("42"));
    assert_eq!(story.emulator.requests()[1].header("Authorization"), Some("<redacted>"));

    story.control("DELETE", "/requests", "").assert_empty(204);
    assert_eq!(story.control("GET", "/requests", "").text(), r#"{"requests":[]}"#);
    story.status(&session);
    assert_eq!(story.emulator.requests().len(), 1);
}

#[test]
fn sessions_are_listed_in_plain_units() {
    let mut story = Story::begin();
    let session = story.create();
    story.clock.advance(STARTUP + Duration::from_millis(2500));
    let mut sessions = story.control("GET", "/sessions", "").json();
    let hostname = sessions["sessions"][0].as_object_mut().expect("a session").remove("hostname");
    assert!(hostname.is_some_and(|hostname| hostname.is_string()));
    assert_eq!(
        sessions,
        json!({"sessions": [{"id": session, "account_id": story.emulator.account().id(), "status": "Ready",
               "size": "standard", "max_lease_ms": 14_400_000, "elapsed_ms": 2500, "message": null}]})
    );
}

#[test]
fn a_status_can_be_forced_along_existing_transitions() {
    let mut story = Story::begin();
    let session = story.create();
    let path = format!("/sessions/{session}");
    for (status, message) in [("ready", None), ("Stopping", None), ("Error", Some("The server caught fire."))] {
        let reply = story.control("POST", &path, &json!({"status": status, "message": message}).to_string());
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.json()["status"].as_str().expect("a status").eq_ignore_ascii_case(status));
        let properties = story.properties(&session);
        assert!(properties["sessionStatus"].as_str().expect("a status").eq_ignore_ascii_case(status));
        assert_eq!(properties["message"], json!(message));
    }
    for (path, body, status, error) in [
        (path.as_str(), json!({"status": "Ready"}), 409, "a session that is Error cannot become Ready"),
        (&path, json!({"status": "Gone"}), 400, "status must be Starting, Ready,"),
        (&path, json!({"state": "Ready"}), 400, "the body cannot be read: unknown field `state`"),
        ("/sessions/x", json!({"status": "Ready"}), 404, "there is no session x"),
        ("/sessions/%ff", json!({"status": "Ready"}), 404, "there is no session "),
        ("/sessions/d31bddca-dab7-498e-9bc9-7594bc12862f", json!({"status": "Ready"}), 404, "there is no session d31b"),
    ] {
        let reply = story.control("POST", path, &body.to_string());
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.error().starts_with(error), "{}", reply.error());
    }
    let another = story.create();
    let body = json!({"status": "Ready", "message": "x"}).to_string();
    assert_eq!(story.control("POST", &format!("/sessions/{another}"), &body).status, 400);
}

#[test]
fn a_lease_can_be_extended_and_a_session_stopped_as_by_its_client() {
    let mut story = Story::begin_with(Config { stopping: Duration::from_secs(5), ..Config::default() });
    let session = story.create();
    let path = format!("/sessions/{session}");
    let reply = story.control("POST", &path, r#"{"lease_minutes":300}"#);
    assert_eq!((reply.status, &reply.json()["max_lease_ms"]), (200, &json!(18_000_000)));
    assert_eq!(story.properties(&session)["sessionMaxLeaseTime"], "05:00:00");
    for (path, body, status, error) in [
        (path.as_str(), r#"{"lease_minutes":300}"#, 409, "lease_minutes is the whole lease, and must be more than the"),
        (&path, r#"{"lease_minutes":43201}"#, 400, "lease_minutes must be at most 43200"),
        (&path, r#"{"lease_minutes":-1}"#, 400, "the body cannot be read: invalid value"),
        (&path, r#"{"lease_minutes":400,"status":"Ready"}"#, 400, "give either a status"),
        (&path, r#"{"lease_minutes":400,"message":"x"}"#, 400, "give either a status"),
        (&path, "", 400, "give either a status"),
        ("/sessions/x", r#"{"lease_minutes":400}"#, 404, "there is no session x"),
    ] {
        let reply = story.control("POST", path, body);
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.error().starts_with(error), "{}", reply.error());
    }
    for status in ["Stopping", "Stopped"] {
        story.control("DELETE", &path, "").assert_empty(204);
        assert_eq!(story.status(&session), status);
        let refused = story.control("POST", &path, r#"{"lease_minutes":400}"#);
        assert_eq!((refused.status, refused.error()), (409, format!("a session that is {status} cannot be extended")));
        story.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(story.control("DELETE", "/sessions/x", "").status, 404);
}

#[test]
fn the_record_says_how_requests_ended() {
    let mut story = Story::begin();
    let session = story.create();
    story.create_2021("mine", 10);
    let close = r#"{"rules":[{"path":"**/properties","action":{"type":"close"}},
                             {"method":"GET","path":"**/mine","action":{"type":"status","status":418}}]}"#;
    assert_eq!(story.control("POST", "/faults", close).status, 200);
    story.call_2021("GET", "/sessions/mine", "");
    story.request("GET", &format!("/sessions/{session}/properties"), "");
    assert!(story.connection.is_closed());
    let requests = story.emulator.requests();
    let seen: Vec<_> = requests.iter().map(|it| (it.status, it.session.as_deref(), it.fault)).collect();
    let (mine, session) = (Some("mine"), Some(session.as_str()));
    let faults = [(418, mine, Some("status")), (0, session, Some("close"))];
    assert_eq!(seen[1..], [&[(202, session, None), (201, mine, None)][..], &faults].concat());
    assert!(requests.iter().all(|request| request.duration.is_some()));
    assert!(requests[..4].iter().all(|request| request.ms_cv.is_some()) && requests[4].ms_cv.is_none());
}

#[test]
fn the_library_forces_a_status_too() {
    let mut story = Story::begin();
    let session = story.create();
    let view = story.emulator.set_session_status(&session, SessionStatus::Expired, Some("early")).expect("possible");
    assert_eq!((view.status, view.message.as_deref()), (SessionStatus::Expired, Some("early")));
    assert_eq!(story.status(&session), "Expired");
    let refused = story.emulator.set_session_status(&session, SessionStatus::Ready, None);
    let (from, to) = (SessionStatus::Expired, SessionStatus::Ready);
    assert_eq!(refused, Err(StatusRefused::Impossible { from, to }));
    let unknown = story.emulator.set_session_status("x", SessionStatus::Ready, None);
    assert_eq!(unknown, Err(StatusRefused::NoSession("x".to_owned())));
}

#[test]
fn idle_connections_are_closed_except_the_callers() {
    let mut story = Story::begin();
    let mut control = Connection::open(story.emulator.url());
    for closed in [1, 0] {
        let reply = control.call("POST", "/emulator/connections/close", &[], b"");
        assert_eq!((reply.status, reply.json()), (200, json!({"closed": closed})));
    }
    assert!(story.connection.is_closed());
}

#[test]
fn web_pages_and_foreign_names_are_refused() {
    let story = Story::begin();
    let mut connection = Connection::open(story.emulator.url());
    for headers in [[("Origin", "https://example.org")], [("Sec-Fetch-Site", "cross-site")]] {
        for method in ["GET", "DELETE", "OPTIONS"] {
            let reply = connection.call(method, "/emulator/requests", &headers, b"");
            assert_eq!(reply.status, 403);
            assert!(reply.error().contains("not for web pages"), "{}", reply.error());
        }
    }
    connection.send(b"GET /emulator/requests HTTP/1.1\r\nHost: rebound.example.org\r\n\r\n");
    let reply = connection.receive("GET");
    assert_eq!(reply.status, 403);
    assert!(reply.error().contains("must name the emulator"), "{}", reply.error());
    connection.send(b"GET http://rebound.example.org/emulator/requests HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(connection.receive("GET").status, 403);
    connection.send(b"GET /emulator/requests HTTP/1.1\r\nHost: LocalHost:80\r\n\r\n");
    assert_eq!(connection.receive("GET").status, 200);
    assert_eq!(story.emulator.requests().len(), 1, "only the first token request");
}

#[test]
fn other_machines_are_refused_without_control_remote() {
    for (control_remote, status) in [(false, 403), (true, 200)] {
        let listen = "0.0.0.0:0".parse().expect("an address");
        let emulator = Emulator::start(Config { listen, control_remote, ..Config::default() }).expect("it starts");
        assert_eq!(Connection::open(emulator.url()).call("GET", "/emulator/clock", &[], b"").status, 200);
        if emulator.network_urls().is_empty() {
            println!("this machine has no network address; control/access.rs tests the decision");
        }
        // Calls to this machine's network address also come from that address.
        for url in emulator.network_urls() {
            assert_eq!(Connection::open(url).call("GET", "/emulator/clock", &[], b"").status, status, "{url}");
            assert_eq!(Connection::open(url).call("GET", "/v1", &[], b"").status, 404, "the service itself is open");
            assert_eq!(Connection::open(url).call("GET", "/", &[], b"").status, status, "the page, {url}");
        }
    }
}

#[test]
fn a_tls_name_admits_control_calls_without_tls_too() {
    let tls_names = vec!["studio.local".to_owned()];
    let emulator = Emulator::start(Config { tls_names, ..Config::default() }).expect("it starts");
    for (host, status) in [("studio.local", 200), ("Studio.Local.:8722", 200), ("studio.example", 403)] {
        let mut connection = Connection::open(emulator.url());
        connection.send(format!("GET /emulator/clock HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(connection.receive("GET").status, status, "{host}");
    }
}

#[test]
fn an_unknown_call_gets_the_list_of_calls() {
    let story = Story::begin();
    for (method, path) in [("GET", "/fault"), ("PUT", "/faults"), ("GET", "/sessions/x/y"), ("GET", "")] {
        let reply = story.control(method, path, "");
        assert_eq!(reply.status, 404, "{method} {path}");
        assert!(reply.error().contains("POST /emulator/connections/close"), "{}", reply.error());
    }
}

#[test]
fn control_replies_are_not_cacheable() {
    let reply = Story::begin().control("GET", "/clock", "");
    assert_eq!(reply.header("Cache-Control"), Some("no-store"));
    assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(reply.json()["time_ms"], Value::from(0));
}
