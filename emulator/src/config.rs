//! What an emulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::{Account, Clock};

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
    /// What time it is. Default: the machine's clock.
    pub clock: Clock,
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
            clock: Clock::System,
        }
    }
}
