//! A running emulator.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

use crate::auth::Account;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::conversion::{ConversionError, ConversionStatus, ConversionStatusRefused, ConversionView};
use crate::faults::{Fault, FaultError};
use crate::net::certificate::Authority;
use crate::net::listener::{self, Serving};
use crate::net::{Shutdown, own_certificate, tls};
use crate::page::{self, Page};
use crate::request_log::RecordedRequest;
use crate::secrets::Secrets;
use crate::session::{NotStored, SessionStatus, SessionStore, SessionView, StatusRefused};
use crate::start_error::StartError;
use crate::state::ServiceState;
use crate::storage::{Database, StateFolder};
use crate::sync::lock;
use crate::{api, control, health};

/// A running emulator, on its own threads and async runtime.
///
/// Dropping it cuts its connections; [`stop`](Self::stop) lets requests in flight finish.
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

impl Emulator {
    /// Starts an emulator and returns once it listens.
    pub fn start(config: Config) -> Result<Emulator, StartError> {
        let account = config.accounts.first().ok_or(StartError::NoAccount)?.clone();
        let own = config.certificate.as_ref();
        let own = own.map(|files| own_certificate::read(&files.certificates, &files.key)).transpose()?;
        let open = |path: &PathBuf| StateFolder::open(path).and_then(Database::open);
        let database = config.state_folder.as_ref().map(open).transpose()?;
        let secrets = Secrets::load(database.as_ref(), config.tls && own.is_none())?;
        let state = Arc::new(ServiceState::new(&config, &secrets, database)?);
        let runtime = runtime().map_err(StartError::Thread)?;
        let (listener, address) = listen(&runtime, config.listen)?;
        let ca_pem = secrets.authority.as_ref().map(|authority| authority.pem().to_owned());
        let issue = |authority: Authority| authority.issue(&state.hostnames).map_err(no_certificates);
        let certificate = secrets.authority.map(issue).transpose()?.or(own);
        let acceptor = certificate.map(tls::acceptor).transpose().map_err(no_certificates)?;
        if secrets.authority_replaced {
            let text = "the kept certificate authority has expired or soon will; clients must trust the new one";
            state.log.warning(state.clock.unix_time(), text);
        }

        let handle = runtime.handle().clone();
        let network_urls = state.hostnames.network_urls(state.scheme, address.port());
        let (shutdown, shutdown_receiver) = watch::channel(Shutdown::NotRequested);
        let serving = Serving {
            tls: acceptor,
            router: router(&state, Page::new(&state, &network_urls, &shutdown_receiver)),
            registry: state.connections.clone(),
            faults: state.faults.clone(),
            limits: config.limits,
            refused: warn_of_refusals(state.clone()),
        };
        let serving = listener::serve(listener, serving, shutdown_receiver);
        let thread = thread::Builder::new()
            .name("arr-emulator".to_owned())
            .spawn(move || runtime.block_on(serving))
            .map_err(StartError::Thread)?;
        let url = url(state.scheme, address);
        Ok(Emulator { url, network_urls, account, ca_pem, state, handle, shutdown, thread: Some(thread) })
    }

