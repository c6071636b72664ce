//! A running emulator.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

use crate::auth::Account;
use crate::config::Config;
use crate::faults::{Fault, FaultError};
use crate::net::{Shutdown, certificate, in_flight, listener, tls};
use crate::request_log::RecordedRequest;
use crate::session::{SessionStatus, SessionView, StatusRefused};
use crate::state::ServiceState;
use crate::{api, control};

/// A running emulator, on its own thread and async runtime.
///
/// Dropping it cuts its connections; [`stop`](Self::stop) lets requests on the wire finish.
pub struct Emulator {
    url: String,
    network_urls: Vec<String>,
    account: Account,
    ca_pem: Option<String>,
    state: Arc<ServiceState>,
    handle: Handle,
    shutdown: watch::Sender<Shutdown>,
    thread: Option<JoinHandle<()>>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    #[error("{address} is in use: stop the program that listens there, or listen elsewhere (port 0 takes a free port)")]
    AddressInUse {
        /// The address to listen on.
        address: SocketAddr,
    },
    /// The system refused to listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address to listen on.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration has no account.
    #[error("an emulator needs at least one account; Account::development() is the usual one")]
    NoAccount,
    /// The certificates could not be generated or used.
    #[error("cannot make the certificates for HTTPS: {reason}")]
    Certificates {
        /// What went wrong.
        reason: String,
    },
    /// The system provides no random numbers.
    #[error("the system gave no random numbers to sign tokens with")]
    NoRandomNumbers,
    /// The system provides no thread, or no means to wait for sockets.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] io::Error),
}

impl Emulator {
    /// Starts an emulator and returns once it listens.
    pub fn start(config: Config) -> Result<Emulator, StartError> {
        let account = config.accounts.first().ok_or(StartError::NoAccount)?.clone();
        let state = ServiceState::new(&config).ok_or(StartError::NoRandomNumbers)?;
        let state = Arc::new(state);
        let runtime = runtime().map_err(StartError::Thread)?;
        let (listener, address) = listen(&runtime, config.listen)?;
        let (acceptor, ca_pem) = if config.tls {
            let certificates = certificate::generate(&state.hostnames).map_err(no_certificates)?;
            let ca_pem = certificates.ca_pem.clone();
            (Some(tls::acceptor(certificates).map_err(no_certificates)?), Some(ca_pem))
        } else {
            (None, None)
        };

        let handle = runtime.handle().clone();
        let (shutdown, shutdown_receiver) = watch::channel(Shutdown::NotRequested);
        let (connections, faults) = (state.connections.clone(), state.faults.clone());
        let router = router(state.clone());
        let serving = listener::serve(listener, acceptor, router, connections, faults, shutdown_receiver);
        let thread = thread::Builder::new()
            .name("arr-emulator".to_owned())
            .spawn(move || runtime.block_on(serving))
            .map_err(StartError::Thread)?;
        let network_urls = state.hostnames.network_urls(state.scheme, address.port());
        let url = url(state.scheme, address);
        Ok(Emulator { url, network_urls, account, ca_pem, state, handle, shutdown, thread: Some(thread) })
    }

    /// The URL of both the token service and the session service, such as `https://127.0.0.1:12345`, without a slash at
    /// the end. If the emulator listens on every address, the URL has the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The certificate that a client must trust, in PEM; none without HTTPS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The URLs for other machines, such as a headset on the same network: none if it listens on the loopback only.
    pub fn network_urls(&self) -> &[String] {
        &self.network_urls
    }

    /// An access token for the first account, as the token service would issue it now.
    pub fn access_token(&self) -> String {
        self.state.access_token(&self.account)
    }

    /// A stand-in for a Microsoft Entra token. Until it expires by the emulator's clock, the token service accepts it
    /// in place of the first account's key.
    pub fn entra_token(&self, lifetime: Duration) -> String {
        self.state.entra_token(&self.account, lifetime)
    }

    /// Every request since the start or the last [`clear_requests`](Self::clear_requests), in the order of
    /// arrival. Beyond 100 000, or 128 MiB, the oldest are dropped.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.all()
    }

    /// Clears the request log.
    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// All sessions as they are now, of every account, in the order of creation. They include sessions that ended in
    /// the last 30 days.
    pub fn sessions(&self) -> Vec<SessionView> {
        self.state.sessions().views(self.state.clock.now())
    }

    /// Ends a session with status `Error` and this message, as if there were no free renderer. False if there is no
    /// such session or it is already over.
    ///
    /// The id may be a GUID in any letter case. If two accounts have chosen the same id, it selects the session that is
    /// not over.
    pub fn fail_session(&self, id: &str, message: &str) -> bool {
        let now = self.state.clock.now();
        self.state.sessions().fail(now, id, message)
    }

    /// Appends faults. The first that matches a request and does not skip it happens. If one of them is invalid, none
    /// is added.
    pub fn add_faults(&self, faults: impl IntoIterator<Item = Fault>) -> Result<(), FaultError> {
        self.state.faults.add(faults.into_iter().collect())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// Closes the idle connections, as a server does with those in a client's pool. Returns how many were closed.
    pub fn close_idle_connections(&self) -> usize {
        let (done, result) = mpsc::channel();
        let connections = self.state.connections.clone();
        self.handle.spawn(async move { done.send(connections.close_idle().await) });
        // Only fails if the emulator's thread is gone, and its connections with it.
        result.recv().unwrap_or(0)
    }

    /// Forces a status upon a session, with a reason if the session ends. Refused if there is no such transition: a
    /// session that is over stays so. A forced `Stopping` lasts until `Stopped` or `Error` is forced. The id is as in
    /// [`fail_session`](Self::fail_session).
    pub fn set_session_status(
        &self,
        id: &str,
        status: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        let now = self.state.clock.now();
        self.state.sessions().force(now, id, status, message)
    }

    /// Advances the emulator's clock; a virtual clock advances for all its users.
    pub fn advance_clock(&self, step: Duration) {
        self.state.clock.advance(step);
    }

    /// Stops listening, lets requests on the wire finish for at most 2 s, and returns when the emulator has stopped.
    pub fn stop(mut self) {
        self.end(Shutdown::Graceful);
    }

    fn end(&mut self, how: Shutdown) {
        self.shutdown.send_replace(how);
        if let Some(thread) = self.thread.take() {
            // An error means that it panicked, which has been reported already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        f.debug_struct("Emulator").field("url", url).finish_non_exhaustive()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end(Shutdown::Immediate);
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The service and the control API.
fn router(state: Arc<ServiceState>) -> Router {
    let control = control::routes(&state);
    Router::new().nest("/emulator", control).fallback_service(api::router(state)).layer(from_fn(in_flight::track))
}

/// Listens, and returns the address. With port 0, the system chooses the port.
fn listen(runtime: &Runtime, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Listen { address, source },
    };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let _context = runtime.enter();
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    Ok((listener, bound))
}

fn no_certificates(error: impl std::error::Error) -> StartError {
    StartError::Certificates { reason: error.to_string() }
}

fn url(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        // A client cannot connect to "every address".
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_an_address_that_can_be_reached() {
        for (scheme, address, expected) in [
            ("http", "127.0.0.1:8722", "http://127.0.0.1:8722"),
            ("https", "0.0.0.0:8722", "https://127.0.0.1:8722"),
            ("https", "[::]:1", "https://[::1]:1"),
            ("http", "192.0.2.7:80", "http://192.0.2.7:80"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(url(scheme, address), expected);
        }
    }
}
