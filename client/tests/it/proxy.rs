//! Requests through an HTTP proxy, and requests that never use one.

use crate::support::tls::{Authority, NOW, Years};
use crate::support::{SECOND, an_hour, config_for, own_process, shared};
use arr_client::{ApiVersion, Client, ClientConfig, Credential, Error, ErrorKind, Proxy, Trust};
use arr_service::{Config, Emulator, VirtualClock};
use rustls::ALL_VERSIONS;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy that connects every tunnel to one address, and records the requests. Its threads end with the test.
struct Tunnel {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    fn to(target: &str) -> Tunnel {
        let target = target.trim_start_matches("https://").trim_start_matches("http://").to_owned();
        Tunnel::with(move |client, log| {
            tunnel(client, &target, log);
        })
    }

    /// A proxy that refuses every tunnel with this status.
    fn refusing(status: &'static str) -> Tunnel {
        Tunnel::with(move |client, log| {
            read_connect(&client, log);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno");
            (&client).write_all(answer.as_bytes()).ok();
        })
    }

    fn with(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Tunnel {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, serve) = (Arc::clone(&asked), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, serve) = (Arc::clone(&log), Arc::clone(&serve));
                thread::spawn(move || serve(stream, &log));
            }
        });
        Tunnel { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers `CONNECT`, and connects the two ends.
fn tunnel(client: TcpStream, target: &str, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = read_connect(&client, log)?;
    let server = TcpStream::connect(target).ok()?;
    (&client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    std::io::copy(&mut reader, &mut &server).ok()?;
    server.shutdown(std::net::Shutdown::Write).ok()
}

/// Reads the head of a request, and records its first line and the credentials.
fn read_connect(client: &TcpStream, log: &Mutex<Vec<String>>) -> Option<BufReader<TcpStream>> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|length| *length > 0)?;
    }
    let line = head.lines().next()?.to_owned();
    let credentials =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("proxy-authorization: ").map(|_| line));
    log.lock().unwrap().push(credentials.map_or(line.clone(), |credentials| format!("{line} with {credentials}")));
    Some(reader)
}

/// An emulator that is `arr.test` behind the proxy, a name that cannot be resolved.
fn remote() -> (Emulator, ClientConfig) {
    let emulator =
        Emulator::start(Config { tls: true, tls_names: vec!["arr.test".into()], ..Config::default() }).unwrap();
    let config = ClientConfig {
        account_domain: "https://arr.test".into(),
        service_endpoint: "https://arr.test".into(),
        max_retries: 0,
        ..config_for(&emulator, ClientConfig::default())
    };
    (emulator, config)
}

#[test]
fn remote_hosts_are_reached_through_the_proxy() {
    let (emulator, config) = remote();
    let proxy = Tunnel::to(emulator.url());
    for (n, api_version) in [ApiVersion::V1, ApiVersion::V2021_01_01].into_iter().enumerate() {
        let config = ClientConfig { proxy: proxy.url.parse().unwrap(), api_version, ..config.clone() };
        assert!(Client::new(config).unwrap().list_sessions().run().unwrap().is_empty());
        assert_eq!(proxy.asked()[n..], ["CONNECT arr.test:443 HTTP/1.1"], "one tunnel serves token and list");
    }
}

