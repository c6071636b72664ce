//! `arr_event`: events, pulled one at a time on the application's own thread.

use super::client::{arr_client, find, wait_timeout};
use super::error_info::arr_error_info;
use super::guard;
use super::operation::{arr_operation, status_of};
use super::operation_kind::{self, ARR_OPERATION_KIND_NONE, arr_operation_kind};
use super::session::arr_session;
use super::session_properties::{ARR_SESSION_STATUS_UNKNOWN, arr_session_status};
use super::status::{ARR_OK, arr_status};
use super::structs::{self, Out, Plain, seconds};
use super::text;
use client::{ErrorKind, Event, EventKind, abi};
use std::ffi::c_char;
use std::ptr;

/// What happened, an ARR_EVENT_... value. Open enum: newer versions may return other values.
pub type arr_event_type = i32;
/// No event.
pub const ARR_EVENT_NONE: arr_event_type = 0;
/// A started operation has ended (operation, operation_kind, user_data, status).
pub const ARR_EVENT_OPERATION_ENDED: arr_event_type = 1;
/// The status of a watched session has changed (session_status).
pub const ARR_EVENT_SESSION_STATUS_CHANGED: arr_event_type = 2;
/// Keep-alive has extended the lease of a session, and a read has confirmed it (max_lease_seconds).
pub const ARR_EVENT_LEASE_EXTENDED: arr_event_type = 3;
/// The lease of a watched session ends in remaining_seconds.
pub const ARR_EVENT_LEASE_EXPIRING: arr_event_type = 4;
/// Keep-alive could not extend the lease of a session (status), and will retry. ARR_ERROR_UNEXPECTED_REPLY has two
/// meanings. If max_lease_seconds is not 0: the service accepted the longer lease, but a read shows that the lease has
/// not grown. If max_lease_seconds is 0: the service has never reported the lease, so keep-alive cannot extend it until
/// arr_session_update_lease() has set it.
///
/// If the reply to an extension was lost, the next successful read decides between this event and
/// ARR_EVENT_LEASE_EXTENDED. If no read succeeds before the retry, this event comes first, and ARR_EVENT_LEASE_EXTENDED
/// may follow.
pub const ARR_EVENT_LEASE_NOT_EXTENDED: arr_event_type = 5;
/// The lease of a session has reached cap_seconds. Keep-alive no longer extends it.
pub const ARR_EVENT_LEASE_CAP_REACHED: arr_event_type = 6;
/// The lease would now be extended, but the application has neither pulled events nor called arr_session_touch() for
/// liveness_ms. Until it does either, the lease is not extended.
pub const ARR_EVENT_KEEP_ALIVE_PAUSED: arr_event_type = 7;
/// The application's token expires soon or was refused: pass a new one to arr_client_set_token().
pub const ARR_EVENT_TOKEN_NEEDED: arr_event_type = 8;
/// The machine slept, or arr_client_resume() was called. All watched sessions have been read since.
pub const ARR_EVENT_RESUMED: arr_event_type = 9;
/// The reply to a create that was started by a _start function was lost. One event is posted for each session that
/// this create may have made: session_id names the session, index and count number the events. If the create made a
/// session that still exists, it is one of those named. The events of several lost creates, even of other clients, may
/// name the same session.
///
/// A count of 1 means that no other lost create of this process or in the journal may have made the session. If one may,
/// a second event (count 2) has an empty session_id: this create may have made no session.
///
/// If there is nothing to name, a single event has an empty session_id and a count of 0. If its status is ARR_OK, no
/// session matches yet; otherwise the sessions could not be determined.
///
/// The library stops none of the sessions named; that decision is the application's. The create may still
/// reach the service within a minute of being sent, so the create's record stays in the journal for
/// arr_client_recover_sessions() of the next run. A blocking create posts no event; it returns
/// ARR_ERROR_OUTCOME_UNKNOWN.
pub const ARR_EVENT_CREATE_LOST: arr_event_type = 10;
/// A create was cancelled or freed, or its client was shut down or freed, but the create still made a session
/// (session_id). Stopping that session failed, so it may be running.
pub const ARR_EVENT_SESSION_LEFT_RUNNING: arr_event_type = 11;

/// All reads of a watched session have failed for two poll intervals or a minute, whichever is longer (status: the
/// latest failure). The cached properties become stale (arr_snapshot.age_ms). Polling continues.
pub const ARR_EVENT_READS_FAILING: arr_event_type = 12;
/// A read has succeeded after ARR_EVENT_READS_FAILING.
pub const ARR_EVENT_READS_RECOVERED: arr_event_type = 13;

/// A read found a watched session still starting, 15 minutes or more after this client first knew of it
/// (arr_snapshot.starting_for_ms). Sessions usually take less than 3 minutes. It may still become ready.
pub const ARR_EVENT_STARTING_LONG: arr_event_type = 14;

/// Size of arr_event in version 1 of the ABI.
pub const ARR_EVENT_SIZE_V1: u32 = 336;

