//! `arr_client_options`: the configuration of a client.

use super::log::{ARR_LOG_LEVEL_OFF, arr_log_level, level};
use super::status::arr_status;
use super::structs::{self, Plain};
use super::{guard, text};
use client::{ApiVersion, ClientConfig, Credential, Error, Result, Secret, Trust, abi};
use std::ffi::c_char;
use std::time::Duration;

/// Version of the service's REST API, an ARR_API_VERSION_... value.
pub type arr_api_version = i32;
/// REST v1, under the path /v1. The service chooses session ids.
pub const ARR_API_VERSION_V1: arr_api_version = 1;
/// REST 2021-01-01, the latest. The client chooses session ids, so a create can be retried safely. Leases are whole
/// minutes, at most a day.
pub const ARR_API_VERSION_2021_01_01: arr_api_version = 2;

/// Certificate authorities to trust besides ca_file and ca_pem, an ARR_TRUST_... value. Verification cannot be turned
/// off.
pub type arr_trust = i32;
/// The platform's store if it can be used, otherwise the bundled list. A library built for Android or UWP always uses
/// the bundled list.
pub const ARR_TRUST_AUTO: arr_trust = 0;
/// The platform's store. Calls that send a request (not arr_client_new()) fail with ARR_ERROR_TLS where there is no
/// usable store, and with ARR_ERROR_UNSUPPORTED in a library built for Android or UWP.
pub const ARR_TRUST_PLATFORM: arr_trust = 1;
/// Mozilla's list as of the build of this library.
pub const ARR_TRUST_BUNDLED: arr_trust = 2;

/// For max_retries: report every failure immediately.
pub const ARR_RETRIES_NONE: i32 = -1;

/// Size of arr_client_options in version 1 of the ABI.
pub const ARR_CLIENT_OPTIONS_SIZE_V1: u32 = 144;

/// Options of a client. Initialize it with arr_client_options_init(). Required: account_id, account_domain,
/// service_endpoint and exactly one of account_key, entra_token and access_token.
///
/// arr_client_new() copies all strings. NULL and "" both mean absent. It removes white space around all of them except
/// paths. It also removes byte order marks around account_id, the credential, account_domain and the endpoints, and
/// slashes around account_domain and the endpoints.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct arr_client_options {
    /// Set by arr_client_options_init().
    pub struct_size: u32,
    /// REST version to use. Default ARR_API_VERSION_V1.
    pub api_version: arr_api_version,
    /// GUID of the account.
    pub account_id: *const c_char,
    /// Account domain, from the account's page ("westus2.mixedreality.azure.com"), or just its region ("westus2"). The
    /// token service is `https://sts.{account domain}`. If this is a URL, it is the token service.
    pub account_domain: *const c_char,
    /// Where sessions run, which may be another region: the region ("westus2"), the host of the session service, or
    /// its URL (`https://remoterendering.westus2.mixedreality.azure.com`). HTTPS is required except on this machine
    /// (127.0.0.0/8, ::1, localhost). A host that is not ASCII is written in its ASCII form (xn--...), here and elsewhere.
    pub service_endpoint: *const c_char,
    /// Primary or secondary key of the account. For development only: never ship it in an application, because it
    /// gives access to the whole account.
    pub account_key: *const c_char,
    /// Microsoft Entra ID (Azure Active Directory) token of the user or the application, for the scope
    /// `https://sts.mixedreality.azure.com/.default`. It is valid for about an hour; the access token obtained with it
    /// for a day.
    pub entra_token: *const c_char,
    /// Access token of the token service, for example from your own server. The token service is never contacted.
    pub access_token: *const c_char,
    /// Path of a PEM file with additional certificate authorities to trust, for example the emulator's.
    /// arr_client_new() reads it. A certificate in it is trusted even if it has expired or is not valid yet; the log
    /// warns of that. The server's own certificate must be valid.
    pub ca_file: *const c_char,
    /// The same certificates as a PEM string, without a file.
    pub ca_pem: *const c_char,
    /// HTTP proxy: "system" (the default) for the settings of the environment or the system, "none", or a URL.
    ///
    /// A URL is `http://host:port`, with `user:password@` before the host if the proxy requires it. The user may have
    /// a domain (`DOMAIN\user`). Other special characters are percent-encoded, as UTF-8 (`%40` for an @).
    /// SOCKS is not supported.
    ///
    /// The environment's proxy is the first of HTTPS_PROXY, https_proxy, ALL_PROXY and all_proxy that is not empty when
    /// arr_client_new() is called. If it is not the URL of an HTTP proxy, calls fail with ARR_ERROR_INVALID_ARGUMENT.
    /// Hosts listed in NO_PROXY or no_proxy are reached directly. An entry is a name (which includes its subdomains), an
    /// address, or a network such as 10.0.0.0/8, without a port. This machine is always reached directly.
    pub proxy: *const c_char,
    /// Appended to the User-Agent header, for example "MyApp/1.2": up to 128 printable ASCII characters.
    pub user_agent_suffix: *const c_char,
    /// Journal folder. The journal records created sessions, so that arr_client_recover_sessions() finds them after a
    /// crash. It holds no secrets. Use the same folder in every run; several clients and processes may share it. The
    /// library creates it if its parent exists. Calls wait for its disk without a limit (see Timeouts). NULL: no
    /// journal.
    pub journal_folder: *const c_char,
    /// Additional session services that arr_client_recover_sessions() may contact and send this account's token to:
    /// separated by commas, each written like service_endpoint. Recorded sessions elsewhere are not contacted; the log
    /// names their endpoint.
    pub trusted_endpoints: *const c_char,
    /// Certificate authorities to trust besides ca_file and ca_pem. Default ARR_TRUST_AUTO.
    pub trust: arr_trust,
    /// Log level of the lines for arr_client_next_log(). Default ARR_LOG_LEVEL_OFF.
    pub log_level: arr_log_level,
    /// Time limit of a call with ARR_TIMEOUT_DEFAULT, retries included. Milliseconds, 1 to 86400000; 0 is the default,
    /// 60000.
    pub call_timeout_ms: u32,
    /// Time limit of one request, from connecting to the last byte. Milliseconds, 1 to 86400000; 0 is the default,
    /// 15000.
    pub attempt_timeout_ms: u32,
    /// Time limit of connecting. Milliseconds, 1 to 86400000; 0 is the default, 5000.
    pub connect_timeout_ms: u32,
    /// Interval between reads of a starting session, while it is waited for or watched. Milliseconds, 1000 to 86400000;
    /// if the service is on this machine, 1 to 86400000.
    ///
    /// 0 is the default: 10000 with REST v1, whose documentation asks for 5 to 10 s; with 2021-01-01, whose official
    /// clients poll faster, 2000 for a standard and 10000 for a premium session; 250 if the service is on this machine.
    /// After a failure, the next read respects Retry-After.
    pub poll_interval_ms: u32,
    /// How long the cached properties of a ready session count as current, and how often watching reads all ready
    /// sessions, in one request. Milliseconds, same range as poll_interval_ms; 0 is the default, 30000.
    pub ready_poll_interval_ms: u32,
    /// Maximum number of retries of a request after transient failures (no connection, 408, 500, 502, 503, 504), within
    /// the time limit of the call: 1 to 100, or ARR_RETRIES_NONE; 0 is the default, 4.
    ///
    /// Retries after a 429 do not count: they continue until the time limit, except with ARR_RETRIES_NONE. A create
    /// with REST v1 is retried only if no part of it was sent, or after a 429 (ARR_ERROR_THROTTLED,
    /// ARR_ERROR_SERVICE_FULL), because any other failure may have left a session.
    pub max_retries: i32,
    /// Delay before the first retry. It doubles with each retry, up to 60 times this value. After a 429 it begins at 20
    /// times this value and doubles with each retry, up to 120 times this value. A random part of up to half is
    /// subtracted from each delay. A reply with Retry-After sets the delay instead. Milliseconds, 100 to 86400000; if
    /// the service is on this machine, 1 to 86400000. 0 is the default, 500.
    pub retry_delay_ms: u32,
    /// 1: ARR_EVENT_TOKEN_NEEDED asks for a new token, and calls whose token the service refuses wait for
    /// arr_client_set_token(), within their time limit. 0, the default: there is no such event, and such calls fail.
    /// Has no effect with account_key, since the library then fetches tokens itself.
    pub token_on_request: i32,
}

