//! One fault: which requests it matches, and what happens to them.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};

use super::glob::Glob;
use crate::http::path;

/// What goes wrong on purpose, for which requests, and how often.
///
/// Start with [`Fault::on`]. Without an action, a request is answered with status 500. A fault happens once unless
/// [`times`](Fault::times) says otherwise.
///
/// ```
/// use arr_service::Fault;
/// use std::time::Duration;
///
/// // The second and third create are answered 429 with Retry-After.
/// let busy = Fault::on("POST", "/v1/accounts/*/sessions/create").skip(1).times(2).status(429).header("Retry-After", "2");
/// // A session is created, but the client never receives its id.
/// let lost = Fault::on("POST", "/v1/accounts/*/sessions/create").reset().executed(true);
/// // The token service is slow.
/// let slow = Fault::on("*", "/accounts/*/token").always().delay(Duration::from_millis(300));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a fault does nothing until it is given to Emulator::add_faults"]
pub struct Fault {
    /// `None` is any.
    pub(crate) method: Option<String>,
    pub(crate) path: Glob,
    /// 0 is always.
    pub(crate) times: u32,
    pub(crate) skip: u32,
    pub(crate) execute: Option<bool>,
    pub(crate) action: Action,
    misused: Option<&'static str>,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Delay(Duration),
    Status { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Close,
    Reset,
    Truncate { bytes: usize },
    Drip { interval: Duration },
    Stall,
    ContentType(String),
    Garbage,
    Oversize { bytes: u64 },
    Redirect { status: u16, location: String },
    CloseOnAccept,
}

impl Action {
    /// Whether the operation is carried out by default: yes if the action tampers with its reply.
    pub(crate) fn executes_by_default(&self) -> bool {
        matches!(self, Action::Truncate { .. } | Action::Drip { .. } | Action::ContentType(_))
    }
}

impl Fault {
    /// A fault for requests with this method (`"*"`: any) and a path that fits this pattern: `*` stands for anything
    /// within one segment, `**` for anything. The path is compared without its query, without a slash at its end, and
    /// with the token service's `accounts` in lower case.
    pub fn on(method: &str, path: &str) -> Fault {
        let method = (method != "*").then(|| method.to_owned());
        let status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        let action = Action::Status { status, headers: Vec::new(), body: Vec::new() };
        Fault {
            method,
            path: Glob::new(&path::normalized(path)),
            times: 1,
            skip: 0,
            execute: None,
            action,
            misused: None,
        }
    }

    /// Closes a connection as soon as it is accepted. [`times`](Self::times) says how many.
    pub fn close_on_accept() -> Fault {
        Fault { action: Action::CloseOnAccept, ..Fault::on("*", "**") }
    }

    /// Happens this many times and is then removed; 0 is [`always`](Self::always).
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Happens until it is removed.
    pub fn always(self) -> Fault {
        self.times(0)
    }

    /// Skips the first `skip` requests that match: later faults may happen to them, or none.
    pub fn skip(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// Whether the operation is carried out before the fault: with `true` a create does make a session, although its
    /// reply is lost. By default it is carried out by [`truncate`](Self::truncate), [`drip`](Self::drip) and
    /// [`content_type`](Self::content_type), which tamper with its reply, and not by the others.
    pub fn executed(self, execute: bool) -> Fault {
        Fault { execute: Some(execute), ..self }
    }

    /// Waits, in real time under any clock, then continues as normal. With `executed(true)` the operation is carried
    /// out first, and its reply waits.
    pub fn delay(self, delay: Duration) -> Fault {
        self.action(Action::Delay(delay))
    }

    /// Answers with this status, and with no body unless [`header`](Self::header) and [`body`](Self::body) add to it.
    pub fn status(self, status: u16) -> Fault {
        self.action(Action::Status { status, headers: Vec::new(), body: Vec::new() })
    }

    /// Adds a header to what [`status`](Self::status) answers.
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        match &mut self.action {
            Action::Status { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            _ => self.misused = Some("a header goes with status() only, and after it"),
        }
        self
    }

    /// Sets the body of what [`status`](Self::status) answers.
    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Fault {
        match &mut self.action {
            Action::Status { body, .. } => *body = text.into(),
            _ => self.misused = Some("a body goes with status() only, and after it"),
        }
        self
    }

    /// Closes the connection without a reply.
    pub fn close(self) -> Fault {
        self.action(Action::Close)
    }

    /// Resets the connection (TCP RST) without a reply.
    pub fn reset(self) -> Fault {
        self.action(Action::Reset)
    }

    /// Sends the reply's head, with the length of the whole body, and closes after this many bytes of the body.
    pub fn truncate(self, bytes: usize) -> Fault {
        self.action(Action::Truncate { bytes })
    }

    /// Sends the reply one byte at a time, with this interval, in real time, between any two.
    pub fn drip(self, interval: Duration) -> Fault {
        self.action(Action::Drip { interval })
    }

    /// Sends nothing until the peer closes the connection.
    pub fn stall(self) -> Fault {
        self.action(Action::Stall)
    }

    /// Sends the reply with a wrong `Content-Type`.
    pub fn content_type(self, content_type: &str) -> Fault {
        self.action(Action::ContentType(content_type.to_owned()))
    }

    /// Sends bytes that are not HTTP, then closes the connection.
    pub fn garbage(self) -> Fault {
        self.action(Action::Garbage)
    }

    /// Answers with a JSON body of this many bytes.
    pub fn oversize(self, bytes: u64) -> Fault {
        self.action(Action::Oversize { bytes })
    }

    /// Answers with this status and `Location`.
    pub fn redirect(self, status: u16, location: &str) -> Fault {
        self.action(Action::Redirect { status, location: location.to_owned() })
    }

    pub(crate) fn action(self, action: Action) -> Fault {
        Fault { action, ..self }
    }

    /// Whether it matches this request.
    pub(crate) fn matches(&self, method: &Method, path: &str) -> bool {
        self.action != Action::CloseOnAccept
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self.path.matches(path)
    }

    pub(crate) fn executes(&self) -> bool {
        self.execute.unwrap_or_else(|| self.action.executes_by_default())
    }

    /// Fails if the fault is invalid; the error says why.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(misused) = self.misused {
            return Err(misused.to_owned());
        }
        if self.method.as_ref().is_some_and(|method| method.parse::<Method>().is_err()) {
            return Err("method is not the name of an HTTP method; \"*\" is any".to_owned());
        }
        let path = self.path.as_str();
        if path.len() > LONGEST_PATTERN {
            return Err(format!("path is longer than {LONGEST_PATTERN} bytes"));
        }
        if !path.starts_with("/") && !path.starts_with("**") {
            return Err("path must begin with \"/\" or \"**\", as every path begins with a slash".to_owned());
        }
        match &self.action {
            Action::Status { status, headers, .. } => {
                check_status(*status)?;
                headers.iter().try_for_each(|(name, value)| check_header(name, value))
            }
            Action::Redirect { status, location } => {
                check_status(*status)?;
                check_header("Location", location)
            }
            Action::ContentType(value) => check_header("Content-Type", value),
            Action::CloseOnAccept => self.check_close_on_accept(),
            _ => Ok(()),
        }
    }

