//! A session as a row of the database.

use rusqlite::{Row, Statement, named_params};
use uuid::Uuid;

use super::ticks;
use crate::session::{End, RendererAddress, Session, SessionId, SessionIdentity, SessionSettings, SessionSize};

/// The table. Times are in ticks of 100 ns by the emulator's clock, which goes on across restarts; `created_at` is Unix
/// time.
pub(super) const TABLE: &str = "
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        account TEXT NOT NULL,
        size TEXT NOT NULL,
        max_lease INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        ready_at INTEGER NOT NULL,
        hostname TEXT NOT NULL,
        inspector_port INTEGER NOT NULL,
        handshake_port INTEGER NOT NULL,
        end TEXT CHECK (end IN ('stop', 'expiry', 'failure')),
        end_asked_at INTEGER,
        end_at INTEGER,
        message TEXT
    ) STRICT;";

pub(super) const PUT: &str = "
    REPLACE INTO sessions (number, id, account, size, max_lease, created_at, ready_at, hostname, inspector_port,
        handshake_port, end, end_asked_at, end_at, message)
    VALUES (:number, :id, :account, :size, :max_lease, :created_at, :ready_at, :hostname, :inspector_port,
        :handshake_port, :end, :end_asked_at, :end_at, :message)";

pub(super) const ALL: &str = "SELECT * FROM sessions ORDER BY number";

/// Stores a session, new or changed.
pub(super) fn put(statement: &mut Statement<'_>, session: &Session) -> rusqlite::Result<()> {
    let Session { identity, settings, creation_time, ready_at, renderer, end } = session;
    let (kind, asked_at, at, message) = match end {
        None => (None, None, None, None),
        Some(End::Stop { asked_at, done_at, message }) => {
            (Some("stop"), Some(*asked_at), Some(*done_at), message.as_deref())
        }
        Some(End::Expiry { at, message }) => (Some("expiry"), None, Some(*at), message.as_deref()),
        Some(End::Failure { at, message }) => (Some("failure"), None, Some(*at), Some(message.as_str())),
    };
    statement.execute(named_params! {
        ":number": i64::try_from(identity.number).unwrap_or(i64::MAX),
        ":id": identity.id.as_str(),
        ":account": identity.account.to_string(),
        ":size": settings.size.as_str(),
        ":max_lease": ticks::from(settings.max_lease),
        ":created_at": ticks::from(*creation_time),
        ":ready_at": ticks::from(*ready_at),
        ":hostname": renderer.hostname,
        ":inspector_port": renderer.inspector_port,
        ":handshake_port": renderer.handshake_port,
        ":end": kind,
        ":end_asked_at": asked_at.map(ticks::from),
        ":end_at": at.map(ticks::from),
        ":message": message,
    })?;
    Ok(())
}

/// The session in a row. The error says what is wrong with the row.
pub(super) fn get(row: &Row<'_>) -> Result<Session, String> {
    let text = |column: &str| row.get::<_, String>(column).map_err(|error| error.to_string());
    let integer = |column: &str| row.get::<_, i64>(column).map_err(|error| error.to_string());
    let number = integer("number")?;
    let wrong = |what: &str| format!("session number {number} has a wrong {what}");
    let time = |column: &str| ticks::to(integer(column)?).ok_or_else(|| wrong(column));
    let port = |column: &str| u16::try_from(integer(column)?).map_err(|_| wrong(column));
    let message: Option<String> = row.get("message").map_err(|error| error.to_string())?;
    let end: Option<String> = row.get("end").map_err(|error| error.to_string())?;
    Ok(Session {
        identity: SessionIdentity {
            id: SessionId::parse(&text("id")?).map_err(|_| wrong("id"))?,
            account: Uuid::parse_str(&text("account")?).map_err(|_| wrong("account"))?,
            number: u64::try_from(number).map_err(|_| wrong("number"))?,
        },
        settings: SessionSettings {
            size: SessionSize::parse(&text("size")?).ok_or_else(|| wrong("size"))?,
            max_lease: time("max_lease")?,
        },
        creation_time: time("created_at")?,
        ready_at: time("ready_at")?,
        renderer: RendererAddress {
            hostname: text("hostname")?,
            inspector_port: port("inspector_port")?,
            handshake_port: port("handshake_port")?,
        },
        end: match end.as_deref() {
            None => None,
            Some("stop") => Some(End::Stop { asked_at: time("end_asked_at")?, done_at: time("end_at")?, message }),
            Some("expiry") => Some(End::Expiry { at: time("end_at")?, message }),
            Some(_) => Some(End::Failure { at: time("end_at")?, message: message.ok_or_else(|| wrong("message"))? }),
        },
    })
}
