//! `cargo xtask bench`: the library that ships, measured beside what an application would use instead (`bench/`).

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::packages::{self, Chore};
use crate::platforms::{self, product::Sources};
use crate::step;
use crate::workspace::Workspace;

pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    if let Some(advice) = packages::provide(Chore::Platforms)? {
        return Ok(step::skip_all(&advice));
    }
    let sources = Sources::of(Workspace::find()?)?;
    println!("building the library and the emulator as they ship …");
    let product = platforms::linux_x64(&sources)?;
    let emulator = product.programs.first().context("there is an emulator for it")?;
    let mut bench = Command::new("python3");
    bench.arg(sources.workspace.root.join("bench/bench.py")).args([&product.library.shared, emulator]);
    bench.arg(sources.workspace.scratch("bench")?).args(options);
    let succeeded = bench.status().context("cannot run python3")?.success();
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
