//! A small HTTP client that notices when the emulator dies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// One connection, which may be encrypted.
pub(crate) struct Http<S: Read = TcpStream> {
    stream: BufReader<S>,
    address: String,
}

/// Connects, without TLS.
pub(crate) fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl<S: Read + Write> Http<S> {
    pub(crate) fn over(stream: S, address: &str) -> Self {
        Self { stream: BufReader::new(stream), address: address.to_owned() }
    }

    /// The status and the body of the reply, which is complete: whatever it says has been acknowledged.
    pub(crate) fn call(&mut self, method: &str, path: &str, bearer: &str, body: &str) -> io::Result<(u16, Value)> {
        let Self { stream, address } = self;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\nContent-Length: \
             {length}\r\n\r\n{body}"
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let status = line(stream)?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            let line = line(stream)?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            assert!(!line.starts_with("transfer-encoding"), "{line}");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
