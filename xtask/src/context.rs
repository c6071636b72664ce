//! What the steps of `cargo xtask test` share.

use anyhow::{Context as _, Result};

use crate::artifacts::Library;
use crate::emulator::Emulator;
use crate::workspace::Workspace;

/// How often the programs under test look at a session that starts: often, as its start is short.
pub(crate) const POLL_INTERVAL_MS: u32 = 50;

/// What the steps share, and what earlier ones have made for later ones.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) library: Option<Library>,
    pub(crate) emulators: Option<Emulators>,
}

/// The same service twice.
pub(crate) struct Emulators {
    pub(crate) https: Emulator,
    pub(crate) http: Emulator,
}

impl Context {
    pub(crate) fn library(&self) -> Result<&Library> {
        self.library.as_ref().context("the release library has not been built")
    }

    pub(crate) fn emulators(&self) -> Result<&Emulators> {
        self.emulators.as_ref().context("the emulators are not running")
    }
}
