//! An operation as a value without input or output. Whoever drives it asks for the next [`Step`], does it, and comes
//! back with the reply.
//!
//! A step may be asked for early or twice: it then answers the same again. So a driver may wake for any reason.

use crate::api::{Reply, Request, Service};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{NewSession, SessionId, SessionProperties, SessionStatus};
use crate::token::{Acquired, Exchange, Lent, TokenCache, Waited};
use crate::transport::Failure;
use std::sync::Arc;
use std::time::Duration;

/// No service means more than this: it forgets throttling after a minute.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// What came of a request.
pub(crate) type Answer = std::result::Result<Reply, Failure>;

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
    /// It is over.
    Done(T),
}

/// An operation that can be driven.
pub(crate) trait Operation {
    type Outcome;

    /// The next step. `answer` is that of the request last asked for, once.
    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Self::Outcome>;
}

/// What every operation of a client needs: where to send, and a token.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) service: Arc<Service>,
    pub(crate) tokens: Arc<TokenCache>,
}

/// One request to the session service with a token, fetched first if need be, and fetched anew, once, after a 401.
#[derive(Debug)]
struct Call {
    tokens: Arc<TokenCache>,
    request: Request,
    state: CallState,
    renewed: bool,
}

#[derive(Debug)]
enum CallState {
    NeedsToken(Option<Waited>),
    Sent(Lent),
}

/// How a [`Call`] ended.
#[derive(Debug)]
enum CallOutcome {
    /// There was no token; the request was not sent.
    NoToken(Error),
    /// The request was sent, or was tried.
    Answered(Answer),
}

impl Call {
    fn new(context: &Context, request: Request) -> Call {
        Call { tokens: Arc::clone(&context.tokens), request, state: CallState::NeedsToken(None), renewed: false }
    }

    fn need_token(&mut self, now: Instant, waited: Option<Waited>) -> Step<CallOutcome> {
        match self.tokens.acquire(now, waited) {
            Ok(Acquired::Token(lent)) => {
                let request = Request { bearer: lent.text.clone(), ..self.request.clone() };
                self.state = CallState::Sent(lent);
                Step::Send(Box::new(request))
            }
            Ok(Acquired::Fetch(exchange)) => {
                self.state = CallState::NeedsToken(Some(exchange.waited()));
                Step::FetchToken(exchange)
            }
            Ok(Acquired::Wait(other)) => {
                // A step that is asked for twice still waits for its own.
                let waited = waited.filter(|own| own.is_for_same(other)).unwrap_or(other);
                self.state = CallState::NeedsToken(Some(waited));
                Step::AwaitToken
            }
            Err(error) => Step::Done(CallOutcome::NoToken(error)),
        }
    }
}

impl Operation for Call {
    type Outcome = CallOutcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<CallOutcome> {
        match (&self.state, answer) {
            (CallState::NeedsToken(waited), _) => {
                let waited = *waited;
                self.need_token(now, waited)
            }
            (CallState::Sent(lent), Some(Ok(reply))) if reply.status == 401 && !self.renewed => {
                self.tokens.refused(lent);
                self.renewed = true;
                self.need_token(now, None)
            }
            (CallState::Sent(_), Some(answer)) => Step::Done(CallOutcome::Answered(answer)),
            // Stepped again without an answer: the driver gave the request up.
            (CallState::Sent(_), None) => self.need_token(now, None),
        }
    }
}

/// An operation of one call: `read` makes the outcome of it.
pub(crate) struct OneCall<T> {
    call: Call,
    read: Box<dyn Fn(CallOutcome) -> Result<T> + Send>,
}

impl<T> Operation for OneCall<T> {
    type Outcome = Result<T>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Result<T>> {
        match self.call.step(now, answer) {
            Step::Send(request) => Step::Send(request),
            Step::FetchToken(exchange) => Step::FetchToken(exchange),
            Step::SleepUntil(moment) => Step::SleepUntil(moment),
            Step::AwaitToken => Step::AwaitToken,
            Step::Done(outcome) => Step::Done((self.read)(outcome)),
        }
    }
}

