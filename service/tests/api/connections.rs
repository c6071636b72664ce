//! Connections: keep-alive, the request log, independence, and the end.

use std::thread;
use std::time::{Duration, Instant};

use arr_service::{Config, Emulator, Fault, StartError};

use crate::http::Connection;
use crate::story::Story;

#[test]
fn connections_are_kept_alive_and_numbered() {
    let mut story = Story::begin();
    let session = story.create();
    let mut second = Connection::open(story.emulator.url());
    assert_eq!(second.call("GET", "/x?y=1", &[], b"").status, 404);
    story.clock.advance(Duration::from_millis(2500));
    story.properties(&session);

    let requests = story.emulator.requests();
    let seen: Vec<_> = requests.iter().map(|r| (r.connection, r.method.as_str(), r.path.clone(), r.status)).collect();
    let account = story.emulator.account().id();
    let expected = [
        (1, "GET", format!("/accounts/{account}/token"), 200),
        (1, "POST", story.path("/sessions/create"), 202),
        (2, "GET", "/x?y=1".to_owned(), 404),
        (1, "GET", story.path(&format!("/sessions/{session}/properties")), 200),
    ];
    assert_eq!(seen, expected);
    let moments: Vec<_> = requests.iter().map(|request| request.at.as_millis()).collect();
    assert_eq!(moments, [0, 0, 0, 2500]);
}

#[test]
fn the_request_log_holds_no_secrets_and_can_be_cleared() {
    let mut story = Story::begin();
    story.create();
    let requests = format!("{:?}", story.emulator.requests());
    assert!(!requests.contains(&story.token) && !requests.contains(story.emulator.account().key()));
    story.emulator.clear_requests();
    assert!(story.emulator.requests().is_empty());
    story.create();
    assert_eq!(story.emulator.requests().len(), 1);
}

#[test]
fn a_request_is_recorded_as_it_was_sent() {
    let mut story = Story::begin();
    story.emulator.clear_requests();
    let path = "/Accounts/x/token/?api-version=1";
    story.connection.call("GET", path, &[], b"");
    assert_eq!(story.emulator.requests()[0].path, path);
}

#[test]
fn silent_and_malformed_peers_delay_no_other() {
    let mut story = Story::begin();
    let _silent = Connection::open(story.emulator.url());
    let mut half = Connection::open(story.emulator.url());
    half.send(b"GET /v1/acc");
    let mut malformed = Connection::open(story.emulator.url());
    malformed.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    assert_eq!(malformed.receive("GET").status, 400);
    assert!(malformed.is_closed());
    story.create();
}

