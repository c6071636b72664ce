//! Compares our requests with recorded ones: method, URL, headers, and the meaning of the body. The recordings are the
//! project's own vectors (`tests/it/vectors.json`) and, if available, the real service's traffic: the folder in
//! `ARR_RECORDINGS`, with one JSON file per request and reply. `tests/it/recordings.rs` reads the replies through the
//! real transport.

use crate::config::ApiVersion;
use crate::config::ClientConfig;
use crate::config::Credential;
use crate::model::{Lease, NewSession, SessionId, SessionSize};
use crate::wire::{Request, Service, Target, token_service};
use reqwest::header::HeaderName;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The placeholders in the documentation's samples.
const PLACEHOLDERS: [(&str, &str); 3] = [
    ("{accountId}", "68321d5a-7978-4ceb-b880-0f49751daae9"),
    ("{sessionId}", "e13d2c44-63e0-4591-991e-f9e05e599a93"),
    ("{accountKey}", "key="),
];

/// Headers of other clients that mean nothing to the service, or that their HTTP library adds.
const THEIRS: [&str; 6] = [
    "user-agent",
    "content-length",
    "accept-encoding",
    "connection",
    "x-ms-client-request-id",
    "x-ms-return-client-request-id",
];

/// Recordings that differ on purpose, and why.
const EXEMPT: [(&str, &str); 3] = [
    ("08", "a negative lease is refused before it is sent"),
    ("22", "conversions are not sessions: only the form of the error is of interest"),
    ("23", "conversions are not sessions: only the paging is of interest"),
];

/// The parts of a recording that differ on purpose, and why.
fn differs_in(name: &str) -> (&'static [&'static str], &'static str) {
    match &name[..2] {
        "09" | "10" | "19" | "20" | "21" => (
            &["url", "x-mrc-cv"],
            "the documentation's path is in lower case and has no api-version; the vector is new in each request, and \
             the recorder has dropped some",
        ),
        "v1" if name.starts_with("v1-01") => {
            (&["body"], "the time span is padded, and an empty list of models is not sent")
        }
        "v1" if name.starts_with("v1-02") => (&["body"], "the time span is padded"),
        "v1" if name.starts_with("v1-06") => {
            (&["content-type", "x-mrc-cv"], "a GET has no content; the vector is ours")
        }
        "ow" if name.starts_with("own-sts") => (&["x-mrc-cv"], "the vector is new in each request"),
        _ => (&[], ""),
    }
}

#[test]
fn our_requests_match_our_vectors() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../../tests/it/vectors.json")).unwrap();
    assert!(vectors.len() > 40);
    for exchange in vectors {
        compare(exchange["name"].as_str().unwrap(), &exchange["request"]);
    }
}

#[test]
fn our_requests_match_the_recordings() {
    let Some(folder) = std::env::var_os("ARR_RECORDINGS").map(PathBuf::from) else {
        println!("skipped: ARR_RECORDINGS is not set");
        return;
    };
    let mut compared = 0;
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let exchange: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let exempt = EXEMPT.iter().find(|(number, _)| name.starts_with(number));
        if exchange.get("request").is_none() || exempt.is_some() {
            println!("{name}: {}", exempt.map_or("no exchange", |(_, why)| why));
            continue;
        }
        compare(&name, &exchange["request"]);
        compared += 1;
    }
    assert!(compared >= 30, "only {compared} exchanges were found");
}

