//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arr_service::{Account, CertificateFiles, Config, LogRequests, WireFormat};
use clap::Parser;
use clap::error::ErrorKind;

const DEFAULT_CA_FILE: &str = "arr-emulator-ca.pem";

const ABOUT: &str = "The Azure Remote Rendering session service, emulated in one process.\n\n\
    It issues access tokens, and creates, extends, lists and stops sessions as the service did. Leases run out, but \
    nothing is rendered. Point an application's account domain and service endpoint at its URL.";

const EXAMPLE: &str = "Example:\n  \
    arr-emulator --tls --startup 10s\n\n  \
    serves https://127.0.0.1:8722 for the development account, whose key is public, writes the certificate that\n  \
    clients must trust to arr-emulator-ca.pem, and makes each session ready 10 s after its creation.\n  \
    Press Ctrl+C to stop.";

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
    /// The address to listen on; port 0 picks a free port, 0.0.0.0 listens on every address
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8722", value_parser = address)]
    listen: SocketAddr,

    /// An account to serve instead of the development account; may be given several times
    // Parsed later: clap's error message would repeat a malformed value, and this one contains a key.
    #[arg(long = "account", value_name = "ID:KEY")]
    accounts: Vec<String>,

    /// A file with accounts, one ID:KEY per line, so that no key shows in the process list
    #[arg(long, value_name = "PATH")]
    account_file: Option<PathBuf>,

    /// Write a JSON file with url, account_id, account_key, account_domain and ca_file once the emulator listens, and
    /// remove it at the end
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,

    /// Keep certificate authority, token keys, clock and sessions in this folder, across restarts and crashes
    #[arg(long = "state", value_name = "DIR")]
    state_folder: Option<PathBuf>,

    /// Serve HTTPS, with a certificate authority generated at each start, or kept with --state
    #[arg(long, help_heading = "HTTPS")]
    tls: bool,

    /// Serve HTTPS with this certificate: a PEM file, with those that lead to its authority; needs --key
    #[arg(long, value_name = "FILE", help_heading = "HTTPS", requires = "key")]
    cert: Option<PathBuf>,

    /// The private key of that certificate: a PEM file with PKCS #8, RSA or EC, not encrypted
    #[arg(long, value_name = "FILE", help_heading = "HTTPS", requires = "cert")]
    key: Option<PathBuf>,

    /// Where to write the certificate that clients must trust [default: arr-emulator-ca.pem]
    #[arg(long, value_name = "PATH", help_heading = "HTTPS")]
    ca_file: Option<PathBuf>,

    /// Another host name or address of the emulator: the certificate is valid for it, and requests for it are served,
    /// even without --tls; may be given several times
    #[arg(long = "tls-name", value_name = "HOST", help_heading = "HTTPS", value_parser = dns_host)]
    tls_names: Vec<String>,

    /// The time from a session's creation until it is ready, such as 500ms, 3s or 2m
    #[arg(long, value_name = "TIME", default_value = "3s", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    startup: Duration,

    /// The time from a stop until the session is stopped
    #[arg(long, value_name = "TIME", default_value = "0s", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    stopping: Duration,

    /// The longest lease; longer ones are refused with 400
    #[arg(long, value_name = "TIME", default_value = "30d", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    max_lease: Duration,

    /// How long an ended session or conversion can still be read, such as 1h; beyond 100,000 sessions and 10,000
    /// conversions, the first to end are forgotten earlier
    #[arg(long, value_name = "TIME", default_value = "30d", help_heading = "Sessions", value_parser = humantime::parse_duration)]
    remember: Duration,

    /// The host name in every session's properties, to lead clients to a real streaming server [default: invented]
    #[arg(long, value_name = "HOST", help_heading = "Sessions", value_parser = host)]
    session_hostname: Option<String>,

    /// That server's ports for the inspector and the handshake [default: invented]
    #[arg(long, value_name = "INSPECTOR,HANDSHAKE", help_heading = "Sessions", value_parser = ports)]
    session_ports: Option<(u16, u16)>,

    /// How many sessions may run at a time; further creates are answered 429 with the code ServiceFull [default: no
    /// limit]
    #[arg(long, value_name = "N", help_heading = "Sessions")]
    max_sessions: Option<usize>,

    /// The most sessions or conversions on a page of a list [default: all on one page]
    #[arg(long, value_name = "N", help_heading = "REST 2021-01-01", value_parser = page_size)]
    page_size: Option<usize>,

    /// Which of the service's two JSON formats to use: 2021 sends unknown values as null or zero, 2022 leaves them out
    #[arg(long, value_name = "YEAR", default_value = "2022", help_heading = "REST 2021-01-01", value_parser = wire)]
    wire: WireFormat,

    /// The time from a conversion's creation to its end; for the first quarter it is NotStarted
    #[arg(long, value_name = "TIME", default_value = "4s", help_heading = "Conversions", value_parser = humantime::parse_duration)]
    conversion: Duration,

    /// A model that does not exist, so that its conversion fails: a pattern for its container's URI, prefix and path,
    /// such as '**/missing.fbx'; may be given several times
    #[arg(long = "missing-input", value_name = "PATTERN", help_heading = "Conversions")]
    missing_inputs: Vec<String>,

    /// Accept conversions without shared access signatures, as for linked storage accounts, instead of answering 403
    #[arg(long, help_heading = "Conversions")]
    linked_storage: bool,

    /// How long an access token is valid
    #[arg(long, value_name = "TIME", default_value = "24h", help_heading = "Access", value_parser = humantime::parse_duration)]
    token_lifetime: Duration,

    /// Answer 429 to an account's calls that come closer together than this (at most 1m); 0s admits all
    #[arg(long, value_name = "TIME", default_value = "0s", help_heading = "Access", value_parser = call_interval)]
    min_call_interval: Duration,

    /// Accept any unexpired Microsoft Entra token in place of an account key, WITHOUT verifying it: anyone who reaches
    /// the emulator can make up such a token
    #[arg(long, help_heading = "Access")]
    accept_entra_tokens: bool,

    /// Run the emulator's clock N times faster; startup, leases and tokens follow it
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Control", value_parser = clap::value_parser!(u32).range(1..))]
    time_scale: u32,

    /// Log each request to standard error, as human or json; keys and tokens are left out
    #[arg(long = "log", value_name = "FORMAT", help_heading = "Control", value_parser = log_requests)]
    log_requests: Option<LogRequests>,

    /// Accept control calls (faults, clock, request log) from other machines too; they need no token
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
    if arguments.ca_file.is_some() && arguments.cert.is_some() {
        return Err("--ca-file and --cert exclude each other: the emulator does not know your authority".to_owned());
    }
    if arguments.ca_file.is_some() && !arguments.tls {
        return Err("--ca-file needs --tls: without HTTPS there is no certificate to write".to_owned());
    }
    let certificate = arguments.cert.zip(arguments.key);
    let default_ca_file = || (arguments.tls && certificate.is_none()).then(|| DEFAULT_CA_FILE.into());
    let ca_file = arguments.ca_file.or_else(default_ca_file);
    // A path that cannot be made absolute cannot be written either.
    let absolute = |path: &Option<PathBuf>| path.as_ref().and_then(|path| std::path::absolute(path).ok());
    if ca_file.is_some() && absolute(&ca_file) == absolute(&arguments.ready_file) {
        return Err("--ca-file and --ready-file name the same file; give each its own".to_owned());
    }
    let config = Config {
        state_folder: arguments.state_folder,
        listen: arguments.listen,
        tls: arguments.tls || certificate.is_some(),
        certificate: certificate.map(|(certificates, key)| CertificateFiles { certificates, key }),
        accounts: accounts(&arguments.accounts, arguments.account_file.as_deref())?,
        startup: arguments.startup,
        stopping: arguments.stopping,
        max_lease: arguments.max_lease,
        remember: arguments.remember,
        token_lifetime: arguments.token_lifetime,
        min_call_interval: arguments.min_call_interval,
        session_hostname: arguments.session_hostname,
        session_ports: arguments.session_ports,
        max_sessions: arguments.max_sessions,
        page_size: arguments.page_size,
        wire: arguments.wire,
        conversion: arguments.conversion,
        missing_inputs: arguments.missing_inputs,
        linked_storage: arguments.linked_storage,
        time_scale: arguments.time_scale,
        tls_names: arguments.tls_names,
        accept_entra_tokens: arguments.accept_entra_tokens,
        control_remote: arguments.control_remote,
        log_requests: arguments.log_requests.unwrap_or_default(),
        ..Config::default()
    };
    Ok(Options { config, ca_file, ready_file: arguments.ready_file })
}

