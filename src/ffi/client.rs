//! `arr_client`: one account at one session service.

use super::error_info::arr_error_info;
use super::handle::Table;
use super::status::arr_status;
use super::structs::{self, Plain};
use super::{guard, text};
use crate::api::ApiVersion;
use crate::client::Client;
use crate::config::{ClientConfig, Trust};
use crate::credential::Secret;
use crate::error::{Error, ErrorKind, Result};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// As a timeout of a function that makes a REST call: the client's call_timeout_ms.
pub const ARR_TIMEOUT_DEFAULT: u32 = 0;
/// As a timeout of a function that waits: as long as it takes.
pub const ARR_WAIT_FOREVER: u32 = u32::MAX;

/// A version of the service's REST API, an ARR_API_VERSION_... value.
pub type arr_api_version = i32;
/// REST v1, under the path /v1. The service chooses session ids.
pub const ARR_API_VERSION_V1: arr_api_version = 1;

/// Which certificate authorities are trusted besides those that the options add; an ARR_TRUST_... value. There is no
/// way to turn verification off.
pub type arr_trust = i32;
/// The platform's; the bundled ones where the platform has no usable store, and always on Android and UWP.
pub const ARR_TRUST_AUTO: arr_trust = 0;
/// The platform's, or ARR_ERROR_TLS.
pub const ARR_TRUST_PLATFORM: arr_trust = 1;
/// Mozilla's list, as it was when this library was built.
pub const ARR_TRUST_BUNDLED: arr_trust = 2;

/// One account at one session service. A handle: a value that is looked up, never a pointer to follow.
pub struct arr_client {
    _private: [u8; 0],
}

/// The size of arr_client_options in the first version of the ABI.
pub const ARR_CLIENT_OPTIONS_SIZE_V1: u32 = 80;

/// What a client is made from. Set it up with arr_client_options_init(), then give at least the four texts of the
/// account. All texts are UTF-8 and are copied by arr_client_new().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_client_options {
    /// Set by arr_client_options_init().
    pub struct_size: u32,
    /// The REST version to speak. Default ARR_API_VERSION_V1.
    pub api_version: arr_api_version,
    /// The account's id, a GUID.
    pub account_id: *const c_char,
    /// The account's primary or secondary key. For development: never ship it in an application, whoever has it can use
    /// the whole account. The library's copy is wiped when it is no longer needed.
    pub account_key: *const c_char,
    /// The account domain, for example "westus2.mixedreality.azure.com": tokens are asked for at `https://sts.{domain}`. A
    /// full URL is taken as the token service itself.
    pub account_domain: *const c_char,
    /// The session service's URL, for example `https://remoterendering.westus2.mixedreality.azure.com`. HTTPS, or plain
    /// HTTP to this machine (127.0.0.0/8, ::1, localhost).
    pub service_endpoint: *const c_char,
    /// The path of a PEM file with further certificate authorities to trust, for example the emulator's. NULL: none.
    pub ca_file: *const c_char,
    /// The same as text. NULL: none.
    pub ca_pem: *const c_char,
    /// Which other certificate authorities to trust. Default ARR_TRUST_AUTO.
    pub trust: arr_trust,
    /// How long a REST call may take in all, if it is called with ARR_TIMEOUT_DEFAULT. Milliseconds, 1 to 86400000; 0 is
    /// the default, 60000.
    pub call_timeout_ms: u32,
    /// How long one request may take, from connecting to the last byte. Milliseconds, 1 to 86400000; 0 is the default,
    /// 15000.
    pub attempt_timeout_ms: u32,
    /// How long connecting may take. Milliseconds, 1 to 86400000; 0 is the default, 5000.
    pub connect_timeout_ms: u32,
    /// How often a session that is waited for is read. Milliseconds, 1000 to 86400000, towards this machine 1 to
    /// 86400000; 0 is the default, 10000, which is what the service asks for.
    pub poll_interval_ms: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: repr(C), integers and pointers; the assertion shows that there is no padding.
unsafe impl Plain for arr_client_options {
    const SIZE_V1: u32 = ARR_CLIENT_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_client_options>() == 8 * 4 + 6 * 8);
const _: () = assert!(size_of::<arr_client_options>() == ARR_CLIENT_OPTIONS_SIZE_V1 as usize);

const DEFAULTS: arr_client_options = arr_client_options {
    struct_size: ARR_CLIENT_OPTIONS_SIZE_V1,
    api_version: ARR_API_VERSION_V1,
    account_id: std::ptr::null(),
    account_key: std::ptr::null(),
    account_domain: std::ptr::null(),
    service_endpoint: std::ptr::null(),
    ca_file: std::ptr::null(),
    ca_pem: std::ptr::null(),
    trust: ARR_TRUST_AUTO,
    call_timeout_ms: 0,
    attempt_timeout_ms: 0,
    connect_timeout_ms: 0,
    poll_interval_ms: 0,
    reserved: 0,
};

static CLIENTS: Table<Client> = Table::new(1, "arr_client");

