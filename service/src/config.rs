//! The configuration of an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::Account;
use crate::clock::Clock;

/// The configuration of an emulator. Set the fields that matter and take the rest from [`Config::default`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to keep the certificate authority, the keys that sign tokens, the clock and the sessions, so that a later
    /// emulator goes on with them, even if this process is killed. The folder is made if it is missing, and used by one
    /// emulator at a time. Default: none; everything is in memory.
    pub state_folder: Option<PathBuf>,
    /// Where to listen. Port 0 takes a free port. Default: `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Serve HTTPS, with a certificate authority generated at the start, or kept in the state folder. Default: false.
    pub tls: bool,
    /// Serve HTTPS with this certificate. Default: none.
    pub certificate: Option<CertificateFiles>,
    /// The accounts that can get tokens; at least one. Two entries with the same id give that account two keys, like
    /// the service's primary and secondary key. Default: the development account alone.
    pub accounts: Vec<Account>,
    /// How long a new session is `Starting` before it is `Ready`. Default: 3 s.
    pub startup: Duration,
    /// How long a stopped session is `Stopping` before it is `Stopped`. Default: none.
    pub stopping: Duration,
    /// How many sessions may run at a time, over all accounts. Further creates are answered 429 with the code
    /// `ServiceFull`. Default: no limit.
    pub max_sessions: Option<usize>,
    /// The longest lease. Longer ones are refused: such a session might never end. REST 2021-01-01 has one day as a
    /// further limit. Default: 30 days.
    pub max_lease: Duration,
    /// How long an ended session or conversion can still be read. Beyond 100,000 sessions and 10,000 conversions, the
    /// first to end are forgotten earlier. Default: 30 days.
    pub remember: Duration,
    /// How long a token is valid; it expires on a whole second. Default: 24 h.
    pub token_lifetime: Duration,
    /// The minimum interval between an account's calls to the session service. Earlier calls are answered 429 with
    /// `Retry-After`. More than one minute counts as one minute. Default: zero, which admits all.
    pub min_call_interval: Duration,
    /// The renderer's host name in the properties of every session, to lead clients to a real streaming server.
    /// Default: an invented name for each session, which does not resolve.
    pub session_hostname: Option<String>,
    /// The ports for the inspector and the handshake in the properties of every session. Default: invented ones.
    pub session_ports: Option<(u16, u16)>,
    /// The most sessions or conversions on a page of a list, in REST 2021-01-01; 0 counts as 1. Version 1 has no pages. Default: no
    /// limit, so there is one page.
    pub page_size: Option<usize>,
    /// Which of the service's two JSON formats of REST 2021-01-01 to use. Default: the later one.
    pub wire: WireFormat,
    /// How long a conversion takes. For the first quarter it is `NotStarted`. Default: 4 s.
    pub conversion: Duration,
    /// Models that do not exist, so that their conversions fail: patterns for `{container}/{prefix}{path}`, in which `*`
    /// matches anything within one segment and `**` anything. Default: none.
    pub missing_inputs: Vec<String>,
    /// Accept conversions without shared access signatures, as for linked storage accounts. Default: false, which answers
    /// them 403.
    pub linked_storage: bool,
    /// The source of time. Default: the machine's clock.
    pub clock: Clock,
    /// How many times faster than the machine's clock the emulator's clock runs. Startup, leases and token expiry
    /// follow it. 0 counts as 1. Does not affect a virtual clock. Default: 1.
    pub time_scale: u32,
    /// Names and addresses of the emulator, besides `localhost` and the loopback. The certificate is valid for them. A
    /// request for any other host name is answered 421, even without HTTPS; a request for an address is always served.
    /// The listener's address is included, or all of the machine's if it listens on every address. Default: none.
    pub tls_names: Vec<String>,
    /// Accept any unexpired JSON Web Token in place of an account's key, for applications that sign in at the real
    /// Microsoft Entra ID. No signature is verified, so **any client** gets access tokens. Default: false.
    pub accept_entra_tokens: bool,
    /// Accept control calls (`/emulator/…`) from other machines too, which then have full control. Default: false.
    pub control_remote: bool,
    /// Whether to log each request to standard error, and in which format. Keys and tokens are left out. Default: off.
    pub log_requests: LogRequests,
    /// Time limits for peers, and the most connections.
    pub limits: Limits,
}

/// A certificate for HTTPS, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, followed by those that lead to its authority.
    pub certificates: PathBuf,
    /// Its private key: PKCS #8, RSA (PKCS #1) or EC (SEC 1).
    pub key: PathBuf,
}

impl Config {
    /// Whether to serve HTTPS.
    pub(crate) fn has_tls(&self) -> bool {
        self.tls || self.certificate.is_some()
    }
}

/// How requests are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogRequests {
    /// No log.
    #[default]
    Off,
    /// Lines for people.
    Human,
    /// Lines of JSON: `time`, `peer`, `connection`, `method`, `path`, `status`, `milliseconds`, `ms_cv`.
    Json,
}

/// How long a peer may take, and how many connections there may be. A connection that takes longer is closed. All times
/// are real time, under any clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the TLS handshake, and for the head of a request, from its first byte to its last. Default: 15 s.
    pub head: Duration,
    /// For the body of a request. A slower request is answered 408. Default: 30 s.
    pub body: Duration,
    /// For a connection without a request. Default: 5 min.
    pub idle: Duration,
    /// Without reading any of a reply that is ready. Default: 1 min.
    pub send: Duration,
    /// For a device that left the network without closing its connection, which TCP's keep-alive probes find out; in
    /// multiples of 6 s. Default: 1 min.
    pub vanished: Duration,
    /// The most connections. To admit another, the one that has been idle longest is closed. If none is idle, the new
    /// one is closed, but 16 more are admitted from this machine. Default: 4096, or what the limit on open files
    /// allows.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(5 * 60),
            send: Duration::from_secs(60),
            vanished: Duration::from_secs(60),
            connections: most_connections(),
        }
    }
}

/// Leaves room for files, and for the further connections from this machine.
#[cfg(unix)]
fn most_connections() -> usize {
    const OTHER_FILES: u64 = 96;
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES).clamp(8, 4096)).unwrap_or(4096)
}

#[cfg(not(unix))]
fn most_connections() -> usize {
    4096
}

/// The JSON format of REST 2021-01-01. The service changed it during 2021 without a new version number
/// (`docs/service-2021-01-01.md`, "Two generations").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireFormat {
    /// From the beginning of 2021: unknown values are sent as null or zero.
    V2021,
    /// From later in 2021 until the end of the service: unknown values are left out.
    #[default]
    V2022,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            state_folder: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: false,
            certificate: None,
            accounts: vec![Account::development()],
            startup: Duration::from_secs(3),
            stopping: Duration::ZERO,
            max_lease: Duration::from_secs(30 * 24 * 60 * 60),
            remember: Duration::from_secs(30 * 24 * 60 * 60),
            max_sessions: None,
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            min_call_interval: Duration::ZERO,
            session_hostname: None,
            session_ports: None,
            page_size: None,
            wire: WireFormat::V2022,
            conversion: Duration::from_secs(4),
            missing_inputs: Vec::new(),
            linked_storage: false,
            clock: Clock::System,
            time_scale: 1,
            tls_names: Vec::new(),
            accept_entra_tokens: false,
            control_remote: false,
            log_requests: LogRequests::Off,
            limits: Limits::default(),
        }
    }
}
