//! One authorized request to the session service. Fetches a token first if necessary, renews it once after a 401, and
//! retries after transient failures where that can do no harm.

use super::context::Context;
use super::operation::{Operation, Step};
use super::token::Acquire;
use crate::auth::IssuedToken;
use crate::clock::Instant;
use crate::config::RetryPolicy;
use crate::error::{Error, ErrorKind, ReplyFacts, Result};
use crate::wire::{Answer, Failure, Method, Reply, Request, Urgency};
use std::time::Duration;

/// The minimum time to leave for a reply.
const NEEDED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct AuthorizedCall {
    context: Context,
    /// What the request is for, as messages begin: "creating the session".
    what: &'static str,
    request: Request,
    deadline: Instant,
    token: Acquire,
    /// The token of the request in flight.
    sent: Option<IssuedToken>,
    renewed: bool,
    /// When the call started.
    begun: Option<Instant>,
    /// An earlier attempt may have been carried out although its reply was lost.
    earlier_lost: bool,
}

/// The result of an [`AuthorizedCall`].
#[derive(Debug)]
pub(super) enum CallOutcome {
    /// The last attempt was certainly not carried out: there was no token, none that the service accepts, or no time.
    /// The error says whether an earlier attempt may have been.
    NotDone(Error),
    /// The request was sent, or sending it was attempted.
    Answered(Answered),
}

#[derive(Debug)]
pub(super) struct Answered {
    what: &'static str,
    pub(super) answer: Answer,
    /// An earlier attempt of the same request may have been carried out.
    pub(super) earlier_lost: bool,
    /// This or an earlier attempt may have been carried out, as far as its failure shows.
    maybe_done: bool,
}

impl Answered {
    /// The reply if it is a success; otherwise the error it stands for.
    pub(super) fn success(self) -> Result<Reply> {
        let error = match self.answer {
            Ok(reply) if reply.is_success() => return Ok(reply),
            Ok(reply) => reply.error(self.what),
            Err(failure) => failure.into_error(self.what),
        };
        Err(error.maybe_done(self.maybe_done))
    }

    /// The status of the reply, if there was one.
    pub(super) fn status(&self) -> Option<u16> {
        self.answer.as_ref().ok().map(|reply| reply.status)
    }
}

impl CallOutcome {
    /// The reply if it is a success; otherwise the error.
    pub(super) fn success(self) -> Result<Reply> {
        match self {
            CallOutcome::NotDone(error) => Err(error),
            CallOutcome::Answered(answered) => answered.success(),
        }
    }
}

impl AuthorizedCall {
    /// A call that is retried according to the client's policy, until the deadline.
    pub(super) fn new(context: &Context, what: &'static str, request: Request, deadline: Instant) -> AuthorizedCall {
        AuthorizedCall::with_policy(context, what, request, context.retry, deadline)
    }

    /// A call with a single attempt.
    pub(super) fn once(context: &Context, what: &'static str, request: Request) -> AuthorizedCall {
        AuthorizedCall::with_policy(context, what, request, RetryPolicy::NEVER, Instant::NEVER)
    }

    fn with_policy(
        context: &Context,
        what: &'static str,
        request: Request,
        policy: RetryPolicy,
        deadline: Instant,
    ) -> AuthorizedCall {
        AuthorizedCall {
            context: context.clone(),
            what,
            token: Acquire::new(context, policy, deadline),
            request,
            deadline,
            sent: None,
            renewed: false,
            begun: None,
            earlier_lost: false,
        }
    }

    /// `earlier_lost`: an earlier call of the same kind may have been carried out.
    pub(super) fn after_lost(self, earlier_lost: bool) -> AuthorizedCall {
        AuthorizedCall { earlier_lost, ..self }
    }

    fn send(&mut self, now: Instant) -> Step<CallOutcome> {
        if let Some(until) = self.context.pacing.quiet_until(now).filter(|_| self.urgency() != Urgency::Stop) {
            return if self.token.rest_until(until, self.needed()) {
                Step::SleepUntil(until)
            } else {
                self.not_done(self.silenced(now, until))
            };
        }
        match self.token.step(now, None).outcome() {
            Err(step) => step,
            Ok(Err(error)) => self.not_done(error),
            Ok(Ok(_)) if self.is_too_late(now) => self.not_done(self.out_of_time()),
            Ok(Ok(issued)) => {
                let request = Request { bearer: issued.text.clone(), ..self.request.clone() };
                self.sent = Some(issued);
                Step::Send(Box::new(request))
            }
        }
    }

