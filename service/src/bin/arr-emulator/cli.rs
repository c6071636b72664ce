//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use arr_service::{Account, Config, WireFormat};
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

/// What the command line asks for.
pub(crate) enum Invocation {
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
    /// Where to listen; port 0 takes a free port, 0.0.0.0 every address
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8722", value_parser = address)]
    listen: SocketAddr,

    /// An account to serve instead of the development account; may be given several times
    // Read as an account only later: what clap cannot read it repeats in its message, and this holds a key.
    #[arg(long = "account", value_name = "ID:KEY")]
    accounts: Vec<String>,

    /// Write a JSON file with url, account_id, account_key, account_domain and ca_file once the emulator listens;
    /// it is removed at the end
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,

    /// Serve HTTPS, with a certificate authority made at each start
    #[arg(long, help_heading = "HTTPS")]
    tls: bool,

    /// Where to write the certificate that clients must trust [default: arr-emulator-ca.pem]
    #[arg(long, value_name = "PATH", help_heading = "HTTPS")]
    ca_file: Option<PathBuf>,

    /// A name or address that the certificate is for, and by which control calls may reach it (without --tls too),
    /// besides localhost and where it listens; several times if need be
    #[arg(long = "tls-name", value_name = "HOST", help_heading = "HTTPS", value_parser = dns_host)]
    tls_names: Vec<String>,

    /// How long a new session is starting before it is ready, such as 500ms, 3s or 2m
    #[arg(long, value_name = "TIME", default_value = "3s", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    startup: Duration,

    /// How long a stopped session is stopping before it is gone
    #[arg(long, value_name = "TIME", default_value = "0s", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    stopping: Duration,

    /// The server that every session's properties name: a real streaming server
    #[arg(long, value_name = "HOST", help_heading = "Sessions", value_parser = host)]
    session_hostname: Option<String>,

    /// Its ports for the inspector and the handshake
    #[arg(long, value_name = "INSPECTOR,HANDSHAKE", help_heading = "Sessions", value_parser = ports)]
    session_ports: Option<(u16, u16)>,

    /// How many sessions a page of the list has, in REST 2021-01-01 [default: all]
    #[arg(long, value_name = "N", help_heading = "REST 2021-01-01", value_parser = page_size)]
    page_size: Option<usize>,

    /// Which of the service's two ways of writing is used: 2021 sends what is not known as null or zero, 2022 leaves it
    /// out
    #[arg(long, value_name = "YEAR", default_value = "2022", help_heading = "REST 2021-01-01", value_parser = wire)]
    wire: WireFormat,

    /// How long a token is valid
    #[arg(long, value_name = "TIME", default_value = "24h", help_heading = "Access", value_parser = humantime::parse_duration)]
    token_lifetime: Duration,

    /// Answer 429 to calls of an account that come closer together than this, which is at most a minute; 0s lets all in
    #[arg(long, value_name = "TIME", default_value = "0s", help_heading = "Access", value_parser = call_interval)]
    min_call_interval: Duration,

    /// Take any unexpired Microsoft Entra token in place of an account key, WITHOUT verifying it: whoever reaches the
    /// emulator can make up such a token and gets in
    #[arg(long, help_heading = "Access")]
    accept_entra_tokens: bool,

    /// Let the emulator's clock run N times faster: startup, leases, tokens
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Control", value_parser = clap::value_parser!(u32).range(1..))]
    time_scale: u32,

    /// Take control calls (faults, clock, record) from other machines too, without any sign-in
    #[arg(long, help_heading = "Control")]
    control_remote: bool,
}

/// Reads the command line. The error is one line.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, String> {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            options(arguments).map(|options| Invocation::Run(Box::new(options))).map_err(|problem| with_hint(&problem))
        }
        Err(error) if is_no_error(error.kind()) => Ok(Invocation::Print(error.to_string())),
        Err(error) => Err(with_hint(&one_line(&error.to_string()))),
    }
}

fn options(arguments: Arguments) -> Result<Options, String> {
    if arguments.ca_file.is_some() && !arguments.tls {
        return Err("--ca-file needs --tls: without HTTPS there is no certificate to write".to_owned());
    }
    let default_ca_file = || arguments.tls.then(|| DEFAULT_CA_FILE.into());
    let ca_file = arguments.ca_file.or_else(default_ca_file);
    // A path that cannot be made absolute cannot be written either.
    let absolute = |path: &Option<PathBuf>| path.as_ref().and_then(|path| std::path::absolute(path).ok());
    if ca_file.is_some() && absolute(&ca_file) == absolute(&arguments.ready_file) {
        return Err("--ca-file and --ready-file name the same file; give each its own".to_owned());
    }
    let config = Config {
        listen: arguments.listen,
        tls: arguments.tls,
        accounts: accounts(&arguments.accounts)?,
        startup: arguments.startup,
        stopping: arguments.stopping,
        token_lifetime: arguments.token_lifetime,
        min_call_interval: arguments.min_call_interval,
        session_hostname: arguments.session_hostname,
        session_ports: arguments.session_ports,
        page_size: arguments.page_size,
        wire: arguments.wire,
        time_scale: arguments.time_scale,
        tls_names: arguments.tls_names,
        accept_entra_tokens: arguments.accept_entra_tokens,
        control_remote: arguments.control_remote,
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

/// A host without scheme, port and path.
fn host(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_name || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err("write a name or an IP address alone, such as studio.local or 192.0.2.7".to_owned())
}

/// A host that a certificate can be valid for: an address or a valid DNS name.
fn dns_host(text: &str) -> Result<String, String> {
    let host = host(text)?;
    let is_label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if host.parse::<IpAddr>().is_ok() || (host.len() <= 253 && host.split('.').all(is_label)) {
        return Ok(host);
    }
    Err("write a name of parts with 1 to 63 characters each, no hyphen at their ends, such as studio.local".to_owned())
}

/// Bounded because the service forgets a call after a minute, and so does the emulator.
fn call_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval > Duration::from_secs(60) {
        return Err("write at most 1m: after a minute without a call the next is let in".to_owned());
    }
    Ok(interval)
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.trim().parse().ok().filter(|port| *port != 0);
    let ports = text.split_once(',').and_then(|(inspector, handshake)| Some((port(inspector)?, port(handshake)?)));
    ports.ok_or_else(|| "write two ports, such as 50051,50052".to_owned())
}

fn page_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| "write a number from 1 on".to_owned())
}