/// An event. Initialize it once with arr_event_init(), then reuse it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_event {
    /// Set by arr_event_init().
    pub struct_size: u32,
    /// What happened.
    pub r#type: arr_event_type,
    /// The value that the application passed when it started the operation or watched the session. It is 0 for
    /// ARR_EVENT_TOKEN_NEEDED and ARR_EVENT_RESUMED, and for ARR_EVENT_SESSION_LEFT_RUNNING if the create was blocking
    /// or its reply had arrived just before it was cancelled.
    pub user_data: u64,
    /// The operation that has ended, as the caller's own handle; NULL for other events.
    pub operation: *mut arr_operation,
    /// The caller's handle with which the session is watched; NULL unless the event comes from watching it or keeping
    /// it alive.
    pub session: *mut arr_session,
    /// ARR_OK, or why something failed. arr_operation_get_error() and the log have the details.
    pub status: arr_status,
    /// For ARR_EVENT_CREATE_LOST: index among the events of the same create, from 0.
    pub index: u32,
    /// For ARR_EVENT_CREATE_LOST: number of events of the same create; 0 in the single event that reports no
    /// candidates.
    pub count: u32,
    /// Current status of a watched session.
    pub session_status: arr_session_status,
    /// Its current total lease in seconds.
    pub max_lease_seconds: u32,
    /// Its remaining lease in seconds, now.
    pub remaining_seconds: u32,
    /// Which function started the operation that has ended; ARR_OPERATION_KIND_NONE for other events.
    pub operation_kind: arr_operation_kind,
    /// Zero.
    pub reserved: u32,
    /// How many ARR_EVENT_CREATE_LOST and ARR_EVENT_SESSION_LEFT_RUNNING events were dropped before this one, because
    /// they were not pulled in time.
    pub lost: u64,
    /// Id of the session concerned, even if the operation failed; empty if there is none or it is unknown.
    pub session_id: [c_char; 257],
    /// Zero.
    pub reserved_tail: [u8; 7],
}

// SAFETY: repr(C), integers, pointers that are values, and arrays; the assertion shows that there is no padding.
unsafe impl Plain for arr_event {
    const SIZE_V1: u32 = ARR_EVENT_SIZE_V1;
}
const _: () = assert!(size_of::<arr_event>() == 10 * 4 + 4 * 8 + 257 + 7);
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
    operation_kind: ARR_OPERATION_KIND_NONE,
    reserved: 0,
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
        EventKind::ReadsFailing => ARR_EVENT_READS_FAILING,
        EventKind::ReadsRecovered => ARR_EVENT_READS_RECOVERED,
        EventKind::StartingLong => ARR_EVENT_STARTING_LONG,
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
            operation_kind: event.operation.map_or(ARR_OPERATION_KIND_NONE, operation_kind::number),
            lost: event.lost,
            session_id: text::inline(event.session.as_ref().map_or("", |id| id.as_str())),
            ..NO_EVENT
        }
    }
}

/// Initializes a struct: `arr_event_init(&event, sizeof event)`.
///
///   event  Out. Exactly `size` bytes are written.
///   size   The struct's size as the caller compiled it, ARR_EVENT_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `event` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_event_init(event: *mut arr_event, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe { guard::status("arr_event_init", ptr::null_mut(), || structs::init(event, size, &NO_EVENT)) }
}

/// Returns the next event: an operation has ended, or a watched session has changed.
///
/// A frame loop calls it with a timeout of 0 until it returns ARR_ERROR_TIMEOUT. Events of one type about the same
/// operation or session are merged until they are pulled, so they cannot pile up.
/// ARR_EVENT_CREATE_LOST and ARR_EVENT_SESSION_LEFT_RUNNING are the exceptions: up to 256 of them in all are kept;
/// beyond that the oldest are dropped and counted in `lost`.
///
///   client      The client.
///   event       Out.
///   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit. arr_client_wake()
///               ends the wait.
///   error       Out, may be NULL.
///
/// Errors: ARR_ERROR_TIMEOUT if there is no event; ARR_ERROR_SHUT_DOWN once the client has been shut down and all
/// events are pulled.
/// Blocks up to timeout_ms; with 0 it neither blocks nor allocates. Thread-safe, but pull from one thread at a
/// time: see Threads and process.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_next_event(
    client: *mut arr_client,
    event: *mut arr_event,
    timeout_ms: u32,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_next_event", error, || {
            let place = Out::required(event, "event")?;
            let event = find(client)?.next_event(wait_timeout(timeout_ms))?;
            place.write(&arr_event::from(&event.ok_or_else(|| abi::error(ErrorKind::Timeout, "there is no event"))?));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_event_kind_has_its_own_number() {
        let numbers: HashSet<arr_event_type> = abi::EVENT_KINDS.iter().map(|kind| number(*kind)).collect();
        assert!(numbers.len() == abi::EVENT_KINDS.len() && !numbers.contains(&0), "{numbers:?}");
    }
}
