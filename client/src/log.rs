//! The client's log: a bounded ring of lines that the application pulls. Nothing is written anywhere, and nobody is called.
//!
//! A line never holds a key, a token or a body.

use crate::clock::{Clock, Signal, lock};
use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Nothing.
    #[default]
    Off,
    /// What went wrong and was not made good.
    Error,
    /// What went wrong and is tried again, and what is probably not meant.
    Warning,
    /// What was done: tokens, sessions created, extended and stopped.
    Info,
    /// Every request.
    Debug,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// How important it is; never [`LogLevel::Off`].
    pub level: LogLevel,
    /// When it was written: wall time since 1970.
    pub unix_time: Duration,
    /// What happened.
    pub message: String,
    /// The `MS-CV` of the reply that it is about.
    pub correlation_vector: Option<String>,
    /// How many lines were lost before this one, because nobody pulled them in time.
    pub lost: u64,
}

pub(crate) struct Log {
    level: LogLevel,
    clock: Arc<dyn Clock>,
    ring: Mutex<Ring>,
    /// Changes with every line.
    pub(crate) written: Signal,
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<LogEntry>,
    lost: u64,
}

impl Log {
    /// What the ring holds: enough for the busiest seconds of a frame loop that pulls once a frame.
    const CAPACITY: usize = 512;
    /// The longest line in bytes: what a service says can be longer.
    const LONGEST: usize = 1024;

    pub(crate) fn new(level: LogLevel, clock: Arc<dyn Clock>) -> Log {
        Log { level, clock, ring: Mutex::default(), written: Signal::default() }
    }

    pub(crate) fn error(&self, correlation_vector: Option<&str>, message: impl FnOnce() -> String) {
        self.write(LogLevel::Error, correlation_vector, message);
    }

    pub(crate) fn warning(&self, correlation_vector: Option<&str>, message: impl FnOnce() -> String) {
        self.write(LogLevel::Warning, correlation_vector, message);
    }

    /// The failure of something that nobody waits for.
    pub(crate) fn warn_of(&self, outcome: crate::error::Result<()>) {
        if let Err(error) = outcome {
            self.warning(None, || error.message().to_owned());
        }
    }

    pub(crate) fn info(&self, correlation_vector: Option<&str>, message: impl FnOnce() -> String) {
        self.write(LogLevel::Info, correlation_vector, message);
    }

    pub(crate) fn debug(&self, correlation_vector: Option<&str>, message: impl FnOnce() -> String) {
        self.write(LogLevel::Debug, correlation_vector, message);
    }

    /// The message is made only if somebody wants it.
    fn write(&self, level: LogLevel, correlation_vector: Option<&str>, message: impl FnOnce() -> String) {
        if level > self.level {
            return;
        }
        let mut message = message();
        message.truncate(message.floor_char_boundary(Log::LONGEST));
        message.shrink_to_fit();
        let correlation_vector = correlation_vector.map(str::to_owned);
        let entry = LogEntry { level, unix_time: self.clock.unix_time(), message, correlation_vector, lost: 0 };
        let mut ring = lock(&self.ring);
        if ring.lines.len() == Log::CAPACITY {
            // The oldest goes, and what was lost before it is lost before the next.
            ring.lost += 1 + ring.lines.pop_front().map_or(0, |oldest| oldest.lost);
        }
        ring.lines.push_back(entry);
        drop(ring);
        self.written.notify();
    }

    /// The oldest line that is left.
    pub(crate) fn take(&self) -> Option<LogEntry> {
        let mut ring = lock(&self.ring);
        let mut entry = ring.lines.pop_front()?;
        entry.lost = std::mem::take(&mut ring.lost);
        Some(entry)
    }
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("level", &self.level).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn log(level: LogLevel) -> Log {
        Log::new(level, Arc::new(SystemClock))
    }

    #[test]
    fn only_what_is_wanted_is_made_and_kept() {
        let log = log(LogLevel::Warning);
        log.info(None, || panic!("nobody wants this"));
        log.warning(Some("cv.0"), || "careful".into());
        log.error(None, || "broken".into());
        let first = log.take().unwrap();
        assert_eq!((first.level, first.message.as_str()), (LogLevel::Warning, "careful"));
        assert_eq!(first.correlation_vector.as_deref(), Some("cv.0"));
        assert_eq!(log.take().unwrap().level, LogLevel::Error);
        assert_eq!(log.take(), None);
        self::log(LogLevel::Off).error(None, || panic!("nobody wants this"));
    }

    #[test]
    fn what_nobody_pulls_is_lost_from_the_oldest_on_and_counted() {
        let log = log(LogLevel::Debug);
        for number in 0..Log::CAPACITY + 3 {
            log.debug(None, || number.to_string());
        }
        let first = log.take().unwrap();
        assert_eq!((first.message.as_str(), first.lost), ("3", 3));
        assert_eq!(log.take().unwrap().lost, 0);
    }

    #[test]
    fn a_line_is_bounded_at_a_character() {
        let log = log(LogLevel::Debug);
        log.debug(None, || "€".repeat(1_000));
        assert_eq!(log.take().unwrap().message.chars().count(), Log::LONGEST / 3);
    }
}
