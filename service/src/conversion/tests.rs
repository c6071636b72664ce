//! The state machine and the store.

use std::time::Duration;

use uuid::Uuid;

use super::status::{ConversionError, ConversionStatus, ConversionStatusRefused};
use super::store::MOST;
use super::{ConversionCreation, ConversionId, ConversionRefused, ConversionSettings, ConversionStore};
use super::{InputLocation, OutputLocation};
use crate::clock::Timestamp;
use crate::config::Config;

const SECOND: Duration = Duration::from_secs(1);

fn settings(input: &str) -> ConversionSettings {
    let input = InputLocation::new("https://contoso.example/in".to_owned(), Some("Input".to_owned()), input.to_owned());
    let output = OutputLocation::new("https://contoso.example/out/".to_owned(), Some("a b/".to_owned()), None, &input);
    ConversionSettings { input, output }
}

/// Conversions that take 4 s and are remembered for 10 s.
fn store() -> ConversionStore {
    let missing_inputs = vec!["**/Input/missing*.fbx".to_owned()];
    ConversionStore::new(&Config { conversion: 4 * SECOND, remember: 10 * SECOND, missing_inputs, ..Config::default() })
}

fn create(store: &mut ConversionStore, now: Duration, id: &str, input: &str) -> Result<bool, ConversionRefused> {
    let timestamp = Timestamp { now, unix_time: now };
    let id = ConversionId::parse(id).expect("an id");
    let created = store.create(timestamp, Uuid::nil(), id, settings(input));
    created.map(|created| matches!(created, ConversionCreation::New(_)))
}

fn status(store: &mut ConversionStore, now: Duration, id: &str) -> Option<ConversionStatus> {
    store.find(now, Uuid::nil(), id).map(|conversion| conversion.status(now))
}

#[test]
fn a_conversion_starts_runs_and_succeeds_at_exact_times() {
    let mut store = store();
    assert_eq!(create(&mut store, SECOND, "x", "house.fbx"), Ok(true));
    let before = |time: Duration| time - Duration::from_nanos(1);
    for (now, expected) in [
        (SECOND, Some(ConversionStatus::NotStarted)),
        (before(2 * SECOND), Some(ConversionStatus::NotStarted)),
        (2 * SECOND, Some(ConversionStatus::Running)),
        (before(5 * SECOND), Some(ConversionStatus::Running)),
        (5 * SECOND, Some(ConversionStatus::Succeeded)),
        (before(15 * SECOND), Some(ConversionStatus::Succeeded)),
        (15 * SECOND, None),
    ] {
        assert_eq!(status(&mut store, now, "x"), expected, "{now:?}");
    }
    assert_eq!(create(&mut store, 15 * SECOND, "x", "other.fbx"), Ok(true), "the id is free again");
}

#[test]
fn the_result_has_the_name_of_the_model_in_the_output_folder() {
    for (input, uri) in [
        ("house.fbx", "https://contoso.example/out/a%20b/house.arrAsset"),
        ("models/new house.tar.glb", "https://contoso.example/out/a%20b/new%20house.tar.arrAsset"),
        ("house", "https://contoso.example/out/a%20b/house.arrAsset"),
        (".fbx", "https://contoso.example/out/a%20b/.fbx.arrAsset"),
    ] {
        assert_eq!(settings(input).output.asset_uri(), uri);
    }
    assert_eq!(settings("a/house.fbx").input.asset_name(), "https://contoso.example/in/Input/a/house.fbx");
}

#[test]
fn a_missing_input_fails_at_the_end() {
    let mut store = store();
    assert_eq!(create(&mut store, Duration::ZERO, "x", "missing-1.fbx"), Ok(true));
    assert_eq!(status(&mut store, SECOND, "x"), Some(ConversionStatus::Running));
    let view = |store: &mut ConversionStore, now| store.views(now).remove(0);
    assert_eq!(view(&mut store, SECOND).error, None);
    let failed = view(&mut store, 4 * SECOND);
    assert_eq!((failed.status, failed.output_asset_uri), (ConversionStatus::Failed, None));
    assert_eq!(failed.error.map(|error| error.code).as_deref(), Some("InputContainerError"));
}

