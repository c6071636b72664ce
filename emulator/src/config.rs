//! What an emulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::auth::Account;
use crate::clock::Clock;

/// What an emulator is started with. Change what matters and take the rest from [`Config::default`].
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
    /// How far apart an account's calls to the session service must be; others are answered 429 with `Retry-After`.
    /// After a minute without a call the next is let in, however long this is. Default: none, which lets all in.
    pub min_call_interval: Duration,
    /// The server's name in every session's properties, to lead clients to a real streaming server. Default: a name
    /// that is invented for each session, and leads nowhere.
    pub session_hostname: Option<String>,
    /// The inspector's and the handshake's port in every session's properties. Default: invented ones.
    pub session_ports: Option<(u16, u16)>,
    /// How many sessions a page of the list has at most, in REST 2021-01-01; 0 counts as 1. Version 1 knows no pages.
    /// Default: none, which puts all on one page.
    pub page_size: Option<usize>,
    /// Which of the service's two ways of writing REST 2021-01-01 is used. Default: the later one.
    pub wire: Wire,
    /// What time it is. Default: the machine's clock.
    pub clock: Clock,
    /// How many times faster than the machine's clock the emulator's runs, from its start on: leases, startup and token
    /// expiry follow. 0 counts as 1. A virtual clock is not affected. Default: 1.
    pub time_scale: u32,
    /// Names and addresses that the certificate is for besides `localhost` and the loopback's. An address listened on
    /// is among them anyway; of one that listens on every address, all of the machine's. Control calls may name the
    /// emulator by them, without HTTPS too. Default: none.
    pub tls_names: Vec<String>,
    /// Take any unexpired JSON Web Token in place of an account's key, for applications that sign in at the real
    /// Microsoft Entra ID. No signature is verified, so **anybody** gets access tokens. Default: false.
    pub accept_entra_tokens: bool,
    /// Take control calls (`/emulator/…`) from other machines too, which then can do anything. Default: false.
    pub control_remote: bool,
}

/// How the emulator writes REST 2021-01-01 (`docs/service-2021-01-01.md`, "Two generations"): the service changed it in the course of 2021, under one version number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// As at the beginning of 2021: what is not known is sent as null or zero.
    V2021,
    /// As later, until the end: what is not known is left out.
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
            wire: Wire::V2022,
            clock: Clock::System,
            time_scale: 1,
            tls_names: Vec::new(),
            accept_entra_tokens: false,
            control_remote: false,
        }
    }
}
