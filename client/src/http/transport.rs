//! Sends requests: the HTTP client with its time and size limits, and the classification of its failures.
//!
//! This module works around weaknesses of the HTTP library's blocking client:
//!
//! * A client-wide timeout does not bound a body that trickles in, so each request has its own.
//! * A hanging name lookup blocks the client's drop: see `resolver` and [`Transport::reset`].
//! * A request in flight cannot be cancelled: see `workers`.
//! * After its inner thread has died, every call panics. The panic is caught and the client recreated.

use super::idleness::Idleness;
use super::workers::{Counted, QueuedJob, Workers, start_thread};
use super::{failure, resolver, tls};
use crate::clock::{Clock, Instant, lock};
use crate::config::Settings;
use crate::config::is_loopback;
use crate::config::{Proxy, Route};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::sys::{pin_module, without_sigpipe};
use crate::wire::{Answer, Cause, Failure, Method, Reply, Request};
use reqwest::blocking::{Client, Response};
use reqwest::header::{self, HeaderName};
use std::io::Read;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zeroize::Zeroizing;

/// Real vectors have 24 characters.
const LONGEST_VECTOR: usize = 127;

const USUAL_REPLY: usize = 8 * 1024;

/// The limit on the body of a reply whose status is all that matters: the body is an error message.
const LONGEST_ERROR: u64 = 64 * 1024;

const CORRELATION_VECTOR: HeaderName = HeaderName::from_static("ms-cv");

/// Sends requests. Shared by everything that belongs to one client. The HTTP library's client is created at the first
/// request, because it costs a thread and reads the platform's certificates.
#[derive(Debug)]
pub(crate) struct Transport {
    tls: tls::Trusted,
    proxy: Proxy,
    user_agent: String,
    connect_timeout: Duration,
    /// The client for remote hosts, possibly through a proxy, and the client for this machine, never through one.
    clients: [Mutex<Option<Arc<HttpClient>>>; 2],
    workers: Arc<Workers>,
    clock: Arc<dyn Clock>,
    log: Arc<Log>,
}

