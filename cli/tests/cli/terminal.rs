//! On a terminal, and with a reader that leaves.

use std::io::Read;
use std::process::{Command as Program, Stdio};

use arr_service::{Fault, SessionStatus};

use crate::place::{Place, Running, eventually};

/// Runs a program in a terminal of 90 columns. Types the second argument once the first is shown; prints the rest.
const SCRIPT: &str = "\
import fcntl, os, pty, struct, sys, termios
question, answer, program = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 90, 0, 0))
    os.execve(program[0], program, os.environ)
output = b''
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    output += part
    if question and question.encode() in output:
        os.write(terminal, answer.encode())
        question = ''
sys.stdout.buffer.write(output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// The exit code and all that a terminal showed.
fn on_terminal(
    place: &Place,
    arguments: &[&str],
    answer: [&str; 2],
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let arr = place.with_account(arguments);
    let mut python = Program::new("python3");
    python.current_dir(&place.home).args(["-c", SCRIPT]).args(answer).arg(arr.get_program()).args(arr.get_args());
    python.env("HOME", &place.home).env("ARR_CA_FILE", place.home.join("ca.pem"));
    python.env("TERM", "xterm-256color").env_remove("NO_COLOR").envs(variables.iter().copied());
    let output = python.stdin(Stdio::null()).output().expect("this test needs python3");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const NOTHING: [&str; 2] = ["", ""];

#[test]
fn a_table_has_colours_and_fits() {
    let place = Place::new("colours");
    place.create(&["--wait"]);
    let (code, shown) = on_terminal(&place, &["list"], NOTHING, &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}[32mready") && shown.contains('…'), "{shown:?}");
    let width = shown.lines().map(|line| console::measure_text_width(line.trim_end())).max();
    assert!(width.is_some_and(|width| width <= 90), "{shown}");
    let (_, shown) = on_terminal(&place, &["list"], NOTHING, &[("NO_COLOR", "1")]);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let (_, shown) = on_terminal(&place, &["list", "-o", "json"], NOTHING, &[]);
    assert!(!shown.contains('\u{1b}') && shown.starts_with("[\r\n"), "{shown:?}");
}

#[test]
fn progress_is_a_spinner_that_is_gone_in_the_end() {
    let place = Place::where_sessions_start("spinner");
    let (code, shown) = on_terminal(&place, &["create", "--wait", "--timeout", "700ms"], NOTHING, &[]);
    assert_eq!(code, Some(6), "{shown}");
    assert!(shown.contains("is starting, 0s, lease 1h"), "{shown:?}");
    assert!(shown.contains("error:") && !shown.contains('\n') || shown.contains("\u{1b}[2K"), "{shown:?}");
}

#[test]
fn a_service_that_does_not_answer_is_reported_while_waiting_for_it() {
    let place = Place::new("late");
    place.emulator.add_faults([Fault::on("GET", "**/sessions").stall().always()]).expect("a valid fault");
    let (code, shown) = on_terminal(&place, &["list"], ["waiting for the service (--verbose", "\u{3}"], &[]);
    assert_eq!(code, Some(130), "{shown}");
}

#[test]
fn ctrl_c_on_the_terminal_stops_the_session() {
    let place = Place::where_sessions_start("terminal_interrupt");
    let (code, shown) = on_terminal(&place, &["create", "--wait"], ["is starting", "\u{3}"], &[]);
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("was stopped"), "{shown}");
    assert_eq!(place.statuses(), ["Stopped"]);
}

#[test]
fn stopping_the_account_asks() {
    let place = Place::where_sessions_start("asks");
    place.create(&[]);
    let question = "Stop 1 session of the account, 0 of which this command line did not create? [y/N]";
    let (code, shown) = on_terminal(&place, &["stop", "--account"], [question, "n\n"], &[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was stopped"), "{shown}");
    assert_eq!(place.statuses(), ["Starting"]);
    let (code, shown) = on_terminal(&place, &["stop", "--account"], [question, "y\n"], &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(place.statuses(), ["Stopped"]);
}

#[test]
fn a_reader_that_leaves_is_not_an_error() {
    let place = Place::where_sessions_start("pipe");
    let mut arr = place.with_account(&["create"]);
    let mut child = arr.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{stderr}");
    eventually("the session is there", || place.statuses() == ["Starting"]);
    let id = &place.emulator.sessions()[0].id;
    assert!(stderr.contains(&format!("session {id} is starting\n")), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_table_that_is_watched_is_redrawn_until_ctrl_c() {
    let place = Place::new("watch_terminal");
    place.create(&["--wait"]);
    // Clears the two lines of the first table.
    let again = "\u{1b}[2A\r\u{1b}[2K\u{1b}[1B\r\u{1b}[2K";
    let (code, shown) = on_terminal(&place, &["watch", "--interval", "100ms"], [again, "\u{3}"], &[]);
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("ready") && shown.contains(again), "{shown:?}");
}

#[test]
fn a_watch_ends_when_its_reader_leaves() {
    let place = Place::where_sessions_start("watch_pipe");
    let id = place.create(&[]);
    let mut running = Running::begin(place.with_account(&["watch", "--interval", "50ms"]));
    running.until_printed("starting");
    running.close_stdout();
    place.emulator.set_session_status(&id, SessionStatus::Ready, None).expect("a valid change");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn without_a_reader_of_standard_error_a_command_does_its_work() {
    let place = Place::new("no_stderr");
    let without_reader = |arguments: &[&str]| {
        let mut arr = place.with_account(arguments);
        let mut child = arr.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stderr.take());
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (code, id) = without_reader(&["create", "--wait", "-o", "id", "-v"]);
    assert_eq!((code, id.as_str()), (Some(0), place.emulator.sessions()[0].id.as_str()));
    assert_eq!(without_reader(&["show", "nope"]), (Some(4), String::new()));
    assert_eq!(without_reader(&["stop", "--mine", "-o", "id"]), (Some(0), id));
}
