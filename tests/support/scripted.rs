//! A server that does what a test tells it to, down to the bytes. It gives out good tokens by itself.

use arr_session::{Client, ClientConfig, Credential};
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
    /// Answers with these bytes, then one byte of the body at a time, far apart, until the peer goes.
    Drip(String),
    /// Answers with these bytes and closes.
    AnswerAndClose(String),
    /// Closes without an answer.
    Close,
    /// Says nothing until the peer goes.
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
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Acts so on every session request.
    pub(crate) fn always(act: Act) -> Scripted {
        Scripted::by(move |_| act.clone())
    }

    /// Asks `choose` for each session request, by `METHOD path`.
    pub(crate) fn by(choose: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
        Scripted::with_tokens(reply("200 OK", "Content-Type: application/json\r\n", &token()), choose)
    }

    /// Answers token requests with these bytes.
    pub(crate) fn with_tokens(token: String, choose: impl Fn(&str) -> Act + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, choose, token) = (Arc::clone(&seen), Arc::new(choose), Arc::new(token));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, choose, token) = (Arc::clone(&log), Arc::clone(&choose), Arc::clone(&token));
                thread::spawn(move || serve(&stream, &log, &*choose, &token));
            }
        });
        Scripted { url, seen }
    }

    /// The requests so far, as `METHOD path`, the account's id shortened to `{a}`.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|line| line.replace(ACCOUNT, "{a}")).collect()
    }

    /// A client of this server, otherwise as `config`.
    pub(crate) fn client(&self, config: ClientConfig) -> Client {
        let config = ClientConfig {
            account_id: ACCOUNT.into(),
            credential: Credential::AccountKey("c2VjcmV0a2V5".into()),
            account_domain: self.url.clone(),
            service_endpoint: self.url.clone(),
            ..config
        };
        Client::new(config).expect("the options are good")
    }
}

const ACCOUNT: &str = "68321d5a-7978-4ceb-b880-0f49751daae9";

/// A body with a token that is good until 2099.
pub(crate) fn token() -> String {
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":4070908800}"#);
    format!(r#"{{"AccessToken":"h.{payload}.s"}}"#)
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<String>>, choose: &dyn Fn(&str) -> Act, token: &str) {
    stream.set_nodelay(true).ok();
    let mut reader = BufReader::new(stream);
    while let Some(line) = read_request(&mut reader) {
        log.lock().unwrap().push(line.clone());
        let act = if line.ends_with("/token") { Act::Answer(token.to_owned()) } else { choose(&line) };
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
            Act::Drip(bytes) => {
                writer.write_all(bytes.as_bytes()).ok();
                while writer.write_all(b" ").is_ok() {
                    // The drip itself: each byte comes well before any single read would give up.
                    thread::sleep(Duration::from_millis(20));
                }
                return;
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

/// Reads one request with its body; `METHOD path` of it.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let mut words = first.split(' ');
    Some(format!("{} {}", words.next()?, words.next()?))
}
