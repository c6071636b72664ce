//! `arr_event`: events, pulled one at a time on the application's own thread.

use super::client::{arr_client, find, wait_timeout};
use super::error_info::arr_error_info;
use super::guard::{self, Quiet};
use super::operation::{arr_operation, status_of};
use super::session::arr_session;
use super::session_properties::{ARR_SESSION_STATUS_UNKNOWN, arr_session_status};
use super::status::{ARR_OK, arr_status};
use super::structs::{self, Out, Plain, seconds};
use super::text;
use client::{Event, EventKind, abi};
use std::ffi::c_char;
use std::ptr;

/// What happened, an ARR_EVENT_... value. Expect values that this header does not have.
pub type arr_event_type = i32;
/// Nothing.
pub const ARR_EVENT_NONE: arr_event_type = 0;
/// A started operation has ended: operation and user_data are those of the function that started it, status is how.
pub const ARR_EVENT_OPERATION_ENDED: arr_event_type = 1;
/// A session that is watched has another status: session_status.
pub const ARR_EVENT_SESSION_STATUS_CHANGED: arr_event_type = 2;
/// A session that is kept alive has got a longer lease: max_lease_seconds.
pub const ARR_EVENT_LEASE_EXTENDED: arr_event_type = 3;
/// The lease of a session that is watched ends in remaining_seconds.
pub const ARR_EVENT_LEASE_EXPIRING: arr_event_type = 4;
/// The lease of a session that is kept alive could not be extended: status tells why. It is tried again.
pub const ARR_EVENT_LEASE_NOT_EXTENDED: arr_event_type = 5;
/// The lease of a session that is kept alive has grown to its cap, and is not extended any more.
pub const ARR_EVENT_LEASE_CAP_REACHED: arr_event_type = 6;
/// The application has neither pulled events nor called arr_session_touch() for liveness_ms: the lease is not extended until
/// it does.
pub const ARR_EVENT_KEEP_ALIVE_PAUSED: arr_event_type = 7;
/// The token that the application gave runs out or was refused: give a new one by arr_client_set_token().
pub const ARR_EVENT_TOKEN_NEEDED: arr_event_type = 8;
/// The machine slept, or arr_client_resume() was called, and everything was read anew by now.
pub const ARR_EVENT_RESUMED: arr_event_type = 9;
/// The answer to a create was lost; session_id is a session that may have come of it, one event for each (index of count).
/// It is not stopped: that is the application's decision. A count of 0: there is none, or, if status is not ARR_OK, nobody
/// knows.
pub const ARR_EVENT_CREATE_LOST: arr_event_type = 10;
/// A create was cancelled after it had made session_id, which could not be stopped: it may be running.
pub const ARR_EVENT_SESSION_LEFT_RUNNING: arr_event_type = 11;

/// The size of arr_event in the first version of the ABI.
pub const ARR_EVENT_SIZE_V1: u32 = 328;

/// Something that happened. Set it up once with arr_event_init(); it may be filled any number of times.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_event {
    /// Set by arr_event_init().
    pub struct_size: u32,
    /// What happened.
    pub r#type: arr_event_type,
    /// What the application gave when it started the operation, or watched the session.
    pub user_data: u64,
    /// The operation that it is about, or NULL.
    pub operation: *mut arr_operation,
    /// The session that it is about: the handle that was watched. NULL if there is none.
    pub session: *mut arr_session,
    /// ARR_OK, or why something failed; arr_operation_get_error() and the log tell more.
    pub status: arr_status,
    /// Of several events that belong together: which one this is, from 0.
    pub index: u32,
    /// How many they are.
    pub count: u32,
    /// The session's status as it is now, for events about a session that is watched.
    pub session_status: arr_session_status,
    /// Its whole lease in seconds, as it is now.
    pub max_lease_seconds: u32,
    /// How much of it is left now, in seconds.
    pub remaining_seconds: u32,
    /// How many events without a handle were lost before this one, because nobody pulled them in time.
    pub lost: u64,
    /// The id of the session that it is about; empty if there is none.
    pub session_id: [c_char; 257],
    /// Zero.
    pub reserved_tail: [u8; 7],
}

// SAFETY: repr(C), integers, pointers that are values, and arrays; the assertion shows that there is no padding.
unsafe impl Plain for arr_event {
    const SIZE_V1: u32 = ARR_EVENT_SIZE_V1;
}
const _: () = assert!(size_of::<arr_event>() == 8 * 4 + 4 * 8 + 257 + 7);
const _: () = assert!(size_of::<arr_event>() == ARR_EVENT_SIZE_V1 as usize);

