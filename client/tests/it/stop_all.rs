//! Stopping many sessions while some stops hang.

use crate::support::gate::At;
use crate::support::journal::{alive, until};
use crate::support::paced::Lab;
use crate::support::scripted::{Act, Scripted, reply};
use crate::support::wire::{Asked, Wire, in_both_versions};
use crate::support::{HOUR, SECOND};
use arr_client::{ErrorKind, OperationState, SessionStatus, StopScope};
use std::time::Duration;

in_both_versions![
    at_its_deadline_it_names_the_sessions_that_may_still_be_running,
    stops_that_hang_do_not_keep_others_from_being_sent,
    a_list_without_sessions_is_not_an_empty_one,
    a_failed_stop_of_an_ended_session_does_not_fail_the_shutdown,
];

const MINUTE: Duration = Duration::from_secs(60);

fn at_its_deadline_it_names_the_sessions_that_may_still_be_running(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let sessions: Vec<_> = (0..5).map(|_| lab.ready(HOUR)).collect();
    let held = gate.hold(wire, Asked::Stop, At::Request);
    let stop = lab.client.stop_all(StopScope::Own).timeout(5 * SECOND).start().unwrap();
    let running =
        || sessions.iter().filter(|it| it.known_properties().status == SessionStatus::Ready).collect::<Vec<_>>();
    until(|| running().len() == 1, || "four are stopped".into());
    held.arrived();
    let hangs = running()[0].id().clone();
    lab.clock.jump(5 * SECOND);
    assert_eq!(stop.wait(MINUTE), OperationState::Succeeded);
    let all = stop.outcome().unwrap();
    assert_eq!((all.stopped, all.already_gone, all.failed.len()), (4, 0, 1));
    let (id, error) = &all.failed[0];
    assert_eq!((id, error.kind()), (&hangs, ErrorKind::Timeout));
    assert!(error.message().contains(hangs.as_str()), "{error}");
    held.let_go();
}

fn stops_that_hang_do_not_keep_others_from_being_sent(wire: &'static Wire) {
    let (lab, gate) = Lab::through_gate(wire);
    let sessions: Vec<_> = (0..20).map(|_| lab.create(HOUR)).collect();
    let held: Vec<_> = (0..8).map(|_| gate.hold(wire, Asked::Stop, At::Request)).collect();
    let stop = lab.client.stop_all(StopScope::Own).timeout(MINUTE).start().unwrap();
    held.iter().for_each(|held| held.arrived());
    assert_eq!(alive(&lab.emulator).len(), 20, "eight at a time");
    lab.clock.jump(SECOND);
    until(|| alive(&lab.emulator).len() == 8, || "the others should be stopped".into());
    held.iter().for_each(|held| held.let_go());
    assert_eq!(stop.wait(MINUTE), OperationState::Succeeded);
    let all = stop.outcome().unwrap();
    assert_eq!((all.stopped, all.failed.len()), (sessions.len(), 0));
}

fn a_list_without_sessions_is_not_an_empty_one(wire: &'static Wire) {
    for body in [r#"{"error":{"code":"Busy","message":"try later"}}"#, r#"{"status":"ok"}"#] {
        let server = Scripted::by(move |_| Act::Answer(reply("200 OK", "", body)));
        let error = server.client(wire.config()).stop_all(StopScope::Account).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    }
}

fn a_failed_stop_of_an_ended_session_does_not_fail_the_shutdown(wire: &'static Wire) {
    for has_ended in [true, false] {
        let (lab, gate) = Lab::through_gate(wire);
        let session = lab.ready(HOUR);
        if has_ended {
            session.stop().run().unwrap();
        }
        let held = gate.hold(wire, Asked::Stop, At::Request);
        let stop = session.stop().start().unwrap();
        held.arrived();
        lab.client.shut_down();
        lab.emulator.add_faults([wire.on(Asked::Stop).status(403)]).unwrap();
        held.let_go();
        let end = lab.client.shut_down_within(MINUTE);
        let failed = end.err().map(|error| error.message().contains(session.id().as_str()));
        assert_eq!(failed, (!has_ended).then_some(true));
        assert_eq!(stop.outcome().unwrap_err().kind(), ErrorKind::Forbidden);
    }
}
