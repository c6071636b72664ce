//! Everything at once: busy clients, 100,000 sessions, devices that vanish, slow and stalled requests, and malformed ones.
//! The emulator must serve throughout, and stay within the memory that `docs/emulator.md`, "Limits", promises.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arr_service::{DEVELOPMENT_ACCOUNT_ID as ACCOUNT, DEVELOPMENT_ACCOUNT_KEY as KEY};
use socket2::SockRef;

use crate::http::{Http, connect};
use crate::namespaces::{self, ADDRESS, Device};
use crate::running::Running;
use crate::support::folder;
use crate::vanishing::DEVICE;

const CONNECTIONS: usize = 200;
const SESSIONS: u64 = 100_000;
const VANISHING: &str = "1100";
const SLOW_HEADS: usize = 500;
const STALLED_BODIES: usize = 900;
const MUTATED: u64 = 100_000;

/// 600 MiB for connections, bodies and the record of requests, and about 1 KiB for each session.
const MOST_MEMORY_MIB: u64 = 600 + 100;

/// The emulator under load.
struct Target {
    /// Address and port.
    address: String,
    token: String,
    process: u32,
    /// The load is over.
    over: AtomicBool,
}

impl Target {
    fn connect(&self) -> Http {
        Http::over(connect(&self.address).expect("a connection"), &self.address)
    }

    /// The path of a session, or of a call on all sessions.
    fn path(&self, end: &str) -> String {
        format!("/v1/accounts/{ACCOUNT}/sessions{end}")
    }

    /// Creates a session with a lease of a minute; returns its id.
    fn create(&self, http: &mut Http) -> String {
        let body = r#"{"maxLeaseTime":"0:1:0","size":"standard"}"#;
        let (status, reply) = http.call("POST", &self.path("/create"), &self.token, body).expect("a reply");
        assert_eq!(status, 202, "{reply}");
        reply["sessionId"].as_str().expect("an id").to_owned()
    }

    fn advance_clock(&self, ms: u64) {
        let body = format!(r#"{{"advance_ms":{ms}}}"#);
        let (status, reply) = self.connect().call("POST", "/emulator/clock", "", &body).expect("a reply");
        assert_eq!(status, 200, "{reply}");
    }

    /// The most memory that the process has had.
    fn memory_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).expect("it runs");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        most.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// One client: creates sessions, reads some, and stops some. The others expire.
fn work(target: &Target, created: &AtomicU64) {
    let mut http = target.connect();
    while created.fetch_add(1, Ordering::Relaxed) < SESSIONS {
        let id = target.create(&mut http);
        match id.as_bytes()[0] % 16 {
            0 => {
                let path = target.path(&format!("/{id}/properties"));
                let (status, reply) = http.call("GET", &path, &target.token, "").expect("a reply");
                assert_eq!((status, reply["sessionId"].as_str()), (200, Some(id.as_str())));
            }
            1 => {
                let (status, reply) =
                    http.call("DELETE", &target.path(&format!("/{id}")), &target.token, "").expect("a reply");
                assert_eq!(status, 204, "{reply}");
            }
            _ => {}
        }
    }
}

/// Lets sessions expire: a tenth of them at a time.
fn let_expire(target: &Target, created: &AtomicU64) {
    let mut next = SESSIONS / 10;
    while !target.is_over() {
        if created.load(Ordering::Relaxed) >= next {
            target.advance_clock(120_000);
            next += SESSIONS / 10;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A new client a few times a second. Returns the longest time that it has waited for a reply.
fn be_served_throughout(target: &Target) -> Duration {
    let mut longest = Duration::ZERO;
    while !target.is_over() {
        let begun = Instant::now();
        let mut http = target.connect();
        let (status, reply) = http.call("GET", "/health", "", "").expect("a reply");
        assert_eq!(status, 200, "{reply}");
        target.create(&mut http);
        longest = longest.max(begun.elapsed());
        thread::sleep(Duration::from_millis(200));
    }
    longest
}

/// Whether the peer has closed this connection, whose reads do not wait.
fn is_closed(mut connection: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match connection.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

/// Heads that arrive byte by byte, and never end. All are closed.
fn send_heads_slowly(target: &Target) {
    let open = || {
        let mut connection = connect(&target.address).expect("a connection");
        connection.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").expect("sent");
        connection.set_nonblocking(true).expect("a socket");
        connection
    };
    let mut heads = (0..SLOW_HEADS).map(|_| open()).collect::<Vec<_>>();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !heads.is_empty() {
        assert!(Instant::now() < deadline, "{} are still open", heads.len());
        heads.retain_mut(|head| head.write_all(b"x").is_ok() && !is_closed(head));
        thread::sleep(Duration::from_secs(1));
    }
}

/// Bodies of which the last byte does not come, with a token and without one, to the service and to control calls.
fn stall_bodies(target: &Target) {
    let create = target.path("/create");
    let kinds = [
        (create.as_str(), "none", 1 << 20),
        (create.as_str(), &target.token, 64 << 10),
        ("/emulator/faults", "none", 1 << 20),
    ];
    let stall = |number: usize| -> TcpStream {
        let (path, token, length) = kinds[number % kinds.len()];
        let mut connection = connect(&target.address).expect("a connection");
        connection.set_write_timeout(Some(Duration::from_secs(5))).expect("a socket");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n",
            target.address
        );
        // A refused body is not read.
        let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&vec![b' '; length - 1]));
        connection
    };
    let stalled = (0..STALLED_BODIES).map(stall).collect::<Vec<_>>();
    while !target.is_over() {
        thread::sleep(Duration::from_millis(100));
    }
    drop(stalled);
}

/// Random numbers that are the same in each run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("below a usize")
    }
}