fn accounts(given: &[String], file: Option<&Path>) -> Result<Vec<Account>, String> {
    let mut accounts = given
        .iter()
        .map(|text| text.parse().map_err(|error| format!("--account: {error}")))
        .collect::<Result<Vec<Account>, String>>()?;
    if let Some(path) = file {
        let problem = |what: &dyn Display| format!("--account-file {}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| problem(&error))?;
        let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines().map(str::trim));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let account = line.parse().map_err(|error| problem(&format!("line {number}: {error}")))?;
            accounts.push(account);
        }
        if accounts.is_empty() {
            return Err(problem(&"it contains no account"));
        }
    }
    Ok(if accounts.is_empty() { vec![Account::development()] } else { accounts })
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
    Err("write a DNS name whose labels have 1 to 63 characters and no hyphen at either end, such as studio.local"
        .to_owned())
}

/// Bounded, because the emulator forgets a call after a minute.
fn call_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval > Duration::from_secs(60) {
        return Err("write at most 1m: after a minute without a call, the next is always admitted".to_owned());
    }
    Ok(interval)
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.trim().parse().ok().filter(|port| *port != 0);
    let ports = text.split_once(',').and_then(|(inspector, handshake)| Some((port(inspector)?, port(handshake)?)));
    ports.ok_or_else(|| "write two ports, such as 50051,50052".to_owned())
}

fn page_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| "write a number of at least 1".to_owned())
}

fn wire(text: &str) -> Result<WireFormat, String> {
    match text {
        "2021" => Ok(WireFormat::V2021),
        "2022" => Ok(WireFormat::V2022),
        _ => Err("write 2021 or 2022".to_owned()),
    }
}

fn log_requests(text: &str) -> Result<LogRequests, String> {
    match text {
        "human" => Ok(LogRequests::Human),
        "json" => Ok(LogRequests::Json),
        _ => Err("write human or json".to_owned()),
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
    format!("{problem} (see arr-emulator --help)")
}

#[cfg(test)]
mod tests;
