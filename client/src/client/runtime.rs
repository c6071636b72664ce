//! Drives started operations: one thread for each client steps them all, a pool of workers sends their requests, and one
//! queue of timers holds everything that waits. So a thousand operations that wait cost no thread.
//!
//! ```text
//! submit, cancel ─→ inbox ─→ driver: step ─→ send ─→ worker ─→ inbox …
//!                              │  ├─→ sleep ─→ timers
//!                              │  └─→ done ─→ ticket, queue
//!                              └─→ keeper: what is due for sessions that are looked after
//! ```

use super::{Core, Job, Outcome, Ticket, cancelled};
use crate::clock::{Instant, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Lane, QueuedJob};
use crate::model::SessionId;
use crate::protocol::{self, Operation, Seen, Timed, Todo, Work};
use crate::sys::{pin_module, without_sigpipe};
use crate::wire::{Answer, Failure};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Two reads of the same may be one, if nothing was done in between that changes what they find.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Same {
    /// The properties of a session at an endpoint, and the session's count of what was done to it.
    Properties(usize, SessionId, u64),
    /// The list of an endpoint, and the count of what was done there.
    List(usize, u64),
    /// The access token.
    Token,
}

/// An operation that is ready to run.
pub(crate) struct Prepared {
    pub(crate) job: Job,
    pub(crate) deadline: Instant,
    pub(crate) same: Option<Same>,
    pub(crate) urgency: Urgency,
}

/// What may hold an operation up, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It waits for a worker, and ends with its caller.
    Usual,
    /// It has a worker at once: the lease of a session that is in use.
    Urgent,
    /// The same, and it goes on when its caller has gone or the client ends: it saves money.
    Stop,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("same", &self.same).field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

/// An operation for the runtime, and who waits for it.
pub(crate) struct Submission {
    pub(crate) prepared: Prepared,
    pub(crate) ticket: Option<Arc<Ticket>>,
}

#[derive(Default)]
pub(crate) struct Runtime {
    inbox: Mutex<Inbox>,
    /// Whether the driver's thread is there.
    driver: Mutex<bool>,
    driver_ended: Condvar,
    next_task: AtomicU64,
    /// The first failure of a stop that was promised.
    failed_stop: Mutex<Option<Error>>,
}

#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    /// The driver has ended for good.
    closed: bool,
}

enum Message {
    Submit(u64, Submission),
    Answer(u64, Answer),
    Worked(u64),
    Cancel(Arc<Ticket>),
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl Core {
    /// Has the runtime drive this.
    pub(crate) fn submit(core: &Arc<Core>, submission: Submission) -> Result<()> {
        Core::offer(core, submission).map_err(|refused| refused.0)
    }

    /// The same without a caller: `end` is told what became of it, also if nobody drives it.
    pub(crate) fn submit_chore<T: 'static>(
        core: &Arc<Core>,
        operation: impl Operation<Outcome = Result<T>> + Send + 'static,
        deadline: Instant,
        urgency: Urgency,
        end: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let job = operation.then(move |outcome: Result<T>| {
            let done = outcome.as_ref().map(|_| Outcome::Done).map_err(Error::clone);
            end(outcome);
            done
        });
        let prepared = Prepared { job: Box::new(job), deadline, same: None, urgency };
        if let Err(refused) = Core::offer(core, Submission { prepared, ticket: None }) {
            let (error, mut submission) = *refused;
            submission.prepared.job.fail(error);
        }
    }

    fn offer(core: &Arc<Core>, submission: Submission) -> std::result::Result<(), Box<(Error, Submission)>> {
        let runtime = &core.runtime;
        let stops = submission.prepared.urgency == Urgency::Stop;
        let alive = if stops { Ok(()) } else { core.check_alive() };
        if let Err(error) = alive.and_then(|()| runtime.ensure_driver(core, false)) {
            return Err(Box::new((error, submission)));
        }
        let task = runtime.next_task();
        if let Some(ticket) = &submission.ticket {
            ticket.task.store(task, Ordering::Release);
            ticket.goes_on.store(stops, Ordering::Release);
        }
        if let Err(refused) = runtime.post(Message::Submit(task, submission))
            && let Message::Submit(_, submission) = *refused
        {
            return Err(Box::new((core.ended(), submission)));
        }
        core.signal.notify();
        Ok(())
    }

