//! The page and its events: who gets them, and what browsers may do with them.

use std::time::{Duration, Instant};

use arr_service::Fault;
use serde_json::Value;

use crate::http::Connection;
use crate::story::Story;

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/emulator/page.css", "text/css; charset=utf-8"),
    ("/emulator/page.js", "text/javascript; charset=utf-8"),
    ("/emulator/page.svg", "image/svg+xml"),
];

/// Opens the events and reads their head.
fn events(story: &Story) -> Connection {
    let mut connection = Connection::open(story.emulator.url());
    connection.request("GET", "/emulator/events", &[("Sec-Fetch-Site", "same-origin")], b"");
    let (status, head) = connection.head();
    assert_eq!(status, 200);
    assert!(head.contains(&("Content-Type".to_owned(), "text/event-stream".to_owned())), "{head:?}");
    connection
}

/// Reads events until one of this name has data with this text.
fn event(connection: &mut Connection, name: &str, text: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut all = String::new();
    while Instant::now() < deadline {
        all.push_str(&String::from_utf8(connection.chunk()).expect("UTF-8"));
        let mut events = all.split("\n\n").filter_map(|event| event.split_once("\ndata: "));
        let found = events.find(|(head, data)| head.ends_with(&format!("event: {name}")) && data.contains(text));
        if let Some((_, data)) = found {
            return serde_json::from_str(data).expect("JSON");
        }
    }
    panic!("no {name} with {text} in {all}");
}

#[test]
fn browsers_may_do_little_with_the_page() {
    let story = Story::begin();
    let mut connection = Connection::open(story.emulator.url());
    story.emulator.clear_requests();
    for (path, content_type) in FILES {
        let reply = connection.call("GET", path, &[("Sec-Fetch-Site", "none")], b"");
        assert_eq!((reply.status, reply.header("Content-Type")), (200, Some(content_type)), "{path}");
        assert!(!reply.body.is_empty(), "{path}");
        let policy = reply.header("Content-Security-Policy").expect("a policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
    }
    assert_eq!(connection.call("HEAD", "/", &[], b"").status, 200);
    assert!(story.emulator.requests().is_empty(), "the page is not part of the service");
    assert_eq!(connection.call("POST", "/", &[], b"").status, 404);
    assert_eq!(story.emulator.requests().len(), 1);
}

#[test]
fn the_page_has_no_inline_code_and_loads_nothing_from_elsewhere() {
    let story = Story::begin();
    let mut connection = Connection::open(story.emulator.url());
    for (path, _) in FILES {
        let reply = connection.call("GET", path, &[], b"");
        let text = reply.text().to_ascii_lowercase().replace("http://www.w3.org/2000/svg", "");
        let forbidden: &[_] = if path.ends_with(".js") {
            &["innerhtml", "outerhtml", "insertadjacenthtml", "eval(", "new function", "import(", "document.write"]
        } else {
            &["http:", "https:", "style=", "<style", "onclick", "onload", "@import", "url("]
        };
        for forbidden in forbidden {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn only_the_emulators_own_page_may_control_it() {
    let story = Story::begin();
    let own = story.emulator.url().to_owned();
    let mut connection = Connection::open(&own);
    let other_port = format!("{own}0");
    let other_scheme = own.replace("http:", "https:");
    let host = own.strip_prefix("http://").expect("a plain URL");
    for (origin, status) in
        [(own.as_str(), 200), ("null", 403), ("http://example.org", 403), (&other_port, 403), (&other_scheme, 403)]
    {
        for (method, path) in [("POST", "/emulator/clock"), ("GET", "/"), ("GET", "/emulator/page.js")] {
            let body = if method == "POST" { r#"{"advance_ms": 1}"# } else { "" };
            // In one piece: a request that is refused before its body arrives closes the connection.
            let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}");
            connection.send(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
            let reply = connection.receive(method);
            assert_eq!(reply.status, status, "{origin}: {method} {path}");
            assert_eq!(reply.header("Access-Control-Allow-Origin"), None);
        }
    }
    for (site, status) in [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)] {
        for path in ["/", "/emulator/clock"] {
            let reply = connection.call("GET", path, &[("Sec-Fetch-Site", site)], b"");
            assert_eq!(reply.status, status, "{site}: {path}");
        }
    }
    for path in ["/", "/emulator/events"] {
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: rebound.example.org\r\n\r\n").as_bytes());
        assert_eq!(connection.receive("GET").status, 403);
    }
}

#[test]
fn a_forged_reply_is_no_script_of_the_page() {
    let story = Story::begin();
    let html = "<script src=/x></script>";
    let faults = [
        Fault::on("GET", "/one").status(200).header("Content-Type", "text/html").body(html),
        Fault::on("GET", "/two").content_type("text/html"),
    ];
    story.emulator.add_faults(faults).expect("good faults");
    let mut connection = Connection::open(story.emulator.url());
    for path in ["/one", "/two"] {
        let reply = connection.call("GET", path, &[], b"");
        let headers = ["Content-Type", "Content-Security-Policy"].map(|name| reply.header(name));
        assert_eq!(headers, [Some("text/html"), Some("sandbox")], "{path}");
    }
}

#[test]
fn events_show_sessions_requests_faults_and_the_clock_without_secrets() {
    let mut story = Story::begin();
    let mut reader = events(&story);
    assert_eq!(event(&mut reader, "hello", "")["version"], env!("CARGO_PKG_VERSION"));
    let session = story.create();
    assert_eq!(event(&mut reader, "sessions", &session)["sessions"][0]["status"], "Starting");
    story.emulator.add_faults([Fault::on("GET", "**").always().reset()]).expect("a good fault");
    assert_eq!(event(&mut reader, "faults", "reset")["rules"][0]["left"], Value::Null);
    story.clock.advance(Duration::from_secs(3600));
    assert_eq!(event(&mut reader, "sessions", "Ready")["active"], 1);

    let mut all = String::new();
    let mut late = events(&story);
    while !all.contains("event: requests") {
        all.push_str(&String::from_utf8(late.chunk()).expect("UTF-8"));
    }
    for seen in [&session, "202", "MS-CV", "duration_ms", "\"time_ms\":3600000"].map(str::to_lowercase) {
        assert!(all.to_lowercase().replace("ms_cv", "ms-cv").contains(&seen), "{seen} in {all}");
    }
    for secret in [story.emulator.account().key(), &story.token, "Bearer", "headers"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn the_number_of_readers_is_bounded() {
    const MOST: usize = 16;
    let story = Story::begin();
    let mut readers: Vec<_> = (0..MOST).map(|_| events(&story)).collect();
    let ask = || Connection::open(story.emulator.url()).call("GET", "/emulator/events", &[], b"");
    let refused = ask();
    assert_eq!((refused.status, refused.error().as_str()), (503, "too many pages are open; close one"));
    readers.pop();
    let head = || Connection::open(story.emulator.url()).call("HEAD", "/emulator/events", &[], b"").status;
    let deadline = Instant::now() + Duration::from_secs(30);
    while head() != 200 {
        assert!(Instant::now() < deadline, "the place of a reader that left is not free");
    }
}

#[test]
fn a_stop_does_not_wait_for_readers() {
    let story = Story::begin();
    let mut reader = events(&story);
    event(&mut reader, "hello", "");
    let begin = Instant::now();
    story.emulator.stop();
    assert!(begin.elapsed() < Duration::from_millis(1900), "{:?}", begin.elapsed());
    reader.rest();
}
