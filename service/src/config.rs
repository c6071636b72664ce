//! The configuration of an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::auth::Account;
use crate::clock::Clock;

/// The configuration of an emulator. Set what matters and take the rest from [`Config::default`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 takes a free port. Default: `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Serve HTTPS with a certificate authority made at the start. Default: false.
    pub tls: bool,
    /// Who may ask for tokens; at least one. Two entries with one id are two keys of one account, as the service has
    /// a primary and a secondary key. Default: the development account alone.
    pub accounts: Vec<Account>,
    /// How long a new session is `Starting` before it is `Ready`. Default: 3 s.
    pub startup: Duration,
    /// How long a stopped session is `Stopping` before it is `Stopped`. Default: none.
    pub stopping: Duration,
    /// How long a token is valid; it expires on a whole second. Default: 24 h.
    pub token_lifetime: Duration,
    /// The minimum interval between an account's calls to the session service; others are answered 429 with
    /// `Retry-After`. At most one minute takes effect. Default: none, which admits all.
    pub min_call_interval: Duration,
    /// The renderer's host name in the properties of every session, to direct clients to a real streaming server.
    /// Default: an invented name for each session, which does not resolve.
    pub session_hostname: Option<String>,
    /// The ports for the inspector and the handshake in the properties of every session. Default: invented ones.
    pub session_ports: Option<(u16, u16)>,
    /// How many sessions a page of the list has at most, in REST 2021-01-01; 0 counts as 1. Version 1 knows no pages.
    /// Default: none, which puts all on one page.
    pub page_size: Option<usize>,
    /// Which of the service's two JSON formats of REST 2021-01-01 is used. Default: the later one.
    pub wire: WireFormat,
    /// The source of the time. Default: the machine's clock.
    pub clock: Clock,
    /// How many times faster than the machine's clock the emulator's runs, from its start on: leases, startup and token
    /// expiry follow. 0 counts as 1. A virtual clock is not affected. Default: 1.
    pub time_scale: u32,
    /// Names and addresses that the certificate is valid for besides `localhost` and the loopback addresses. The
    /// address of the listener is always included, and all of the machine's if it listens on every address. Control
    /// calls may use them in `Host`, without HTTPS too. Default: none.
    pub tls_names: Vec<String>,
    /// Take any unexpired JSON Web Token in place of an account's key, for applications that sign in at the real
    /// Microsoft Entra ID. No signature is verified, so **any client** gets access tokens. Default: false.
    pub accept_entra_tokens: bool,
    /// Accept control calls (`/emulator/…`) from other machines too, which then have full control. Default: false.
    pub control_remote: bool,
}

/// The JSON format of REST 2021-01-01. The service changed it in the course of 2021 under the same version number
/// (`docs/service-2021-01-01.md`, "Two generations").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireFormat {
    /// As at the beginning of 2021: unknown values are sent as null or zero.
    V2021,
    /// As later, until the end: unknown values are left out.
    #[default]
    V2022,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: false,
            accounts: vec![Account::development()],
            startup: Duration::from_secs(3),
            stopping: Duration::ZERO,
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            min_call_interval: Duration::ZERO,
            session_hostname: None,
            session_ports: None,
            page_size: None,
            wire: WireFormat::V2022,
            clock: Clock::System,
            time_scale: 1,
            tls_names: Vec::new(),
            accept_entra_tokens: false,
            control_remote: false,
        }
    }
}
