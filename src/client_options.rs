//! `arr_client_options`: the configuration of a client.

use super::log::{ARR_LOG_LEVEL_OFF, arr_log_level, level};
use super::status::arr_status;
use super::structs::{self, Plain};
use super::{guard, text};
use client::{ApiVersion, ClientConfig, Credential, Error, Result, Secret, Trust, abi};
use std::ffi::c_char;
use std::time::Duration;

/// A version of the service's REST API, an ARR_API_VERSION_... value.
pub type arr_api_version = i32;
/// REST v1, under the path /v1. The service chooses session ids.
pub const ARR_API_VERSION_V1: arr_api_version = 1;
/// REST 2021-01-01, the last one. The client chooses session ids, so that a create can be repeated safely; leases are whole
/// minutes, of at most a day.
pub const ARR_API_VERSION_2021_01_01: arr_api_version = 2;

/// Which certificate authorities are trusted besides those that the options add; an ARR_TRUST_... value. There is no
/// way to turn verification off.
pub type arr_trust = i32;
/// The platform's; the bundled ones where it has no usable store, and always in a library that was built for Android or UWP.
pub const ARR_TRUST_AUTO: arr_trust = 0;
/// The platform's. ARR_ERROR_TLS where it has no usable store; always ARR_ERROR_UNSUPPORTED in a library that was built for
/// Android or UWP.
pub const ARR_TRUST_PLATFORM: arr_trust = 1;
/// Mozilla's list, as it was when this library was built.
pub const ARR_TRUST_BUNDLED: arr_trust = 2;

/// As max_retries: every failure is told at once.
pub const ARR_RETRIES_NONE: i32 = -1;

/// The size of arr_client_options in the first version of the ABI.
pub const ARR_CLIENT_OPTIONS_SIZE_V1: u32 = 136;

