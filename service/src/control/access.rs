//! Who may control the emulator: programs on this machine, and no web page that a browser on it shows.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::reply;
use crate::net::{ConnectionHandle, Hostnames};
use crate::state::ServiceState;

/// Why a control call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum ControlDenied {
    #[error("control calls are taken over the loopback only; --control-remote lets other machines control it too")]
    OtherMachine,
    #[error("control calls are not for web pages: this one came from a browser")]
    WebPage,
    /// A page whose name was made to lead to this machine (DNS rebinding).
    #[error("control calls must name the emulator in Host: by localhost, by its address, or by a --tls-name")]
    ForeignName,
}

/// Middleware that admits control calls from this machine (or from any, if configured) that no web page sent.
pub(super) async fn check_origin(
    State(state): State<Arc<ServiceState>>,
    Extension(connection): Extension<ConnectionHandle>,
    request: Request,
    next: Next,
) -> Response {
    match denied(connection.peer, request.uri(), request.headers(), &state.hostnames, state.control_remote) {
        Some(denied) => reply::error(StatusCode::FORBIDDEN, &denied.to_string()),
        None => next.run(request).await,
    }
}

fn denied(
    peer: IpAddr,
    uri: &Uri,
    headers: &HeaderMap,
    hostnames: &Hostnames,
    remote_too: bool,
) -> Option<ControlDenied> {
    // A listener on every IPv4 and IPv6 address sees IPv4 peers as IPv4-mapped IPv6 addresses.
    if !remote_too && !peer.to_canonical().is_loopback() {
        return Some(ControlDenied::OtherMachine);
    }
    // Browsers send `Origin` with every request that changes something and `Sec-Fetch-Site` with every request; for a
    // URL typed into the address bar it is "none".
    let from_elsewhere = headers.get_all("sec-fetch-site").iter().any(|site| site != "none");
    if headers.contains_key(ORIGIN) || from_elsewhere {
        return Some(ControlDenied::WebPage);
    }
    let own = |host: &HeaderValue| host.to_str().is_ok_and(|host| hostnames.contains_host(host));
    let hosts_are_own = headers.contains_key(HOST) && headers.get_all(HOST).iter().all(own);
    // A request in the form for proxies has the host in its first line too.
    let target_is_own = uri.authority().is_none_or(|authority| hostnames.contains_host(authority.as_str()));
    (!(hosts_are_own && target_is_own)).then_some(ControlDenied::ForeignName)
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
        denied(peer, &target, &map, &hostnames, remote_too)
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
    fn web_pages_are_refused_wherever_they_are() {
        for header in [
            ("origin", "https://example.org"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:8722"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            assert_eq!(verdict("127.0.0.1", &[HERE, header], true), Some(ControlDenied::WebPage), "{header:?}");
        }
        let typed = ("sec-fetch-site", "none");
        assert_eq!(verdict("127.0.0.1", &[HERE, typed], false), None);
        let two = [HERE, typed, ("sec-fetch-site", "cross-site")];
        assert_eq!(verdict("127.0.0.1", &two, false), Some(ControlDenied::WebPage));
    }

    #[test]
    fn names_that_are_not_the_emulator_s_are_refused() {
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
