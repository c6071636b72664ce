//! One authorized request to the session service. Fetches a token first if necessary, renews it once after a 401, and
//! retries after transient failures where that can do no harm.

use super::context::Context;
use super::operation::{Operation, Step};
use super::timed::after_freeze;
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
    /// What the request is for; messages begin with it: "creating the session".
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
    /// When the first of those attempts was sent, or the latest one if there is none.
    sent_at: Option<Instant>,
    /// The deadline has been moved because of a freeze, which happens once. A freeze is no failure, so this does not
    /// depend on the retry policy.
    thawed: bool,
    /// A 404 is not believed yet.
    doubts_404: bool,
}

/// The result of an [`AuthorizedCall`].
#[derive(Debug)]
pub(super) enum CallOutcome {
    /// The last attempt was certainly not carried out: there was no valid token, or no time. The error says whether an
    /// earlier attempt may have been.
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
    /// The time from the first of those attempts to the reply.
    pub(super) since_lost: Option<Duration>,
    /// This or an earlier attempt may have been carried out.
    maybe_done: bool,
}

impl Answered {
    /// The reply if it is a success; otherwise its error.
    pub(super) fn success(self) -> Result<Reply> {
        let error = match self.answer {
            Ok(reply) if reply.is_success() => return Ok(reply),
            Ok(reply) => reply.error(self.what),
            Err(failure) => failure.into_error(self.what),
        };
        Err(error.maybe_done(self.maybe_done))
    }

    /// The reply if it is a success of which only the status matters: then the service must have sent it.
    pub(super) fn done(self) -> Result<Reply> {
        let (what, maybe_done) = (self.what, self.maybe_done);
        let reply = self.success()?;
        if reply.is_from_service() { Ok(reply) } else { Err(reply.error(what).maybe_done(maybe_done)) }
    }

