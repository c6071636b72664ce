//! The log of all requests in memory, for tests that count them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    /// The path as it was sent, with its query if there was one; at most 1024 bytes.
    pub path: String,
    /// The first 50 headers in the order of arrival, with names in lower case and values of at most 256 bytes. Any that
    /// may be secret, such as `authorization`, has the value `<redacted>`.
    pub headers: Vec<(String, String)>,
    /// The status of the reply, or 0 while there is none. It stays 0 if a fault cuts the connection.
    pub status: u16,
    /// How long, in real time, until its reply was ready or the connection was cut; none while it is in progress.
    pub duration: Option<Duration>,
    /// The `MS-CV` of its reply, at most 64 bytes.
    pub ms_cv: Option<String>,
    /// The session in its path, or the one that it created.
    pub session: Option<String>,
    /// The type of the injected fault that it met, as `docs/emulator.md` lists them.
    pub fault: Option<&'static str>,
}

impl RecordedRequest {
    /// The value of a header, its name in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Methods, header names and correlation vectors are cut to this many bytes. No real one is longer.
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

/// A request in the log that is in progress. Dropped without a reply, it counts as cut off.
#[derive(Debug)]
#[must_use = "a request that is dropped at once counts as cut off"]
pub(crate) struct OpenRequest {
    state: Arc<Mutex<State>>,
    number: u64,
    began: Instant,
    ended: bool,
}

impl OpenRequest {
    /// Records the reply. `session` is the one that it created, if its path names none.
    pub(crate) fn finish(mut self, status: u16, ms_cv: Option<&str>, session: Option<String>) {
        self.end(|request| {
            request.status = status;
            request.ms_cv = ms_cv.map(|cv| truncated(cv, LONGEST_NAME).to_owned());
            request.session = request.session.take().or(session);
        });
    }

    fn end(&mut self, change: impl FnOnce(&mut RecordedRequest)) {
        self.ended = true;
        lock(&self.state).change(self.number, |request| {
            change(request);
            request.duration = Some(self.began.elapsed());
        });
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if !self.ended {
            self.end(|_| {});
        }
    }
}

/// All requests in the order of arrival, up to a limit; then the oldest are dropped.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many requests were dropped from the front: the number of the first one left.
    dropped: u64,
    requests: VecDeque<Entry>,
    /// The memory that they use, in bytes.
    size: usize,
    /// How many changes there have been.
    changes: u64,
}

#[derive(Debug)]
struct Entry {
    request: RecordedRequest,
    /// The number of its last change.
    changed: u64,
}

impl State {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.requests.pop_front() {
            self.size -= size(&oldest.request);
            self.dropped += 1;
        }
    }

    /// Changes a request, unless it has been removed.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut RecordedRequest)) {
        let place = number.checked_sub(self.dropped).and_then(|place| usize::try_from(place).ok());
        let Some(entry) = place.and_then(|place| self.requests.get_mut(place)) else { return };
        self.size -= size(&entry.request);
        change(&mut entry.request);
        self.size += size(&entry.request);
        self.changes += 1;
        entry.changed = self.changes;
    }
}

/// What has changed in the log.
pub(crate) struct Changes<T> {
    /// The number of the last change.
    pub(crate) seen: u64,
    /// The number of the first request that is left.
    pub(crate) first: u64,
    /// The changed ones among the newest requests, oldest first.
    pub(crate) requests: Vec<T>,
}

/// The memory that a request uses, in bytes, including the heap's overhead for each text.
fn size(request: &RecordedRequest) -> usize {
    let text = |text: &String| (text.capacity() + 8).next_multiple_of(16).max(32);
    let headers = request.headers.iter().map(|(name, value)| text(name) + text(value));
    let list = request.headers.capacity() * size_of::<(String, String)>();
    let optional = [&request.ms_cv, &request.session].into_iter().flatten().map(text);
    size_of::<Entry>() + list + text(&request.method) + text(&request.path) + headers.chain(optional).sum::<usize>()
}

impl RequestLog {
    const CAPACITY: usize = 100_000;
    /// In bytes. Ordinary requests reach `CAPACITY` first.
    const LARGEST: usize = 128 * 1024 * 1024;

    /// Appends a request, whose end follows. What is in `arrival` happens to concurrent requests in the order of the log.
    pub(crate) fn begin(
        &self,
        mut request: RecordedRequest,
        arrival: impl FnOnce(&mut RecordedRequest),
    ) -> OpenRequest {
        let size = size(&request);
        let mut state = lock(&self.state);
        arrival(&mut request);
        while state.requests.len() == Self::CAPACITY || (state.size + size > Self::LARGEST && state.size > 0) {
            state.drop_oldest();
        }
        state.size += size;
        state.changes += 1;
        let changed = state.changes;
        state.requests.push_back(Entry { request, changed });
        let number = state.dropped + state.requests.len() as u64 - 1;
        OpenRequest { state: self.state.clone(), number, began: Instant::now(), ended: false }
    }

