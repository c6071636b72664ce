//! The wire itself: one HTTP client, its time and size limits, and what a failure of it means.
//!
//! The HTTP library's blocking client has weaknesses that this module meets, so that nothing else has to know them: a
//! client-wide time limit does not bound a body that drips (each request has its own); a hanging name lookup blocks the
//! client's drop (see [`resolver`], and [`Transport::reset`]); and after its inner thread has died every call panics
//! (caught; the client is made anew).

mod failure;
mod idleness;
mod resolver;
mod tls;

use crate::api::{Cause, Failure, Method, Reply, Request};
use crate::clock::{Clock, Signal, lock};
use crate::config::Settings;
use crate::endpoint::is_loopback;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::proxy::Proxy;
use crate::sys::{pin_module, without_sigpipe};
use crate::token::Exchange;
use idleness::Idleness;
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

/// As much as is read of the body of a reply whose status says all: the words of an error.
const LONGEST_ERROR: u64 = 64 * 1024;

const CORRELATION_VECTOR: HeaderName = HeaderName::from_static("ms-cv");

/// Sends requests. Shared by everything that belongs to one client; a client of the HTTP library is made at the first
/// request, since that costs a thread and reading the platform's certificates.
#[derive(Debug)]
pub(crate) struct Transport {
    tls: tls::Trusted,
    proxy: Proxy,
    user_agent: String,
    connect_timeout: Duration,
    /// To everywhere else, perhaps through a proxy; and to this machine, never through one.
    clients: [Mutex<Option<Arc<HttpClient>>>; 2],
    clock: Arc<dyn Clock>,
    log: Arc<Log>,
}