/// Sends a create without the last byte of its body, and waits until the emulator processes it.
fn unfinished_create(story: &mut Story) {
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 42\r\n\r\n\
         {{\"maxLeaseTime\":\"4:0:0\",\"size\":\"standard\"",
        story.path("/sessions/create"),
        story.token
    );
    story.emulator.clear_requests();
    story.connection.send(request.as_bytes());
    let deadline = Instant::now() + Duration::from_secs(30);
    while story.emulator.requests().is_empty() {
        assert!(Instant::now() < deadline, "the request did not arrive");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(story.emulator.requests()[0].status, 0);
}

#[test]
fn a_stop_lets_a_request_finish() {
    let mut story = Story::begin();
    let mut idle = Connection::open(story.emulator.url());
    idle.call("GET", "/", &[], b"");
    unfinished_create(&mut story);
    let Story { emulator, mut connection, .. } = story;
    let stopping = thread::spawn(move || emulator.stop());
    // Once the idle connection is closed, the stop has begun.
    assert!(idle.is_closed());
    connection.send(b"}");
    assert_eq!(connection.receive("POST").status, 202);
    assert!(connection.is_closed());
    stopping.join().expect("stopped");
}

#[test]
fn a_stop_has_a_time_limit() {
    let mut story = Story::begin();
    unfinished_create(&mut story);
    let Story { emulator, mut connection, .. } = story;
    let begin = Instant::now();
    emulator.stop();
    // The limit is 2 s; a busy machine may take longer.
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(connection.is_closed());
}

#[test]
fn a_stop_does_not_wait_for_idle_and_silent_connections() {
    let story = Story::begin();
    let _silent = Connection::open(story.emulator.url());
    let begin = Instant::now();
    story.emulator.stop();
    assert!(begin.elapsed() < Duration::from_millis(1900), "{:?}", begin.elapsed());
}

/// A connection on which the emulator has received half a head, and another, idle one.
fn half_a_head(story: &Story) -> [Connection; 2] {
    let mut half = Connection::open(story.emulator.url());
    half.call("GET", "/", &[], b"");
    half.send(b"GET /v1/acc");
    // Nothing shows when the half head has been read. Meanwhile it is, or else the test proves less.
    let mut another = Connection::open(story.emulator.url());
    (0..20).for_each(|_| drop(another.call("GET", "/", &[], b"")));
    [half, another]
}

#[test]
fn a_stop_does_not_wait_for_the_rest_of_a_head() {
    let story = Story::begin();
    let [mut half, _another] = half_a_head(&story);
    let begin = Instant::now();
    story.emulator.stop();
    assert!(begin.elapsed() < Duration::from_millis(1900), "{:?}", begin.elapsed());
    assert!(half.is_closed());
}

#[test]
fn a_connection_with_half_a_head_is_idle() {
    let story = Story::begin();
    let [mut half, _another] = half_a_head(&story);
    let begin = Instant::now();
    assert_eq!(story.emulator.close_idle_connections(), 3);
    assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
    assert!(half.is_closed());
}

#[test]
fn a_connection_that_still_sends_a_reply_is_not_idle() {
    // More than fits into all buffers on the way.
    const SIZE: usize = 30_000_000;
    let mut story = Story::begin();
    story.emulator.add_faults([Fault::on("GET", "**/sessions").oversize(SIZE as u64)]).expect("a good fault");
    story.emulator.clear_requests();
    story.request("GET", "/sessions", "");
    while story.recorded_statuses() != [200] {
        thread::yield_now();
    }
    assert_eq!(story.emulator.close_idle_connections(), 0);
    let reply = story.connection.receive("GET");
    assert_eq!((reply.status, reply.body.len()), (200, SIZE));
    assert_eq!(story.emulator.close_idle_connections(), 1);
}

#[test]
fn a_connection_is_idle_once_its_reply_has_arrived() {
    let story = Story::begin();
    story.emulator.close_idle_connections();
    for round in 0..300 {
        let mut connection = Connection::open(story.emulator.url());
        assert_eq!(connection.call("GET", "/x", &[], b"").status, 404);
        assert_eq!(story.emulator.close_idle_connections(), 1, "round {round}");
    }
}

#[test]
fn concurrent_requests_meet_the_faults_in_the_order_of_the_log() {
    let statuses = 500..900;
    let story = Story::begin();
    story.emulator.clear_requests();
    let faults = statuses.clone().map(|status| Fault::on("GET", "/x").status(status));
    story.emulator.add_faults(faults).expect("good faults");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = Connection::open(story.emulator.url());
                (0..100).for_each(|_| drop(connection.call("GET", "/x", &[], b"")));
            });
        }
    });
    let requests = story.emulator.requests();
    assert!(requests.iter().map(|request| request.status).eq(statuses));
    assert!(requests.is_sorted_by_key(|request| request.at));
}

#[test]
fn dropping_an_emulator_cuts_its_connections_and_frees_its_port() {
    let mut story = Story::begin();
    unfinished_create(&mut story);
    let Story { emulator, mut connection, .. } = story;
    let address = emulator.url().strip_prefix("http://").map(str::to_owned).expect("a URL");
    drop(emulator);
    assert!(connection.is_closed());
    let listen = address.parse().expect("an address");
    let again = Emulator::start(Config { listen, ..Config::default() });
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn a_port_in_use_is_reported() {
    let story = Story::begin();
    let address = story.emulator.url().strip_prefix("http://").expect("a URL");
    let listen = address.parse().expect("an address");
    let second = Emulator::start(Config { listen, ..Config::default() });
    let error = second.expect_err("the port is taken");
    assert!(matches!(error, StartError::AddressInUse { .. }));
    let text = error.to_string();
    assert!(text.contains(address) && text.contains("in use") && text.lines().count() == 1, "{text}");
}

#[test]
fn an_emulator_without_accounts_does_not_start() {
    let error = Emulator::start(Config { accounts: Vec::new(), ..Config::default() });
    assert!(matches!(error, Err(StartError::NoAccount)));
}

#[test]
fn without_tls_there_is_no_certificate() {
    let story = Story::begin();
    assert_eq!(story.emulator.ca_pem(), None);
    assert!(story.emulator.url().starts_with("http://127.0.0.1:"));
}
