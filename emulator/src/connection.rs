//! One connection, from its handshake to its end, in a task of its own: a silent or slow peer holds up nobody else.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connections::Place;
use crate::takeover::{Afterwards, Socket, Takeover};

/// What connections, and the loop that accepts them, are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Serve.
    On,
    /// Finish what is on the wire, within the listener's grace.
    Finish,
    /// Cut every connection.
    Cut,
}

/// How long a peer may take for the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Serves one connection until either side ends it.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    place: Place,
    mut run: watch::Receiver<Run>,
) {
    // Replies are small and complete; waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve_http(stream, peer, router, &place, run).await;
    };
    let handshake = {
        let _work = place.begin_work();
        tokio::select! {
            handshake = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => handshake,
            _ = run.changed() => return,
        }
    };
    if let Ok(Ok(stream)) = handshake {
        serve_http(stream, peer, router, &place, run).await;
    }
}

async fn serve_http(
    mut socket: impl Socket,
    peer: IpAddr,
    router: Router,
    place: &Place,
    mut run: watch::Receiver<Run>,
) {
    let (carrier, mut takeovers) = place.carrier(peer);
    let router = router.layer(Extension(carrier));
    loop {
        let mut connection = http1::Builder::new()
            // An idle connection stays: clients that pool their connections are to find it again.
            .header_read_timeout(None)
            .title_case_headers(true)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router.clone()));
        let Some(takeover) = until_taken_over(&mut connection, place, &mut takeovers, &mut run).await else {
            return;
        };
        let _work = place.begin_work();
        let parts = connection.into_parts();
        socket = parts.io.into_inner();
        let afterwards = tokio::select! {
            // First, for what takes no time is done even while the emulator stops.
            biased;
            afterwards = takeover.carry_out(&mut socket) => afterwards,
            _ = run.wait_for(|run| *run != Run::On) => return,
        };
        // What a peer has sent ahead is lost with the first HTTP connection, so that there is none to go on with.
        if afterwards == Afterwards::End || !parts.read_buf.is_empty() {
            return;
        }
    }
}

/// Lets HTTP run until the connection is over, or a fault takes it. How a connection ends, politely or not, is the
/// peer's affair and nothing to report.
async fn until_taken_over<S: Socket>(
    connection: &mut http1::Connection<TokioIo<S>, TowerToHyperService<Router>>,
    place: &Place,
    takeovers: &mut mpsc::UnboundedReceiver<Takeover>,
    run: &mut watch::Receiver<Run>,
) -> Option<Takeover> {
    loop {
        tokio::select! {
            _ = &mut *connection => return None,
            Some(takeover) = takeovers.recv() => return Some(takeover),
            () = place.asked_to_close() => {}
            changed = run.changed() => if changed.is_err() || *run.borrow() != Run::Finish {
                return None;
            },
        }
        Pin::new(&mut *connection).graceful_shutdown();
    }
}
