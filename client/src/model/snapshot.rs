//! Numbers about a session that a frame thread can read at any time, without locking, waiting or allocating.
//!
//! There are two copies of the data, and a sequence number that says which one to read: copy 0 while it is even, copy 1
//! while it is odd. A writer makes it odd, writes copy 0, makes it even, and writes copy 1. So a copy is written only
//! while readers use the other one, and a writer that is preempted in the middle blocks no reader.

use super::size::SessionSize;
use super::status::SessionStatus;
use crate::clock::{Instant, milliseconds};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

const WORDS: usize = 8;

/// The current numbers of a session, for a frame loop; see [`Session::snapshot`](crate::Session::snapshot).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The session's status. The service's spelling of an unknown status is not included.
    pub status: SessionStatus,
    /// The size, if known.
    pub size: Option<SessionSize>,
    /// The port of the ARR inspector.
    pub arr_inspector_port: Option<u16>,
    /// The port for the rendering connection's handshake.
    pub handshake_port: Option<u16>,
    /// The total lease, counted from the moment the session became ready.
    pub max_lease: Option<Duration>,
    /// The used part of the lease, now: the part that the service reported, plus the time since then while the session
    /// is ready.
    pub elapsed: Duration,
    /// The remaining lease, now; zero if the lease is unknown.
    pub remaining: Duration,
    /// The time since the service reported this.
    pub age: Duration,
    /// How long the session has been starting, now: since this client created it, or first read it as starting. Zero
    /// if it is not starting.
    pub starting_for: Duration,
    /// Counts changes other than the passage of time. While it stays the same, so does everything in
    /// [`Session::known_properties`](crate::Session::known_properties) except ages and times.
    pub revision: u64,
}

/// The cached state of a session at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotData {
    /// Counts changes.
    pub(crate) revision: u64,
    /// A code of the C ABI, as is `size`.
    pub(crate) status: i32,
    pub(crate) size: i32,
    /// 0: unknown.
    pub(crate) arr_inspector_port: u16,
    /// 0: unknown.
    pub(crate) handshake_port: u16,
    /// 0: unknown.
    pub(crate) max_lease_ms: u64,
    /// The used part of the lease at `at`.
    pub(crate) used_ms: u64,
    /// When the service reported this.
    pub(crate) at: Instant,
    /// Whether the lease has been running since `at`.
    pub(crate) runs: bool,
    /// Since when it has been starting, if it is, in whole milliseconds.
    pub(crate) starting_since: Option<Instant>,
}

/// The word for "not starting".
const NOT_STARTING: u64 = u64::MAX;

