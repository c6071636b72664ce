//! Property test: whatever happens to a session at the emulator, the client reads it correctly.

use crate::support::wire::{V1, V2021, Wire};
use crate::support::{SECOND, World};
use arr_client::{Lease, NewSession, SessionProperties, SessionSize};
use arr_service::{Config, SessionView, WireFormat as Serializer};
use proptest::prelude::*;
use std::time::Duration;

/// What happens to a session.
#[derive(Clone, Debug)]
enum Event {
    Wait(u32),
    Extend(u32),
    Stop,
    Fail(String),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..20_000_u32).prop_map(Event::Wait),
        3 => (1..120_u32).prop_map(Event::Extend),
        1 => Just(Event::Stop),
        1 => "[ -dg-~äß€\\u{0}\\n\"]{0,40}".prop_map(Event::Fail),
    ]
}

#[derive(Clone, Debug)]
struct Life {
    premium: bool,
    lease_minutes: u32,
    config: (u32, u32, bool, Option<u16>),
    events: Vec<Event>,
}

fn life() -> impl Strategy<Value = Life> {
    let config = (0..300_u32, 0..60_u32, any::<bool>(), proptest::option::of(1..u16::MAX));
    (any::<bool>(), 1..400_u32, config, proptest::collection::vec(event(), 0..6))
        .prop_map(|(premium, lease_minutes, config, events)| Life { premium, lease_minutes, config, events })
}

fn live(wire: &Wire, life: &Life) {
    let (startup, stopping, old, port) = life.config;
    let world = World::new(
        Config {
            startup: startup * SECOND,
            stopping: stopping * SECOND,
            page_size: Some(1),
            wire: if old { Serializer::V2021 } else { Serializer::V2022 },
            session_hostname: port.map(|_| "render.example".to_owned()),
            session_ports: port.map(|port| (port, port)),
            ..Config::default()
        },
        wire.config(),
    );
    let size = if life.premium { SessionSize::Premium } else { SessionSize::Standard };
    let mut lease = life.lease_minutes;
    let new = NewSession::new(size, Lease::new(lease * 60 * SECOND).unwrap());
    let session = world.client.create_session(&new).run().unwrap();
    let other = world.client.create_session(&new).run().unwrap();
    for event in &life.events {
        match event {
            Event::Wait(seconds) => world.clock.advance(*seconds * SECOND),
            Event::Extend(minutes) => {
                lease += minutes;
                let before = world.emulator.sessions().remove(0);
                let alive = matches!(before.status.as_str(), "Starting" | "Ready");
                let grows = alive && lease * 60 * SECOND > before.max_lease && (wire.is_v1() || lease <= 1_440);
                let known = session.known_properties().max_lease.unwrap();
                let updated = session.update_lease(Lease::new(lease * 60 * SECOND).unwrap()).run();
                assert_eq!(updated.is_ok(), grows, "from {known:?} to {lease} minutes: {updated:?}");
                if let Ok(updated) = updated {
                    assert_eq!(updated.max_lease, Some(lease * 60 * SECOND));
                }
            }
            Event::Stop => drop(session.stop().run().unwrap()),
            Event::Fail(message) => drop(world.emulator.fail_session(session.id().as_str(), message)),
        }
        let mut read = session.properties().run().unwrap();
        let view = world.emulator.sessions().remove(0);
        compare(wire, &read, &view);
        let listed = world.client.list_sessions().run().unwrap();
        let mine = listed.iter().find(|it| it.properties.id == *session.id());
        read.elapsed = Some(whole(wire, view.elapsed));
        let over = view.status.is_final() || (!wire.is_v1() && view.status.as_str() == "Stopping");
        assert_eq!(mine.map(|it| it.properties.clone()), (!over).then_some(read), "of {} listed", listed.len());
        assert!(listed.iter().filter(|it| it.properties.id == *other.id()).count() <= 1);
    }
}

/// In the service's units.
fn whole(wire: &Wire, time: Duration) -> Duration {
    let unit = if wire.is_v1() { 1 } else { 60 };
    Duration::from_secs(time.as_secs() / unit * unit)
}

/// Asserts that the properties match the emulator's session.
fn compare(wire: &Wire, read: &SessionProperties, view: &SessionView) {
    let status = match view.status.as_str() {
        "Stopping" if !wire.is_v1() => "Stopped",
        word => word,
    };
    assert_eq!(read.id.as_str(), view.id);
    assert_eq!(format!("{:?}", read.status), status);
    assert_eq!(format!("{:?}", read.size.as_ref().unwrap()).to_ascii_lowercase(), view.size.as_str());
    assert_eq!(read.max_lease, Some(view.max_lease));
    // If the service reports whole minutes, the library may know better.
    let elapsed = read.elapsed.unwrap();
    assert!((whole(wire, view.elapsed)..=view.elapsed).contains(&elapsed), "{elapsed:?} of {:?}", view.elapsed);
    let ready = status == "Ready";
    if wire.is_v1() || ready {
        assert_eq!(read.hostname, view.hostname);
    } else {
        assert_eq!(read.hostname, None);
    }
    assert_eq!((read.handshake_port.is_some(), read.arr_inspector_port.is_some()), (ready, ready));
    assert_eq!(read.creation_time.is_some(), !wire.is_v1());
    if let Some(message) = view.message.as_deref().filter(|_| status == "Error") {
        let printable: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        assert_eq!(read.message.as_deref().unwrap_or_default(), printable.trim());
        assert_eq!(read.error_code.is_some(), !wire.is_v1());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn v1(life in life()) {
        live(&V1, &life);
    }

    #[test]
    fn v2021_01_01(life in life()) {
        live(&V2021, &life);
    }
}