fn compare(name: &str, recorded: &Value) {
    let method = recorded["method"].as_str().unwrap();
    let filled = |text: &str| PLACEHOLDERS.iter().fold(text.to_owned(), |text, (gap, value)| text.replace(gap, value));
    let url = filled(recorded["url"].as_str().unwrap());
    let body = recorded["body_text_compact"].as_str().map(as_json);
    let request = ours(method, &url, body.as_ref());
    let (differing, why) = differs_in(name);
    println!("{name}: {}", if why.is_empty() { "the same" } else { why });

    assert_eq!(request.method.as_str(), method, "{name}");
    if !differing.contains(&"url") {
        assert_eq!(request.url.as_str(), url, "{name}");
    }
    if !differing.contains(&"body") {
        let ours: Option<Value> = request.body.as_deref().map(|body| serde_json::from_str(body).unwrap());
        assert_eq!(ours, body, "{name}");
    }
    let theirs: Vec<(String, &Value)> = recorded["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    for (header, value) in &theirs {
        let known = THEIRS.contains(&header.as_str()) || differing.contains(&header.as_str());
        if header == "authorization" {
            // The recorders have replaced most tokens.
            let bearer = format!("Bearer {}", request.bearer.expose());
            let expected = filled(value.as_str().unwrap());
            assert!(["Sanitized", "Bearer {token}", &bearer].contains(&expected.as_str()), "{name}: {expected}");
        } else if !known {
            let ours = request.headers().remove(header);
            assert_eq!(ours.as_ref().map(|value| value.to_str().unwrap()), value.as_str(), "{name}: {header}");
        }
    }
    for header in request.headers().keys().map(HeaderName::as_str).filter(|header| !differing.contains(header)) {
        // The documentation's samples and the specification's examples contain only the headers that they are about.
        let complete = name.as_bytes()[0].is_ascii_digit() || name.starts_with("own");
        assert!(!complete || theirs.iter().any(|(theirs, _)| theirs == header), "{name}: we send {header}");
    }
}

/// The document prints its bodies in single quotes.
fn as_json(body: &str) -> Value {
    serde_json::from_str(&body.replace('\'', "\"")).unwrap()
}

/// The request that our client sends for the same purpose.
fn ours(method: &str, url: &str, body: Option<&Value>) -> Request {
    let url = url::Url::parse(url).unwrap();
    let origin = url.origin().ascii_serialization();
    let segments: Vec<&str> = url.path_segments().unwrap().collect();
    let (version, segments) = match segments.as_slice() {
        ["v1", rest @ ..] => (ApiVersion::V1, rest),
        rest => (ApiVersion::V2021_01_01, rest),
    };
    let config = ClientConfig {
        account_id: segments[1].to_owned(),
        account_domain: if segments.last() == Some(&"token") { origin.clone() } else { "westus2".to_owned() },
        service_endpoint: if segments.last() == Some(&"token") { "westus2".to_owned() } else { origin },
        api_version: version,
        credential: Credential::AccountKey("key=".into()),
        ..ClientConfig::default()
    };
    let settings = config.check().unwrap();
    if segments[2] == "token" {
        return token_service::token(
            &settings.token_service,
            &settings.account_id,
            &settings.credential,
            "vector".into(),
        );
    }
    let target = Target::new(settings.service, settings.account_id);
    let service = Service { target, version };
    let id = || SessionId::parse(segments[3]).unwrap();
    let lease = || {
        let minutes = body.unwrap()["maxLeaseTimeMinutes"].as_u64();
        let span = || crate::wire::timespan::parse(body.unwrap()["maxLeaseTime"].as_str().unwrap()).unwrap();
        minutes.map_or_else(span, |minutes| Duration::from_secs(minutes * 60))
    };
    match (method, version, segments.len()) {
        ("PUT", ApiVersion::V2021_01_01, 4) | ("POST", ApiVersion::V1, 4) => {
            let mut new = NewSession::new(SessionSize::Standard, Lease::new(lease()).unwrap());
            if version == ApiVersion::V2021_01_01 {
                new = new.with_id(id());
            }
            service.create(&service.prepare(&new).unwrap())
        }
        ("GET", ApiVersion::V2021_01_01, 4) | ("GET", ApiVersion::V1, 5) => service.properties(&id()),
        ("GET", _, 3) => service.list(),
        ("PATCH", _, 4) => service.update_lease(&id(), Lease::new(lease()).unwrap()),
        ("POST", ApiVersion::V2021_01_01, 5) | ("DELETE", ApiVersion::V1, 4) => service.stop(&id()),
        other => panic!("{url}: {other:?} is not an operation of ours"),
    }
}