fn wire(text: &str) -> Result<WireFormat, String> {
    match text {
        "2021" => Ok(WireFormat::V2021),
        "2022" => Ok(WireFormat::V2022),
        _ => Err("write 2021 or 2022".to_owned()),
    }
}

fn is_no_error(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// clap's message, which has several lines, as one line without the usage.
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
    use clap::CommandFactory as _;

    use super::*;

    fn read_words(words: &[&str]) -> Result<Invocation, String> {
        read(["arr-emulator"].iter().chain(words).map(OsString::from))
    }

    fn options_of(words: &[&str]) -> Options {
        match read_words(words) {
            Ok(Invocation::Run(options)) => *options,
            Ok(Invocation::Print(text)) => panic!("printed {text}"),
            Err(problem) => panic!("{problem}"),
        }
    }

    fn problem_of(words: &[&str]) -> String {
        read_words(words).err().expect("a problem")
    }

    #[test]
    fn the_help_explains_every_option() {
        let mut command = Arguments::command();
        let help = command.render_help().to_string();
        for option in command.get_arguments() {
            let name = option.get_long().expect("a long name");
            let text = option.get_help().expect("an explanation").to_string();
            let first_words = text.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            assert!(help.contains(&format!("--{name}")) && help.contains(&first_words), "{name} in {help}");
        }
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
    fn the_defaults_of_the_program_are_the_library_s() {
        // In the order of the fields; where it listens is the program's own.
        let (program, library) = (options_of(&["--listen", "127.0.0.1:0"]).config, Config::default());
        assert_eq!(format!("{program:?}"), format!("{library:?}"));
    }

    #[test]
    fn each_option_reaches_the_configuration() {
        let config = options_of(&[
            "--tls",
            "--tls-name",
            "studio.local",
            "--tls-name",
            "192.0.2.7",
            "--stopping",
            "2s",
            "--token-lifetime",
            "10m",
            "--min-call-interval",
            "5s",
            "--session-hostname",
            "render.local",
            "--session-ports",
            "50051,50052",
            "--page-size",
            "2",
            "--wire",
            "2021",
            "--time-scale",
            "60",
            "--accept-entra-tokens",
            "--control-remote",
        ])
        .config;
        assert_eq!(config.tls_names, ["studio.local", "192.0.2.7"]);
        assert_eq!(config.stopping, Duration::from_secs(2));
        assert_eq!(config.token_lifetime, Duration::from_secs(600));
        assert_eq!(config.min_call_interval, Duration::from_secs(5));
        assert_eq!(config.session_hostname.as_deref(), Some("render.local"));
        assert_eq!(config.session_ports, Some((50_051, 50_052)));
        assert_eq!((config.page_size, config.wire), (Some(2), WireFormat::V2021));
        assert_eq!(config.time_scale, 60);
        assert!(config.accept_entra_tokens && config.control_remote);
    }

    #[test]
    fn https_writes_its_certificate_somewhere() {
        assert_eq!(options_of(&["--tls"]).ca_file, Some(DEFAULT_CA_FILE.into()));
        assert_eq!(options_of(&["--tls", "--ca-file", "x.pem"]).ca_file, Some("x.pem".into()));
        assert!(problem_of(&["--ca-file", "x.pem"]).contains("--ca-file needs --tls"));
    }

    #[test]
    fn a_name_is_for_control_calls_without_https() {
        assert_eq!(options_of(&["--tls-name", "studio.local"]).config.tls_names, ["studio.local"]);
        assert_eq!(options_of(&["--min-call-interval", "1m"]).config.min_call_interval, Duration::from_secs(60));
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
            &["--tls", "--tls-name", "https://studio.local"],
            &["--tls", "--tls-name", "studio.local:8722"],
            &["--tls-name", "studio..local"],
            &["--tls-name", "-studio.local"],
            &["--tls-name", ""],
            &["--min-call-interval", "61s"],
            &["--tls", "--ca-file", "one.pem", "--ready-file", "./one.pem"],
            &["--session-hostname", ""],
            &["--session-ports", "50051"],
            &["--session-ports", "0,1"],
            &["--page-size", "0"],
            &["--page-size", "all"],
            &["--wire", "2020"],
            &["--time-scale", "0"],
            &["--time-scale", "1.5"],
        ] {
            let problem = problem_of(words);
            assert_eq!(problem.lines().count(), 1, "{problem}");
            assert!(problem.ends_with("(arr-emulator --help explains)"), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert!(problem_of(&["--lisen", "x"]).contains("'--listen'"));
    }
}