    /// All requests, oldest first.
    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.state).requests.iter().map(|entry| entry.request.clone()).collect()
    }

    /// The number of the next request.
    pub(crate) fn end(&self) -> u64 {
        let state = lock(&self.state);
        state.dropped + state.requests.len() as u64
    }

    /// Up to 100 requests from this number on, and the number of the next one.
    pub(crate) fn some(&self, from: u64, until: u64) -> (Vec<RecordedRequest>, u64) {
        const MOST: usize = 100;
        let state = lock(&self.state);
        let from = from.max(state.dropped);
        let skipped = usize::try_from(from - state.dropped).unwrap_or(usize::MAX);
        let left = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX);
        let some = state.requests.iter().skip(skipped).take(left.min(MOST));
        let some: Vec<_> = some.map(|entry| entry.request.clone()).collect();
        let next = if some.is_empty() { until } else { from + some.len() as u64 };
        (some, next)
    }

    /// What has changed since the change with this number, among the newest `most` requests; `None` if nothing has.
    /// `picked` picks what is needed of a request, by its number.
    pub(crate) fn changes<T>(
        &self,
        since: u64,
        most: usize,
        picked: impl Fn(u64, &RecordedRequest) -> T,
    ) -> Option<Changes<T>> {
        let state = lock(&self.state);
        let skipped = state.requests.len().saturating_sub(most);
        let newest = (state.dropped..).zip(&state.requests).skip(skipped);
        let changed = newest.filter(|(_, entry)| entry.changed > since);
        (state.changes > since).then(|| Changes {
            seen: state.changes,
            first: state.dropped,
            requests: changed.map(|(number, entry)| picked(number, &entry.request)).collect(),
        })
    }

    /// Forgets all requests.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.state);
        state.changes += 1;
        state.dropped += state.requests.len() as u64;
        state.requests.clear();
        state.size = 0;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::thread;

    use super::*;

    /// A request that is in progress.
    pub(crate) fn request(path: &str) -> RecordedRequest {
        RecordedRequest {
            at: Duration::ZERO,
            connection: 1,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            status: 0,
            duration: None,
            ms_cv: None,
            session: None,
            fault: None,
        }
    }

    fn begin(log: &RequestLog, request: RecordedRequest) -> OpenRequest {
        log.begin(request, |_| {})
    }

    fn finish(open: OpenRequest, status: u16) {
        open.finish(status, None, None);
    }

    #[test]
    fn headers_are_recorded_without_secrets() {
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
    fn a_status_finds_its_request_after_a_clear() {
        let log = RequestLog::default();
        let gone = begin(&log, request("/gone"));
        log.clear();
        let first = begin(&log, request("/first"));
        let second = begin(&log, request("/second"));
        finish(second, 202);
        finish(gone, 500);
        finish(first, 200);
        let statuses: Vec<_> = log.all().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [200, 202]);
    }

    #[test]
    fn requests_arrive_in_the_order_of_the_log() {
        let (log, clock) = (RequestLog::default(), Mutex::new(Duration::ZERO));
        let arrival = |request: &mut RecordedRequest| {
            let mut now = lock(&clock);
            *now += Duration::from_secs(1);
            request.at = *now;
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5000).for_each(|_| finish(log.begin(request("/"), arrival), 200)));
            }
        });
        assert!(log.all().is_sorted_by_key(|request| request.at));
    }

    #[test]
    fn the_oldest_requests_are_dropped_beyond_the_capacity() {
        let log = RequestLog::default();
        let oldest = begin(&log, request("/oldest"));
        for _ in 1..RequestLog::CAPACITY {
            finish(begin(&log, request("/")), 200);
        }
        finish(begin(&log, request("/newest")), 204);
        finish(oldest, 200);
        let all = log.all();
        assert_eq!(all.len(), RequestLog::CAPACITY);
        assert_eq!(all[0].path, "/");
        assert_eq!(all.last().map(|request| request.status), Some(204));
    }

    #[test]
    fn the_oldest_requests_are_dropped_when_the_log_is_too_large() {
        let log = RequestLog::default();
        let large = || RecordedRequest { headers: vec![(String::new(), "x".repeat(1 << 20))], ..request("/") };
        for _ in 0..200 {
            finish(begin(&log, large()), 200);
        }
        assert_eq!(log.all().len(), 127, "each is a little more than a 128th");
        log.clear();
        let open = [begin(&log, request("/small")), begin(&log, large())];
        assert_eq!(log.all().len(), 2);
        log.clear();
        drop(open);
        assert_eq!(lock(&log.state).size, 0);
    }

    #[test]
    fn a_request_ends_once_with_its_reply_or_cut_off() {
        let log = RequestLog::default();
        let (answered, cut) =
            (begin(&log, request("/")), begin(&log, RecordedRequest { session: named("a"), ..request("/") }));
        assert!(log.all().iter().all(|request| request.duration.is_none()));
        let long = "x".repeat(65);
        answered.finish(200, Some(&long), named("b"));
        drop(cut);
        let ends: Vec<_> = log.all().into_iter().map(|it| (it.status, it.ms_cv, it.session)).collect();
        assert_eq!(ends, [(200, Some("x".repeat(64)), named("b")), (0, None, named("a"))]);
        assert!(log.all().iter().all(|request| request.duration.is_some()));
    }

    #[test]
    fn changes_are_those_of_the_newest_requests() {
        let log = RequestLog::default();
        let paths = |since| log.changes(since, 2, |number, request| (number, request.status));
        assert!(paths(0).is_none());
        let open = [(); 3].map(|()| begin(&log, request("/")));
        let changes = paths(0).expect("some");
        assert_eq!((changes.first, changes.requests), (0, vec![(1, 0), (2, 0)]));
        assert!(paths(changes.seen).is_none());
        for (open, status) in open.into_iter().zip([200, 201, 202]).take(2) {
            finish(open, status);
        }
        let later = paths(changes.seen).expect("some");
        assert_eq!(later.requests, [(1, 201), (2, 0)], "the third was dropped: cut off");
        log.clear();
        let cleared = paths(later.seen).expect("some");
        assert_eq!((cleared.first, cleared.requests), (3, vec![]));
    }

    fn named(session: &str) -> Option<String> {
        Some(session.to_owned())
    }

    #[test]
    fn long_methods_and_headers_are_cut() {
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