    /// The ticket's caller has gone.
    pub(crate) fn cancelled(core: &Arc<Core>, ticket: &Arc<Ticket>) {
        if core.runtime.post(Message::Cancel(Arc::clone(ticket))).is_ok() {
            core.signal.notify();
        }
    }

    /// Makes sure that the driver runs: sessions are looked after, or the client is to end in good order.
    pub(crate) fn wake_driver(core: &Arc<Core>) -> Result<()> {
        core.runtime.ensure_driver(core, true)?;
        core.signal.notify();
        Ok(())
    }
}

impl Runtime {
    fn next_task(&self) -> u64 {
        self.next_task.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Hands a message to the driver; returned if that has ended for good.
    fn post(&self, message: Message) -> std::result::Result<(), Box<Message>> {
        let mut inbox = lock(&self.inbox);
        if inbox.closed {
            return Err(Box::new(message));
        }
        inbox.messages.push_back(message);
        Ok(())
    }

    /// `at_the_end`: also for a client that has ended.
    fn ensure_driver(&self, core: &Arc<Core>, at_the_end: bool) -> Result<()> {
        let mut running = lock(&self.driver);
        if *running || lock(&self.inbox).closed {
            return Ok(());
        }
        if !at_the_end {
            // Under the lock: whoever ends the client looks afterwards whether there is a driver.
            core.check_alive()?;
        }
        pin_module();
        let for_thread = Arc::clone(core);
        let run = move || {
            // Whatever happens in it, it must be seen to have ended.
            drop(catch_unwind(AssertUnwindSafe(|| Driver::new(Arc::clone(&for_thread)).run())));
            for_thread.ended_for_good();
            let runtime = &for_thread.runtime;
            *lock(&runtime.driver) = false;
            for_thread.let_go_of_sessions();
            runtime.driver_ended.notify_all();
            for_thread.queue.posted.notify();
        };
        let started = without_sigpipe(|| std::thread::Builder::new().name("arr-driver".into()).spawn(run));
        started.map_err(|cause| Error::new(ErrorKind::Internal, format!("no thread could be started: {cause}")))?;
        *running = true;
        Ok(())
    }

    /// Whether the driver's thread is there.
    pub(crate) fn is_running(&self) -> bool {
        *lock(&self.driver)
    }

    /// Waits, in real time, until the driver has ended. Whether it has.
    pub(crate) fn wait_until_ended(&self, longest: Duration) -> bool {
        let running = lock(&self.driver);
        let (running, _) = self
            .driver_ended
            .wait_timeout_while(running, longest, |running| *running)
            .unwrap_or_else(PoisonError::into_inner);
        !*running
    }

    /// A stop that was to be made before the end has failed.
    pub(crate) fn stop_failed(&self, error: &Error) {
        let kind = match error.kind() {
            // A shutdown's own `Timeout` says to wait again, which would help nobody here.
            ErrorKind::Timeout => ErrorKind::Network,
            kind => kind,
        };
        lock(&self.failed_stop).get_or_insert_with(|| error.clone().retold(kind, error.message()));
    }

    pub(crate) fn failed_stop(&self) -> Option<Error> {
        lock(&self.failed_stop).clone()
    }
}

/// What a task is doing.
enum Doing {
    /// It is to be stepped.
    Nothing,
    /// Its request is on the wire, or waits for a worker.
    Request(QueuedJob),
    /// A worker does something for it.
    Work,
    /// It waits for a moment, for the token, or for a change, up to a moment.
    Waiting(Option<For>),
}

enum For {
    Token,
    Change(Seen),
    /// A change, but nothing is under way that would bring it.
    Doze(Seen),
}

struct Task {
    timed: Timed<Job>,
    waiters: Vec<Waiter>,
    urgency: Urgency,
    same: Option<Same>,
    doing: Doing,
    /// It never had a caller: it is the client's own.
    ownerless: bool,
    /// Its caller has gone, and its answer is wanted nevertheless.
    left: bool,
}

struct Waiter {
    ticket: Arc<Ticket>,
    deadline: Instant,
    /// Its own job, if it has joined that of another: it goes on with it when the other's time turns out to be too short.
    spare: Option<Job>,
}

impl Waiter {
    fn cancel(&self) {
        self.ticket.cancel();
    }
}

impl Task {
    fn lane(&self) -> Lane {
        match self.urgency {
            // Whoever puts something right saves money.
            Urgency::Usual if !self.left => Lane::Normal,
            Urgency::Usual | Urgency::Urgent | Urgency::Stop => Lane::Urgent,
        }
    }

