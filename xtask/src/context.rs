//! The state that the steps of `cargo xtask test` share.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use crate::artifacts::Library;
use crate::emulator::Emulator;
use crate::workspace::Workspace;

/// How often the programs under test poll a session that starts: often, because it starts soon.
pub(crate) const POLL_INTERVAL_MS: u32 = 50;

/// The startup time of the emulator's sessions: short, because many programs wait for it.
pub(crate) const STARTUP: &str = "300ms";

/// The checkout, and the results of earlier steps for later ones.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) library: OnceLock<Library>,
    pub(crate) emulators: OnceLock<Emulators>,
}

/// The service over HTTPS and over HTTP, and its program for steps that start their own.
pub(crate) struct Emulators {
    pub(crate) program: PathBuf,
    pub(crate) https: Emulator,
    pub(crate) http: Emulator,
}

impl Context {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace, library: OnceLock::new(), emulators: OnceLock::new() }
    }

    pub(crate) fn library(&self) -> Result<&Library> {
        self.library.get().context("the release library has not been built")
    }

    pub(crate) fn emulators(&self) -> Result<&Emulators> {
        self.emulators.get().context("the emulators are not running")
    }
}
