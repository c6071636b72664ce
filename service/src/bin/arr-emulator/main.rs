//! The program `arr-emulator`: starts an emulator, prints how to reach it, and stops it on Ctrl+C.

mod atomic_file;
mod banner;
mod ca_file;
mod cli;
mod ready_file;
mod stop_signal;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arr_service::Emulator;
use tokio::runtime::{Builder, Runtime};

use crate::atomic_file::Readers;
use crate::cli::{Invocation, Options};
use crate::ready_file::ReadyFile;
use crate::stop_signal::StopSignal;

/// The exit code for invalid options, a port in use, or a file that cannot be written: nothing was started.
const NOT_STARTED: u8 = 2;

fn main() -> ExitCode {
    // Before the options: the default limit of connections depends on it.
    raise_file_limit();
    let done = match cli::read(std::env::args_os()) {
        Ok(Invocation::Run(options)) => run(*options),
        Ok(Invocation::Print(help)) => {
            print(&format!("{}\n", help.trim_end()));
            Ok(())
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // If stderr is closed, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "arr-emulator: {problem}");
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Raises the limit on open files as far as the system allows. Each connection is an open file, and the usual limit is
/// low.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

fn run(options: Options) -> Result<(), String> {
    let runtime = runtime().map_err(|error| format!("cannot wait for signals: {error}"))?;
    // Before any output shows that the emulator runs and can be stopped.
    let stop_signal = {
        let _context = runtime.enter();
        StopSignal::new().map_err(|error| format!("cannot wait for signals: {error}"))?
    };
    if let Some(path) = &options.ready_file {
        atomic_file::check_replaceable(path, ready_file::is_ours).map_err(|error| cannot("write", path, error))?;
    }
    if let Some(path) = options.ca_file.as_ref().filter(|_| options.config.tls) {
        atomic_file::check_replaceable(path, ca_file::is_ours).map_err(|error| cannot("write", path, error))?;
    }
    let emulator = Emulator::start(options.config.clone()).map_err(|error| error.to_string())?;
    let ca_file = write_ca(&emulator, &options)?;
    let ready_file = write_ready_file(&emulator, &options, ca_file.as_deref())?;
    print(&banner::text(&emulator, &options, ca_file.as_deref()));

    runtime.block_on(stop_signal.wait());
    drop(ready_file);
    emulator.stop();
    print("arr-emulator has stopped.\n");
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Writes the certificate that clients must trust; returns its absolute path.
fn write_ca(emulator: &Emulator, options: &Options) -> Result<Option<PathBuf>, String> {
    let (Some(pem), Some(path)) = (emulator.ca_pem(), &options.ca_file) else {
        return Ok(None);
    };
    let written = std::path::absolute(path)
        .and_then(|path| atomic_file::write(&path, pem.as_bytes(), Readers::Everyone).map(|()| path));
    written.map(Some).map_err(|error| cannot("write", path, error))
}

fn write_ready_file(
    emulator: &Emulator,
    options: &Options,
    ca_file: Option<&Path>,
) -> Result<Option<ReadyFile>, String> {
    let Some(path) = &options.ready_file else {
        return Ok(None);
    };
    let written = ReadyFile::write(path, emulator, ca_file);
    written.map(Some).map_err(|error| cannot("write", path, error))
}

fn cannot(act: &str, path: &Path, error: impl Display) -> String {
    format!("cannot {act} {}: {error}", path.display())
}

/// Prints to stdout. A closed stdout is not an error.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