/// What a client is made from. Set it up with arr_client_options_init(), then give account_id, account_domain,
/// service_endpoint and exactly one of account_key, entra_token and access_token. All texts are UTF-8 and are copied by
/// arr_client_new(); white space, byte order marks and slashes around them are taken off. NULL or "": absent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_client_options {
    /// Set by arr_client_options_init().
    pub struct_size: u32,
    /// The REST version to speak. Default ARR_API_VERSION_V1.
    pub api_version: arr_api_version,
    /// The account's id, a GUID.
    pub account_id: *const c_char,
    /// Where the account was made: its account domain ("westus2.mixedreality.azure.com") or just the region ("westus2").
    /// Tokens are asked for at `https://sts.{domain}`. A full URL is taken as the token service itself.
    pub account_domain: *const c_char,
    /// Where sessions run, which may be another region: the region ("westus2"), the session service's host, or its URL
    /// (`https://remoterendering.westus2.mixedreality.azure.com`). HTTPS, or plain HTTP to this machine (127.0.0.0/8, ::1,
    /// localhost).
    pub service_endpoint: *const c_char,
    /// The account's primary or secondary key. For development: never ship it in an application, whoever has it can use
    /// the whole account. The library's copies of all three credentials are wiped when they are no longer needed.
    pub account_key: *const c_char,
    /// A token of Microsoft Entra ID (Azure Active Directory) for the user or the application, asked for with the scope
    /// `https://sts.mixedreality.azure.com/.default`. It lives for about an hour; the access token made of it for a day.
    pub entra_token: *const c_char,
    /// A ready access token of the token service, for example from a server of your own. The token service is never asked.
    pub access_token: *const c_char,
    /// The path of a PEM file with further certificate authorities to trust, for example the emulator's. It is read by
    /// arr_client_new(), to its end. NULL: none.
    pub ca_file: *const c_char,
    /// The same as text. NULL: none.
    pub ca_pem: *const c_char,
    /// The HTTP proxy: "system" (the default) as the environment (HTTPS_PROXY, NO_PROXY) or the system's settings say,
    /// "none", or a URL: `http://host:port`, with `user:password@` if it asks for them. This machine is always reached
    /// directly.
    pub proxy: *const c_char,
    /// Text to add to the User-Agent header, for example "MyApp/1.2": up to 128 printable ASCII characters. NULL: none.
    pub user_agent_suffix: *const c_char,
    /// The path of a file that remembers which sessions were created, so that arr_client_recover_sessions() finds them after
    /// a crash. Its folder must exist; give always the same path. Several clients and processes may share it. It holds no
    /// secret. NULL: nothing is remembered.
    pub journal_path: *const c_char,
    /// Which other certificate authorities to trust. Default ARR_TRUST_AUTO.
    pub trust: arr_trust,
    /// What is written to the log that arr_client_next_log() hands out. Default ARR_LOG_LEVEL_OFF.
    pub log_level: arr_log_level,
    /// How long a REST call may take in all, repetitions included, if it is called with ARR_TIMEOUT_DEFAULT.
    /// Milliseconds, 1 to 86400000; 0 is the default, 60000.
    pub call_timeout_ms: u32,
    /// How long one request may take, from connecting to the last byte. Milliseconds, 1 to 86400000; 0 is the default,
    /// 15000.
    pub attempt_timeout_ms: u32,
    /// How long connecting may take. Milliseconds, 1 to 86400000; 0 is the default, 5000.
    pub connect_timeout_ms: u32,
    /// How often a session that starts is read while it is waited for. Milliseconds, 1000 to 86400000, towards this machine
    /// 1 to 86400000; 0 is the default: 10000, which is what the service asks for, or 2000 for a standard session with
    /// ARR_API_VERSION_2021_01_01.
    pub poll_interval_ms: u32,
    /// How long what was read of a ready session counts as current. Milliseconds, in the same range; 0 is the default,
    /// 30000.
    pub ready_poll_interval_ms: u32,
    /// How often a request that failed for a passing reason (no connection, 408, 500, 502, 503, 504) is repeated within the
    /// call's time: 1 to 100, or ARR_RETRIES_NONE; 0 is the default, 4. Throttling (429) is waited out as long as the
    /// call's time allows, unless this is ARR_RETRIES_NONE. A create of REST v1 is never repeated once any part of it was
    /// sent.
    pub max_retries: i32,
    /// How long the first repetition waits, and each further one twice as long, less a random part of up to a half; after
    /// a 429 that names no time, 20 times as long. Milliseconds, 100 to 86400000, towards this machine 1 to 86400000; 0 is
    /// the default, 500.
    pub retry_delay_ms: u32,
    /// 1: the application answers ARR_EVENT_TOKEN_NEEDED by arr_client_set_token(): calls whose token was refused, or has run
    /// out, wait for the new one within their time. Only with entra_token or access_token. 0, the default: they fail.
    pub token_on_request: i32,
}

// SAFETY: repr(C), integers and pointers; the assertion shows that there is no padding.
unsafe impl Plain for arr_client_options {
    const SIZE_V1: u32 = ARR_CLIENT_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_client_options>() == 12 * 4 + 11 * 8);
const _: () = assert!(size_of::<arr_client_options>() == ARR_CLIENT_OPTIONS_SIZE_V1 as usize);

const DEFAULTS: arr_client_options = arr_client_options {
    struct_size: ARR_CLIENT_OPTIONS_SIZE_V1,
    api_version: ARR_API_VERSION_V1,
    account_id: std::ptr::null(),
    account_domain: std::ptr::null(),
    service_endpoint: std::ptr::null(),
    account_key: std::ptr::null(),
    entra_token: std::ptr::null(),
    access_token: std::ptr::null(),
    ca_file: std::ptr::null(),
    ca_pem: std::ptr::null(),
    proxy: std::ptr::null(),
    user_agent_suffix: std::ptr::null(),
    journal_path: std::ptr::null(),
    trust: ARR_TRUST_AUTO,
    log_level: ARR_LOG_LEVEL_OFF,
    call_timeout_ms: 0,
    attempt_timeout_ms: 0,
    connect_timeout_ms: 0,
    poll_interval_ms: 0,
    ready_poll_interval_ms: 0,
    max_retries: 0,
    retry_delay_ms: 0,
    token_on_request: 0,
};

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

