//! The client's log: a bounded ring of lines that the application polls. There are no files and no callbacks.
//!
//! A line never contains a key, a token or a body.

use crate::clock::{Clock, Signal, lock};
use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The amount of logging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Nothing.
    #[default]
    Off,
    /// Failures that were not recovered.
    Error,
    /// Failures that are retried, and probable mistakes.
    Warning,
    /// Completed actions: tokens, sessions created, extended and stopped.
    Info,
    /// Every request.
    Debug,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The severity; never [`LogLevel::Off`].
    pub level: LogLevel,
    /// When the line was written: wall time since 1970.
    pub unix_time: Duration,
    /// What happened.
    pub message: String,
    /// The `MS-CV` of the reply concerned.
    pub correlation_vector: Option<String>,
    /// The number of lines dropped before this one because they were not pulled in time.
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
    /// Room for the lines of the busiest seconds, even if the application pulls only one line per frame.
    const CAPACITY: usize = 512;
    /// The longest line, in bytes. Text from a service can be longer.
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

    /// Logs the failure of an operation that no caller waits for.
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

    /// Calls `message` only if the level is enabled.
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
            // The dropped line's own count of lost lines carries over to the next.
            ring.lost += 1 + ring.lines.pop_front().map_or(0, |oldest| oldest.lost);
        }
        ring.lines.push_back(entry);
        drop(ring);
        self.written.notify();
    }

    /// Removes the oldest remaining line.
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
    fn lines_below_the_level_are_neither_formatted_nor_kept() {
        let log = log(LogLevel::Warning);
        log.info(None, || panic!("this level is off"));
        log.warning(Some("cv.0"), || "careful".into());
        log.error(None, || "broken".into());
        let first = log.take().unwrap();
        assert_eq!((first.level, first.message.as_str()), (LogLevel::Warning, "careful"));
        assert_eq!(first.correlation_vector.as_deref(), Some("cv.0"));
        assert_eq!(log.take().unwrap().level, LogLevel::Error);
        assert_eq!(log.take(), None);
        self::log(LogLevel::Off).error(None, || panic!("this level is off"));
    }

    #[test]
    fn lines_that_are_not_pulled_are_dropped_oldest_first_and_counted() {
        let log = log(LogLevel::Debug);
        for number in 0..Log::CAPACITY + 3 {
            log.debug(None, || number.to_string());
        }
        let first = log.take().unwrap();
        assert_eq!((first.message.as_str(), first.lost), ("3", 3));
        assert_eq!(log.take().unwrap().lost, 0);
    }

    #[test]
    fn a_long_line_is_cut_at_a_character_boundary() {
        let log = log(LogLevel::Debug);
        log.debug(None, || "€".repeat(1_000));
        assert_eq!(log.take().unwrap().message.chars().count(), Log::LONGEST / 3);
    }
}