    /// Ends those whose time is over before the task's own. Whether there are such.
    fn end_late(&mut self, now: Instant) -> bool {
        let end = self.timed.deadline();
        let late = |waiter: &mut Waiter| waiter.deadline <= now && now < end;
        let over: Vec<Waiter> = self.waiters.extract_if(.., late).collect();
        for waiter in &over {
            waiter.ticket.finish(Err(protocol::out_of_time()));
        }
        !over.is_empty()
    }

    /// Takes out those who have more time than the task had, if it was only time that it lacked.
    fn with_more_time(&mut self, now: Instant, outcome: &Result<Outcome>) -> Vec<(Arc<Ticket>, Prepared)> {
        let end = self.timed.deadline();
        let lacked_time = outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout);
        if !lacked_time || now + MUCH_SHORTER < end {
            return Vec::new();
        }
        let (same, urgency) = (self.same.clone(), self.urgency);
        let more = |waiter: &mut Waiter| waiter.deadline > end.max(now) && waiter.spare.is_some();
        let with_job = self.waiters.extract_if(.., more).filter_map(|waiter| {
            let (job, deadline) = (waiter.spare?, waiter.deadline);
            Some((waiter.ticket, Prepared { job, deadline, same: same.clone(), urgency }))
        });
        with_job.collect()
    }

    /// Something has come for it that it waited for. Those who have cancelled it meanwhile, whose message is still to come, do
    /// not want it any more: a session that it brings has to be given back.
    fn notice_leavers(&mut self, now: Instant) {
        let had = !self.waiters.is_empty();
        self.waiters.retain(|waiter| waiter.ticket.is_running());
        if had && self.waiters.is_empty() && !self.goes_on() {
            self.left = self.timed.leave_in_flight(now);
        }
    }

    /// Whether it goes on without anybody who waits for it.
    fn goes_on(&self) -> bool {
        self.left || self.ownerless || self.urgency == Urgency::Stop
    }
}

struct Driver {
    core: Arc<Core>,
    tasks: HashMap<u64, Task>,
    timers: BinaryHeap<Reverse<(Instant, u64)>>,
    same: HashMap<Same, u64>,
    /// How often the token had changed when those who wait for it were last stepped.
    token_changes: u64,
    ending: bool,
}

/// An operation is not joined to one that ends this much earlier.
const MUCH_SHORTER: Duration = Duration::from_secs(1);

/// Waking up this much later than planned means that the machine slept, or the program was halted.
const JUMP: Duration = Duration::from_secs(30);

impl Driver {
    fn new(core: Arc<Core>) -> Driver {
        Driver {
            core,
            tasks: HashMap::new(),
            timers: BinaryHeap::new(),
            same: HashMap::new(),
            token_changes: 0,
            ending: false,
        }
    }

    fn run(mut self) {
        let core = Arc::clone(&self.core);
        let mut planned = core.now();
        loop {
            let seen = core.signal.version();
            let now = core.now();
            let jumped = now.saturating_since(planned) > JUMP;
            if jumped {
                core.transport.reset();
            }
            if core.keeper.was_resumed() || jumped {
                core.keeper.read_all_anew(&core, now);
            }
            // A defect anywhere else must not take the driver away from them all.
            let wake = catch_unwind(AssertUnwindSafe(|| self.turn(now))).unwrap_or(Some(now + Duration::from_secs(1)));
            let Some(wake) = wake else { return };
            let waits_for_the_world = self.waits_for_the_world();
            // Looking in now and then is how a jump of the time is noticed. Without anything to do nobody minds one.
            let idle = wake == Instant::NEVER && !waits_for_the_world && !core.keeper.is_suspended();
            planned = if idle { wake } else { wake.min(now + JUMP) }.max(now);
            if core.signal.version() != seen {
                continue;
            }
            if waits_for_the_world {
                core.clock.wait_for_work(&core.signal, seen, planned);
            } else {
                core.clock.sleep(&core.signal, seen, planned);
            }
        }
    }