/// Converts a caller's options to a configuration.
///
/// # Safety
/// `options` and its texts are as [`structs::read`] and [`text::optional`] require.
pub(super) unsafe fn config(options: *const arr_client_options) -> Result<ClientConfig> {
    // SAFETY: the caller's promise.
    let options = unsafe { structs::read(options, "options") }?;
    if !matches!(options.token_on_request, 0 | 1) {
        return Err(abi::invalid_argument(
            "token_on_request is neither 0 nor 1; set options up by arr_client_options_init",
        ));
    }
    let api_version = match options.api_version {
        ARR_API_VERSION_V1 => ApiVersion::V1,
        ARR_API_VERSION_2021_01_01 => ApiVersion::V2021_01_01,
        other => {
            return Err(abi::invalid_argument(format!(
                "api_version {other} is none of the ARR_API_VERSION_... values"
            )));
        }
    };
    let trust = match options.trust {
        ARR_TRUST_AUTO => Trust::Auto,
        ARR_TRUST_PLATFORM => Trust::Platform,
        ARR_TRUST_BUNDLED => Trust::Bundled,
        other => return Err(abi::invalid_argument(format!("trust {other} is none of the ARR_TRUST_... values"))),
    };
    let defaults = ClientConfig::default();
    let max_retries = match options.max_retries {
        0 => defaults.max_retries,
        ARR_RETRIES_NONE => 0,
        given => u32::try_from(given).map_err(|_| {
            abi::invalid_argument(format!("max_retries {given} is neither ARR_RETRIES_NONE nor from 0 to 100"))
        })?,
    };
    let given = |milliseconds: u32| (milliseconds != 0).then(|| Duration::from_millis(milliseconds.into()));
    // SAFETY: the caller's promise, for each text.
    let text =
        |pointer: *const c_char, what: &str| unsafe { text::optional(pointer, what) }.map(Option::unwrap_or_default);
    let file =
        |pointer: *const c_char, what: &str| Ok::<_, Error>(Some(text(pointer, what)?).filter(|it| !it.is_empty()));
    Ok(ClientConfig {
        account_id: text(options.account_id, "account_id")?.to_owned(),
        credential: credential(
            text(options.account_key, "account_key")?,
            text(options.entra_token, "entra_token")?,
            text(options.access_token, "access_token")?,
        )?,
        account_domain: text(options.account_domain, "account_domain")?.to_owned(),
        service_endpoint: text(options.service_endpoint, "service_endpoint")?.to_owned(),
        api_version,
        trust,
        ca_file: file(options.ca_file, "ca_file")?.map(Into::into),
        ca_pem: file(options.ca_pem, "ca_pem")?.map(str::to_owned),
        proxy: text(options.proxy, "proxy")?.parse()?,
        user_agent_suffix: text(options.user_agent_suffix, "user_agent_suffix")?.to_owned(),
        call_timeout: given(options.call_timeout_ms).unwrap_or(defaults.call_timeout),
        attempt_timeout: given(options.attempt_timeout_ms).unwrap_or(defaults.attempt_timeout),
        connect_timeout: given(options.connect_timeout_ms).unwrap_or(defaults.connect_timeout),
        poll_interval: given(options.poll_interval_ms),
        ready_poll_interval: given(options.ready_poll_interval_ms),
        max_retries,
        retry_delay: given(options.retry_delay_ms),
        journal: file(options.journal_path, "journal_path")?.map(Into::into),
        token_on_request: options.token_on_request == 1,
        log_level: level(options.log_level)?,
    })
}

/// The only credential given. Fails if there are several or none.
fn credential(account_key: &str, entra_token: &str, access_token: &str) -> Result<Credential> {
    let given = [account_key, entra_token, access_token].map(|text| !text.is_empty());
    match given {
        [true, false, false] => Ok(Credential::AccountKey(Secret::new(account_key))),
        [false, true, false] => Ok(Credential::EntraToken(Secret::new(entra_token))),
        [false, false, true] => Ok(Credential::AccessToken(Secret::new(access_token))),
        [false, false, false] => {
            Err(abi::invalid_argument("there is no credential; give one of account_key, entra_token and access_token"))
        }
        _ => Err(abi::invalid_argument(
            "there is more than one credential; give exactly one of account_key, entra_token and access_token",
        )),
    }
}
