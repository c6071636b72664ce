//! What a platform's packages are made of.

use std::path::PathBuf;

use super::shop::Shop;
use super::{linux, windows};
use anyhow::Result;

use crate::artifacts::Library;
use crate::notices::Parts;

pub(crate) struct Product {
    pub(crate) library: Library,
    /// All that is handed out, by the names that the files have there.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// What it was made of.
    pub(crate) parts: Parts,
}

/// A platform that can be handed out: its name here and how it is built. Each is held to `abi/` when it is built.
pub(crate) struct Made {
    pub(crate) platform: &'static str,
    pub(crate) build: fn(&Shop) -> Result<Product>,
}

pub(crate) const MADE: &[Made] = &[
    Made { platform: "linux-x64", build: linux::build_x64 },
    Made { platform: "linux-arm64", build: linux::build_arm64 },
    Made { platform: "windows-x64", build: windows::build_x64 },
    Made { platform: "windows-arm64", build: windows::build_arm64 },
];
