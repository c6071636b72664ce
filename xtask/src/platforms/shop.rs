//! What the platforms share: the workspace, the ABI that all are held to, and the emulator that runs beside them.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::abi::Abi;
use crate::artifacts::{self, Progress};
use crate::emulator::{Emulator, Scheme};
use crate::test::STARTUP;
use crate::workspace::Workspace;

pub(crate) struct Shop {
    pub(crate) workspace: Workspace,
    pub(crate) abi: Abi,
    /// The emulator's program, for those who start one of their own.
    pub(crate) emulator_program: PathBuf,
    /// Over HTTPS.
    emulator: Option<Emulator>,
}

impl Shop {
    pub(crate) fn open() -> Result<Self> {
        let workspace = Workspace::find()?;
        let abi = Abi::read(&workspace)?;
        let emulator_program = artifacts::build_emulator(&workspace, Progress::Hidden)?;
        let folder = workspace.scratch("platforms/emulator")?;
        let emulator = Emulator::start(&emulator_program, &folder, Scheme::Https, &["--startup", STARTUP])?;
        Ok(Self { workspace, abi, emulator_program, emulator: Some(emulator) })
    }

    pub(crate) fn emulator(&self) -> Result<&Emulator> {
        self.emulator.as_ref().context("the emulator is not running")
    }

    pub(crate) fn close(mut self) -> Result<()> {
        self.emulator.take().context("the emulator is not running")?.stop()
    }
}
