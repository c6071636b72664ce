//! Limits on peers: time, connections and memory.

use std::time::Duration;

use arr_service::{Config, Fault, Limits};

use crate::http::{Connection, End};
use crate::story::Story;

const SOON: Duration = Duration::from_millis(100);

fn story(limits: Limits) -> Story {
    Story::begin_with(Config { limits, ..Config::default() })
}

/// A connection whose request has arrived but gets no reply, because its body does not end.
fn busy(story: &Story) -> Connection {
    let before = story.emulator.requests().len();
    loop {
        let mut connection = Connection::open(story.emulator.url());
        connection.try_send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
        // While earlier connections are still being closed, this one may be closed at once. Then try again.
        while connection.is_silent_for(Duration::from_millis(1)) {
            if story.emulator.requests().len() > before {
                return connection;
            }
        }
    }
}

#[test]
fn an_incomplete_head_is_closed_and_an_idle_connection_stays() {
    let mut story = story(Limits { head: SOON, ..Limits::default() });
    let mut slow = Connection::open(story.emulator.url());
    slow.call("GET", "/", &[], b"");
    slow.send(b"GET / HTTP/1.1\r\nHos");
    assert_eq!(slow.rest(), (Vec::new(), End::Fin));
    assert!(story.connection.is_silent_for(2 * SOON));
    story.create();
}

#[test]
fn idle_connections_are_closed_and_busy_ones_are_not() {
    let story = story(Limits { idle: SOON, ..Limits::default() });
    let mut busy = busy(&story);
    let mut idle = Connection::open(story.emulator.url());
    idle.call("GET", "/", &[], b"");
    assert!(idle.is_closed());
    busy.send(b"{        ");
    assert_eq!(busy.receive("POST").status, 404);
}

#[test]
fn an_incomplete_body_is_a_408() {
    let story = story(Limits { body: SOON, ..Limits::default() });
    let mut busy = busy(&story);
    assert_eq!(busy.receive("POST").status, 408);
    assert!(busy.is_closed());
}

#[test]
fn a_reply_that_is_not_read_is_closed() {
    const SIZE: usize = 30_000_000;
    let mut story = story(Limits { send: SOON, connections: 1, ..Limits::default() });
    story.emulator.add_faults([Fault::on("GET", "**/sessions").oversize(SIZE as u64)]).expect("a good fault");
    story.request("GET", "/sessions", "");
    // Until that connection is closed, there is no room for another.
    let _busy: Vec<_> = (0..16).map(|_| busy(&story)).collect();
    let has_room = || {
        let mut another = Connection::open(story.emulator.url());
        another.try_send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        !another.is_closed()
    };
    while !has_room() {}
    let (received, _) = story.connection.rest();
    assert!(received.len() < SIZE, "{}", received.len());
}

#[test]
fn at_the_limit_the_connection_idle_longest_makes_room() {
    let story = story(Limits { connections: 3, ..Limits::default() });
    let url = story.emulator.url();
    let mut three = [(); 3].map(|()| Connection::open(url));
    for connection in &mut three {
        connection.call("GET", "/", &[], b"");
    }
    three[0].call("GET", "/", &[], b"");
    let mut fourth = Connection::open(url);
    assert_eq!(fourth.call("GET", "/x", &[], b"").status, 404);
    assert!(three[1].is_closed());
    let [first, _, third] = &mut three;
    for other in [first, third, &mut fourth] {
        assert_eq!(other.call("GET", "/x", &[], b"").status, 404);
    }
}

#[test]
fn control_calls_have_a_reserve_of_connections() {
    let story = story(Limits { connections: 2, ..Limits::default() });
    let mut all: Vec<_> = (0..2).map(|_| busy(&story)).collect();
    assert_eq!(story.control("GET", "/sessions", "").status, 200);
    all.extend((0..16).map(|_| busy(&story)));
    assert!(Connection::open(story.emulator.url()).is_closed(), "the reserve is limited too");
}

#[test]
fn without_a_token_a_body_is_discarded_and_the_connection_kept() {
    let mut story = Story::begin();
    let body = vec![b' '; 64 * 1024];
    let path = story.path("/sessions/create");
    assert_eq!(story.connection.call("POST", &path, &[], &body).status, 401);
    story.create();
}

#[test]
fn an_incomplete_body_of_a_control_call_is_a_408() {
    let story = story(Limits { body: SOON, ..Limits::default() });
    let mut control = Connection::open(story.emulator.url());
    control.send(b"POST /emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
    assert_eq!(control.receive("POST").status, 408);
    assert!(control.is_closed());
    let large = vec![b' '; 1024 * 1024 + 1];
    let mut control = Connection::open(story.emulator.url());
    control.try_send(b"POST /emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n");
    control.try_send(&large);
    assert_eq!(control.receive("POST").status, 413);
}

#[test]
fn incomplete_bodies_share_a_bounded_memory() {
    const MIB: usize = 1024 * 1024;
    let mut story = Story::begin();
    let head = format!("POST /emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MIB}\r\n\r\n");
    let url = story.emulator.url().to_owned();
    let incomplete = |_| {
        let mut connection = Connection::open(&url);
        connection.send(head.as_bytes());
        connection.send(&vec![b' '; MIB - 1]);
        connection
    };
    // One more than there is room for, and whichever comes last is refused.
    let mut waiting: Vec<_> = (0..33).map(incomplete).collect();
    let refused = loop {
        if let Some(refused) = waiting.iter_mut().position(|it| !it.has_nothing_for(Duration::from_millis(1))) {
            break refused;
        }
    };
    let reply = waiting[refused].receive("POST");
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.error().contains("too many large bodies"), "{reply:?}");
    let body = r#"{"maxLeaseTime":"4:0:0","size":"standard"}"#;
    assert_eq!(story.call("POST", "/sessions/create", body).status, 202, "small bodies always have room");
    drop(waiting);
    // As soon as the emulator has noticed, there is room again.
    loop {
        let mut connection = incomplete(0);
        connection.try_send(b" ");
        let reply = connection.receive("POST");
        if reply.status == 400 {
            break;
        }
        assert_eq!(reply.status, 503, "{reply:?}");
    }
}

#[test]
fn a_long_request_log_is_sent_in_parts() {
    let mut story = Story::begin();
    story.emulator.clear_requests();
    for number in 0..250 {
        story.connection.call("GET", &format!("/{number}"), &[], b"");
    }
    let log = story.control("GET", "/requests", "").json();
    let paths: Vec<_> = log["requests"].as_array().expect("a list").iter().map(|it| it["path"].clone()).collect();
    assert_eq!(paths, (0..250).map(|number| format!("/{number}")).collect::<Vec<_>>());
}

#[test]
fn a_head_may_have_30_kb_but_not_70() {
    let story = Story::begin();
    for (length, status) in [(30_000, 404), (70_000, 431)] {
        let mut connection = Connection::open(story.emulator.url());
        let head = format!("GET /x HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(length));
        connection.try_send(head.as_bytes());
        assert_eq!(connection.receive("GET").status, status, "{length}");
    }
}