    /// Whether the service has no such session any more.
    pub(super) fn says_gone(&self) -> bool {
        self.answer.as_ref().is_ok_and(|reply| matches!(reply.status, 404 | 409 | 410) && reply.is_from_service())
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
            deadline,
            sent: None,
            renewed: false,
            begun: None,
            earlier_lost: false,
            sent_at: None,
            thawed: false,
            doubts_404: false,
            request,
        }
    }

    /// `earlier_lost`: an earlier call of the same kind may have been carried out.
    pub(super) fn after_lost(self, earlier_lost: bool) -> AuthorizedCall {
        AuthorizedCall { earlier_lost, ..self }
    }

    /// A 404 counts only if repeating the request gets another: a single one may come from a gateway, or from a replica
    /// that does not know the session yet.
    pub(super) fn confirming_404(self) -> AuthorizedCall {
        AuthorizedCall { doubts_404: true, ..self }
    }

    fn send(&mut self, now: Instant) -> Step<CallOutcome> {
        // Nothing is in flight, so a create was not sent, unless an earlier attempt was.
        if self.thaws(now, !self.earlier_lost) {
            // A failure of the token's own request during the freeze does not count either.
            self.token.again();
        }
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
                let request = Request { bearer: issued.text.clone(), answer_by: self.deadline, ..self.request.clone() };
                self.sent = Some(issued);
                self.sent_at = self.sent_at.filter(|_| self.earlier_lost).or(Some(now));
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
            format!("{} was not attempted: too little time was left for the reply; increase the timeout", self.what);
        Error::new(ErrorKind::Timeout, message)
    }

    fn not_done(&self, error: Error) -> Step<CallOutcome> {
        Step::Done(CallOutcome::NotDone(error.maybe_done(self.earlier_lost && self.request.method != Method::Get)))
    }

    /// Interprets the reply: ends the call or retries.
    fn judge(&mut self, now: Instant, issued: &IssuedToken, answer: Answer) -> Step<CallOutcome> {
        let error = match &answer {
            Ok(reply) if reply.is_success() => return self.end(now, answer),
            Ok(reply) => reply.error(self.what),
            Err(failure) => failure.clone().into_error(self.what),
        };
        if error.kind() == ErrorKind::Unauthorized {
            if !self.renewed && self.context.tokens.refused(issued) {
                self.renewed = true;
                self.token.again();
                return self.send(now);
            }
            let message = format!("{} failed with 401: {}", self.what, self.context.tokens.refusal(self.renewed));
            return self.not_done(error.recast(ErrorKind::Unauthorized, message));
        }
        if error.kind() == ErrorKind::NotFound && std::mem::take(&mut self.doubts_404) {
            self.token.rest_to_confirm(now, &error);
            return self.send(now);
        }
        let throttled = error.kind() == ErrorKind::Throttled;
        // A full service delays this call alone.
        if let Some(retry_after) = error.honoured_retry_after().filter(|_| throttled) {
            self.context.pacing.keep_quiet(now, retry_after);
        }
        let not_done = throttled
            || error.kind() == ErrorKind::ServiceFull
            || answer.as_ref().is_err_and(|failure| failure.never_sent);
        if (self.request.repeatable || not_done) && self.token.rest_after(now, &error, self.needed()) {
            self.earlier_lost |= !not_done;
            self.token.again();
            return self.send(now);
        }
        self.end(now, answer)
    }

    fn end(&self, now: Instant, answer: Answer) -> Step<CallOutcome> {
        let lost = match &answer {
            Ok(reply) => reply.status == 408 || reply.status >= 500,
            Err(failure) => !failure.never_sent,
        };
        let maybe_done = self.request.method != Method::Get && (lost || self.earlier_lost);
        let (what, earlier_lost) = (self.what, self.earlier_lost);
        let since_lost = self.sent_at.filter(|_| earlier_lost).map(|sent| now.saturating_since(sent));
        Step::Done(CallOutcome::Answered(Answered { what, answer, earlier_lost, since_lost, maybe_done }))
    }

    /// Whether the request should be repeated at once, because its time ran out while the process was stopped.
    fn thaws(&mut self, now: Instant, never_sent: bool) -> bool {
        let may_repeat = (self.request.repeatable || never_sent) && !self.thawed;
        let later = after_freeze(self.deadline, now).filter(|_| may_repeat);
        if let Some(later) = later {
            (self.deadline, self.thawed) = (later, true);
            self.token.end_by(later);
        }
        later.is_some()
    }

    fn silenced(&self, now: Instant, until: Instant) -> Error {
        let left = until.saturating_since(now);
        let message = format!(
            "{} was not {}: the service asks this client to pause for {} ms; call again then, or increase the timeout",
            self.what,
            if self.earlier_lost { "retried" } else { "attempted" },
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
            (Some(_), Some(Err(failure))) if failure.is_timeout() && self.thaws(now, failure.never_sent) => {
                self.earlier_lost |= !failure.never_sent;
                self.token.again();
                self.send(now)
            }
            (Some(issued), Some(answer)) => self.judge(now, &issued, answer),
            // Stepped without a reply: the driver abandoned the request. If it must not be repeated, it counts as lost.
            (Some(_), None) if !self.request.repeatable => self.end(now, Err(Failure::given_up(&self.request))),
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
    use crate::protocol::timed::{Action, Timed};

    fn read(world: &World) -> OneCall<crate::model::SessionProperties> {
        properties(&world.context, SessionId::parse("x").unwrap(), at(60))
    }

    #[test]
    fn a_call_stepped_twice_still_fails_with_its_own_token_timeout() {
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
        let Step::Done(Err(error)) = read.step(now, Some(Ok(reply(503)))) else { panic!("four retries are the limit") };
        assert_eq!(error.kind(), ErrorKind::ServiceFailure);
        assert!(now < at(9) && now > at(3), "0.5 s, 1 s, 2 s and 4 s, less a random part: {now:?}");
    }

    #[test]
    fn a_retry_beyond_the_deadline_is_not_waited_for() {
        let world = World::new();
        let mut read = read(&world);
        assert!(matches!(read.step(at(59), None), Step::Send(_)));
        let throttled = Reply { retry_after: Some("5".into()), ..reply(429) };
        let Step::Done(Err(error)) = read.step(at(59), Some(Ok(throttled))) else { panic!("the deadline is earlier") };
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(5))));
    }

    #[test]
    fn a_retry_after_delays_the_next_call_but_not_a_stop() {
        let world = World::new();
        let mut first = read(&world);
        assert!(matches!(first.step(at(0), None), Step::Send(_)));
        let throttled = Reply { retry_after: Some("20".into()), ..reply(429) };
        assert!(matches!(first.step(at(0), Some(Ok(throttled))), Step::SleepUntil(then) if then == at(20)));
        assert!(matches!(read(&world).step(at(1), None), Step::SleepUntil(then) if then == at(20)));
        let mut hasty = properties(&world.context, SessionId::parse("x").unwrap(), at(5));
        let Step::Done(Err(error)) = hasty.step(at(1), None) else { panic!("its deadline is earlier") };
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(19))));
        let mut stop = crate::protocol::stop(&world.context, &SessionId::parse("x").unwrap(), false, at(60));
        assert!(matches!(stop.step(at(1), None), Step::Send(_)));
        assert!(matches!(first.step(at(20), None), Step::Send(_)));
    }

    /// The deadline is at 60 s.
    #[test]
    fn a_read_that_timed_out_in_a_freeze_is_repeated_once() {
        let world = World::new();
        let silence = || Some(Err(Failure::new("https://x", crate::wire::Cause::Timeout(Duration::from_secs(15)))));
        let mut on_time = read(&world);
        assert!(matches!(on_time.step(at(50), None), Step::Send(_)));
        let late = at(60) + Duration::from_millis(99);
        assert!(matches!(on_time.step(late, silence()), Step::Done(Err(_))));

        let mut frozen = Timed::new(read(&world), at(60), Duration::from_secs(15));
        let here = || Ok(());
        assert!(matches!(frozen.next(at(50), None, here), Action::Send(_, limit) if limit == Duration::from_secs(10)));
        let Action::Send(_, limit) = frozen.next(at(77), silence(), here) else { panic!("17 s too late") };
        assert_eq!(limit, Duration::from_secs(2));
        assert!(matches!(frozen.next(at(90), silence(), here), Action::Done(Err(_))));
        assert_eq!(frozen.thaw(at(99)), None);

        let mut without_retries = World::new();
        without_retries.context.retry = RetryPolicy::NEVER;
        let mut frozen = read(&without_retries);
        assert!(matches!(frozen.step(at(50), None), Step::Send(_)));
        assert!(matches!(frozen.step(at(77), silence()), Step::Send(_)), "a freeze is no failure");
        assert!(matches!(frozen.step(at(90), silence()), Step::Done(Err(_))));
    }

    /// The deadline is at 60 s.
    #[test]
    fn a_token_that_timed_out_in_a_freeze_is_fetched_once_more() {
        for policy in [RetryPolicy::NEVER, RetryPolicy { most: 4, delay: RetryPolicy::DELAY }] {
            let world = World::without_token(policy);
            let mut read = read(&world);
            let mut fetch = |now: Instant| {
                let step = read.step(now, None);
                let Step::FetchToken(exchange) = step else { panic!("{step:?}") };
                exchange.complete(Err(Error::new(ErrorKind::Timeout, "silence")));
            };
            fetch(at(50));
            fetch(at(60) + Duration::from_millis(150));
            assert!(matches!(read.step(at(77), None), Step::Done(Err(error)) if error.kind() == ErrorKind::Timeout));
        }
    }

    /// The deadline is at 60 s.
    #[test]
    fn a_create_that_timed_out_in_a_freeze_is_repeated_once_if_never_sent() {
        let world = World::new();
        let new = crate::NewSession::new(crate::SessionSize::Standard, crate::Lease::from_secs(60).unwrap());
        let sent = || {
            let mut create = crate::protocol::create(&world.context, new.clone(), false, at(60));
            assert!(matches!(create.step(at(50), None), Step::Send(_)));
            create
        };
        let silence = Failure::new("https://x", crate::wire::Cause::Timeout(Duration::from_secs(10)));
        let Step::Done(Err(error)) = sent().step(at(77), Some(Err(silence))) else {
            panic!("it may have created a session")
        };
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);

        let unconnected = || Some(Err(Failure::new("https://x", crate::wire::Cause::ConnectTimeout)));
        let mut create = sent();
        assert!(matches!(create.step(at(77), unconnected()), Step::Send(_)));
        let Step::Done(Err(error)) = create.step(at(90), unconnected()) else { panic!("that was the second freeze") };
        assert!(!error.is_outcome_unknown(), "{error}");
    }

    /// As when several endpoints share the time of a call.
    #[test]
    fn the_deadline_of_a_part_limits_its_requests() {
        let world = World::new();
        let mut part = Timed::new(read(&world), at(600), Duration::from_secs(15));
        assert!(
            matches!(part.next(at(0), None, || Ok(())), Action::Send(_, limit) if limit == Duration::from_secs(15))
        );
        let mut part = Timed::new(read(&world), at(600), Duration::from_secs(15));
        assert!(
            matches!(part.next(at(53), None, || Ok(())), Action::Send(_, limit) if limit == Duration::from_secs(7))
        );
    }

    #[test]
    fn a_create_that_the_driver_abandoned_is_lost_and_not_resent() {
        let world = World::new();
        let new = crate::NewSession::new(crate::SessionSize::Standard, crate::Lease::from_secs(60).unwrap());
        let mut create = crate::protocol::create(&world.context, new, false, at(60));
        assert!(matches!(create.step(at(0), None), Step::Send(_)));
        let Step::Done(Err(error)) = create.step(at(0), None) else { panic!("it must not be sent twice") };
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    }
}
