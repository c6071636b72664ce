//! A small HTTP/1.1 client that shows the bytes on the wire.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far longer than any reply takes: only a hanging emulator exceeds it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A reply as received.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, its name in any letter case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice: {:?}", self.headers);
        value
    }

    pub(crate) fn header_count(&self) -> usize {
        self.headers.len()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("Content-Type"), Some("application/json; charset=utf-8"), "{self:?}");
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The service's error text.
    pub(crate) fn error(&self) -> String {
        let body = self.json();
        let error = body["error"].as_str().expect("an error text");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
        error.to_owned()
    }

    /// The code and message of an error in REST 2021-01-01. Fails if the body has other members.
    pub(crate) fn error_2021(&self) -> (String, String) {
        let body = self.json();
        let text = |name: &str| body["error"][name].as_str().expect("a text").to_owned();
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
        assert_eq!(body["error"].as_object().map(serde_json::Map::len), Some(2), "{body}");
        (text("code"), text("message"))
    }

    /// Fails unless the reply has this status and no body.
    #[track_caller]
    pub(crate) fn assert_empty(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body, b"", "{self:?}");
        assert_eq!(self.header("Content-Type"), None, "{self:?}");
        let length = if status == 204 { None } else { Some("0") };
        assert_eq!(self.header("Content-Length"), length, "{self:?}");
    }
}

/// One connection to an emulator without TLS.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order: TCP FIN.
    Fin,
    /// TCP RST.
    Reset,
}

impl Connection {
    pub(crate) fn open(url: &str) -> Connection {
        let address = url.strip_prefix("http://").expect("a plain URL");
        let stream = TcpStream::connect(address).expect("the emulator listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        // Head and body are two writes. The second must not wait for the first to be acknowledged.
        stream.set_nodelay(true).expect("no delay");
        Connection { stream: BufReader::new(stream), host: address.to_owned() }
    }

    /// Sends a request and reads its reply.
    pub(crate) fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.request(method, path, headers, body);
        self.receive(method)
    }

    /// Sends a request.
    pub(crate) fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        self.send(request.as_bytes());
        self.send(body);
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("sent");
    }

    /// Sends to an emulator that may have closed the connection already.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Reads the status and the headers of a reply.
    pub(crate) fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                return (status, headers);
            }
            let (name, value) = line.split_once(": ").expect("a header");
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Reads the reply to a request with this method.
    pub(crate) fn receive(&mut self, method: &str) -> Reply {
        let (status, headers) = self.head();
        let mut reply = Reply { status, headers, body: Vec::new() };
        if reply.status != 204 && method != "HEAD" {
            reply.body = match reply.header("Content-Length") {
                Some(length) => self.exactly(length.parse().expect("a number")),
                None => self.chunks(),
            };
        }
        reply
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).expect("the body");
        bytes
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk();
            if chunk.is_empty() {
                return body;
            }
            body.extend(chunk);
        }
    }

    /// Reads one chunk of a body; the last is empty.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let length = usize::from_str_radix(&self.line(), 16).expect("a length");
        let chunk = self.exactly(length);
        assert_eq!(self.line(), "");
        chunk
    }

    /// Reads until the connection ends, and returns how it ended.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => (bytes, End::Fin),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (bytes, End::Reset),
            Err(error) => panic!("no end: {error}"),
        }
    }

    /// Whether nothing arrives for this long, not even an end.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.get_ref().set_read_timeout(Some(time)).expect("a time limit");
        let silent = matches!(
            self.stream.read(&mut [0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        );
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).expect("a time limit");
        silent
    }

    /// Whether nothing arrives for this long; what does is still there to be read.
    pub(crate) fn has_nothing_for(&mut self, time: Duration) -> bool {
        self.stream.get_ref().set_read_timeout(Some(time)).expect("a time limit");
        let nothing = self.stream.fill_buf().is_err();
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).expect("a time limit");
        nothing
    }

    /// Whether the emulator ends the connection now, with nothing left to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(length) => length == 0,
            // A reset is an end too; a timeout is not.
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        let line = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("cut short: {line:?}"));
        line.to_owned()
    }
}
