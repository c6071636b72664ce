//! HTTPS with clients stricter than rustls: curl, Python and OpenSSL must accept the emulator's certificates with its
//! authority, and refuse them without.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use arr_service::{Config, Emulator, Fault};
use support::{Folder, folder, run};

struct Story {
    emulator: Emulator,
    folder: Folder,
    ca_file: PathBuf,
}

impl Story {
    fn begin(name: &str) -> Story {
        let emulator = Emulator::start(Config { tls: true, ..Config::default() }).expect("the emulator starts");
        let folder = folder(name);
        let ca_file = folder.join("ca.pem");
        fs::write(&ca_file, emulator.ca_pem().expect("a certificate")).expect("written");
        Story { emulator, folder, ca_file }
    }

    fn address(&self) -> &str {
        self.emulator.url().strip_prefix("https://").expect("HTTPS")
    }

    fn port(&self) -> &str {
        self.address().rsplit_once(':').expect("a port").1
    }

    /// The certificate that the server sends, in a file.
    fn leaf_file(&self) -> PathBuf {
        let chain = run(
            Command::new("openssl").args(["s_client", "-showcerts", "-connect", self.address()]).stdin(Stdio::null()),
            "openssl",
        );
        let chain = text(&chain.stdout);
        let begin = chain.find("-----BEGIN CERTIFICATE-----").expect("a certificate");
        let end = chain.find("-----END CERTIFICATE-----").expect("its end");
        let file = self.folder.join("leaf.pem");
        fs::write(&file, format!("{}-----END CERTIFICATE-----\n", &chain[begin..end])).expect("written");
        file
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// curl without the environment's proxy and the user's settings.
fn curl(arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]);
    run(command.args(arguments), "curl")
}

fn openssl(arguments: &[&str]) -> Output {
    run(Command::new("openssl").args(arguments), "openssl")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn curl_accepts_the_certificate_under_each_name_and_tls_version() {
    let story = Story::begin("curl_accepts");
    let account = story.emulator.account();
    let authorization = format!("Authorization: Bearer {}:{}", account.id(), account.key());
    for host in ["127.0.0.1", "localhost"] {
        for version in [&["--tlsv1.2", "--tls-max", "1.2"][..], &["--tlsv1.3"]] {
            let url = format!("https://{host}:{}/accounts/{}/token", story.port(), account.id());
            let mut arguments = vec!["--ipv4", "--cacert", path(&story.ca_file), "-H", &authorization];
            arguments.extend(version);
            arguments.push(&url);
            let output = curl(&arguments);
            let body = text(&output.stdout);
            assert!(body.starts_with(r#"{"AccessToken":""#), "{host} {version:?}: {output:?}");
        }
    }
}

#[test]
fn curl_refuses_a_certificate_that_it_does_not_trust() {
    /// curl's exit code for a certificate that does not verify.
    const NOT_VERIFIED: Option<i32> = Some(60);
    let story = Story::begin("curl_refuses");
    assert_eq!(curl(&[story.emulator.url()]).status.code(), NOT_VERIFIED);
    let other = Story::begin("curl_refuses_other");
    let output = curl(&["--cacert", path(&other.ca_file), story.emulator.url()]);
    assert_eq!(output.status.code(), NOT_VERIFIED, "{output:?}");
}

#[test]
fn python_accepts_the_certificate_in_strict_mode() {
    const SCRIPT: &str = "\
import http.client, socket, ssl, sys
port, ca_file = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=ca_file)
context.verify_flags |= ssl.VERIFY_X509_STRICT
for host in ('127.0.0.1', 'localhost'):
    connection = http.client.HTTPSConnection(host, port, timeout=30, context=context)
    # The system may lack a hosts file. The name is verified nevertheless.
    connection._create_connection = lambda address, *rest: socket.create_connection(('127.0.0.1', port), 30)
    connection.request('GET', '/x')
    print(connection.getresponse().status)
";
    let story = Story::begin("python_accepts");
    let output = run(Command::new("python3").args(["-c", SCRIPT, story.port(), path(&story.ca_file)]), "python3");
    assert_eq!(text(&output.stdout), "404\n404\n", "{output:?}");
}

#[test]
fn openssl_verifies_the_chain_strictly() {
    let story = Story::begin("openssl_verifies");
    let leaf = story.leaf_file();
    let verify = |check: &[&str]| {
        let mut arguments = vec!["verify", "-x509_strict", "-purpose", "sslserver"];
        arguments.extend(["-CAfile", path(&story.ca_file)]);
        arguments.extend(check);
        arguments.push(path(&leaf));
        openssl(&arguments)
    };
    for check in [&["-verify_ip", "127.0.0.1"][..], &["-verify_ip", "::1"], &["-verify_hostname", "localhost"]] {
        let output = verify(check);
        assert!(output.status.success(), "{check:?}: {output:?}");
    }
    // Other names must fail, or the check above proves nothing.
    for check in [&["-verify_hostname", "example.org"][..], &["-verify_ip", "192.0.2.1"]] {
        assert!(!verify(check).status.success(), "{check:?}");
    }
}

#[test]
fn both_certificates_have_the_required_extensions() {
    let story = Story::begin("certificates");
    let show = |file: &Path| text(&openssl(&["x509", "-noout", "-text", "-in", path(file)]).stdout);
    let (ca, leaf) = (show(&story.ca_file), show(&story.leaf_file()));
    for part in [
        "CA:TRUE, pathlen:0",
        "X509v3 Basic Constraints: critical",
        "X509v3 Key Usage: critical",
        "Certificate Sign, CRL Sign",
        "X509v3 Subject Key Identifier",
    ] {
        assert!(ca.contains(part), "{part} in {ca}");
    }
    for part in [
        "CA:FALSE",
        "Digital Signature",
        "TLS Web Server Authentication",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        "Subject: CN = arr-emulator\n",
        "Issuer: CN = arr-emulator CA ",
        "NIST CURVE: P-256",
    ] {
        assert!(leaf.contains(part), "{part} in {leaf}");
    }
    assert_ne!(line(&ca, "Subject:"), line(&leaf, "Subject:"));
    let day = 24 * 60 * 60;
    let expires_within = |days: i32| {
        let seconds = (days * day).to_string();
        let file = story.leaf_file();
        !openssl(&["x509", "-noout", "-checkend", &seconds, "-in", path(&file)]).status.success()
    };
    assert!(!expires_within(364) && expires_within(366));
}

fn line<'a>(text: &'a str, begin: &str) -> &'a str {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with(begin)).expect("the line")
}

