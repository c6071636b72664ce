//! A forwarder to a server that can hold a request before the server sees it, or a reply before the client sees it.

use super::wire::{Asked, Wire};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Where a message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The request, before the server sees it.
    Request,
    /// The reply, before the client sees it.
    Reply,
}

/// The state of a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Expected,
    Here,
    LetGo,
    Cut,
}

#[derive(Default)]
struct State {
    holds: Mutex<Vec<(Wanted, Held)>>,
    passed: Mutex<Vec<String>>,
    mood: Mutex<Mood>,
}

/// What the gate does with messages that are not held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Open,
    /// It closes every connection, as if the server were not running.
    Gone,
    /// It forwards nothing and sends nothing.
    Silent,
}

#[derive(Clone, Copy)]
struct Wanted {
    wire: &'static Wire,
    asked: Option<Asked>,
    at: At,
}

/// The gate. Its threads end with the test's process.
pub(crate) struct Gate {
    pub(crate) url: String,
    state: Arc<State>,
}

/// A message that is held, or will be.
#[derive(Clone)]
pub(crate) struct Held(Arc<(Mutex<Fate>, Condvar)>);

impl Gate {
    /// An open gate to this server.
    pub(crate) fn to(url: &str) -> Gate {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let state = Arc::<State>::default();
        let for_thread = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (state, server) = (Arc::clone(&for_thread), server.clone());
                thread::spawn(move || pass(&client, &server, &state));
            }
        });
        Gate { url, state }
    }

    /// Changes the mood from now on, for open connections too.
    pub(crate) fn becomes(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    /// The requests forwarded so far: `METHOD path`, with ids shortened to `{id}`.
    pub(crate) fn passed(&self) -> Vec<String> {
        self.state.passed.lock().unwrap().clone()
    }

    /// Holds the next request of this kind, or its reply.
    pub(crate) fn hold(&self, wire: &'static Wire, asked: Asked, at: At) -> Held {
        self.hold_next(Wanted { wire, asked: Some(asked), at })
    }

    /// Holds the next token request, or its reply.
    pub(crate) fn hold_token(&self, wire: &'static Wire, at: At) -> Held {
        self.hold_next(Wanted { wire, asked: None, at })
    }

    fn hold_next(&self, wanted: Wanted) -> Held {
        let held = Held(Arc::new((Mutex::new(Fate::Expected), Condvar::new())));
        self.state.holds.lock().unwrap().push((wanted, held.clone()));
        held
    }
}

impl Held {
    /// Waits until it has arrived.
    pub(crate) fn arrived(&self) {
        let fate = self.wait_while(|fate| fate == Fate::Expected);
        assert_ne!(fate, Fate::Expected, "the message to hold never arrived");
    }

    /// Whether it has arrived.
    pub(crate) fn has_arrived(&self) -> bool {
        *self.0.0.lock().unwrap() != Fate::Expected
    }

    /// Forwards it.
    pub(crate) fn let_go(&self) {
        self.decide(Fate::LetGo);
    }

    /// Closes its connection, on both sides.
    pub(crate) fn cut(&self) {
        self.decide(Fate::Cut);
    }

    fn decide(&self, fate: Fate) {
        *self.0.0.lock().unwrap() = fate;
        self.0.1.notify_all();
    }

    fn wait_while(&self, same: impl Fn(Fate) -> bool) -> Fate {
        let fate = self.0.0.lock().unwrap();
        *self.0.1.wait_timeout_while(fate, Duration::from_secs(120), |fate| same(*fate)).unwrap().0
    }
}

/// Holds this message if a test asks for it. Returns whether to forward it.
fn may_pass(state: &State, line: &str, at: At) -> bool {
    let is_wanted = |(wanted, _): &(Wanted, Held)| {
        let asked = (!line.ends_with("/token")).then(|| wanted.wire.act_of(line));
        wanted.at == at && wanted.asked == asked
    };
    let mut all = state.holds.lock().unwrap();
    let Some(place) = all.iter().position(is_wanted) else { return true };
    let (_, held) = all.remove(place);
    drop(all);
    held.decide(Fate::Here);
    held.wait_while(|fate| fate == Fate::Here) == Fate::LetGo
}

fn pass(client: &TcpStream, server: &str, state: &State) {
    let Ok(upstream) = TcpStream::connect(server) else { return };
    let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(&upstream));
    for stream in [client, &upstream] {
        stream.set_nodelay(true).ok();
    }
    while let Some((line, request)) = read_message(&mut from_client) {
        let mood = *state.mood.lock().unwrap();
        match mood {
            Mood::Open => {}
            Mood::Gone => break,
            Mood::Silent => {
                from_client.read_to_end(&mut Vec::new()).ok();
                break;
            }
        }
        if !may_pass(state, &line, At::Request) {
            break;
        }
        state.passed.lock().unwrap().push(super::shortened(&line));
        if (&upstream).write_all(&request).is_err() {
            break;
        }
        let Some((_, reply)) = read_message(&mut from_server) else { break };
        let mut to_client = client;
        if !may_pass(state, &line, At::Reply) || to_client.write_all(&reply).is_err() {
            break;
        }
    }
    client.shutdown(Shutdown::Both).ok();
    upstream.shutdown(Shutdown::Both).ok();
}

/// Reads a request or a reply: the first two words of its first line, and its bytes.
fn read_message(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes).ok().filter(|length| *length > 0)?;
    let first = String::from_utf8_lossy(&bytes).into_owned();
    let mut length = 0;
    loop {
        let begin = bytes.len();
        reader.read_until(b'\n', &mut bytes).ok().filter(|length| *length > 0)?;
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        match line.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    bytes.extend(body);
    let mut words = first.split_whitespace();
    Some((format!("{} {}", words.next()?, words.next()?), bytes))
}
