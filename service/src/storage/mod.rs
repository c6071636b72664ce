//! The state folder: what an emulator keeps across restarts. Its certificate authority, the keys that sign its tokens, its
//! clock and its sessions are in a SQLite database, whose write-ahead log is flushed before a call is answered.

mod database;
mod error;
mod folder;
mod kept_clock;
mod record;
mod ticks;
mod writer;

pub(crate) use database::Database;
pub use error::StateFolderError;
pub(crate) use folder::StateFolder;
pub(crate) use writer::Writer;
