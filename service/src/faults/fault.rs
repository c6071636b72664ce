//! One fault: which requests it matches, and what happens to them.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::format::glob::Glob;
use crate::http::path;

/// An injected fault: for which requests, what goes wrong, and how often.
///
/// Start with [`Fault::on`]. Without an action, a request is answered with status 500. A fault happens once, unless
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
#[must_use = "a fault does nothing until it is passed to Emulator::add_faults"]
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
    /// Its name in the control API.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Action::Delay(_) => "delay",
            Action::Status { .. } => "status",
            Action::Close => "close",
            Action::Reset => "reset",
            Action::Truncate { .. } => "truncate",
            Action::Drip { .. } => "drip",
            Action::Stall => "stall",
            Action::ContentType(_) => "content_type",
            Action::Garbage => "garbage",
            Action::Oversize { .. } => "oversize",
            Action::Redirect { .. } => "redirect",
            Action::CloseOnAccept => "close_on_accept",
        }
    }

    /// Whether the operation is carried out by default: only if the action tampers with its reply.
    pub(crate) fn executes_by_default(&self) -> bool {
        matches!(self, Action::Truncate { .. } | Action::Drip { .. } | Action::ContentType(_))
    }
}

impl Fault {
    /// A fault for requests with this method (`"*"`: any) and a path that matches this pattern: `*` matches anything
    /// within one segment, `**` anything. The path is compared without its query and trailing slashes, and with the
    /// token service's `accounts` in lower case.
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

    /// Closes the next connections as soon as they are accepted: as many as [`times`](Self::times), 1 to 1000.
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

    /// Skips the first `skip` requests that match. Later faults can still happen to them.
    pub fn skip(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// Whether the operation is carried out before the fault. With `true`, a create whose reply is lost does create a
    /// session. The default is `true` for [`truncate`](Self::truncate), [`drip`](Self::drip) and
    /// [`content_type`](Self::content_type), which tamper with the reply, and `false` for all others.
    pub fn executed(self, execute: bool) -> Fault {
        Fault { execute: Some(execute), ..self }
    }

    /// Waits, in real time under any clock, then continues as normal. With `executed(true)`, the operation is carried
    /// out first and its reply waits.
    pub fn delay(self, delay: Duration) -> Fault {
        self.action(Action::Delay(delay))
    }

    /// Answers with this status. [`header`](Self::header) and [`body`](Self::body) add to the reply.
    pub fn status(self, status: u16) -> Fault {
        self.action(Action::Status { status, headers: Vec::new(), body: Vec::new() })
    }

    /// Adds a header to the reply of [`status`](Self::status).
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        match &mut self.action {
            Action::Status { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            _ => self.misused = Some("header() is for status() only, and must follow it"),
        }
        self
    }

    /// Sets the body of the reply of [`status`](Self::status).
    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Fault {
        match &mut self.action {
            Action::Status { body, .. } => *body = text.into(),
            _ => self.misused = Some("body() is for status() only, and must follow it"),
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

    /// Sends the reply one byte at a time, at this interval, in real time.
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

    pub(crate) fn kind(&self) -> &'static str {
        self.action.kind()
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
            return Err("method is not an HTTP method; \"*\" matches any".to_owned());
        }
        let path = self.path.as_str();
        if path.len() > LONGEST_PATTERN {
            return Err(format!("path is longer than {LONGEST_PATTERN} bytes"));
        }
        if !path.starts_with("/") && !path.starts_with("**") {
            return Err("path must begin with \"/\" or \"**\", because every path begins with a slash".to_owned());
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
                "close_on_accept needs times from 1 to {MOST_CONNECTIONS}, or no control call could remove it"
            ));
        }
        if self.method.is_some() || self.path.as_str() != "**" || self.execute.is_some() {
            return Err("close_on_accept is for connections: it takes no method, no path and no execute".to_owned());
        }
        Ok(())
    }
}

/// No logged path is longer, so a longer pattern would only cost time.
const LONGEST_PATTERN: usize = 1024;

/// The most connections to close: if all were closed, no control call could remove the fault.
const MOST_CONNECTIONS: u32 = 1000;

/// A status below 200 is not a final reply, and one above 999 does not fit into a status line.
fn check_status(status: u16) -> Result<(), String> {
    if (200..=999).contains(&status) { Ok(()) } else { Err(format!("status must be 200 to 999, not {status}")) }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    if HeaderName::try_from(name).is_err() {
        return Err(format!("{name:?} is not a header name"));
    }
    // The HTTP library frames the reply; a second length would break it only by chance.
    if ["content-length", "transfer-encoding", "connection"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("{name} cannot be set, as it follows from the body; truncate sends a wrong length"));
    }
    HeaderValue::try_from(value).map(drop).map_err(|_| format!("the value of {name} is not valid in a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_matches_its_method_and_path() {
        let fault = Fault::on("post", "/Accounts/*/token/");
        assert!(fault.matches(&Method::POST, "/accounts/a/token"));
        assert!(!fault.matches(&Method::GET, "/accounts/a/token"));
        assert!(Fault::on("*", "/accounts/**").matches(&Method::DELETE, "/accounts/a/token"));
        assert!(!Fault::close_on_accept().matches(&Method::GET, "/"), "it is for connections");
    }

    #[test]
    fn only_faults_that_tamper_with_the_reply_execute_by_default() {
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
    fn an_invalid_fault_says_why() {
        let on = || Fault::on("*", "**");
        for (fault, reason) in [
            (Fault::on("*", "v1"), "path must begin"),
            (Fault::on("GET IT", "/"), "HTTP method"),
            (on().status(99), "status must be 200 to 999, not 99"),
            (on().redirect(70, "/"), "status must be"),
            (on().status(200).header("a b", "c"), "\"a b\" is not a header name"),
            (on().status(200).header("A", "b\nc"), "value of A"),
            (on().status(200).header("Content-Length", "5"), "Content-Length cannot be set"),
            (on().redirect(302, "a\r\nb"), "value of Location"),
            (on().close().header("A", "b"), "header() is for status() only"),
            (on().stall().body("x"), "body() is for status() only"),
            (Fault::close_on_accept().always(), "needs times from 1"),
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
