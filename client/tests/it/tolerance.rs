//! Deviations of a service from its documentation that the client tolerates (docs/service.md).

use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, ID, V1, Wire, in_both_versions};
use crate::support::{HOUR, an_hour};
use arr_client::{Client, ClientConfig, ErrorKind, Lease, LogLevel, Session, SessionStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

in_both_versions! {
    a_wait_continues_through_an_unknown_status,
    a_session_that_is_stopping_will_never_be_ready,
    the_framing_of_a_reply_does_not_matter,
    unneeded_members_cannot_break_a_reply,
    unneeded_members_cannot_break_the_reply_to_a_create,
    unneeded_members_cannot_break_an_error,
    redirects_are_not_followed_because_they_would_leak_the_token,
    error_bodies_may_be_anything,
    the_status_decides_even_if_the_body_is_broken,
    a_refused_token_is_renewed_even_if_the_body_is_broken,
    hidden_characters_in_a_services_text_do_not_reach_messages_and_logs,
    a_services_long_text_leaves_room_for_ids_and_remedies,
}

/// A session on a server that answers other requests with these acts in order, and then with the last one.
fn session(wire: &'static Wire, acts: Vec<Act>) -> (Scripted, Client, Session) {
    let count = AtomicUsize::new(0);
    let server = Scripted::by(move |line| match line {
        create if wire.act_of(create) == Asked::Create => Act::Answer(wire.created()),
        _ => acts[count.fetch_add(1, Ordering::SeqCst).min(acts.len() - 1)].clone(),
    });
    let poll_interval = Some(Duration::from_millis(1));
    let client = server.client(ClientConfig { poll_interval, ..wire.config() });
    let session = client.create_session(&an_hour()).run().unwrap();
    (server, client, session)
}

/// A success reply to a read with this status, in any spelling.
fn read(wire: &Wire, word: &str) -> Act {
    Act::Answer(wire.read(&SessionStatus::Unknown(word.into())))
}

fn properties(members: &str) -> Act {
    Act::Answer(reply("200 OK", "", &format!("{{{members}}}")))
}

fn a_wait_continues_through_an_unknown_status(wire: &'static Wire) {
    let words = ["Starting", "Napping", "READY"].map(|word| read(wire, word));
    let (_server, _client, session) = session(wire, words.into());
    assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap().status, SessionStatus::Ready);
    let (_server, _client, napping) = self::session(wire, vec![read(wire, "Napping")]);
    assert_eq!(napping.properties().run().unwrap().status, SessionStatus::Unknown("Napping".into()));
}

fn a_session_that_is_stopping_will_never_be_ready(wire: &'static Wire) {
    for word in ["stopping", "Stopping"] {
        let (_server, _client, session) = session(wire, vec![read(wire, word)]);
        assert_eq!(session.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
        assert_eq!(session.known_properties().status, SessionStatus::Stopping);
        assert!(!session.known_properties().status.is_final());
    }
}

#[test]
fn a_failure_without_a_message_is_a_failure() {
    for message in ["null", "\"\"", "\"  \""] {
        let members = format!(r#""sessionStatus":"Error","message":{message}"#);
        let (_server, _client, session) = session(&V1, vec![properties(&members)]);
        let error = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SessionFailed);
        assert!(error.message().contains(&format!("session {ID} failed; create another")), "{error}");
    }
}

fn the_framing_of_a_reply_does_not_matter(wire: &'static Wire) {
    let body = wire.session(&SessionStatus::Ready);
    for act in [
        Act::AnswerAndClose(format!("HTTP/1.1 200 OK\r\n\r\n{body}")),
        Act::AnswerAndClose(format!("HTTP/1.0 200 OK\r\n\r\n{body}")),
        Act::Answer(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        )),
        Act::Answer(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nContent-Type: text/html\r\n\r\n{body}",
            body.len()
        )),
        Act::Answer(reply("200 OK", "", &format!("\r\n \t{body}\n"))),
        Act::Answer(reply("200 OK", &"X-Many: 1\r\n".repeat(990), &body)),
    ] {
        let (_server, _client, session) = session(wire, vec![act.clone()]);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready, "{act:?}");
    }
}

