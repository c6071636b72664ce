//! What the steps of `cargo xtask test` share.

use anyhow::{Context as _, Result};

use crate::artifacts::Library;
use crate::csharp;
use crate::emulator::Emulator;
use crate::story::tellers::Tellers;
use crate::workspace::Workspace;

/// How often the programs under test look at a session that starts: often, as its start is short.
pub(crate) const POLL_INTERVAL_MS: u32 = 50;

/// What the steps share, and what earlier ones have made for later ones.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) library: Option<Library>,
    pub(crate) emulators: Option<Emulators>,
    /// The C# programs.
    pub(crate) csharp: Option<csharp::Programs>,
    /// The quickstarts.
    pub(crate) tellers: Option<Tellers>,
}

/// The same service twice.
pub(crate) struct Emulators {
    pub(crate) https: Emulator,
    pub(crate) http: Emulator,
}

impl Context {
    pub(crate) fn new(workspace: Workspace) -> Self {
        Self { workspace, library: None, emulators: None, csharp: None, tellers: None }
    }

    pub(crate) fn library(&self) -> Result<&Library> {
        self.library.as_ref().context("the release library has not been built")
    }

    pub(crate) fn emulators(&self) -> Result<&Emulators> {
        self.emulators.as_ref().context("the emulators are not running")
    }

    pub(crate) fn csharp(&self) -> Result<&csharp::Programs> {
        self.csharp.as_ref().context("the C# programs have not been compiled")
    }

    pub(crate) fn tellers(&self) -> Result<&Tellers> {
        self.tellers.as_ref().context("the quickstarts have not been compiled")
    }
}