    /// A request with a single attempt must not be sent when other steps have left too little time for its reply.
    fn is_too_late(&self, now: Instant) -> bool {
        self.begun.is_some_and(|begun| begun < now) && self.deadline.saturating_since(now) < self.needed()
    }

    fn needed(&self) -> Duration {
        match self.begun {
            Some(begun) if !self.request.repeatable => NEEDED.min(self.deadline.saturating_since(begun) / 2),
            _ => Duration::ZERO,
        }
    }

    fn out_of_time(&self) -> Error {
        let message =
            format!("{} was not tried: there was too little time left for its answer; give it more", self.what);
        Error::new(ErrorKind::Timeout, message)
    }

    fn not_done(&self, error: Error) -> Step<CallOutcome> {
        Step::Done(CallOutcome::NotDone(error.maybe_done(self.earlier_lost && self.request.method != Method::Get)))
    }

    /// Interprets the reply: ends the call or retries.
    fn judge(&mut self, now: Instant, issued: &IssuedToken, answer: Answer) -> Step<CallOutcome> {
        let error = match &answer {
            Ok(reply) if reply.is_success() => return self.end(answer),
            Ok(reply) => reply.error(self.what),
            Err(failure) => failure.clone().into_error(self.what),
        };
        if error.kind() == ErrorKind::Unauthorized {
            if !self.renewed && self.context.tokens.refused(issued) {
                self.renewed = true;
                self.token.again();
                return self.send(now);
            }
            let message = format!("{} was answered 401: {}", self.what, self.context.tokens.refusal(self.renewed));
            return self.not_done(error.recast(ErrorKind::Unauthorized, message));
        }
        let throttled = error.kind() == ErrorKind::Throttled;
        if let Some(retry_after) = error.honoured_retry_after().filter(|_| throttled) {
            self.context.pacing.keep_quiet(now, retry_after);
        }
        let not_done = throttled || answer.as_ref().is_err_and(|failure| failure.never_sent);
        if (self.request.repeatable || not_done) && self.token.rest_after(now, &error, self.needed()) {
            self.earlier_lost |= !not_done;
            self.token.again();
            return self.send(now);
        }
        self.end(answer)
    }

    fn end(&self, answer: Answer) -> Step<CallOutcome> {
        let lost = match &answer {
            Ok(reply) => reply.status == 408 || reply.status >= 500,
            Err(failure) => !failure.never_sent,
        };
        let maybe_done = self.request.method != Method::Get && (lost || self.earlier_lost);
        let (what, earlier_lost) = (self.what, self.earlier_lost);
        Step::Done(CallOutcome::Answered(Answered { what, answer, earlier_lost, maybe_done }))
    }

    fn silenced(&self, now: Instant, until: Instant) -> Error {
        let left = until.saturating_since(now);
        let message = format!(
            "{} was not tried{}: the service has asked this client to be quiet for {} ms more; give the call more time, or \
             call again then",
            self.what,
            if self.earlier_lost { " again" } else { "" },
            left.as_millis()
        );
        let facts = ReplyFacts { retry_after: Some(left), ..ReplyFacts::default() };
        Error::new(ErrorKind::Throttled, message).with_reply(facts)
    }
}

impl Operation for AuthorizedCall {
    type Outcome = CallOutcome;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<CallOutcome> {
        self.begun.get_or_insert(now);
        match (self.sent.take(), answer) {
            (Some(issued), Some(answer)) => self.judge(now, &issued, answer),
            // Stepped without a reply: the driver gave the request up. If it must not be repeated, it counts as lost.
            (Some(_), None) if !self.request.repeatable => self.end(Err(Failure::given_up(&self.request))),
            (Some(_), None) => {
                self.earlier_lost = true;
                self.send(now)
            }
            (None, _) => self.send(now),
        }
    }

    fn maybe_done(&self) -> bool {
        // The driver knows the outcome of the latest request.
        self.request.method != Method::Get && self.earlier_lost
    }

    fn urgency(&self) -> Urgency {
        self.request.urgency
    }
}

/// An operation of a single call. `read` converts its outcome.
pub(crate) struct OneCall<T> {
    call: AuthorizedCall,
    read: Box<dyn Fn(CallOutcome) -> Result<T> + Send>,
}

