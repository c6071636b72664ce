//! Replays conversions that were recorded at the service. The emulator's replies have the recorded headers and lengths
//! and, where the recording is at hand, the recorded bytes.

use std::env;
use std::path::Path;
use std::time::Duration;

use arr_service::{Config, WireFormat};
use serde_json::{Value, json};

use super::recordings::recorded_response;
use crate::http::Reply;
use crate::story::Story;

const SIGNATURE: &str = "?sig=s3cret";

fn body(container: &str, input: &str, output_prefix: &str, signature: Option<&str>) -> String {
    let settings = json!({
        "inputLocation": {"storageContainerUri": container, "storageContainerReadListSas": signature, "blobPrefix": "Input",
                          "relativeInputAssetPath": input},
        "outputLocation": {"storageContainerUri": container, "storageContainerWriteSas": signature,
                           "blobPrefix": output_prefix}});
    json!({"settings": settings}).to_string()
}

fn assert_recorded(reply: &Reply, status: u16, length: &str, versions: &str, is_cacheable: bool) {
    assert_eq!((reply.status, reply.header("Content-Length")), (status, Some(length)), "{reply:?}");
    assert_eq!(reply.header("api-supported-versions"), Some(versions));
    let cache = (!is_cacheable).then_some("no-store, no-cache");
    assert_eq!((reply.header("Cache-Control"), reply.header("Pragma")), (cache, cache.map(|_| "no-cache")));
    assert_eq!(reply.header_count(), if is_cacheable { 6 } else { 8 }, "{reply:?}");
}

#[test]
fn conversions_of_january_2021_have_the_recorded_statuses_and_lengths() {
    const CONTAINER: &str = "https://sdktest.blob.core.windows.net/test";
    const VERSIONS: &str = "2021-01-01-preview, 2021-01-01";
    let mut story = Story::begin_with(Config {
        wire: WireFormat::V2021,
        conversion: Duration::from_secs(40),
        missing_inputs: vec!["**/boxWhichDoesNotExist.fbx".to_owned()],
        ..Config::default()
    });
    // As many digits in the fraction of the second as recorded.
    let times = [Duration::from_micros(931_576), Duration::from_nanos(107_608_600)];
    let conversions = [
        ("78c4ad59-21e6-74b1-0339-c23bfe785096", "boxWhichDoesNotExist.fbx", ["460", "460", "457", "566"]),
        ("e82aeb36-4e40-1ddc-9f58-99cb4310706b", "testBox.fbx", ["435", "435", "432", "531"]),
    ];
    for (time, (id, input, [created, not_started, ..])) in times.into_iter().zip(conversions) {
        story.clock.advance(time);
        let path = format!("/conversions/{id}");
        let reply = story.call_2021("PUT", &path, &body(CONTAINER, input, "Output", Some(SIGNATURE)));
        assert_recorded(&reply, 201, created, VERSIONS, true);
        assert_recorded(&story.call_2021("GET", &path, ""), 200, not_started, VERSIONS, false);
    }
    for (index, seconds) in [(2, 11), (3, 30)] {
        story.clock.advance(Duration::from_secs(seconds));
        for (id, _, lengths) in conversions {
            let reply = story.call_2021("GET", &format!("/conversions/{id}"), "");
            assert_recorded(&reply, 200, lengths[index], VERSIONS, false);
        }
    }
    assert_recorded(&story.call_2021("GET", "/conversions", ""), 200, "1133", VERSIONS, true);
    let unsigned = body(CONTAINER, "testBox.fbx", "Output", None);
    let reply = story.call_2021("PUT", "/conversions/6a27bf37-5009-7103-745a-5ed572f66c08", &unsigned);
    assert_recorded(&reply, 403, "206", VERSIONS, true);
}

/// Needs `ARR_RECORDINGS`, the folder of the recorded replies.
#[test]
fn conversions_of_september_2022_have_the_recorded_bodies() {
    const CONTAINER: &str = "https://arrstorageaccount.blob.storage_endpoint_suffix/test";
    const VERSIONS: &str = "2021-01-01-preview, 2021-01-01, 2021-08-01-preview";
    let mut story = Story::begin();
    let unsigned = body(CONTAINER, "testBox.fbx", "rr-test-id", None);
    let no_access = story.call_2021("PUT", "/conversions/rr-test-id", &unsigned);
    assert_recorded(&no_access, 403, "390", VERSIONS, true);
    story.clock.advance(Duration::from_nanos(374_431_700));
    let signed = body(CONTAINER, "testBox.fbx", "rr-test-id", Some(SIGNATURE));
    assert_eq!(story.call_2021("PUT", "/conversions/rr-test-id", &signed).status, 201);
    story.clock.advance(Duration::from_secs(71));
    let list = story.call_2021("GET", "/conversions", "");
    assert_recorded(&list, 200, "599", VERSIONS, true);

    let Some(folder) = env::var_os("ARR_RECORDINGS") else {
        eprintln!("ARR_RECORDINGS is not set: only the recorded statuses and lengths are compared");
        return;
    };
    for (reply, name) in
        [(no_access, "22-py-conversion-403-delegated"), (list, "23-py-conversion-list-200-nextlink-null")]
    {
        let recorded: Value = recorded_response(Path::new(&folder), name);
        let body = recorded["body_text_compact"].as_str().expect("a body");
        assert_eq!(reply.text(), body.replace("2022-09-14T01:02:25", "2025-01-01T00:00:00"), "{name}");
        assert_eq!(Some(reply.header_count()), recorded["headers"].as_object().map(serde_json::Map::len), "{name}");
    }
}
