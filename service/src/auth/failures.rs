//! Delays the replies to a peer that sends many wrong keys, so that keys cannot be guessed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::lock;

/// This many failures of a peer are answered at once.
const AT_ONCE: u32 = 10;
/// The delay that each further failure adds.
const EACH: Duration = Duration::from_millis(500);
/// The longest delay, so that a peer cannot pile up connections without end.
const LONGEST: Duration = Duration::from_secs(10);

/// The failures of each peer, in real time.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// When each peer's failures no longer count.
    paid_off: Mutex<HashMap<IpAddr, Instant>>,
}

impl Failures {
    /// Counts a failure. Returns how long to delay the reply.
    pub(crate) fn add(&self, peer: IpAddr, now: Instant) -> Duration {
        /// From this many peers on, those whose failures no longer count are forgotten.
        const MOST: usize = 1000;
        let mut peers = lock(&self.paid_off);
        if peers.len() >= MOST {
            peers.retain(|_, paid_off| *paid_off > now);
        }
        let paid_off = peers.entry(peer).or_insert(now);
        *paid_off = (*paid_off).clamp(now, now + LONGEST + EACH * AT_ONCE) + EACH;
        paid_off.saturating_duration_since(now + EACH * AT_ONCE).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_of_a_peer_are_delayed() {
        let (failures, start) = (Failures::default(), Instant::now());
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().expect("an address"));
        let add = |peer, seconds| failures.add(peer, start + Duration::from_secs(seconds)).as_millis();
        assert_eq!([0; 10].map(|_| add(one, 0)), [0; 10]);
        assert_eq!([0; 3].map(|_| add(one, 0)), [500, 1000, 1500]);
        assert_eq!([add(other, 0), add(one, 1)], [0, 1000]);
        assert_eq!([0; 100].map(|_| add(one, 1)).last(), Some(&10_000));
        assert_eq!(add(one, 30), 0);
    }
}