#[test]
fn a_status_is_forced_along_existing_transitions_only() {
    use ConversionStatus::{Cancelled, Failed, NotStarted, Running, Succeeded};
    let force = |store: &mut ConversionStore, id: &str, to| store.force(Duration::ZERO, id, to, None, None);
    let mut store = store();
    for (id, path) in [
        ("a", &[Running, Succeeded][..]),
        ("b", &[Running, Failed]),
        ("c", &[Running, Cancelled]),
        ("d", &[Succeeded]),
        ("e", &[Failed]),
        ("f", &[Cancelled]),
    ] {
        create(&mut store, Duration::ZERO, id, "house.fbx").expect("created");
        for to in path {
            assert_eq!(force(&mut store, id, *to).map(|view| view.status), Ok(*to), "{id}");
            assert_eq!(status(&mut store, Duration::ZERO, id), Some(*to));
        }
        for to in [NotStarted, Running, Cancelled, Failed, Succeeded] {
            let from = path[path.len() - 1];
            assert_eq!(force(&mut store, id, to), Err(ConversionStatusRefused::Impossible { from, to }));
        }
    }
    let unknown = force(&mut store, "x", Failed);
    assert_eq!(unknown, Err(ConversionStatusRefused::NoConversion("x".to_owned())));
    create(&mut store, Duration::ZERO, "x", "house.fbx").expect("created");
    let refused = store.force(Duration::ZERO, "x", Succeeded, None, Some("well done"));
    assert_eq!(refused, Err(ConversionStatusRefused::NoPlaceForError(Succeeded)));
    let failed = store.force(Duration::ZERO, "x", Failed, Some("OutOfPolygons"), None).expect("possible");
    let message = ConversionError::failed().message;
    assert_eq!(failed.error, Some(ConversionError { code: "OutOfPolygons".to_owned(), message }));
}

#[test]
fn a_conversion_that_is_forced_to_end_is_forgotten_earlier() {
    let mut store = store();
    create(&mut store, Duration::ZERO, "x", "house.fbx").expect("created");
    store.force(SECOND, "x", ConversionStatus::Cancelled, None, None).expect("possible");
    assert!(status(&mut store, 11 * SECOND - Duration::from_nanos(1), "x").is_some());
    assert_eq!(status(&mut store, 11 * SECOND, "x"), None);
    assert!(store.views(11 * SECOND).is_empty());
}

#[test]
fn of_two_conversions_with_one_id_the_one_that_has_not_ended_is_forced() {
    let mut store = store();
    for account in [Uuid::from_u128(1), Uuid::from_u128(2)] {
        let timestamp = Timestamp { now: Duration::ZERO, unix_time: Duration::ZERO };
        let id = ConversionId::parse("x").expect("an id");
        assert!(store.create(timestamp, account, id, settings("house.fbx")).is_ok());
    }
    let mut accounts: Vec<_> = (0..2)
        .map(|_| store.force(Duration::ZERO, "x", ConversionStatus::Failed, None, None).expect("possible").account_id)
        .collect();
    accounts.sort();
    assert_eq!(accounts, [Uuid::from_u128(1), Uuid::from_u128(2)].map(|account| account.to_string()));
}

#[test]
fn beyond_the_limit_the_first_conversion_to_end_is_forgotten_and_none_that_runs() {
    let mut store = store();
    for number in 0..MOST {
        create(&mut store, Duration::ZERO, &number.to_string(), "house.fbx").expect("created");
    }
    assert_eq!(create(&mut store, SECOND, "more", "house.fbx"), Err(ConversionRefused::Full));
    assert_eq!(create(&mut store, SECOND, "7", "house.fbx"), Ok(false), "a retried create finds its conversion");
    store.force(SECOND, "7", ConversionStatus::Succeeded, None, None).expect("possible");
    assert_eq!(create(&mut store, SECOND, "more", "house.fbx"), Ok(true));
    assert_eq!(status(&mut store, SECOND, "7"), None);
    assert_eq!(create(&mut store, SECOND, "another", "house.fbx"), Err(ConversionRefused::Full));
    for number in 0..20 {
        assert_eq!(create(&mut store, 4 * SECOND, &format!("later-{number}"), "house.fbx"), Ok(true));
        assert_eq!(store.views(4 * SECOND).len(), MOST);
    }
}

#[test]
fn an_id_is_1_to_256_plain_characters() {
    let longest = "x".repeat(256);
    for id in ["a", "-", "rr-test_1", &longest] {
        assert_eq!(ConversionId::parse(id).map(|id| id.to_string()).as_deref(), Ok(id));
    }
    for text in ["", "a b", "a/b", "a.b", "é", ":stop", &"x".repeat(257)] {
        assert!(ConversionId::parse(text).is_err(), "{text}");
    }
}
