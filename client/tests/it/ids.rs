//! Session ids: which session they identify, and which client owns it.

use crate::support;
use crate::support::journal::JournalWorld;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, World, an_hour};
use arr_client::{
    Claim, ClientConfig, ErrorKind, OperationState, Reuse, SessionId, SessionSize, SessionStatus, StopScope, abi,
};
use std::time::Duration;

in_both_versions![two_handles_of_one_session_share_its_state, the_requested_size_fills_in_for_a_missing_one,];

fn two_handles_of_one_session_share_its_state(wire: &Wire) {
    let world = World::with_startup(wire, Duration::ZERO);
    let first = world.client.create_session(&an_hour()).run().unwrap();
    let second = world.client.open_session(first.id()).run().unwrap();
    assert_eq!(first.known_properties().status, SessionStatus::Ready, "opening reads it");
    world.requests();
    first.stop().run().unwrap();
    assert_eq!(second.wait_until_ready().timeout(HOUR).run().unwrap_err().kind(), ErrorKind::SessionEnded);
    assert_eq!(world.requests(), [wire.stop, wire.properties]);
}

/// With REST 2021-01-01 letter case is significant.
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

/// Some services leave it out.
fn the_requested_size_fills_in_for_a_missing_one(wire: &'static Wire) {
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

/// Two clients that create the same id share a session, which belongs to the first.
#[test]
fn an_existing_session_under_a_given_id_is_not_owned() {
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

#[test]
fn a_create_that_opens_an_existing_session_reports_it_as_reused() {
    let wire = &support::wire::V2021;
    let world = World::with_startup(wire, Duration::ZERO);
    let other = world.another_client(wire.config());
    let shared = an_hour().with_id(SessionId::parse("shared").unwrap());
    for (client, existed) in [(&world.client, false), (&other, true), (&world.client, true)] {
        let create = abi::create_session(client, &shared).start().unwrap();
        assert_eq!(create.wait(HOUR), OperationState::Succeeded);
        assert_eq!(create.outcome().unwrap().reused, existed);
        let session = client.reuse_or_create(&shared, Reuse::default()).run().unwrap();
        assert!(session.reused, "it exists by now");
    }
}

/// As our own message advises: create it again under the id whose create may have been lost.
#[test]
fn a_session_recreated_under_an_ended_id_is_owned_again() {
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

/// A service of REST v1 whose create and list have these ids.
fn service_of_v1(created: &str, listed: &str) -> Scripted {
    let wire = &support::wire::V1;
    let created = reply("202 Accepted", "", &format!(r#"{{"sessionId":"{created}"}}"#));
    let listed = reply("200 OK", "", &format!(r#"[{{"sessionId":"{listed}","sessionStatus":"Ready"}}]"#));
    Scripted::by(move |line| match wire.act_of(line) {
        Asked::Create => Act::Answer(created.clone()),
        Asked::List => Act::Answer(listed.clone()),
        _ => Act::Answer(wire.good(line)),
    })
}

/// REST v1 accepts GUIDs in any letter case, and may write them in upper case.
#[test]
fn upper_case_ids_of_a_v1_service_are_the_same_sessions() {
    let lower = support::wire::ID;
    let upper = lower.to_ascii_uppercase();
    let server = service_of_v1(&upper, lower);
    let client = server.client(support::wire::V1.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.id().as_str(), upper);
    assert!(client.list_sessions().run().unwrap()[0].known_to_client);
    assert_eq!(client.open_session(&SessionId::parse(lower).unwrap()).run().unwrap().id(), session.id());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    let path = format!("/sessions/{upper}");
    let sent = server.requests().into_iter().filter(|request| request.line.contains(&path)).count();
    assert_eq!(sent, 2, "the read and the stop send the id as received: {:?}", server.requests());
}

/// Such a service is compatible if it accepts the ids that it issues.
#[test]
fn ids_of_a_v1_service_that_are_no_guids_are_sent_as_received() {
    let (mixed, other) = ("AbC-DeF-0", "abc-def-0");
    let server = service_of_v1(mixed, mixed);
    let config = support::wire::V1.config();
    let folder = support::journal::Folder::new();
    let client = server.client(ClientConfig { journal_folder: Some(folder.0.clone()), ..config.clone() });
    let session = client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.id().as_str(), mixed);
    session.properties().run().unwrap();
    assert!(client.list_sessions().run().unwrap()[0].known_to_client);
    assert_ne!(client.open_session(&SessionId::parse(other).unwrap()).run().unwrap().id(), session.id());
    drop((session, client));
    let next = server.client(ClientConfig { journal_folder: Some(folder.0.clone()), ..config });
    drop(next.recover_sessions().run().unwrap());
    assert_eq!(next.stop_all(StopScope::Account).run().unwrap().stopped, 1);
    folder.becomes(&[]);
    let paths = server.requests();
    let sent = |id: &str| paths.iter().filter(|request| request.line.contains(&format!("/sessions/{id}"))).count();
    assert_eq!((sent(mixed), sent(other)), (3, 1), "two reads and a stop, and the other open: {paths:?}");
}

/// The reply to the first attempt is lost. The second finds a session that was made at about that time, perhaps by
/// another client.
#[test]
fn a_session_perhaps_made_by_a_lost_attempt_under_a_given_id_is_not_owned_but_found_by_the_next_run() {
    let wire = &support::wire::V2021;
    let new = an_hour().with_id(SessionId::parse("shared").unwrap());
    for age in [None, Some(100), Some(900)] {
        let world = JournalWorld::new(wire);
        if let Some(age) = age {
            let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
            std::mem::forget(stranger.create_session(&new).run().unwrap());
            world.clock.advance(Duration::from_millis(age));
        }
        world.emulator.add_faults([wire.on(Asked::Create).close().executed(age.is_none())]).unwrap();
        let client = world.client();
        let session = client.create_session(&new).run().unwrap();
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
        assert_eq!(session.properties().run().unwrap().status, SessionStatus::Ready);
        assert_eq!(world.folder.states(), ["lost"]);
        drop((session, client));
        let next = world.client();
        let found = next.recover_sessions().run().unwrap();
        assert_eq!((found.len(), found[0].claim), (1, Claim::OnlyCandidate));
        found[0].session.stop().run().unwrap();
        world.over();
    }
}
