//! What the C ABI needs of this crate, and no other user does. It changes without notice.

use crate::client::{AnyOperation, Call, Session, WatchOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{EventKind, Label};
use crate::model::{NewSession, SessionSize, SessionStatus};

/// Each kind of error.
pub const ERROR_KINDS: &[ErrorKind] = &ErrorKind::ALL;

/// Each kind of event.
pub const EVENT_KINDS: &[EventKind] = &EventKind::ALL;

/// The most models that a session can be asked for.
pub const MOST_MODELS: usize = NewSession::MOST_MODELS;

/// An error of the ABI's own.
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message)
}

/// The same for an argument.
pub fn invalid_argument(message: impl Into<String>) -> Error {
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

/// The effect of dropping the operation, also while another thread holds it.
pub fn release(operation: &dyn AnyOperation) {
    operation.release();
}