/// Sets options up: `arr_client_options_init(&options, sizeof options)`.
///
/// - options: written for exactly `size` bytes: the defaults, and no texts.
/// - size: the struct's size where it is compiled, ARR_CLIENT_OPTIONS_SIZE_V1 to 65536.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT for NULL or a size out of range. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_options_init(options: *mut arr_client_options, size: usize) -> arr_status {
    // SAFETY: no error info is given to the guard; the caller promises `size` writable bytes.
    unsafe {
        guard::status("arr_client_options_init", std::ptr::null_mut(), || structs::init(options, size, &DEFAULTS))
    }
}

/// Makes a client. Checks the options and reads the CA file; sends nothing and starts no thread.
///
/// - options: what to make it from. Nothing in it is used after the call.
/// - client: receives the handle, to be freed by arr_client_free(); NULL after a failure.
/// - error: may be NULL.
///
/// Returns ARR_ERROR_INVALID_ARGUMENT with what to do, if anything is missing, malformed or out of range, or
/// ARR_ERROR_UNSUPPORTED if fields are set that this library does not know. Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn arr_client_new(
    options: *const arr_client_options,
    client: *mut *mut arr_client,
    error: *mut arr_error_info,
) -> arr_status {
    // SAFETY: the caller promises valid pointers; see the top of the header.
    unsafe {
        guard::status("arr_client_new", error, || {
            let client = out_handle(client, "client")?;
            let options = structs::read(options, "options")?;
            client.write_unaligned(CLIENTS.insert(Client::new(config(&options)?)?)?);
            Ok(())
        })
    }
}

/// Ends a client and frees its handle: calls of its sessions fail with ARR_ERROR_SHUT_DOWN from now on, and waits end.
/// Requests on the wire finish on their own threads. It stops no session, and does not wait.
///
/// - client: NULL, or a handle that was freed before, is left alone.
///
/// Threads: any, also while calls are under way.
#[unsafe(no_mangle)]
pub extern "C" fn arr_client_free(client: *mut arr_client) {
    guard::value("arr_client_free", (), || {
        if let Some(client) = CLIENTS.remove(client) {
            client.shut_down();
        }
    });
}

/// The client of a handle.
pub(super) fn find(client: *const arr_client) -> Result<Arc<Client>> {
    CLIENTS.get(client)
}

/// A place for a handle, set to NULL so that a failure leaves nothing old in it.
///
/// # Safety
/// `place` is NULL or writable.
pub(super) unsafe fn out_handle<H>(place: *mut *mut H, what: &str) -> Result<*mut *mut H> {
    if place.is_null() {
        return Err(Error::invalid_argument(format!("the place for the {what} handle is NULL")));
    }
    // SAFETY: the caller's promise.
    unsafe { place.write_unaligned(std::ptr::null_mut()) };
    Ok(place)
}

/// A timeout of a REST call.
pub(super) fn call_timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds != ARR_TIMEOUT_DEFAULT).then(|| wait_timeout(milliseconds))
}

/// A timeout of a wait.
pub(super) fn wait_timeout(milliseconds: u32) -> Duration {
    if milliseconds == ARR_WAIT_FOREVER { Duration::MAX } else { Duration::from_millis(milliseconds.into()) }
}

/// # Safety
/// The options' texts are NULL or NUL-terminated.
unsafe fn config(options: &arr_client_options) -> Result<ClientConfig> {
    if options.reserved != 0 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "options.reserved is not 0; initialise options by arr_client_options_init",
        ));
    }
    let api_version = match options.api_version {
        ARR_API_VERSION_V1 => ApiVersion::V1,
        other => {
            return Err(Error::invalid_argument(format!(
                "api_version {other} is none of the ARR_API_VERSION_... values"
            )));
        }
    };
    let trust = match options.trust {
        ARR_TRUST_AUTO => Trust::Auto,
        ARR_TRUST_PLATFORM => Trust::Platform,
        ARR_TRUST_BUNDLED => Trust::Bundled,
        other => return Err(Error::invalid_argument(format!("trust {other} is none of the ARR_TRUST_... values"))),
    };
    let or_default = |milliseconds: u32, default: Duration| match milliseconds {
        0 => default,
        given => Duration::from_millis(given.into()),
    };
    let defaults = ClientConfig::default();
    // SAFETY: the caller's promise, for each text.
    unsafe {
        Ok(ClientConfig {
            account_id: text::required(options.account_id, "account_id")?.to_owned(),
            account_key: Secret::new(text::required(options.account_key, "account_key")?),
            account_domain: text::required(options.account_domain, "account_domain")?.to_owned(),
            service_endpoint: text::required(options.service_endpoint, "service_endpoint")?.to_owned(),
            api_version,
            trust,
            ca_file: text::optional(options.ca_file, "ca_file")?.map(Into::into),
            ca_pem: text::optional(options.ca_pem, "ca_pem")?.map(str::to_owned),
            call_timeout: or_default(options.call_timeout_ms, defaults.call_timeout),
            attempt_timeout: or_default(options.attempt_timeout_ms, defaults.attempt_timeout),
            connect_timeout: or_default(options.connect_timeout_ms, defaults.connect_timeout),
            poll_interval: (options.poll_interval_ms != 0)
                .then(|| Duration::from_millis(options.poll_interval_ms.into())),
        })
    }
}
