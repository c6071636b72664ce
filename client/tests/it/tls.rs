//! Connections that TLS refuses: the message says why, and what to do.

use crate::support::an_hour;
use crate::support::tls::{Authority, Identity, NOW, Years, client, config, serve};
use arr_client::{Client, ClientConfig, Credential, Error, ErrorKind, LogLevel};
use arr_service::{Config, Emulator};
use rcgen::{
    BasicConstraints, CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints,
    SanType,
};
use rustls::ALL_VERSIONS;
use rustls::version::{TLS12, TLS13};
use std::io::{Read, Write};

/// Asserts that getting a token fails with a TLS error whose message has these facts.
fn refused(client: &Client, what: &str, facts: &[&str]) -> String {
    let error = client.access_token().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{what}: {error}");
    assert!(!error.is_retryable() && !error.is_outcome_unknown(), "{what}");
    for fact in facts {
        assert!(error.message().contains(fact), "{what}: {fact} is missing: {error}");
    }
    assert!(error.message().len() < 460, "{what}: too long for C: {error}");
    error.message().to_owned()
}

/// Today's date as in the messages, without the time of day.
fn today() -> String {
    httpdate::fmt_http_date(std::time::SystemTime::now())[..16].to_owned()
}

/// Adds a token that is valid until 2099, so that a create is the first request.
fn with_token(config: ClientConfig) -> ClientConfig {
    ClientConfig { credential: Credential::AccessToken("h.eyJleHAiOjQwNzA5MDg4MDB9.s".into()), ..config }
}

#[test]
fn an_untimely_certificate_is_explained_with_both_times() {
    let authority = Authority::new(NOW);
    for (valid, limit) in [([2020, 2021], "01 Jan 2021 00:00:00 GMT"), ([3999, 4000], "01 Jan 3999 00:00:00 GMT")] {
        let url = authority.server(&["127.0.0.1"], valid).serve(ALL_VERSIONS, None);
        let message = refused(&client(&url, &authority.pem), limit, &[limit, &today(), "clock", &url]);
        assert!(!message.contains("ca_file"), "{message}");
    }
}

#[test]
fn a_certificate_for_another_host_lists_its_names() {
    let authority = Authority::new(NOW);
    let serve = |names: &[&str]| authority.server(names, NOW).serve(ALL_VERSIONS, None);
    let url = serve(&["render.example.com", "10.1.2.3"]);
    let message = refused(&client(&url, &authority.pem), "names", &["127.0.0.1", "render.example.com", "10.1.2.3"]);
    assert!(!message.contains("DnsName") && !message.contains("ca_file"), "{message}");

    let many: Vec<_> = (0..100).map(|n| format!("a-rather-long-host-name-{n}.example.com")).collect();
    let url = serve(&many.iter().map(String::as_str).collect::<Vec<_>>());
    refused(&client(&url, &authority.pem), "many names", &["host-name-0.", "host-name-4.", "95 more"]);
    refused(&client(&serve(&[]), &authority.pem), "no names", &["127.0.0.1", "subject alternative name"]);
    // Names of other types, and an address of the type DNS, are not host names.
    let odd = |names: Vec<SanType>| {
        let identity = authority.changed_server(&[], NOW, |params| params.subject_alt_names = names);
        client(&identity.serve(ALL_VERSIONS, None), &authority.pem)
    };
    let text = |text: &str| text.to_owned().try_into().unwrap();
    let mail = SanType::Rfc822Name(text("a@b.example"));
    let message = refused(&odd(vec![mail]), "mail", &["127.0.0.1", "subject alternative name"]);
    assert!(!message.contains("0x01"), "{message}");
    let message = refused(&odd(vec![SanType::DnsName(text("127.0.0.1"))]), "address", &["127.0.0.1", "DNS", "IP"]);
    assert!(!message.contains("but for"), "{message}");
}

