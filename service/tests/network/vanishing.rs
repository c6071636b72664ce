//! Clients that vanish, as a headset that loses its Wi-Fi. No FIN and no RST arrives, whatever its connections were doing.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use arr_service::{Config, Emulator, Fault, Limits};

use crate::namespaces::{self, ADDRESS, Device};
use crate::support::run;

/// Opens this many connections to the address and port, a sixth of each kind, and says so.
pub(crate) const DEVICE: &str = r#"
import resource, socket, sys, time
address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
host = b'Host: ' + address.encode()
kinds = [
    b'',                                                                         # idle from the beginning
    b'GET /health HTTP/1.1\r\n' + host + b'\r\n\r\n',                            # idle after a request
    b'GET /health HTTP/1.1\r\n' + host,                                          # in the head of a request
    b'POST /x HTTP/1.1\r\n' + host + b'\r\nContent-Length: 1000000\r\n\r\nx',     # in its body
    b'GET /stall HTTP/1.1\r\n' + host + b'\r\n\r\n',                             # waiting for a reply
    b'GET /large HTTP/1.1\r\n' + host + b'\r\n\r\n',                             # not reading it
]
connections = []
for number in range(count):
    connection = socket.create_connection((address, port), 30)
    connection.sendall(kinds[number % len(kinds)])
    connections.append(connection)
print('ready', flush=True)
time.sleep(600)
"#;

/// How many sockets this process has open.
fn sockets() -> usize {
    let files = fs::read_dir("/proc/self/fd").expect("the open files");
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

#[test]
fn clients_that_vanish_are_closed() {
    if !namespaces::inside("vanishing::clients_that_vanish_are_closed") {
        return;
    }
    let short = Duration::from_secs(6);
    let limits = Limits { head: short, body: short, send: short, vanished: short, ..Limits::default() };
    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let emulator = Emulator::start(Config { listen, limits, ..Config::default() }).expect("it starts");
    let faults =
        [Fault::on("GET", "/stall").times(0).stall(), Fault::on("GET", "/large").times(0).oversize(30_000_000)];
    emulator.add_faults(faults).expect("good faults");
    let port = emulator.url().rsplit(':').next().expect("a port").to_owned();
    let before = sockets();

    let device = Device::run(DEVICE, &[ADDRESS, &port, "360"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while sockets() < before + 360 {
        assert!(Instant::now() < deadline, "the emulator has not accepted them");
        thread::sleep(Duration::from_millis(10));
    }
    device.vanish();
    let gone = Instant::now();
    // The limits are 6 s; a busy machine may take longer.
    while sockets() > before {
        assert!(gone.elapsed() < Duration::from_secs(60), "{} of 360 connections are left", sockets() - before);
        thread::sleep(Duration::from_millis(50));
    }
    println!("all are closed after {:?}", gone.elapsed());
}

/// A burst, as when the Wi-Fi is back, must not wait for the repeated attempts of TCP.
#[test]
fn thousands_of_connections_may_wait_to_be_accepted() {
    let emulator = Emulator::start(Config::default()).expect("it starts");
    let port = emulator.url().rsplit(':').next().expect("a port");
    let sockets = run(Command::new("ss").args(["-Hlnt", &format!("sport = :{port}")]), "iproute2");
    let most =
        fs::read_to_string("/proc/sys/net/core/somaxconn").expect("Linux").trim().parse::<u32>().expect("a number");
    let line = String::from_utf8(sockets.stdout).expect("a line");
    assert_eq!(line.split_whitespace().nth(2), Some(most.min(4096).to_string().as_str()), "{line}");
}