// SAFETY: repr(C), integers and pointers; the assertion shows that there is no padding.
unsafe impl Plain for arr_client_options {
    const SIZE_V1: u32 = ARR_CLIENT_OPTIONS_SIZE_V1;
}
const _: () = assert!(size_of::<arr_client_options>() == 12 * 4 + 12 * 8);
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
    journal_folder: std::ptr::null(),
    trusted_endpoints: std::ptr::null(),
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

/// Initializes a struct with the defaults and no strings: `arr_client_options_init(&options, sizeof options)`.
///
///   options  Out. Exactly `size` bytes are written.
///   size     The struct's size as the caller compiled it, ARR_CLIENT_OPTIONS_SIZE_V1 to 65536.
///
/// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
/// Does not block. Thread-safe.
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
            "`token_on_request` is neither 0 nor 1; initialize the options with arr_client_options_init",
        ));
    }
    let api_version = match options.api_version {
        ARR_API_VERSION_V1 => ApiVersion::V1,
        ARR_API_VERSION_2021_01_01 => ApiVersion::V2021_01_01,
        other => {
            return Err(abi::invalid_argument(format!(
                "`api_version` {other} is not one of the ARR_API_VERSION_... values"
            )));
        }
    };
    let trust = match options.trust {
        ARR_TRUST_AUTO => Trust::Auto,
        ARR_TRUST_PLATFORM => Trust::Platform,
        ARR_TRUST_BUNDLED => Trust::Bundled,
        other => return Err(abi::invalid_argument(format!("`trust` {other} is not one of the ARR_TRUST_... values"))),
    };
    let defaults = ClientConfig::default();
    let max_retries = match options.max_retries {
        0 => defaults.max_retries,
        ARR_RETRIES_NONE => 0,
        given => u32::try_from(given).map_err(|_| {
            abi::invalid_argument(format!("`max_retries` is {given}; give ARR_RETRIES_NONE, or 0 to 100"))
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
        journal_folder: file(options.journal_folder, "journal_folder")?.map(Into::into),
        trusted_endpoints: text(options.trusted_endpoints, "trusted_endpoints")?
            .split(',')
            .map(str::trim)
            .filter(|endpoint| !endpoint.is_empty())
            .map(str::to_owned)
            .collect(),
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
        [false, false, false] => Err(abi::invalid_argument(
            "no credential is set; set one of `account_key`, `entra_token` and `access_token`",
        )),
        _ => Err(abi::invalid_argument(
            "more than one credential is set; set exactly one of `account_key`, `entra_token` and `access_token`",
        )),
    }
}
