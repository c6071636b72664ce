//! What the platforms share: the workspace, the ABI that all are held to, and the emulator that runs beside them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::abi::Abi;
use crate::artifacts::{self, Progress};
use crate::context::STARTUP;
use crate::emulator::{Emulator, Scheme};
use crate::workspace::Workspace;

pub(crate) struct Shop {
    pub(crate) workspace: Workspace,
    pub(crate) abi: Abi,
    service: Option<Service>,
}

struct Service {
    /// For those who start one of their own.
    program: PathBuf,
    /// Over HTTPS.
    running: Emulator,
}

impl Shop {
    pub(crate) fn open() -> Result<Self> {
        let mut shop = Self::without_emulator(Workspace::find()?)?;
        let program = artifacts::build_emulator(&shop.workspace, Progress::Hidden)?;
        let folder = shop.workspace.scratch("platforms/emulator")?;
        let running = Emulator::start(&program, &folder, Scheme::Https, &["--startup", STARTUP])?;
        shop.service = Some(Service { program, running });
        Ok(shop)
    }

    /// One that only builds.
    pub(crate) fn without_emulator(workspace: Workspace) -> Result<Self> {
        Ok(Self { abi: Abi::read(&workspace)?, workspace, service: None })
    }

    pub(crate) fn emulator(&self) -> Result<&Emulator> {
        Ok(&self.service()?.running)
    }

    pub(crate) fn emulator_program(&self) -> Result<&Path> {
        Ok(&self.service()?.program)
    }

    fn service(&self) -> Result<&Service> {
        self.service.as_ref().context("no emulator is running")
    }

    pub(crate) fn close(self) -> Result<()> {
        self.service.map_or(Ok(()), |service| service.running.stop())
    }
}
