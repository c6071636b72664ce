//! Sends the six commands in the documentation of version 1 as printed, except for host, account, key, token and
//! session, and compares the replies with the documented ones.

#[path = "support/run.rs"]
mod support;

use std::process::Command;
use std::time::Duration;

use arr_service::{Config, Emulator};
use serde_json::Value;
use support::run;

/// A reply as received.
struct Reply {
    status_line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What all replies have: the status, a date, and a correlation vector such as `5EqPJ1VdTUakDJZc6/ZhTg.0`.
    #[track_caller]
    fn assert_documented(&self, status_line: &str, length: Option<&str>, content_type: Option<&str>) {
        assert_eq!(self.status_line, format!("HTTP/1.1 {status_line}"), "{:?}", self.headers);
        assert_eq!(self.header("Content-Type"), content_type);
        if length.is_some() {
            assert_eq!(self.header("Content-Length"), length);
        }
        let (base, number) = self.header("MS-CV").and_then(|vector| vector.split_once('.')).expect("a vector");
        assert_eq!(base.len(), 22);
        assert!(base.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)), "{base}");
        assert!(number.parse::<u32>().is_ok(), "{number}");
        let date = self.header("Date").expect("a date");
        assert!(date.ends_with(" GMT") && date.len() == "Thu, 09 May 2019 16:17:50 GMT".len(), "{date}");
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// curl for `Invoke-WebRequest`, with the arguments in the documentation.
fn invoke(uri: &str, method: &str, content_type: Option<&str>, body: Option<&str>, authorization: &str) -> Reply {
    let mut command = Command::new("curl");
    command.args(["-q", "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "30"]);
    command.args(["--request", method, "--header", &format!("Authorization: {authorization}")]);
    if let Some(content_type) = content_type {
        command.args(["--header", &format!("Content-Type: {content_type}")]);
    }
    if let Some(body) = body {
        command.args(["--data-raw", body]);
    }
    let output = run(command.arg(uri), "curl");
    assert!(output.status.success(), "{method} {uri}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().expect("a status").to_owned();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Reply { status_line, headers: lines.filter_map(header).collect(), body: body.to_owned() }
}

const JSON: Option<&str> = Some("application/json");
const JSON_REPLY: Option<&str> = Some("application/json; charset=utf-8");

#[test]
fn the_six_documented_commands_get_the_documented_replies() {
    let emulator = Emulator::start(Config { startup: Duration::ZERO, ..Config::default() }).expect("it starts");
    let (sts, endpoint) = (emulator.url(), emulator.url());
    let (account_id, account_key) = (emulator.account().id(), emulator.account().key());

    // "Request a token"
    let uri = format!("{sts}/accounts/{account_id}/token");
    let reply = invoke(&uri, "GET", JSON, None, &format!("Bearer {account_id}:{account_key}"));
    reply.assert_documented("200 OK", None, JSON_REPLY);
    let token = reply.json()["AccessToken"].as_str().expect("$response.AccessToken").to_owned();
    let authorization = format!("Bearer {token}");

    // "Query active sessions": none yet, as in the sample
    let list_uri = format!("{endpoint}/v1/accounts/{account_id}/sessions");
    let reply = invoke(&list_uri, "GET", None, None, &authorization);
    reply.assert_documented("200 OK", Some("15"), JSON_REPLY);
    assert_eq!(reply.body, r#"{"sessions":[]}"#);

    // "Create a session"
    let uri = format!("{endpoint}/v1/accounts/{account_id}/sessions/create");
    let body = "{ 'maxLeaseTime': '4:0:0', 'models': [], 'size': 'standard' }";
    let reply = invoke(&uri, "POST", JSON, Some(body), &authorization);
    reply.assert_documented("202 Accepted", Some("52"), JSON_REPLY);
    let session_id = reply.json()["sessionId"].as_str().expect("sessionId").to_owned();
    assert_eq!(reply.body, format!(r#"{{"sessionId":"{session_id}"}}"#));
    // Like the sample's: relative, without a leading slash and without the version.
    let location = format!("accounts/{account_id}/sessions/{session_id}");
    assert_eq!(reply.header("Location"), Some(location.as_str()));

    // "Get session properties"
    let uri = format!("{endpoint}/v1/accounts/{account_id}/sessions/{session_id}/properties");
    let reply = invoke(&uri, "GET", None, None, &authorization);
    reply.assert_documented("200 OK", None, JSON_REPLY);
    assert_documented_properties(&reply.json(), &session_id, "04:00:00");

    // "Update a session"
    let session_uri = format!("{endpoint}/v1/accounts/{account_id}/sessions/{session_id}");
    let reply = invoke(&session_uri, "PATCH", JSON, Some("{ 'maxLeaseTime': '5:0:0' }"), &authorization);
    reply.assert_documented("200 OK", Some("0"), None);
    assert_eq!(reply.body, "");

    // "Query active sessions" again: an array of properties
    let reply = invoke(&list_uri, "GET", None, None, &authorization);
    let sessions = reply.json()["sessions"].as_array().expect("sessions").clone();
    assert_eq!(sessions.len(), 1);
    assert_documented_properties(&sessions[0], &session_id, "05:00:00");

    // "Stop a session"
    let reply = invoke(&session_uri, "DELETE", None, None, &authorization);
    reply.assert_documented("204 No Content", None, None);
    assert_eq!((reply.body.as_str(), reply.header("Content-Length")), ("", None));
}

/// The members in the documentation's table, with values as in its sample.
#[track_caller]
fn assert_documented_properties(properties: &Value, session_id: &str, lease: &str) {
    assert_eq!(properties["message"], Value::Null);
    assert_eq!(properties["sessionId"], session_id);
    assert_eq!(properties["sessionMaxLeaseTime"], lease);
    assert_eq!(properties["sessionStatus"], "Ready");
    assert_eq!(properties["sessionSize"], "standard");
    let elapsed = properties["sessionElapsedTime"].as_str().expect("a time span");
    assert!(elapsed.starts_with("00:00:") && elapsed.len() == "00:00:01".len(), "{elapsed}");
    let hostname = properties["sessionHostname"].as_str().expect("a name");
    assert!(hostname.ends_with(".remoterenderingvm.westeurope.mixedreality.azure.com"), "{hostname}");
    assert_eq!(hostname.split('.').next().map(str::len), Some(session_id.len()), "a GUID first: {hostname}");
}
