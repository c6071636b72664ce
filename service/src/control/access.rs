//! Who may control the emulator: programs on this machine and the emulator's own page, but no other web page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::reply;
use crate::net::{ConnectionHandle, Hostnames};
use crate::state::ServiceState;

/// Why a control call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ControlDenied {
    #[error(
        "control calls are accepted over the loopback only; start the emulator with --control-remote to accept others"
    )]
    OtherMachine,
    #[error(
        "control calls are not for web pages other than the emulator's own; open that by its address, not by a link"
    )]
    WebPage,
    /// Perhaps from a web page whose name was made to resolve to this machine (DNS rebinding).
    #[error("control calls must name the emulator in Host: localhost, its address, or a --tls-name")]
    ForeignName,
}

/// Middleware that admits control calls from this machine, or from any if configured, but from no other web page than
/// the emulator's own.
pub(super) async fn check_origin(
    State(state): State<Arc<ServiceState>>,
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
    next: Next,
) -> Response {
    let rule = Rule { hostnames: &state.hostnames, scheme: state.scheme, remote_too: state.control_remote };
    match rule.denied(connection.peer, request.uri(), request.headers()) {
        Some(denied) => reply::error(StatusCode::FORBIDDEN, &denied.to_string()),
        None => next.run(request).await,
    }
}

struct Rule<'a> {
    hostnames: &'a Hostnames,
    scheme: &'a str,
    remote_too: bool,
}

impl Rule<'_> {
    fn denied(&self, peer: IpAddr, uri: &Uri, headers: &HeaderMap) -> Option<ControlDenied> {
        // A listener on every IPv4 and IPv6 address sees IPv4 peers as IPv4-mapped IPv6 addresses.
        if !self.remote_too && !peer.to_canonical().is_loopback() {
            return Some(ControlDenied::OtherMachine);
        }
        let mut hosts = headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let (host, second) = (hosts.next().unwrap_or_default(), hosts.next());
        // A request in the form for proxies also has the host in its first line.
        let in_target = uri.authority().map(Authority::as_str);
        if second.is_some() || !in_target.into_iter().chain([host]).all(|host| self.hostnames.contains_host(host)) {
            return Some(ControlDenied::ForeignName);
        }
        // Browsers send `Origin` with every request that changes something: the page's own is the one that it was
        // loaded from, scheme and port included. `null` is a sandboxed page's. They send `Sec-Fetch-Site` with every
        // request to this machine or over HTTPS; for a URL typed into the address bar it is "none".
        let own_origin = format!("{}://{host}", self.scheme);
        let is_own = |origin: &HeaderValue| origin.as_bytes().eq_ignore_ascii_case(own_origin.as_bytes());
        let is_same_site = |site: &HeaderValue| site == "same-origin" || site == "none";
        let from_own_page =
            headers.get_all(ORIGIN).iter().all(is_own) && headers.get_all("sec-fetch-site").iter().all(is_same_site);
        (!from_own_page).then_some(ControlDenied::WebPage)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn verdict(peer: &str, headers: &[(&'static str, &'static str)], remote_too: bool) -> Option<ControlDenied> {
        verdict_on("/emulator/clock", peer, headers, remote_too)
    }

    fn verdict_on(
        target: &str,
        peer: &str,
        headers: &[(&'static str, &'static str)],
        remote_too: bool,
    ) -> Option<ControlDenied> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let hostnames = Hostnames::new("192.0.2.7".parse().expect("an address"), &["studio.local".to_owned()]);
        let (peer, target) = (peer.parse().expect("an address"), target.parse().expect("a target"));
        Rule { hostnames: &hostnames, scheme: "http", remote_too }.denied(peer, &target, &map)
    }

    const HERE: (&str, &str) = ("host", "localhost:8722");

    #[test]
    fn other_machines_need_permission() {
        for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(verdict(peer, &[HERE], false), None, "{peer}");
        }
        for peer in ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0"] {
            assert_eq!(verdict(peer, &[HERE], false), Some(ControlDenied::OtherMachine), "{peer}");
            assert_eq!(verdict(peer, &[HERE], true), None, "{peer}");
        }
    }

    #[test]
    fn web_pages_of_another_origin_are_refused() {
        for header in [
            ("origin", "https://example.org"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://127.0.0.1:8722"),
            ("origin", "https://localhost:8722"),
            ("origin", "http://localhost"),
            ("origin", "http://localhost:87220"),
            ("origin", "http://localhost:8722/"),
            ("origin", "http://x@localhost:8722"),
            ("origin", "chrome-extension://localhost:8722"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
        ] {
            assert_eq!(verdict("127.0.0.1", &[HERE, header], true), Some(ControlDenied::WebPage), "{header:?}");
        }
        let typed = ("sec-fetch-site", "none");
        assert_eq!(verdict("127.0.0.1", &[HERE, typed], false), None);
        let two = [HERE, typed, ("sec-fetch-site", "cross-site")];
        assert_eq!(verdict("127.0.0.1", &two, false), Some(ControlDenied::WebPage));
    }

    #[test]
    fn the_emulators_own_page_is_admitted() {
        let own = ("origin", "http://localhost:8722");
        let same = ("sec-fetch-site", "same-origin");
        for headers in [&[HERE, own][..], &[HERE, same], &[HERE, own, same]] {
            assert_eq!(verdict("127.0.0.1", headers, false), None, "{headers:?}");
        }
        for other in [("origin", "http://example.org"), ("sec-fetch-site", "cross-site")] {
            assert_eq!(verdict("127.0.0.1", &[HERE, own, same, other], false), Some(ControlDenied::WebPage));
        }
        // A name that was made to resolve to this machine is same-origin with itself.
        let rebound = [("host", "example.org:8722"), ("origin", "http://example.org:8722"), same];
        assert_eq!(verdict("127.0.0.1", &rebound, false), Some(ControlDenied::ForeignName));
        let elsewhere = [("host", "192.0.2.7:8722"), ("origin", "http://192.0.2.7:8722")];
        assert_eq!(verdict("192.0.2.9", &elsewhere, true), None);
        assert_eq!(verdict("192.0.2.9", &elsewhere, false), Some(ControlDenied::OtherMachine));
    }

    #[test]
    fn foreign_host_names_are_refused() {
        for host in ["localhost:8722", "127.0.0.1:8722", "[::1]:8722", "192.0.2.7", "studio.local:1"] {
            assert_eq!(verdict("127.0.0.1", &[("host", host)], false), None, "{host}");
        }
        for host in ["example.org", "example.org:8722", "192.0.2.8:8722", ""] {
            assert_eq!(verdict("127.0.0.1", &[("host", host)], true), Some(ControlDenied::ForeignName), "{host}");
        }
        let two = [("host", "localhost"), ("host", "example.org")];
        assert_eq!(verdict("127.0.0.1", &two, false), Some(ControlDenied::ForeignName));
        assert_eq!(verdict("127.0.0.1", &[], true), Some(ControlDenied::ForeignName), "none at all");
        let on = |target| verdict_on(target, "127.0.0.1", &[HERE], false);
        assert_eq!(on("http://localhost:8722/emulator/clock"), None);
        assert_eq!(on("http://example.org/emulator/clock"), Some(ControlDenied::ForeignName));
    }
}
