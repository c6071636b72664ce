//! `arr_session_list`: the account's sessions at one time.

use super::client::{arr_client, find, out_handle, within};
use super::error_info::arr_error_info;
use super::guard;
use super::handle::Table;
use super::session::{arr_session, hand_out};
use super::session_properties::{
    ARR_CLAIM_CANDIDATE, ARR_CLAIM_NONE, ARR_CLAIM_OURS, arr_claim, arr_session_properties,
};
use super::status::arr_status;
use super::structs::Out;
use client::{Claim, ListedSession, Recovered, Result, Session, SessionProperties, abi};

/// The account's sessions as they were when they were listed. A handle: a value that is looked up, never a pointer to
/// follow.
pub struct arr_session_list {
    _private: [u8; 0],
}

static LISTS: Table<List> = Table::new(3, "arr_session_list");

/// The object of a list handle.
pub(super) struct List(Vec<Entry>);

struct Entry {
    properties: SessionProperties,
    known_to_client: bool,
    claim: arr_claim,
    /// Only for a recovered session.
    session: Option<Session>,
}

impl From<Vec<ListedSession>> for List {
    fn from(sessions: Vec<ListedSession>) -> List {
        let entry = |ListedSession { properties, known_to_client, .. }| Entry {
            properties,
            known_to_client,
            claim: ARR_CLAIM_NONE,
            session: None,
        };
        List(sessions.into_iter().map(entry).collect())
    }
}

impl From<Vec<Recovered>> for List {
    fn from(sessions: Vec<Recovered>) -> List {
        let entry = |Recovered { session, claim, .. }| Entry {
            properties: session.known_properties(),
            known_to_client: true,
            claim: match claim {
                Claim::Ours => ARR_CLAIM_OURS,
                // Includes future claims that are less certain than `Ours`.
                _ => ARR_CLAIM_CANDIDATE,
            },
            session: Some(session),
        };
        List(sessions.into_iter().map(entry).collect())
    }
}

pub(super) fn hand_out_list(list: List) -> Result<*mut arr_session_list> {
    LISTS.insert(list)
}

/// Lists the account's sessions that have not ended, whoever created them.
///
/// REST v1: GET /v1/accounts/{account}/sessions; 2021-01-01: GET /accounts/{account}/sessions, page by page; after a token if
/// there is none.
///
/// - client: the client.
/// - list: receives the handle, to be freed by arr_session_list_free(); NULL after a failure.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_list_sessions(
    client: *mut arr_client,
    list: *mut *mut arr_session_list,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_list_sessions", error, || {
            let list = out_handle(list, "list")?;
            let sessions = within(find(client)?.list_sessions(), timeout_ms).run()?;
            list.write_unaligned(hand_out_list(sessions.into())?);
            Ok(())
        })
    }
}

/// Finds the sessions that earlier owners of the journal have left, because they crashed or ended without stopping them, and
/// that the service still has. They are this client's from now on: arr_session_list_get_session() gives a handle of each, at
/// the endpoint where it was created. The sessions of an owner that lives, in this process or another, are never among them.
///
/// REST: what arr_session_open() sends, for each session of the journal; what arr_client_list_sessions() sends, for each whose
/// id was never known.
///
/// - client: the client, made with a journal_path.
/// - list: receives the handle, to be freed by arr_session_list_free(); NULL after a failure. `claim` tells whether a session
///   is ours, or only may be.
/// - timeout_ms: the most that the call may take; ARR_TIMEOUT_DEFAULT for the client's.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT if the client has no journal, and ARR_ERROR_STORAGE if it cannot be read or written. A
/// session that cannot be looked at stays in the journal for the next time; if that is all of them, the call fails as the
/// first one did. Blocks. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_recover_sessions(
    client: *mut arr_client,
    list: *mut *mut arr_session_list,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_recover_sessions", error, || {
            let list = out_handle(list, "list")?;
            let sessions = within(find(client)?.recover_sessions(), timeout_ms).run()?;
            list.write_unaligned(hand_out_list(sessions.into())?);
            Ok(())
        })
    }
}

/// How many sessions a list has. Sends nothing.
///
/// - list: the list.
/// - count: receives the number.
/// - error: may be NULL.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_list_count(
    list: *mut arr_session_list,
    count: *mut usize,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_list_count", error, || {
            if count.is_null() {
                return Err(abi::invalid_argument("the place for the count is NULL"));
            }
            count.write_unaligned(LISTS.get(list)?.0.len());
            Ok(())
        })
    }
}

/// One session of a list. Sends nothing. To do something with it, open it by its session_id.
///
/// - list: the list.
/// - index: from 0 to the count less 1.
/// - properties: receives what the service said about it; known_to_client tells whether this client created or opened it.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for an index beyond the list. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_list_get(
    list: *mut arr_session_list,
    index: usize,
    properties: *mut arr_session_properties,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_list_get", error, || {
            let properties = Out::required(properties, "properties")?;
            let list = LISTS.get(list)?;
            let entry = list.entry(index)?;
            properties.write(&arr_session_properties {
                known_to_client: entry.known_to_client.into(),
                claim: entry.claim,
                ..arr_session_properties::from(&entry.properties)
            });
            Ok(())
        })
    }
}

/// A handle of a session that was recovered. Each call gives a handle of its own. Sends nothing.
///
/// - list: one that arr_client_recover_sessions() has made.
/// - index: from 0 to the count less 1.
/// - session: receives the handle, to be freed by arr_session_free(); NULL after a failure.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for an index beyond the list, and for any other list: open the session by its id then.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_session_list_get_session(
    list: *mut arr_session_list,
    index: usize,
    session: *mut *mut arr_session,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_session_list_get_session", error, || {
            let place = out_handle(session, "session")?;
            let list = LISTS.get(list)?;
            let session = list.entry(index)?.session.clone().ok_or_else(|| {
                abi::invalid_argument(
                    "the list was not made by arr_client_recover_sessions; open the session by its id",
                )
            })?;
            hand_out(session, place, None)
        })
    }
}

impl List {
    fn entry(&self, index: usize) -> Result<&Entry> {
        self.0.get(index).ok_or_else(|| {
            abi::invalid_argument(format!("index {index} is beyond the list, which has {}", self.0.len()))
        })
    }
}

/// Frees a list.
///
/// - list: NULL, or a handle that was freed before, is left alone.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn arr_session_list_free(list: *mut arr_session_list) {
    guard::value("arr_session_list_free", (), || drop(LISTS.remove(list)));
}