    /// Whether something real is under way, so that time must take its course.
    fn waits_for_the_world(&self) -> bool {
        // A token is fetched, or the application is asked for it: then there is nothing but time.
        let busy = |task: &Task| !matches!(task.doing, Doing::Waiting(None | Some(For::Doze(_) | For::Token)));
        self.core.tokens.is_fetching() || self.core.keeper.is_reading() || self.tasks.values().any(busy)
    }

    /// Does all that is due. Returns when to look again; `None`: it has ended.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        let core = Arc::clone(&self.core);
        loop {
            let message = lock(&core.runtime.inbox).messages.pop_front();
            let Some(message) = message else { break };
            self.take(now, message);
        }
        if core.is_shut_down() && !self.ending {
            self.ending = true;
            self.end_all(now);
        }
        self.step_due(now);
        self.step_changed(now);
        let due = if self.ending { Instant::NEVER } else { core.keeper.look_after(&core, now) };
        if self.ending && self.tasks.is_empty() {
            let mut inbox = lock(&core.runtime.inbox);
            if inbox.messages.is_empty() {
                inbox.closed = true;
                return None;
            }
            return Some(now);
        }
        // Those of tasks that are over wake nobody.
        while self.timers.peek().is_some_and(|Reverse((_, id))| !self.tasks.contains_key(id)) {
            self.timers.pop();
        }
        let next = self.timers.peek().map_or(Instant::NEVER, |Reverse((moment, _))| *moment);
        Some(next.min(due))
    }

    fn take(&mut self, now: Instant, message: Message) {
        match message {
            Message::Submit(id, submission) => self.submit(now, id, submission),
            Message::Answer(id, answer) => self.came(now, id, Some(answer)),
            Message::Worked(id) => self.came(now, id, None),
            Message::Cancel(ticket) => {
                let id = ticket.task.load(Ordering::Acquire);
                if let Some(task) = self.tasks.get_mut(&id) {
                    task.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.ticket, &ticket));
                    if task.waiters.is_empty() {
                        // Cancelled by name, a stop ends too.
                        self.leave(now, id);
                    }
                }
            }
        }
    }

    /// What was under way for a task has come.
    fn came(&mut self, now: Instant, id: u64, answer: Option<Answer>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.doing = Doing::Nothing;
            task.notice_leavers(now);
            self.step(now, id, answer);
        }
    }

    fn submit(&mut self, now: Instant, id: u64, submission: Submission) {
        let Submission { prepared, ticket } = submission;
        let Prepared { mut job, deadline, same, urgency } = prepared;
        let ownerless = ticket.is_none();
        if self.ending && urgency != Urgency::Stop {
            match ticket {
                Some(ticket) => {
                    ticket.cancel();
                }
                None => {
                    job.fail(cancelled());
                }
            }
            return;
        }
        if ticket.as_ref().is_some_and(|ticket| !ticket.is_running()) {
            // It was cancelled before anything was done for it.
            return;
        }
        if let Some(ticket) = &ticket
            && let Some(joined) = same.as_ref().and_then(|same| self.same.get(same)).copied()
            && let Some(task) = self.tasks.get_mut(&joined)
            && task.timed.deadline() + MUCH_SHORTER >= deadline
        {
            ticket.task.store(joined, Ordering::Release);
            self.timers.push(Reverse((deadline, joined)));
            task.waiters.push(Waiter { ticket: Arc::clone(ticket), deadline, spare: Some(job) });
            return;
        }
        let waiters = ticket.into_iter().map(|ticket| Waiter { ticket, deadline, spare: None }).collect();
        if let Some(same) = &same {
            self.same.insert(same.clone(), id);
        }
        let mut timed = Timed::new(job, deadline, self.core.attempt_timeout);
        if self.ending {
            timed.end_by(now + self.core.attempt_timeout);
        }
        let task = Task { timed, waiters, urgency, same, doing: Doing::Nothing, ownerless, left: false };
        self.tasks.insert(id, task);
        self.step(now, id, None);
    }

    /// Steps a task for as long as it needs no waiting.
    fn step(&mut self, now: Instant, id: u64, answer: Option<Answer>) {
        self.guarded(now, id, |driver| driver.step_on(now, id, answer));
    }

    /// Does something with a task. A defect in it is its own end, and nobody else's.
    fn guarded(&mut self, now: Instant, id: u64, act: impl FnOnce(&mut Driver)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            let message = "the library hit a defect of its own; the operation may be started again. Please report it";
            self.finish(now, id, Err(Error::new(ErrorKind::Internal, message)));
        }
    }

    fn step_on(&mut self, now: Instant, id: u64, mut answer: Option<Answer>) {
        while let Some(task) = self.tasks.get_mut(&id) {
            let alone = task.waiters.is_empty() && !task.goes_on();
            let gone = || if alone { Err(cancelled()) } else { Ok(()) };
            let todo = task.timed.next(now, answer.take(), gone);
            if !self.act(now, id, todo) {
                return;
            }
        }
    }

    /// Does what a task asks for. Whether it is to be stepped again at once.
    fn act(&mut self, now: Instant, id: u64, todo: Todo<Result<Outcome>>) -> bool {
        let core = &self.core;
        let Some(task) = self.tasks.get_mut(&id) else { return false };
        match todo {
            Todo::Done(outcome) => {
                self.finish(now, id, outcome);
                false
            }
            Todo::Send(request, limit) => {
                let for_answer = Arc::clone(core);
                let done = move |answer| {
                    drop(for_answer.runtime.post(Message::Answer(id, answer)));
                    for_answer.signal.notify();
                };
                let deadline = task.timed.deadline();
                task.doing = Doing::Request(core.transport.start_on(task.lane(), *request, limit, deadline, done));
                self.timers.push(Reverse((deadline, id)));
                false
            }
            Todo::FetchToken(exchange, limit) => {
                let ahead = exchange.ahead;
                core.transport.start_fetching_token(*exchange, limit);
                task.doing = Doing::Waiting(Some(For::Token));
                ahead
            }
            Todo::SleepUntil(moment) => self.wait(id, None, moment),
            Todo::DozeUntil(moment, seen) => self.wait(id, Some(For::Doze(seen)), moment),
            Todo::AwaitToken(until) => self.wait(id, Some(For::Token), until),
            Todo::AwaitChange(seen, until) => self.wait(id, Some(For::Change(seen)), until),
            Todo::Work(work) => {
                task.doing = Doing::Work;
                self.start_work(id, work);
                false
            }
        }
    }

    /// Has a task wait. It is not to be stepped again at once.
    fn wait(&mut self, id: u64, what_for: Option<For>, until: Instant) -> bool {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.doing = Doing::Waiting(what_for);
            self.timers.push(Reverse((until, id)));
        }
        false
    }

    fn start_work(&self, id: u64, work: Work) {
        let for_end = Arc::clone(&self.core);
        let run = move || {
            // After a panic, which the hook has told, what it was to bring is missing, and the operation says so.
            drop(catch_unwind(AssertUnwindSafe(work.0)));
            drop(for_end.runtime.post(Message::Worked(id)));
            for_end.signal.notify();
        };
        self.core.transport.aside(run);
    }

    fn finish(&mut self, now: Instant, id: u64, outcome: Result<Outcome>) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        if let Some(same) = &task.same
            && self.same.get(same) == Some(&id)
        {
            self.same.remove(same);
        }
        if let Err(error) = &outcome {
            // Who has cancelled something, a stop too, knows that.
            let wanted = error.kind() != ErrorKind::Cancelled;
            if wanted && !task.waiters.is_empty() {
                self.core.log_failure(error);
            }
            if wanted && task.urgency == Urgency::Stop && self.ending {
                self.core.runtime.stop_failed(error);
            }
        }
        let go_on = if self.ending { Vec::new() } else { task.with_more_time(now, &outcome) };
        let (had, mut taken) = (!task.waiters.is_empty(), false);
        for waiter in task.waiters {
            taken |= waiter.ticket.finish(outcome.clone());
        }
        // All have cancelled it at this very moment.
        if had
            && !taken
            && let Ok(Outcome::Session { session, resumed: false }) = outcome
        {
            session.give_back();
        }
        for (ticket, prepared) in go_on {
            let id = self.core.runtime.next_task();
            ticket.task.store(id, Ordering::Release);
            self.submit(now, id, Submission { prepared, ticket: Some(ticket) });
        }
    }

    /// Nobody waits for a task any more.
    fn leave(&mut self, now: Instant, id: u64) {
        self.guarded(now, id, |driver| driver.leave_it(now, id));
    }

    fn leave_it(&mut self, now: Instant, id: u64) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        match &task.doing {
            // It has queued for a worker, and is not sent any more.
            Doing::Request(attempt) if attempt.take_back() => task.doing = Doing::Nothing,
            Doing::Request(attempt) => {
                if task.timed.leave_in_flight(now) {
                    task.left = true;
                } else {
                    attempt.abandon();
                    let outcome = Err(task.timed.give_up(cancelled()));
                    self.finish(now, id, outcome);
                }
                return;
            }
            Doing::Work => {
                // What it waits for is written to a disk: it is stepped, and told, when that is done.
                task.left = task.timed.leave_in_flight(now);
                if task.urgency == Urgency::Stop {
                    task.urgency = Urgency::Urgent;
                }
                return;
            }
            Doing::Nothing | Doing::Waiting(_) => {}
        }
        let todo = task.timed.abandon(now, cancelled());
        if !matches!(todo, Todo::Done(_)) {
            task.left = true;
        }
        if self.act(now, id, todo) {
            self.step(now, id, None);
        }
    }

    /// The client ends: what saves money goes on for a while, and everything else is cancelled.
    fn end_all(&mut self, now: Instant) {
        let ids: Vec<u64> = self.tasks.keys().copied().collect();
        let end = now + self.core.attempt_timeout;
        for id in ids {
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.timed.end_by(end);
            if task.urgency == Urgency::Stop {
                self.timers.push(Reverse((end, id)));
                continue;
            }
            task.waiters.drain(..).for_each(|waiter| waiter.cancel());
            task.ownerless = false;
            if !task.left {
                self.leave(now, id);
            }
        }
        let core = Arc::clone(&self.core);
        core.keeper.stop_promised(&core, now);
        let promised: Vec<_> = std::mem::take(&mut lock(&core.runtime.inbox).messages).into_iter().collect();
        promised.into_iter().for_each(|message| self.take(now, message));
    }

    fn step_due(&mut self, now: Instant) {
        while let Some(Reverse((moment, id))) = self.timers.peek().copied()
            && moment <= now
        {
            self.timers.pop();
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            if task.end_late(now) && task.waiters.is_empty() && !task.goes_on() {
                self.leave(now, id);
                continue;
            }
            match &task.doing {
                Doing::Waiting(_) => self.step(now, id, None),
                // It has queued for a worker all the time; one that is on the wire ends by its own limit.
                Doing::Request(attempt) if now >= task.timed.deadline() && attempt.take_back() => {
                    task.doing = Doing::Nothing;
                    self.step(now, id, Some(Err(Failure::never_begun())));
                }
                _ => {}
            }
        }
    }

    /// Steps those who wait for the token or for a change, if there was one.
    fn step_changed(&mut self, now: Instant) {
        let token_changes = self.core.tokens.changes();
        let new_token = token_changes != std::mem::replace(&mut self.token_changes, token_changes);
        if new_token && self.core.keeper.awaits_token() {
            self.core.keeper.something_changed();
        }
        let is_due = |task: &Task| match &task.doing {
            Doing::Waiting(Some(For::Token)) => new_token,
            Doing::Waiting(Some(For::Change(seen) | For::Doze(seen))) => seen.is_past(),
            _ => false,
        };
        let due: Vec<u64> = self.tasks.iter().filter(|(_, task)| is_due(task)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.step(now, id, None));
    }
}

impl Drop for Driver {
    /// A driver that ends leaves nobody waiting.
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.waiters.iter().for_each(Waiter::cancel);
        }
        let left = std::mem::take(&mut lock(&self.core.runtime.inbox).messages);
        for message in left {
            if let Message::Submit(_, submission) = message
                && let Some(ticket) = submission.ticket
            {
                ticket.cancel();
            }
        }
    }
}
