//! The server behind a session: nobody in truth, unless real ones were named.

use uuid::Uuid;

use crate::config::Config;

/// Where a session's server is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) hostname: String,
    pub(crate) inspector_port: u16,
    pub(crate) handshake_port: u16,
}

/// Gives each new session a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Servers {
    hostname: Option<String>,
    ports: Option<(u16, u16)>,
}

impl Servers {
    /// What the configuration names is every session's; what it does not name is invented for each.
    pub(crate) fn new(config: &Config) -> Servers {
        Servers { hostname: config.session_hostname.clone(), ports: config.session_ports }
    }

    pub(crate) fn next(&self) -> Server {
        let id = Uuid::new_v4();
        let invented = || format!("{id}.remoterenderingvm.westeurope.mixedreality.azure.com");
        let (inspector_port, handshake_port) = self.ports.unwrap_or_else(|| invented_ports(id));
        Server { hostname: self.hostname.clone().unwrap_or_else(invented), inspector_port, handshake_port }
    }
}

/// Two neighbours in the range that the service uses.
fn invented_ports(server: Uuid) -> (u16, u16) {
    const FIRST: u16 = 49_152;
    const PAIRS: u16 = (65_534 - FIRST) / 2;
    let [high, low, ..] = *server.as_bytes();
    let inspector = FIRST + u16::from_be_bytes([high, low]) % PAIRS * 2;
    (inspector, inspector + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_servers_are_every_session_s_and_others_are_invented() {
        let config = Config { session_hostname: Some("render.local".to_owned()), ..Config::default() };
        let (one, two) = (Servers::new(&config).next(), Servers::new(&config).next());
        assert_eq!((one.hostname.as_str(), two.hostname.as_str()), ("render.local", "render.local"));
        assert!(one.inspector_port >= 49_152);

        let servers = Servers::new(&Config { session_ports: Some((1, 2)), ..Config::default() });
        let (one, two) = (servers.next(), servers.next());
        assert_ne!(one.hostname, two.hostname);
        assert_eq!((one.inspector_port, two.handshake_port), (1, 2));
    }
}
