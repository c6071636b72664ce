//! Additional certificate authorities from the configuration: PEM text, or a file that should be PEM.

use super::text::excerpt;
use crate::error::{Error, Result};
use crate::sys::is_exhaustion;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// PEM text, not parsed yet.
#[derive(Clone, Debug)]
pub(crate) struct CaText {
    /// The option and the file, for messages.
    pub(crate) from: String,
    /// Without byte order marks or white space around the lines.
    pub(crate) pem: Vec<u8>,
}

impl CaText {
    /// The texts of both options.
    ///
    /// # Errors
    /// The file cannot be read, or a text is not PEM; the message says how to convert it.
    pub(super) fn of_options(file: Option<PathBuf>, text: Option<String>) -> Result<Vec<CaText>> {
        let of_file = file.map(|path| CaText::read(&path)).transpose()?;
        let of_text = text.map(|text| CaText::new("`ca_pem`".to_owned(), text.as_bytes())).transpose()?;
        Ok(of_file.into_iter().chain(of_text).collect())
    }

    fn read(path: &Path) -> Result<CaText> {
        /// More than all public authorities together.
        const LONGEST: u64 = 16 * 1024 * 1024;
        let from = format!("`ca_file` \"{}\"", excerpt(&path.to_string_lossy()));
        let refused =
            |why: &dyn Display| Error::invalid_argument(format!("{from} cannot be read ({why}); give a PEM file"));
        let unread = |cause: io::Error| match is_exhaustion(&cause) {
            true => Error::out_of_resources(&format!("{from} could not be read"), &cause),
            false => refused(&cause),
        };
        let mut bytes = Vec::new();
        // Opening a pipe blocks until another process opens it for writing.
        if !fs::metadata(path).map_err(unread)?.is_file() {
            return Err(refused(&"it is not a plain file"));
        }
        let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
        read.map_err(unread)?;
        if bytes.len() as u64 > LONGEST {
            return Err(refused(&"it is larger than 16 MiB"));
        }
        CaText::new(from, &bytes)
    }

    fn new(from: String, bytes: &[u8]) -> Result<CaText> {
        if let Some(remedy) = not_pem(bytes) {
            return Err(Error::invalid_argument(format!("{from} {remedy}")));
        }
        Ok(CaText { pem: tidy(bytes), from })
    }
}

/// PEM dashes must start a line, but editors add byte order marks there and source code indentation.
fn tidy(bytes: &[u8]) -> Vec<u8> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    let lines = lines.map(|line| line.trim_ascii()).map(|line| line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line));
    lines.flat_map(|line| [line.trim_ascii(), b"\n"]).flatten().copied().collect()
}