impl SnapshotData {
    /// All numbers, advanced to `now`.
    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let port = |port: u16| (port != 0).then_some(port);
        let elapsed = self.used(now);
        Snapshot {
            status: SessionStatus::of_code(self.status),
            size: SessionSize::of_code(self.size),
            arr_inspector_port: port(self.arr_inspector_port),
            handshake_port: port(self.handshake_port),
            max_lease: (self.max_lease_ms != 0).then(|| Duration::from_millis(self.max_lease_ms)),
            elapsed,
            remaining: Duration::from_millis(self.max_lease_ms).saturating_sub(elapsed),
            age: self.age(now),
            starting_for: self.starting_since.map(|since| now.saturating_since(since)).unwrap_or_default(),
            revision: self.revision,
        }
    }

    /// The time for which the lease has been running at `now`, which may be longer than the lease.
    pub(crate) fn since_ready(&self, now: Instant) -> Duration {
        let since = if self.runs { self.age(now) } else { Duration::ZERO };
        Duration::from_millis(self.used_ms).saturating_add(since)
    }

    /// The used part of the lease at `now`. Never more than the lease.
    pub(crate) fn used(&self, now: Instant) -> Duration {
        let used = self.since_ready(now);
        match self.max_lease_ms {
            0 => used,
            known => used.min(Duration::from_millis(known)),
        }
    }

    /// The remaining lease; zero if the lease is unknown.
    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        Duration::from_millis(self.max_lease_ms).saturating_sub(self.used(now))
    }

    /// The time since the service reported this.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_since(self.at)
    }

    fn to_words(self) -> [u64; WORDS] {
        let at = self.at.since_beginning();
        [
            self.revision,
            u64::from(self.status.cast_unsigned()) << 32 | u64::from(self.size.cast_unsigned()),
            u64::from(self.arr_inspector_port) << 32 | u64::from(self.handshake_port) << 16 | u64::from(self.runs),
            self.max_lease_ms,
            self.used_ms,
            at.as_secs(),
            at.subsec_nanos().into(),
            self.starting_since.map_or(NOT_STARTING, |since| milliseconds(since.since_beginning())),
        ]
    }

    #[allow(clippy::cast_possible_truncation, reason = "these are the halves and quarters of words")]
    fn from_words(words: [u64; WORDS]) -> SnapshotData {
        let [revision, codes, ports, max_lease_ms, used_ms, seconds, nanoseconds, starting] = words;
        SnapshotData {
            revision,
            status: ((codes >> 32) as u32).cast_signed(),
            size: (codes as u32).cast_signed(),
            arr_inspector_port: (ports >> 32) as u16,
            handshake_port: (ports >> 16) as u16,
            max_lease_ms,
            used_ms,
            at: Instant::from_elapsed(Duration::new(seconds, nanoseconds as u32)),
            runs: ports & 1 == 1,
            starting_since: (starting != NOT_STARTING).then(|| Instant::from_elapsed(Duration::from_millis(starting))),
        }
    }
}

/// The latest [`SnapshotData`]. Any thread may read it at any time. Writers must ensure that only one writes at a time.
#[derive(Debug)]
pub(crate) struct SnapshotCell {
    sequence: AtomicU64,
    copies: [[AtomicU64; WORDS]; 2],
}

impl SnapshotCell {
    pub(crate) fn new(reading: &SnapshotData) -> SnapshotCell {
        let copies = [(); 2].map(|()| reading.to_words().map(AtomicU64::new));
        SnapshotCell { sequence: AtomicU64::new(0), copies }
    }

    /// Replaces the data. Must not run on two threads at once.
    pub(crate) fn write(&self, reading: &SnapshotData) {
        self.write_in_steps(reading, || ());
    }

    /// Calls `between` after each step, so that a test can check what readers see there.
    fn write_in_steps(&self, reading: &SnapshotData, mut between: impl FnMut()) {
        let words = reading.to_words();
        for copy in &self.copies {
            // Release: a reader that sees this sequence also sees the completed write of the copy it selects.
            self.sequence.store(self.sequence.load(Ordering::Relaxed) + 1, Ordering::Release);
            // In the other direction: a reader that sees any word written from here on sees the new sequence after its
            // own fence, and so detects a torn read.
            fence(Ordering::Release);
            between();
            for (place, word) in copy.iter().zip(words) {
                place.store(word, Ordering::Relaxed);
                between();
            }
        }
    }

    /// The latest data. Retries only if a writer took another step meanwhile, never because a writer is stalled.
    pub(crate) fn read(&self) -> SnapshotData {
        loop {
            if let Some(reading) = self.try_read() {
                return reading;
            }
        }
    }

