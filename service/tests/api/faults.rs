//! Faults as a client sees them: the bytes on the wire, the end of the connection, and whether the operation was
//! carried out.

use std::time::{Duration, Instant};

use arr_service::{DEVELOPMENT_ACCOUNT_ID as ID, DEVELOPMENT_ACCOUNT_KEY as KEY, Fault, SessionStatus};

use crate::http::{Connection, End};
use crate::story::Story;

const BODY: &str = r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;

fn on_create() -> Fault {
    Fault::on("POST", "/v1/accounts/*/sessions/create")
}

/// An emulator with one fault.
fn story_with(fault: Fault) -> Story {
    let story = Story::begin();
    story.emulator.add_faults([fault]).expect("a good fault");
    story.emulator.clear_requests();
    story
}

/// Sends a create and returns everything until the connection ends.
fn create_and_read_all(story: &mut Story) -> (Vec<u8>, End) {
    story.request("POST", "/sessions/create", BODY);
    story.connection.rest()
}

/// Fails unless the emulator still serves new connections.
#[track_caller]
fn assert_still_serves(story: &mut Story) {
    story.reconnect();
    story.create();
}

#[test]
fn a_status_has_its_headers_and_body_and_the_common_headers() {
    let busy = on_create().status(429).header("Retry-After", "2").header("Content-Type", "text/plain").body("busy");
    let mut story = story_with(busy.times(2).skip(1));
    story.create();
    for _ in 0..2 {
        let reply = story.call("POST", "/sessions/create", BODY);
        assert_eq!((reply.status, reply.text(), reply.header("Retry-After")), (429, "busy", Some("2")));
        assert_eq!(reply.header("Content-Type"), Some("text/plain"));
        assert!(reply.header("MS-CV").is_some() && reply.header("Date").is_some());
    }
    story.create();
    assert_eq!(story.recorded_statuses(), [202, 429, 429, 202]);
    assert_eq!(story.emulator.sessions().len(), 2);
}

#[test]
fn a_status_replaces_the_reply_of_a_create_that_was_carried_out() {
    let mut story = story_with(on_create().status(500).header("MS-CV", "mine.0").executed(true));
    let reply = story.call("POST", "/sessions/create", BODY);
    assert_eq!((reply.status, reply.text(), reply.header("MS-CV")), (500, "", Some("mine.0")));
    assert_eq!(story.emulator.sessions().len(), 1);
}

#[test]
fn close_sends_fin_and_reset_sends_rst() {
    for (fault, end) in [(on_create().close(), End::Fin), (on_create().reset(), End::Reset)] {
        let mut story = story_with(fault);
        assert_eq!(create_and_read_all(&mut story), (Vec::new(), end));
        assert!(story.emulator.sessions().is_empty());
        assert_eq!(story.recorded_statuses(), [0]);
        assert_still_serves(&mut story);
    }
}

#[test]
fn a_create_whose_reply_is_lost_can_create_a_session() {
    for fault in [on_create().close(), on_create().reset(), on_create().garbage()] {
        let mut story = story_with(fault.clone().executed(true));
        create_and_read_all(&mut story);
        assert_eq!(story.emulator.sessions().len(), 1, "{fault:?}");
        assert_eq!(story.recorded_statuses(), [0]);
    }
}

