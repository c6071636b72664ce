//! `cargo xtask platforms`: every platform that the users ship to, built here, looked at, and run wherever that can be done.
//!
//! Debian's Rust compiler comes with the sources of its standard library, so that it can build for any target. What links is
//! a cross compiler of Debian's, or zig, which has the C libraries of many systems.

mod abidiff;
mod android;
mod checked;
mod cross;
mod inspect;
mod linked;
pub(crate) mod linux;
pub(crate) mod product;
mod row;
pub(crate) mod run;
pub(crate) mod shop;
pub(crate) mod windows;
pub(crate) mod wine;
pub(crate) mod zig;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::EXIT_UNUSABLE;
use crate::packages::{self, Chore};
use crate::step;
use row::Row;
use shop::Shop;

pub(crate) use cross::{FETCHED, crate_sources};
pub(crate) use inspect::{list as inspected, run as inspect};
pub(crate) use row::Reached;

/// A platform, by the name that the command line and the table have for it.
struct Platform {
    name: &'static str,
    /// How far it can be proved here. The pages say the same, and what comes of it is held to this.
    reached: Reached,
    prove: fn(&mut Shop) -> Result<Row>,
}

impl Platform {
    /// The row, if it is what the pages say of the platform.
    fn expect(&self, row: Row) -> Result<Row> {
        let (row_says, wanted) = (row.reached(), self.reached);
        ensure!(row_says == Some(wanted), "it should be {wanted}, and is built: {}, run: {}", row.built, row.run);
        Ok(row)
    }
}

const PLATFORMS: &[Platform] = &[
    Platform { name: "linux-x64", reached: Reached::Run, prove: linux::x64 },
    Platform { name: "linux-arm64", reached: Reached::Run, prove: linux::arm64 },
    Platform { name: "windows-x64", reached: Reached::Run, prove: windows::x64 },
    Platform { name: "windows-arm64", reached: Reached::Linked, prove: windows::arm64 },
    Platform { name: "windows-msvc-x64", reached: Reached::Checked, prove: checked::windows_msvc_x64 },
    Platform { name: "windows-msvc-arm64", reached: Reached::Checked, prove: checked::windows_msvc_arm64 },
    Platform { name: "uwp-x64", reached: Reached::Checked, prove: checked::uwp_x64 },
    Platform { name: "uwp-arm64", reached: Reached::Checked, prove: checked::uwp_arm64 },
    Platform { name: "android-arm64", reached: Reached::Linked, prove: android::arm64 },
];

/// Which of them.
pub(crate) enum Which<'a> {
    All,
    Named(&'a str),
}

/// How far a platform can be proved; `None` if there is none of this name.
pub(crate) fn reached(name: &str) -> Option<Reached> {
    PLATFORMS.iter().find(|platform| platform.name == name).map(|platform| platform.reached)
}

pub(crate) fn list() -> String {
    PLATFORMS.iter().map(|platform| platform.name).collect::<Vec<_>>().join(", ")
}

pub(crate) fn run(which: Which<'_>) -> Result<ExitCode> {
    let started = Instant::now();
    let wanted: Vec<&Platform> = match which {
        Which::All => PLATFORMS.iter().collect(),
        Which::Named(name) => {
            let Some(platform) = PLATFORMS.iter().find(|platform| platform.name == name) else {
                eprintln!("error: there is no platform `{name}`; there are {}", list());
                return Ok(ExitCode::from(EXIT_UNUSABLE));
            };
            vec![platform]
        }
    };
    if let Some(reason) = unavailable()? {
        return Ok(step::skip_all(&reason));
    }

    let mut shop = Shop::open()?;
    let mut rows = Vec::new();
    let mut failed = 0;
    for (index, platform) in wanted.iter().enumerate() {
        let begun = Instant::now();
        println!("[{}/{}] {} …", index + 1, wanted.len(), platform.name);
        match (platform.prove)(&mut shop).and_then(|row| platform.expect(row)) {
            Ok(row) => {
                println!("      ok, {:.0} s", begun.elapsed().as_secs_f64());
                rows.push(row);
            }
            Err(error) => {
                println!("      FAILED, {:.0} s\n{error:#}", begun.elapsed().as_secs_f64());
                rows.push(Row::failed(platform.name));
                failed += 1;
            }
        }
    }
    shop.close()?;
    println!("\n{}", row::table(&rows));
    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    println!("{} of {} platforms are as they should be", wanted.len() - failed, wanted.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Why nothing can be built for other platforms on this system, if so.
pub(crate) fn unavailable() -> Result<Option<String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Some("it takes Debian's cross compilers, as on Linux on x86_64".to_owned()));
    }
    packages::provide(Chore::Platforms)
}
