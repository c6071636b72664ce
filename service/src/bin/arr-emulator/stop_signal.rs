//! The signals that stop the program.

use std::io;

/// Ctrl+C (SIGINT) and SIGTERM.
#[cfg(unix)]
pub(crate) struct StopSignal {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignal {
    /// Installs the handlers at once, not only when `wait` is called.
    pub(crate) fn new() -> io::Result<StopSignal> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(StopSignal { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the first of them.
    pub(crate) async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl+C and Ctrl+Break.
#[cfg(windows)]
pub(crate) struct StopSignal {
    interrupt: tokio::signal::windows::CtrlC,
    terminate: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl StopSignal {
    /// Installs the handlers at once, not only when `wait` is called.
    pub(crate) fn new() -> io::Result<StopSignal> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(StopSignal { interrupt: ctrl_c()?, terminate: ctrl_break()? })
    }

    /// Waits for the first of them.
    pub(crate) async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
