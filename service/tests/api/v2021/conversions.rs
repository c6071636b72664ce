//! Conversions of models, which are recorded but not carried out.

use std::time::Duration;

use arr_service::{Config, ConversionStatus, ConversionStatusRefused, WireFormat};
use serde_json::{Value, json};

use crate::http::Reply;
use crate::story::{Story, other_account, token_for};

const SIGNATURE: &str = "?sv=2015-04-05&sr=c&sp=rwl&sig=s3cret";

/// The body of a create.
fn body(input: &str) -> Value {
    json!({"settings": {
        "inputLocation": {"storageContainerUri": "https://contoso.example/models", "storageContainerReadListSas": SIGNATURE,
                          "blobPrefix": "Input", "relativeInputAssetPath": input},
        "outputLocation": {"storageContainerUri": "https://contoso.example/models", "storageContainerWriteSas": SIGNATURE,
                           "blobPrefix": "Output"}}})
}

fn create(story: &mut Story, id: &str, body: &Value) -> Reply {
    story.call_2021("PUT", &format!("/conversions/{id}"), &body.to_string())
}

fn get(story: &mut Story, id: &str) -> Value {
    let reply = story.call_2021("GET", &format!("/conversions/{id}"), "");
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn ids(page: &Value) -> Vec<&str> {
    let conversions = page["conversions"].as_array().expect("conversions");
    conversions.iter().map(|conversion| conversion["id"].as_str().expect("an id")).collect()
}

#[test]
fn a_conversion_runs_by_the_emulators_clock() {
    let mut story = Story::begin_with(Config { conversion: Duration::from_secs(40), ..Config::default() });
    let created = create(&mut story, "house-1", &body("house.fbx"));
    assert_eq!(created.status, 201);
    let expected = json!({
        "id": "house-1", "creationTime": "2025-01-01T00:00:00Z",
        "settings": {
            "inputLocation": {"storageContainerUri": "https://contoso.example/models", "blobPrefix": "Input/",
                              "relativeInputAssetPath": "house.fbx"},
            "outputLocation": {"storageContainerUri": "https://contoso.example/models", "blobPrefix": "Output/",
                               "outputAssetFilename": "house.arrAsset"}},
        "error": null, "status": "NotStarted"});
    assert_eq!(created.json(), expected);
    for (status, seconds) in [("NotStarted", 10), ("Running", 30), ("Succeeded", 0)] {
        assert_eq!(get(&mut story, "house-1")["status"], status);
        story.clock.advance(Duration::from_secs(seconds));
    }
    let uri = "https://contoso.example/models/Output/house.arrAsset";
    assert_eq!(get(&mut story, "house-1")["output"], json!({"outputAssetUri": uri}));
    let view = &story.emulator.conversions()[0];
    assert_eq!(
        (view.input.as_str(), view.status),
        ("https://contoso.example/models/Input/house.fbx", ConversionStatus::Succeeded)
    );
}

#[test]
fn a_repeated_create_returns_the_existing_conversion() {
    let mut story = Story::begin();
    let first = create(&mut story, "mine", &body("house.fbx"));
    story.clock.advance(Duration::from_millis(10));
    let mut same = body("house.fbx");
    same["settings"]["inputLocation"]["storageContainerReadListSas"] = "?sig=renewed".into();
    same["settings"]["outputLocation"]["blobPrefix"] = "Output/".into();
    same["settings"]["outputLocation"]["outputAssetFilename"] = "house.arrAsset".into();
    let second = create(&mut story, "mine", &same);
    assert_eq!((second.status, second.text()), (200, first.text()));

    for (location, member, value) in [
        ("inputLocation", "relativeInputAssetPath", "shed.fbx"),
        ("inputLocation", "blobPrefix", "Other"),
        ("outputLocation", "storageContainerUri", "https://contoso.example/other"),
        ("outputLocation", "outputAssetFilename", "shed.arrAsset"),
    ] {
        let mut other = body("house.fbx");
        other["settings"][location][member] = value.into();
        let reply = create(&mut story, "mine", &other);
        let text = r#"{"error":{"code":"Conflict","message":"A resource already exists under the given ID."}}"#;
        assert_eq!((reply.status, reply.text()), (409, text), "{member}");
    }
    story.clock.advance(Duration::from_secs(60));
    let ended = create(&mut story, "mine", &body("house.fbx"));
    assert_eq!((ended.status, &ended.json()["status"]), (200, &json!("Succeeded")));
}

#[test]
fn without_a_signature_for_both_containers_access_is_denied() {
    for (wire, ending) in [(WireFormat::V2021, "permissions assigned."), (WireFormat::V2022, "#link-storage-accounts.")]
    {
        let mut story = Story::begin_with(Config { wire, ..Config::default() });
        for (location, member) in
            [("inputLocation", "storageContainerReadListSas"), ("outputLocation", "storageContainerWriteSas")]
        {
            for absent in [Value::Null, json!("")] {
                let mut body = body("house.fbx");
                body["settings"][location][member] = absent;
                let reply = create(&mut story, "mine", &body);
                let (code, message) = reply.error_2021();
                assert_eq!((reply.status, code.as_str()), (403, "DelegatedResourceAccessError"));
                assert!(message.ends_with(ending), "{message}");
            }
        }
        story.call_2021("GET", "/conversions/mine", "").assert_empty(404);
    }
    let mut story = Story::begin_with(Config { linked_storage: true, ..Config::default() });
    let mut unsigned = body("house.fbx");
    unsigned["settings"]["inputLocation"]["storageContainerReadListSas"] = Value::Null;
    assert_eq!(create(&mut story, "mine", &unsigned).status, 201);
}

#[test]
fn a_signature_is_neither_returned_nor_recorded() {
    let mut story = Story::begin();
    let id = create(&mut story, "mine", &body("house.fbx"));
    let mut misplaced = body("house.fbx");
    misplaced["settings"]["inputLocation"]["storageContainerUri"] =
        format!("https://contoso.example/models{SIGNATURE}").into();
    let refused = create(&mut story, "other", &misplaced);
    assert_eq!(refused.status, 400);
    let authorization = format!("Bearer {}", story.token);
    let path = format!("{}&{}", story.path_2021("/conversions"), &SIGNATURE[1..]);
    let listed = story.connection.call("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!(listed.status, 200);
    let read = get(&mut story, "mine").to_string();
    let control = ["/conversions", "/requests"].map(|path| story.control("GET", path, "").text().to_owned());
    for text in [id.text(), refused.text(), listed.text(), &read, &control[0], &control[1]] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(control[1].contains("sig=<redacted>") && !format!("{:?}", story.emulator.conversions()).contains("s3cret"));
}

#[test]
fn the_list_has_all_conversions_of_the_account_on_pages() {
    let mut story = Story::begin_with(Config { page_size: Some(2), ..Config::default() });
    for id in ["a", "b", "c", "d"] {
        assert_eq!(create(&mut story, id, &body("house.fbx")).status, 201);
    }
    let refused = story.emulator.set_conversion_status("a", ConversionStatus::Cancelled, None);
    assert!(refused.is_ok(), "an ended conversion is listed too");

    let mine = std::mem::replace(&mut story.token, token_for(&mut story.connection, &other_account()));
    let others = format!("/accounts/{}/conversions?api-version=2021-01-01", other_account().id());
    let authorization = format!("Bearer {}", story.token);
    let reply = story.connection.call("GET", &others, &[("Authorization", &authorization)], b"");
    assert_eq!(reply.text(), r#"{"conversions":[],"@nextLink":null}"#);

    story.token = mine;
    let first = story.call_2021("GET", "/conversions", "");
    assert_eq!(first.header("Cache-Control"), None);
    let first = first.json();
    assert_eq!((ids(&first), &first["conversions"][0]["status"]), (vec!["a", "b"], &json!("Cancelled")));
    let link = first["@nextLink"].as_str().expect("a link");
    let path = link.strip_prefix(story.emulator.url()).expect("a link to the emulator");
    let authorization = format!("Bearer {}", story.token);
    let last = story.connection.call("GET", path, &[("Authorization", &authorization)], b"").json();
    assert_eq!((ids(&last), &last["@nextLink"]), (vec!["c", "d"], &Value::Null));
    let damaged = format!("{}&continuation=x", story.path_2021("/conversions"));
    let damaged = story.connection.call("GET", &damaged, &[("Authorization", &authorization)], b"");
    assert_eq!((damaged.status, damaged.error_2021().0.as_str()), (400, "BadRequest"));
}

#[test]
fn a_missing_input_fails_in_the_words_of_its_time() {
    for (wire, code, message) in [
        (WireFormat::V2021, "ConversionProcessFailed", "Invalid input provided."),
        (WireFormat::V2022, "InputContainerError", "Could not find the asset file in the storage account."),
    ] {
        let missing_inputs = vec!["**/gone-*.fbx".to_owned()];
        let mut story = Story::begin_with(Config { wire, missing_inputs, ..Config::default() });
        create(&mut story, "gone", &body("gone-1.fbx"));
        create(&mut story, "there", &body("there.fbx"));
        assert_eq!(get(&mut story, "gone")["error"], Value::Null);
        story.clock.advance(Duration::from_secs(4));
        let failed = get(&mut story, "gone");
        assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("Failed"), &json!(code)));
        assert!(failed["error"]["message"].as_str().expect("a text").starts_with(message));
        assert_eq!(failed["error"].as_object().map(serde_json::Map::len), Some(2), "in both formats");
        assert_eq!(failed.get("output"), None);
        assert_eq!(get(&mut story, "there")["status"], "Succeeded");
    }
}

#[test]
fn control_calls_show_and_end_conversions() {
    let mut story = Story::begin();
    for id in ["failed", "cancelled", "done"] {
        create(&mut story, id, &body("house.fbx"));
    }
    for (id, request, code, message) in [
        (
            "failed",
            json!({"status": "Failed", "code": "TooLarge", "message": "too big"}),
            json!("TooLarge"),
            json!("too big"),
        ),
        (
            "cancelled",
            json!({"status": "cancelled"}),
            json!("ConversionCancelled"),
            json!("The conversion was cancelled."),
        ),
        ("done", json!({"status": "Succeeded"}), Value::Null, Value::Null),
    ] {
        let reply = story.control("POST", &format!("/conversions/{id}"), &request.to_string());
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!((&reply.json()["code"], &reply.json()["message"]), (&code, &message));
        let conversion = get(&mut story, id);
        assert_eq!(
            conversion["status"].as_str().map(str::to_lowercase),
            request["status"].as_str().map(str::to_lowercase)
        );
        assert_eq!(conversion["error"]["code"], code);
    }
    let listed = story.control("GET", "/conversions", "").json();
    assert_eq!(
        listed["conversions"][2],
        json!({"id": "done", "account_id": story.emulator.account().id(), "status": "Succeeded", "code": null,
               "message": null, "input": "https://contoso.example/models/Input/house.fbx",
               "output_asset_uri": "https://contoso.example/models/Output/house.arrAsset"})
    );
    for (path, body, status, error) in [
        ("/conversions/done", json!({"status": "Failed"}), 409, "a conversion that is Succeeded cannot become Failed"),
        ("/conversions/done", json!({"status": "Stopped"}), 400, "status must be NotStarted, Running,"),
        ("/conversions/done", json!({"state": "Failed"}), 400, "the body cannot be read: unknown field `state`"),
        ("/conversions/x", json!({"status": "Failed"}), 404, "there is no conversion x"),
        ("/conversions/%ff", json!({"status": "Failed"}), 404, "there is no conversion "),
    ] {
        let reply = story.control("POST", path, &body.to_string());
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.error().starts_with(error), "{}", reply.error());
    }
    create(&mut story, "running", &body("house.fbx"));
    let misplaced = json!({"status": "Running", "message": "x"}).to_string();
    assert_eq!(story.control("POST", "/conversions/running", &misplaced).status, 400);
    let unknown = story.emulator.set_conversion_status("x", ConversionStatus::Failed, None);
    assert_eq!(unknown, Err(ConversionStatusRefused::NoConversion("x".to_owned())));
}

#[test]
fn an_invalid_create_is_a_400_without_unknown_values_in_both_formats() {
    for wire in [WireFormat::V2021, WireFormat::V2022] {
        let mut story = Story::begin_with(Config { wire, ..Config::default() });
        for (id, body, part) in [
            ("a.b", body("house.fbx").to_string(), "a conversion id is 1 to 256"),
            ("%ff", body("house.fbx").to_string(), "a conversion id is 1 to 256"),
            ("mine", "{}".to_owned(), "settings is missing"),
            ("mine", "[]".to_owned(), "not an object"),
            ("mine", body("").to_string(), "settings.inputLocation.relativeInputAssetPath is missing"),
        ] {
            let reply = story.call_2021("PUT", &format!("/conversions/{id}"), &body);
            let (code, message) = reply.error_2021();
            assert_eq!((reply.status, code.as_str()), (400, "BadRequest"));
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(story.call_2021("GET", "/conversions/%ff", "").status, 404);
    }
}
