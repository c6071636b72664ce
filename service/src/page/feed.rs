//! What is new for one reader. It remembers what the reader has seen, so it needs no queue, and its memory does not
//! depend on how fast the reader reads.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Page;
use super::json::{ClockEvent, FaultsEvent, Hello, RequestItem, RequestsEvent, SessionItem, SessionsEvent};
use crate::faults::json::FaultRuleState;
use crate::state::ServiceState;

/// The most of each kind that the page shows.
const ACTIVE_SESSIONS: usize = 200;
const ENDED_SESSIONS: usize = 50;
const REQUESTS: usize = 200;
const FAULTS: usize = 100;

/// An event is sent at least this often, so that both sides notice a broken connection.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub(super) struct Feed {
    state: Arc<ServiceState>,
    /// The events before all others.
    beginning: Option<String>,
    /// The last changes that were sent.
    requests: u64,
    faults: Option<u64>,
    /// The sessions that were sent.
    sessions: String,
    /// The time that was sent last, and when.
    clock: Option<(u64, Instant)>,
}

impl Feed {
    pub(super) fn new(page: &Page) -> Feed {
        let mut beginning = "retry: 1000\n".to_owned();
        event(&mut beginning, "hello", &Hello { version: env!("CARGO_PKG_VERSION"), urls: &page.urls });
        Feed {
            state: page.state.clone(),
            beginning: Some(beginning),
            requests: 0,
            faults: None,
            sessions: String::new(),
            clock: None,
        }
    }

    /// The next events; `None` if nothing is new.
    pub(super) fn next(&mut self) -> Option<String> {
        let mut text = self.beginning.take().unwrap_or_default();
        let clock = ClockEvent::of(&self.state.clock);
        let mut news = self.new_sessions() + &self.new_faults();
        news.push_str(&self.new_requests());
        if news.is_empty() && !self.needs_clock(clock.time_ms) {
            return None;
        }
        self.clock = Some((clock.time_ms, Instant::now()));
        // First, because the others have times.
        event(&mut text, "clock", &clock);
        Some(text + &news)
    }

    /// Whether the reader cannot know the time, because it was moved or is an old one.
    fn needs_clock(&self, time_ms: u64) -> bool {
        /// The reader's own clock is not more exact.
        const TOLERANCE_MS: u64 = 100;
        self.clock.is_none_or(|(sent, at)| {
            let rate = u64::from(self.state.clock.rate());
            let passed = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
            let expected = sent.saturating_add(passed.saturating_mul(rate));
            expected.abs_diff(time_ms) > TOLERANCE_MS * rate || at.elapsed() >= HEARTBEAT
        })
    }

    fn new_sessions(&mut self) -> String {
        let clock = &self.state.clock;
        // Also those that are not stored yet: if they never are, the next event shows that.
        let (sessions, _) = self.state.begin_sessions(|sessions, at| {
            let overview = sessions.overview(at.now, ACTIVE_SESSIONS, ENDED_SESSIONS);
            let (active, ended) = (overview.active, overview.ended);
            let items = active.into_iter().chain(ended).map(|session| SessionItem::of(session, clock));
            SessionsEvent { active: overview.active_count, ended: overview.ended_count, sessions: items.collect() }
        });
        let mut text = String::new();
        event(&mut text, "sessions", &sessions);
        if text == self.sessions {
            return String::new();
        }
        self.sessions.clone_from(&text);
        text
    }

    fn new_faults(&mut self) -> String {
        let mut text = String::new();
        if let Some((changes, count, rules)) = self.state.faults.changed(self.faults, FAULTS, FaultRuleState::summary) {
            self.faults = Some(changes);
            event(&mut text, "faults", &FaultsEvent { count, rules });
        }
        text
    }

    fn new_requests(&mut self) -> String {
        let mut text = String::new();
        if let Some(changes) = self.state.requests.changes(self.requests, REQUESTS, RequestItem::of) {
            self.requests = changes.seen;
            event(&mut text, "requests", &RequestsEvent { first: changes.first, requests: changes.requests });
        }
        text
    }
}

