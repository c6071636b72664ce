//! The file with the certificate that clients must trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the name of every emulator's authority begins with.
const AUTHORITY: &[u8] = b"arr-emulator CA ";

/// Whether an emulator has written a file: a single certificate, with the authority of an emulator as the subject and
/// as the issuer. A bundle of certificates is the user's, even if it contains such a certificate.
pub(crate) fn is_ours(contents: &[u8]) -> bool {
    certificate(contents).is_some_and(|certificate| {
        certificate.windows(AUTHORITY.len()).filter(|window| *window == AUTHORITY).count() == 2
    })
}

/// The only certificate in a PEM file; `None` if there is anything else in it.
fn certificate(pem: &[u8]) -> Option<Vec<u8>> {
    let pem = str::from_utf8(pem).ok()?.trim_end();
    let base64 = pem.strip_prefix("-----BEGIN CERTIFICATE-----")?.strip_suffix("-----END CERTIFICATE-----")?;
    STANDARD.decode(base64.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use arr_service::{Config, Emulator};

    use super::*;

    #[test]
    fn a_single_authority_of_an_emulator_s_is_ours_and_nothing_else_is() {
        let emulator = Emulator::start(Config { tls: true, ..Config::default() }).expect("it starts");
        let ours = emulator.ca_pem().expect("HTTPS");
        assert!(is_ours(ours.as_bytes()));
        let foreign = ours.replace(ours.lines().nth(2).expect("a line"), &"A".repeat(64));
        for other in [&format!("{ours}{ours}"), &format!("{ours}x"), &format!("x\n{ours}"), &foreign, ""] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
