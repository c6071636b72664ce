//! The bodies, to the byte. Member order, formats and lengths are those of recorded replies: each asserted length is
//! the recorded `Content-Length`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::json::{SessionResource, settings};
use crate::clock::Timestamp;
use crate::config::{Config, WireFormat};
use crate::session::{RendererAllocator, Session, SessionId, SessionIdentity, SessionSettings, SessionSize};

const MINUTE: Duration = Duration::from_secs(60);
const ZERO: Duration = Duration::ZERO;
const STARTUP: Duration = Duration::from_secs(150);

/// A session that was recorded. What the service invents, such as host names and ports, is set to the recorded values.
struct Recorded {
    session: Session,
    wire: WireFormat,
}

impl Recorded {
    fn new(
        wire: WireFormat,
        id: &str,
        creation_time: Duration,
        lease_minutes: u64,
        hostname: &str,
        ports: (u16, u16),
    ) -> Recorded {
        let renderers = RendererAllocator::new(&Config {
            session_hostname: Some(hostname.to_owned()),
            session_ports: Some(ports),
            ..Config::default()
        });
        let identity =
            SessionIdentity { id: SessionId::parse(id).expect("an id"), account: uuid::Uuid::nil(), number: 1 };
        let settings = SessionSettings { size: SessionSize::Standard, max_lease: MINUTE * lease_minutes as u32 };
        let timestamp = Timestamp { now: ZERO, unix_time: creation_time };
        Recorded { session: Session::new(identity, settings, timestamp, STARTUP, renderers.allocate()), wire }
    }

    fn in_january_2021() -> Recorded {
        Recorded::new(
            WireFormat::V2021,
            "a2b38ff2-fbf4-78e5-6702-b52fc9f12a1d",
            Duration::new(1_611_936_269, 156_921_900),
            4,
            "977007394-13adf859-28b6-4b7f-a0c2-13f4497c15ef.remoterendering.vm.westeurope.mixedreality.azure.com",
            (55_669, 53_197),
        )
    }

    fn in_september_2022() -> Recorded {
        Recorded::new(
            WireFormat::V2022,
            "rr-test-id",
            Duration::new(1_663_117_532, 477_353_400),
            15,
            "arrwu2standard25246cf9a70f4d6dbd3be7af6dac6bf7.remoterendering.vm.eastus.mixedreality.azure.com",
            (64_487, 54_639),
        )
    }

    fn extend(&mut self, minutes: u32) {
        self.session.extend(ZERO, MINUTE * minutes).expect("a larger lease");
    }

    fn text(&self, now: Duration) -> String {
        serde_json::to_string(&SessionResource::of(&self.session, now, self.wire)).expect("JSON")
    }
}

#[test]
fn the_first_generation_sends_unknown_values() {
    let mut recorded = Recorded::in_january_2021();
    let starting = recorded.text(ZERO);
    assert_eq!(
        starting,
        "{\"id\":\"a2b38ff2-fbf4-78e5-6702-b52fc9f12a1d\",\"creationTime\":\"2021-01-29T16:04:29.1569219+00:00\",\
         \"arrInspectorPort\":0,\"handshakePort\":0,\"elapsedTimeMinutes\":0,\"hostname\":null,\"maxLeaseTimeMinutes\":4,\
         \"size\":\"Standard\",\"status\":\"Starting\",\"teraflops\":0.0,\"error\":null}"
    );
    assert_eq!(starting.len(), 265);
    recorded.extend(5);
    let ready = recorded.text(STARTUP);
    assert_eq!(
        ready,
        "{\"id\":\"a2b38ff2-fbf4-78e5-6702-b52fc9f12a1d\",\"creationTime\":\"2021-01-29T16:04:29.1569219+00:00\",\
         \"arrInspectorPort\":55669,\"handshakePort\":53197,\"elapsedTimeMinutes\":0,\
         \"hostname\":\"977007394-13adf859-28b6-4b7f-a0c2-13f4497c15ef.remoterendering.vm.westeurope.mixedreality.azure.com\",\
         \"maxLeaseTimeMinutes\":5,\"size\":\"Standard\",\"status\":\"Ready\",\"teraflops\":10.6,\"error\":null}"
    );
    assert_eq!(ready.len(), 368);
    recorded.session.stop(STARTUP, ZERO);
    let stopped = recorded.text(STARTUP);
    assert!(stopped.ends_with("\"status\":\"Stopped\",\"teraflops\":10.6,\"error\":null}"), "{stopped}");
    assert!(stopped.contains("\"arrInspectorPort\":0,\"handshakePort\":0,\"elapsedTimeMinutes\":0,\"hostname\":null"));
    assert_eq!(stopped.len(), 265);
}