#[test]
fn hidden_characters_in_a_certificates_names_do_not_reach_messages() {
    // `good.example` and `bad` with hidden characters and a backtick, as DNS names. The generator takes only ASCII.
    let evil = "bad\u{202e}\u{200b}\u{2066}`.example";
    let names: Vec<_> = ["good.example", evil].iter().flat_map(|name| der(0x82, name.as_bytes())).collect();
    let authority = Authority::new(NOW);
    let identity = authority.changed_server(&[], NOW, |params| {
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], der(0x30, &names)));
    });
    let url = identity.serve(ALL_VERSIONS, None);
    refused(&client(&url, &authority.pem), "hidden", &["good.example, bad.example;"]);
}

/// A short value of this type in DER.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(value.len()).unwrap()], value].concat()
}

#[test]
fn an_unknown_authority_names_the_options_that_add_one() {
    let [known, unknown] = [(); 2].map(|()| Authority::new(NOW));
    let url = unknown.server(&["127.0.0.1"], NOW).serve(ALL_VERSIONS, None);
    refused(&client(&url, ""), "none given", &["`ca_file`", "`ca_pem`"]);
    // An authority of the same name, as after a restart of the emulator.
    refused(&client(&url, &known.pem), "another given", &["`ca_file`", "`ca_pem`"]);
    client(&url, &unknown.pem).access_token().run().unwrap();
}

#[test]
fn a_trusted_authoritys_certificate_is_refused_as_a_servers() {
    let is_ca = Identity::self_signed(true);
    let url = is_ca.serve(ALL_VERSIONS, None);
    for given in ["", &is_ca.pem] {
        refused(&client(&url, given), "CA:TRUE", &["self-signed", "CA:TRUE", "CA:FALSE", "`ca_file`"]);
    }
    let is_none = Identity::self_signed(false);
    client(&is_none.serve(ALL_VERSIONS, None), &is_none.pem).access_token().run().unwrap();
}

#[test]
fn a_certificate_of_the_wrong_purpose_or_issuer_is_explained() {
    let authority = Authority::new(NOW);
    let server = |authority: &Authority| authority.server(&["127.0.0.1"], NOW);
    let not_for_servers = authority.changed_server(&["127.0.0.1"], NOW, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    // The server would refuse its own.
    let critical = authority.below(|params| {
        let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], der(4, b"x"));
        unknown.set_criticality(true);
        params.custom_extensions.push(unknown);
    });
    let loopback = GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]));
    let constrained = Authority::changed(NOW, |params| {
        let (permitted_subtrees, excluded_subtrees) = (Vec::new(), vec![loopback]);
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    });
    let no_authority = authority.below(|params| params.is_ca = IsCa::ExplicitNoCa);
    let only_servers = authority.below(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    for (identity, trusted, fact) in [
        (&not_for_servers, &authority, "serverAuth"),
        (&server(&critical), &authority, "critical extension"),
        (&server(&constrained), &constrained, "name constraints"),
        (&server(&no_authority), &authority, "chain"),
        (&server(&only_servers.below(|_| ())), &authority, "chain"),
    ] {
        let message = refused(&client(&identity.serve(ALL_VERSIONS, None), &trusted.pem), fact, &[fact]);
        assert!(!message.contains("Error") && !message.contains("Violat"), "{message}");
    }
    client(&server(&only_servers).serve(ALL_VERSIONS, None), &authority.pem).access_token().run().unwrap();
}

#[test]
fn a_server_with_only_old_tls_versions_is_explained() {
    // An alert protocol_version, and the beginning of a ServerHello of TLS 1.1.
    let mut hello = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".to_vec();
    hello.extend([7; 32]);
    hello.extend(b"\x00\x00\x2f\x00");
    for bytes in [b"\x15\x03\x02\x00\x02\x02\x46".to_vec(), hello] {
        let url = serve(move |mut stream| {
            stream.write_all(&bytes).ok();
            stream.read_to_end(&mut Vec::new()).ok();
        });
        refused(&client(&url, ""), "TLS 1.1", &["TLS 1.2", "TLS 1.3", &url]);
    }
}

/// Under TLS 1.3 the refusal arrives when the client already considers the connection established.
#[test]
fn a_required_client_certificate_is_named_and_nothing_was_created() {
    let authority = Authority::new(NOW);
    for version in [&TLS12, &TLS13] {
        let url = authority.server(&["127.0.0.1"], NOW).serve(&[version], Some(&authority.pem));
        let what = format!("{version:?}");
        refused(&client(&url, &authority.pem), &what, &["client certificate", &url]);

        let config = with_token(config(&url, &authority.pem));
        let error = Client::new(config).unwrap().create_session(&an_hour()).run().unwrap_err();
        assert_eq!((error.kind(), error.is_outcome_unknown()), (ErrorKind::Tls, false), "{what}: {error}");
    }
}

