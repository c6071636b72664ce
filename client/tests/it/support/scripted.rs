//! A server that a test controls down to the bytes. By default it issues valid tokens.

use super::barrier::Barrier;
use super::{shared, shortened};
use arr_client::test_util::Clock;
use arr_client::{Client, ClientConfig, Credential, Error};
use arr_service::VirtualClock;
use base64::Engine as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with a session request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers with these bytes and keeps the connection.
    Answer(String),
    /// Answers with these bytes, then slowly with one byte of the body at a time, until the peer closes.
    Drip(String),
    /// Drips until the barrier is opened, then closes.
    DripUntil(String, Barrier),
    /// Answers with these bytes and closes.
    AnswerAndClose(String),
    /// Closes without an answer.
    Close,
    /// Sends nothing until the peer closes.
    Silence,
}

/// A reply with this status line, these headers and this body.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nMS-CV: 5EqPJ1VdTUakDJZc6/ZhTg.0\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The server. Its threads end with the test's process.
pub(crate) struct Scripted {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as received.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `METHOD path`.
    pub(crate) line: String,
    /// The header lines, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl Scripted {
    /// Does this for every session request.
    pub(crate) fn always(act: Act) -> Scripted {
        Scripted::by(move |_| act.clone())
    }

    /// Calls `choose` with `METHOD path` for each session request.
    pub(crate) fn by(choose: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
        Scripted::with_tokens(reply("200 OK", "Content-Type: application/json\r\n", &token()), choose)
    }

    /// Answers token requests with these bytes.
    pub(crate) fn with_tokens(token: String, choose: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
        Scripted::deciding_tokens(move || Act::Answer(token.clone()), choose)
    }

    /// Calls `token` for each token request.
    pub(crate) fn deciding_tokens(
        token: impl Fn() -> Act + Send + Sync + 'static,
        choose: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, choose, token) = (Arc::clone(&seen), Arc::new(choose), Arc::new(token));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, choose, token) = (Arc::clone(&log), Arc::clone(&choose), Arc::clone(&token));
                thread::spawn(move || serve(&stream, &log, &*choose, &*token));
            }
        });
        Scripted { url, seen }
    }

    /// The requests so far, as `METHOD path`, with ids shortened to `{id}`.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.requests().iter().map(|seen| shortened(&seen.line)).collect()
    }

    /// The complete requests so far.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// A client of this server, otherwise like `config`.
    pub(crate) fn client(&self, config: ClientConfig) -> Client {
        Client::new(self.config(config)).expect("the options are valid")
    }

    /// The same, if the options are valid.
    pub(crate) fn try_client(&self, config: ClientConfig) -> Result<Client, Error> {
        Client::new(self.config(config))
    }

    /// A client with a clock that advances when the client sleeps.
    pub(crate) fn client_on(&self, clock: &VirtualClock, config: ClientConfig) -> Client {
        Client::with_clock(self.config(config), shared(clock)).expect("the options are valid")
    }

    /// A client with tokens from here and sessions at another endpoint.
    pub(crate) fn client_at(&self, endpoint: &str, clock: &VirtualClock, config: ClientConfig) -> Client {
        let config = ClientConfig { service_endpoint: endpoint.into(), ..self.config(config) };
        Client::with_clock(config, shared(clock)).expect("the options are valid")
    }

    /// A client with this clock.
    pub(crate) fn client_with_clock(&self, clock: Arc<dyn Clock>, config: ClientConfig) -> Client {
        Client::with_clock(self.config(config), clock).expect("the options are valid")
    }

    fn config(&self, config: ClientConfig) -> ClientConfig {
        ClientConfig {
            account_id: ACCOUNT.into(),
            credential: Credential::AccountKey("c2VjcmV0a2V5".into()),
            account_domain: self.url.clone(),
            service_endpoint: self.url.clone(),
            ..config
        }
    }
}

const ACCOUNT: &str = "68321d5a-7978-4ceb-b880-0f49751daae9";

/// A body with a token that is valid until 2099.
pub(crate) fn token() -> String {
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":4070908800}"#);
    format!(r#"{{"AccessToken":"h.{payload}.s"}}"#)
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Seen>>, choose: &dyn Fn(&str) -> Act, token: &dyn Fn() -> Act) {
    stream.set_nodelay(true).ok();
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_request(&mut reader) {
        let line = seen.line.clone();
        log.lock().unwrap().push(seen);
        let act = if line.ends_with("/token") { token() } else { choose(&line) };
        let mut writer = stream;
        match act {
            Act::Answer(bytes) => {
                if writer.write_all(bytes.as_bytes()).is_err() {
                    return;
                }
            }
            Act::AnswerAndClose(bytes) => {
                writer.write_all(bytes.as_bytes()).ok();
                break;
            }
            Act::Drip(bytes) => return drip(writer, &bytes, || false),
            Act::DripUntil(bytes, barrier) => {
                drip(writer, &bytes, || barrier.is_open());
                break;
            }
            Act::Close => break,
            Act::Silence => {
                reader.read_to_end(&mut Vec::new()).ok();
                return;
            }
        }
    }
    stream.shutdown(Shutdown::Both).ok();
}

/// Writes this, and then one byte after another, until the peer closes or `enough` holds.
fn drip(mut writer: &TcpStream, bytes: &str, enough: impl Fn() -> bool) {
    writer.write_all(bytes.as_bytes()).ok();
    while !enough() && writer.write_all(b" ").is_ok() {
        // Each byte arrives well before any single read would time out.
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads one request with its body.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Seen> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(Some(0), |(_, it)| it.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let line = format!("{} {}", words.next()?, words.next()?);
    Some(Seen { line, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
