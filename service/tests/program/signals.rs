//! The signals that end the program, and the one that does not.

use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::running::Running;
use crate::support::{folder, run};

/// Runs the program as without `nohup`, even if these tests run under it: who ignores a signal passes that on.
fn without_nohup(program: &Command) -> Command {
    const SCRIPT: &str = "\
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
";
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT]).arg(program.get_program()).args(program.get_args());
    python
}

#[test]
fn it_exits_with_0_on_sigterm_sighup_and_ctrl_c() {
    for signal in ["TERM", "INT", "HUP"] {
        let folder = folder(&format!("signal_{signal}"));
        let running = Running::begin_command(&folder, without_nohup, &[]);
        let ready_file = running.ready_file.clone();
        running.signal(signal);
        let (status, stdout, stderr) = running.end();
        assert_eq!(status.code(), Some(0), "{signal}: {stderr}");
        assert!(!ready_file.exists());
        assert!(stdout.ends_with("\nPress Ctrl+C to stop.\narr-emulator has stopped.\n"), "{stdout}");
        assert_eq!(stderr, "");
    }
}

#[test]
fn a_closed_terminal_ends_it() {
    /// Runs the emulator in a terminal of its own, without `nohup`, and closes that once it is ready; prints the exit
    /// status.
    const SCRIPT: &str = "\
import os, pty, signal, sys
signal.alarm(60)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while not os.path.exists('ready.json'):
    os.read(terminal, 1)
os.close(terminal)
print(os.waitpid(pid, 0)[1])
";
    let folder = folder("terminal");
    let program = env!("CARGO_BIN_EXE_arr-emulator");
    let mut python = Command::new("python3");
    python.current_dir(&*folder).args(["-c", SCRIPT, program, "--listen", "127.0.0.1:0", "--ready-file", "ready.json"]);
    let output = run(&mut python, "python3");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n", "{output:?}");
    assert!(!folder.join("ready.json").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn with_nohup_it_outlives_its_terminal() {
    let folder = folder("nohup");
    let running = Running::begin_command(
        &folder,
        |program| {
            let mut nohup = Command::new("nohup");
            nohup.arg(program.get_program()).args(program.get_args());
            nohup
        },
        &[],
    );
    running.signal("HUP");
    let url = running.ready["url"].as_str().expect("a URL");
    let health = || TcpStream::connect(url.trim_start_matches("http://")).is_ok();
    assert!(health() && running.ready_file.exists());
    thread::sleep(Duration::from_millis(200));
    assert!(health() && running.ready_file.exists());
    running.signal("TERM");
    assert_eq!(running.end().0.code(), Some(0));
}