#[test]
fn https_to_a_plain_port_suggests_http() {
    let emulator = Emulator::start(Config::default()).unwrap();
    let url = emulator.url().replace("http:", "https:");
    let message = refused(&client(&url, ""), "the emulator", &[emulator.url(), "TLS"]);
    assert!(!message.contains("ca_file"), "{message}");
}

#[test]
fn plain_http_to_a_tls_port_suggests_https() {
    let emulator = Emulator::start(Config { tls: true, ..Config::default() }).unwrap();
    let url = emulator.url().replace("https:", "http:");
    let facts = |error: &Error| {
        for fact in [emulator.url(), "TLS", "`service_endpoint`", "`account_domain`"] {
            assert!(error.message().contains(fact), "{fact}: {error}");
        }
    };
    let error = client(&url, "").access_token().run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    facts(&error);
    // The create was sent completely, and its reply is not readable.
    let error = Client::new(with_token(config(&url, ""))).unwrap().create_session(&an_hour()).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    facts(&error);
}

/// The alert handshake_failure, which OpenSSL under TLS 1.2 also sends if a client certificate is missing.
#[test]
fn a_failed_handshake_lists_what_the_server_must_offer() {
    let url = serve(|mut stream| {
        stream.write_all(b"\x15\x03\x03\x00\x02\x02\x28").ok();
        stream.read_to_end(&mut Vec::new()).ok();
    });
    refused(&client(&url, ""), "handshake_failure", &["TLS 1.2", "cipher", "client certificate", &url]);
}

/// The server may be restarting, so this is a network error.
#[test]
fn a_port_that_closes_in_the_handshake_may_not_speak_tls() {
    // With unread bytes the connection is reset.
    for most in [1024, 4] {
        let url = serve(move |mut stream| drop(stream.read(&mut vec![0; most])));
        let error = client(&url, "").access_token().run().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Network, true), "{error}");
        for fact in [&url, "handshake", "speak TLS", "client certificate"] {
            assert!(error.message().contains(fact), "{fact}: {error}");
        }
    }
}

#[test]
fn a_port_that_is_silent_may_not_speak_tls() {
    let url = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let config = ClientConfig { connect_timeout: std::time::Duration::from_millis(100), ..config(&url, "") };
    let error = Client::new(config).unwrap().access_token().run().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Network, true), "{error}");
    for fact in [&url, "`connect_timeout`", "speaks TLS"] {
        assert!(error.message().contains(fact), "{fact}: {error}");
    }
}

/// TLS servers that recognise plain HTTP answer in it, or close the connection without a word.
#[test]
fn a_tls_server_that_recognises_plain_http_is_explained() {
    let reply = |text: &str| format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    for answer in [
        reply("Client sent an HTTP request to an HTTPS server.\n"),
        reply("<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"),
        reply("<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"),
        String::new(),
    ] {
        let url = serve(move |mut stream| {
            drop(stream.read(&mut [0; 16]));
            stream.write_all(answer.as_bytes()).ok();
            stream.shutdown(std::net::Shutdown::Write).ok();
            stream.read_to_end(&mut Vec::new()).ok();
        });
        let error = client(&url.replace("https:", "http:"), "").access_token().run().unwrap_err();
        for fact in ["TLS", "https://", "`account_domain`"] {
            assert!(error.message().contains(fact), "{fact}: {error}");
        }
    }
}