impl Transport {
    /// Checks the certificates of the settings. Does not access the network or the disk.
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>, log: Arc<Log>) -> Result<Transport> {
        Ok(Transport {
            tls: tls::Trusted::new(settings.trust, &settings.extra_roots_pem)?,
            proxy: settings.proxy.clone(),
            user_agent: settings.user_agent.clone(),
            connect_timeout: settings.connect_timeout,
            clients: Default::default(),
            workers: Workers::new(),
            clock,
            log,
        })
    }

    /// Sends a request and reads the whole reply, within `limit`.
    pub(crate) fn send(&self, request: &Request, limit: Duration) -> Answer {
        let started = self.clock.now();
        let answer = self.exchange(request, limit);
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
        let origin = request.url.origin().ascii_serialization();
        let client = catch_unwind(AssertUnwindSafe(|| self.client_for(request, &origin, limit)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the HTTP client could not be made: it panicked")))
            .map_err(|error| Failure::setup(&origin, error))?;
        client.idleness.begin(&origin);
        let exchange = || {
            let response = build(client.get(), request, limit).send();
            let response = response.map_err(|error| failure::before_head(&origin, limit, &error))?;
            read(response, request, &origin, limit)
        };
        let answer = catch_unwind(AssertUnwindSafe(exchange)).unwrap_or_else(|_| {
            self.reset();
            Err(Failure::new(&origin, Cause::Crashed))
        });
        client.idleness.end(&origin, answer.is_ok().then(|| self.clock.now()));
        answer
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
        let origin = request.url.origin().ascii_serialization();
        let (urgency, done) = (request.urgency, Arc::new(Mutex::new(Some(done))));
        let (transport, for_worker) = (Arc::clone(self), Arc::clone(&done));
        let run = move || {
            // It may have been queued for a while.
            let limit = limit.min(deadline.saturating_since(transport.clock.now()));
            let answer = transport.send(&request, limit);
            drop(transport);
            let done = lock(&for_worker).take();
            if let Some(done) = done {
                done(answer);
            }
        };
        self.workers.run(urgency, Box::new(run)).unwrap_or_else(|error| {
            let done = lock(&done).take();
            if let Some(done) = done {
                done(Err(Failure::setup(&origin, error)));
            }
            QueuedJob::void(&self.workers)
        })
    }

    /// Starts no more jobs, and closes each connection once the requests in flight are done.
    /// [`Workers::wait_until_gone`] waits for that. Requests can still be sent afterwards, on the caller's thread.
    pub(crate) fn close(&self) {
        // This comes first: a client created from now on is not cached.
        self.workers.end();
        self.reset();
    }

    /// The threads of this client, except detached name lookups.
    pub(crate) fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    /// Runs slow work on its own thread, or on this thread if none can be started.
    pub(crate) fn aside(&self, work: impl FnOnce() + Send + 'static) {
        let todo = Arc::new(Mutex::new(Some(work)));
        let for_thread = Arc::clone(&todo);
        let take = |todo: &Mutex<Option<_>>| lock(todo).take();
        let started =
            self.workers.run_apart("arr-aside", move || take(&for_thread).into_iter().for_each(|work| work()));
        if started.is_err() {
            lock(&todo).take().into_iter().for_each(|work| work());
        }
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

    /// The HTTP client for a request, without a connection that is too old for it. A create gets enough time to learn
    /// whether its connection was established at all.
    fn client_for(&self, request: &Request, origin: &str, limit: Duration) -> Result<Arc<HttpClient>> {
        let loopback = is_loopback(&request.url);
        if request.creates && limit <= self.connect_timeout {
            // Connecting must time out before the request does: otherwise a request that was never sent looks like one
            // whose reply was lost.
            return Ok(Arc::new(self.build_client(loopback, limit / 2)?));
        }
        let (client, now) = (self.client(loopback)?, self.clock.now());
        let idleness = &client.idleness;
        if idleness.is_usable(origin, now) && (request.repeatable || idleness.is_fresh(origin, now)) {
            return Ok(client);
        }
        // Requests in flight keep it alive.
        self.forget(loopback, &client);
        self.client(loopback)
    }

    fn client(&self, loopback: bool) -> Result<Arc<HttpClient>> {
        let mut slot = lock(self.slot(loopback));
        if let Some(client) = &*slot {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.build_client(loopback, self.connect_timeout)?);
        if !self.workers.has_ended() {
            *slot = Some(Arc::clone(&client));
        }
        Ok(client)
    }

    fn build_client(&self, loopback: bool, connect_timeout: Duration) -> Result<HttpClient> {
        pin_module();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.client_config(&self.log)?)
            .dns_resolver(resolver::Resolver::shared().into())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .timeout(None)
            // One idle connection per origin: see `idleness`.
            .pool_max_idle_per_host(1)
            .tcp_nodelay(true)
            .http1_only()
            .referer(false)
            .user_agent(&self.user_agent);
        builder = match self.proxy.route() {
            Route::Url(url) if !loopback => builder.proxy(reqwest::Proxy::all(url.as_str()).map_err(unusable)?),
            Route::System if !loopback => builder,
            Route::System | Route::Direct | Route::Url(_) => builder.no_proxy(),
        };
        // Building the client starts its inner thread, which writes to sockets.
        let counted = self.workers.count();
        let client = without_sigpipe(|| builder.build()).map_err(unusable)?;
        Ok(HttpClient { inner: Some((client, counted)), idleness: Idleness::default() })
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.close();
    }
}

fn unusable(cause: reqwest::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the HTTP client could not be made: {}", failure::root(&cause)))
}

/// An HTTP library client. Dropping its last clone joins its inner thread, which may hang in a lookup or a handshake.
/// So the drop runs on a detached thread.
#[derive(Debug)]
struct HttpClient {
    /// Counts the inner thread until it is joined.
    inner: Option<(Client, Counted)>,
    idleness: Idleness,
}

impl HttpClient {
    fn get(&self) -> &Client {
        &self.inner.as_ref().expect("a client is taken out only when it is dropped").0
    }
}

impl Drop for HttpClient {
    fn drop(&mut self) {
        // If no thread can be started, the closure is dropped and its contents leaked, so that this thread does not
        // block.
        let inner = ManuallyDrop::new(self.inner.take());
        let run = move || drop(ManuallyDrop::into_inner(inner));
        let _leaked = start_thread("arr-drop", run);
    }
}

fn build(client: &Client, request: &Request, limit: Duration) -> reqwest::blocking::RequestBuilder {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    // `bearer_auth` marks the header as sensitive.
    let builder = client.request(method, request.url.clone()).timeout(limit).bearer_auth(request.bearer.expose());
    let builder = request.headers().fold(builder, |builder, (name, value)| builder.header(name, value));
    match &request.body {
        Some(body) => builder.body(body.clone()),
        None => builder,
    }
}

/// Reads a reply. Where only the status matters, a body that is too long or breaks off is ignored.
fn read(response: Response, request: &Request, origin: &str, limit: Duration) -> Answer {
    let mut reply = Reply {
        status: response.status().as_u16(),
        sent: request.bearer.clone(),
        // Large enough for every real reply, so that growing the buffer leaves no copy of a token behind.
        body: Zeroizing::new(Vec::with_capacity(USUAL_REPLY)),
        ..Reply::default()
    };
    let header =
        |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let vector = header(CORRELATION_VECTOR);
    reply.correlation_vector = vector.and_then(|vector| reply.printable_up_to(&vector, LONGEST_VECTOR));
    reply.date = header(header::DATE);
    reply.location = header(header::LOCATION);
    reply.retry_after = header(header::RETRY_AFTER);

    let whole = reply.is_success() && request.needs_body;
    let longest = if whole { request.longest_reply } else { LONGEST_ERROR };
    let read = response.take(longest + 1).read_to_end(&mut reply.body);
    match read {
        Err(error) if whole => Err(failure::after_head(origin, limit, &error, &reply)),
        Ok(_) if whole && reply.body.len() as u64 > longest => {
            Err(Failure::new(origin, Cause::TooLong).after_head(&reply))
        }
        _ => Ok(reply),
    }
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = ClientConfig { service_endpoint: url.clone(), account_domain: url, ..config() }.check().unwrap();
        let clock = Arc::new(SystemClock);
        let log = Arc::new(Log::new(LogLevel::Error, clock.clone()));
        let transport = Arc::new(Transport::new(&settings, clock, log).unwrap());
        let service = Service::of(&settings);
        (transport, service.list(), listener)
    }

    fn accept(listener: &TcpListener) -> std::net::TcpStream {
        let stream = listener.accept().unwrap().0;
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        lines.map_while(std::result::Result::ok).find(String::is_empty).unwrap();
        stream
    }

    #[test]
    fn after_the_close_a_request_on_the_wire_is_answered_and_no_thread_is_left() {
        let (transport, request, listener) = fixture();
        let workers = Arc::clone(transport.workers());
        assert_eq!(workers.threads(), 0);
        let (done, answers) = mpsc::channel();
        transport.start(request, LONG, Instant::NEVER, move |answer| done.send(answer).unwrap());
        let mut stream = accept(&listener);
        transport.close();
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
