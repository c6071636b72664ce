//! Why a command failed: cause, remedy, the service's correlation vector, and the exit code.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write as _};

use arr_client::{Error, ErrorKind};
use console::style;
use serde::{Serialize, Serializer};

use crate::args::Format;
use crate::output;

/// The exit codes, which docs/cli.md documents. Scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    Credential = 3,
    NotFound = 4,
    Conflict = 5,
    Timeout = 6,
    Network = 7,
    /// The request was sent and its outcome is unknown: a session may be running.
    Unknown = 8,
    Interrupted = 130,
}

impl Exit {
    fn of(error: &Error) -> Exit {
        use ErrorKind as Kind;
        if error.is_outcome_unknown() {
            return Exit::Unknown;
        }
        match error.kind() {
            Kind::InvalidArgument | Kind::Unsupported => Exit::Usage,
            Kind::Unauthorized | Kind::Forbidden | Kind::InvalidToken => Exit::Credential,
            Kind::NotFound => Exit::NotFound,
            Kind::Conflict => Exit::Conflict,
            Kind::Timeout | Kind::Throttled | Kind::ServiceFull => Exit::Timeout,
            Kind::Network | Kind::NameResolution | Kind::Tls => Exit::Network,
            _ => Exit::Failed,
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// A failure of a command; docs/cli.md documents it as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    #[serde(rename = "exit_code")]
    pub(crate) exit: Exit,
    #[serde(rename = "message")]
    cause: String,
    hints: Vec<String>,
    #[serde(flatten)]
    reply: Box<Reply>,
}

/// The facts of the service's reply.
#[derive(Debug, Default, Serialize)]
struct Reply {
    http_status: Option<u16>,
    service_code: Option<String>,
    retry_after_seconds: Option<u64>,
    ms_cv: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, cause: impl Into<String>) -> Failure {
        Failure { exit, cause: cause.into(), hints: Vec::new(), reply: Box::default() }
    }

    pub(crate) fn usage(cause: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, cause)
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// Puts a sentence about the session in front.
    pub(crate) fn about(mut self, text: &str) -> Failure {
        self.cause = format!("{text}: {}", self.cause);
        self
    }

    pub(crate) fn cause(&self) -> &str {
        &self.cause
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Prints it to standard error: as a line of JSON if the result would be JSON.
    pub(crate) fn print(&self, format: Format) {
        if let Format::Json | Format::Ndjson = format {
            return say(output::line(&BTreeMap::from([("error", self)])).trim_end());
        }
        say(format_args!("{} {}", style("error:").for_stderr().red().bold(), printable(&self.cause)));
        for hint in &self.hints {
            say(format_args!(" {} {}", style("hint:").for_stderr().cyan(), printable(hint)));
        }
        let Reply { http_status, service_code, retry_after_seconds, ms_cv } = &*self.reply;
        let facts = [
            http_status.map(|status| format!("HTTP {status}")),
            service_code.as_ref().map(|code| format!("code {code}")),
            retry_after_seconds.map(|seconds| format!("Retry-After {seconds} s")),
            ms_cv.as_ref().map(|vector| format!("MS-CV {vector}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            say(format_args!("       {}", style(printable(&facts.join(", "))).for_stderr().dim()));
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let message = with_options(error.message());
        let (cause, hint) = split(&message);
        Failure {
            exit: Exit::of(&error),
            cause: cause.to_owned(),
            hints: hint.map(str::to_owned).into_iter().collect(),
            reply: Box::new(Reply {
                http_status: error.http_status(),
                service_code: error.service_code().map(str::to_owned),
                retry_after_seconds: error.retry_after().map(|after| after.as_secs()),
                ms_cv: error.correlation_vector().map(str::to_owned),
            }),
        }
    }
}

/// Prints a line to standard error. If no reader is left, the command goes on: a session may depend on it.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints what the user should know to standard error.
pub(crate) fn note(text: &str) {
    say(format_args!("{} {}", style("note:").for_stderr().yellow(), printable(text)));
}

/// Text from a service or a file, without characters that control the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if controls(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character controls the terminal, or the direction of the text around it.
pub(crate) fn controls(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The library's messages have the form "cause; remedy". A semicolon within quotes or parentheses belongs to these.
fn split(message: &str) -> (&str, Option<&str>) {
    let (mut quoted, mut depth) = (false, 0_u32);
    for (place, character) in message.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if !quoted && depth == 0 && message[place..].starts_with("; ") => {
                return (&message[..place], Some(&message[place + 2..]));
            }
            _ => {}
        }
    }
    (message, None)
}

/// Renames the library's options, which its messages have in backticks, to those of the command line.
fn with_options(message: &str) -> String {
    const NAMES: [(&str, &str); 21] = [
        ("`ca_file` or `ca_pem`", "--ca-file"),
        ("(the call's timeout, `attempt_timeout`)", "with --request-timeout"),
        ("`cap`", "--cap"),
        ("`poll_interval`", "--poll-interval"),
        ("`ready_poll_interval`", "--poll-interval"),
        ("`account_id`", "--account-id"),
        ("`account_key`", "the account key"),
        ("`account_domain`", "--account-domain"),
        ("`service_endpoint`", "--service-endpoint"),
        ("`entra_token`", "the Entra token"),
        ("`access_token`", "the access token"),
        ("`api_version`", "--api-version"),
        ("`ca_file`", "--ca-file"),
        ("`proxy`", "--proxy"),
        ("`call_timeout`", "--request-timeout"),
        ("`journal_folder`", "--journal"),
        ("`max_lease`", "--lease"),
        ("`models`", "--model"),
        ("`extra_json`", "--extra"),
        ("`session_id`", "the session id"),
        ("`size`", "--size"),
    ];
    NAMES.iter().fold(message.to_owned(), |text, (library, ours)| text.replace(library, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_follows_the_first_semicolon_outside_quotes() {
        assert_eq!(split("it failed; do this; or that"), ("it failed", Some("do this; or that")));
        assert_eq!(split("it failed (a; b); do this"), ("it failed (a; b)", Some("do this")));
        assert_eq!(split("the service says \"no; never\""), ("the service says \"no; never\"", None));
    }

    #[test]
    fn messages_name_the_options_of_the_command_line() {
        assert_eq!(
            with_options("`ca_file` \"x\" is bad; set `proxy` to none"),
            "--ca-file \"x\" is bad; set --proxy to none"
        );
    }
}
