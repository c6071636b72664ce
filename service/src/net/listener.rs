//! The accept loop and its graceful shutdown.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, ConnectionSignals};
use super::registry::ConnectionRegistry;
use super::shutdown::Shutdown;
use crate::config::Limits;
use crate::faults::FaultRules;

/// How long requests in flight may take to finish after a graceful shutdown is requested.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

/// What is served, and how.
pub(crate) struct Serving<W> {
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) registry: Arc<ConnectionRegistry>,
    pub(crate) faults: Arc<FaultRules>,
    pub(crate) limits: Limits,
    /// Called with the reason when a connection is refused.
    pub(crate) refused: W,
}

/// Accepts and serves connections until shutdown is requested. A dropped sender of `shutdown` counts as
/// [`Shutdown::Immediate`].
pub(crate) async fn serve(
    listener: TcpListener,
    serving: Serving<impl FnMut(&str)>,
    mut shutdown: watch::Receiver<Shutdown>,
) {
    let Serving { tls, router, registry, faults, limits, mut refused } = serving;
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            _ = shutdown.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    if faults.match_connection() {
                        continue;
                    }
                    if !has_room(&registry, &limits, peer.ip()) {
                        refused("all connections are in use");
                        continue;
                    }
                    let (registration, close_requests) = registry.register(number);
                    let signals = ConnectionSignals { shutdown: shutdown.clone(), close_requests };
                    let connection =
                        connection::serve(stream, peer.ip(), tls.clone(), router.clone(), registration, limits, signals);
                    connections.spawn(connection);
                }
                Err(error) => {
                    refused(&error.to_string());
                    pause_after_accept_error().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    if *shutdown.borrow() == Shutdown::Graceful {
        let finished = async { while connections.join_next().await.is_some() {} };
        // Dropping the set cuts the connections that have not finished by then.
        let _ = timeout(GRACE_PERIOD, finished).await;
    }
}

/// Whether there is room for one more connection. May close an idle one to make room.
fn has_room(registry: &ConnectionRegistry, limits: &Limits, peer: IpAddr) -> bool {
    /// For control calls, when others have taken all connections.
    const RESERVE: usize = 16;
    let open = registry.count();
    open < limits.connections
        || registry.close_most_idle()
        || (peer.to_canonical().is_loopback() && open < limits.connections + RESERVE)
}

/// Accepting fails if the peer is gone before its connection is accepted, or if the process has too many open files.
/// Both are transient; the pause keeps the second from occupying a whole CPU core.
async fn pause_after_accept_error() {
    sleep(Duration::from_millis(20)).await;
}
