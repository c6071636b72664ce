//! One connection, from its handshake to its end, in a task of its own: a silent or slow peer holds up nobody else.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::registry::{FAREWELL_LIMIT, Farewell, Place};
use super::shutdown::Run;
use super::tracked_socket::Outgoing;
use crate::faults::{Afterwards, Socket, Takeover};

/// What a connection is told while it lives.
pub(crate) struct Orders {
    pub(crate) run: watch::Receiver<Run>,
    pub(crate) wishes: mpsc::UnboundedReceiver<Farewell>,
}

/// Why HTTP goes on no longer.
enum Turn {
    /// The connection is over.
    Over,
    /// It is idle and is to be closed; who wished for that is told.
    Close(Option<Farewell>),
    /// A fault has taken it.
    TakenOver(Takeover),
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
    mut orders: Orders,
) {
    // Replies are small and complete; waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve_http(stream, peer, router, &place, orders).await;
    };
    let handshake = {
        let _work = place.begin_work();
        tokio::select! {
            handshake = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => handshake,
            _ = orders.run.changed() => return,
        }
    };
    if let Ok(Ok(stream)) = handshake {
        serve_http(stream, peer, router, &place, orders).await;
    }
}

async fn serve_http(socket: impl Socket, peer: IpAddr, router: Router, place: &Place, mut orders: Orders) {
    let (carrier, mut takeovers) = place.carrier(peer);
    let router = router.layer(Extension(carrier));
    let mut socket = Outgoing::new(socket, place.activity().clone());
    loop {
        let mut connection = http1::Builder::new()
            // An idle connection stays: clients that pool their connections are to find it again.
            .header_read_timeout(None)
            .title_case_headers(true)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router.clone()));
        let takeover = match next_turn(&mut connection, place, &mut takeovers, &mut orders).await {
            Turn::Over => return,
            Turn::Close(farewell) => {
                let mut socket = connection.into_parts().io.into_inner();
                // Under TLS there is a farewell to say.
                let _ = timeout(FAREWELL_LIMIT / 2, socket.shutdown()).await;
                drop(socket);
                farewell.into_iter().for_each(Farewell::grant);
                return;
            }
            Turn::TakenOver(takeover) => takeover,
        };
        let _work = place.begin_work();
        let parts = connection.into_parts();
        socket = parts.io.into_inner();
        let afterwards = tokio::select! {
            // First, for what takes no time is done even while the emulator stops.
            biased;
            afterwards = takeover.carry_out(&mut socket) => afterwards,
            _ = orders.run.wait_for(|run| *run != Run::On) => return,
        };
        // What a peer has sent ahead is lost with the first HTTP connection, so that there is none to go on with.
        if afterwards == Afterwards::End || !parts.read_buf.is_empty() {
            return;
        }
    }
}

/// Lets HTTP run until the connection is over, is closed while it is idle, or a fault takes it. How a connection ends,
/// politely or not, is the peer's affair and nothing to report.
async fn next_turn<S: Socket>(
    connection: &mut http1::Connection<TokioIo<S>, TowerToHyperService<Router>>,
    place: &Place,
    takeovers: &mut mpsc::UnboundedReceiver<Takeover>,
    orders: &mut Orders,
) -> Turn {
    loop {
        tokio::select! {
            // First, so that a request that has arrived counts as work.
            biased;
            _ = &mut *connection => return Turn::Over,
            Some(takeover) = takeovers.recv() => return Turn::TakenOver(takeover),
            Some(farewell) = orders.wishes.recv() => {
                if place.activity().is_idle() {
                    return Turn::Close(Some(farewell));
                }
                continue;
            }
            changed = orders.run.changed() => match changed.map(|()| *orders.run.borrow()) {
                // HTTP itself would wait for the rest of a head of which it has a part.
                Ok(Run::Finish) if place.activity().is_idle() => return Turn::Close(None),
                Ok(Run::Finish) => {}
                _ => return Turn::Over,
            },
        }
        Pin::new(&mut *connection).graceful_shutdown();
    }
}
