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
use crate::net::{Run, certificate, in_flight, listener, tls};
use crate::request_log::RecordedRequest;
use crate::session::{SessionStatus, SessionView, StatusRefused};
use crate::state::Service;
use crate::{api, control};

/// A running emulator, on a thread and with an async runtime of its own.
///
/// Dropping it cuts its connections and ends it; [`stop`](Self::stop) lets requests on the wire finish.
pub struct Emulator {
    url: String,
    network_urls: Vec<String>,
    account: Account,
    ca_pem: Option<String>,
    service: Arc<Service>,
    handle: Handle,
    run: watch::Sender<Run>,
    thread: Option<JoinHandle<()>>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens there.
    #[error("{address} is in use: stop the program that listens there, or listen elsewhere (port 0 takes a free port)")]
    AddressInUse {
        /// Where the emulator was to listen.
        address: SocketAddr,
    },
    /// The system does not let this program listen there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where the emulator was to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The configuration names no account.
    #[error("an emulator needs at least one account; Account::development() is the usual one")]
    NoAccount,
    /// No certificates could be made, or they were not accepted.
    #[error("cannot make the certificates for HTTPS: {reason}")]
    Certificates {
        /// What went wrong.
        reason: String,
    },
    /// The system has no random numbers to give.
    #[error("the system gave no random numbers to sign tokens with")]
    NoRandomNumbers,
    /// The system gives no thread, or nothing to wait for sockets with.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] io::Error),
}

impl Emulator {
    /// Starts an emulator and returns once it listens.
    pub fn start(config: Config) -> Result<Emulator, StartError> {
        let account = config.accounts.first().ok_or(StartError::NoAccount)?.clone();
        let service = Service::new(&config).ok_or(StartError::NoRandomNumbers)?;
        let service = Arc::new(service);
        let runtime = runtime().map_err(StartError::Thread)?;
        let (listener, address) = listen(&runtime, config.listen)?;
        let (acceptor, ca_pem) = if config.tls {
            let certificates = certificate::generate(&service.names).map_err(no_certificates)?;
            let ca_pem = certificates.ca_pem.clone();
            (Some(tls::acceptor(certificates).map_err(no_certificates)?), Some(ca_pem))
        } else {
            (None, None)
        };

        let handle = runtime.handle().clone();
        let (run, commands) = watch::channel(Run::On);
        let router = router(service.clone());
        let thread = thread::Builder::new()
            .name("arr-emulator".to_owned())
            .spawn({
                let (connections, faults) = (service.connections.clone(), service.faults.clone());
                move || runtime.block_on(listener::serve(listener, acceptor, router, connections, faults, commands))
            })
            .map_err(StartError::Thread)?;
        let network_urls = service.names.network_urls(service.scheme, address.port());
        let url = url(service.scheme, address);
        Ok(Emulator { url, network_urls, account, ca_pem, service, handle, run, thread: Some(thread) })
    }

    /// Where it serves, both the token service and sessions: such as `https://127.0.0.1:12345`, with no slash at the
    /// end. An emulator that listens on every address is named by the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first of its accounts.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The certificate in PEM that a client must trust; none without HTTPS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The URLs for other machines, such as a headset on the same network: none if it listens on the loopback only.
    pub fn network_urls(&self) -> &[String] {
        &self.network_urls
    }

    /// A token for the sessions of its first account, as the token service would give it now.
    pub fn access_token(&self) -> String {
        self.service.access_token(&self.account)
    }

    /// A token that stands for one of Microsoft Entra's: the token service takes it, in place of the key, for its first
    /// account, as long as it is valid by the emulator's clock.
    pub fn entra_token(&self, lifetime: Duration) -> String {
        self.service.entra_token(&self.account, lifetime)
    }

    /// Every request seen since the start or the last [`clear_requests`](Self::clear_requests), in the order of
    /// arrival. Beyond 100 000, or 128 MiB, the oldest are dropped.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.requests.all()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        self.service.requests.clear();
    }

    /// All sessions as they are now, of every account, in the order of their creation. Those that ended are among
    /// them for 30 days.
    pub fn sessions(&self) -> Vec<SessionView> {
        self.service.sessions().views(self.service.clock.now())
    }

    /// Ends a session with status `Error` and this message, as a start does that finds no free server. False if there
    /// is no such session or it is over already.
    ///
    /// A session is named by its id, a GUID in any letter case. If two accounts have chosen the same id, it is the session
    /// that is not over.
    pub fn fail_session(&self, id: &str, message: &str) -> bool {
        let now = self.service.clock.now();
        self.service.sessions().fail(now, id, message)
    }

    /// Appends faults: what goes wrong on purpose, with which requests. The first that is for a request and does not
    /// skip it is the one that happens. If one of them cannot be, none is added.
    pub fn add_faults(&self, faults: impl IntoIterator<Item = Fault>) -> Result<(), FaultError> {
        self.service.faults.add(faults.into_iter().collect())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Closes the connections on which nothing is being answered, as a server does with those that a client keeps for
    /// later. Returns how many have ended.
    pub fn close_idle_connections(&self) -> usize {
        let (done, result) = mpsc::channel();
        let connections = self.service.connections.clone();
        self.handle.spawn(async move { done.send(connections.close_idle().await) });
        // There is no answer only if the emulator's thread is gone, and its connections with it.
        result.recv().unwrap_or(0)
    }

    /// Forces a status upon a session, with a reason if it is an end. What no session can do is refused: nothing brings
    /// one back that is over. Forced to be `Stopping`, it stays so until it is forced to be `Stopped` or `Error`. The id is
    /// as in [`fail_session`](Self::fail_session).
    pub fn set_session_status(
        &self,
        id: &str,
        status: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        let now = self.service.clock.now();
        self.service.sessions().force(now, id, status, message)
    }

    /// Moves the emulator's clock forward; a virtual clock moves for all who share it.
    pub fn advance_clock(&self, step: Duration) {
        self.service.clock.advance(step);
    }

    /// Stops listening, lets requests on the wire finish for at most 2 s, and returns when all is over.
    pub fn stop(mut self) {
        self.end(Run::Finish);
    }

    fn end(&mut self, how: Run) {
        self.run.send_replace(how);
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, which the panic itself has reported.
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
        self.end(Run::Cut);
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The whole service, and beside it what controls it.
fn router(service: Arc<Service>) -> Router {
    let control = control::routes(&service);
    Router::new().nest("/emulator", control).fallback_service(api::router(service)).layer(from_fn(in_flight::at_work))
}

/// Listens, and says where: the port is the system's choice if 0 was asked for.
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
        // Nothing can be sent to "every address".
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
