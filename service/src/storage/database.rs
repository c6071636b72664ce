//! The database: `state.sqlite` in the state folder.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use super::error::StateFolderError;
use super::folder::{StateFolder, with_suffix};
use super::kept_clock::KeptClock;
use super::{record, ticks};
use crate::clock::{AdjustableClock, Clock, Timestamp};
use crate::session::{Batch, Session};

/// Marks our databases in SQLite's header: "ARRe".
const APPLICATION: u32 = 0x4152_5265;
/// The format of the tables.
const FORMAT: u32 = 1;

const TABLES: &str = "
    CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        wall INTEGER NOT NULL,
        ahead INTEGER NOT NULL,
        scale INTEGER NOT NULL,
        seen_now INTEGER NOT NULL,
        seen_unix INTEGER NOT NULL,
        sessions_created INTEGER NOT NULL
    ) STRICT;";

/// An open database. The folder is locked as long as this lives.
#[derive(Debug)]
pub(crate) struct Database {
    // Closed before the folder is unlocked.
    connection: Connection,
    folder: StateFolder,
}

impl Database {
    /// Opens the database, or makes it if there is none.
    pub(crate) fn open(folder: StateFolder) -> Result<Database, StateFolderError> {
        let file = folder.database();
        if file.try_exists().map_err(|source| folder.failed(source))? {
            check_header(&file).map_err(|source| folder.failed(source))??;
        } else {
            refuse_remains(&file)?;
            folder.create_database(create)?;
        }
        let log = with_suffix(&file, "-wal");
        let had_log = log.exists();
        let connection = connect(&file).map_err(|error| {
            if !had_log && fs::metadata(&log).is_ok_and(|made| made.len() == 0) {
                // SQLite has made it. If it stays, it does no harm.
                let _ = fs::remove_file(&log);
            }
            problem(&file, &error)
        })?;
        Ok(Database { connection, folder })
    }

    /// A secret that is stored under this name.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StateFolderError> {
        let found =
            self.connection.query_row("SELECT value FROM secrets WHERE name = ?1", [name], |row| row.get(0)).optional();
        found.map_err(|error| self.problem(&error))
    }

    /// Stores a secret, in place of an earlier one.
    pub(crate) fn set_secret(&self, name: &str, value: &[u8]) -> Result<(), StateFolderError> {
        let stored =
            self.connection.execute("REPLACE INTO secrets (name, value) VALUES (?1, ?2)", params![name, value]);
        stored.map(|_| ()).map_err(|error| self.problem(&error))
    }

    /// The clock of this run, which goes on from the last one.
    pub(crate) fn resume_clock(&mut self, base: &Clock, scale: u32) -> Result<AdjustableClock, StateFolderError> {
        let kept = self.kept_clock()?;
        let (clock, kept) = KeptClock::resume(kept, base, scale);
        let stored = self.connection.execute(
            "INSERT INTO state VALUES (1, ?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT DO UPDATE SET wall = excluded.wall,
                ahead = excluded.ahead, scale = excluded.scale, seen_now = excluded.seen_now,
                seen_unix = excluded.seen_unix",
            params![
                ticks::from(kept.wall),
                ticks::from(kept.ahead),
                kept.scale,
                ticks::rounded_up(kept.seen.now),
                ticks::rounded_up(kept.seen.unix_time),
            ],
        );
        stored.map(|_| clock).map_err(|error| self.problem(&error))
    }

    fn kept_clock(&self) -> Result<Option<KeptClock>, StateFolderError> {
        let row = self
            .connection
            .query_row("SELECT wall, ahead, scale, seen_now, seen_unix FROM state", [], |row| {
                <[i64; 5]>::try_from((0..5).map(|column| row.get(column)).collect::<Result<Vec<_>, _>>()?)
                    .map_err(|_| rusqlite::Error::InvalidQuery)
            })
            .optional();
        let Some([wall, ahead, scale, now, unix_time]) = row.map_err(|error| self.problem(&error))? else {
            return Ok(None);
        };
        let kept = || {
            let seen = Timestamp { now: ticks::to(now)?, unix_time: ticks::to(unix_time)? };
            Some(KeptClock { wall: ticks::to(wall)?, ahead: ticks::to(ahead)?, scale: scale.try_into().ok()?, seen })
        };
        kept().map(Some).ok_or_else(|| self.damaged("a time is negative".to_owned()))
    }

    /// The sessions, in the order of their creation, and how many have been created in all.
    pub(crate) fn sessions(&self) -> Result<(u64, Vec<Session>), StateFolderError> {
        let created = self.connection.query_row("SELECT sessions_created FROM state", [], |row| row.get::<_, i64>(0));
        let created = created.map_err(|error| self.problem(&error))?;
        let created = u64::try_from(created).map_err(|_| self.damaged("a count is negative".to_owned()))?;
        let rows = || {
            let mut statement = self.connection.prepare(record::ALL)?;
            statement.query_and_then([], |row| Ok(record::get(row)))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = rows().map_err(|error| self.problem(&error))?;
        let sessions = rows.into_iter().collect::<Result<_, _>>().map_err(|reason| self.damaged(reason))?;
        Ok((created, sessions))
    }

    /// Stores a batch: all of it or nothing. When this returns, it is on the disk.
    pub(super) fn store(&mut self, batch: &Batch, created: u64, now: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction.prepare(record::PUT)?;
            batch.changes.iter().try_for_each(|change| record::put(&mut put, &change.after))?;
            let mut delete = transaction.prepare("DELETE FROM sessions WHERE number = ?1")?;
            for number in &batch.forgotten {
                delete.execute([i64::try_from(*number).unwrap_or(i64::MAX)])?;
            }
        }
        transaction.execute(
            // SQLite would turn a sum that is too large into a floating-point number.
            "UPDATE state SET ahead = ahead + MIN(?1, 9223372036854775807 - ahead), seen_now = ?2, seen_unix = ?3,
                sessions_created = ?4",
            params![
                ticks::from(batch.advance),
                ticks::rounded_up(now.now),
                ticks::rounded_up(now.unix_time),
                i64::try_from(created).unwrap_or(i64::MAX),
            ],
        )?;
        transaction.commit()
    }

    fn problem(&self, error: &rusqlite::Error) -> StateFolderError {
        problem(&self.folder.database(), error)
    }

    fn damaged(&self, reason: String) -> StateFolderError {
        StateFolderError::Damaged { file: self.folder.database(), reason }
    }
}