/// Appends an event. JSON has no line breaks.
fn event(text: &mut String, name: &str, data: &impl Serialize) {
    // Neither can fail: the data has only texts and numbers, and is written to a String.
    let data = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::sync::watch;

    use super::*;
    use crate::clock::{Clock, VirtualClock};
    use crate::config::Config;
    use crate::faults::Fault;
    use crate::net::Shutdown;
    use crate::request_log::tests::request;
    use crate::secrets::Secrets;
    use crate::session::{SessionSettings, SessionSize};

    fn feed() -> (Feed, Arc<ServiceState>, VirtualClock) {
        let clock = VirtualClock::new();
        let config = Config { clock: Clock::Virtual(clock.clone()), ..Config::default() };
        let secrets = Secrets::load(None, false).expect("random numbers");
        let state = Arc::new(ServiceState::new(&config, &secrets, None).expect("a state in memory"));
        let page = Page::new(&state, &[], &watch::channel(Shutdown::NotRequested).1);
        (Feed::new(&page), state, clock)
    }

    /// The names and data of events.
    fn events(text: Option<String>) -> Vec<(String, Value)> {
        let read = |event: &str| {
            let (name, data) = event.strip_prefix("event: ")?.split_once("\ndata: ")?;
            Some((name.to_owned(), serde_json::from_str(data).expect("JSON")))
        };
        let text = text.unwrap_or_default();
        let text = text.strip_prefix("retry: 1000\n").unwrap_or(&text);
        text.split_terminator("\n\n").map(|event| read(event).expect("an event")).collect()
    }

    fn names(events: &[(String, Value)]) -> Vec<&str> {
        events.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn record(state: &ServiceState, path: &str) {
        state.requests.begin(request(path), |_| {}).finish(200, None, None);
    }

    #[test]
    fn only_what_is_new_is_sent() {
        let (mut feed, state, clock) = feed();
        assert_eq!(names(&events(feed.next())), ["hello", "clock", "sessions", "faults"]);
        assert_eq!(feed.next(), None);

        record(&state, "/one");
        let news = events(feed.next());
        assert_eq!(names(&news), ["clock", "requests"]);
        assert_eq!(
            (&news[1].1["requests"][0]["number"], &news[1].1["requests"][0]["path"]),
            (&0.into(), &"/one".into())
        );
        state.requests.clear();
        let news = events(feed.next());
        assert_eq!((&news[1].1["first"], &news[1].1["requests"]), (&1.into(), &Value::Array(Vec::new())));

        state.faults.add(vec![Fault::on("*", "**").status(500).body("x".repeat(9000))]).expect("a good fault");
        let news = events(feed.next());
        assert_eq!(names(&news), ["clock", "faults"]);
        let body = &news[1].1["rules"][0]["action"]["body"];
        assert!(body.as_str().is_some_and(|body| body.len() < 1000), "{body}");
        assert_eq!(feed.next(), None);

        clock.advance(Duration::from_secs(60));
        let news = events(feed.next());
        assert_eq!(
            (names(&news), &news[0].1["time_ms"], &news[0].1["rate"]),
            (vec!["clock"], &60_000.into(), &0.into())
        );
        assert_eq!(feed.next(), None);
    }

    #[test]
    fn a_session_is_sent_when_its_status_changes_but_not_as_time_passes() {
        let (mut feed, state, clock) = feed();
        clock.advance(Duration::from_secs(60));
        let settings = SessionSettings { size: SessionSize::Premium, max_lease: Duration::from_secs(600) };
        let account = state.accounts[0].guid();
        state.begin_sessions(|sessions, at| sessions.create(at, account, settings));
        let mut seen = Vec::new();
        for _ in 0..8 {
            seen.extend(events(feed.next()).into_iter().filter(|(name, _)| name == "sessions"));
            clock.advance(Duration::from_secs(100));
        }
        let sent: Vec<_> =
            seen.iter().map(|(_, it)| (&it["sessions"][0]["status"], &it["active"], &it["ended"])).collect();
        let (one, none) = (Value::from(1), Value::from(0));
        let statuses = ["Starting", "Ready", "Expired"].map(Value::from);
        assert_eq!(sent, [(&statuses[0], &one, &none), (&statuses[1], &one, &none), (&statuses[2], &none, &one)]);
        // Ready after 3 s.
        assert!(seen.iter().all(|(_, sessions)| sessions["sessions"][0]["end_ms"] == 663_000), "{seen:?}");
    }

    #[test]
    fn a_slow_reader_gets_the_newest_only() {
        let (mut feed, state, _) = feed();
        feed.next();
        for number in 0..10_000 {
            record(&state, &format!("/{number}"));
        }
        let news = events(feed.next());
        let requests = news[1].1["requests"].as_array().expect("requests");
        assert_eq!(requests.len(), REQUESTS);
        assert_eq!(requests[0]["path"], format!("/{}", 10_000 - REQUESTS));
        assert_eq!(feed.next(), None);
    }

    #[test]
    fn a_silent_emulator_sends_a_heartbeat() {
        let (mut feed, ..) = feed();
        feed.next();
        let Some((_, at)) = &mut feed.clock else { panic!("it was sent") };
        let Some(earlier) = at.checked_sub(HEARTBEAT) else { return };
        *at = earlier;
        assert_eq!(names(&events(feed.next())), ["clock"]);
    }
}
