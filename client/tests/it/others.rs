//! Sessions of other clients, and replies of other servers, that must not be mistaken for the client's own.

use crate::support::gate::At;
use crate::support::journal::{JournalWorld as World, until};
use crate::support::paced::Lab;
use crate::support::scripted::{Act, Scripted};
use crate::support::wire::{Asked, V1, V2021, Wire, in_both_versions};
use crate::support::{HOUR, SECOND, an_hour};
use arr_client::{
    Claim, ClientConfig, ErrorKind, EventKind, Lease, NewSession, OperationState, Reuse, Session, SessionId,
    SessionStatus, StopScope, WatchOptions,
};

in_both_versions![
    a_web_page_says_nothing_about_a_session,
    a_reply_of_a_gateway_is_not_taken_for_the_services,
    a_single_404_does_not_end_a_watched_session,
];

fn shared() -> NewSession {
    an_hour().with_id(SessionId::parse("shared").unwrap())
}

/// The shared session, created some time ago by a client without the journal.
fn theirs(world: &World) -> Session {
    let stranger = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
    let session = stranger.create_session(&shared()).run().unwrap();
    world.clock.advance(3 * SECOND);
    std::mem::forget(stranger);
    session
}

fn is_ready(session: &Session) -> bool {
    session.properties().run().unwrap().status == SessionStatus::Ready
}

/// The reply to the first attempt is lost, and the reply to the second shows that the session existed before.
#[test]
fn an_existing_session_under_a_given_id_is_not_owned_even_after_a_lost_attempt() {
    let fault = || V2021.on(Asked::Create);
    for fault in [fault().status(503), fault().status(500), fault().close(), fault().close().executed(true)] {
        let world = World::new(&V2021);
        let theirs = theirs(&world);
        world.emulator.add_faults([fault]).unwrap();
        let client = world.client();
        let opened = client.create_session(&shared()).run().unwrap();
        assert_eq!(opened.id(), theirs.id());
        assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 0);
        assert!(is_ready(&theirs));
        world.folder.becomes(&[]);
    }
}

/// It may have existed before.
#[test]
fn a_session_under_a_given_id_is_a_candidate_if_the_reply_was_lost() {
    let world = World::new(&V2021);
    let theirs = theirs(&world);
    let lose = |new: &NewSession| {
        let client = world.client_with(ClientConfig { max_retries: 0, ..world.config() });
        world.emulator.add_faults([V2021.on(Asked::Create).close()]).unwrap();
        assert_eq!(client.create_session(new).run().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    };
    lose(&shared());
    let client = world.client();
    let reused = client.reuse_or_create(&an_hour(), Reuse::default()).run().unwrap();
    assert!(!reused.reused && reused.session.id() != theirs.id());
    let found = client.recover_sessions().run().unwrap();
    assert_eq!((found.len(), found[0].session.id(), found[0].claim), (1, theirs.id(), Claim::OnlyCandidate));
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1, "only the session that it created");
    assert!(is_ready(&theirs));
    drop(client);

    // With a record that another client made it, it is not a candidate.
    theirs.stop().run().unwrap();
    world.client().recover_sessions().run().unwrap();
    world.clock.advance(61 * SECOND);
    world.client().recover_sessions().run().unwrap();
    world.folder.becomes(&[]);
    let owner = world.client();
    let other = an_hour().with_id(SessionId::parse("other").unwrap());
    let owned = owner.create_session(&other).run().unwrap();
    lose(&other);
    assert!(world.client().recover_sessions().run().unwrap().is_empty());
    assert_eq!(world.folder.states(), ["created"]);
    drop(owner);
    let client = world.client();
    assert_eq!(client.recover_session(owned.id()).run().unwrap().id(), owned.id());
    assert_eq!(client.stop_all(StopScope::Own).run().unwrap().stopped, 1);
    world.over();
}