#[test]
fn only_the_proxy_sees_its_password() {
    let (emulator, config) = remote();
    let proxy = Tunnel::to(emulator.url());
    let url = proxy.url.replace("http://", "http://user:hunter2@");
    let client = Client::new(ClientConfig { proxy: url.parse().unwrap(), ..config.clone() }).unwrap();
    client.list_sessions().run().unwrap();
    let asked = proxy.asked().join("\n");
    assert!(asked.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpodw50zxiy"), "{asked}");
    assert!(!format!("{client:?}").contains("hunter2"));

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client =
        Client::new(ClientConfig { proxy: format!("http://user:hunter2@{gone}").parse().unwrap(), ..config }).unwrap();
    let error = client.list_sessions().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    for tls in [false, true] {
        let emulator = Emulator::start(Config { tls, ..Config::default() }).unwrap();
        let proxy = Tunnel::to(emulator.url());
        let config =
            ClientConfig { proxy: proxy.url.parse().unwrap(), ..config_for(&emulator, ClientConfig::default()) };
        Client::new(config).unwrap().list_sessions().run().unwrap();
        assert!(proxy.asked().is_empty());
    }
}

/// A list, and a create that is sent with a ready token, through this proxy, with one retry.
fn failures_through(proxy: &str) -> [Error; 2] {
    let (_emulator, config) = remote();
    let config = ClientConfig { proxy: proxy.parse().unwrap(), max_retries: 1, ..config };
    let client = |config| Client::with_clock(config, shared(&VirtualClock::new())).unwrap();
    let create = ClientConfig { credential: Credential::AccessToken("a.b.c".into()), ..config.clone() };
    [
        client(config).list_sessions().run().unwrap_err(),
        client(create).create_session(&an_hour()).run().map(drop).unwrap_err(),
    ]
}

#[test]
fn a_proxy_that_refuses_the_tunnel_is_named_with_its_status() {
    for (status, kind) in [
        ("403 Forbidden", ErrorKind::Forbidden),
        ("407 Proxy Authentication Required", ErrorKind::Forbidden),
        ("405 Method Not Allowed", ErrorKind::Forbidden),
        ("429 Too Many Requests", ErrorKind::Network),
        ("502 Bad Gateway", ErrorKind::Network),
        ("503 Service Unavailable", ErrorKind::Network),
    ] {
        let proxy = Tunnel::refusing(status);
        for error in failures_through(&proxy.url) {
            assert_eq!((error.kind(), error.is_retryable()), (kind, kind == ErrorKind::Network), "{error}");
            assert!(!error.is_outcome_unknown() && error.http_status().is_none(), "{error}");
            for fact in [&proxy.url, &status[..3], "proxy", "https://arr.test"] {
                assert!(error.message().contains(fact), "{error}");
            }
            // The only authentication that helps.
            assert_eq!(error.message().contains("Basic"), status.starts_with("407"), "{error}");
        }
        // The status takes another request each time, except for a 407.
        let asked_again = if status.starts_with("407") { 1 } else { 2 };
        let attempts = if kind == ErrorKind::Network { 2 } else { 1 };
        assert_eq!(proxy.asked(), vec!["CONNECT arr.test:443 HTTP/1.1"; 2 * attempts * asked_again], "{status}");
    }
}

#[test]
fn an_unreachable_proxy_is_named() {
    let closing = Tunnel::with(|client, log| drop(read_connect(&client, log)));
    let gone = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for (proxy, name) in [
        ("http://user:hunter2@proxy.invalid:8080", "http://proxy.invalid:8080"),
        (&gone, &gone),
        (&closing.url, &closing.url),
    ] {
        for error in failures_through(proxy) {
            // Without a network a lookup may take longer than the connect timeout.
            let kinds = [ErrorKind::NameResolution, ErrorKind::Network, ErrorKind::Timeout];
            assert!(kinds.contains(&error.kind()) && error.is_retryable(), "{error}");
            assert!(error.message().contains("proxy") && error.message().contains(name), "{error}");
            assert!(!error.message().contains("hunter2"), "{error}");
        }
    }
}

/// The remedies for the service's TLS name other options, which would not help.
#[test]
fn an_https_proxy_whose_tls_fails_is_named_with_its_own_remedy() {
    const NEXT_YEAR: Years = [3999, 4000];
    let authority = Authority::new(NOW);
    let serve = |name: &str, valid: Years| authority.server(&[name], valid).serve(ALL_VERSIONS, None);
    let plain = Tunnel::refusing("400 Bad Request").url.replace("http:", "https:");
    let write_http = plain.replace("https:", "http:");
    for (proxy, facts) in [
        (plain.as_str(), &["TLS", &write_http, "`proxy`"][..]),
        (&serve("proxy.example", NOW), &["proxy.example", "127.0.0.1", "`proxy`"]),
        (&serve("127.0.0.1", NEXT_YEAR), &["clock", "certificate"]),
    ] {
        let (_emulator, config) = remote();
        let ca_pem = Some(format!("{}{}", config.ca_pem.clone().unwrap_or_default(), authority.pem));
        let config = ClientConfig { proxy: proxy.parse().unwrap(), ca_pem, trust: Trust::Bundled, ..config };
        let create = ClientConfig { credential: Credential::AccessToken("a.b.c".into()), ..config.clone() };
        for error in [
            Client::new(config).unwrap().list_sessions().run().unwrap_err(),
            Client::new(create).unwrap().create_session(&an_hour()).run().map(drop).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Tls, false), "{error}");
            for fact in facts.iter().chain([&"the proxy", &proxy]) {
                assert!(error.message().contains(fact), "{fact}: {error}");
            }
            for astray in ["service", "account_domain", "arr.test"] {
                assert!(!error.message().contains(astray), "{astray}: {error}");
            }
        }
    }
}

#[test]
fn an_address_that_the_http_library_cannot_reach_through_a_proxy_is_explained() {
    let (emulator, config) = remote();
    let proxy = Tunnel::to(emulator.url());
    let address = "https://[2001:db8::1]".to_owned();
    let config = ClientConfig { account_domain: address.clone(), proxy: proxy.url.parse().unwrap(), ..config };
    let error = Client::new(config).unwrap().access_token().run().unwrap_err();
    for fact in [&address, &proxy.url, "IPv6", "host name"] {
        assert!(error.message().contains(fact), "{fact}: {error}");
    }
}

