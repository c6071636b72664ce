//! The handle by which a request refers to its connection.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::activity::{Activity, InFlightGuard};
use crate::faults::SocketFault;

/// The connection that a request came on.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionHandle {
    /// Counted from 1 in the order of arrival.
    pub(crate) number: u64,
    pub(crate) peer: IpAddr,
    activity: Arc<Activity>,
    faults: mpsc::UnboundedSender<SocketFault>,
}

impl ConnectionHandle {
    pub(super) fn new(
        number: u64,
        peer: IpAddr,
        activity: Arc<Activity>,
    ) -> (ConnectionHandle, mpsc::UnboundedReceiver<SocketFault>) {
        let (faults, receiver) = mpsc::unbounded_channel();
        (ConnectionHandle { number, peer, activity, faults }, receiver)
    }

    /// Counts the connection as busy until the guard is dropped.
    pub(crate) fn mark_in_flight(&self) -> InFlightGuard {
        InFlightGuard::new(&self.activity)
    }

    /// Takes the connection away from HTTP and applies a fault to it. Never returns: the request gets no other reply,
    /// and its future is dropped while it waits here.
    pub(crate) async fn apply_fault<T>(&self, fault: SocketFault) -> T {
        // Without a receiver, the connection is closing anyway.
        let _ = self.faults.send(fault);
        std::future::pending().await
    }
}