/// The client cannot know that the create will arrive after the stop, so the next run looks for the session.
#[test]
fn a_create_that_arrives_after_its_stop_is_found_by_the_next_run() {
    for cancels in [true, false] {
        let world = World::new(&V2021);
        let client = world.client_with(ClientConfig { max_retries: 0, ..world.config_through_gate() });
        let held = world.gate.hold(&V2021, Asked::Create, At::Request);
        let create = client.create_session(&an_hour()).start().unwrap();
        held.arrived();
        if cancels {
            create.cancel();
        }
        held.cut();
        until(|| world.folder.states() == ["lost"], || "it should be recorded as lost".to_owned());
        if !cancels {
            assert_eq!(create.wait(60 * SECOND), OperationState::Failed);
        }
        let id = SessionId::parse(world.folder.records()[0]["session_id"].as_str().unwrap()).unwrap();
        let mut events = std::iter::from_fn(|| client.next_event(60 * SECOND).unwrap());
        let report = events.find(|event| event.kind == EventKind::CreateLost).unwrap();
        assert_eq!((report.session, report.count), (Some(id.clone()), 1));
        let stopped = client.stop_all(StopScope::Own).run().unwrap();
        assert_eq!((stopped.already_gone, stopped.stopped), (1, 0));
        client.shut_down_within(60 * SECOND).unwrap();
        assert_eq!(world.folder.states(), ["lost"]);

        // Now the create arrives.
        let late = world.client_with(ClientConfig { journal_folder: None, ..world.config() });
        drop(late.create_session(&an_hour().with_id(id.clone())).run().unwrap());
        let next = world.client();
        let found = next.recover_sessions().run().unwrap();
        assert_eq!((found[0].session.id(), found[0].claim), (&id, Claim::Ours));
        assert_eq!(next.stop_all(StopScope::Own).run().unwrap().stopped, 1);
        world.over();
    }
}

/// For a moment, a gateway replies instead of the service.
fn a_web_page_says_nothing_about_a_session(wire: &'static Wire) {
    let world = World::new(wire);
    world.leave(world.client(), 1);
    let client = world.client();
    for (asked, status) in [(Asked::Read, 404), (Asked::Stop, 404), (Asked::Stop, 409), (Asked::Stop, 410)] {
        world.emulator.add_faults([wire.on(asked).status(status).body("\r\n<html>no such page</html>")]).unwrap();
    }
    let error = client.recover_sessions().run().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::UnexpectedReply, Some(404)));
    assert_eq!(world.folder.states(), ["created"]);
    let found = client.recover_sessions().run().unwrap();
    for _ in 0..3 {
        assert_eq!(found[0].session.stop().run().unwrap_err().kind(), ErrorKind::UnexpectedReply);
    }
    assert!(is_ready(&found[0].session));
    assert!(!found[0].session.stop().run().unwrap().already_gone);
    world.over();
}