#[test]
fn a_proxys_user_may_have_a_domain() {
    let (emulator, config) = remote();
    for login in [r"CORP\user:pass", "CORP%5Cuser:pass"] {
        let proxy = Tunnel::to(emulator.url());
        let url = proxy.url.replace("http://", &format!("http://{login}@"));
        let client = Client::new(ClientConfig { proxy: url.parse().unwrap(), ..config.clone() }).unwrap();
        client.list_sessions().run().unwrap();
        let asked = proxy.asked();
        assert!(asked[0].ends_with("authorization: Basic Q09SUFx1c2VyOnBhc3M="), "{asked:?}");
    }
}

/// The environment belongs to the whole process, so this test runs itself again in child processes.
#[test]
fn the_environments_proxy_is_chosen_as_documented() {
    const OPTION: &str = "ARR_TEST_CHILD";
    let (emulator, config) = remote();
    if let Ok(proxy) = std::env::var(OPTION) {
        let proxied = Client::new(ClientConfig { proxy: proxy.parse().unwrap(), ..config }).unwrap();
        let error = proxied.list_sessions().timeout(5 * SECOND).run().unwrap_err();
        println!("failed: {:?}: {error}", error.kind());
        return;
    }
    // The proxy connects to the parent's emulator, whose authority the child's client does not trust.
    const THROUGH: &[&str] = &["Tls", "proxy"];
    // The name cannot be resolved.
    const DIRECT: &[&str] = &["https://arr.test"];
    let tunnel = Tunnel::to(emulator.url());
    let proxy = tunnel.url.as_str();
    let address = proxy.strip_prefix("http://").unwrap();
    for (option, variables, facts) in [
        ("none", &[("HTTPS_PROXY", proxy)][..], DIRECT),
        ("system", &[], DIRECT),
        ("system", &[("HTTPS_PROXY", proxy)], THROUGH),
        ("system", &[("https_proxy", address)], THROUGH),
        ("system", &[("HTTPS_PROXY", ""), ("https_proxy", proxy)], THROUGH),
        ("system", &[("https_proxy", " "), ("all_proxy", proxy), ("http_proxy", "http://other.invalid")], THROUGH),
        ("system", &[("HTTPS_PROXY", proxy), ("ALL_PROXY", "socks5://127.0.0.1:1")], THROUGH),
        ("system", &[("HTTPS_PROXY", proxy), ("NO_PROXY", "x, .test")], DIRECT),
        ("system", &[("HTTPS_PROXY", proxy), ("NO_PROXY", "x *.test")], DIRECT),
        ("system", &[("HTTPS_PROXY", "socks5://127.0.0.1:1"), ("no_proxy", "arr.test"), ("NO_PROXY", "")], DIRECT),
        ("system", &[("HTTPS_PROXY", "socks5://127.0.0.1:1")], &["InvalidArgument", "HTTPS_PROXY", "SOCKS"]),
        ("system", &[("all_proxy", "socks5h://u:hunter2@127.0.0.1:1")], &["InvalidArgument", "all_proxy", "SOCKS"]),
        ("system", &[("https_proxy", "http://u:hunter2@:port")], &["InvalidArgument", "https_proxy"]),
        ("system", &[("https_proxy", "http://u:hun#ter2@127.0.0.1:1")], &["InvalidArgument", "https_proxy", "%2F"]),
        ("system", &[("HTTPS_PROXY", "http://u/hunter2@127.0.0.1:1")], &["InvalidArgument", "HTTPS_PROXY", "%2F"]),
        ("system", &[("HTTPS_PROXY", "ftp://127.0.0.1")], &["InvalidArgument", "HTTPS_PROXY"]),
        ("system", &[("HTTPS_PROXY", "http://{proxy}:9")], &["InvalidArgument", "HTTPS_PROXY", "host"]),
    ] {
        let mut child = own_process::command(module_path!(), "the_environments_proxy_is_chosen_as_documented");
        for variable in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
            child.env_remove(variable).env_remove(variable.to_ascii_lowercase());
        }
        let tunnels = tunnel.asked().len();
        let output = child.env(OPTION, option).envs(variables.iter().copied()).output().unwrap();
        let output = String::from_utf8_lossy(&output.stdout);
        let error = output.lines().find_map(|line| line.split_once("failed: ")).expect(&output).1;
        assert!(facts.iter().all(|fact| error.contains(fact)) && !error.contains("hunter2"), "{variables:?}: {error}");
        assert_eq!(error.contains("proxy"), facts != DIRECT || error.contains("_proxy"), "{variables:?}: {error}");
        let tunnels = tunnel.asked().len() - tunnels;
        assert_eq!(tunnels, usize::from(facts == THROUGH), "{variables:?}: {error}");
    }
}

#[test]
fn without_a_proxy_the_name_is_resolved_here() {
    let (_emulator, config) = remote();
    let config = ClientConfig { proxy: Proxy::none(), ..config };
    let error = Client::new(config).unwrap().list_sessions().timeout(5 * SECOND).run().unwrap_err();
    // Without a network the lookup may take longer than the connect timeout.
    assert!(matches!(error.kind(), ErrorKind::NameResolution | ErrorKind::Network | ErrorKind::Timeout), "{error}");
}
