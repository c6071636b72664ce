//! The connections that are open: which of them are idle, and how those are closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::sync::lock;
use crate::takeover::Takeover;

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

/// What a connection is at.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests being answered; while the handshake lasts, that counts as one.
    at_work: AtomicUsize,
    /// Whether its peer has yet to take something that was sent.
    sending: AtomicBool,
}

impl Activity {
    pub(crate) fn set_sending(&self, sending: bool) {
        self.sending.store(sending, Ordering::SeqCst);
    }

    /// Whether it waits for a request, of which it may have the beginning.
    pub(crate) fn is_idle(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) == 0 && !self.sending.load(Ordering::SeqCst)
    }
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

/// What a request knows about the connection that it came on.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    /// Counted from 1 in the order of coming.
    pub(crate) number: u64,
    pub(crate) peer: IpAddr,
    activity: Arc<Activity>,
    takeovers: mpsc::UnboundedSender<Takeover>,
}

/// While it lives, its connection is not idle.
#[derive(Debug)]
pub(crate) struct Work(Arc<Activity>);

impl Work {
    fn begin(activity: &Arc<Activity>) -> Work {
        activity.at_work.fetch_add(1, Ordering::SeqCst);
        Work(activity.clone())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::SeqCst);
    }
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
        let (takeovers, receiver) = mpsc::unbounded_channel();
        (Carrier { number: self.number, peer, activity: self.activity.clone(), takeovers }, receiver)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.all.open).remove(&self.number);
    }
}

impl Carrier {
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