const NO_EVENT: arr_event = arr_event {
    struct_size: ARR_EVENT_SIZE_V1,
    r#type: ARR_EVENT_NONE,
    user_data: 0,
    operation: ptr::null_mut(),
    session: ptr::null_mut(),
    status: ARR_OK,
    index: 0,
    count: 0,
    session_status: ARR_SESSION_STATUS_UNKNOWN,
    max_lease_seconds: 0,
    remaining_seconds: 0,
    lost: 0,
    session_id: [0; 257],
    reserved_tail: [0; 7],
};

fn number(kind: EventKind) -> arr_event_type {
    match kind {
        EventKind::OperationEnded => ARR_EVENT_OPERATION_ENDED,
        EventKind::StatusChanged => ARR_EVENT_SESSION_STATUS_CHANGED,
        EventKind::LeaseExtended => ARR_EVENT_LEASE_EXTENDED,
        EventKind::LeaseExpiring => ARR_EVENT_LEASE_EXPIRING,
        EventKind::LeaseNotExtended => ARR_EVENT_LEASE_NOT_EXTENDED,
        EventKind::LeaseCapReached => ARR_EVENT_LEASE_CAP_REACHED,
        EventKind::KeepAlivePaused => ARR_EVENT_KEEP_ALIVE_PAUSED,
        EventKind::TokenNeeded => ARR_EVENT_TOKEN_NEEDED,
        EventKind::Resumed => ARR_EVENT_RESUMED,
        EventKind::CreateLost => ARR_EVENT_CREATE_LOST,
        EventKind::LeftRunning => ARR_EVENT_SESSION_LEFT_RUNNING,
        // Unreachable: the client library has the same version, and a test checks all of its kinds.
        _ => 0,
    }
}

impl From<&Event> for arr_event {
    /// Allocates nothing.
    fn from(event: &Event) -> arr_event {
        let handle = usize::try_from(abi::handle_of(&event.label)).unwrap_or_default();
        let numbers = event.snapshot.as_ref();
        let of_operation = event.kind == EventKind::OperationEnded;
        arr_event {
            r#type: number(event.kind),
            user_data: event.label.user_data,
            operation: ptr::without_provenance_mut(if of_operation { handle } else { 0 }),
            // An event without numbers has no live handle.
            session: ptr::without_provenance_mut(if numbers.is_some() { handle } else { 0 }),
            status: status_of(event.error),
            index: event.index,
            count: event.count,
            session_status: numbers.map_or(ARR_SESSION_STATUS_UNKNOWN, |numbers| abi::status_code(&numbers.status)),
            max_lease_seconds: numbers.and_then(|numbers| numbers.max_lease).map_or(0, seconds),
            remaining_seconds: numbers.map_or(0, |numbers| seconds(numbers.remaining)),
            lost: event.lost,
            session_id: text::inline(event.session.as_ref().map_or("", |id| id.as_str())),
            ..NO_EVENT
        }
    }
}

/// Sets an event up: `arr_event_init(&event, sizeof event)`.
///
/// - event: written for exactly `size` bytes.
/// - size: the struct's size where it is compiled, ARR_EVENT_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_event_init(event: *mut arr_event, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_event_init", ptr::null_mut(), || structs::init(event, size, &NO_EVENT)) }
}

/// Takes the next event of a client: an operation has ended, or something happened to a session that is watched. A frame loop
/// calls it with a timeout of 0 until nothing is left; then it neither waits nor allocates. What happens to one operation or
/// session while nobody pulls is merged: the queue is never longer than there are handles.
///
/// - client: the client.
/// - event: receives it.
/// - timeout_ms: how long to wait for one. 0 does not wait; ARR_WAIT_FOREVER waits as long as it takes.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_TIMEOUT if there is none, and ARR_ERROR_SHUT_DOWN once the client has ended and all events are pulled.
/// Sends nothing. Threads: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_next_event(
    client: *mut arr_client,
    event: *mut arr_event,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::quiet("arr_client_next_event", error, || {
            let place = Out::required(event, "event")?;
            Ok(match find(client)?.next_event(wait_timeout(timeout_ms))? {
                Some(event) => {
                    place.write(&arr_event::from(&event));
                    Quiet::Done
                }
                None => Quiet::Timeout("there is no event"),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_of_event_has_a_number_of_its_own() {
        let numbers: HashSet<arr_event_type> = abi::EVENT_KINDS.iter().map(|kind| number(*kind)).collect();
        assert!(numbers.len() == abi::EVENT_KINDS.len() && !numbers.contains(&0), "{numbers:?}");
    }
}