    /// The URL of both the token service and the session service, such as `https://127.0.0.1:12345`, without a trailing
    /// slash. If the emulator listens on every address, the URL has the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The certificate that a client must trust, in PEM; none without HTTPS, or with [`Config::certificate`].
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The URLs for other machines, such as a headset on the same network; none if it listens on the loopback only.
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
    /// arrival. Beyond 100,000, or 128 MiB, the oldest are dropped.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.all()
    }

    /// Clears the request log.
    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// All sessions as they are now, of every account, in the order of creation. Ended sessions are included as long as
    /// they are remembered ([`Config::remember`]).
    pub fn sessions(&self) -> Vec<SessionView> {
        self.state.begin_sessions(|sessions, at| sessions.views(at.now)).0
    }

    /// Ends a session with status `Error` and this message, as if no renderer were free. False if there is no such
    /// session, it has already ended, or the state folder cannot be written.
    ///
    /// The id may be a GUID in any letter case. If two accounts chose the same id, it selects the session that has not
    /// ended.
    pub fn fail_session(&self, id: &str, message: &str) -> bool {
        self.stored(|sessions, at| sessions.fail(at.now, id, message)).unwrap_or(false)
    }

    /// Appends faults. The first that matches a request and does not skip it happens. If one of these is invalid, none
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

    /// Forces a session into a status, with a reason if it ends the session. Refused if there is no such transition: an
    /// ended session stays ended. A forced `Stopping` lasts until `Stopped` or `Error` is forced. The id works as in
    /// [`fail_session`](Self::fail_session).
    pub fn set_session_status(
        &self,
        id: &str,
        status: SessionStatus,
        message: Option<&str>,
    ) -> Result<SessionView, StatusRefused> {
        let forced = self.stored(|sessions, at| sessions.force(at.now, id, status, message));
        forced.unwrap_or(Err(StatusRefused::NotStored))
    }

    /// All conversions as they are now, of every account, in the order of creation. Ended ones are included as long as
    /// they are remembered ([`Config::remember`]).
    pub fn conversions(&self) -> Vec<ConversionView> {
        let (mut conversions, at) = self.state.conversions();
        conversions.views(at.now)
    }

    /// Forces a conversion into a status; without an error, one that ends without a result has the service's. Refused if
    /// there is no such transition. If two accounts chose the same id, the conversion that has not ended is meant.
    pub fn set_conversion_status(
        &self,
        id: &str,
        status: ConversionStatus,
        error: Option<&ConversionError>,
    ) -> Result<ConversionView, ConversionStatusRefused> {
        let (code, message) = error.map(|error| (error.code.as_str(), error.message.as_str())).unzip();
        let (mut conversions, at) = self.state.conversions();
        conversions.force(at.now, id, status, code, message)
    }

    /// Advances the emulator's clock; a virtual clock advances for all its users. If there is a state folder that cannot
    /// be written, nothing happens.
    pub fn advance_clock(&self, step: Duration) {
        if self.state.clock.is_virtual() || self.stored(|sessions, _| sessions.advance_clock(step)).is_ok() {
            self.state.clock.advance(step);
        }
    }

    /// Makes a call on the sessions, and waits until it is stored.
    fn stored<T>(&self, call: impl FnOnce(&mut SessionStore, Timestamp) -> T) -> Result<T, NotStored> {
        let (result, commit) = self.state.begin_sessions(call);
        let Some(commit) = commit else { return Ok(result) };
        let (done, outcome) = mpsc::channel();
        self.handle.spawn(async move { done.send(commit.wait().await) });
        // Only fails if the emulator's thread is gone.
        outcome.recv().unwrap_or(Err(NotStored)).map(|()| result)
    }

    /// Stops listening, gives requests in flight up to 2 s to finish, and returns when the emulator has stopped.
    pub fn stop(mut self) {
        self.end(Shutdown::Graceful);
    }

    fn end(&mut self, how: Shutdown) {
        self.shutdown.send_replace(how);
        if let Some(thread) = self.thread.take() {
            // An error means that it panicked, which has been reported already.
            let _ = thread.join();
        }
        self.state.close_storage();
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

/// How many threads answer requests: enough for 20,000 a second. A limit of its own, because a machine with many processors
/// may run many emulators, one for each test.
const WORKERS: usize = 2;

fn runtime() -> io::Result<Runtime> {
    can_start_threads()?;
    Builder::new_multi_thread().worker_threads(WORKERS).thread_name("arr-emulator").enable_all().build()
}

/// Starts as many threads as the emulator is about to. If the system refused one, tokio would panic, or wait for ever for
/// the others.
fn can_start_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // All of them at a time.
        let _closed = lock(&gate);
        let start = |_| thread::Builder::new().spawn_scoped(scope, || drop(lock(&gate))).map(drop);
        (0..=WORKERS).try_for_each(start)
    })
}

/// The service, and what is not part of it: the control API, the page and `/health`.
fn router(state: &Arc<ServiceState>, page: Page) -> Router {
    let api = api::router(state.clone());
    let index = control::guarded(state, get(page::index)).fallback_service(api.clone());
    let control = control::routes(state, page.routes());
    health::routes(state).route("/", index).nest("/emulator", control).fallback_service(api)
}

/// How many connections may wait to be accepted. Linux allows fewer if `net.core.somaxconn` is smaller.
const MOST_WAITING: i32 = 4096;

/// Listens, and returns the address. With port 0, the system chooses the port.
fn listen(runtime: &Runtime, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Listen { address, source },
    };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    // The standard library lets 128 connections wait. If more come at once, a client repeats its attempt after 1, 3, 7 s.
    SockRef::from(&listener).listen(MOST_WAITING).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let _context = runtime.enter();
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    Ok((listener, bound))
}

/// Logs refused connections, at most once a minute.
fn warn_of_refusals(state: Arc<ServiceState>) -> impl FnMut(&str) {
    const PAUSE: Duration = Duration::from_secs(60);
    let mut warned: Option<Instant> = None;
    move |reason| {
        if warned.is_none_or(|warned| warned.elapsed() >= PAUSE) {
            warned = Some(Instant::now());
            state.log.warning(state.clock.unix_time(), &format!("a connection was refused: {reason}"));
        }
    }
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
    fn the_url_has_a_reachable_address() {
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
