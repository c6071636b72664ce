//! One connection, from its handshake to its end, in a task of its own: a silent or slow peer holds up nobody else.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

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

/// Which connection of this emulator a request came on, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionNumber(pub(crate) u64);

/// Serves one connection until either side ends it.
pub(crate) async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, mut run: watch::Receiver<Run>) {
    // Replies are small and complete; waiting to fill a packet would only delay them. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve_http(stream, router, run).await;
    };
    let handshake = tokio::select! {
        handshake = timeout(HANDSHAKE_LIMIT, tls.accept(stream)) => handshake,
        _ = run.changed() => return,
    };
    if let Ok(Ok(stream)) = handshake {
        serve_http(stream, router, run).await;
    }
}

async fn serve_http(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, mut run: watch::Receiver<Run>) {
    let connection = http1::Builder::new()
        // An idle connection stays: clients that pool their connections are to find it again.
        .header_read_timeout(None)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // How a connection ends, politely or not, is the peer's affair and nothing to report.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = run.changed() => {}
    }
    if *run.borrow() == Run::Finish {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
