//! The last reply about a session, for members that only the application knows.

use crate::support::paced::Lab;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{Client, ErrorKind, Session, SessionStatus, WatchOptions};
use serde_json::Value;
use std::time::Duration;

in_both_versions![
    a_reply_is_kept_as_received,
    a_long_reply_is_not_kept_and_does_no_harm,
    a_watched_session_has_its_entry_of_the_list,
];

/// A session's JSON with a member that no version has.
fn with_more(wire: &Wire, more: &str) -> String {
    let known = wire.session(&SessionStatus::Ready);
    format!("{{ \"connection\":{more},\n{}", known.trim_start_matches('{'))
}

/// A session whose reads are answered by this body, with its client and server.
fn session_read_as(wire: &'static Wire, body: &str) -> (Scripted, Client, Session) {
    let read = reply("200 OK", "", body);
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Read => Act::Answer(read.clone()),
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    (server, client, session)
}

fn a_reply_is_kept_as_received(wire: &'static Wire) {
    let body = with_more(wire, r#"{"token":"4\u0032","port":[1,2.50]}"#);
    let (_server, _client, session) = session_read_as(wire, &body);
    // The reply to a create is a whole session only with 2021-01-01.
    let created = wire.session(&SessionStatus::Starting);
    assert_eq!(session.reply().unwrap().as_deref(), (!wire.is_v1()).then_some(created.as_str()));
    session.properties().run().unwrap();
    assert_eq!(session.reply().unwrap().as_deref(), Some(body.as_str()));
    session.stop().run().unwrap();
    assert_eq!(session.reply().unwrap().as_deref(), Some(body.as_str()), "a stop has no reply to keep");
}

fn a_long_reply_is_not_kept_and_does_no_harm(wire: &'static Wire) {
    let body = with_more(wire, &format!("\"{}\"", "x".repeat(64 * 1024)));
    let (_server, _client, session) = session_read_as(wire, &body);
    assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(session.reply().unwrap_err().kind(), ErrorKind::UnexpectedReply);
}

fn a_watched_session_has_its_entry_of_the_list(wire: &Wire) {
    let lab = Lab::with_startup(wire, Duration::ZERO);
    let (session, _other) = (lab.ready(HOUR), lab.ready(HOUR));
    session.watch(WatchOptions::default(), 0).unwrap();
    let revision = session.snapshot().revision;
    lab.pump(3 * 60 * SECOND, SECOND);
    let reply: Value = serde_json::from_str(&session.reply().unwrap().unwrap()).unwrap();
    let (id, elapsed) = if wire.is_v1() { ("sessionId", "sessionElapsedTime") } else { ("id", "elapsedTimeMinutes") };
    assert_eq!(reply[id], session.id().as_str());
    assert!(reply[elapsed] != 0 && reply[elapsed] != "00:00:00", "{reply}");
    assert_eq!(session.snapshot().revision, revision, "the passage of time is not a change");
}