/// What these bytes are, and how to convert them, if they are not PEM certificates.
fn not_pem(bytes: &[u8]) -> Option<String> {
    const GOOD: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let convert = |what: &str, command: &str| {
        Some(format!("is {what}, not PEM; convert it: openssl {command} -in FILE -out ca.pem"))
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.iter().take(2).any(|byte| *byte == 0) {
        return Some("is UTF-16 text, as written by PowerShell and Notepad; save it as UTF-8".to_owned());
    }
    if let [0x30, 0x80..=0xff, ..] = bytes {
        let head = &bytes[..bytes.len().min(32)];
        let starts_with = |inner: &[u8]| head.windows(inner.len()).take(7).any(|window| window == inner);
        return if starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") {
            convert("PKCS#7 (DER)", "pkcs7 -inform DER -print_certs")
        } else if starts_with(b"\x02\x01\x03\x30") {
            convert("PKCS#12", "pkcs12 -nokeys")
        } else {
            convert("DER", "x509 -inform DER")
        };
    }
    if has(b"-----BEGIN PKCS7-----") || has(b"-----BEGIN CMS-----") {
        return convert("PKCS#7", "pkcs7 -print_certs");
    }
    if has(b"-----BEGIN TRUSTED CERTIFICATE-----") || has(b"-----BEGIN X509 CERTIFICATE-----") {
        return convert("a certificate in OpenSSL's own format (BEGIN TRUSTED CERTIFICATE)", "x509");
    }
    if has(GOOD) {
        let in_one_line = has(b"-----BEGIN CERTIFICATE-----\\n") || has(b"-----BEGIN CERTIFICATE-----\\r");
        return in_one_line.then(|| "has the text \\n instead of line ends; replace each with a line end".to_owned());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some("is empty; give PEM text: -----BEGIN CERTIFICATE-----".to_owned());
    }
    Some(if has(b"PRIVATE KEY-----") {
        "has a private key but no certificate; give the authority's certificate, and keep its key secret".to_owned()
    } else {
        "has no certificate; give PEM text: -----BEGIN CERTIFICATE-----".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    fn tidied(bytes: &[u8]) -> String {
        String::from_utf8(CaText::new(String::new(), bytes).unwrap().pem).unwrap()
    }

    #[test]
    fn byte_order_marks_and_indentation_are_removed() {
        for text in [
            format!("\u{feff}{PEM}"),
            format!("\u{feff}\r\n  {}", PEM.replace('\n', "\r\n  ")),
            PEM.replace('\n', "\r"),
            format!("\n\t{PEM}"),
        ] {
            assert_eq!(tidied(text.as_bytes()).trim().replace("\n\n", "\n"), PEM.trim(), "{text:?}");
        }
        let two = tidied(format!("\u{feff}{PEM}\u{feff}{PEM}").as_bytes());
        assert_eq!(two.matches("\n-----BEGIN").count() + usize::from(two.starts_with("-----BEGIN")), 2, "{two}");
    }

    #[test]
    fn other_formats_are_named_with_the_command_to_convert_them() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let der = |rest: &[u8]| [b"\x30\x82\x01\x0a", rest].concat();
        for (bytes, facts) in [
            (utf16(&format!("\u{feff}{PEM}")), ["UTF-16", "UTF-8"]),
            (utf16(PEM), ["UTF-16", "UTF-8"]),
            (der(b"\x30\x82\x01\x00\xa0\x03\x02\x01\x02"), ["DER", "openssl x509 -inform DER"]),
            (
                der(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
                ["PKCS#7", "openssl pkcs7 -inform DER -print_certs"],
            ),
            (der(b"\x02\x01\x03\x30\x82"), ["PKCS#12", "openssl pkcs12 -nokeys"]),
            (PEM.replace("CERTIFICATE", "PKCS7").into(), ["PKCS#7", "openssl pkcs7 -print_certs"]),
            (PEM.replace("CERTIFICATE", "TRUSTED CERTIFICATE").into(), ["TRUSTED CERTIFICATE", "openssl x509"]),
            (format!("{PEM}{}", PEM.replace("CERTIFICATE", "TRUSTED CERTIFICATE")).into(), ["TRUSTED", "openssl x509"]),
            (PEM.replace('\n', "\\n").into(), ["\\n", "line end"]),
            (PEM.replace("CERTIFICATE", "RSA PRIVATE KEY").into(), ["private key", "certificate"]),
            (" \r\n".into(), ["empty", "BEGIN CERTIFICATE"]),
            ("<html>".into(), ["no certificate", "BEGIN CERTIFICATE"]),
        ] {
            let error = CaText::new("`ca_file` \"x\"".into(), &bytes).unwrap_err();
            for fact in ["`ca_file` \"x\"", facts[0], facts[1]] {
                assert!(error.message().contains(fact), "{fact}: {error}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_a_plain_file_of_a_sensible_size_is_read() {
        let folder = std::env::temp_dir().join(format!("arr-ca-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let (pipe, large) = (folder.join("pipe"), folder.join("large"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        File::create(&large).unwrap().set_len(17 * 1024 * 1024).unwrap();
        for (path, expected) in [(&*pipe, "plain file"), (Path::new("/dev/zero"), "plain file"), (&*large, "16 MiB")] {
            let error = CaText::read(path).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
