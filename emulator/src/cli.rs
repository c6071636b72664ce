//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use arr_emulator::{Account, Config};
use clap::Parser;
use clap::error::ErrorKind;

const DEFAULT_CA_FILE: &str = "arr-emulator-ca.pem";

const ABOUT: &str = "The Azure Remote Rendering session service, emulated in one process.\n\n\
    It hands out access tokens and creates, extends, lists and stops sessions as the service did, with a real lease \
    clock, but renders nothing. Point an application's account domain and service endpoint at its URL.";

const EXAMPLE: &str = "Example:\n  \
    arr-emulator --tls --startup 10s\n\n  \
    serves https://127.0.0.1:8722 for the development account, whose key is public, writes the certificate that\n  \
    clients must trust to arr-emulator-ca.pem, and makes each session ready 10 s after its creation.\n  \
    Ctrl+C stops it.";

/// What was asked for.
pub(crate) enum Request {
    /// Run an emulator.
    Run(Box<Options>),
    /// Print this text: help or the version.
    Print(String),
}

/// How to run.
#[derive(Debug)]
pub(crate) struct Options {
    /// What the emulator is started with.
    pub(crate) config: Config,
    /// Where to write the certificate that clients must trust.
    pub(crate) ca_file: Option<PathBuf>,
    /// Where to write the connection details once the emulator listens.
    pub(crate) ready_file: Option<PathBuf>,
}

#[derive(Parser)]
#[command(name = "arr-emulator", version, about = ABOUT, after_help = EXAMPLE)]
struct Arguments {
    /// Where to listen; port 0 takes a free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8722", value_parser = address)]
    listen: SocketAddr,

    /// Serve HTTPS, with a certificate authority made at each start
    #[arg(long)]
    tls: bool,

    /// Where to write the certificate that clients must trust; needs --tls [default: arr-emulator-ca.pem]
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,

    /// Write a JSON file with url, account_id, account_key, account_domain and ca_file once the emulator listens;
    /// it is removed at the end
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,

    /// An account to serve instead of the development account; may be given several times
    // Read as an account only later: what clap cannot read it repeats in its message, and this holds a key.
    #[arg(long = "account", value_name = "ID:KEY")]
    accounts: Vec<String>,

    /// How long a new session is starting before it is ready, such as 500ms, 3s or 2m
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = humantime::parse_duration)]
    startup: Duration,
}

/// Reads the command line. The error is one line.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            options(arguments).map(|options| Request::Run(Box::new(options))).map_err(|problem| with_hint(&problem))
        }
        Err(error) if is_no_error(error.kind()) => Ok(Request::Print(error.to_string())),
        Err(error) => Err(with_hint(&one_line(&error.to_string()))),
    }
}

fn options(arguments: Arguments) -> Result<Options, String> {
    if arguments.ca_file.is_some() && !arguments.tls {
        return Err("--ca-file needs --tls: without HTTPS there is no certificate to write".to_owned());
    }
    let default_ca_file = || arguments.tls.then(|| DEFAULT_CA_FILE.into());
    let ca_file = arguments.ca_file.or_else(default_ca_file);
    if ca_file.is_some() && ca_file == arguments.ready_file {
        return Err("--ca-file and --ready-file name the same file; give each its own".to_owned());
    }
    let config = Config {
        listen: arguments.listen,
        tls: arguments.tls,
        accounts: accounts(&arguments.accounts)?,
        startup: arguments.startup,
        ..Config::default()
    };
    Ok(Options { config, ca_file, ready_file: arguments.ready_file })
}

fn accounts(given: &[String]) -> Result<Vec<Account>, String> {
    if given.is_empty() {
        return Ok(vec![Account::development()]);
    }
    given.iter().map(|text| text.parse::<Account>().map_err(|error| format!("--account: {error}"))).collect()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:8722 or [::1]:0".to_owned())
}

fn is_no_error(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// What clap says over several lines, without the usage.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim);
    let lines = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let line = lines.join("; ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn with_hint(problem: &str) -> String {
    format!("{problem} (arr-emulator --help explains)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<Request, String> {
        read(["arr-emulator"].iter().chain(words).map(OsString::from))
    }

    fn options_of(words: &[&str]) -> Options {
        match read_words(words) {
            Ok(Request::Run(options)) => *options,
            Ok(Request::Print(text)) => panic!("printed {text}"),
            Err(problem) => panic!("{problem}"),
        }
    }

    fn problem_of(words: &[&str]) -> String {
        read_words(words).err().expect("a problem")
    }

    #[test]
    fn the_defaults_need_no_option() {
        let options = options_of(&[]);
        assert_eq!(options.config.listen.to_string(), "127.0.0.1:8722");
        assert_eq!(options.config.startup, Duration::from_secs(3));
        assert_eq!(options.config.accounts, [Account::development()]);
        assert!(!options.config.tls && options.ca_file.is_none() && options.ready_file.is_none());
    }

    #[test]
    fn https_writes_its_certificate_somewhere() {
        assert_eq!(options_of(&["--tls"]).ca_file, Some(DEFAULT_CA_FILE.into()));
        assert_eq!(options_of(&["--tls", "--ca-file", "x.pem"]).ca_file, Some("x.pem".into()));
        assert!(problem_of(&["--ca-file", "x.pem"]).contains("--ca-file needs --tls"));
    }

    #[test]
    fn given_accounts_replace_the_development_account() {
        let (one, two) = ("11111111-1111-1111-1111-111111111111:a", "22222222-2222-2222-2222-222222222222:b");
        let options = options_of(&["--account", one, "--account", two]);
        let ids: Vec<_> = options.config.accounts.iter().map(Account::id).collect();
        assert_eq!(ids, [&one[..36], &two[..36]]);
    }

    #[test]
    fn a_problem_is_one_line_that_points_to_the_help() {
        for words in [
            &["--lisen", "x"][..],
            &["--listen", "localhost"],
            &["--listen"],
            &["--startup", "soon"],
            &["--tls=yes"],
            &["stray"],
            &["--account", "not-a-guid:secret"],
        ] {
            let problem = problem_of(words);
            assert_eq!(problem.lines().count(), 1, "{problem}");
            assert!(problem.ends_with("(arr-emulator --help explains)"), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert!(problem_of(&["--lisen", "x"]).contains("'--listen'"));
    }
}
