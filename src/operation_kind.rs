//! `arr_operation_kind`: which function started an operation.

use super::error_info::arr_error_info;
use super::guard;
use super::operation::{arr_operation, find_operation};
use super::status::arr_status;
use client::{OperationKind, abi};

/// Which function started an operation, an ARR_OPERATION_KIND_... value. Open enum: newer versions may return other
/// values.
pub type arr_operation_kind = i32;
/// Not about an operation.
pub const ARR_OPERATION_KIND_NONE: arr_operation_kind = 0;
/// arr_client_get_token_start(). Result: arr_operation_get_token().
pub const ARR_OPERATION_KIND_GET_TOKEN: arr_operation_kind = 1;
/// arr_client_list_sessions_start(). Result: arr_operation_get_list().
pub const ARR_OPERATION_KIND_LIST_SESSIONS: arr_operation_kind = 2;
/// arr_client_recover_sessions_start(). Result: arr_operation_get_list().
pub const ARR_OPERATION_KIND_RECOVER_SESSIONS: arr_operation_kind = 3;
/// arr_client_stop_all_start(). Result: arr_operation_get_stop_all().
pub const ARR_OPERATION_KIND_STOP_ALL: arr_operation_kind = 4;
/// arr_session_create_start(). Result: arr_operation_get_session().
pub const ARR_OPERATION_KIND_CREATE: arr_operation_kind = 5;
/// arr_session_open_start(). Result: arr_operation_get_session().
pub const ARR_OPERATION_KIND_OPEN: arr_operation_kind = 6;
/// arr_session_reuse_or_create_start(). Result: arr_operation_get_session().
pub const ARR_OPERATION_KIND_REUSE_OR_CREATE: arr_operation_kind = 7;
/// arr_session_get_properties_start(). Result: arr_operation_get_properties().
pub const ARR_OPERATION_KIND_GET_PROPERTIES: arr_operation_kind = 8;
/// arr_session_update_lease_start(). Result: arr_operation_get_properties().
pub const ARR_OPERATION_KIND_UPDATE_LEASE: arr_operation_kind = 9;
/// arr_session_wait_until_ready_start(). Result: arr_operation_get_properties().
pub const ARR_OPERATION_KIND_WAIT_UNTIL_READY: arr_operation_kind = 10;
/// arr_session_stop_start(). Result: arr_operation_get_stop().
pub const ARR_OPERATION_KIND_STOP: arr_operation_kind = 11;

pub(super) fn number(kind: OperationKind) -> arr_operation_kind {
    match kind {
        OperationKind::GetToken => ARR_OPERATION_KIND_GET_TOKEN,
        OperationKind::ListSessions => ARR_OPERATION_KIND_LIST_SESSIONS,
        OperationKind::RecoverSessions => ARR_OPERATION_KIND_RECOVER_SESSIONS,
        OperationKind::StopAll => ARR_OPERATION_KIND_STOP_ALL,
        OperationKind::CreateSession => ARR_OPERATION_KIND_CREATE,
        OperationKind::OpenSession => ARR_OPERATION_KIND_OPEN,
        OperationKind::ReuseOrCreate => ARR_OPERATION_KIND_REUSE_OR_CREATE,
        OperationKind::GetProperties => ARR_OPERATION_KIND_GET_PROPERTIES,
        OperationKind::UpdateLease => ARR_OPERATION_KIND_UPDATE_LEASE,
        OperationKind::WaitUntilReady => ARR_OPERATION_KIND_WAIT_UNTIL_READY,
        OperationKind::Stop => ARR_OPERATION_KIND_STOP,
        // Unreachable: the client library has the same version, and a test checks all of its kinds.
        _ => ARR_OPERATION_KIND_NONE,
    }
}

/// Returns which function started an operation.
///
///   operation  The operation.
///   kind       Out.
///   error      Out, may be NULL.
///
/// Does not block or allocate. Thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_operation_get_kind(
    operation: *mut arr_operation,
    kind: *mut arr_operation_kind,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_operation_get_kind", error, || {
            let operation = find_operation(operation)?;
            if kind.is_null() {
                return Err(abi::invalid_argument("the output `kind` is NULL"));
            }
            kind.write_unaligned(number(operation.any().kind()));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_operation_kind_has_its_own_number() {
        let numbers: HashSet<arr_operation_kind> = abi::OPERATION_KINDS.iter().map(|kind| number(*kind)).collect();
        assert!(numbers.len() == abi::OPERATION_KINDS.len() && !numbers.contains(&0), "{numbers:?}");
    }
}