/// JSON with a byte order mark, members that no version has, and then these members.
fn with_strangers(members: &str) -> Vec<String> {
    let deep = "[{\"a\":".repeat(50_000) + "[]" + &"}]".repeat(50_000);
    let strangers = [
        r#""x":1e400,"y":-1e-400,"z":123456789012345678901234567890"#,
        r#""x":"\ud800","\udc00":[{"\ud800":"\udfff\ud800"}]"#,
        &format!(r#""x":{deep},"y":{deep}"#),
        r#""a":1,"a":{"sessionId":1,"id":2,"sessionStatus":3,"status":4},"a":null"#,
    ];
    strangers.map(|it| format!("\u{feff}{{{it},{}", members.trim_start_matches('{'))).into()
}

fn unneeded_members_cannot_break_a_reply(wire: &'static Wire) {
    for body in with_strangers(&wire.session(&SessionStatus::Ready)) {
        let answer = Act::Answer(reply("200 OK", "", &body));
        let (_server, client, session) = session(wire, vec![answer]);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
        let without_mark = body.trim_start_matches('\u{feff}');
        match session.reply() {
            Ok(reply) => assert_eq!(reply.as_deref(), Some(without_mark), "as received"),
            Err(error) => assert!(without_mark.len() > 64 * 1024, "{error}"),
        }
        session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        drop((session, client));
        // An entry of a list, and the list around it.
        let id = if wire.is_v1() { "sessionId" } else { "id" };
        let entry = format!(r#"{{"{id}":"{ID}",{}"#, without_mark.trim_start_matches('{'));
        for list in with_strangers(&format!(r#"{{"sessions":[{entry}]}}"#)) {
            let server = Scripted::always(Act::Answer(reply("200 OK", "", &list)));
            let listed = server.client(wire.config()).list_sessions().run().unwrap();
            assert_eq!((listed[0].properties.id.as_str(), &listed[0].properties.status), (ID, &SessionStatus::Ready));
            assert_eq!(listed[0].properties.hostname.as_deref(), Some("h"));
        }
    }
}

fn unneeded_members_cannot_break_the_reply_to_a_create(wire: &'static Wire) {
    let members =
        if wire.is_v1() { format!(r#"{{"sessionId":"{ID}"}}"#) } else { wire.session(&SessionStatus::Starting) };
    let mut bodies = with_strangers(&members);
    if wire.is_v1() {
        // The id has arrived, and a session is running.
        bodies.extend([format!(r#"{{"sessionId":"{ID}","x":NaN}}"#), format!(r#"{{"sessionId":"{ID}","x"#)]);
    }
    for body in bodies {
        let headers =
            "X Odd: 1\r\nno header at all\r\nX-Spaced : 1\r\nX-Binary: \u{1}\u{fffd}\r\nX-Folded: 1\r\n 2\r\n";
        for headers in ["", headers, &"X-Many: 1\r\n".repeat(990)] {
            let server = Scripted::always(Act::Answer(reply("200 OK", headers, &body)));
            let client = server.client(once(wire));
            let created = client.create_session(&an_hour()).run().unwrap();
            assert!(!wire.is_v1() || created.id().as_str() == ID);
        }
    }
}

fn unneeded_members_cannot_break_an_error(wire: &'static Wire) {
    for inner in with_strangers(r#"{"code":"ServiceFull","message":"reason \ud800"}"#) {
        for body in with_strangers(&format!(r#"{{"error":{}}}"#, inner.trim_start_matches('\u{feff}'))) {
            let server =
                Scripted::always(Act::Answer(reply("429 Too Many Requests", "", &body[..body.len().min(900_000)])));
            let error = server.client(once(wire)).create_session(&an_hour()).run().unwrap_err();
            // An error of more than 64 KiB is cut off.
            let kind = if body.len() > 64 * 1024 { ErrorKind::Throttled } else { ErrorKind::ServiceFull };
            assert_eq!(
                (error.kind(), error.message().contains("reason")),
                (kind, kind == ErrorKind::ServiceFull),
                "{error}"
            );
        }
    }
}

#[test]
fn unneeded_members_cannot_break_a_token() {
    for body in with_strangers(&crate::support::scripted::token()) {
        let server = Scripted::with_tokens(reply("200 OK", "", &body), |_| Act::Answer(V1.created()));
        drop(server.client(V1.config()).create_session(&an_hour()).run().unwrap());
    }
}

#[test]
fn any_success_is_a_success() {
    for (status, body) in
        [("200 OK", ""), ("200 OK", "{}"), ("201 Created", "text"), ("202 Accepted", "[1"), ("204 No Content", "")]
    {
        let (_server, _client, session) = session(&V1, vec![Act::Answer(reply(status, "", body))]);
        session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        assert!(!session.stop().run().unwrap().already_gone, "{status}");
    }
    for status in ["200 OK", "201 Created", "299 Other"] {
        let server = Scripted::always(Act::Answer(reply(status, "", &format!(r#"{{"sessionId":"{ID}","new":1}}"#))));
        drop(server.client(ClientConfig::default()).create_session(&an_hour()).run().unwrap());
        let server = Scripted::always(Act::Answer(reply(status, "", "[]")));
        assert!(server.client(ClientConfig::default()).list_sessions().run().unwrap().is_empty());
    }
}

fn redirects_are_not_followed_because_they_would_leak_the_token(wire: &'static Wire) {
    let elsewhere = Scripted::always(read(wire, "Ready"));
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let headers = format!("Location: {}/v1/x\r\n", elsewhere.url);
        let (server, _client, session) = session(wire, vec![Act::Answer(reply(status, &headers, ""))]);
        let error = session.properties().run().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::UnexpectedReply, false), "{error}");
        assert_eq!(server.seen().len(), 3, "token, create, and one read");
    }
    assert!(elsewhere.seen().is_empty());
}

fn error_bodies_may_be_anything(wire: &'static Wire) {
    for body in
        ["", "<html>", r#"{"error":"reason"}"#, r#"{"error":{"code":"C","message":"reason"}}"#, "\u{0}\u{1}", "{\"a\":"]
    {
        let (_server, _client, session) = session(wire, vec![Act::Answer(reply("400 Bad Request", "", body))]);
        let error = session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.message().contains("(\"reason\")"), body.contains("reason"), "{error}");
        assert_eq!(error.service_code(), body.contains("code").then_some("C"));
    }
}

/// A reply with this status whose body breaks off, and one whose body is too long.
fn broken(status: &str, headers: &str) -> [Act; 2] {
    let head = |length: usize| format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [
        Act::AnswerAndClose(format!("{}{{", head(1_000))),
        Act::Answer(format!("{}{}", head(2 * 1024 * 1024), "x".repeat(2 * 1024 * 1024))),
    ]
}

fn the_status_decides_even_if_the_body_is_broken(wire: &'static Wire) {
    // Without it, such a reply could be a gateway's.
    const VECTOR: &str = "MS-CV: 5EqPJ1VdTUakDJZc6/ZhTg.0\r\n";
    let new = an_hour();
    let create = |act: Act| Scripted::always(act).client(once(wire)).create_session(&new).run().map(drop);
    for act in broken("400 Bad Request", "") {
        assert_eq!(create(act).unwrap_err().kind(), ErrorKind::BadRequest);
    }
    for act in broken("429 Too Many Requests", "Retry-After: 7\r\n") {
        let error = create(act).unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(7))));
    }
    for act in broken("404 Not Found", VECTOR) {
        assert_eq!(session(wire, vec![act.clone()]).2.properties().run().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(session(wire, vec![act]).2.stop().run().unwrap().already_gone);
    }
    for act in broken("200 OK", VECTOR) {
        let (_server, _client, session) = session(wire, vec![act]);
        // An update's reply is the session's new properties in 2021-01-01; in v1 there is nothing in it to lose.
        if wire.is_v1() {
            session.update_lease(Lease::new(2 * HOUR).unwrap()).run().unwrap();
        }
        assert!(!session.stop().run().unwrap().already_gone);
    }
    // In v1 the id is lost with the body of a success; in 2021-01-01 it is in the request, and the session is created.
    for act in broken(if wire.is_v1() { "202 Accepted" } else { "201 Created" }, "") {
        assert_eq!(
            create(act).map_err(|error| error.kind()),
            if wire.is_v1() { Err(ErrorKind::OutcomeUnknown) } else { Ok(()) }
        );
    }
}

fn once(wire: &Wire) -> ClientConfig {
    ClientConfig { max_retries: 0, ..wire.config() }
}

fn a_refused_token_is_renewed_even_if_the_body_is_broken(wire: &'static Wire) {
    for act in broken("401 Unauthorized", "") {
        let (server, _client, session) = session(wire, vec![act, read(wire, "Ready")]);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
        assert_eq!(server.seen().len(), 5, "token, create, read, token, read");
    }
}

#[test]
fn the_render_hosts_region_does_not_change_the_endpoint() {
    let host = "5018fee8.remoterenderingvm.westeurope.mixedreality.azure.com";
    let members = format!(r#""sessionStatus":"Ready","sessionHostname":"{host}""#);
    let (server, _client, session) = session(&V1, vec![properties(&members)]);
    assert_eq!(session.properties().run().unwrap().hostname.as_deref(), Some(host));
    session.properties().run().unwrap();
    let asked: Vec<_> = server.requests().iter().filter_map(|it| it.header("host").map(str::to_owned)).collect();
    assert_eq!(asked.len(), 4, "all go to the endpoint");
    assert!(asked.iter().all(|host| server.url.ends_with(host.as_str())), "{asked:?}");
}

#[test]
fn a_token_reply_without_a_date_uses_the_devices_clock() {
    use base64::Engine as _;
    let clock = arr_service::VirtualClock::new();
    let payload = format!(r#"{{"exp":{}}}"#, clock.unix_time().as_secs() + 3_600);
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
    let body = format!(r#"{{"AccessToken":"h.{payload}.s"}}"#);
    let server = Scripted::with_tokens(reply("200 OK", "", &body), |_| Act::Answer(V1.created()));
    let client = server.client_on(&clock, ClientConfig::default());
    assert_eq!(client.access_token().run().unwrap().remaining, Some(HOUR));
}

fn hidden_characters_in_a_services_text_do_not_reach_messages_and_logs(wire: &'static Wire) {
    let bad = "\u{0}\u{1b}\u{7f}\u{85}\u{ad}\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\
        \u{202c}\u{202d}\u{202e}\u{2060}\u{2064}\u{2066}\u{2067}\u{2068}\u{2069}\u{206f}\u{feff}\u{fff9}\u{e0001}\u{e007f}\u{180b}\u{fe0f}\u{fff0}\u{13430}\u{1bca3}";
    let text: String = bad.chars().map(|c| format!("ä{c}")).collect::<String>() + "ä😀";
    let written = serde_json::to_string(&text).unwrap();
    let body = format!(r#"{{"error":{{"code":{written},"message":{written}}}}}"#);
    let failed = if wire.is_v1() {
        format!(r#"{{"sessionStatus":"Error","message":{written}}}"#)
    } else {
        format!(r#"{{"status":"Error","error":{{"code":{written},"message":{written}}}}}"#)
    };
    let acts = vec![Act::Answer(reply("400 Bad Request", "", &body)), Act::Answer(reply("200 OK", "", &failed))];
    let (server, first, session) = session(wire, acts);
    drop((first, session));
    let client = server.client(ClientConfig {
        log_level: LogLevel::Debug,
        max_retries: 0,
        poll_interval: Some(Duration::from_millis(5)),
        ..wire.config()
    });
    let session = client.create_session(&an_hour()).run().unwrap();
    let refused = session.properties().run().unwrap_err();
    let ended = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
    assert_eq!((refused.kind(), ended.kind()), (ErrorKind::BadRequest, ErrorKind::SessionFailed));
    let mut texts = vec![refused.message().to_owned(), ended.message().to_owned()];
    texts.extend(refused.service_code().map(str::to_owned));
    texts.extend(session.known_properties().message);
    while let Some(entry) = client.next_log(Duration::ZERO).unwrap() {
        texts.push(entry.message);
    }
    assert!(texts.len() > 5);
    for text in &texts {
        assert!(!text.contains(|c| bad.contains(c)), "{text:?}");
    }
    assert!(texts[..4].iter().all(|text| text.contains("ä ä") && text.contains("ä😀")), "{texts:?}");
}

/// The C ABI cuts a message, with the function's name, after 511 bytes.
fn a_services_long_text_leaves_room_for_ids_and_remedies(wire: &'static Wire) {
    const ROOM: usize = 470;
    let words = "An error of the gateway. ".repeat(160);
    let failing = |status: &str| Act::Answer(reply(status, "Retry-After: 7\r\n", &words));
    let has = |text: &str, facts: &[&str]| {
        let start = &text[..text.floor_char_boundary(ROOM)];
        assert!(facts.iter().all(|fact| start.contains(fact)), "{facts:?}: {text}");
        assert!(text.len() > ROOM && text.contains("An error of the gateway"), "{text}");
    };
    let server = Scripted::always(failing("502 Bad Gateway"));
    let client = server.client(ClientConfig { log_level: LogLevel::Error, ..once(wire) });
    let error = client.create_session(&an_hour()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    let line = server.requests()[1].line.clone();
    let id = line.rsplit('/').next().unwrap().split('?').next().unwrap();
    let facts = if wire.is_v1() { ["sessions", "502"] } else { [id, "stop it"] };
    has(error.message(), &facts);
    has(&client.next_log(Duration::ZERO).unwrap().expect("an error").message, &facts);
    for (status, facts) in [
        ("302 Found", &["302", "redirects", "URL"][..]),
        ("404 Not Found", &["404", "endpoint"]),
        ("429 Too Many Requests", &["429", "7 s"]),
        ("503 Service Unavailable", &["503", "later", "7 s"]),
        ("511 Network Authentication Required", &["511", "captive portal"]),
    ] {
        let client = Scripted::always(failing(status)).client(once(wire));
        has(client.list_sessions().run().unwrap_err().message(), facts);
    }
    let (_server, client, session) = session(wire, vec![failing("500 Internal Server Error")]);
    has(session.stop().run().unwrap_err().message(), &[session.id().as_str(), "stop it again"]);
    drop(client);
    for word in ["Error", "Stopped", "Expired"] {
        let members = if wire.is_v1() {
            format!(r#""sessionStatus":"{word}","message":"{words}""#)
        } else {
            format!(r#""status":"{word}","error":{{"message":"{words}"}}"#)
        };
        let (_server, _client, session) = self::session(wire, vec![properties(&members)]);
        let ended = session.wait_until_ready().timeout(HOUR).run().unwrap_err();
        has(ended.message(), &[session.id().as_str(), "create another"]);
    }
}
