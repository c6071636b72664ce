//! Listing the account's sessions, page by page.

use super::call::AuthorizedCall;
use super::context::Context;
use super::operation::{Operation, Step};
use crate::clock::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{SessionId, SessionProperties};
use crate::wire::{Answer, Request, Urgency};
use std::collections::HashSet;

const WHAT: &str = "listing the sessions";

/// Limits against a list whose pages never end.
const MOST_PAGES: usize = 1_000;
const MOST_SESSIONS: usize = 100_000;

/// The account's sessions that have not ended, including those of other clients.
pub(crate) struct List {
    context: Context,
    deadline: Instant,
    urgency: Urgency,
    call: AuthorizedCall,
    sessions: Vec<SessionProperties>,
    ids: HashSet<SessionId>,
    /// The links followed so far. No page is read twice.
    links: Vec<String>,
}

pub(crate) fn list(context: &Context, deadline: Instant) -> List {
    List::new(context, deadline, Urgency::Normal)
}

/// Like [`list`], but ignores pauses that the service asked for: the sessions are to be stopped.
pub(crate) fn list_urgently(context: &Context, deadline: Instant) -> List {
    List::new(context, deadline, Urgency::Stop)
}

impl List {
    fn new(context: &Context, deadline: Instant, urgency: Urgency) -> List {
        let call = List::page(context, context.service.list(), deadline, urgency);
        List {
            context: context.clone(),
            deadline,
            urgency,
            call,
            sessions: Vec::new(),
            ids: HashSet::new(),
            links: Vec::new(),
        }
    }

    fn page(context: &Context, request: Request, deadline: Instant, urgency: Urgency) -> AuthorizedCall {
        AuthorizedCall::new(context, WHAT, Request { urgency, ..request }, deadline)
    }

    /// Advances to the next page, if there is one.
    fn go_on(&mut self, link: Option<String>) -> Result<bool> {
        let Some(link) = link else { return Ok(false) };
        if self.links.contains(&link) || self.links.len() >= MOST_PAGES || self.sessions.len() > MOST_SESSIONS {
            return Err(Error::new(
                ErrorKind::UnexpectedReply,
                format!("{WHAT} failed: the list never ends; {} pages were read", self.links.len() + 1),
            ));
        }
        let request = self.context.service.next_page(&link)?;
        self.call = List::page(&self.context, request, self.deadline, self.urgency);
        self.links.push(link);
        Ok(true)
    }
}

impl Operation for List {
    type Outcome = Result<Vec<SessionProperties>>;

    fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn thawed(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn step(&mut self, now: Instant, mut answer: Option<Answer>) -> Step<Self::Outcome> {
        loop {
            let outcome = match self.call.step(now, answer.take()).outcome() {
                Ok(outcome) => outcome,
                Err(step) => return step,
            };
            let page = outcome.success().and_then(|reply| self.context.service.read_page(&reply));
            let more = page.and_then(|(sessions, link)| {
                self.ids.reserve(sessions.len());
                self.sessions.reserve(sessions.len());
                for session in sessions {
                    // Sessions created or ended between two pages can move one onto both.
                    if self.ids.insert(session.id.clone()) {
                        self.sessions.push(session);
                    }
                }
                self.go_on(link)
            });
            match more {
                Ok(true) => {}
                Ok(false) => return Step::Done(Ok(std::mem::take(&mut self.sessions))),
                Err(error) => return Step::Done(Err(error)),
            }
        }
    }
}
