//! What a platform's packages are made of, and what builds with them.

use std::path::PathBuf;

use anyhow::Result;

use crate::abi::Abi;
use crate::artifacts::Library;
use crate::cpp::install::define;
use crate::notices::Parts;
use crate::workspace::Workspace;

/// The checkout, and the ABI that every library built from it is held to.
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
    /// The libraries and what goes with them, by the names that they have in the package.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// Stripped; `None` where the platform has none.
    pub(crate) emulator: Option<PathBuf>,
    /// What it was made of.
    pub(crate) parts: Parts,
    pub(crate) tools: Tools,
}

/// The compilers that build with a package here.
pub(crate) struct Tools {
    pub(crate) cc: String,
    /// `None` where there is none for C++.
    pub(crate) cxx: Option<String>,
    /// System and processor in CMake's words, unless they are this machine's.
    pub(crate) system: Option<(&'static str, &'static str)>,
    /// What CMake must know besides.
    pub(crate) more: Vec<String>,
}

impl Tools {
    /// What CMake is told about them.
    pub(crate) fn cmake(&self) -> Vec<String> {
        let Some((system, processor)) = self.system else { return Vec::new() };
        let mut words = vec![
            define("CMAKE_SYSTEM_NAME", system),
            define("CMAKE_SYSTEM_PROCESSOR", processor),
            define("CMAKE_C_COMPILER", &self.cc),
        ];
        // Its flags, if it has some, are for shells.
        words.extend(
            self.cxx.iter().filter_map(|cxx| cxx.split(' ').next()).map(|cxx| define("CMAKE_CXX_COMPILER", cxx)),
        );
        words.extend_from_slice(&self.more);
        words
    }
}
