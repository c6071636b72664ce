//! The folders of the command line, below the user's own.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::failure::{Exit, Failure};

/// The file with the profiles.
pub(crate) fn config_file() -> Result<PathBuf, Failure> {
    Ok(strategy()?.config_dir().join("arr").join("config.toml"))
}

/// The folder of the journal.
pub(crate) fn journal() -> Result<PathBuf, Failure> {
    let base = strategy()?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("arr").join("journal"))
}

fn strategy() -> Result<impl BaseStrategy, Failure> {
    etcetera::choose_base_strategy().map_err(|_| {
        Failure::new(Exit::Failed, "the user's home folder is unknown")
            .hint("set HOME, or name a folder with --journal and a file with --config")
    })
}

/// Makes a folder that only the user may read.
pub(crate) fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|cause| {
        Failure::new(Exit::Failed, format!("cannot make the folder {}: {cause}", folder.display()))
            .hint("name another folder for the journal with --journal FOLDER, or none with --journal none")
    })
}