#[test]
fn the_certificate_is_valid_for_the_listeners_address() {
    let listen = "127.0.0.7:0".parse().expect("an address");
    let emulator = Emulator::start(Config { tls: true, listen, ..Config::default() }).expect("the emulator starts");
    let folder = folder("another_address");
    let ca_file = folder.join("ca.pem");
    fs::write(&ca_file, emulator.ca_pem().expect("a certificate")).expect("written");
    let output = curl(&["--cacert", path(&ca_file), &format!("{}/x", emulator.url())]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("there is nothing at /x"), "{output:?}");
}

#[test]
fn faults_happen_below_and_inside_tls() {
    // curl's exit codes.
    const NOT_HTTP: i32 = 1;
    const PARTIAL_FILE: i32 = 18;
    const EMPTY_REPLY: i32 = 52;
    const RECEIVING_FAILED: i32 = 56;
    let story = Story::begin("faults");
    let on = || Fault::on("GET", "/x");
    let url = format!("{}/x", story.emulator.url());
    for (fault, codes) in [
        (on().garbage(), &[NOT_HTTP][..]),
        (on().close(), &[EMPTY_REPLY, RECEIVING_FAILED]),
        (on().reset(), &[EMPTY_REPLY, RECEIVING_FAILED]),
        (on().truncate(5), &[PARTIAL_FILE, RECEIVING_FAILED]),
    ] {
        story.emulator.add_faults([fault.clone()]).expect("a good fault");
        let output = curl(&["--cacert", path(&story.ca_file), &url]);
        let code = output.status.code().expect("a code");
        assert!(codes.contains(&code), "{fault:?}: {output:?}");
    }
    story.emulator.add_faults([on().drip(Duration::ZERO)]).expect("a good fault");
    let output = curl(&["--cacert", path(&story.ca_file), &url]);
    assert!(text(&output.stdout).contains("there is nothing at /x"), "{output:?}");
}

#[test]
fn the_certificate_is_valid_for_the_configured_names() {
    let names = ["studio.example", "192.0.2.1"].map(str::to_owned);
    let config = Config { tls: true, tls_names: names.to_vec(), ..Config::default() };
    let emulator = Emulator::start(config).expect("the emulator starts");
    let folder = folder("given_names");
    let ca_file = folder.join("ca.pem");
    fs::write(&ca_file, emulator.ca_pem().expect("a certificate")).expect("written");
    let port = emulator.url().rsplit(':').next().expect("a port");
    for name in ["studio.example", "192.0.2.1"] {
        // Connect to this machine, however the name resolves.
        let connect_to = format!("{name}:{port}:127.0.0.1:{port}");
        let url = format!("https://{name}:{port}/emulator/clock");
        let output = curl(&["--cacert", path(&ca_file), "--connect-to", &connect_to, &url]);
        assert!(text(&output.stdout).contains("unix_ms"), "{output:?}");
    }
}

#[test]
fn on_every_address_the_certificate_is_valid_for_each() {
    let listen = "0.0.0.0:0".parse().expect("an address");
    let emulator = Emulator::start(Config { tls: true, listen, ..Config::default() }).expect("the emulator starts");
    let folder = folder("every_address");
    let ca_file = folder.join("ca.pem");
    fs::write(&ca_file, emulator.ca_pem().expect("a certificate")).expect("written");
    if emulator.network_urls().is_empty() {
        println!("this machine has no network address to certify");
    }
    for url in emulator.network_urls() {
        let output = curl(&["--cacert", path(&ca_file), &format!("{url}/x")]);
        assert!(text(&output.stdout).contains("there is nothing at /x"), "{url}: {output:?}");
    }
}

#[test]
fn peers_without_tls_delay_no_other() {
    let story = Story::begin("no_tls");
    let _silent = TcpStream::connect(story.address()).expect("connected");
    let mut plain = TcpStream::connect(story.address()).expect("connected");
    plain.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut reply = Vec::new();
    // A TLS alert and an end, or a reset: anything but HTTP.
    let _ = plain.read_to_end(&mut reply);
    assert!(!text(&reply).contains("HTTP"), "{reply:?}");
    let output = curl(&["--cacert", path(&story.ca_file), story.emulator.url()]);
    assert!(output.status.success(), "{output:?}");
    story.emulator.stop();
}
