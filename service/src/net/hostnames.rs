//! The names and addresses by which this emulator is reached: its certificate is valid for them, and control calls must
//! name one of them in their `Host` header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::uri::Authority;

/// Names and addresses without duplicates, those of the loopback first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hostnames {
    pub(crate) dns: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    /// By which other machines on the network reach it.
    network: Vec<String>,
}

impl Hostnames {
    /// The names of an emulator that listens on this address and was configured with these names. One that listens on
    /// every address has all addresses of the machine.
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
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let port_is_none_or_number = authority.port().is_none() == authority.as_str().ends_with(authority.host())
            && authority.port().is_none_or(|port| port.as_str().parse::<u16>().is_ok());
        if authority.as_str().contains('@') || !port_is_none_or_number {
            return false;
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback() || self.addresses.contains(&address),
            Err(_) => {
                // A trailing dot marks a fully qualified name, which these are.
                let name = host.strip_suffix('.').unwrap_or(host);
                self.dns.iter().any(|known| known.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// Whether a listener on every address takes connections to this one.
fn reaches(listen: IpAddr, address: IpAddr) -> bool {
    match listen {
        IpAddr::V4(_) => address.is_ipv4(),
        // Except on Windows, such a listener serves both kinds.
        IpAddr::V6(listen) => address.is_ipv6() || (listen.is_unspecified() && !cfg!(windows)),
    }
}

/// The addresses of this machine that a URL can name. None if the system does not list them.
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
    fn a_loopback_listener_has_no_url_for_others() {
        let hostnames = Hostnames::new(ip("127.0.0.1"), &given(&["studio.local"]));
        assert_eq!(hostnames.dns, ["localhost", "studio.local"]);
        assert_eq!(hostnames.addresses, [ip("127.0.0.1"), ip("::1")]);
        assert!(hostnames.network_urls("http", 1).is_empty());
    }

    #[test]
    fn a_listener_on_every_address_has_the_machine_s_and_the_given_names() {
        let own = || vec![ip("192.0.2.7"), ip("2001:db8::7")];
        let hostnames =
            Hostnames::from_addresses(ip("0.0.0.0"), own(), &given(&["Studio.local", "203.0.113.1", "192.0.2.7"]));
        assert_eq!(hostnames.dns, ["localhost", "studio.local"]);
        assert_eq!(hostnames.addresses[2..], [ip("203.0.113.1"), ip("192.0.2.7"), ip("2001:db8::7")]);
        let urls = ["https://studio.local:8722", "https://203.0.113.1:8722", "https://192.0.2.7:8722"];
        assert_eq!(hostnames.network_urls("https", 8722), urls, "no IPv6: it does not listen there");
        let hostnames = Hostnames::from_addresses(ip("::"), own(), &[]);
        assert!(hostnames.network_urls("http", 80).contains(&"http://[2001:db8::7]:80".to_owned()));
    }

    #[test]
    fn a_host_is_its_own_or_the_loopback() {
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
        }
    }
}
