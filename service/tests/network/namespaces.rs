//! This machine and a device, each with a network of its own, joined by a virtual cable.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::run;

/// Set if this program runs inside the namespaces.
const INSIDE: &str = "ARR_NETWORK_INSIDE";

/// This machine's address on the cable.
pub(crate) const ADDRESS: &str = "10.77.0.1";

/// Lays the cable, then runs this program.
const NETWORK: &str = r#"
set -e
ulimit -S -n "$(ulimit -H -n)" # for thousands of connections
mount -t tmpfs none /run # where `ip netns` keeps its names
ip netns add device
ip link set lo up
ip link add cable type veth peer name eth0 netns device
ip addr add 10.77.0.1/24 dev cable
ip link set cable up
ip -n device addr add 10.77.0.2/24 dev eth0
ip -n device link set eth0 up
exec "$0" --exact --nocapture --include-ignored "$1"
"#;

/// Whether this program runs inside the namespaces. If not, runs the test there, by its whole name, and expects it to pass.
pub(crate) fn inside(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut flags = vec!["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    // Without root, or in some containers, it takes a user namespace.
    if !run(Command::new("unshare").args(&flags).arg("true"), "util-linux").status.success() {
        flags.push("--map-root-user");
    }
    let program = env::current_exe().expect("this program");
    let mut inside = Command::new("unshare");
    inside.env(INSIDE, "1").args(&flags).args(["sh", "-c", NETWORK]).arg(program).arg(test);
    let output = run(&mut inside, "util-linux");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "this needs network namespaces, as root or with user namespaces, and iproute2: {output:?}"
    );
    print!("{printed}");
    false
}

/// A program on the device. Its first line of output says that it is ready.
pub(crate) struct Device(Child);

impl Device {
    /// Runs a Python program.
    pub(crate) fn run(program: &str, arguments: &[&str]) -> Device {
        let mut ip = Command::new("ip");
        ip.args(["netns", "exec", "device", "python3", "-c", program]).args(arguments).stdout(Stdio::piped());
        let mut device = ip.spawn().expect("iproute2");
        let mut line = String::new();
        BufReader::new(device.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        Device(device)
    }

    /// From now on nothing from the device arrives, nor anything at it.
    pub(crate) fn vanish(&self) {
        let down = run(Command::new("ip").args(["-n", "device", "link", "set", "eth0", "down"]), "iproute2");
        assert!(down.status.success(), "{down:?}");
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
