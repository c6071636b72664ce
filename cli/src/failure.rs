//! Why a command failed: cause, remedy, the service's correlation vector, and the exit code.

use std::fmt::Display;
use std::io::{self, Write as _};

use arr_client::{Error, ErrorKind};
use console::style;

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

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    cause: String,
    hints: Vec<String>,
    /// The facts of the service's reply.
    reply: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, cause: impl Into<String>) -> Failure {
        Failure { exit, cause: cause.into(), hints: Vec::new(), reply: None }
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

    /// Prints it to standard error.
    pub(crate) fn print(&self) {
        say(format_args!("{} {}", style("error:").for_stderr().red().bold(), printable(&self.cause)));
        for hint in &self.hints {
            say(format_args!(" {} {}", style("hint:").for_stderr().cyan(), printable(hint)));
        }
        if let Some(reply) = &self.reply {
            say(format_args!("       {}", style(printable(reply)).for_stderr().dim()));
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let message = with_options(error.message());
        let (cause, hint) = split(&message);
        let facts = [
            error.http_status().map(|status| format!("HTTP {status}")),
            error.service_code().map(|code| format!("code {code}")),
            error.retry_after().map(|after| format!("Retry-After {} s", after.as_secs())),
            error.correlation_vector().map(|vector| format!("MS-CV {vector}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        Failure {
            exit: Exit::of(&error),
            cause: cause.to_owned(),
            hints: hint.map(str::to_owned).into_iter().collect(),
            reply: (!facts.is_empty()).then(|| facts.join(", ")),
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
