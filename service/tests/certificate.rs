//! A certificate of one's own, made with OpenSSL and checked with curl.

#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use arr_service::{CertificateFiles, Config, Emulator, StartError};
use support::{folder, run};

const RSA: &[&str] = &["-newkey", "rsa:2048"];
const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = run(Command::new("openssl").current_dir(folder).args(arguments), "openssl");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Makes a certificate that signs itself, in `NAME.pem`, and its key, in `NAME.key`.
fn make(folder: &Path, name: &str, kind: &[&str]) {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    let mut arguments = vec!["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=own", "-out", &certificate];
    arguments.extend(["-keyout", &key, "-addext", "subjectAltName=IP:127.0.0.1"]);
    arguments.extend(kind);
    openssl(folder, &arguments);
}

fn start(folder: &Path, certificates: &str, key: &str) -> Result<Emulator, StartError> {
    let files = CertificateFiles { certificates: folder.join(certificates), key: folder.join(key) };
    Emulator::start(Config { certificate: Some(files), ..Config::default() })
}

fn curl(folder: &Path, authority: &str, url: &str) -> Output {
    let mut curl = Command::new("curl");
    curl.current_dir(folder).args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]);
    let url = format!("{url}/health");
    run(curl.args(["--cacert", authority, "--write-out", "%{http_code}", "--output", "/dev/null", &url]), "curl")
}

#[test]
fn each_kind_of_key_is_served() {
    let folder = folder("own_keys");
    make(&folder, "rsa", RSA);
    make(&folder, "p256", P256);
    make(&folder, "p384", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]);
    make(&folder, "ed25519", &["-newkey", "ed25519"]);
    openssl(&folder, &["rsa", "-traditional", "-in", "rsa.key", "-out", "pkcs1.key"]);
    openssl(&folder, &["ec", "-in", "p256.key", "-out", "sec1.key"]);
    // As OpenSSL writes them: with the parameters before the key.
    openssl(&folder, &["ecparam", "-name", "prime256v1", "-genkey", "-out", "parameters.key"]);
    openssl(
        &folder,
        &[
            "req",
            "-x509",
            "-key",
            "parameters.key",
            "-subj",
            "/CN=own",
            "-out",
            "parameters.pem",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
    );
    // An editor's byte order mark does no harm.
    for (file, marked) in [("p384.pem", "marked.pem"), ("p384.key", "marked.key")] {
        let text = fs::read_to_string(folder.join(file)).expect("read");
        fs::write(folder.join(marked), format!("\u{feff}{text}")).expect("written");
    }
    for (certificate, key, first_line, authority) in [
        ("rsa.pem", "rsa.key", "-----BEGIN PRIVATE KEY-----", "rsa.pem"),
        ("rsa.pem", "pkcs1.key", "-----BEGIN RSA PRIVATE KEY-----", "rsa.pem"),
        ("p256.pem", "p256.key", "-----BEGIN PRIVATE KEY-----", "p256.pem"),
        ("p256.pem", "sec1.key", "-----BEGIN EC PRIVATE KEY-----", "p256.pem"),
        ("parameters.pem", "parameters.key", "-----BEGIN EC PARAMETERS-----", "parameters.pem"),
        ("marked.pem", "marked.key", "\u{feff}-----BEGIN PRIVATE KEY-----", "p384.pem"),
        ("ed25519.pem", "ed25519.key", "-----BEGIN PRIVATE KEY-----", "ed25519.pem"),
    ] {
        let text = fs::read_to_string(folder.join(key)).expect("read");
        assert_eq!(text.lines().next(), Some(first_line), "{key}");
        let emulator = start(&folder, certificate, key).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(emulator.url().starts_with("https://") && emulator.ca_pem().is_none());
        let output = curl(&folder, authority, emulator.url());
        assert_eq!(output.stdout, b"200", "{key}: {output:?}");
    }
}

