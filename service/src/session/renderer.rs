//! The address of a session's renderer (rendering server): invented, unless a real one is configured.

use uuid::Uuid;

use crate::config::Config;

/// The address of a session's renderer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RendererAddress {
    pub(crate) hostname: String,
    pub(crate) inspector_port: u16,
    pub(crate) handshake_port: u16,
}

/// Assigns an address to each new session.
#[derive(Clone, Debug, Default)]
pub(crate) struct RendererAllocator {
    hostname: Option<String>,
    ports: Option<(u16, u16)>,
}

impl RendererAllocator {
    /// Configured host names and ports are the same for all sessions; others are invented for each session.
    pub(crate) fn new(config: &Config) -> RendererAllocator {
        RendererAllocator { hostname: config.session_hostname.clone(), ports: config.session_ports }
    }

    pub(crate) fn allocate(&self) -> RendererAddress {
        let id = Uuid::new_v4();
        let invented = || format!("{id}.remoterenderingvm.westeurope.mixedreality.azure.com");
        let (inspector_port, handshake_port) = self.ports.unwrap_or_else(|| invented_ports(id));
        RendererAddress { hostname: self.hostname.clone().unwrap_or_else(invented), inspector_port, handshake_port }
    }
}

/// Two consecutive ports in the range that the service uses.
fn invented_ports(renderer: Uuid) -> (u16, u16) {
    const FIRST: u16 = 49_152;
    const PAIRS: u16 = (65_534 - FIRST) / 2;
    let [high, low, ..] = *renderer.as_bytes();
    let inspector = FIRST + u16::from_be_bytes([high, low]) % PAIRS * 2;
    (inspector, inspector + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_renderers_are_shared_and_others_invented() {
        let config = Config { session_hostname: Some("render.local".to_owned()), ..Config::default() };
        let (one, two) = (RendererAllocator::new(&config).allocate(), RendererAllocator::new(&config).allocate());
        assert_eq!((one.hostname.as_str(), two.hostname.as_str()), ("render.local", "render.local"));
        assert!(one.inspector_port >= 49_152);

        let renderers = RendererAllocator::new(&Config { session_ports: Some((1, 2)), ..Config::default() });
        let (one, two) = (renderers.allocate(), renderers.allocate());
        assert_ne!(one.hostname, two.hostname);
        assert_eq!((one.inspector_port, two.handshake_port), (1, 2));
    }
}
