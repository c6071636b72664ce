//! The connections that are open: which of them are idle, and how those are closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::activity::{Activity, Work};
use super::handle::Carrier;
use crate::faults::Takeover;
use crate::sync::lock;

/// How long the end of an idle connection may take: a farewell that nobody reads is not waited for.
pub(crate) const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// The open connections, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Open>>,
}

#[derive(Debug)]
struct Open {
    activity: Arc<Activity>,
    wishes: mpsc::UnboundedSender<Farewell>,
}

/// The wish that a connection ends if it is idle. It is dropped unless it was granted.
#[derive(Debug)]
pub(crate) struct Farewell(oneshot::Sender<()>);

impl Farewell {
    /// Says that the connection has ended.
    pub(crate) fn grant(self) {
        // Nobody listens who has waited long enough.
        let _ = self.0.send(());
    }
}

/// One connection's place among the others, held as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<Connections>,
    number: u64,
    activity: Arc<Activity>,
}

impl Connections {
    /// Gives a connection a place, and the wishes that it end.
    pub(crate) fn enter(self: &Arc<Connections>, number: u64) -> (Place, mpsc::UnboundedReceiver<Farewell>) {
        let activity = Arc::<Activity>::default();
        let (wishes, receiver) = mpsc::unbounded_channel();
        lock(&self.open).insert(number, Open { activity: activity.clone(), wishes });
        (Place { all: self.clone(), number, activity }, receiver)
    }

    /// Closes the connections that wait for a request, and returns how many have ended.
    pub(crate) async fn close_idle(&self) -> usize {
        let ends: Vec<_> = {
            let open = lock(&self.open);
            let idle = open.values().filter(|open| open.activity.is_idle());
            let ask = |open: &Open| {
                let (sender, end) = oneshot::channel();
                open.wishes.send(Farewell(sender)).ok().map(|()| end)
            };
            idle.filter_map(ask).collect()
        };
        let deadline = Instant::now() + FAREWELL_LIMIT;
        let mut closed = 0;
        for end in ends {
            closed += usize::from(matches!(timeout_at(deadline, end).await, Ok(Ok(()))));
        }
        closed
    }
}

impl Place {
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Not idle until the result is dropped.
    pub(crate) fn begin_work(&self) -> Work {
        Work::begin(&self.activity)
    }

    /// What the requests on this connection are to know, and how they take it over.
    pub(crate) fn carrier(&self, peer: IpAddr) -> (Carrier, mpsc::UnboundedReceiver<Takeover>) {
        Carrier::new(self.number, peer, self.activity.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.all.open).remove(&self.number);
    }
}