#[test]
fn a_chain_is_sent_whole() {
    let folder = folder("own_chain");
    make(&folder, "root", &[P256, &["-addext", "basicConstraints=critical,CA:TRUE"]].concat());
    for (name, issuer, extensions) in
        [("between", "root", "basicConstraints=critical,CA:TRUE"), ("server", "between", "subjectAltName=IP:127.0.0.1")]
    {
        let (request, key, certificate) = (format!("{name}.csr"), format!("{name}.key"), format!("{name}.pem"));
        let mut arguments = vec!["req", "-nodes", "-keyout", &key, "-out", &request];
        let subject = format!("/CN={name}");
        arguments.extend(["-subj", &subject]);
        openssl(&folder, &[&arguments, P256].concat());
        fs::write(folder.join("extensions"), extensions).expect("written");
        let (ca, ca_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let sign = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", "30"];
        openssl(&folder, &[&sign[..], &["-extfile", "extensions", "-out", &certificate]].concat());
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("read");
    fs::write(folder.join("chain.pem"), format!("the server\n{}{}", read("server.pem"), read("between.pem")))
        .expect("written");
    let emulator = start(&folder, "chain.pem", "server.key").expect("it starts");
    assert_eq!(curl(&folder, "root.pem", emulator.url()).stdout, b"200", "without the one between, curl would refuse");
    let address = emulator.url().trim_start_matches("https://");
    let shown = run(
        Command::new("openssl").args(["s_client", "-showcerts", "-connect", address]).stdin(Stdio::null()),
        "openssl",
    );
    assert_eq!(String::from_utf8_lossy(&shown.stdout).matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_the_cause() {
    let folder = folder("own_wrong");
    make(&folder, "good", P256);
    make(&folder, "other", P256);
    make(&folder, "rsa", RSA);
    make(&folder, "weak", &["-newkey", "rsa:1024"]);
    openssl(&folder, &["x509", "-in", "good.pem", "-outform", "der", "-out", "der.pem"]);
    openssl(&folder, &["pkey", "-in", "good.key", "-outform", "der", "-out", "der.key"]);
    openssl(&folder, &["x509", "-in", "good.pem", "-trustout", "-out", "trusted.pem"]);
    openssl(&folder, &["pkey", "-in", "rsa.key", "-aes256", "-passout", "pass:x", "-out", "encrypted.key"]);
    openssl(
        &folder,
        &["rsa", "-traditional", "-in", "rsa.key", "-aes256", "-passout", "pass:x", "-out", "encrypted1.key"],
    );
    openssl(&folder, &["pkey", "-in", "good.key", "-pubout", "-out", "public.key"]);
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("read");
    for name in ["good.pem", "good.key"] {
        let utf_16: Vec<u8> = format!("\u{feff}{}", read(name)).encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(folder.join(name.replace("good", "utf16")), utf_16).expect("written");
        fs::write(folder.join(name.replace("good", "empty")), "").expect("written");
        let lines: Vec<_> = read(name).lines().map(str::to_owned).collect();
        fs::write(folder.join(name.replace("good", "cut")), lines[..lines.len() - 1].join("\n")).expect("written");
        let mut garbled = lines.clone();
        garbled[1] = "A".repeat(64);
        fs::write(folder.join(name.replace("good", "garbled")), garbled.join("\n")).expect("written");
    }
    for (certificates, key, named, cause) in [
        ("missing.pem", "good.key", "missing.pem", "cannot read"),
        ("good.pem", "missing.key", "missing.key", "cannot read"),
        ("utf16.pem", "good.key", "utf16.pem", "is UTF-16"),
        ("good.pem", "utf16.key", "utf16.key", "is UTF-16"),
        ("der.pem", "good.key", "der.pem", "openssl x509 -inform der"),
        ("good.pem", "der.key", "der.key", "openssl pkey -inform der"),
        ("empty.pem", "good.key", "empty.pem", "has no certificate"),
        ("good.pem", "empty.key", "empty.key", "has no private key"),
        ("good.key", "good.pem", "good.key", "the wrong way round"),
        ("good.pem", "other.pem", "other.pem", "the wrong way round"),
        ("trusted.pem", "good.key", "trusted.pem", "OpenSSL's own format"),
        ("cut.pem", "good.key", "cut.pem", "not valid PEM"),
        ("good.pem", "cut.key", "cut.key", "not valid PEM"),
        ("garbled.pem", "good.key", "garbled.pem", "cannot be decoded"),
        ("good.pem", "garbled.key", "garbled.key", "not supported"),
        ("good.pem", "public.key", "public.key", "has no private key"),
        ("rsa.pem", "encrypted.key", "encrypted.key", "is encrypted"),
        ("rsa.pem", "encrypted1.key", "encrypted1.key", "is encrypted"),
        ("good.pem", "other.key", "other.key", "does not fit the first certificate in"),
        ("good.pem", "rsa.key", "rsa.key", "does not fit the first certificate in"),
        ("weak.pem", "weak.key", "weak.key", "2048"),
    ] {
        let error = start(&folder, certificates, key).expect_err(cause).to_string();
        let named = folder.join(named);
        assert!(error.contains(named.to_str().expect("UTF-8")), "{certificates}, {key}: {error}");
        let cause = cause.replace("is encrypted", "an encrypted key");
        assert!(error.contains(&cause) && error.lines().count() == 1, "{certificates}, {key}: {error}");
    }
}