    fn check_close_on_accept(&self) -> Result<(), String> {
        if !(1..=MOST_CONNECTIONS).contains(&self.times) {
            return Err(format!(
                "close_on_accept needs a number of times, 1 to {MOST_CONNECTIONS}: nobody could take it back"
            ));
        }
        if self.method.is_some() || self.path.as_str() != "**" || self.execute.is_some() {
            return Err("close_on_accept is for connections: it has no method, no path and no execute".to_owned());
        }
        Ok(())
    }
}

/// No logged path is longer; more would only cost time with each request.
const LONGEST_PATTERN: usize = 1024;

/// The largest number of connections to close: with every connection closed, no control call could remove the fault.
const MOST_CONNECTIONS: u32 = 1000;

/// A status below 200 is not a final reply, and one above 999 does not fit into a status line.
fn check_status(status: u16) -> Result<(), String> {
    if (200..=999).contains(&status) { Ok(()) } else { Err(format!("status must be 200 to 999, not {status}")) }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    if HeaderName::try_from(name).is_err() {
        return Err(format!("{name:?} is not the name of a header"));
    }
    // HTTP frames the reply itself; a second length would break it only by chance.
    if ["content-length", "transfer-encoding", "connection"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("{name} cannot be set: the body decides it (truncate makes it wrong)"));
    }
    HeaderValue::try_from(value).map(drop).map_err(|_| format!("the value of {name} does not fit into a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_for_its_method_and_path() {
        let fault = Fault::on("post", "/Accounts/*/token/");
        assert!(fault.matches(&Method::POST, "/accounts/a/token"));
        assert!(!fault.matches(&Method::GET, "/accounts/a/token"));
        assert!(Fault::on("*", "/accounts/**").matches(&Method::DELETE, "/accounts/a/token"));
        assert!(!Fault::close_on_accept().matches(&Method::GET, "/"), "it is for connections");
    }

    #[test]
    fn only_what_tampers_with_the_reply_executes_by_itself() {
        let on = || Fault::on("*", "**");
        for fault in [on().truncate(1), on().drip(Duration::ZERO), on().content_type("text/html")] {
            assert!(fault.executes() && !fault.clone().executed(false).executes(), "{fault:?}");
        }
        let second = Duration::from_secs(1);
        for fault in
            [on(), on().close(), on().reset(), on().stall(), on().garbage(), on().oversize(9), on().delay(second)]
        {
            assert!(!fault.executes() && fault.clone().executed(true).executes(), "{fault:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let on = || Fault::on("*", "**");
        for (fault, reason) in [
            (Fault::on("*", "v1"), "path must begin"),
            (Fault::on("GET IT", "/"), "HTTP method"),
            (on().status(99), "status must be 200 to 999, not 99"),
            (on().redirect(70, "/"), "status must be"),
            (on().status(200).header("a b", "c"), "\"a b\" is not the name of a header"),
            (on().status(200).header("A", "b\nc"), "value of A"),
            (on().status(200).header("Content-Length", "5"), "Content-Length cannot be set"),
            (on().redirect(302, "a\r\nb"), "value of Location"),
            (on().close().header("A", "b"), "a header goes with status()"),
            (on().stall().body("x"), "a body goes with status()"),
            (Fault::close_on_accept().always(), "needs a number of times"),
            (Fault::close_on_accept().times(1001), "1 to 1000"),
            (Fault { method: Some("GET".to_owned()), ..Fault::close_on_accept() }, "no method"),
            (Fault { path: Glob::new("/x"), ..Fault::close_on_accept() }, "no path"),
            (Fault::close_on_accept().executed(false), "no execute"),
            (Fault::on("*", "*"), "path must begin"),
            (Fault::on("*", "*/x"), "path must begin"),
            (Fault::on("*", &format!("/{}", "x".repeat(1024))), "longer than 1024 bytes"),
        ] {
            let error = fault.check().expect_err(reason);
            assert!(error.contains(reason), "{error}");
        }
        assert_eq!(on().status(503).header("Retry-After", "2").body("x").check(), Ok(()));
    }
}
