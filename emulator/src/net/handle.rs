//! What a request knows about its connection, and may do with it.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::activity::{Activity, Work};
use crate::faults::Takeover;

/// What a request knows about the connection that it came on.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    /// Counted from 1 in the order of coming.
    pub(crate) number: u64,
    pub(crate) peer: IpAddr,
    activity: Arc<Activity>,
    takeovers: mpsc::UnboundedSender<Takeover>,
}

impl Carrier {
    pub(super) fn new(
        number: u64,
        peer: IpAddr,
        activity: Arc<Activity>,
    ) -> (Carrier, mpsc::UnboundedReceiver<Takeover>) {
        let (takeovers, receiver) = mpsc::unbounded_channel();
        (Carrier { number, peer, activity, takeovers }, receiver)
    }

    /// Not idle until the result is dropped.
    pub(crate) fn begin_work(&self) -> Work {
        Work::begin(&self.activity)
    }

    /// Takes the connection out of HTTP's hands. The request that asks for it is not answered in any other way: its
    /// future is dropped while it waits here.
    pub(crate) async fn take_over<T>(&self, takeover: Takeover) -> T {
        // If nobody receives it, the connection is ending anyway.
        let _ = self.takeovers.send(takeover);
        std::future::pending().await
    }
}
