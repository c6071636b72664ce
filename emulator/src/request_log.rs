//! What was asked of the service, for tests that count requests.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::sync::lock;

/// One request that the emulator saw. It holds no header, and so no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// When it came: time since the emulator's start, by the emulator's clock.
    pub at: Duration,
    /// Which connection carried it; the emulator numbers them from 1 in the order of their coming.
    pub connection: u64,
    /// The method, such as `GET`.
    pub method: String,
    /// The path as it was sent, with its query if there was one.
    pub path: String,
    /// The status of the reply, or 0 as long as there is none.
    pub status: u16,
}

/// A request in the log whose reply is still to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(u64);

/// Every request in the order of arrival; the oldest are dropped when an emulator runs for weeks.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many requests were dropped from the front: the number of the first one that is left.
    dropped: u64,
    requests: VecDeque<RecordedRequest>,
}

impl RequestLog {
    const CAPACITY: usize = 100_000;

    /// Notes a request that has come. Its status follows with [`finish`](Self::finish).
    pub(crate) fn begin(&self, request: RecordedRequest) -> Entry {
        let mut state = lock(&self.state);
        if state.requests.len() == Self::CAPACITY {
            state.requests.pop_front();
            state.dropped += 1;
        }
        state.requests.push_back(request);
        Entry(state.dropped + state.requests.len() as u64 - 1)
    }

    /// Notes the status of the reply.
    pub(crate) fn finish(&self, entry: Entry, status: u16) {
        let mut state = lock(&self.state);
        // A request that was cleared away in the meantime has no place any more.
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
            status: 0,
        }
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
}