/// Refuses a database that is not ours, or newer, by its first bytes: SQLite would not leave it unchanged.
fn check_header(file: &Path) -> io::Result<Result<(), StateFolderError>> {
    let mut header = Vec::new();
    File::open(file)?.take(100).read_to_end(&mut header)?;
    let number = |place: usize| {
        header.get(place..place + 4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap_or_default()))
    };
    let file = file.to_owned();
    if !header.starts_with(b"SQLite format 3\0") || number(68) != Some(APPLICATION) {
        return Ok(Err(StateFolderError::Foreign { file }));
    }
    Ok(match number(60) {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(StateFolderError::Newer { file, found, known: FORMAT }),
        _ => Err(StateFolderError::Damaged { file, reason: "it has no format version".to_owned() }),
    })
}

/// Refuses to make a new database where the log of an earlier one is left, which SQLite would add to it.
fn refuse_remains(file: &Path) -> Result<(), StateFolderError> {
    let log = with_suffix(file, "-wal");
    if !log.exists() {
        return Ok(());
    }
    let reason = "it is missing, although its log state.sqlite-wal is there".to_owned();
    Err(StateFolderError::Damaged { file: file.to_owned(), reason })
}

/// Makes the tables in an empty file.
fn create(file: &Path) -> Result<(), StateFolderError> {
    let fill = || {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
        connection.execute_batch(TABLES)?;
        connection.execute_batch(record::TABLE)
    };
    fill().map_err(|error| problem(file, &error))
}

/// Opens an existing database and checks it.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Until it is known to be intact, nothing may be written to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Keeps other programs out, and needs no shared memory.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(verdict),
        ));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Flushes the log at each commit.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

fn problem(file: &Path, error: &rusqlite::Error) -> StateFolderError {
    let (file, reason) = (file.to_owned(), error.to_string().lines().collect::<Vec<_>>().join(" "));
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StateFolderError::Damaged { file, reason },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StateFolderError::Database { file, reason: "another program has opened it; close that program".to_owned() }
        }
        _ => StateFolderError::Database { file, reason },
    }
}
