//! Name lookups that may hang without blocking the caller.
//!
//! The system's lookup has no timeout and cannot be cancelled. So each lookup runs on a detached thread named
//! `arr-dns`: one per host name, and at most four per process. Requests wait for it within their own time limits. The
//! last good addresses are cached, and used when a new lookup takes longer than a second.

use crate::clock::lock;
use crate::sys::{self, PerProcess, start_thread};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const MOST_LOOKUPS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(1);

/// A failed lookup.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct LookupError {
    what: String,
    /// The machine or the process has run out of files, threads or memory.
    pub(super) is_exhaustion: bool,
}

impl LookupError {
    fn new(what: String) -> LookupError {
        LookupError { what, is_exhaustion: false }
    }
}

type LookupResult = Result<Vec<SocketAddr>, LookupError>;
type LookUp = dyn Fn(&str) -> std::io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves host names for all clients of a process.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Shared>);

struct Shared {
    look_up: Box<LookUp>,
    patience: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Default)]
struct Host {
    last_good: Vec<SocketAddr>,
    running: Option<Arc<Lookup>>,
}

/// A lookup in progress.
#[derive(Default)]
struct Lookup {
    state: Mutex<LookupState>,
    changed: Condvar,
}

#[derive(Default)]
struct LookupState {
    found: Option<LookupResult>,
    /// It takes long: requests with cached addresses use those.
    slow: bool,
    waiting: Vec<Waker>,
}

impl Default for Resolver {
    fn default() -> Resolver {
        Resolver::with(|name| Ok((name, 0).to_socket_addrs()?.collect()), PATIENCE)
    }
}

impl Resolver {
    pub(super) fn shared() -> Resolver {
        static SHARED: PerProcess<Resolver> = PerProcess::new();
        SHARED.get().clone()
    }

    fn with(
        look_up: impl Fn(&str) -> std::io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
        patience: Duration,
    ) -> Resolver {
        Resolver(Arc::new(Shared { look_up: Box::new(look_up), patience, hosts: Mutex::default() }))
    }

    /// Joins the lookup of this name, starting one if there is none.
    fn look_up(&self, name: &str) -> Waiting {
        // Plain HTTP is allowed to localhost, so a lookup must never send it elsewhere.
        if name == "localhost" {
            let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            return Waiting::over(Ok(here.map(|address| SocketAddr::new(address, 0)).to_vec()));
        }
        let mut hosts = lock(&self.0.hosts);
        let busy = hosts.values().filter(|host| host.running.is_some()).count();
        let host = hosts.entry(name.to_owned()).or_default();
        if let Some(lookup) = &host.running {
            return Waiting { lookup: Arc::clone(lookup), last_good: host.last_good.clone() };
        }
        let last_good = host.last_good.clone();
        if busy >= MOST_LOOKUPS {
            let full = LookupError::new(format!("{MOST_LOOKUPS} lookups of other names are already hanging"));
            return Waiting::over(if last_good.is_empty() { Err(full) } else { Ok(last_good) });
        }
        let lookup = Arc::new(Lookup::default());
        host.running = Some(Arc::clone(&lookup));
        drop(hosts);
        self.spawn(name, &lookup, &last_good);
        Waiting { lookup, last_good }
    }

    fn spawn(&self, name: &str, lookup: &Arc<Lookup>, last_good: &[SocketAddr]) {
        let (resolver, running, host) = (self.clone(), Arc::clone(lookup), name.to_owned());
        let run = move || {
            let found = (resolver.0.look_up)(&host)
                .map_err(|cause| LookupError { what: cause.to_string(), is_exhaustion: sys::is_exhaustion(&cause) });
            resolver.finish(&host, &running, found);
        };
        if let Err(cause) = start_thread("arr-dns", run) {
            let error = LookupError { what: format!("no thread could be started: {cause}"), is_exhaustion: true };
            self.finish(name, lookup, if last_good.is_empty() { Err(error) } else { Ok(last_good.to_vec()) });
        }
        if !last_good.is_empty() {
            let (lookup, patience) = (Arc::clone(lookup), self.0.patience);
            // Lives for `patience` at most. Without this thread the request's own time limit ends the wait.
            drop(start_thread("arr-dns-wait", move || lookup.mark_slow_after(patience)));
        }
    }

    fn finish(&self, name: &str, lookup: &Lookup, found: LookupResult) {
        let found = match found {
            Ok(addresses) if addresses.is_empty() => Err(LookupError::new("the host name has no address".into())),
            other => other,
        };
        if let Some(host) = lock(&self.0.hosts).get_mut(name) {
            host.running = None;
            if let Ok(addresses) = &found {
                host.last_good.clone_from(addresses);
            }
        }
        lookup.change(|state| state.found = Some(found));
    }
}

