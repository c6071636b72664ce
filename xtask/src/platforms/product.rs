//! The parts of a platform's package, and the tools to build with it.

use std::path::PathBuf;

use anyhow::Result;

use super::cross::Cross;
use crate::abi::Abi;
use crate::artifacts::Library;
use crate::cpp::install::define;
use crate::notices::Parts;
use crate::workspace::Workspace;

/// The checkout, and the ABI of every library built from it.
pub(crate) struct Sources {
    pub(crate) workspace: Workspace,
    pub(crate) abi: Abi,
}

impl Sources {
    pub(crate) fn of(workspace: Workspace) -> Result<Self> {
        Ok(Self { abi: Abi::read(&workspace)?, workspace })
    }
}

pub(crate) struct Product {
    /// Stripped, as it ships.
    pub(crate) library: Library,
    /// The debug information of the shared library.
    pub(crate) debug: PathBuf,
    /// The libraries and related files, by their names in the package.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// `arr-emulator` and `arr`, stripped; none if nothing here can run them.
    pub(crate) programs: Vec<PathBuf>,
    pub(crate) parts: Parts,
    pub(crate) tools: Tools,
    /// The target and tools that built it.
    pub(crate) cross: Cross,
}

/// The compilers that build with a package here.
pub(crate) struct Tools {
    pub(crate) cc: String,
    /// `None` if there is no C++ compiler.
    pub(crate) cxx: Option<String>,
    /// CMake's names of the system and processor, unless they are this machine's.
    pub(crate) system: Option<(&'static str, &'static str)>,
    /// More definitions for CMake.
    pub(crate) more: Vec<String>,
}

impl Tools {
    pub(crate) fn cmake(&self) -> Vec<String> {
        let Some((system, processor)) = self.system else { return Vec::new() };
        let mut words = vec![
            define("CMAKE_SYSTEM_NAME", system),
            define("CMAKE_SYSTEM_PROCESSOR", processor),
            define("CMAKE_C_COMPILER", &self.cc),
        ];
        // Without its flags, which are for shells.
        words.extend(
            self.cxx.iter().filter_map(|cxx| cxx.split(' ').next()).map(|cxx| define("CMAKE_CXX_COMPILER", cxx)),
        );
        words.extend_from_slice(&self.more);
        words
    }
}