impl<T> OneCall<T> {
    pub(super) fn new(call: AuthorizedCall, read: impl Fn(CallOutcome) -> Result<T> + Send + 'static) -> OneCall<T> {
        OneCall { call, read: Box::new(read) }
    }
}

impl<T> Operation for OneCall<T> {
    type Outcome = Result<T>;

    fn step(&mut self, now: Instant, answer: Option<Answer>) -> Step<Result<T>> {
        match self.call.step(now, answer).outcome() {
            Ok(outcome) => Step::Done((self.read)(outcome)),
            Err(step) => step,
        }
    }

    fn maybe_done(&self) -> bool {
        self.call.maybe_done()
    }

    fn urgency(&self) -> Urgency {
        self.call.urgency()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionId;
    use crate::protocol::read::properties;
    use crate::protocol::tests::{World, at, reply};

    fn read(world: &World) -> OneCall<crate::model::SessionProperties> {
        properties(&world.context, SessionId::parse("x").unwrap(), at(60))
    }

    #[test]
    fn a_call_that_is_stepped_twice_still_fails_with_its_own_token_timeout() {
        let world = World::without_token(RetryPolicy::NEVER);
        let mut read = read(&world);
        let Step::FetchToken(exchange) = read.step(at(0), None) else { panic!("a token is needed") };
        assert!(matches!(read.step(at(0), None), Step::AwaitToken));
        exchange.complete(Err(Error::new(ErrorKind::Timeout, "silence")));
        let Step::Done(Err(error)) = read.step(at(0), None) else { panic!("its own exchange failed") };
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }

    #[test]
    fn transient_failures_are_retried_and_the_last_one_is_reported() {
        let world = World::new();
        let mut read = read(&world);
        let mut now = at(0);
        for _ in 0..4 {
            assert!(matches!(read.step(now, None), Step::Send(_)));
            let Step::SleepUntil(then) = read.step(now, Some(Ok(reply(503)))) else { panic!("not final yet") };
            assert!(matches!(read.step(now, None), Step::SleepUntil(same) if same == then), "asked early");
            now = then;
        }
        assert!(matches!(read.step(now, None), Step::Send(_)));
        let Step::Done(Err(error)) = read.step(now, Some(Ok(reply(503)))) else { panic!("four retries are enough") };
        assert_eq!(error.kind(), ErrorKind::ServiceFailure);
        assert!(now < at(9) && now > at(3), "0.5 s, 1 s, 2 s and 4 s, less a random part: {now:?}");
    }

    #[test]
    fn a_try_that_would_come_too_late_is_not_waited_for() {
        let world = World::new();
        let mut read = read(&world);
        assert!(matches!(read.step(at(59), None), Step::Send(_)));
        let throttled = Reply { retry_after: Some("5".into()), ..reply(429) };
        let Step::Done(Err(error)) = read.step(at(59), Some(Ok(throttled))) else { panic!("the time is over by then") };
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(5))));
    }

    #[test]
    fn what_the_service_asked_one_call_holds_for_the_next_but_not_for_a_stop() {
        let world = World::new();
        let mut first = read(&world);
        assert!(matches!(first.step(at(0), None), Step::Send(_)));
        let throttled = Reply { retry_after: Some("20".into()), ..reply(429) };
        assert!(matches!(first.step(at(0), Some(Ok(throttled))), Step::SleepUntil(then) if then == at(20)));
        assert!(matches!(read(&world).step(at(1), None), Step::SleepUntil(then) if then == at(20)));
        let mut hasty = properties(&world.context, SessionId::parse("x").unwrap(), at(5));
        let Step::Done(Err(error)) = hasty.step(at(1), None) else { panic!("its time is over before") };
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(19))));
        let mut stop = crate::protocol::stop(&world.context, &SessionId::parse("x").unwrap(), false, at(60));
        assert!(matches!(stop.step(at(1), None), Step::Send(_)));
        assert!(matches!(first.step(at(20), None), Step::Send(_)));
    }

    #[test]
    fn a_create_that_the_driver_gave_up_is_lost_and_not_sent_again() {
        let world = World::new();
        let new = crate::NewSession::new(crate::SessionSize::Standard, crate::Lease::from_secs(60).unwrap());
        let mut create = crate::protocol::create(&world.context, new, false, at(60));
        assert!(matches!(create.step(at(0), None), Step::Send(_)));
        let Step::Done(Err(error)) = create.step(at(0), None) else { panic!("it must not be sent twice") };
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    }
}
