//! The emulator's names and addresses: its certificate is valid for them, and the `Host` of a request must not be
//! another name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// Names and addresses without duplicates, the loopback's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hostnames {
    pub(crate) dns: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    /// The ones that other machines on the network can use.
    network: Vec<String>,
}

impl Hostnames {
    /// The names of an emulator that listens on this address and is configured with these names. If it listens on every
    /// address, all of the machine's addresses are included.
    pub(crate) fn new(listen: IpAddr, given: &[String]) -> Hostnames {
        let own = if listen.is_unspecified() { interface_addresses() } else { vec![listen] };
        Hostnames::from_addresses(listen, own, given)
    }

    fn from_addresses(listen: IpAddr, own: Vec<IpAddr>, given: &[String]) -> Hostnames {
        let mut hostnames = Hostnames {
            dns: vec!["localhost".to_owned()],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            network: Vec::new(),
        };
        for name in given {
            match name.parse() {
                Ok(address) => hostnames.add_address(address),
                Err(_) => hostnames.dns.push(name.to_ascii_lowercase()),
            }
            if !listen.is_loopback() {
                hostnames.network.push(name.to_ascii_lowercase());
            }
        }
        for address in own {
            hostnames.add_address(address);
            let text = address.to_string();
            if !address.is_loopback() && reaches(listen, address) && !hostnames.network.contains(&text) {
                hostnames.network.push(text);
            }
        }
        hostnames
    }

    fn add_address(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// The URLs for other machines on the network.
    pub(crate) fn network_urls(&self, scheme: &str, port: u16) -> Vec<String> {
        let url = |name: &String| match name.parse() {
            Ok(address) => format!("{scheme}://{}", SocketAddr::new(address, port)),
            Err(_) => format!("{scheme}://{name}:{port}"),
        };
        self.network.iter().map(url).collect()
    }

    /// Whether a `Host` header, with or without a port, names this emulator or the loopback.
    pub(crate) fn contains_host(&self, host: &str) -> bool {
        match Host::parse(host) {
            Some(Host::Address(address)) => address.to_canonical().is_loopback() || self.addresses.contains(&address),
            Some(Host::Name(name)) => self.dns.iter().any(|known| known.eq_ignore_ascii_case(&name)),
            None => false,
        }
    }

    /// Whether a request may be meant for this emulator, by the hosts in its `Host` headers and in its first line.
    pub(crate) fn may_serve_request(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        headers.get_all(HOST).iter().all(|host| host.to_str().is_ok_and(|host| self.may_serve(host)))
            && uri.authority().is_none_or(|authority| self.may_serve(authority.as_str()))
    }

    /// Whether a request for this host may be meant for this emulator. Any address may: a web page whose name was made
    /// to resolve to this machine (DNS rebinding) sends a name.
    pub(crate) fn may_serve(&self, host: &str) -> bool {
        host.is_empty() || self.contains_host(host) || matches!(Host::parse(host), Some(Host::Address(_)))
    }
}

/// What a `Host` header names.
enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// `None` if it is malformed.
    fn parse(host: &str) -> Option<Host> {
        let authority = host.parse::<Authority>().ok()?;
        let port_is_none_or_number = authority.port().is_none() == authority.as_str().ends_with(authority.host())
            && authority.port().is_none_or(|port| port.as_str().parse::<u16>().is_ok());
        if authority.as_str().contains('@') || !port_is_none_or_number {
            return None;
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // A trailing dot only marks the name as fully qualified.
        let name = || Host::Name(host.strip_suffix('.').unwrap_or(host).to_owned());
        Some(bare.parse().map_or_else(|_| name(), Host::Address))
    }
}

/// Whether a listener on `listen` can accept connections to this address of the machine.
fn reaches(listen: IpAddr, address: IpAddr) -> bool {
    match listen {
        IpAddr::V4(_) => address.is_ipv4(),
        // Except on Windows, a listener on every IPv6 address serves IPv4 too.
        IpAddr::V6(listen) => address.is_ipv6() || (listen.is_unspecified() && !cfg!(windows)),
    }
}

/// The addresses of this machine that a URL can contain. Empty if the system does not list them.
fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = interfaces.iter().map(if_addrs::Interface::ip);
    addresses.filter(|address| !address.is_loopback() && !needs_a_scope(*address)).collect()
}

/// IPv6 link-local addresses are valid only together with an interface.
fn needs_a_scope(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn given(hostnames: &[&str]) -> Vec<String> {
        hostnames.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_loopback_listener_has_no_network_urls() {
        let hostnames = Hostnames::new(ip("127.0.0.1"), &given(&["studio.local"]));
        assert_eq!(hostnames.dns, ["localhost", "studio.local"]);
        assert_eq!(hostnames.addresses, [ip("127.0.0.1"), ip("::1")]);
        assert!(hostnames.network_urls("http", 1).is_empty());
    }

    #[test]
    fn a_listener_on_every_address_has_all_addresses_and_names() {
        let own = || vec![ip("192.0.2.7"), ip("2001:db8::7")];
        let hostnames =
            Hostnames::from_addresses(ip("0.0.0.0"), own(), &given(&["Studio.local", "203.0.113.1", "192.0.2.7"]));
        assert_eq!(hostnames.dns, ["localhost", "studio.local"]);
        assert_eq!(hostnames.addresses[2..], [ip("203.0.113.1"), ip("192.0.2.7"), ip("2001:db8::7")]);
        let urls = ["https://studio.local:8722", "https://203.0.113.1:8722", "https://192.0.2.7:8722"];
        assert_eq!(hostnames.network_urls("https", 8722), urls, "no IPv6: the listener is IPv4 only");
        let hostnames = Hostnames::from_addresses(ip("::"), own(), &[]);
        assert!(hostnames.network_urls("http", 80).contains(&"http://[2001:db8::7]:80".to_owned()));
    }

    #[test]
    fn only_own_hosts_and_the_loopback_are_recognised() {
        let hostnames = Hostnames::from_addresses(ip("0.0.0.0"), vec![ip("192.0.2.7")], &given(&["studio.local"]));
        for own in [
            "localhost",
            "LOCALHOST:8722",
            "127.0.0.1:1",
            "127.0.0.9",
            "[::1]:8722",
            "[::1]",
            "192.0.2.7:1",
            "localhost.",
            "localhost.:1",
        ] {
            assert!(hostnames.contains_host(own), "{own}");
        }
        assert!(hostnames.contains_host("Studio.Local:8722"));
        for foreign in [
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:80",
            "192.0.2.8",
            "",
            "[",
            ":",
            ".",
            "localhost..",
            "localhost:80x",
            "localhost:",
            "localhost:65536",
            "x@localhost",
            "[::1]x",
            "localhost/",
        ] {
            assert!(!hostnames.contains_host(foreign), "{foreign}");
            let is_none_or_an_address = ["", "192.0.2.8"].contains(&foreign);
            assert_eq!(hostnames.may_serve(foreign), is_none_or_an_address, "{foreign}");
        }
        assert!(hostnames.may_serve("studio.local:1"));
    }
}