fn mutate(request: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let (at, byte) = (random.below(request.len()), u8::try_from(random.below(256)).expect("a byte"));
        let end = (at + random.below(40)).min(request.len());
        match random.below(5) {
            0 => request[at] = byte,
            1 => request.insert(at, byte),
            2 => drop(request.drain(at..end)),
            3 => drop(request.splice(at..at, request[at..end].to_vec())),
            _ => request.truncate(at.max(1)),
        }
        if request.is_empty() {
            request.push(byte);
        }
    }
}

/// Sends malformed requests, each on a connection of its own, and reads what comes.
fn send_mutated(target: &Target, seed: u64, sent: &AtomicU64) {
    let mut random = Random(seed);
    let any = target.path("/e2d3f2a1-0000-0000-0000-000000000000");
    let requests = [
        ("POST", target.path("/create"), r#"{"maxLeaseTime":"0:1:0","size":"standard","models":[]}"#),
        ("PATCH", any.clone(), r#"{"maxLeaseTime":"0:2:0"}"#),
        ("GET", format!("{any}/properties"), ""),
        ("DELETE", any, ""),
        ("GET", "/emulator/clock".to_owned(), ""),
        (
            "PUT",
            format!("/accounts/{ACCOUNT}/sessions/one?api-version=2021-01-01"),
            r#"{"maxLeaseTimeMinutes":1,"size":"Standard"}"#,
        ),
        (
            "PUT",
            format!("/accounts/{ACCOUNT}/conversions/one?api-version=2021-01-01"),
            r#"{"settings":{"inputLocation":{}}}"#,
        ),
    ];
    while sent.fetch_add(1, Ordering::Relaxed) < MUTATED {
        let (method, path, body) = &requests[random.below(requests.len())];
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            target.address,
            target.token,
            body.len()
        )
        .into_bytes();
        mutate(&mut request, &mut random);
        let mut connection = connect(&target.address).expect("a connection");
        // Otherwise so many closed connections would leave no port free.
        SockRef::from(&connection).set_linger(Some(Duration::ZERO)).expect("a socket");
        // It may be closed at any byte.
        let _ = connection.write_all(&request).and_then(|()| connection.shutdown(Shutdown::Write));
        let _ = io::copy(&mut connection, &mut io::sink());
    }
}

#[test]
#[ignore = "takes a minute and both processors: cargo test -p arr-service --test network -- --ignored"]
fn it_serves_throughout_within_its_memory() {
    if !namespaces::inside("load::it_serves_throughout_within_its_memory") {
        return;
    }
    let folder = folder("load");
    let options = ["--startup", "0s", "--max-lease", "1h"];
    let running = Running::begin_on(&folder, "0.0.0.0:0", &options);
    let url = running.ready["url"].as_str().expect("a URL");
    let port = url.rsplit(':').next().expect("a port");
    let address = format!("127.0.0.1:{port}");
    let (status, reply) = Http::over(connect(&address).expect("a connection"), &address)
        .call("GET", &format!("/accounts/{ACCOUNT}/token"), &format!("{ACCOUNT}:{KEY}"), "")
        .expect("a reply");
    assert_eq!(status, 200, "{reply}");
    let token = reply["AccessToken"].as_str().expect("a token").to_owned();
    let target = &Target { address, token, process: running.child.id(), over: AtomicBool::new(false) };
    let faults = r#"{"rules": [{"path": "/stall", "times": 0, "action": {"type": "stall"}},
                               {"path": "/large", "times": 0, "action": {"type": "oversize", "bytes": 30000000}}]}"#;
    let (status, reply) = target.connect().call("POST", "/emulator/faults", "", faults).expect("a reply");
    assert_eq!(status, 200, "{reply}");

    let (begun, created, sent) = (Instant::now(), &AtomicU64::new(0), &AtomicU64::new(0));
    let longest = thread::scope(|scope| {
        let device = Device::run(DEVICE, &[ADDRESS, port, VANISHING]);
        let probe = scope.spawn(|| be_served_throughout(target));
        scope.spawn(|| let_expire(target, created));
        scope.spawn(|| stall_bodies(target));
        let heads = scope.spawn(|| send_heads_slowly(target));
        let clients = (0..CONNECTIONS).map(|_| scope.spawn(|| work(target, created)));
        let mutators = (1..5).map(|seed| scope.spawn(move || send_mutated(target, seed, sent)));
        let load = clients.chain(mutators).collect::<Vec<_>>();
        device.vanish();
        // A failed thread ends the others too.
        let results = load.into_iter().chain([heads]).map(|thread| thread.join()).collect::<Vec<_>>();
        target.over.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok), "see above");
        probe.join().expect("served throughout")
    });
    let seconds = begun.elapsed().as_secs();
    target.advance_clock(2 * 3_600_000);
    let (_, health) = target.connect().call("GET", "/health", "", "").expect("a reply");
    assert_eq!(health["sessions"], 0, "all have expired: {health}");
    let memory = target.memory_mib();
    println!(
        "{seconds} s; at most {memory} MiB of {MOST_MEMORY_MIB}; the longest wait took {} ms",
        longest.as_millis()
    );
    assert!(memory <= MOST_MEMORY_MIB);
}