#[test]
fn a_server_that_asks_for_a_client_certificate_in_http_is_explained() {
    for (status, text) in [
        ("400 Bad Request", "<html><title>400 No required SSL certificate was sent</title></html>"),
        ("403 Forbidden", "<p>Forbidden. Reason: Cannot perform Post-Handshake Authentication.<br></p>"),
        ("403 Forbidden", "<h2>403.7: your browser must have a Secure Sockets Layer (SSL) client certificate</h2>"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let url = serve(move |mut stream| {
            drop(stream.read(&mut [0; 1024]));
            stream.write_all(answer.as_bytes()).ok();
        });
        let error = client(&url.replace("https:", "http:"), "").access_token().run().unwrap_err();
        for fact in ["demands a client certificate", "`account_domain`"] {
            assert!(error.message().contains(fact), "{fact}: {error}");
        }
    }
}

/// A server has no other reason for these alerts than the certificate of its client.
#[test]
fn every_alert_about_a_certificate_is_about_the_clients() {
    let alerts: [(u8, &[&str]); 12] = [
        (41, &["client certificate"]),
        (42, &["client certificate"]),
        (43, &["client certificate"]),
        (44, &["client certificate"]),
        (45, &["client certificate"]),
        (46, &["client certificate"]),
        (48, &["client certificate"]),
        (49, &["client certificate"]),
        (71, &["TLS 1.2", "cipher"]),
        (80, &["InternalError", "`service_endpoint`"]),
        (112, &["host name", "`service_endpoint`"]),
        (120, &["HTTP/1.1"]),
    ];
    for (alert, facts) in alerts {
        let url = serve(move |mut stream| {
            stream.write_all(&[0x15, 3, 3, 0, 2, 2, alert]).ok();
            stream.read_to_end(&mut Vec::new()).ok();
        });
        refused(&client(&url, ""), &alert.to_string(), &[facts, &[&*url]].concat());
    }
}

#[test]
fn an_expired_certificate_may_be_an_authoritys() {
    let authority = Authority::new(NOW);
    let expired = authority.below(|params| params.not_after = rcgen::date_time_ymd(2021, 1, 1));
    let url = expired.server(&["127.0.0.1"], NOW).serve(ALL_VERSIONS, None);
    refused(&client(&url, &authority.pem), "intermediate", &["or one above it", "01 Jan 2021 00:00:00 GMT"]);
}

#[test]
fn an_untimely_authority_is_trusted_with_a_warning() {
    let log_of = |valid: Years| {
        let authority = Authority::new(valid);
        let url = authority.server(&["127.0.0.1"], NOW).serve(ALL_VERSIONS, None);
        let client = client(&url, &(Authority::new(NOW).pem + &authority.pem));
        client.access_token().run().unwrap();
        std::iter::from_fn(move || client.next_log(std::time::Duration::ZERO).ok().flatten()).collect::<Vec<_>>()
    };
    assert_eq!(log_of(NOW), []);
    for (valid, limit) in [([2020, 2021], "01 Jan 2021 00:00:00 GMT"), ([3999, 4000], "01 Jan 3999 00:00:00 GMT")] {
        let log = log_of(valid);
        assert_eq!((log.len(), log[0].level), (1, LogLevel::Warning), "{log:?}");
        for fact in [limit, &today(), "clock", "`ca_pem`", "certificate 2"] {
            assert!(log[0].message.contains(fact), "{fact}: {log:?}");
        }
    }
}

/// As written by editors on Windows, and as indented in source code.
#[test]
fn an_authority_with_a_byte_order_mark_is_trusted() {
    let authority = Authority::new(NOW);
    let url = authority.server(&["127.0.0.1"], NOW).serve(ALL_VERSIONS, None);
    let path = std::env::temp_dir().join(format!("arr-ca-{}.pem", uuid::Uuid::new_v4()));
    for text in [format!("\u{feff}{}", authority.pem), authority.pem.replace('\n', "\r\n    ")] {
        client(&url, &text).access_token().run().unwrap();
        std::fs::write(&path, text).unwrap();
        Client::new(config(&url, "").ca_file(&path)).unwrap().access_token().run().unwrap();
    }
    // As converted by PowerShell.
    let utf16: Vec<u8> = format!("\u{feff}{}", authority.pem).encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&path, utf16).unwrap();
    let error = Client::new(config(&url, "").ca_file(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    for fact in ["`ca_file`", "UTF-16", "UTF-8", &*path.file_name().unwrap().to_string_lossy()] {
        assert!(error.message().contains(fact), "{fact}: {error}");
    }
    std::fs::remove_file(path).unwrap();
}
