//! Clients that vanish: a device in a network namespace whose link goes down, as a headset that loses its Wi-Fi. No FIN and
//! no RST arrives, whatever its connections were doing.

#![cfg(target_os = "linux")]

#[path = "support/run.rs"]
mod support;

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use arr_service::{Config, Emulator, Fault, Limits};
use support::run;

/// Set if this program runs inside the namespaces.
const INSIDE: &str = "ARR_VANISHING_INSIDE";

/// The emulator's machine and a device, joined by a virtual cable.
const NETWORK: &str = r#"
set -e
mount -t tmpfs none /run # where `ip netns` keeps its names
ip netns add device
ip link set lo up
ip link add cable type veth peer name eth0 netns device
ip addr add 10.77.0.1/24 dev cable
ip link set cable up
ip -n device addr add 10.77.0.2/24 dev eth0
ip -n device link set eth0 up
exec "$0" --exact --nocapture the_emulator_outlives_its_clients
"#;

/// The device: opens 60 connections of each kind, and says so. Its argument is the port.
const DEVICE: &str = r#"
import socket, sys, time
port = int(sys.argv[1])
kinds = [
    b'',                                                                       # idle from the beginning
    b'GET /health HTTP/1.1\r\nHost: 10.77.0.1\r\n\r\n',                        # idle after a request
    b'GET /health HTTP/1.1\r\nHost: 10.7',                                     # in the head of a request
    b'POST /x HTTP/1.1\r\nHost: 10.77.0.1\r\nContent-Length: 1000000\r\n\r\nx', # in its body
    b'GET /stall HTTP/1.1\r\nHost: 10.77.0.1\r\n\r\n',                         # waiting for a reply
    b'GET /large HTTP/1.1\r\nHost: 10.77.0.1\r\n\r\n',                         # not reading it
]
connections = []
for number in range(360):
    connection = socket.create_connection(('10.77.0.1', port), 30)
    connection.sendall(kinds[number % len(kinds)])
    connections.append(connection)
print('ready', flush=True)
time.sleep(600)
"#;

#[test]
fn clients_that_vanish_are_closed() {
    if env::var_os(INSIDE).is_some() {
        return;
    }
    let mut flags = vec!["--net", "--mount", "--pid", "--fork", "--kill-child"];
    // Without root, or in some containers, it takes a user namespace.
    if !run(Command::new("unshare").args(&flags).arg("true"), "util-linux").status.success() {
        flags.push("--map-root-user");
    }
    let program = env::current_exe().expect("this program");
    let mut inside = Command::new("unshare");
    inside.env(INSIDE, "1").args(&flags).args(["sh", "-c", NETWORK]).arg(program);
    let output = run(&mut inside, "util-linux");
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "this needs network namespaces, as root or with user namespaces, and iproute2: {output:?}"
    );
}

/// How many sockets this process has open.
fn sockets() -> usize {
    let files = fs::read_dir("/proc/self/fd").expect("the open files");
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Runs inside the namespaces.
#[test]
fn the_emulator_outlives_its_clients() {
    if env::var_os(INSIDE).is_none() {
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

    let mut device = Command::new("ip");
    device.args(["netns", "exec", "device", "python3", "-c", DEVICE, &port]).stdout(Stdio::piped());
    let mut device = device.spawn().expect("iproute2");
    let mut line = String::new();
    BufReader::new(device.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
    let deadline = Instant::now() + Duration::from_secs(30);
    while sockets() < before + 360 {
        assert!(Instant::now() < deadline, "the emulator has not accepted them");
        thread::sleep(Duration::from_millis(10));
    }
    let down = run(Command::new("ip").args(["-n", "device", "link", "set", "eth0", "down"]), "iproute2");
    assert!(down.status.success(), "{down:?}");
    let gone = Instant::now();
    // The limits are 6 s; a busy machine may take longer.
    while sockets() > before {
        assert!(gone.elapsed() < Duration::from_secs(60), "{} of 360 connections are left", sockets() - before);
        thread::sleep(Duration::from_millis(50));
    }
    println!("all are closed after {:?}", gone.elapsed());
    device.kill().expect("killed");
    device.wait().expect("dead");
}
