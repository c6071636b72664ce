//! One connection, from its handshake to its end. Each runs in its own task, so a silent or slow peer delays no other.

use std::net::IpAddr;
use std::pin::Pin;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::in_flight::Requests;
use super::registry::{CLOSE_TIMEOUT, CloseRequest, Registration};
use super::shutdown::Shutdown;
use super::tracked_socket::TrackedSocket;
use crate::config::Limits;
use crate::faults::{AfterFault, Socket, SocketFault};

/// What can end a connection from outside.
pub(crate) struct ConnectionSignals {
    pub(crate) shutdown: watch::Receiver<Shutdown>,
    pub(crate) close_requests: mpsc::UnboundedReceiver<CloseRequest>,
}

/// Why HTTP stopped serving a connection.
enum HttpEnd {
    /// The connection is over.
    Closed,
    /// It is idle and must be closed. The sender of the request, if any, gets a confirmation.
    CloseIdle(Option<CloseRequest>),
    /// A fault must be applied to it.
    Fault(SocketFault),
}

/// The longest head of a request. Up to twice as much is the memory that a connection may take for what it receives.
const LARGEST_HEAD: usize = 32 * 1024;

/// Serves one connection until either side ends it.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    registration: Registration,
    limits: Limits,
    mut signals: ConnectionSignals,
) {
    notice_vanished_peer(&stream, &limits);
    // Replies are small and complete; waiting to fill a packet would only delay them. If this fails, they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve_http(stream, peer, router, &registration, limits, signals).await;
    };
    let handshake = {
        let _in_flight = registration.mark_in_flight();
        tokio::select! {
            handshake = timeout(limits.head, tls.accept(stream)) => handshake,
            _ = signals.shutdown.changed() => return,
        }
    };
    if let Ok(Ok(stream)) = handshake {
        serve_http(stream, peer, router, &registration, limits, signals).await;
    }
}

async fn serve_http(
    socket: impl Socket,
    peer: IpAddr,
    router: Router,
    registration: &Registration,
    limits: Limits,
    mut signals: ConnectionSignals,
) {
    let (handle, mut faults) = registration.handle(peer);
    let mut socket = TrackedSocket::new(socket, registration.activity().clone());
    loop {
        let mut connection = http1::Builder::new()
            // Would also limit the idle time; [`Activity::left`] has separate limits.
            .header_read_timeout(None)
            .max_buf_size(LARGEST_HEAD)
            .title_case_headers(true)
            .serve_connection(TokioIo::new(socket), Requests::new(router.clone(), handle.clone()));
        let fault = match drive_http(&mut connection, registration, &limits, &mut faults, &mut signals).await {
            HttpEnd::Closed => return,
            HttpEnd::CloseIdle(request) => {
                let mut socket = connection.into_parts().io.into_inner();
                // Under TLS, this sends close_notify.
                let _ = timeout(CLOSE_TIMEOUT / 2, socket.shutdown()).await;
                drop(socket);
                request.into_iter().for_each(CloseRequest::confirm);
                return;
            }
            HttpEnd::Fault(fault) => fault,
        };
        let _in_flight = registration.mark_in_flight();
        let parts = connection.into_parts();
        socket = parts.io.into_inner();
        let after = tokio::select! {
            // First: a fault that takes no time is applied even during shutdown.
            biased;
            after = fault.apply(&mut socket) => after,
            _ = signals.shutdown.wait_for(|shutdown| *shutdown != Shutdown::NotRequested) => return,
        };
        // Bytes that the peer sent ahead are lost with this HTTP connection, so another cannot continue.
        if after == AfterFault::Close || !parts.read_buf.is_empty() {
            return;
        }
    }
}

/// Serves HTTP until the connection ends, must be closed while idle, or needs a fault applied. How the peer ends it, in
/// order or not, is not reported.
async fn drive_http<S: Socket>(
    connection: &mut http1::Connection<TokioIo<S>, Requests>,
    registration: &Registration,
    limits: &Limits,
    faults: &mut mpsc::UnboundedReceiver<SocketFault>,
    signals: &mut ConnectionSignals,
) -> HttpEnd {
    loop {
        // A head may begin meanwhile, and has its own limit.
        let pause = registration.activity().left(limits).min(limits.head);
        tokio::select! {
            // First, so that a request that has arrived counts as in flight.
            biased;
            _ = &mut *connection => return HttpEnd::Closed,
            Some(fault) = faults.recv() => return HttpEnd::Fault(fault),
            Some(request) = signals.close_requests.recv() => {
                if registration.activity().is_idle() {
                    return HttpEnd::CloseIdle(Some(request));
                }
                continue;
            }
            changed = signals.shutdown.changed() => match changed.map(|()| *signals.shutdown.borrow()) {
                // The HTTP library would wait for the rest of a head that has begun.
                Ok(Shutdown::Graceful) if registration.activity().is_idle() => return HttpEnd::CloseIdle(None),
                Ok(Shutdown::Graceful) => {}
                _ => return HttpEnd::Closed,
            },
            () = sleep(pause) => {
                if registration.activity().left(limits).is_zero() {
                    return if registration.activity().is_idle() { HttpEnd::CloseIdle(None) } else { HttpEnd::Closed };
                }
                continue;
            }
        }
        Pin::new(&mut *connection).graceful_shutdown();
    }
}

/// A device may lose its network without closing its connections. Probes find that out: the first after half of the
/// limit, then three more. While a reply is not acknowledged, TCP sends no probes, but repeats the reply.
fn notice_vanished_peer(stream: &TcpStream, limits: &Limits) {
    let Limits { vanished, send, .. } = *limits;
    let probes = TcpKeepalive::new().with_time(vanished / 2).with_interval(vanished / 6).with_retries(3);
    let socket = SockRef::from(stream);
    // If these fail, the other limits still apply.
    let _ = socket.set_tcp_keepalive(&probes);
    #[cfg(target_os = "linux")]
    // It also counts while the peer takes nothing.
    let _ = socket.set_tcp_user_timeout(Some(vanished.max(send)));
    #[cfg(not(target_os = "linux"))]
    let _ = send;
}
