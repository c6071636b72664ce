//! Sends requests: the HTTP client with its time and size limits, and the classification of its failures.
//!
//! This module works around weaknesses of the HTTP library's blocking client:
//!
//! * Its timers win over a reply that arrived while the process was stopped: creates are sent differently, see `apart`.
//! * A client-wide timeout does not bound a body that trickles in, so each request has its own.
//! * A hanging name lookup blocks the client's drop: see `resolver` and [`Transport::reset`].
//! * A request in flight cannot be cancelled: see `workers`.
//! * After its inner thread has died, every call panics. The panic is caught and the client recreated.

use super::idleness::{Idleness, MOST_IDLE, Moment, USABLE};
use super::outgoing::request;
use super::proxies::{Proxies, Via};
use super::reply::Reading;
use super::workers::{Counted, Handover, QueuedJob, Workers};
use super::{apart, failure, resolver, tls};
use crate::clock::{Clock, Instant, lock};
use crate::config::Settings;
use crate::config::is_loopback;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::sys::{run_on_ordinary_thread, wipe_stack, wipe_stack_at_end, without_write_signals};
use crate::wire::{Answer, Cause, Failure, Request, Urgency};
use reqwest::blocking::{Client, Response};
use rustls::ClientConfig;
use std::io::{ErrorKind as Io, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use url::Url;

/// Sends requests. Shared by everything that belongs to one client. The HTTP library's client is created at the first
/// request, because it costs a thread and reads the platform's certificates.
#[derive(Debug)]
pub(crate) struct Transport {
    tls: tls::Trusted,
    proxies: Mutex<Arc<Proxies>>,
    user_agent: String,
    connect_timeout: Duration,
    /// The client for remote hosts, possibly through a proxy, and the client for this machine, never through one.
    clients: [Mutex<Option<Arc<HttpClient>>>; 2],
    /// Held while a client is created. Dropping one does not need it.
    making: Mutex<()>,
    workers: Arc<Workers>,
    clock: Arc<dyn Clock>,
    log: Arc<Log>,
}

impl Transport {
    /// Checks the certificates of the settings. Does not access the network or the disk.
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>, log: Arc<Log>) -> Result<Transport> {
        Ok(Transport {
            tls: tls::Trusted::new(settings.trust, &settings.extra_roots, &log)?,
            proxies: Mutex::new(Arc::new(Proxies::of(&settings.proxy))),
            user_agent: settings.user_agent.clone(),
            connect_timeout: settings.connect_timeout,
            clients: Default::default(),
            making: Mutex::default(),
            workers: Workers::new(),
            clock,
            log,
        })
    }

    /// Sends a request and reads the whole reply, within `limit`.
    pub(crate) fn send(self: &Arc<Self>, request: &Request, limit: Duration) -> Answer {
        if request.creates { self.send_create(request, limit) } else { self.send_here(request, limit) }
    }

    /// Sends a create on its own thread, because the caller's may have a small stack. If no thread can be started,
    /// nothing is sent.
    fn send_create(self: &Arc<Self>, request: &Request, limit: Duration) -> Answer {
        let (sender, answer) = mpsc::sync_channel(1);
        let (transport, for_thread) = (Arc::clone(self), request.clone());
        let run = move || drop(sender.send(transport.send_here(&for_thread, limit)));
        let origin = request.origin();
        match self.workers.run_apart("arr-create", run) {
            // No timeout: the request's own limit ends it.
            Ok(()) => answer.recv().unwrap_or_else(|_| Err(Failure::new(origin, Cause::Crashed))),
            Err(error) => Err(Failure::setup(origin, error)),
        }
    }

    fn send_here(&self, request: &Request, limit: Duration) -> Answer {
        let started = self.clock.now();
        let answer = self.exchange(request, limit);
        // Cannot overflow a small stack: sending has used more of it than this.
        wipe_stack::<{ 16 * 1024 }>();
        let took = self.clock.now().saturating_since(started).as_millis();
        match &answer {
            Ok(reply) => self.log.debug(reply.correlation_vector.as_deref(), || {
                format!("{}: {} in {took} ms", request.line(), reply.status)
            }),
            Err(failure) => self.log.debug(None, || {
                let ours = request.correlation_vector.as_deref().map(|cv| format!(" (X-MRC-CV {cv})"));
                let error = failure.clone().into_error(&request.line());
                format!("{error}, after {took} ms{}", ours.unwrap_or_default())
            }),
        }
        answer
    }

    fn exchange(&self, request: &Request, limit: Duration) -> Answer {
        let origin = request.origin();
        let waited = std::time::Instant::now();
        let tls = self.tls(limit).map_err(|error| Failure::setup(origin, error))?;
        let limit = limit.saturating_sub(waited.elapsed());
        let begun = self.clock.now();
        let crashed = |_| Err(Failure::new(origin, Cause::Crashed));
        let explain = |failure: Failure, via: Option<Via>| {
            let left = limit.saturating_sub(self.clock.now().saturating_since(begun));
            self.explain(failure.through(via.map(|via| via.to_string())), &request.url, left)
        };
        let apart = || {
            let (client, proxies) =
                self.client_apart(request, &tls, limit).map_err(|error| Failure::setup(origin, error))?;
            let via = proxies.via(&request.url).map_err(|error| Failure::setup(origin, error))?;
            apart::exchange(&client, request, origin, via.as_ref(), limit).map_err(|failure| explain(failure, via))
        };
        let apart = || catch_unwind(AssertUnwindSafe(apart)).unwrap_or_else(crashed);
        if request.creates {
            return apart();
        }
        let client = catch_unwind(AssertUnwindSafe(|| self.client_for(request, &tls, origin))).unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Internal,
                "the HTTP client could not be created: it panicked; please report this",
            ))
        });
        let client = match client {
            Ok(client) => client,
            // The blocking client needs a thread. A stop must be sent even if none can be started.
            Err(_) if request.urgency == Urgency::Stop => return without_write_signals(apart),
            Err(error) => return Err(Failure::setup(origin, error)),
        };
        let via = client.proxies.via(&request.url).map_err(|error| Failure::setup(origin, error))?;
        let exchange = || {
            let mut made = request!(reqwest::blocking::Request, request);
            *made.timeout_mut() = Some(limit);
            let response = client
                .get()
                .execute(made)
                .map_err(|error| failure::before_head(origin, via.as_ref(), limit, &error))?;
            read(response, request, origin, limit)
        };
        let answer = catch_unwind(AssertUnwindSafe(exchange)).unwrap_or_else(|panic| {
            self.reset();
            crashed(panic)
        });
        if answer.as_ref().is_ok_and(|reply| !reply.is_cut) {
            client.idleness.gave_back(origin, Moment::now(&*self.clock));
        }
        answer.map_err(|failure| explain(failure, via))
    }

    /// Adds the status with which a proxy refused the tunnel. The HTTP library does not report it, so the proxy is
    /// asked again, within the time left.
    fn explain(&self, failure: Failure, url: &Url, left: Duration) -> Failure {
        if !failure.lacks_status_of_proxy() || left.is_zero() {
            return failure;
        }
        let ask = || {
            let client = self.client(false, &*self.tls(left).ok()?).ok()?;
            let host = Url::parse(&format!("http://{}:{}", url.host_str()?, url.port_or_known_default()?)).ok()?;
            let response = client.get().request(reqwest::Method::CONNECT, host).timeout(left).send();
            Some(response.ok()?.status()).filter(|status| !status.is_success())
        };
        let status = catch_unwind(AssertUnwindSafe(ask)).ok().flatten();
        failure.with_status_of_proxy(status.map(|status| status.as_u16()))
    }

    /// Queues a request for a worker of its urgency, and calls `done` on that worker with the answer. The request is
    /// limited to `limit` from when it starts, and to `deadline`. If it cannot be queued, `done` is called before this
    /// returns. `done` is never called if the job is abandoned while queued, or if the transport is closed meanwhile.
    pub(crate) fn start(
        self: &Arc<Self>,
        request: Request,
        limit: Duration,
        deadline: Instant,
        done: impl FnOnce(Answer) + Send + 'static,
    ) -> QueuedJob {
        let (urgency, transport) = (request.urgency, Arc::clone(self));
        let work = Handover::new(move |refused: Option<Error>| {
            // The request may have been queued for a while.
            let limit = limit.min(deadline.saturating_since(transport.clock.now()));
            let answer = refused.map_or_else(
                || transport.send_here(&request, limit),
                |error| Err(Failure::setup(request.origin(), error)),
            );
            drop(transport);
            done(answer);
        });
        let for_worker = work.clone();
        let queued =
            self.workers.run(urgency, Box::new(move || for_worker.take().into_iter().for_each(|work| work(None))));
        queued.unwrap_or_else(|error| {
            // If no thread can be started, this one sends the stop.
            let must_be_sent = urgency == Urgency::Stop && !self.workers.has_ended();
            let refused = (!must_be_sent).then_some(error);
            if let Some(work) = work.take() {
                work(refused);
            }
            QueuedJob::void(&self.workers)
        })
    }

    /// Starts no more jobs, and closes each connection once the requests in flight are done.
    /// [`Workers::wait_until_gone`] waits for that. Requests other than creates can still be sent afterwards, on the
    /// caller's thread.
    pub(crate) fn close(&self) {
        // This comes first: a client created from now on is not cached.
        self.workers.end();
        self.reset();
    }

    /// Forgets the proxy, whose URL may contain a password. The client has ended, and makes no more requests.
    pub(crate) fn forget_proxy(&self) {
        *lock(&self.proxies) = Arc::new(Proxies::None);
    }

    /// The threads of this client, except detached name lookups.
    pub(crate) fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    /// Runs slow work on its own thread, or on this thread if none can be started.
    pub(crate) fn aside(&self, work: impl FnOnce() + Send + 'static) {
        Handover::new(work).run(|run| self.workers.run_apart("arr-aside", run));
    }

    /// Drops all connections; the next request opens new ones.
    pub(crate) fn reset(&self) {
        for slot in &self.clients {
            drop(lock(slot).take());
        }
    }

    /// Drops the connections of this client, unless another thread has already replaced it.
    fn forget(&self, loopback: bool, stale: &Arc<HttpClient>) {
        let mut slot = lock(self.slot(loopback));
        let forgotten = slot.take_if(|client| Arc::ptr_eq(client, stale));
        drop(slot);
        drop(forgotten);
    }

    fn slot(&self, loopback: bool) -> &Mutex<Option<Arc<HttpClient>>> {
        &self.clients[usize::from(loopback)]
    }

    fn tls(&self, limit: Duration) -> Result<Arc<ClientConfig>> {
        self.tls.client_config(&self.log, &self.workers, limit)
    }

    /// The HTTP client for a request, which will use a connection that is not too old.
    fn client_for(&self, request: &Request, tls: &ClientConfig, origin: &str) -> Result<Arc<HttpClient>> {
        let loopback = is_loopback(&request.url);
        let client = self.client(loopback, tls)?;
        if client.idleness.takes_usable(origin, Moment::now(&*self.clock)) {
            return Ok(client);
        }
        // Requests in flight keep it alive.
        self.forget(loopback, &client);
        self.client(loopback, tls)
    }

    /// An HTTP client for one create. Connecting must time out before the request does: otherwise a request that was
    /// never sent would look like one whose reply was lost.
    fn client_apart(
        &self,
        request: &Request,
        tls: &ClientConfig,
        limit: Duration,
    ) -> Result<(reqwest::Client, Arc<Proxies>)> {
        let (builder, proxies) = self.builder(is_loopback(&request.url), tls);
        let connect_timeout = self.connect_timeout.min(limit / 2);
        let client = builder.connect_timeout(connect_timeout).pool_max_idle_per_host(0).build().map_err(unusable)?;
        Ok((client, proxies))
    }

    fn client(&self, loopback: bool, tls: &ClientConfig) -> Result<Arc<HttpClient>> {
        let there = || lock(self.slot(loopback)).clone();
        if let Some(client) = there() {
            return Ok(client);
        }
        let _making = lock(&self.making);
        if let Some(client) = there() {
            return Ok(client);
        }
        let client = Arc::new(self.build_client(loopback, tls)?);
        let mut slot = lock(self.slot(loopback));
        if !self.workers.has_ended() {
            *slot = Some(Arc::clone(&client));
        }
        Ok(client)
    }

    fn build_client(&self, loopback: bool, tls: &ClientConfig) -> Result<HttpClient> {
        let (builder, proxies) = self.builder(loopback, tls);
        let builder =
            builder.connect_timeout(self.connect_timeout).pool_max_idle_per_host(MOST_IDLE).pool_idle_timeout(USABLE);
        let counted = self.workers.count();
        // This starts its inner thread, which must not inherit the properties of the caller's.
        let build = move || reqwest::blocking::ClientBuilder::from(builder).timeout(None).build();
        let client = run_on_ordinary_thread("arr-setup", build).map_err(unusable)?;
        let workers = Arc::clone(&self.workers);
        Ok(HttpClient { inner: Some((client, counted)), workers, proxies, idleness: Idleness::default() })
    }

    /// The settings that all HTTP clients share.
    fn builder(&self, loopback: bool, tls: &ClientConfig) -> (reqwest::ClientBuilder, Arc<Proxies>) {
        let proxies = if loopback { Arc::new(Proxies::None) } else { lock(&self.proxies).now() };
        let chosen = Arc::clone(&proxies);
        let proxy = reqwest::Proxy::custom(move |host| {
            // The HTTP library calls this on its own thread before it connects.
            wipe_stack_at_end();
            chosen.via(host).ok().flatten().map(|via| via.url)
        });
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(resolver::Resolver::shared())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .http1_only()
            // A malformed header must not cost the reply, and with it the id of a session.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            // Nor must too many headers: the library's default limit is 100.
            .http1_max_headers(1_000)
            .referer(false)
            .user_agent(&self.user_agent);
        (builder.proxy(proxy), proxies)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.close();
    }
}