#[test]
fn an_executed_operation_still_needs_its_token() {
    let mut story = story_with(on_create().reset().executed(true));
    story.token = "wrong".to_owned();
    create_and_read_all(&mut story);
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_truncated_reply_is_shorter_than_its_content_length() {
    let mut story = story_with(on_create().truncate(10));
    let (bytes, end) = create_and_read_all(&mut story);
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 202 Accepted\r\n"), "{head}");
    for header in
        ["Content-Length: 52", "Content-Type: application/json; charset=utf-8", "Location: accounts/", "Ms-Cv: "]
    {
        assert!(head.contains(&format!("\r\n{header}")), "{header} in {head}");
    }
    assert_eq!((body, end), ("{\"sessionI", End::Fin));
    assert_eq!(story.emulator.sessions().len(), 1);
    assert_eq!(story.recorded_statuses(), [0]);
}

#[test]
fn an_operation_that_is_not_executed_has_a_stand_in_reply() {
    let mut story = story_with(on_create().truncate(1000).executed(false));
    let (bytes, _) = create_and_read_all(&mut story);
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.ends_with(r#"{"emulator":"the operation was not carried out"}"#), "{text}");
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_dripped_reply_is_complete_and_keeps_its_connection() {
    let interval = Duration::from_millis(1);
    let mut story = story_with(Fault::on("DELETE", "**").drip(interval));
    let session = story.create();
    let begin = Instant::now();
    // A reply of some 150 bytes, with at least 1 ms between any two.
    let reply = story.call("DELETE", &format!("/sessions/{session}"), "");
    assert_eq!(reply.status, 204);
    assert!(begin.elapsed() > interval * 100, "{:?}", begin.elapsed());
    assert_eq!(story.status(&session), "Stopped");
    let connections: Vec<_> = story.emulator.requests().iter().map(|r| (r.connection, r.status)).collect();
    assert_eq!(connections, [(1, 202), (1, 204), (1, 200)]);
}

#[test]
fn a_dripped_body_is_the_real_one() {
    let mut story = story_with(on_create().drip(Duration::ZERO));
    let session = story.create();
    assert_eq!(story.emulator.sessions()[0].id, session);
}

#[test]
fn a_stalled_request_gets_no_reply() {
    let mut story = story_with(on_create().stall());
    story.request("POST", "/sessions/create", BODY);
    // Only a wait can show silence.
    assert!(story.connection.is_silent_for(Duration::from_millis(80)));
    assert_still_serves(&mut story);
    assert_eq!(story.recorded_statuses(), [0, 202]);
}

#[test]
fn a_stalled_request_does_not_delay_a_stop() {
    let mut story = story_with(on_create().stall());
    story.request("POST", "/sessions/create", BODY);
    while story.emulator.requests().is_empty() {
        std::thread::yield_now();
    }
    let begin = Instant::now();
    story.emulator.stop();
    assert!(begin.elapsed() < Duration::from_millis(1900), "{:?}", begin.elapsed());
}

#[test]
fn a_fault_still_happens_while_the_emulator_stops() {
    // The request waits for its body when the stop begins.
    let mut story = story_with(Fault::on("GET", "/x").reset().executed(true));
    story.connection.send(b"GET /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n");
    while story.emulator.requests().is_empty() {
        std::thread::yield_now();
    }
    let mut idle = Connection::open(story.emulator.url());
    let Story { emulator, mut connection, .. } = story;
    let stopping = std::thread::spawn(move || emulator.stop());
    assert!(idle.is_closed(), "the stop has begun");
    connection.send(b"x");
    assert_eq!(connection.rest(), (Vec::new(), End::Reset));
    stopping.join().expect("stopped");
}

#[test]
fn a_content_type_fault_changes_nothing_else() {
    let mut story = story_with(Fault::on("GET", "**/sessions").content_type("text/html"));
    let reply = story.call("GET", "/sessions", "");
    assert_eq!(
        (reply.status, reply.header("Content-Type"), reply.text()),
        (200, Some("text/html"), r#"{"sessions":[]}"#)
    );
}

#[test]
fn garbage_is_not_http() {
    let mut story = story_with(on_create().garbage());
    let (bytes, end) = create_and_read_all(&mut story);
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP"), "{bytes:?}");
    assert_eq!(end, End::Fin);
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn an_oversized_reply_is_json_of_exactly_that_size() {
    const SIZE: usize = 3_000_000;
    let mut story = story_with(Fault::on("GET", "**/sessions").oversize(SIZE as u64));
    let reply = story.call("GET", "/sessions", "");
    assert_eq!((reply.status, reply.body.len()), (200, SIZE));
    assert!(reply.json()["padding"].is_string());
    assert_eq!(story.call("GET", "/sessions", "").text(), r#"{"sessions":[]}"#);

    let mut story = story_with(on_create().oversize(100).executed(true));
    let reply = story.call("POST", "/sessions/create", BODY);
    assert_eq!((reply.status, reply.body.len()), (202, 100), "the real head");
    assert_eq!(story.emulator.sessions().len(), 1);
}

#[test]
fn a_redirect_has_its_status_and_location() {
    let mut story = story_with(on_create().redirect(307, "https://example.org/elsewhere"));
    let reply = story.call("POST", "/sessions/create", BODY);
    assert_eq!((reply.status, reply.header("Location")), (307, Some("https://example.org/elsewhere")));
    assert!(story.emulator.sessions().is_empty());
}

#[test]
fn a_delay_is_real_time_under_a_virtual_clock() {
    let delay = Duration::from_millis(60);
    for executed in [false, true] {
        let mut story = story_with(on_create().delay(delay).executed(executed));
        let begin = Instant::now();
        story.request("POST", "/sessions/create", BODY);
        if executed {
            // The session exists before the reply arrives.
            while story.emulator.sessions().is_empty() {
                std::thread::yield_now();
            }
            assert_eq!(story.recorded_statuses(), [0]);
        }
        assert_eq!(story.connection.receive("POST").status, 202);
        assert!(begin.elapsed() >= delay);
        assert_eq!(story.emulator.sessions()[0].status, SessionStatus::Starting);
    }
}

#[test]
fn a_request_abandoned_during_a_delay_has_no_effect() {
    let delay = Duration::from_millis(100);
    let mut story = story_with(on_create().delay(delay));
    story.request("POST", "/sessions/create", BODY);
    while story.emulator.requests().is_empty() {
        std::thread::yield_now();
    }
    story.reconnect();
    // Only a wait can show that nothing happens afterwards.
    std::thread::sleep(delay * 2);
    assert_eq!(story.call("GET", "/sessions", "").text(), r#"{"sessions":[]}"#);
}

#[test]
fn the_next_connections_can_be_closed_when_they_are_accepted() {
    let mut story = story_with(Fault::close_on_accept().times(2));
    for _ in 0..2 {
        assert!(Connection::open(story.emulator.url()).is_closed());
    }
    // The connection that was already open is not affected.
    story.create();
    assert_still_serves(&mut story);
    let connections: Vec<_> = story.emulator.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 4]);
}

#[test]
fn faults_match_every_spelling_of_the_token_path() {
    let mut story = story_with(Fault::on("GET", "/accounts/*/token").status(503).times(2));
    let authorization = format!("Bearer {ID}:{KEY}");
    for (path, status) in [("accounts", 503), ("Accounts", 503), ("accounts", 200)] {
        let path = format!("/{path}/{ID}/token/?api-version=1");
        let reply = story.connection.call("GET", &path, &[("Authorization", &authorization)], b"");
        assert_eq!(reply.status, status);
    }
}

#[test]
fn faults_can_be_removed_and_invalid_ones_are_refused() {
    let mut story = story_with(on_create().always().status(500));
    assert_eq!(story.call("POST", "/sessions/create", BODY).status, 500);
    story.emulator.clear_faults();
    story.create();
    let error = story.emulator.add_faults([on_create(), on_create().close().body("x")]).expect_err("a misused body");
    assert_eq!(error.to_string(), "fault rule 2: body() is for status() only, and must follow it");
    story.create();
}

#[test]
fn a_pipelined_request_is_lost_after_a_drip() {
    let mut story = story_with(Fault::on("GET", "/a").drip(Duration::ZERO).executed(false));
    story.connection.send(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(story.connection.receive("GET").status, 200);
    assert!(story.connection.is_closed());
}

#[test]
fn the_rest_of_a_body_is_not_a_request_after_a_drip() {
    let smuggled = "DELETE /emulator/requests HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = 1024 * 1024 + 1 + smuggled.len();
    let too_large = format!("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    let broken = "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n".to_owned();
    for (request, filling, status) in [(too_large, 1024 * 1024 + 1, 413), (broken, 0, 400)] {
        let mut story = story_with(Fault::on("POST", "/x").drip(Duration::from_millis(1)));
        story.connection.send(request.as_bytes());
        story.connection.send(&vec![b'x'; filling]);
        let reply = story.connection.receive("POST");
        // Bytes sent after the reply are not read ahead, and could be taken for a request.
        story.connection.try_send(smuggled.as_bytes());
        assert_eq!((reply.status, reply.header("Connection")), (status, Some("close")), "{reply:?}");
        assert!(story.connection.is_closed());
        assert_eq!(story.recorded_statuses(), [status], "the request log was not cleared");
    }
}

#[test]
fn a_drip_respects_the_clients_keep_alive() {
    for (version, option, announced, kept) in [
        ("1.1", "", None, true),
        ("1.1", "Connection: close\r\n", Some("close"), false),
        ("1.0", "", Some("close"), false),
        ("1.0", "Connection: keep-alive\r\n", Some("keep-alive"), true),
    ] {
        let mut story = story_with(Fault::on("GET", "/a").drip(Duration::ZERO));
        story.connection.send(format!("GET /a HTTP/{version}\r\nHost: localhost\r\n{option}\r\n").as_bytes());
        let reply = story.connection.receive("GET");
        assert_eq!((reply.status, reply.header("Connection")), (404, announced), "{version} {option}");
        if kept {
            assert_eq!(story.connection.call("GET", "/b", &[], b"").status, 404);
        } else {
            assert!(story.connection.is_closed(), "{version} {option}");
        }
    }
}

#[test]
fn a_dripped_reply_to_head_has_no_body() {
    let mut story = story_with(Fault::on("HEAD", "/a").drip(Duration::ZERO));
    assert_eq!(story.connection.call("HEAD", "/a", &[], b"").status, 404);
    assert_eq!(story.connection.call("GET", "/b", &[], b"").status, 404);
}

#[test]
fn idle_connections_can_be_closed_and_busy_ones_stay() {
    let mut story = story_with(on_create().delay(Duration::from_millis(60)));
    let mut idle = Connection::open(story.emulator.url());
    idle.call("GET", "/x", &[], b"");
    let mut unused = Connection::open(story.emulator.url());
    // Once this later connection is answered, the unused one has been accepted.
    Connection::open(story.emulator.url()).call("GET", "/x", &[], b"");
    story.request("POST", "/sessions/create", BODY);
    while story.emulator.requests().len() < 3 {
        std::thread::yield_now();
    }
    assert!(story.emulator.close_idle_connections() >= 2);
    assert_eq!((idle.rest(), unused.rest()), ((Vec::new(), End::Fin), (Vec::new(), End::Fin)));
    assert_eq!(story.connection.receive("POST").status, 202);
    story.create();
    assert_eq!(story.emulator.close_idle_connections(), 1);
    assert!(story.connection.is_closed());
    assert_eq!(story.emulator.close_idle_connections(), 0);
}