    fn try_read(&self) -> Option<SnapshotData> {
        let sequence = self.sequence.load(Ordering::Acquire);
        let copy = &self.copies[usize::from(sequence % 2 == 1)];
        let words = copy.each_ref().map(|word| word.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        (self.sequence.load(Ordering::Relaxed) == sequence).then(|| SnapshotData::from_words(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    fn at(ms: u64) -> Instant {
        Instant::from_elapsed(Duration::from_millis(ms))
    }

    /// Derives every field from the number.
    #[allow(clippy::cast_possible_truncation, reason = "different parts of one number")]
    fn numbered(number: u64) -> SnapshotData {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        SnapshotData {
            revision: number,
            status: (mixed as u32).cast_signed(),
            size: ((mixed >> 32) as u32).cast_signed(),
            arr_inspector_port: (mixed >> 8) as u16,
            handshake_port: (mixed >> 24) as u16,
            max_lease_ms: mixed,
            used_ms: !mixed,
            at: Instant::from_elapsed(Duration::from_nanos(mixed)),
            runs: mixed >> 63 == 1,
            starting_since: (mixed >> 62 & 1 == 1).then(|| at(mixed >> 16)),
        }
    }

    #[test]
    fn written_data_is_read_back() {
        let cell = SnapshotCell::new(&numbered(0));
        assert_eq!(cell.read(), numbered(0));
        for number in [1, 2, u64::MAX] {
            cell.write(&numbered(number));
            assert_eq!(cell.read(), numbered(number));
        }
        let never = SnapshotData { at: Instant::NEVER, status: -1, runs: true, ..numbered(3) };
        cell.write(&never);
        assert_eq!(cell.read(), never);
    }

    #[test]
    fn a_writer_that_stops_in_the_middle_blocks_no_reader() {
        let cell = SnapshotCell::new(&numbered(1));
        let mut steps = 0;
        cell.write_in_steps(&numbered(2), || {
            let expected = if steps <= WORDS { numbered(1) } else { numbered(2) };
            assert_eq!(cell.try_read(), Some(expected), "after {steps} steps");
            steps += 1;
        });
        assert_eq!(steps, 2 * (1 + WORDS));
    }

    #[test]
    fn readers_see_complete_data_that_never_gets_older() {
        const READS: usize = 100_000;
        let cell = SnapshotCell::new(&numbered(0));
        let over = AtomicBool::new(false);
        let read = || {
            let (mut latest, mut reads) = (0, 0);
            // On a busy machine the writer may start late.
            while reads < READS || latest == 0 {
                let reading = cell.read();
                assert_eq!(reading, numbered(reading.revision));
                assert!(reading.revision >= latest);
                (latest, reads) = (reading.revision, reads + 1);
            }
        };
        thread::scope(|scope| {
            scope
                .spawn(|| (1..).take_while(|_| !over.load(Ordering::Relaxed)).for_each(|it| cell.write(&numbered(it))));
            let readers = [(); 3].map(|()| scope.spawn(read)).map(|reader| reader.join());
            over.store(true, Ordering::Relaxed);
            assert!(readers.iter().all(Result::is_ok));
        });
    }

    #[test]
    fn only_a_running_lease_is_used_up_and_never_beyond_its_end() {
        let ms = Duration::from_millis;
        let running = SnapshotData { max_lease_ms: 60_000, used_ms: 5_000, at: at(1_000), runs: true, ..numbered(1) };
        assert_eq!((running.used(at(1_000)), running.remaining(at(1_000))), (ms(5_000), ms(55_000)));
        assert_eq!((running.used(at(3_500)), running.remaining(at(3_500))), (ms(7_500), ms(52_500)));
        assert_eq!((running.used(at(99_000)), running.remaining(at(99_000))), (ms(60_000), ms(0)));
        assert_eq!((running.used(at(0)), running.age(at(0))), (ms(5_000), ms(0)), "a clock that was read earlier");
        let standing = SnapshotData { runs: false, ..running };
        assert_eq!((standing.used(at(9_000)), standing.remaining(at(9_000))), (ms(5_000), ms(55_000)));
        assert_eq!(standing.age(at(9_000)), ms(8_000));
        let unknown = SnapshotData { max_lease_ms: 0, ..running };
        assert_eq!((unknown.used(at(99_000)), unknown.remaining(at(99_000))), (ms(103_000), ms(0)));
    }
}
