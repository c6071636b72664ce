//! What to create, from the caller's options.

use super::session::arr_session_create_options;
use super::session_properties::{ARR_SESSION_SIZE_PREMIUM, ARR_SESSION_SIZE_STANDARD};
use super::{structs, text};
use client::{ErrorKind, Lease, NewSession, Result, SessionId, SessionSize, abi};
use std::time::Duration;

/// # Safety
/// `options` and its texts are as [`structs::read`] and [`text::optional`] require; `models` has `model_count` of them.
pub(super) unsafe fn new_session(options: *const arr_session_create_options) -> Result<NewSession> {
    // SAFETY: the caller's promise.
    let options = unsafe { structs::read(options, "options") }?;
    if options.reserved != 0 {
        return Err(abi::error(
            ErrorKind::Unsupported,
            "options.reserved is not 0; initialize the options with arr_session_create_options_init",
        ));
    }
    let size = match options.size {
        ARR_SESSION_SIZE_STANDARD => SessionSize::Standard,
        ARR_SESSION_SIZE_PREMIUM => SessionSize::Premium,
        other => return Err(abi::invalid_argument(format!("`size` is {other}, not STANDARD (1) or PREMIUM (2)"))),
    };
    let new = NewSession::new(size, Lease::new(Duration::from_secs(options.max_lease_seconds.into()))?);
    // SAFETY: the caller's promise.
    let models = unsafe { text::list(options.models, options.model_count, abi::MOST_MODELS, "models") }?;
    let new = new.with_models(models)?;
    // SAFETY: the caller's promise.
    let id = unsafe { text::optional(options.session_id, "session_id") }?.filter(|id| !id.is_empty());
    let new = if let Some(id) = id { new.with_id(SessionId::parse(id)?) } else { new };
    // SAFETY: the caller's promise.
    match unsafe { text::optional(options.extra_json, "extra_json") }? {
        Some(json) if !json.is_empty() => new.with_extra_json(json),
        _ => Ok(new),
    }
}
