//! The loop that accepts connections, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Orders};
use super::registry::Connections;
use super::shutdown::Run;
use crate::faults::FaultBook;

/// How long requests on the wire may take to finish once the emulator was asked to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until told otherwise. A sender of `run` that is gone counts as [`Run::Cut`].
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    registry: Arc<Connections>,
    faults: Arc<FaultBook>,
    mut run: watch::Receiver<Run>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            _ = run.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    if faults.strikes_connection() {
                        continue;
                    }
                    let (place, wishes) = registry.enter(number);
                    let orders = Orders { run: run.clone(), wishes };
                    let connection =
                        connection::serve(stream, peer.ip(), tls.clone(), router.clone(), place, orders);
                    connections.spawn(connection);
                }
                Err(_) => wait_out_accept_error().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    if *run.borrow() == Run::Finish {
        let finished = async { while connections.join_next().await.is_some() {} };
        // What is not done by then is cut when the set is dropped.
        let _ = timeout(GRACE, finished).await;
    }
}

/// Accepting fails when a connection is gone before it was accepted, and when the process has too many files open.
/// Both pass; the pause keeps the second from taking a whole processor.
async fn wait_out_accept_error() {
    sleep(Duration::from_millis(20)).await;
}