/// Creates a session. With REST v1 a create is never sent twice: a lost answer may have made a session.
pub(crate) fn create(context: &Context, new: NewSession) -> OneCall<SessionProperties> {
    let service = Arc::clone(&context.service);
    OneCall {
        call: Call::new(context, service.create(&new)),
        read: Box::new(move |outcome| match outcome {
            CallOutcome::NoToken(error) => Err(error),
            CallOutcome::Answered(Ok(reply)) => match service.read_created(&reply, &new) {
                Err(error) if !(400..500).contains(&reply.status) || reply.status == 408 => Err(unknown_outcome(error)),
                other => other,
            },
            CallOutcome::Answered(Err(failure)) if failure.never_sent => {
                Err(failure.into_error("creating the session"))
            }
            CallOutcome::Answered(Err(failure)) => Err(unknown_outcome(failure.into_error("creating the session"))),
        }),
    }
}

fn unknown_outcome(error: Error) -> Error {
    let message = format!(
        "{error}. The create was sent and a session may be running, and costing, under an id that is not known here: look \
         at the account's sessions before creating another",
    );
    error.retold(ErrorKind::OutcomeUnknown, message)
}

/// Reads a session's properties.
pub(crate) fn properties(context: &Context, id: SessionId) -> OneCall<SessionProperties> {
    let service = Arc::clone(&context.service);
    OneCall {
        call: Call::new(context, service.properties(&id)),
        read: Box::new(move |outcome| {
            service.read_properties(&reply_of(outcome, "reading the session's properties")?, &id)
        }),
    }
}

/// How a stop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The session had ended before: the service did not know it any more, or said that it has ended.
    pub already_gone: bool,
}

/// Stops a session that this client has seen, so that 404, 409 and 410 can only mean that it is gone.
pub(crate) fn stop(context: &Context, id: &SessionId) -> OneCall<Stopped> {
    OneCall {
        call: Call::new(context, context.service.stop(id)),
        read: Box::new(move |outcome| {
            const CALL: &str = "stopping the session";
            let reply = reply_of(outcome, CALL)?;
            match reply.status {
                200..=299 => Ok(Stopped { already_gone: false }),
                404 | 409 | 410 => Ok(Stopped { already_gone: true }),
                _ => Err(reply.error(CALL)),
            }
        }),
    }
}

fn reply_of(outcome: CallOutcome, call: &str) -> Result<Reply> {
    match outcome {
        CallOutcome::NoToken(error) => Err(error),
        CallOutcome::Answered(answer) => answer.map_err(|failure| failure.into_error(call)),
    }
}

/// Reads a session again and again until it is ready, has ended, or has failed.
///
/// It has no end of its own: who drives it stops when the time is over, and may go on later. What it learned and when it
/// may ask again stays here, so waiting in many short slices costs no extra request.
pub(crate) struct WaitUntilReady {
    context: Context,
    interval: Duration,
    latest: SessionProperties,
    next_read: Instant,
    /// Until when `latest` counts as the truth; never, once a read has failed or something was done to the session.
    good_until: Option<Instant>,
    reading: Option<OneCall<SessionProperties>>,
    /// Why the latest read failed, if it did. A passing failure does not end the wait.
    trouble: Option<Error>,
}

impl WaitUntilReady {
    /// Waits for a session last seen as `seen` at `now`.
    pub(crate) fn new(context: Context, interval: Duration, seen: SessionProperties, now: Instant) -> WaitUntilReady {
        let next_read = now + interval;
        WaitUntilReady {
            context,
            interval,
            latest: seen,
            next_read,
            good_until: Some(next_read),
            reading: None,
            trouble: None,
        }
    }

    /// What is known.
    pub(crate) fn latest(&self) -> &SessionProperties {
        &self.latest
    }

