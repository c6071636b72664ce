//! Internals for the C ABI alone. May change without notice.

use crate::client::{AnyOperation, Call, Client, Reused, Session, WatchOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Label};
use crate::model::{NewSession, OperationKind, SessionProperties, SessionSize, SessionStatus, Snapshot};
use crate::sys;
pub use crate::sys::{PerProcess, generation, wipe_memory, with_default_floating_point};
use std::borrow::Cow;

/// Wipes what a call has left on the stack and in vector registers.
pub fn wipe_stack() {
    sys::wipe_stack::<{ 16 * 1024 }>();
}

/// Each kind of error.
pub const ERROR_KINDS: &[ErrorKind] = &ErrorKind::ALL;

/// Each kind of event.
pub const EVENT_KINDS: &[EventKind] = &EventKind::ALL;

/// Each kind of operation.
pub const OPERATION_KINDS: &[OperationKind] = &OperationKind::ALL;

/// The maximum number of models per session.
pub const MOST_MODELS: usize = NewSession::MOST_MODELS;

/// An error that the ABI detects.
pub fn error(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(kind, message)
}

/// An [`ErrorKind::InvalidArgument`] that the ABI detects.
pub fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid_argument(message)
}

/// A status as the C ABI's number.
pub fn status_code(status: &SessionStatus) -> i32 {
    status.code()
}

/// A size as the C ABI's number.
pub fn size_code(size: Option<&SessionSize>) -> i32 {
    SessionSize::code(size)
}

/// Reads the cached properties in place, beside the numbers as of now. Unlike [`Session::known_properties`] it neither
/// copies nor allocates. The session is locked meanwhile.
pub fn read_known<T>(session: &Session, read: impl FnOnce(&SessionProperties, &Snapshot) -> T) -> T {
    session.read_known(read)
}

/// A label with a handle.
pub fn label(user_data: u64, handle: u64) -> Label {
    Label { user_data, handle }
}

/// The handle of a label.
pub fn handle_of(label: &Label) -> u64 {
    label.handle
}

/// A call whose events carry this label.
pub fn labelled<T>(call: Call<T>, label: Label) -> Call<T> {
    call.labelled(label)
}

/// Watches a session whose events carry this label.
///
/// # Errors
/// As [`Session::watch`].
pub fn watch(session: &Session, options: WatchOptions, label: Label) -> Result<()> {
    session.watch_labelled(options, label)
}

/// [`Client::create_session`], with whether the session already existed under the given id.
pub fn create_session(client: &Client, new: &NewSession) -> Call<Reused> {
    client.create_or_open(new)
}

/// The effect of dropping the operation, also while another thread holds it.
pub fn release(operation: &dyn AnyOperation) {
    operation.release();
}
