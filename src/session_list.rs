//! `arr_session_list`: the account's sessions at one time.

use super::client::{arr_client, find, out_handle, within};
use super::error_info::arr_error_info;
use super::guard;
use super::handle::{Table, table};
use super::session::{arr_session, hand_out};
use super::session_properties::{
    ARR_CLAIM_CANDIDATE, ARR_CLAIM_NONE, ARR_CLAIM_ONLY_CANDIDATE, ARR_CLAIM_OURS, arr_claim, arr_session_properties,
};
use super::status::arr_status;
use super::structs::Out;
use client::{Claim, ListedSession, Recovered, Result, Session, SessionProperties, abi};

/// The account's sessions at the time of a list request. A handle.
pub struct arr_session_list {
    _private: [u8; 0],
}

static LISTS: Table<List> = table!(3, "arr_session_list");

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
                Claim::OnlyCandidate => ARR_CLAIM_ONLY_CANDIDATE,
                // Includes future claims that are less certain than `Ours`.
                _ => ARR_CLAIM_CANDIDATE,
            },
            session: Some(session),
        };
        List(sessions.into_iter().map(entry).collect())
    }
}

/// Reserves a handle before it makes the list: recovered sessions must not be lost.
pub(super) fn hand_out_list(make: impl FnOnce() -> Result<List>) -> Result<*mut arr_session_list> {
    LISTS.insert_with(|_| make())
}

/// Lists the account's sessions that have not ended, including those of other clients.
///
///   client      The client.
///   list        Out. Free it with arr_session_list_free(). NULL on failure.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// REST: GET /sessions; with 2021-01-01 page by page. Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_list_sessions(
    client: *mut arr_client,
    list: *mut *mut arr_session_list,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_list_sessions", error, || {
            let list = out_handle(list, "list")?;
            let make = || Ok(within(find(client)?.list_sessions(), timeout_ms).run()?.into());
            list.write_unaligned(hand_out_list(make)?);
            Ok(())
        })
    }
}

/// Recovers the sessions that earlier clients recorded in the journal and left running, for example because the
/// application crashed. Returns those that the service still has. Those with ARR_CLAIM_OURS now belong to this client,
/// as if it had created them; candidates do not (see ARR_STOP_SCOPE_OWN).
///
/// Sessions that a running client, in this process or another, is known to have created are never included. But a
/// candidate may be the result of a running client's lost create: it is then ARR_CLAIM_CANDIDATE. Only service_endpoint
/// and trusted_endpoints are contacted. A session that cannot be checked, because it is at another endpoint or its
/// endpoint does not reply, stays in the journal for the next call, and the log says why. If none can be checked, the
/// call fails with the first reason. A journal without sessions gives an empty list.
///
///   client      The client, created with a journal_folder.
///   list        Out. Free it with arr_session_list_free(). NULL on failure. arr_session_list_get_session() returns
///               handles of the sessions. `claim` says whether a session is certainly or only possibly this
///               application's.
///   timeout_ms  Time limit; see Timeouts.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if the client has no journal; ARR_ERROR_STORAGE if the journal cannot be read or
/// written, or has sessions only at endpoints that are not trusted.
/// REST: the request of arr_session_open() for each session in the journal; those of arr_client_list_sessions() for each
/// whose id is unknown. Blocks. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_recover_sessions(
    client: *mut arr_client,
    list: *mut *mut arr_session_list,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status_with_secrets("arr_client_recover_sessions", error, || {
            let list = out_handle(list, "list")?;
            let make = || Ok(within(find(client)?.recover_sessions(), timeout_ms).run()?.into());
            list.write_unaligned(hand_out_list(make)?);
            Ok(())
        })
    }
}

/// Returns the number of sessions in a list.
///
///   list   The list.
///   count  Out.
///   error  Out, may be NULL.
///
/// Does not block. Thread-safe.
#[must_use]
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
                return Err(abi::invalid_argument("the output `count` is NULL"));
            }
            count.write_unaligned(LISTS.get(list)?.0.len());
            Ok(())
        })
    }
}

/// Returns the properties of a session in a list. To use the session, open it by its session_id; in a list of recovered
/// sessions, call arr_session_list_get_session().
///
///   list        The list.
///   index       0 to count - 1.
///   properties  Out. `known_to_client` is 1 if this client created or opened the session.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `index` is out of range.
/// Does not block. Thread-safe.
#[must_use]
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

/// Returns a handle of a recovered session. Each call returns a new handle.
///
///   list     A list from arr_client_recover_sessions().
///   index    0 to count - 1.
///   session  Out. Free it with arr_session_free(). NULL on failure.
///   error    Out, may be NULL.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `index` is out of range, or the list is not one of recovered sessions: open
/// the session by its id instead.
/// Does not block. Thread-safe.
#[must_use]
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
                abi::invalid_argument("the list has no recovered sessions; open the session by its id")
            })?;
            hand_out(|| Ok(session), place, None)
        })
    }
}

impl List {
    fn entry(&self, index: usize) -> Result<&Entry> {
        self.0.get(index).ok_or_else(|| {
            abi::invalid_argument(format!("index {index} is out of range; the list has {} sessions", self.0.len()))
        })
    }
}

/// Frees a list.
///
///   list  The list. NULL or a freed handle is ignored.
///
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn arr_session_list_free(list: *mut arr_session_list) {
    guard::value("arr_session_list_free", (), || drop(LISTS.remove(list)));
}

#[cfg(test)]
mod tests {
    use super::super::session::SESSIONS;
    use super::*;
    use client::ErrorKind;

    /// Two concurrent calls, and one free handle: the second call creates or recovers nothing.
    #[test]
    fn nothing_is_created_or_recovered_without_a_free_handle() {
        let mut place = std::ptr::null_mut();
        LISTS.use_up_all_but_one();
        SESSIONS.use_up_all_but_one();
        let list = hand_out_list(|| {
            let second = hand_out_list(|| panic!("it must not be made"));
            assert_eq!(second.unwrap_err().kind(), ErrorKind::OutOfResources);
            Ok(List(Vec::new()))
        });
        assert!(LISTS.get(list.unwrap()).is_ok());
        let first = || {
            let second = hand_out(|| panic!("it must not be made"), &mut std::ptr::null_mut(), None);
            assert_eq!(second.unwrap_err().kind(), ErrorKind::OutOfResources);
            Err(abi::error(ErrorKind::Network, "down"))
        };
        assert_eq!(hand_out(first, &mut place, None).unwrap_err().kind(), ErrorKind::Network);
        assert!(place.is_null());
    }
}
