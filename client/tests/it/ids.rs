//! Which session an id means, and whose it is.

use crate::support;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, World, an_hour};
use arr_client::{ClientConfig, ErrorKind, SessionId, SessionSize, SessionStatus, StopScope};
use std::time::Duration;

in_both_versions![
    two_handles_of_one_session_know_the_same,
    the_size_that_was_asked_for_is_known_wherever_the_session_is_told_of,
];

fn two_handles_of_one_session_know_the_same(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let first = world.client.create_session(&an_hour()).run().unwrap();
    let second = world.client.open_session(first.id()).run().unwrap();
    assert_eq!(first.known_properties().status, SessionStatus::Ready, "opening has read it");
    world.requests();
    first.stop().run().unwrap();
    assert_eq!(second.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
    assert_eq!(world.requests(), [wire.stop, wire.properties]);
}

/// GUIDs in upper case are the same sessions. With REST 2021-01-01 the letter case counts.
#[test]
fn in_v1_an_id_in_another_letter_case_is_the_same_session() {
    let world = World::with_startup(&support::wire::V1, Duration::ZERO);
    let session = world.client.create_session(&an_hour()).run().unwrap();
    let upper = SessionId::parse(&session.id().as_str().to_ascii_uppercase()).unwrap();
    let opened = world.client.open_session(&upper).run().unwrap();
    assert_eq!(opened.id(), session.id());
    session.stop().run().unwrap();
    assert_eq!(opened.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
}

/// Services have been seen to leave it out.
fn the_size_that_was_asked_for_is_known_wherever_the_session_is_told_of(wire: &'static Wire) {
    let id = std::sync::Arc::new(std::sync::Mutex::new(support::wire::ID.to_owned()));
    let listed = std::sync::Arc::clone(&id);
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::List => {
            let id = listed.lock().unwrap();
            let entry = format!(r#"{{"id":"{id}","status":"Ready","sessionId":"{id}","sessionStatus":"Ready"}}"#);
            Act::Answer(reply("200 OK", "", &format!(r#"{{"sessions":[{entry}]}}"#)))
        }
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    *id.lock().unwrap() = session.id().to_string();
    let id = session.id().clone();
    assert_eq!(session.properties().run().unwrap().size, Some(SessionSize::Standard));
    assert_eq!(client.list_sessions().run().unwrap()[0].properties.size, Some(SessionSize::Standard));
    drop(session);
    assert_eq!(client.open_session(&id).run().unwrap().known_properties().size, Some(SessionSize::Standard));
}

/// Two clients that create the same id share a session; it belongs to the one that made it.
#[test]
fn a_session_that_existed_under_a_given_id_is_opened_and_not_owned() {
    let wire = &support::wire::V2021;
    let world = World::with_startup(wire, Duration::ZERO);
    let other = world.another_client(wire.config());
    let shared = an_hour().with_id(SessionId::parse("shared").unwrap());
    let first = world.client.create_session(&shared).run().unwrap();
    let second = other.create_session(&shared).run().unwrap();
    assert_eq!(other.stop_all(StopScope::Own).run().unwrap().stopped, 0);
    assert_eq!(second.properties().run().unwrap().status, SessionStatus::Ready);
    assert_eq!(world.client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    assert_eq!(first.properties().run().unwrap().status, SessionStatus::Stopped);
}

/// As our own message advises: create it again under the id that may have been lost.
#[test]
fn a_session_created_again_under_an_id_that_had_ended_is_owned_again() {
    let wire = &support::wire::V2021;
    let creates = std::sync::atomic::AtomicUsize::new(0);
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create if creates.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => Act::Close,
        Asked::Stop if line.contains("/gone-") => Act::Answer(reply("404 Not Found", "", "")),
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(ClientConfig { max_retries: 0, ..wire.config() });
    let error = client.create_session(&an_hour()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    let line = server.requests()[1].line.clone();
    let id = line.split(['/', '?']).find(|part| part.len() == 36 && !part.starts_with("68321d5a"));
    let id = SessionId::parse(id.unwrap()).unwrap();
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1, "it was claimed");
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
    drop(client.create_session(&an_hour().with_id(id)).run().unwrap());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
}

/// REST v1 takes GUIDs in any letter case; one that it writes in upper case is still the same session.
#[test]
fn ids_that_a_v1_service_writes_in_upper_case_are_the_same_sessions() {
    let wire = &support::wire::V1;
    let upper = support::wire::ID.to_ascii_uppercase();
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => Act::Answer(reply("202 Accepted", "", &format!(r#"{{"sessionId":"{upper}"}}"#))),
        Asked::List => {
            let entry = format!(r#"{{"sessionId":"{upper}","sessionStatus":"Ready"}}"#);
            Act::Answer(reply("200 OK", "", &format!("[{entry}]")))
        }
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.id().as_str(), support::wire::ID);
    assert!(client.list_sessions().run().unwrap()[0].known_to_client);
}

/// The answer to the first try is lost; the second finds what that has made.
#[test]
fn a_session_made_by_a_lost_try_under_a_given_id_is_owned() {
    let wire = &support::wire::V2021;
    let world = World::with_startup(wire, Duration::ZERO);
    world.emulator.add_faults([wire.on(Asked::Create).close().executed(true)]).unwrap();
    drop(world.client.create_session(&an_hour().with_id(SessionId::parse("mine").unwrap())).run().unwrap());
    let statuses: Vec<_> = world.emulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 0, 200], "a token, no answer, and one that says that it was there");
    assert_eq!(world.client.stop_all(StopScope::Own).run().unwrap().stopped, 1, "nobody else pays for it");
}