impl Lookup {
    fn change(&self, change: impl FnOnce(&mut LookupState)) {
        let mut state = lock(&self.state);
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    fn mark_slow_after(&self, patience: Duration) {
        let state = lock(&self.state);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| state.found.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let slow = state.found.is_none();
        drop(state);
        if slow {
            self.change(|state| state.slow = true);
        }
    }
}

/// A request that waits for a lookup.
struct Waiting {
    lookup: Arc<Lookup>,
    last_good: Vec<SocketAddr>,
}

impl Waiting {
    fn over(found: LookupResult) -> Waiting {
        let lookup = Lookup::default();
        lookup.change(|state| state.found = Some(found));
        Waiting { lookup: Arc::new(lookup), last_good: Vec::new() }
    }
}

impl Future for Waiting {
    type Output = LookupResult;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<LookupResult> {
        let mut state = lock(&self.lookup.state);
        if let Some(found) = &state.found {
            return Poll::Ready(found.clone());
        }
        if state.slow && !self.last_good.is_empty() {
            return Poll::Ready(Ok(self.last_good.clone()));
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let waiting = self.look_up(name.as_str());
        Box::pin(async move {
            let addresses = waiting.await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    const SOON: Duration = Duration::from_millis(10);

    /// Blocks this thread on a future, up to `limit`.
    fn wait(mut waiting: Waiting, limit: Duration) -> Option<LookupResult> {
        struct Unpark(std::thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let end = std::time::Instant::now() + limit;
        loop {
            if let Poll::Ready(found) = Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)) {
                return Some(found);
            }
            let left = end.checked_duration_since(std::time::Instant::now())?;
            std::thread::park_timeout(left);
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 0))
    }

    /// A resolver whose lookups end when the test sends a result, and the number of lookups started.
    fn held() -> (Resolver, mpsc::Sender<LookupResult>, Arc<AtomicUsize>) {
        let (sender, receiver) = mpsc::channel::<LookupResult>();
        let (receiver, started) = (Mutex::new(receiver), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&started);
        let look_up = move |_: &str| {
            count.fetch_add(1, Ordering::SeqCst);
            lock(&receiver).recv().map_err(std::io::Error::other)?.map_err(std::io::Error::other)
        };
        (Resolver::with(look_up, SOON), sender, started)
    }

    #[test]
    fn requests_for_one_name_share_one_lookup() {
        let (resolver, answer, started) = held();
        let waiting: Vec<_> = (0..8).map(|_| resolver.look_up("one.example")).collect();
        answer.send(Ok(vec![address(1)])).unwrap();
        for one in waiting {
            assert_eq!(wait(one, LONG).unwrap().unwrap(), [address(1)]);
        }
        assert_eq!(started.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn while_a_lookup_hangs_the_cached_addresses_are_used() {
        let (resolver, answer, _) = held();
        answer.send(Ok(vec![address(1)])).unwrap();
        wait(resolver.look_up("one.example"), LONG).unwrap().unwrap();
        assert_eq!(wait(resolver.look_up("one.example"), LONG).unwrap().unwrap(), [address(1)]);
        answer.send(Ok(vec![address(2)])).unwrap();
    }

    #[test]
    fn a_first_lookup_that_hangs_is_bounded_by_the_requests_own_limit() {
        let (resolver, _answer, _) = held();
        assert!(wait(resolver.look_up("one.example"), SOON * 5).is_none());
    }

    #[test]
    fn at_most_four_lookups_hang() {
        let (resolver, _answer, _) = held();
        let _hanging: Vec<_> = ["a", "b", "c", "d"].map(|name| resolver.look_up(name)).into();
        let error = wait(resolver.look_up("e"), LONG).unwrap().unwrap_err();
        assert!(error.to_string().contains("already hanging"), "{error}");
        assert!(wait(resolver.look_up("a"), SOON).is_none(), "another request for a pending name joins its lookup");
    }

    #[test]
    fn a_failed_lookup_is_reported_and_the_next_request_retries() {
        let (resolver, answer, started) = held();
        answer.send(Err(LookupError::new("no such host".into()))).unwrap();
        assert!(wait(resolver.look_up("one.example"), LONG).unwrap().unwrap_err().to_string().contains("no such host"));
        answer.send(Ok(vec![])).unwrap();
        assert!(wait(resolver.look_up("one.example"), LONG).unwrap().is_err(), "no address is a failure");
        assert_eq!(started.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn localhost_needs_no_lookup() {
        let (resolver, _answer, started) = held();
        let found = wait(resolver.look_up("localhost"), LONG).unwrap().unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(started.load(Ordering::SeqCst), 0);
    }
}
