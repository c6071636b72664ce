//! Requests through an HTTP proxy, and those that never go through one.

use crate::support::{SECOND, config_for, own_process};
use arr_client::{ApiVersion, Client, ClientConfig, ErrorKind, Proxy};
use arr_service::{Config, Emulator};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy that leads every tunnel to one address, and remembers what was asked of it. Its threads end with the test.
struct Tunnel {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    fn to(target: &str) -> Tunnel {
        let target = target.trim_start_matches("https://").trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, target) = (Arc::clone(&log), target.clone());
                thread::spawn(move || tunnel(stream, &target, &log));
            }
        });
        Tunnel { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers `CONNECT` once it has the header that this proxy asks for, if it asks for one, and joins the two ends.
fn tunnel(client: TcpStream, target: &str, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|length| *length > 0)?;
    }
    let line = head.lines().next()?.to_owned();
    let credentials =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("proxy-authorization: ").map(|_| line));
    log.lock().unwrap().push(credentials.map_or(line.clone(), |credentials| format!("{line} with {credentials}")));
    let server = TcpStream::connect(target).ok()?;
    (&client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    std::io::copy(&mut reader, &mut &server).ok()?;
    server.shutdown(std::net::Shutdown::Write).ok()
}

/// An emulator that is `arr.test` to those who come through the proxy: nobody can resolve that name.
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
fn what_is_not_on_this_machine_goes_through_the_proxy() {
    let (emulator, config) = remote();
    let proxy = Tunnel::to(emulator.url());
    for (n, api_version) in [ApiVersion::V1, ApiVersion::V2021_01_01].into_iter().enumerate() {
        let config = ClientConfig { proxy: proxy.url.parse().unwrap(), api_version, ..config.clone() };
        assert!(Client::new(config).unwrap().list_sessions().run().unwrap().is_empty());
        assert_eq!(proxy.asked()[n..], ["CONNECT arr.test:443 HTTP/1.1"], "one tunnel serves token and list");
    }
}

#[test]
fn a_proxy_that_wants_a_password_gets_it_and_nobody_else_sees_it() {
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

/// The environment belongs to the whole process, so this test runs itself again in one of its own.
#[test]
fn the_environments_proxy_is_used_unless_it_is_turned_off() {
    const CHILD: &str = "ARR_TEST_CHILD";
    let (emulator, config) = remote();
    if let Ok(proxy) = std::env::var(CHILD) {
        let proxied =
            Client::new(ClientConfig { proxy: proxy.parse().unwrap(), ..config }).unwrap().list_sessions().run();
        // The proxy leads to the parent's emulator, whose authority this client does not know.
        let kind = proxied.unwrap_err().kind();
        assert_eq!(kind == ErrorKind::Tls, proxy == "system", "{kind:?}");
        return;
    }
    let tunnel = Tunnel::to(emulator.url());
    for (proxy, tunnels) in [("none", 0), ("system", 1)] {
        let name = "the_environments_proxy_is_used_unless_it_is_turned_off";
        let mut child = own_process::command(module_path!(), name);
        child.env(CHILD, proxy).env("HTTPS_PROXY", &tunnel.url).env_remove("NO_PROXY").env_remove("no_proxy");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(tunnel.asked().len(), tunnels, "{proxy}");
    }
}

#[test]
fn without_a_proxy_the_name_is_looked_up_here() {
    let (_emulator, config) = remote();
    let config = ClientConfig { proxy: Proxy::none(), ..config };
    let error = Client::new(config).unwrap().list_sessions().timeout(5 * SECOND).run().unwrap_err();
    // Without a network the lookup may take longer than the connection may.
    assert!(matches!(error.kind(), ErrorKind::NameResolution | ErrorKind::Network | ErrorKind::Timeout), "{error}");
}