/// A gateway's reply, which has no correlation vector.
fn foreign(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn a_reply_of_a_gateway_is_not_taken_for_the_services(wire: &'static Wire) {
    const PAGE: &str = "<!DOCTYPE html><html>sign in</html>";
    let utf16 = "\u{0}<\u{0}h\u{0}t\u{0}m\u{0}l\u{0}>";
    for (status, kind, body, is_services) in [
        ("200 OK", "text/html", PAGE, false),
        ("200 OK", "text/plain", "OK", false),
        ("200 OK", "application/json", "{}", true),
        ("200 OK", "text/html", "", true),
        ("404 Not Found", "text/html", "Not found", false),
        ("404 Not Found", "text/html", utf16, false),
        ("404 Not Found", "text/plain", "default backend - 404", false),
        ("404 Not Found", "application/json", r#"{"message":"no Route matched with those values"}"#, false),
        ("404 Not Found", "application/json", r#"{"status":404,"error":"Not Found","path":"/v1"}"#, false),
        ("409 Conflict", "text/plain", "conflict", false),
        ("410 Gone", "text/html", PAGE, false),
        ("404 Not Found", "text/plain", "", true),
        ("404 Not Found", "application/json", r#"{"error":"no such session"}"#, true),
        ("404 Not Found", "application/json", r#"{"error":{"code":"NotFound"},"x":1}"#, true),
    ] {
        let answer = foreign(status, kind, body);
        let server = Scripted::by(move |line| match wire.act_of(line) {
            Asked::Stop | Asked::Update => Act::Answer(answer.clone()),
            _ => Act::Answer(wire.good(line)),
        });
        let client = server.client(wire.config());
        let session = client.create_session(&an_hour()).run().unwrap();
        if status == "200 OK" {
            let updated = session.update_lease(Lease::from_secs(7_200).unwrap()).run();
            assert_eq!(updated.is_ok(), is_services, "{updated:?} {status} {kind} {body}");
        }
        let stopped = session.stop().run();
        assert_eq!(stopped.is_ok(), is_services, "{stopped:?} {status} {kind} {body}");
        if let Err(error) = stopped {
            assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
            assert!(error.message().contains("`service_endpoint`"), "{error}");
            assert_eq!(client.stop_all(StopScope::Own).run().unwrap().failed.len(), 1, "it is not forgotten");
        }
    }
    // One that ends early may have been a page.
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".to_owned();
    let server = Scripted::by(move |line| match wire.act_of(line) {
        Asked::Stop => Act::AnswerAndClose(cut.clone()),
        _ => Act::Answer(wire.good(line)),
    });
    let client = server.client(wire.config());
    let session = client.create_session(&an_hour()).run().unwrap();
    assert_eq!(session.stop().run().unwrap_err().kind(), ErrorKind::UnexpectedReply);
}

/// A gateway that replies to every request with a page, whatever the status.
#[test]
fn the_error_of_a_web_page_names_the_option_of_its_server() {
    let page = |status: &str| Act::Answer(foreign(status, "text/html", "<html>blocked</html>"));
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "409 Conflict", "422 No"] {
        let reply = page(status);
        let server = Scripted::by(move |_| reply.clone());
        for wire in [&V1, &V2021] {
            let client = server.client(wire.config());
            for error in
                [client.list_sessions().run().unwrap_err(), client.create_session(&shared_if(wire)).run().unwrap_err()]
            {
                assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::UnexpectedReply, false), "{error}");
                assert!(error.message().contains("session service") && error.message().contains("`service_endpoint`"));
                assert!(!error.message().contains("already exists"), "{error}");
            }
        }
        let reply = page(status);
        let server = Scripted::deciding_tokens(move || reply.clone(), |_| Act::Close);
        let error = server.client(V1.config()).access_token().run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
        assert!(error.message().contains("token service") && error.message().contains("`account_domain`"), "{error}");
        assert!(!error.message().contains("`service_endpoint`"), "{error}");
    }
}

fn shared_if(wire: &Wire) -> NewSession {
    if wire.is_v1() { an_hour() } else { shared() }
}

/// As of a gateway that starts, or a replica that does not know a new session yet.
fn a_single_404_does_not_end_a_watched_session(wire: &'static Wire) {
    for (lost, forgotten) in [(1, false), (3, true)] {
        let lab = Lab::with_startup(wire, HOUR);
        let session = lab.create(HOUR);
        session.watch(WatchOptions::default().stop_on_shutdown(true), 0).unwrap();
        lab.emulator.add_faults([wire.on(Asked::Read).status(404).times(lost)]).unwrap();
        lab.requests();
        lab.clock.pass(25 * SECOND);
        let requests = lab.requests();
        assert_eq!(session.known_properties().status.is_final(), forgotten, "{requests:?}");
        // The promised stop is sent in any case.
        lab.client.shut_down_within(60 * SECOND).unwrap();
        assert_eq!(lab.emulator.sessions()[0].status.as_str(), "Stopped");
    }
}
