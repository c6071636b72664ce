//! `arr_session_list`: the account's sessions at one moment.

use super::client::{arr_client, call_timeout, find, out_handle};
use super::error_info::arr_error_info;
use super::guard;
use super::handle::Table;
use super::session_properties::arr_session_properties;
use super::status::arr_status;
use super::structs::Out;
use crate::client::ListedSession;
use crate::error::Error;

/// The account's sessions as they were when they were listed. A handle: a value that is looked up, never a pointer to
/// follow.
pub struct arr_session_list {
    _private: [u8; 0],
}

static LISTS: Table<Vec<ListedSession>> = Table::new(3, "arr_session_list");

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
            let sessions = find(client)?.list_sessions(call_timeout(timeout_ms))?;
            list.write_unaligned(LISTS.insert(sessions)?);
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
                return Err(Error::invalid_argument("the place for the count is NULL"));
            }
            count.write_unaligned(LISTS.get(list)?.len());
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
            let session = list.get(index).ok_or_else(|| {
                Error::invalid_argument(format!("index {index} is beyond the list, which has {}", list.len()))
            })?;
            properties.write(&arr_session_properties {
                known_to_client: session.known_to_client.into(),
                ..arr_session_properties::from(&session.properties)
            });
            Ok(())
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
