//! The file with the certificate that clients must trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Every emulator's certificate authority has a name that begins with this.
const AUTHORITY: &[u8] = b"arr-emulator CA ";

/// Whether an emulator wrote the file: it is a single certificate, with an emulator's authority as subject and issuer.
/// A bundle of certificates is the user's, even if it contains such a certificate.
pub(crate) fn is_ours(contents: &[u8]) -> bool {
    certificate(contents).is_some_and(|certificate| {
        certificate.windows(AUTHORITY.len()).filter(|window| *window == AUTHORITY).count() == 2
    })
}

/// The only certificate in a PEM file; `None` if the file contains anything else.
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
    fn only_a_single_emulator_authority_is_ours() {
        let emulator = Emulator::start(Config { tls: true, ..Config::default() }).expect("it starts");
        let ours = emulator.ca_pem().expect("HTTPS");
        assert!(is_ours(ours.as_bytes()));
        let foreign = ours.replace(ours.lines().nth(2).expect("a line"), &"A".repeat(64));
        for other in [&format!("{ours}{ours}"), &format!("{ours}x"), &format!("x\n{ours}"), &foreign, ""] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
