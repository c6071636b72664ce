//! The open connections, and how the idle ones are closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::activity::{Activity, InFlightGuard};
use super::handle::ConnectionHandle;
use crate::faults::SocketFault;
use crate::sync::lock;

/// How long closing an idle connection may take. A peer may not read the end of TLS.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The open connections, by number.
#[derive(Debug, Default)]
pub(crate) struct ConnectionRegistry {
    open: Mutex<HashMap<u64, OpenConnection>>,
}

#[derive(Debug)]
struct OpenConnection {
    activity: Arc<Activity>,
    close_requests: mpsc::UnboundedSender<CloseRequest>,
    /// It was asked to close, to make room. Without a sender, it was busy and stays open.
    closing: Option<oneshot::Receiver<()>>,
}

/// A request to close a connection if it is idle. It is dropped if the connection is busy.
#[derive(Debug)]
pub(crate) struct CloseRequest(oneshot::Sender<()>);

impl CloseRequest {
    /// Reports that the connection is closed.
    pub(crate) fn confirm(self) {
        // The receiver is gone if the deadline has passed.
        let _ = self.0.send(());
    }
}

/// One connection's entry in the registry, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    all: Arc<ConnectionRegistry>,
    number: u64,
    activity: Arc<Activity>,
}

impl ConnectionRegistry {
    /// Registers a connection. The receiver yields the requests to close it.
    pub(crate) fn register(
        self: &Arc<ConnectionRegistry>,
        number: u64,
    ) -> (Registration, mpsc::UnboundedReceiver<CloseRequest>) {
        let activity = Arc::<Activity>::default();
        let (close_requests, receiver) = mpsc::unbounded_channel();
        lock(&self.open).insert(number, OpenConnection { activity: activity.clone(), close_requests, closing: None });
        (Registration { all: self.clone(), number, activity }, receiver)
    }

    /// How many connections are open.
    pub(crate) fn count(&self) -> usize {
        lock(&self.open).len()
    }

    /// Asks the connection that has been idle longest to close. False if none is idle.
    pub(crate) fn close_most_idle(&self) -> bool {
        let mut open = lock(&self.open);
        let is_closing = |it: &mut OpenConnection| {
            it.closing.as_mut().is_some_and(|end| end.try_recv() != Err(TryRecvError::Closed))
        };
        let idle = open.values_mut().filter_map(|it| (!is_closing(it)).then_some(it));
        let idle = idle.filter_map(|it| it.activity.idle_since().map(|since| (since, it)));
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        let (sender, end) = oneshot::channel();
        longest.closing = Some(end);
        longest.close_requests.send(CloseRequest(sender)).is_ok()
    }

    /// Closes the idle connections and returns how many were closed. Each judges for itself whether it is idle: when a
    /// client has its reply, the thread that has sent it may not have noted that yet.
    pub(crate) async fn close_idle(&self) -> usize {
        let ends: Vec<_> = {
            let open = lock(&self.open);
            let may_be_idle = open.values().filter(|open| !open.activity.has_requests());
            let ask = |open: &OpenConnection| {
                let (sender, end) = oneshot::channel();
                open.close_requests.send(CloseRequest(sender)).ok().map(|()| end)
            };
            may_be_idle.filter_map(ask).collect()
        };
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        let mut closed = 0;
        for end in ends {
            closed += usize::from(matches!(timeout_at(deadline, end).await, Ok(Ok(()))));
        }
        closed
    }
}

impl Registration {
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Counts the connection as busy until the guard is dropped.
    pub(crate) fn mark_in_flight(&self) -> InFlightGuard {
        InFlightGuard::new(&self.activity)
    }

    /// The handle for the requests on this connection, and the faults that they inject into it.
    pub(crate) fn handle(&self, peer: IpAddr) -> (ConnectionHandle, mpsc::UnboundedReceiver<SocketFault>) {
        ConnectionHandle::new(self.number, peer, self.activity.clone())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.all.open).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_connection_that_may_have_sent_its_reply_is_asked_to_close() {
        let registry = Arc::<ConnectionRegistry>::default();
        let (registration, mut requests) = registry.register(1);
        registration.activity().sent(true, true);
        let connection = async { requests.try_recv().expect("asked").confirm() };
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (closed, ()) = runtime.block_on(async { tokio::join!(registry.close_idle(), connection) });
        assert_eq!(closed, 1);
    }

    #[test]
    fn a_connection_that_was_busy_when_asked_to_close_is_asked_again() {
        let registry = Arc::<ConnectionRegistry>::default();
        let (_registration, mut requests) = registry.register(1);
        assert!(registry.close_most_idle());
        let request = requests.try_recv().expect("asked");
        assert!(!registry.close_most_idle(), "it is closing");
        drop(request);
        assert!(registry.close_most_idle(), "it was busy");
    }
}
