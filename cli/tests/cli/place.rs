//! A user with a home folder, and an emulator.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use arr_service::{Config, DEVELOPMENT_ACCOUNT_ID, DEVELOPMENT_ACCOUNT_KEY, Emulator};
use serde_json::Value;
use snapbox::cmd::{Command, OutputAssert, cargo_bin};

/// Runs a test with both versions of the REST API. `name` must be unique.
pub(crate) fn with_both_versions(name: &str, place: impl Fn(&str) -> Place, test: impl Fn(&Place)) {
    for version in ["v1", "2021-01-01"] {
        let mut place = place(&format!("{name}_{version}"));
        place.version = Some(version);
        test(&place);
    }
}

pub(crate) struct Place {
    pub(crate) emulator: Emulator,
    /// The home folder, which is also the working directory.
    pub(crate) home: PathBuf,
    /// The version of the REST API that commands are told to use.
    version: Option<&'static str>,
}

impl Place {
    /// `name` must be unique. Sessions are ready at once.
    pub(crate) fn new(name: &str) -> Place {
        Place::with(name, Config { startup: Duration::ZERO, ..Config::default() })
    }

    /// Sessions stay in their start.
    pub(crate) fn where_sessions_start(name: &str) -> Place {
        Place::with(name, Config { startup: Duration::from_secs(3_600), ..Config::default() })
    }

    pub(crate) fn with(name: &str, config: Config) -> Place {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("a folder for the test");
        let emulator = Emulator::start(Config { tls: true, ..config }).expect("it starts");
        fs::write(home.join("ca.pem"), emulator.ca_pem().expect("HTTPS")).expect("written");
        Place { emulator, home, version: None }
    }

    pub(crate) fn url(&self) -> &str {
        self.emulator.url()
    }

    /// The program in the home folder, without an account.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.program(arguments))
    }

    /// The program with the emulator's account.
    pub(crate) fn arr(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.with_account(arguments))
    }

    pub(crate) fn with_account(&self, arguments: &[&str]) -> Program {
        let mut program = self.program(arguments);
        program.arg(format!("--emulator={}", self.url()));
        program
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        let mut program = Program::new(cargo_bin!("arr"));
        program.current_dir(&self.home).env_clear().stdin(Stdio::null());
        program.env("HOME", &self.home).env("ARR_CA_FILE", self.home.join("ca.pem"));
        program.envs(self.version.map(|version| ("ARR_API_VERSION", version)));
        program.args(arguments);
        program
    }

    /// The JSON that a command prints.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let assert = self.arr(arguments).args(["-o", "json"]).assert().success();
        serde_json::from_slice(&assert.get_output().stdout).expect("JSON")
    }

    /// Creates a session and returns its id.
    #[track_caller]
    pub(crate) fn create(&self, options: &[&str]) -> String {
        let assert = self.arr(&["create", "-o", "id"]).args(options).assert().success();
        stdout(&assert).trim().to_owned()
    }

    /// The statuses of all sessions that were ever created.
    pub(crate) fn statuses(&self) -> Vec<String> {
        self.emulator.sessions().iter().map(|session| format!("{:?}", session.status)).collect()
    }

    /// An old arrconfig.json, with the byte order mark that the scripts' file has.
    pub(crate) fn arrconfig(&self, key: &str) -> String {
        format!(
            "\u{feff}{{\"accountSettings\": {{\"arrAccountId\": \"{DEVELOPMENT_ACCOUNT_ID}\", \"arrAccountKey\": \
             \"{key}\", \"arrAccountDomain\": \"{url}\"}}, \"renderingSessionSettings\": {{\"remoteRenderingDomain\": \
             \"{url}\", \"vmSize\": \"premium\", \"maxLeaseTime\": \"4:0:0\"}}}}",
            url = self.url()
        )
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.home.join(name), text).expect("written");
    }

    /// Writes a file that only the user may read.
    pub(crate) fn write_private(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.home.join(name), fs::Permissions::from_mode(0o600)).expect("it is there");
    }
}

pub(crate) const KEY: &str = DEVELOPMENT_ACCOUNT_KEY;

impl Drop for Place {
    fn drop(&mut self) {
        // A failed test's files help to find the reason.
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.home);
        }
    }
}

/// A command that is still running.
pub(crate) struct Running {
    child: Child,
    stdout: Pipe,
    stderr: Pipe,
}

/// A pipe, and what was read from it.
struct Pipe(BufReader<Box<dyn Read>>, String);

impl Pipe {
    fn new(pipe: Option<impl Read + 'static>) -> Pipe {
        Pipe(BufReader::new(Box::new(pipe.expect("a pipe"))), String::new())
    }

    #[track_caller]
    fn until(&mut self, text: &str) {
        while !self.1.contains(text) {
            let got = self.0.read_line(&mut self.1).expect("UTF-8");
            assert!(got > 0, "it ended without {text:?}: {}", self.1);
        }
    }

    fn end(mut self) -> String {
        self.0.read_to_string(&mut self.1).expect("UTF-8");
        self.1
    }
}

impl Running {
    pub(crate) fn begin(mut program: Program) -> Running {
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let stdout = Pipe::new(child.stdout.take());
        let stderr = Pipe::new(child.stderr.take());
        Running { child, stdout, stderr }
    }

    /// Reads standard error until it has this text.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        self.stderr.until(text);
    }

    /// Reads standard output until it has this text.
    #[track_caller]
    pub(crate) fn until_printed(&mut self, text: &str) {
        self.stdout.until(text);
    }

    /// Closes standard output, as a reader does that has seen enough.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout.0 = BufReader::new(Box::new(io::empty()));
    }

    /// What was read from standard output so far.
    pub(crate) fn printed(&self) -> &str {
        &self.stdout.1
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        // The shell's builtin: a small system has no such program.
        let killed = Program::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &process]).status();
        assert!(killed.expect("sh runs").success());
    }

    /// As a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits for the end; returns the exit code, standard output and standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let (stdout, stderr) = (self.stdout.end(), self.stderr.end());
        (self.child.wait().expect("it ends").code(), stdout, stderr)
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What a program printed to standard output.
pub(crate) fn stdout(assert: &OutputAssert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

/// What a program printed to standard error.
pub(crate) fn stderr(assert: &OutputAssert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}
