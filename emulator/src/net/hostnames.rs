//! The names and addresses that this emulator is reached by: its certificate is for them, and they are its own in a
//! `Host` header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::uri::Authority;

/// Names and addresses, each once, the loopback's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) dns: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    /// How others on the network reach it.
    network: Vec<String>,
}

impl Names {
    /// The names of an emulator that listens here and was given these names too. If it listens on every address, each
    /// of the machine's own is one.
    pub(crate) fn of(listen: IpAddr, given: &[String]) -> Names {
        let own = if listen.is_unspecified() { interface_addresses() } else { vec![listen] };
        Names::from_addresses(listen, own, given)
    }

    fn from_addresses(listen: IpAddr, own: Vec<IpAddr>, given: &[String]) -> Names {
        let mut names = Names {
            dns: vec!["localhost".to_owned()],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            network: Vec::new(),
        };
        for name in given {
            match name.parse() {
                Ok(address) => names.add_address(address),
                Err(_) => names.dns.push(name.to_ascii_lowercase()),
            }
            if !listen.is_loopback() {
                names.network.push(name.to_ascii_lowercase());
            }
        }
        for address in own {
            names.add_address(address);
            let text = address.to_string();
            if !address.is_loopback() && reaches(listen, address) && !names.network.contains(&text) {
                names.network.push(text);
            }
        }
        names
    }

    fn add_address(&mut self, address: IpAddr) {
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// The URLs for others on the network.
    pub(crate) fn network_urls(&self, scheme: &str, port: u16) -> Vec<String> {
        let url = |name: &String| match name.parse() {
            Ok(address) => format!("{scheme}://{}", SocketAddr::new(address, port)),
            Err(_) => format!("{scheme}://{name}:{port}"),
        };
        self.network.iter().map(url).collect()
    }

    /// Whether a `Host` header, with or without a port, names this emulator or the loopback.
    pub(crate) fn include_host(&self, host: &str) -> bool {
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
                // With a dot at its end a name is complete, as these are.
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
        // Elsewhere than on Windows, such a listener serves both kinds.
        IpAddr::V6(listen) => address.is_ipv6() || (listen.is_unspecified() && !cfg!(windows)),
    }
}

/// Those that a URL can name. If the system does not tell, there are none.
fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = interfaces.iter().map(if_addrs::Interface::ip);
    addresses.filter(|address| !address.is_loopback() && !needs_a_scope(*address)).collect()
}

/// Link-local addresses of IPv6 mean something only together with an interface.
fn needs_a_scope(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn given(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_loopback_listener_has_no_url_for_others() {
        let names = Names::of(ip("127.0.0.1"), &given(&["studio.local"]));
        assert_eq!(names.dns, ["localhost", "studio.local"]);
        assert_eq!(names.addresses, [ip("127.0.0.1"), ip("::1")]);
        assert!(names.network_urls("http", 1).is_empty());
    }

    #[test]
    fn a_listener_on_every_address_has_the_machine_s_and_the_given_names() {
        let own = || vec![ip("192.0.2.7"), ip("2001:db8::7")];
        let names = Names::from_addresses(ip("0.0.0.0"), own(), &given(&["Studio.local", "203.0.113.1", "192.0.2.7"]));
        assert_eq!(names.dns, ["localhost", "studio.local"]);
        assert_eq!(names.addresses[2..], [ip("203.0.113.1"), ip("192.0.2.7"), ip("2001:db8::7")]);
        let urls = ["https://studio.local:8722", "https://203.0.113.1:8722", "https://192.0.2.7:8722"];
        assert_eq!(names.network_urls("https", 8722), urls, "no IPv6: it does not listen there");
        let names = Names::from_addresses(ip("::"), own(), &[]);
        assert!(names.network_urls("http", 80).contains(&"http://[2001:db8::7]:80".to_owned()));
    }

    #[test]
    fn a_host_is_its_own_or_the_loopback() {
        let names = Names::from_addresses(ip("0.0.0.0"), vec![ip("192.0.2.7")], &given(&["studio.local"]));
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
            assert!(names.include_host(own), "{own}");
        }
        assert!(names.include_host("Studio.Local:8722"));
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
            assert!(!names.include_host(foreign), "{foreign}");
        }
    }
}
