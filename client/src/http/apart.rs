//! Sends creates, and stops for which the blocking client has no thread. Each request has its own connection, and its
//! reply wins over a deadline that passed while the process was stopped.
//!
//! The timers of the HTTP library's blocking client check the clock before the reply. After a freeze (a debugger, a
//! suspended machine) they discard a reply that has arrived, and with it the id of a session that costs money. So this
//! uses the asynchronous client on its own runtime, and not on the caller's thread, which may have a small stack.

use super::failure;
use super::outgoing::request;
use super::proxies::Via;
use super::reply::Reading;
use crate::error::Error;
use crate::wire::{Answer, Cause, Failure, Request};
use reqwest::Client;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// If a deadline is noticed late, it is extended by as much as it was late, within these limits.
const SHORTEST_RESPITE: Duration = Duration::from_millis(25);
const LONGEST_RESPITE: Duration = Duration::from_secs(2);
/// The timer alone is never later than this.
const ON_TIME: Duration = Duration::from_millis(5);

/// Sends a request and reads the whole reply, within `limit`.
pub(super) fn exchange(client: &Client, request: &Request, origin: &str, via: Option<&Via>, limit: Duration) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::setup(origin, Error::out_of_resources("the request could not be sent", &cause)))?;
    let mut reading = None;
    let ended = runtime.block_on(within(limit, send(client, request, origin, via, limit, &mut reading)));
    let broken_off = match ended {
        Some(ended) => ended?,
        None => Some(Cause::Timeout(limit)),
    };
    match reading {
        // What has arrived may have the id of a session.
        Some(reading) => reading.end(origin, broken_off),
        None => Err(Failure::new(origin, Cause::Timeout(limit))),
    }
}

/// The result, unless it takes longer than `limit` while the process runs. The process may be stopped several times.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    /// A deadline noticed this late, or later, was missed because the process was stopped.
    const NOTICEABLE: Duration = Duration::from_millis(100);
    let mut deadline = Instant::now() + limit;
    let mut work = pin!(work);
    let mut is_first = true;
    loop {
        // The timer checks the result before the clock.
        if let Ok(result) = timeout_at(deadline, &mut work).await {
            return Some(result);
        }
        let late = deadline.elapsed();
        // After a freeze the result is polled before the connection has read its socket, so it needs another chance.
        if !std::mem::take(&mut is_first) && late < NOTICEABLE {
            return None;
        }
        deadline = Instant::now() + respite(late);
    }
}

fn respite(late: Duration) -> Duration {
    // Even then the connection, which is a task of its own, must get a turn to deliver what has arrived.
    if late < ON_TIME { Duration::from_millis(1) } else { late.clamp(SHORTEST_RESPITE, LONGEST_RESPITE) }
}

/// Sends the request, and reads the reply into `reading` once its head has arrived. Returns why the body is incomplete,
/// if it is.
async fn send(
    client: &Client,
    request: &Request,
    origin: &str,
    via: Option<&Via>,
    limit: Duration,
    reading: &mut Option<Reading>,
) -> Result<Option<Cause>, Failure> {
    let sent = client.execute(request!(reqwest::Request, request)).await;
    let mut response = sent.map_err(|error| failure::before_head(origin, via, limit, &error))?;
    let reading = reading.insert(Reading::new(response.status(), response.headers(), request));
    loop {
        match response.chunk().await {
            Ok(Some(part)) if reading.add(&part) => {}
            Ok(_) => return Ok(None),
            Err(error) => return Ok(Some(failure::while_reading(limit, &error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_deadline_noticed_late_is_extended_by_as_much() {
        let frozen = async {
            // The freeze: the runtime makes no progress.
            std::thread::sleep(550 * MS);
            sleep(200 * MS).await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(within(50 * MS, frozen)), Some(()));
        assert_eq!(runtime.block_on(within(50 * MS, std::future::pending::<()>())), None);
        let frozen_twice = async {
            std::thread::sleep(550 * MS);
            sleep(100 * MS).await;
            std::thread::sleep(1_000 * MS);
            sleep(200 * MS).await;
        };
        assert_eq!(runtime.block_on(within(50 * MS, frozen_twice)), Some(()));
        assert_eq!([4, 5, 500, 60_000].map(|late| respite(late * MS)), [MS, 25 * MS, 500 * MS, 2000 * MS]);
    }
}
