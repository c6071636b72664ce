//! The log of all requests, for tests that count them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::sync::lock;

/// One request that the emulator received, without its secrets and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// When it arrived: time since the emulator's start, by the emulator's clock.
    pub at: Duration,
    /// The number of its connection, counted from 1 in the order of arrival.
    pub connection: u64,
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it was sent, with its query if there was one.
    pub path: String,
    /// The headers in the order of arrival, with names in lower case. Any that may be secret, such as `authorization`,
    /// has the value `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// The status of the reply, or 0 while there is none. It stays 0 if a fault cuts the connection.
    pub status: u16,
}

impl RecordedRequest {
    /// The value of a header, its name in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// To which a method or the name of a header is cut: no real one is longer.
const LONGEST_NAME: usize = 64;

fn truncated(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

/// A method as it is logged.
pub(crate) fn recorded_method(method: &Method) -> String {
    truncated(method.as_str(), LONGEST_NAME).to_owned()
}

/// The headers as they are logged.
pub(crate) fn recorded_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    /// The limits keep a hundred thousand requests small.
    const MOST: usize = 50;
    const LONGEST: usize = 256;
    let short = |name: &HeaderName| truncated(name.as_str(), LONGEST_NAME).to_owned();
    let recorded = |(name, value): (&HeaderName, &HeaderValue)| {
        if is_secret(name.as_str()) {
            return (short(name), "<redacted>".to_owned());
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        (short(name), truncated(&value, LONGEST).to_owned())
    };
    headers.iter().take(MOST).map(recorded).collect()
}

/// Judged by the name: better to redact one header too many than to log a key.
fn is_secret(name: &str) -> bool {
    ["auth", "key", "token", "secret", "password", "credential", "cookie", "signature"]
        .iter()
        .any(|word| name.contains(word))
}

/// A request in the log that has no reply yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEntry(u64);

/// All requests in the order of arrival, up to a limit; then the oldest are dropped.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many requests were dropped from the front, which is the number of the first one left.
    dropped: u64,
    requests: VecDeque<RecordedRequest>,
    /// The memory that they use, in bytes.
    size: usize,
}

impl State {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.requests.pop_front() {
            self.size -= size(&oldest);
            self.dropped += 1;
        }
    }
}

/// The approximate memory that a request uses, in bytes.
fn size(request: &RecordedRequest) -> usize {
    let text = |text: &String| size_of::<String>() + text.len();
    let headers = request.headers.iter().map(|(name, value)| text(name) + text(value));
    size_of::<RecordedRequest>() + request.method.len() + request.path.len() + headers.sum::<usize>()
}

impl RequestLog {
    const CAPACITY: usize = 100_000;
    /// In bytes. Ordinary requests reach the limit of their number first.
    const LARGEST: usize = 128 * 1024 * 1024;

    /// Appends a request. Its status follows with [`finish`](Self::finish).
    pub(crate) fn begin(&self, request: RecordedRequest) -> LogEntry {
        let mut state = lock(&self.state);
        let size = size(&request);
        while state.requests.len() == Self::CAPACITY || (state.size + size > Self::LARGEST && state.size > 0) {
            state.drop_oldest();
        }
        state.size += size;
        state.requests.push_back(request);
        LogEntry(state.dropped + state.requests.len() as u64 - 1)
    }

    /// Records the status of the reply.
    pub(crate) fn finish(&self, entry: LogEntry, status: u16) {
        let mut state = lock(&self.state);
        // The request may have been removed in the meantime.
        let place = entry.0.checked_sub(state.dropped);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(request) = place.and_then(|place| state.requests.get_mut(place)) {
            request.status = status;
        }
    }

    /// All requests, oldest first.
    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.state).requests.iter().cloned().collect()
    }

    /// Forgets all requests.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        state.dropped += state.requests.len() as u64;
        state.requests.clear();
        state.size = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> RecordedRequest {
        RecordedRequest {
            at: Duration::ZERO,
            connection: 1,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            status: 0,
        }
    }

    #[test]
    fn headers_are_recorded_without_what_may_be_secret() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer s3cret"),
            ("x-functions-key", "s3cret"),
            ("cookie", "s3cret"),
            ("x-ms-token", "s3cret"),
            ("content-type", "application/json"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let recorded = recorded_headers(&headers);
        assert!(!format!("{recorded:?}").contains("s3cret"));
        let request = RecordedRequest { headers: recorded, ..request("/") };
        assert_eq!(request.header("Authorization"), Some("<redacted>"));
        assert_eq!(request.header("Content-Type"), Some("application/json"));
    }

    #[test]
    fn a_status_finds_its_request_although_others_came_and_went() {
        let log = RequestLog::default();
        let gone = log.begin(request("/gone"));
        log.clear();
        let first = log.begin(request("/first"));
        let second = log.begin(request("/second"));
        log.finish(second, 202);
        log.finish(gone, 500);
        log.finish(first, 200);
        let statuses: Vec<_> = log.all().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [200, 202]);
    }

    #[test]
    fn the_oldest_requests_are_dropped_beyond_the_capacity() {
        let log = RequestLog::default();
        log.begin(request("/oldest"));
        for _ in 1..RequestLog::CAPACITY {
            log.begin(request("/"));
        }
        let newest = log.begin(request("/newest"));
        log.finish(newest, 204);
        let all = log.all();
        assert_eq!(all.len(), RequestLog::CAPACITY);
        assert_eq!(all[0].path, "/");
        assert_eq!(all.last().map(|request| request.status), Some(204));
    }

    #[test]
    fn the_oldest_requests_are_dropped_when_all_are_too_large() {
        let log = RequestLog::default();
        let large = || RecordedRequest { headers: vec![(String::new(), "x".repeat(1 << 20))], ..request("/") };
        for _ in 0..200 {
            log.begin(large());
        }
        assert_eq!(log.all().len(), 127, "each is a little more than a 128th");
        log.clear();
        log.begin(request("/small"));
        log.begin(large());
        assert_eq!(log.all().len(), 2);
    }

    #[test]
    fn only_the_beginning_of_a_long_name_or_method_is_recorded() {
        let long = "x".repeat(1000);
        let mut headers = HeaderMap::new();
        for number in 0..100 {
            let name = HeaderName::try_from(format!("{number:02}{long}")).expect("a name");
            headers.insert(name, HeaderValue::try_from(&long).expect("a value"));
        }
        let recorded = recorded_headers(&headers);
        assert_eq!(recorded.len(), 50);
        assert!(recorded.iter().all(|(name, value)| (name.len(), value.len()) == (64, 256)));
        let method = Method::from_bytes(long.as_bytes()).expect("a method");
        assert_eq!(recorded_method(&method).len(), 64);
    }
}