fn unusable(cause: reqwest::Error) -> Error {
    const WHAT: &str = "the HTTP client could not be created";
    match failure::find::<std::io::Error>(&cause) {
        Some(refused) => Error::out_of_resources(WHAT, refused),
        None => Error::new(ErrorKind::Internal, format!("{WHAT}: {}", failure::root(&cause))),
    }
}

/// An HTTP library client. Dropping its last clone joins its inner thread, which may hang in a lookup or a handshake.
/// So the drop runs on its own thread.
#[derive(Debug)]
struct HttpClient {
    /// Counts the inner thread until it is joined.
    inner: Option<(Client, Counted)>,
    workers: Arc<Workers>,
    proxies: Arc<Proxies>,
    idleness: Idleness,
}

impl HttpClient {
    fn get(&self) -> &Client {
        &self.inner.as_ref().expect("a client is taken out only when it is dropped").0
    }
}

impl Drop for HttpClient {
    fn drop(&mut self) {
        self.workers.drop_apart(self.inner.take());
    }
}

/// Reads a reply.
fn read(mut response: Response, request: &Request, origin: &str, limit: Duration) -> Answer {
    let mut reading = Reading::new(response.status(), response.headers(), request);
    let failure = loop {
        let Some(place) = reading.place() else { break None };
        match response.read(place) {
            Ok(0) => break None,
            Ok(length) => reading.filled(length),
            Err(error) if error.kind() == Io::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    reading.end(origin, failure.map(|error| failure::while_reading(limit, &error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::config::ClientConfig;
    use crate::config::tests::config;
    use crate::log::LogLevel;
    use crate::wire::Service;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(20);

    /// A transport, and a request to a server that the test runs.
    fn fixture() -> (Arc<Transport>, Request, TcpListener) {
        let (transport, service, listener) = fixture_of("http");
        (transport, service.list(), listener)
    }

    fn fixture_of(scheme: &str) -> (Arc<Transport>, Service, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let settings = ClientConfig { service_endpoint: url.clone(), account_domain: url, ..config() }.check().unwrap();
        let clock = Arc::new(SystemClock);
        let log = Arc::new(Log::new(LogLevel::Error, clock.clone()));
        let transport = Arc::new(Transport::new(&settings, clock, log).unwrap());
        (transport, Service::of(&settings), listener)
    }

    fn accept(listener: &TcpListener) -> std::net::TcpStream {
        let stream = listener.accept().unwrap().0;
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        lines.map_while(std::result::Result::ok).find(String::is_empty).unwrap();
        stream
    }

    #[test]
    fn after_the_close_a_request_in_flight_completes_and_no_thread_is_left() {
        let (transport, request, listener) = fixture();
        let workers = Arc::clone(transport.workers());
        assert_eq!(workers.threads(), 0);
        let (done, answers) = mpsc::channel();
        transport.start(request, LONG, Instant::NEVER, move |answer| done.send(answer).unwrap());
        let mut stream = accept(&listener);
        transport.close();
        // The thread that read the certificates ends soon.
        let deadline = std::time::Instant::now() + LONG;
        while workers.threads() > 2 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(workers.threads(), 2, "the worker, and the HTTP library's");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!(answers.recv_timeout(LONG).unwrap().unwrap().status, 200);
        assert!(workers.wait_until_gone(LONG));
    }

    #[test]
    fn a_request_sent_after_the_close_leaves_no_thread_behind() {
        let (transport, request, listener) = fixture();
        transport.close();
        let server = std::thread::spawn(move || {
            accept(&listener).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        });
        assert_eq!(transport.send(&request, LONG).unwrap().status, 200);
        server.join().unwrap();
        assert!(transport.workers().wait_until_gone(LONG));
    }

    #[test]
    fn a_request_that_cannot_be_started_is_answered_at_once() {
        let (transport, request, _listener) = fixture();
        transport.close();
        let (done, answers) = mpsc::channel();
        transport.start(request, LONG, Instant::NEVER, move |answer| done.send(answer).unwrap());
        let failure = answers.try_recv().expect("before start() returned").unwrap_err();
        assert!(failure.never_sent);
        assert_eq!(failure.into_error("listing").kind(), ErrorKind::ShutDown);
    }

    /// The server accepts the connection but never answers the handshake. If the create's own time ran out first, it
    /// would count as lost.
    #[test]
    fn a_create_without_a_connection_was_never_sent() {
        let (transport, service, _listener) = fixture_of("https");
        let new = crate::NewSession::new(crate::SessionSize::Standard, crate::Lease::from_secs(60).unwrap());
        let failure = transport.send(&service.create(&new), Duration::from_millis(500)).unwrap_err();
        assert!(failure.never_sent && failure.is_timeout(), "{failure:?}");
    }

    #[test]
    fn dropping_a_transport_ends_its_threads() {
        let (transport, request, listener) = fixture();
        let workers = Arc::clone(transport.workers());
        let job = transport.start(request, LONG, Instant::NEVER, drop);
        drop(accept(&listener));
        drop((job, transport));
        assert!(workers.wait_until_gone(LONG));
    }
}