#[test]
fn the_second_generation_omits_unknown_values_but_not_zeros() {
    let mut recorded = Recorded::in_september_2022();
    let starting = recorded.text(ZERO);
    assert_eq!(
        starting,
        "{\"id\":\"rr-test-id\",\"creationTime\":\"2022-09-14T01:05:32.4773534+00:00\",\"elapsedTimeMinutes\":0,\
         \"maxLeaseTimeMinutes\":15,\"size\":\"Standard\",\"status\":\"Starting\"}"
    );
    assert_eq!(starting.len(), 156);
    recorded.extend(20);
    let ready = recorded.text(STARTUP);
    assert_eq!(
        ready,
        "{\"id\":\"rr-test-id\",\"creationTime\":\"2022-09-14T01:05:32.4773534+00:00\",\"arrInspectorPort\":64487,\
         \"handshakePort\":54639,\"elapsedTimeMinutes\":0,\
         \"hostname\":\"arrwu2standard25246cf9a70f4d6dbd3be7af6dac6bf7.remoterendering.vm.eastus.mixedreality.azure.com\",\
         \"maxLeaseTimeMinutes\":20,\"size\":\"Standard\",\"status\":\"Ready\",\"teraflops\":10.6}"
    );
    // One byte more than was recorded: that server had 8.1 teraflops.
    assert_eq!(ready.len(), 325 + 1);
    recorded.session.stop(STARTUP, ZERO);
    assert_eq!(recorded.text(STARTUP).len(), 171 + 1);
    assert!(recorded.text(STARTUP).ends_with("\"elapsedTimeMinutes\":0,\"maxLeaseTimeMinutes\":20,\"size\":\"Standard\",\"status\":\"Stopped\",\"teraflops\":10.6}"));
}

#[test]
fn a_failed_session_says_why_in_both_generations() {
    for (wire, error) in [
        (
            WireFormat::V2021,
            r#""teraflops":0.0,"error":{"code":"SessionFailed","message":"no server","details":null,"target":null,"innerError":null}}"#,
        ),
        (WireFormat::V2022, r#""status":"Error","error":{"code":"SessionFailed","message":"no server"}}"#),
    ] {
        let mut recorded = Recorded { wire, ..Recorded::in_january_2021() };
        assert!(recorded.session.fail(ZERO, "no server"));
        assert!(recorded.text(ZERO).ends_with(error), "{}", recorded.text(ZERO));
    }
}

#[test]
fn elapsed_minutes_count_whole_minutes_in_ready() {
    let recorded = Recorded::in_september_2022();
    for (seconds, minutes) in [(0, 0), (59, 0), (60, 1), (119, 1), (15 * 60, 15), (99 * 60, 15)] {
        let text = recorded.text(STARTUP + Duration::from_secs(seconds));
        assert!(text.contains(&format!("\"elapsedTimeMinutes\":{minutes},")), "{seconds}: {text}");
    }
}

#[test]
fn an_invalid_create_says_why() {
    for (body, message) in [
        (r#"{"size":"Standard"}"#, "maxLeaseTimeMinutes is missing"),
        (r#"{"maxLeaseTimeMinutes":null,"size":"Standard"}"#, "maxLeaseTimeMinutes is missing"),
        (r#"{"maxLeaseTimeMinutes":-4,"size":"Standard"}"#, "The maxLeaseTimeMinutes value cannot be negative."),
        (r#"{"maxLeaseTimeMinutes":1441,"size":"Standard"}"#, "maxLeaseTimeMinutes is more than 1440, one day"),
        (r#"{"maxLeaseTimeMinutes":4.5,"size":"Standard"}"#, "maxLeaseTimeMinutes must be a whole number"),
        (r#"{"maxLeaseTimeMinutes":"4","size":"Standard"}"#, "maxLeaseTimeMinutes must be a whole number"),
        (r#"{"maxLeaseTimeMinutes":4}"#, "size is missing"),
        (r#"{"maxLeaseTimeMinutes":4,"size":"Huge"}"#, "size must be \"Standard\" or \"Premium\""),
        (r#"{"maxLeaseTimeMinutes":4,"size":1}"#, "size must be \"Standard\" or \"Premium\""),
    ] {
        let body: Map<String, Value> = serde_json::from_str(body).expect("JSON");
        assert_eq!(settings(&body, Duration::MAX).expect_err("incomplete").to_string(), message);
    }
    for (minutes, size) in [(0, "Standard"), (1440, "premium")] {
        let body: Map<String, Value> =
            serde_json::from_str(&format!(r#"{{"maxLeaseTimeMinutes":{minutes},"size":"{size}","x":1}}"#))
                .expect("JSON");
        let expected = SessionSettings { size: SessionSize::parse(size).expect("a size"), max_lease: MINUTE * minutes };
        assert_eq!(settings(&body, Duration::MAX), Ok(expected));
    }
}
