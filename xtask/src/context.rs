//! What the steps of `cargo xtask test` share.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use crate::artifacts::Library;
use crate::emulator::Emulator;
use crate::workspace::Workspace;

/// How often the programs under test look at a session that starts: often, as its start is short.
pub(crate) const POLL_INTERVAL_MS: u32 = 50;

/// How long the emulator's sessions take to start: short, as many programs wait for one.
pub(crate) const STARTUP: &str = "300ms";

/// The checkout, and what earlier steps have made for later ones.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) library: OnceLock<Library>,
    pub(crate) emulators: OnceLock<Emulators>,
}

/// The same service twice, and its program for those who start one of their own.
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