    /// Why the latest read failed, if it did.
    pub(crate) fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// The session was read. What the service leaves out of its size is known from before.
    pub(crate) fn seen(&mut self, mut properties: SessionProperties, now: Instant) -> SessionProperties {
        properties.size = properties.size.or_else(|| self.latest.size.take());
        self.latest = properties.clone();
        self.next_read = now + self.interval;
        self.good_until = Some(self.next_read);
        self.reading = None;
        self.trouble = None;
        properties
    }

    /// What is known, and what a read under way will bring, is out of date: reads anew at the next step.
    pub(crate) fn invalidate(&mut self, now: Instant) {
        self.next_read = now;
        self.good_until = None;
        self.reading = None;
    }

    /// What the latest properties mean for somebody who waits for a ready session; `None`: go on waiting.
    fn verdict(&self) -> Option<Result<SessionProperties>> {
        let session = &self.latest;
        let told = session.message.as_deref().map(|message| format!(": \"{message}\"")).unwrap_or_default();
        match session.status {
            SessionStatus::Ready => Some(Ok(session.clone())),
            SessionStatus::Error => {
                let message = format!(
                    "session {} failed{told}; create another, perhaps of another size or in another region",
                    session.id
                );
                Some(Err(Error::new(ErrorKind::SessionFailed, message)))
            }
            SessionStatus::Expired => {
                let message = format!("session {} ended: its lease ran out{told}; create another", session.id);
                Some(Err(Error::new(ErrorKind::SessionEnded, message)))
            }
            SessionStatus::Stopping | SessionStatus::Stopped => {
                let message = format!("session {} was stopped{told}; create another", session.id);
                Some(Err(Error::new(ErrorKind::SessionEnded, message)))
            }
            SessionStatus::Starting | SessionStatus::Unknown(_) => None,
        }
    }

    fn finish_read(&mut self, now: Instant, read: Result<SessionProperties>) -> Option<Error> {
        match read {
            Ok(properties) => {
                self.seen(properties, now);
                None
            }
            Err(error) => {
                let asked_for = error.retry_after().unwrap_or_default().min(LONGEST_RETRY_AFTER);
                self.next_read = now + asked_for.max(self.interval);
                self.good_until = None;
                self.trouble = Some(error.clone());
                if error.is_retryable() { None } else { Some(error) }
            }
        }
    }
}

impl Operation for WaitUntilReady {
    type Outcome = Result<SessionProperties>;

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            if let Some(reading) = &mut self.reading {
                match reading.step(now, answer.take()) {
                    Step::Send(request) => return Step::Send(request),
                    Step::FetchToken(exchange) => return Step::FetchToken(exchange),
                    Step::SleepUntil(moment) => return Step::SleepUntil(moment),
                    Step::AwaitToken => return Step::AwaitToken,
                    Step::Done(read) => {
                        self.reading = None;
                        if let Some(error) = self.finish_read(now, read) {
                            return Step::Done(Err(error));
                        }
                    }
                }
            }
            let fresh = self.latest.status.is_final() || self.good_until.is_some_and(|until| now < until);
            match self.verdict().filter(|_| fresh) {
                Some(verdict) => return Step::Done(verdict),
                None if now < self.next_read => return Step::SleepUntil(self.next_read),
                None => self.reading = Some(properties(&self.context, self.latest.id.clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    #[test]
    fn a_call_that_is_stepped_twice_still_fails_with_its_own_token_timeout() {
        let settings = crate::api::tests::config().check().unwrap();
        let clock = Arc::new(SystemClock);
        let tokens = TokenCache::new(
            settings.token_service,
            settings.account_id,
            settings.credential,
            clock.clone(),
            Arc::default(),
        );
        let context = Context { service: Arc::new(crate::api::tests::service()), tokens };
        let mut read = properties(&context, SessionId::parse("x").unwrap());
        let now = clock.now();
        let Step::FetchToken(exchange) = read.step(now, None) else { panic!("a token is needed") };
        assert!(matches!(read.step(now, None), Step::AwaitToken));
        exchange.complete(Err(Error::new(ErrorKind::Timeout, "silence")));
        let Step::Done(Err(error)) = read.step(now, None) else { panic!("its own exchange failed") };
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}
