//! The accept loop and its graceful shutdown.

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
use crate::faults::FaultRules;

/// How long requests on the wire may take to finish after a graceful shutdown was requested.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

/// Accepts and serves connections until shutdown is requested. A dropped sender of `shutdown` counts as
/// [`Shutdown::Immediate`].
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    registry: Arc<ConnectionRegistry>,
    faults: Arc<FaultRules>,
    mut shutdown: watch::Receiver<Shutdown>,
) {
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
                    let (registration, close_requests) = registry.register(number);
                    let signals = ConnectionSignals { shutdown: shutdown.clone(), close_requests };
                    let connection =
                        connection::serve(stream, peer.ip(), tls.clone(), router.clone(), registration, signals);
                    connections.spawn(connection);
                }
                Err(_) => pause_after_accept_error().await,
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

/// Accepting fails when the peer has gone before its connection is accepted, and when the process has too many open
/// files. Both are transient; the pause keeps the second from occupying a whole CPU core.
async fn pause_after_accept_error() {
    sleep(Duration::from_millis(20)).await;
}
