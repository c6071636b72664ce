//! The connections that are open: which of them are idle, and how those are closed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;

use crate::sync::lock;
use crate::takeover::Takeover;

/// How long the end of an idle connection may take: a farewell that nobody reads is not waited for.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// The open connections, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Open>>,
}

#[derive(Debug)]
struct Open {
    activity: Arc<Activity>,
    /// Its sender is gone when the connection is.
    end: watch::Receiver<()>,
}

/// What a connection is at, and the wish that it ends.
#[derive(Debug)]
struct Activity {
    /// Requests being answered; while the handshake lasts, that counts as one.
    at_work: AtomicUsize,
    close: Notify,
}

/// One connection's place among the others, held as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<Connections>,
    number: u64,
    activity: Arc<Activity>,
    _end: watch::Sender<()>,
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
    /// Gives a connection a place.
    pub(crate) fn enter(self: &Arc<Connections>, number: u64) -> Place {
        let activity = Arc::new(Activity { at_work: AtomicUsize::new(0), close: Notify::new() });
        let (sender, end) = watch::channel(());
        lock(&self.open).insert(number, Open { activity: activity.clone(), end });
        Place { all: self.clone(), number, activity, _end: sender }
    }

    /// Closes the connections that wait for a request, and returns how many when they are closed.
    pub(crate) async fn close_idle(&self) -> usize {
        let idle: Vec<_> = {
            let open = lock(&self.open);
            let idle = open.values().filter(|open| open.activity.at_work.load(Ordering::SeqCst) == 0);
            idle.map(|open| (open.activity.clone(), open.end.clone())).collect()
        };
        for (activity, _) in &idle {
            activity.close.notify_one();
        }
        let count = idle.len();
        let all_ended = async {
            for (_, mut end) in idle {
                // Nothing is ever sent: this returns when the sender is gone.
                let _ = end.changed().await;
            }
        };
        let _ = timeout(FAREWELL_LIMIT, all_ended).await;
        count
    }
}

impl Place {
    /// Not idle until the result is dropped.
    pub(crate) fn begin_work(&self) -> Work {
        Work::begin(&self.activity)
    }

    /// Returns when the connection, being idle, is to be closed.
    pub(crate) async fn asked_to_close(&self) {
        self.activity.close.notified().await;
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
