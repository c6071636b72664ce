//! An operation as a value without input or output. Whoever drives it asks for the next [`Step`], does it, and comes
//! back with the reply.
//!
//! A step may be asked for early or twice: it then answers the same again, so a driver may wake for any reason. Only after
//! [`Step::Send`] the next step is given the answer: without one the request counts as given up, and is sent again if that
//! can do no harm.
//!
//! | file | operation |
//! |---|---|
//! | `acquire` | a token, fetched if need be |
//! | `call` | one request with a token, repeated as the policy has it |
//! | `create`, `read`, `update`, `list`, `stop` | a session's operations: a call, and what its answer means |
//! | `wait` | reading a session again and again until it is ready |
//! | `then` | an operation and what is made of its outcome |
//! | `timed` | an operation and the end of its time: what whoever drives one does next |

mod acquire;
mod call;
mod create;
mod list;
mod read;
mod stop;
mod then;
mod timed;
mod update;
mod wait;

pub(crate) use acquire::token;
pub(crate) use call::OneCall;
pub(crate) use create::{Created, create, unknown_outcome};
pub(crate) use list::{List, list, list_urgently};
pub(crate) use read::properties;
pub use stop::Stopped;
pub(crate) use stop::stop;
pub(crate) use then::Then;
pub(crate) use timed::{Timed, Todo, out_of_time};
pub(crate) use update::update_lease;
pub(crate) use wait::WaitUntilReady;

pub(crate) use crate::api::Answer;
use crate::api::{Request, Service};
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::pacing::Pacing;
use crate::retry::RetryPolicy;
use crate::token::{Exchange, TokenCache};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// Send this, and step with its answer.
    Send(Box<Request>),
    /// Fetch the token, for all operations of the client, and step again.
    FetchToken(Box<Exchange>),
    /// Nothing before this moment.
    SleepUntil(Instant),
    /// Another operation is fetching the token; step when the client's signal changes.
    AwaitToken,
    /// Something that takes time but not the network, such as writing to a disk: do it, and step again.
    Work(Work),
    /// Nothing before this moment, unless this changes before.
    DozeUntil(Instant, Seen),
    /// Something else is under way that this operation waits for; step when the client's signal changes.
    AwaitChange(Seen),
    /// It is over.
    Done(T),
}

impl<T> Step<T> {
    /// The outcome; or what there is to do, as a step of the operation that this one is a part of.
    pub(crate) fn outcome<U>(self) -> std::result::Result<T, Step<U>> {
        match self {
            Step::Done(outcome) => Ok(outcome),
            Step::Send(request) => Err(Step::Send(request)),
            Step::FetchToken(exchange) => Err(Step::FetchToken(exchange)),
            Step::SleepUntil(moment) => Err(Step::SleepUntil(moment)),
            Step::AwaitToken => Err(Step::AwaitToken),
            Step::Work(work) => Err(Step::Work(work)),
            Step::DozeUntil(moment, seen) => Err(Step::DozeUntil(moment, seen)),
            Step::AwaitChange(seen) => Err(Step::AwaitChange(seen)),
        }
    }
}

/// See [`Step::Work`].
pub(crate) struct Work(pub(crate) Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

/// A count of changes as it was when somebody looked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    count: Arc<AtomicU64>,
    then: u64,
}

impl Seen {
    pub(crate) fn of(count: &Arc<AtomicU64>) -> Seen {
        Seen { count: Arc::clone(count), then: count.load(Ordering::Acquire) }
    }

    pub(crate) fn is_past(&self) -> bool {
        self.count.load(Ordering::Acquire) != self.then
    }
}

/// An operation that can be driven.
pub(crate) trait Operation {
    type Outcome;

    /// The next step. `answer` is that of the request last asked for, once.
    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome>;

    /// Whether the service may have done what was asked, if nobody goes on with the operation.
    fn maybe_done(&self) -> bool {
        false
    }

    /// The caller has gone. Whether to go on stepping all the same, to put right what was done; `in_flight`: a request is
    /// on the wire, or work is being done, and will come to its end.
    fn leave(&mut self, _now: Instant, _in_flight: bool) -> bool {
        false
    }

    /// It ends by this error, which comes from its driver. Returns what that means.
    fn fail(&mut self, error: Error) -> Error {
        error
    }

    /// The operation with something made of its outcome, whoever it comes from.
    fn then<T, F: FnOnce(Self::Outcome) -> Result<T>>(self, make: F) -> Then<Self, F>
    where
        Self: Sized,
    {
        Then::new(self, make)
    }
}

impl<O: Operation + ?Sized> Operation for Box<O> {
    type Outcome = O::Outcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome> {
        (**self).step(now, answer)
    }

    fn maybe_done(&self) -> bool {
        (**self).maybe_done()
    }

    fn leave(&mut self, now: Instant, in_flight: bool) -> bool {
        (**self).leave(now, in_flight)
    }

    fn fail(&mut self, error: Error) -> Error {
        (**self).fail(error)
    }
}

/// What every operation of a client needs: where to send, a token, how fast and how often, and where to tell about it.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) service: Arc<Service>,
    pub(crate) tokens: Arc<TokenCache>,
    pub(crate) pacing: Arc<Pacing>,
    pub(crate) retry: RetryPolicy,
    pub(crate) log: Arc<Log>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::api::Reply;
    use crate::clock::SystemClock;
    use crate::credential::Credential;
    use std::time::Duration;

    /// What the operations of a client share, without a client.
    pub(crate) struct World {
        pub(crate) context: Context,
    }

    impl World {
        /// A token is at hand.
        pub(crate) fn new() -> World {
            let retry = RetryPolicy { most: 4, delay: RetryPolicy::DELAY };
            World::with(Credential::AccessToken("a.b.c".into()), retry)
        }

        pub(crate) fn without_token(retry: RetryPolicy) -> World {
            World::with(Credential::AccountKey("key=".into()), retry)
        }

        fn with(credential: Credential, retry: RetryPolicy) -> World {
            let config = crate::config::ClientConfig { credential, ..crate::api::tests::config() };
            let settings = config.check().unwrap();
            let clock = Arc::new(SystemClock);
            let log = Arc::new(Log::new(settings.log_level, clock.clone()));
            let tokens = TokenCache::new(
                crate::token::Source {
                    token_service: settings.token_service,
                    account_id: settings.account_id,
                    credential: settings.credential,
                    on_request: false,
                },
                clock.clone(),
                Arc::default(),
                crate::queue::Queue::new(clock),
                Arc::clone(&log),
            );
            let pacing = Arc::new(Pacing::new(settings.intervals));
            World { context: Context { service: Arc::new(crate::api::tests::service()), tokens, pacing, retry, log } }
        }
    }

    pub(crate) fn at(seconds: u64) -> Instant {
        Instant::from_elapsed(Duration::from_secs(seconds))
    }

    pub(crate) fn reply(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }
}
