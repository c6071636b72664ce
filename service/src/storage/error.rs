//! Why a state folder cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a state folder cannot be used. Its files are left unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFolderError {
    /// Another emulator uses it.
    #[error("the state folder {} is in use by another emulator: stop that one, or give each its own folder", .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Its database was written by another program.
    #[error("{} was not written by arr-emulator, and is left as it is: give another state folder", .file.display())]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// Its database has a later format.
    #[error(
        "{} has format {found}, but this arr-emulator knows only formats up to {known}: run a newer arr-emulator, or give \
         another state folder", .file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that this version knows.
        known: u32,
    },
    /// Its database is damaged.
    #[error(
        "{} is damaged ({reason}), and is left as it is: restore the whole folder from a backup, or give another one", .file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system refused access.
    #[error("cannot use the state folder {}: {source}", .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// SQLite could not read or write the database.
    #[error("cannot use {}: {reason}", .file.display())]
    Database {
        /// The database.
        file: PathBuf,
        /// SQLite's error.
        reason: String,
    },
}