impl Transport {
    /// Checks the certificates of the settings; touches neither network nor disk.
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>, log: Arc<Log>) -> Result<Transport> {
        Ok(Transport {
            tls: tls::Trusted::new(settings.trust, &settings.extra_roots_pem)?,
            proxy: settings.proxy.clone(),
            user_agent: settings.user_agent.clone(),
            connect_timeout: settings.connect_timeout,
            clients: Default::default(),
            clock,
            log,
        })
    }

    /// Sends a request and reads the whole reply, within `limit`.
    pub(crate) fn send(&self, request: &Request, limit: Duration) -> std::result::Result<Reply, Failure> {
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

    fn exchange(&self, request: &Request, limit: Duration) -> std::result::Result<Reply, Failure> {
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

    /// Does the job of fetching a token, within `limit`.
    pub(crate) fn fetch_token(&self, exchange: Exchange, limit: Duration) {
        let answer = self.send(&exchange.request, limit);
        exchange.complete(answer.map_err(|failure| failure.into_error("getting a token")));
    }

    /// Does it on a thread of its own, so that it is done whether or not anybody goes on waiting for it.
    pub(crate) fn start_fetching_token(self: &Arc<Self>, exchange: Exchange, limit: Duration) {
        let job = Arc::new(Mutex::new(Some(exchange)));
        let (transport, todo) = (Arc::clone(self), Arc::clone(&job));
        let run = move || {
            let exchange = lock(&todo).take();
            exchange.into_iter().for_each(|exchange| transport.fetch_token(exchange, limit));
        };
        if let Err(error) = attempt_thread(run)
            && let Some(exchange) = lock(&job).take()
        {
            exchange.complete(Err(error));
        }
    }

    /// Sends a request on a thread of its own, which lives as long as the request. The answer waits in what is returned;
    /// `done` is notified when it is there.
    pub(crate) fn start(self: &Arc<Self>, request: Request, limit: Duration, done: Arc<Signal>) -> Attempt {
        let attempt = Attempt::default();
        let (transport, slot) = (Arc::clone(self), Arc::clone(&attempt.answer));
        let origin = request.url.origin().ascii_serialization();
        let told = Arc::clone(&done);
        let run = move || {
            let answer = transport.send(&request, limit);
            drop(transport);
            *lock(&slot) = Some(answer);
            told.notify();
        };
        if let Err(error) = attempt_thread(run) {
            *lock(&attempt.answer) = Some(Err(Failure::setup(&origin, error)));
            done.notify();
        }
        attempt
    }

    /// Forgets all connections; the next request makes new ones.
    pub(crate) fn reset(&self) {
        for slot in &self.clients {
            drop(lock(slot).take());
        }
    }

    /// The client for a request. One that makes a session gets time to learn whether its connection was made at all, and,
    /// if it must not be sent twice, one that is not stale.
    fn client_for(&self, request: &Request, origin: &str, limit: Duration) -> Result<Arc<HttpClient>> {
        let loopback = is_loopback(&request.url);
        if request.creates && limit <= self.connect_timeout {
            // Connecting has to end before the time does: else a request that was never sent looks like a lost one.
            return Ok(Arc::new(HttpClient::new(self.build_client(loopback, limit / 2)?)));
        }
        let client = self.client(loopback)?;
        if request.repeatable || client.idleness.is_fresh(origin, self.clock.now()) {
            return Ok(client);
        }
        self.reset();
        self.client(loopback)
    }

    fn client(&self, loopback: bool) -> Result<Arc<HttpClient>> {
        let mut slot = lock(&self.clients[usize::from(loopback)]);
        if let Some(client) = &*slot {
            return Ok(Arc::clone(client));
        }
        let client = self.build_client(loopback, self.connect_timeout)?;
        let client = Arc::new(HttpClient::new(client));
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    fn build_client(&self, loopback: bool, connect_timeout: Duration) -> Result<Client> {
        pin_module();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.client_config(&self.log)?)
            .dns_resolver(resolver::Resolver::shared().into())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .timeout(None)
            // One idle connection for each origin: see `idleness`.
            .pool_max_idle_per_host(1)
            .tcp_nodelay(true)
            .http1_only()
            .referer(false)
            .user_agent(&self.user_agent);
        builder = match &self.proxy {
            Proxy::Url(url) if !loopback => builder.proxy(reqwest::Proxy::all(url.as_str()).map_err(unusable)?),
            Proxy::System if !loopback => builder,
            Proxy::System | Proxy::None | Proxy::Url(_) => builder.no_proxy(),
        };
        // Building starts the inner thread, the one that writes to sockets.
        without_sigpipe(|| builder.build()).map_err(unusable)
    }
}

fn unusable(cause: reqwest::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the HTTP client could not be made: {}", failure::root(&cause)))
}

/// Runs `work` on a thread of its own, for the length of one request.
fn attempt_thread(work: impl FnOnce() + Send + 'static) -> Result<()> {
    pin_module();
    let started = without_sigpipe(|| std::thread::Builder::new().name("arr-attempt".into()).spawn(work));
    started.map(drop).map_err(|cause| Error::new(ErrorKind::Internal, format!("no thread could be started: {cause}")))
}

/// A client of the HTTP library. Dropping its last clone joins its inner thread, which may hang in a lookup or a
/// handshake: that is left to a thread that nobody waits for.
#[derive(Debug)]
struct HttpClient {
    client: Option<Client>,
    idleness: Idleness,
}

impl HttpClient {
    fn new(client: Client) -> HttpClient {
        HttpClient { client: Some(client), idleness: Idleness::default() }
    }

    fn get(&self) -> &Client {
        self.client.as_ref().expect("a client is taken out only when it is dropped")
    }
}

impl Drop for HttpClient {
    fn drop(&mut self) {
        // If no thread can be started, the closure is dropped, and what it holds is leaked rather than waited for.
        let client = ManuallyDrop::new(self.client.take());
        let run = move || drop(ManuallyDrop::into_inner(client));
        drop(std::thread::Builder::new().name("arr-drop".into()).spawn(run));
    }
}

/// A request under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    answer: Arc<Mutex<Option<std::result::Result<Reply, Failure>>>>,
}

impl Attempt {
    /// The answer, once, when it is there.
    pub(crate) fn take(&self) -> Option<std::result::Result<Reply, Failure>> {
        lock(&self.answer).take()
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
    // Marks the header as sensitive itself.
    let builder = client.request(method, request.url.clone()).timeout(limit).bearer_auth(request.bearer.expose());
    let builder = request.headers().fold(builder, |builder, (name, value)| builder.header(name, value));
    match &request.body {
        Some(body) => builder.body(body.clone()),
        None => builder,
    }
}

/// Reads a reply. Where the status alone says what there is to say, a body that is too long or breaks off changes nothing.
fn read(response: Response, request: &Request, origin: &str, limit: Duration) -> std::result::Result<Reply, Failure> {
    let mut reply = Reply {
        status: response.status().as_u16(),
        sent: request.bearer.clone(),
        // Large enough for every real reply, so that growing leaves no copy of a token behind.
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
