// arr_session.h - remote rendering sessions, for C and C++
// SPDX-License-Identifier: MIT OR Apache-2.0
// Generated from src/ and cbindgen.toml by `cargo xtask header`.
//
// Creates, watches, extends and stops sessions on a rendering service compatible with Azure Remote Rendering (ARR). A
// session is a rendering server. It costs money from the moment it is ready until it is stopped or its lease ends.
// Freeing its handle or ending the program does not stop it.
//
//   arr_client_new                 one account at one service
//   arr_session_create             requests a server, with a lease
//   arr_session_wait_until_ready   takes seconds to minutes; then connect and render
//   arr_session_stop               releases the server, which then costs nothing
//
// The arr_session_ calls above block. A frame loop uses their _start variants, and calls arr_client_next_event() with a
// timeout of 0 and arr_session_snapshot() in every frame.
//
// arr_session_watch() polls a session in the background, and can stop it at shutdown. arr_session_keep_alive()
// extends its lease up to a cap. With a journal_folder, arr_client_recover_sessions() finds sessions again after a
// crash.
//
//   examples/c/quickstart.c, examples/c/frame_loop.c     complete programs
//   docs/frame-loop.md                                   events, suspend, shutdown, threads, fork, stack, secrets
//   docs/journal.md                                      what the journal folder contains
//
// The following holds unless a function says otherwise.
//
// # Errors
//
// Most functions return an arr_status: ARR_OK, or a negative ARR_ERROR_... value. Except in the init functions, their
// last parameter is an optional arr_error_info, which receives the details. Initialize it with arr_error_info_init();
// otherwise the call fails with ARR_ERROR_INVALID_ARGUMENT and does nothing. On failure, an output handle becomes NULL,
// `error` is filled, and all other outputs keep their values unless the parameter says otherwise.
//
// `Errors:` lists the errors that are specific to a function. Any function that returns a status can fail with
// ARR_ERROR_INVALID_ARGUMENT, ARR_ERROR_INVALID_HANDLE, ARR_ERROR_FORKED and ARR_ERROR_INTERNAL. A function that takes
// options can also fail with ARR_ERROR_UNSUPPORTED. One that returns a handle or needs a thread or a file can fail with
// ARR_ERROR_OUT_OF_RESOURCES. A function with a `REST:` line can also fail with ARR_ERROR_TIMEOUT, with
// ARR_ERROR_SHUT_DOWN, and with the errors of the categories AUTHENTICATION, NETWORK and SERVICE, except
// ARR_ERROR_OUTCOME_UNKNOWN. Transient failures are retried within the time limit: see max_retries.
//
// `REST:` paths begin with /v1/accounts/{account} in version 1 of the service's REST API (REST v1), and with
// /accounts/{account} in version 2021-01-01: see api_version. If there is no valid token, one is fetched first.
//
// # Operations
//
// A _start function starts what its blocking counterpart does, and returns immediately. It fails only if the operation
// cannot be started: with an error that any function can return (see Errors), or with ARR_ERROR_SHUT_DOWN,
// ARR_ERROR_OUT_OF_RESOURCES or ARR_ERROR_UNSUPPORTED. All other errors are the operation's outcome, which
// arr_operation_get_error() returns.
//
// Each operation, even a cancelled one, posts ARR_EVENT_OPERATION_ENDED when it ends, unless it has been freed by then.
// When its client is shut down or freed, a running operation ends as ARR_OPERATION_CANCELLED, with ARR_ERROR_CANCELLED.
// Only stops (arr_session_stop_start(), arr_client_stop_all_start()) continue, for up to attempt_timeout_ms.
//
// # Handles, structs, strings, pointers
//
// arr_client, arr_session, arr_session_list and arr_operation are handles: values that the library looks up and never
// dereferences. A call with a handle that is NULL, freed, forged or of another type fails with
// ARR_ERROR_INVALID_HANDLE, on any thread, at any time. Freeing NULL, or a handle twice, is harmless.
//
// Each call that returns a handle returns a new one, which the caller frees. The handles in arr_event are not new:
// they are those that the caller already has. Handles of the same session share its state. Handles of sessions,
// operations and lists may outlive their client: what they have cached stays readable (see arr_client_free()).
//
// Each struct begins with struct_size. Initialize it with its init function and sizeof. New versions only append
// fields, so programs and libraries of different versions work together.
//
// Strings are UTF-8. Input strings are NUL-terminated and copied during the call; NULL means absent, and so does ""
// in options. Output strings are in the struct or in the caller's buffer: there is nothing to free. Calling with a
// `buffer` of NULL and a `capacity` of 0 writes the required size to `needed` and returns
// ARR_ERROR_BUFFER_TOO_SMALL.
//
// A pointer must be valid during the call, or NULL where the function permits it. No function keeps one.
//
// # Threads and process
//
// Any thread may call any function, even concurrently with the same handles. Do not pass one struct or buffer to two
// calls at the same time. Only one thread at a time should pull events: if two do, each event goes to one of them, in
// no particular order. The library never calls back.
//
// `Blocks.` marks a function that can block, usually on the service: keep it off the frame thread.
//
// After arr_client_shutdown() has returned ARR_OK, no thread of the client is left, except those of name lookups, which
// the system cannot cancel. The library sets no signal handler, environment variable or process-wide TLS configuration.
// Its threads read environment variables at any time: on most systems, a concurrent setenv() can crash the program.
// When memory is exhausted, the library aborts the process. It wipes keys, tokens and passwords before it frees their
// memory.
//
// # Timeouts
//
// timeout_ms limits the duration of a call, retries included:
//
//   ARR_TIMEOUT_DEFAULT   call_timeout_ms. No limit for the waits (arr_client_next_event(), arr_client_next_log(),
//                         arr_operation_wait(), arr_session_wait_until_ready() and its _start variant), suspend and
//                         shutdown.
//   ARR_WAIT_FOREVER      no limit
//   0                     A wait checks its condition once and returns. Suspend and shutdown do not wait either: see
//                         their descriptions of timeout_ms. A _start function fails with ARR_ERROR_INVALID_ARGUMENT.
//                         Any other function sends no request, and fails with ARR_ERROR_TIMEOUT if it needs one.
//
// A call can exceed its limit:
//
//   Journal    A call that uses the journal waits for the disk without a limit. A started operation does so on a
//              thread of the library, and can be cancelled.
//   Shutdown   If the client is shut down or freed during arr_session_create() or arr_session_reuse_or_create(), the
//              new session is stopped before the call returns, which can take another attempt_timeout_ms.
//   Freeze     If the process was halted past a call's limit, for example by a debugger, the call gets extra time once
//              the process continues: as much as the call is overdue, but at most 2 s. During that time the reply may
//              still arrive; a create that was not sent before may even be sent.
//   Sleep      If the machine sleeps, the limits of a request in flight and of a shutdown may be extended by the time
//              slept.
//
// Times of leases and tokens are in seconds, all others in milliseconds. Time during which the machine sleeps counts
// towards leases and, except as above, towards time limits.


#ifndef ARR_SESSION_H
#define ARR_SESSION_H

#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "arr_session supports 64-bit targets only"
#endif

// ARR_API and ARR_CALL are in the declaration of each function; ARR_NODISCARD is in those of functions whose result
// must not be ignored. A binding generator that cannot parse the compiler's attributes can define them away:
// -DARR_API= -DARR_CALL= -DARR_NODISCARD=

// On Windows, define ARR_STATIC to link the static library.
#ifndef ARR_API
#if defined(_WIN32) && !defined(ARR_STATIC)
#define ARR_API __declspec(dllimport)
#else
#define ARR_API
#endif
#endif

// The calling convention, independent of the program's default (/Gv, /Gr, /Gz).
#ifndef ARR_CALL
#if defined(_WIN32)
#define ARR_CALL __cdecl
#else
#define ARR_CALL
#endif
#endif

// The compiler warns if the result is ignored, because an unnoticed failure can cost money. To ignore it on purpose,
// cast it to void.
#ifndef ARR_NODISCARD
#if defined(__clang__)
#define ARR_NODISCARD __attribute__((warn_unused_result))
#elif defined(__cplusplus) && __cplusplus >= 201703L
#define ARR_NODISCARD [[nodiscard]]
#elif defined(_MSVC_LANG) && _MSVC_LANG >= 201703L
#define ARR_NODISCARD [[nodiscard]]
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define ARR_NODISCARD [[nodiscard]]
#elif defined(__GNUC__) && __GNUC__ >= 10
// Not warn_unused_result: with it, GCC would warn despite a cast to void.
#define ARR_NODISCARD __extension__ [[nodiscard]]
#elif defined(_MSC_VER) && defined(_Check_return_)
#define ARR_NODISCARD _Check_return_
#else
#define ARR_NODISCARD
#endif
#endif


// Version of the library that this header belongs to: major.
#define ARR_VERSION_MAJOR 0

// Version of the library that this header belongs to: minor.
#define ARR_VERSION_MINOR 1

// Version of the library that this header belongs to: patch.
#define ARR_VERSION_PATCH 0

// Version of the ABI that this header describes. It changes only when existing programs would break; added functions,
// constants and struct fields leave it unchanged.
#define ARR_ABI_VERSION 1

// Size of arr_error_info in version 1 of the ABI.
#define ARR_ERROR_INFO_SIZE_V1 736

// Size of arr_log_entry in version 1 of the ABI.
#define ARR_LOG_ENTRY_SIZE_V1 672

// For max_retries: report every failure immediately.
#define ARR_RETRIES_NONE (-1)

// Size of arr_client_options in version 1 of the ABI.
#define ARR_CLIENT_OPTIONS_SIZE_V1 144

// Timeout: call_timeout_ms; no limit for the waits, suspend and shutdown (see Timeouts).
#define ARR_TIMEOUT_DEFAULT 4294967294u

// Timeout: no limit.
#define ARR_WAIT_FOREVER 4294967295u

// For remaining_seconds of a token: the token does not state its expiry.
#define ARR_TOKEN_EXPIRY_UNKNOWN 4294967295u

// Size of arr_stop_all_result in version 1 of the ABI.
#define ARR_STOP_ALL_RESULT_SIZE_V1 16

// Size of arr_session_properties in version 1 of the ABI.
#define ARR_SESSION_PROPERTIES_SIZE_V1 1160

// Read mode: requests the properties from the service.
#define ARR_READ_FRESH 0

// Read mode: accepts cached properties without a request if the session has ended, or if they are younger than a poll
// interval (poll_interval_ms while the session starts, ready_poll_interval_ms after that); age_ms is their age. The
// first read after a stop by this client, or after an update whose reply did not have the properties, sends a request.
#define ARR_READ_CACHED 1

// Read mode: accepts cached properties of any age (age_ms). Sends nothing and does not block. Use it in a frame loop
// when arr_snapshot.revision has changed.
#define ARR_READ_KNOWN 2

// Size of arr_session_create_options in version 1 of the ABI.
#define ARR_SESSION_CREATE_OPTIONS_SIZE_V1 48

// Size of arr_event in version 1 of the ABI.
#define ARR_EVENT_SIZE_V1 336

// Size of arr_snapshot in version 1 of the ABI.
#define ARR_SNAPSHOT_SIZE_V1 48

// Size of arr_watch_options in version 1 of the ABI.
#define ARR_WATCH_OPTIONS_SIZE_V1 24

// Size of arr_keep_alive_options in version 1 of the ABI.
#define ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 24

// Size of arr_reuse_options in version 1 of the ABI.
#define ARR_REUSE_OPTIONS_SIZE_V1 16

// One account at one session service. A handle.
typedef struct arr_client arr_client;

// An operation started by a `_start` function. A handle.
typedef struct arr_operation arr_operation;

// A rendering session. A handle.
typedef struct arr_session arr_session;

// The account's sessions at the time of a list request. A handle.
typedef struct arr_session_list arr_session_list;

// Result of a function: ARR_OK, or a negative ARR_ERROR_... value. Open enum: newer versions may return other values;
// arr_status_category() knows their group too.
typedef int32_t arr_status;

// Group of a status, an ARR_CATEGORY_... value: suggests how to react.
typedef int32_t arr_category;

// Details of a call's result. A function with an `error` parameter fills the struct on success too. Initialize it once
// with arr_error_info_init(), then reuse it, but not for two calls at the same time.
typedef struct arr_error_info {
    // Set by arr_error_info_init().
    uint32_t struct_size;
    // The status that the function returned.
    arr_status status;
    // The group of the status.
    arr_category category;
    // HTTP status of the service's reply; 0 if there was none.
    int32_t http_status;
    // How long the service asks to wait before the next request, in milliseconds; 0 if it did not say.
    uint32_t retry_after_ms;
    // 1 if the same call may succeed later, else 0.
    int32_t retryable;
    // 1 if the service may have carried out the failed request: it was sent, was not just a read, and got no clear
    // reply. Else 0.
    int32_t outcome_unknown;
    // Length of the full message in bytes, without the final NUL. `message` holds at most 511 of them.
    uint32_t message_length;
    // The service's own error code, for example "BadRequest"; empty if it sent none.
    char service_code[64];
    // MS-CV (Microsoft correlation vector) of the reply, with which the service's operators find the request; empty if
    // there was no reply.
    char correlation_vector[128];
    // What failed, why, and what to do; starts with the function's name. Option names are in backticks, spelled as
    // their fields. Never contains a key or a token.
    char message[512];
} arr_error_info;

// Log level, an ARR_LOG_LEVEL_... value. Open enum: newer versions may return other values.
typedef int32_t arr_log_level;

// A line of the log. Initialize it once with arr_log_entry_init(), then reuse it.
typedef struct arr_log_entry {
    // Set by arr_log_entry_init().
    uint32_t struct_size;
    // Severity of the line.
    arr_log_level level;
    // When it was written: milliseconds of wall time since 1970-01-01T00:00:00Z.
    uint64_t unix_time_ms;
    // Lines lost before this one because they were not pulled in time.
    uint64_t lost;
    // Length of the full message in bytes, without the final NUL. `message` holds at most 511 of them.
    uint32_t message_length;
    // Zero.
    uint32_t reserved;
    // MS-CV of the reply that the line is about; empty if there is none.
    char correlation_vector[128];
    // What happened. Never contains a key, a token or a body.
    char message[512];
} arr_log_entry;

// Version of the service's REST API, an ARR_API_VERSION_... value.
typedef int32_t arr_api_version;

// Certificate authorities to trust besides ca_file and ca_pem, an ARR_TRUST_... value. Verification cannot be turned
// off.
typedef int32_t arr_trust;

// Options of a client. Initialize them with arr_client_options_init(). Required: account_id, account_domain,
// service_endpoint and exactly one of account_key, entra_token and access_token.
//
// NULL and "" both mean absent. arr_client_new() copies all strings. It removes white space around all of them except
// paths. It also removes byte order marks around account_id, the credential, account_domain and the endpoints, and
// slashes around account_domain and the endpoints.
typedef struct arr_client_options {
    // Set by arr_client_options_init().
    uint32_t struct_size;
    // REST version to use. Default ARR_API_VERSION_V1.
    arr_api_version api_version;
    // GUID of the account.
    const char *account_id;
    // Account domain, from the account's page ("westus2.mixedreality.azure.com"), or just its region ("westus2"). The
    // token service is then `https://sts.{account domain}`. Alternatively, set this option to the URL of the token
    // service itself.
    const char *account_domain;
    // Where sessions run: a region ("westus2"), which may differ from the account's, or the host of the session
    // service, or its URL (`https://remoterendering.westus2.mixedreality.azure.com`). HTTPS is required except on this
    // machine (127.0.0.0/8, ::1, localhost). Write a host that is not ASCII in its ASCII form (xn--...), here and
    // elsewhere.
    const char *service_endpoint;
    // Primary or secondary key of the account. For development only: never ship it in an application, because it
    // gives access to the whole account.
    const char *account_key;
    // Microsoft Entra ID (Azure Active Directory) token of the user or the application, for the scope
    // `https://sts.mixedreality.azure.com/.default`. It is valid for about an hour; the access token obtained
    // with it is valid for a day.
    const char *entra_token;
    // Access token of the token service, for example from your own server. The client then never contacts the token
    // service.
    const char *access_token;
    // Path of a PEM file with additional certificate authorities to trust, for example the emulator's.
    // arr_client_new() reads it. A certificate in it is trusted even if it has expired or is not valid yet; the log
    // warns of that. The server's own certificate must be valid.
    const char *ca_file;
    // Like ca_file, but the PEM text itself.
    const char *ca_pem;
    // HTTP proxy: "system" (the default) for the settings of the environment or the system, "none", or a URL.
    //
    // A URL is `http://host:port`, with `user:password@` before the host if the proxy requires it. The user may have
    // a domain (`DOMAIN\user`). Other special characters are percent-encoded, as UTF-8 (`%40` for an @).
    // SOCKS is not supported.
    //
    // The environment's proxy is the first of HTTPS_PROXY, https_proxy, ALL_PROXY and all_proxy that is not empty when
    // arr_client_new() is called. If it is not the URL of an HTTP proxy, calls fail with ARR_ERROR_INVALID_ARGUMENT.
    // Hosts listed in NO_PROXY or no_proxy are reached directly. An entry is a name (which includes its subdomains), an
    // address, or a network such as 10.0.0.0/8, without a port; `*` means all hosts. This machine is always reached
    // directly.
    const char *proxy;
    // Appended to the User-Agent header, for example "MyApp/1.2": up to 128 printable ASCII characters.
    const char *user_agent_suffix;
    // Journal folder. The journal records created sessions, so that arr_client_recover_sessions() finds them after a
    // crash. It holds no secrets. Use the same folder in every run; several clients and processes may share it. The
    // library creates it if its parent exists. Calls wait for its disk without a limit (see Timeouts). NULL: no
    // journal.
    const char *journal_folder;
    // Additional session services that arr_client_recover_sessions() may contact and send this account's token to:
    // separated by commas, each written like service_endpoint. Recorded sessions elsewhere are not contacted; the log
    // names their endpoint.
    const char *trusted_endpoints;
    // Certificate authorities to trust besides ca_file and ca_pem. Default ARR_TRUST_AUTO.
    arr_trust trust;
    // Log level of the lines for arr_client_next_log(). Default ARR_LOG_LEVEL_OFF.
    arr_log_level log_level;
    // Time limit of a call with ARR_TIMEOUT_DEFAULT, retries included. Milliseconds, 1 to 86400000; 0 is the default,
    // 60000.
    uint32_t call_timeout_ms;
    // Time limit of one request, from connecting to the last byte. Milliseconds, 1 to 86400000; 0 is the default,
    // 15000.
    uint32_t attempt_timeout_ms;
    // Time limit of connecting. Milliseconds, 1 to 86400000; 0 is the default, 5000.
    uint32_t connect_timeout_ms;
    // Interval between reads of a starting session, while it is waited for or watched. Milliseconds, 1000 to 86400000;
    // if the service is on this machine, 1 to 86400000.
    //
    // 0 is the default: 250 if the service is on this machine. Elsewhere it is 10000 with REST v1, whose documentation
    // asks for 5 to 10 s. With 2021-01-01 it is, as in official clients, 2000 for a standard and 10000 for a premium
    // session. After a failure, the next read respects Retry-After.
    uint32_t poll_interval_ms;
    // How long the cached properties of a ready session count as current, and how often watching reads all ready
    // sessions, in one request. Milliseconds, same range as poll_interval_ms; 0 is the default, 30000.
    uint32_t ready_poll_interval_ms;
    // Maximum number of retries of a request after transient failures (no connection, 408, 500, 502, 503, 504), within
    // the time limit of the call: 1 to 100, or ARR_RETRIES_NONE; 0 is the default, 4.
    //
    // Retries after a 429 do not count: they continue until the time limit, except with ARR_RETRIES_NONE. A create
    // with REST v1 is retried only if no part of it was sent, or after a 429 (ARR_ERROR_THROTTLED,
    // ARR_ERROR_SERVICE_FULL), because after any other failure a session may exist.
    int32_t max_retries;
    // Delay before the first retry. It doubles with each retry, up to 60 times this value. After a 429 it begins at 20
    // times this value and doubles with each retry, up to 120 times this value. A random part of up to half is
    // subtracted from each delay. A reply with Retry-After sets the delay instead. Milliseconds, 100 to 86400000; if
    // the service is on this machine, 1 to 86400000. 0 is the default, 500.
    uint32_t retry_delay_ms;
    // 1: ARR_EVENT_TOKEN_NEEDED asks for a new token. If the service refuses the token of a call, the call waits for
    // arr_client_set_token(), within its time limit. 0, the default: there is no such event, and such a call fails.
    // Has no effect with account_key, since the library then fetches tokens itself.
    int32_t token_on_request;
} arr_client_options;

// Result of stopping many sessions. Initialize it with arr_stop_all_result_init().
typedef struct arr_stop_all_result {
    // Set by arr_stop_all_result_init().
    uint32_t struct_size;
    // Sessions that were stopped.
    uint32_t stopped;
    // Sessions that had already ended.
    uint32_t already_gone;
    // Sessions that may still be running.
    uint32_t failed;
} arr_stop_all_result;

// Which sessions arr_client_stop_all() stops, an ARR_STOP_SCOPE_... value.
typedef int32_t arr_stop_scope;

// Status of a session, an ARR_SESSION_STATUS_... value. Open enum: newer versions may return other values.
typedef int32_t arr_session_status;

// Size of a rendering server, an ARR_SESSION_SIZE_... value. Open enum: newer versions may return other values.
typedef int32_t arr_session_size;

// How certain it is that a recovered session is this application's, an ARR_CLAIM_... value.
typedef int32_t arr_claim;

// Properties of a session. Initialize the struct once with arr_session_properties_init(), then reuse it.
typedef struct arr_session_properties {
    // Set by arr_session_properties_init().
    uint32_t struct_size;
    // Status of the session.
    arr_session_status status;
    // Size of its server.
    arr_session_size size;
    // Port of the ARR inspector, the service's diagnostic web page, on the host; 0 if there is none.
    int32_t arr_inspector_port;
    // Port for the handshake of the rendering connection on the host; 0 if there is none.
    int32_t handshake_port;
    // Total lease in seconds, counted from the moment the session became ready; 0 if the service did not say.
    uint32_t max_lease_seconds;
    // Used part of the lease, in seconds; 0 if the service did not say. In properties from arr_client_list_sessions(),
    // this is the value that the service reported (a multiple of 60 with ARR_API_VERSION_2021_01_01). In all other
    // properties, the time since that report is added while the session is ready, as in arr_snapshot.
    uint32_t elapsed_seconds;
    // Remaining part of the lease, in seconds, when the call or operation ended: the total less the used part. So it
    // is the total while the session starts, and 0 if the lease is unknown.
    uint32_t remaining_seconds;
    // Length of the full message in bytes, without the final NUL. arr_session_get_message() returns all of it.
    uint32_t message_length;
    // Age of the service's report, in milliseconds; 0 if it was just read. At most 4294967295 (49 days).
    uint32_t age_ms;
    // 1 if this client created or opened the session, else 0.
    int32_t known_to_client;
    // In a list of recovered sessions: how certain it is that the session is this application's. Otherwise
    // ARR_CLAIM_NONE.
    arr_claim claim;
    // When it was created, by the service's clock: milliseconds since 1970-01-01T00:00:00Z. 0 with REST v1.
    uint64_t creation_time_unix_ms;
    // Computing power of its server in teraflops. 0 until the session has a server, and always 0 with REST v1.
    double teraflops;
    // Session id.
    char session_id[257];
    // Host that renders; empty until the session is ready.
    char hostname[256];
    // The service's code for the failure; empty with REST v1.
    char error_code[64];
    // Why the session failed or ended, cut to 511 bytes; empty if the service did not say.
    char message[512];
    // Zero.
    uint8_t reserved_tail[7];
} arr_session_properties;

// Options of a new session. Initialize them with arr_session_create_options_init(). Required: max_lease_seconds.
typedef struct arr_session_create_options {
    // Set by arr_session_create_options_init().
    uint32_t struct_size;
    // Size of the server. Default ARR_SESSION_SIZE_STANDARD.
    arr_session_size size;
    // Lease in seconds, counted from the moment the session is ready: 1 to 31536000 (365 days); with
    // ARR_API_VERSION_2021_01_01 up to 86400 (a day), rounded up to whole minutes. The session ends when its lease
    // ends. There is no default, because the lease bounds what a forgotten session costs.
    uint32_t max_lease_seconds;
    // Must be 0.
    uint32_t reserved;
    // Session id: 1 to 256 letters, digits, hyphens and underscores. NULL or "": a new GUID. Only with
    // ARR_API_VERSION_2021_01_01; with REST v1 the service chooses the id.
    const char *session_id;
    // Models to load before the session is ready: URLs of their asset containers. NULL: none. Only with REST v1.
    const char *const *models;
    // Number of models, at most 1000.
    size_t model_count;
    // Additional members of the request that this library does not know, as a JSON object of at most 64 KiB and 16
    // levels. These members cannot change the lease, the size or the models. Numbers have double precision. NULL or
    // "": none.
    const char *extra_json;
} arr_session_create_options;

// State of an operation, an ARR_OPERATION_... value. It leaves ARR_OPERATION_RUNNING exactly once.
typedef int32_t arr_operation_state;

// Which function started an operation, an ARR_OPERATION_KIND_... value. Open enum: newer versions may return other
// values.
typedef int32_t arr_operation_kind;

// What happened, an ARR_EVENT_... value. Open enum: newer versions may return other values.
typedef int32_t arr_event_type;

// An event. Initialize it once with arr_event_init(), then reuse it.
typedef struct arr_event {
    // Set by arr_event_init().
    uint32_t struct_size;
    // What happened.
    arr_event_type type;
    // The value that the application passed when it started the operation or watched the session. It is 0 for
    // ARR_EVENT_TOKEN_NEEDED and ARR_EVENT_RESUMED, and for ARR_EVENT_SESSION_LEFT_RUNNING if the create was blocking
    // or its reply had arrived just before it was cancelled.
    uint64_t user_data;
    // The operation that has ended, as the caller's own handle; NULL for other events.
    struct arr_operation *operation;
    // The caller's handle with which the session is watched; NULL unless the event comes from watching it or keeping
    // it alive.
    struct arr_session *session;
    // ARR_OK, or why something failed. arr_operation_get_error() and the log have the details.
    arr_status status;
    // For ARR_EVENT_CREATE_LOST: index among the events of the same create, from 0.
    uint32_t index;
    // For ARR_EVENT_CREATE_LOST: number of events of the same create; 0 in the single event that reports no
    // candidates.
    uint32_t count;
    // Current status of a watched session.
    arr_session_status session_status;
    // Its current total lease in seconds.
    uint32_t max_lease_seconds;
    // Its remaining lease in seconds, now.
    uint32_t remaining_seconds;
    // Which function started the operation that has ended; ARR_OPERATION_KIND_NONE for other events.
    arr_operation_kind operation_kind;
    // Zero.
    uint32_t reserved;
    // How many ARR_EVENT_CREATE_LOST and ARR_EVENT_SESSION_LEFT_RUNNING events were dropped before this one, because
    // they were not pulled in time.
    uint64_t lost;
    // Id of the session concerned, even if the operation failed; empty if there is none or it is unknown.
    char session_id[257];
    // Zero.
    uint8_t reserved_tail[7];
} arr_event;

// The numbers of a session, as of now. Initialize the struct once with arr_snapshot_init(), then reuse it.
typedef struct arr_snapshot {
    // Set by arr_snapshot_init().
    uint32_t struct_size;
    // Status of the session.
    arr_session_status status;
    // Size of its server.
    arr_session_size size;
    // Port of the ARR inspector, the service's diagnostic web page, on the host; 0 if there is none.
    int32_t arr_inspector_port;
    // Port for the handshake of the rendering connection on the host; 0 if there is none.
    int32_t handshake_port;
    // Total lease in seconds, counted from the moment the session became ready; 0 if unknown.
    uint32_t max_lease_seconds;
    // Used part of the lease now, in seconds: as last reported, plus the time since that report while the session is
    // ready.
    uint32_t elapsed_seconds;
    // Remaining part of the lease now, in seconds: the total while the session starts; 0 if the lease is unknown.
    uint32_t remaining_seconds;
    // Age of the service's report, in milliseconds; at most 4294967295 (49 days).
    uint32_t age_ms;
    // How long the session has been starting, in milliseconds: since this client created it, or first read it as
    // starting. 0 if it is not starting.
    uint32_t starting_for_ms;
    // Counts changes other than the passing of time. If it has changed since the last frame, read the strings with
    // arr_session_get_properties() and ARR_READ_KNOWN.
    uint64_t revision;
} arr_snapshot;

// What arr_client_suspend() does with a session, an ARR_ON_SUSPEND_... value.
typedef int32_t arr_on_suspend;

// How to watch a session. Initialize it with arr_watch_options_init().
typedef struct arr_watch_options {
    // Set by arr_watch_options_init().
    uint32_t struct_size;
    // ARR_EVENT_LEASE_EXPIRING comes this many seconds before the lease ends. Default 300; 0: never.
    uint32_t warn_before_seconds;
    // 1: the session is stopped when its client is shut down or freed, if this handle still watches it then. Default
    // 0.
    int32_t stop_on_shutdown;
    // What arr_client_suspend() does with it. Default ARR_ON_SUSPEND_LEAVE.
    arr_on_suspend on_suspend;
    // For ARR_ON_SUSPEND_EXTEND: the lease is extended if less than this remains, in seconds. Default 600.
    uint32_t suspend_lease_seconds;
    // Must be 0.
    uint32_t reserved;
} arr_watch_options;

// How to keep a session alive. Initialize it with arr_keep_alive_options_init(). Required: cap_seconds.
typedef struct arr_keep_alive_options {
    // Set by arr_keep_alive_options_init().
    uint32_t struct_size;
    // The lease is extended when less than this remains, in seconds, 1 to 31536000. Default 300. Smaller values
    // are raised to 120 with ARR_API_VERSION_2021_01_01, whose service reports elapsed time in whole minutes, and to 2
    // with REST v1.
    uint32_t threshold_seconds;
    // By how much the lease is extended, in seconds, 1 to 31536000. Default 900. If the lease would fall below
    // threshold_seconds before the next extension is allowed (see arr_session_keep_alive()), the smallest sufficient
    // multiple of amount_seconds is used.
    uint32_t amount_seconds;
    // Limit of the total lease, in seconds, 1 to 31536000. There is no default, because it bounds what the session can
    // cost.
    uint32_t cap_seconds;
    // The lease is extended only if the application has pulled events or called arr_session_touch() within this time,
    // in milliseconds. Default 300000 (5 minutes); 0: no such check. The library's threads keep running when the
    // application hangs, fails to reload its scripts (as in Unity), or is paused by a debugger that stops only the
    // application's threads, as script debuggers do. Without the check, they would extend the lease of a session that
    // is no longer used.
    uint32_t liveness_ms;
    // Must be 0.
    uint32_t reserved;
} arr_keep_alive_options;

// Which session may be reused. Initialize it with arr_reuse_options_init().
typedef struct arr_reuse_options {
    // Set by arr_reuse_options_init().
    uint32_t struct_size;
    // Minimum remaining lease, in seconds. Default 600.
    uint32_t min_remaining_seconds;
    // Id of the session to check first, for example one that the application stored. NULL or "": none.
    const char *session_id;
} arr_reuse_options;

// Success.
#define ARR_OK 0

// An argument is missing, malformed or out of range, a string is not UTF-8, or a struct_size is wrong. Nothing was
// sent.
#define ARR_ERROR_INVALID_ARGUMENT (-100)

// The handle is NULL, freed, forged or of another type.
#define ARR_ERROR_INVALID_HANDLE (-101)

// The buffer is too small, or its size was only queried. The required size was written to `needed`.
#define ARR_ERROR_BUFFER_TOO_SMALL (-102)

// The library's version or build does not support a value: an unknown read mode, a reserved field that is not 0, a
// field of a newer version that is set, or ARR_TRUST_PLATFORM on Android or UWP.
#define ARR_ERROR_UNSUPPORTED (-103)

// This process was forked from the one that created the handle. Nothing was done; create a client in this process.
#define ARR_ERROR_FORKED (-104)

// The client was shut down or freed.
#define ARR_ERROR_SHUT_DOWN (-200)

// The time limit of the call, or of one request, was reached. Calling again is safe.
#define ARR_ERROR_TIMEOUT (-201)

// The operation was cancelled.
#define ARR_ERROR_CANCELLED (-202)

// The operation is still running and has no result yet.
#define ARR_ERROR_PENDING (-203)

// The service refused the account key or the token (401).
#define ARR_ERROR_UNAUTHORIZED (-300)

// The credential is valid but does not permit the request (403), or a proxy refuses the user or the host.
#define ARR_ERROR_FORBIDDEN (-301)

// The reply of the token service has no usable token.
#define ARR_ERROR_INVALID_TOKEN (-302)

// The connection could not be established, or it broke.
#define ARR_ERROR_NETWORK (-400)

// The host name could not be resolved.
#define ARR_ERROR_NAME_RESOLUTION (-401)

// No secure connection could be established, usually because a certificate is not trusted.
#define ARR_ERROR_TLS (-402)

// The service refused the request as malformed (400, or another 4xx).
#define ARR_ERROR_BAD_REQUEST (-500)

// The service does not know the session (404).
#define ARR_ERROR_NOT_FOUND (-501)

// The session's state does not permit the request (409, 422), or the session id is in use (409).
#define ARR_ERROR_CONFLICT (-502)

// Too many requests (429). retry_after_ms is how long to wait, if the service said so.
#define ARR_ERROR_THROTTLED (-503)

// The service failed (5xx).
#define ARR_ERROR_SERVICE_FAILURE (-504)

// The reply does not match the documentation of the service.
#define ARR_ERROR_UNEXPECTED_REPLY (-505)

// A create was sent and its reply was lost: a session may be running and costing money. Its id is unknown with REST
// v1. With 2021-01-01 the message names the id, and the library's own retries are safe. To repeat the call safely
// yourself, pass a session_id in the first call and the same one in the repeat.
#define ARR_ERROR_OUTCOME_UNKNOWN (-506)

// The service runs as many sessions as it can (429 with the code ServiceFull). A create is retried within its time
// limit, by default first after 5 to 10 s and at least once a minute; see retry_delay_ms.
#define ARR_ERROR_SERVICE_FULL (-507)

// The session was stopped, or its lease ended.
#define ARR_ERROR_SESSION_ENDED (-600)

// The session failed. The message is the service's.
#define ARR_ERROR_SESSION_FAILED (-601)

// The journal could not be read or written. A create that could not be recorded was not sent.
#define ARR_ERROR_STORAGE (-700)

// The process or the machine has no more threads, files or sockets, or all handles are in use. Nothing was sent. Free
// some and retry.
#define ARR_ERROR_OUT_OF_RESOURCES (-800)

// A defect in this library.
#define ARR_ERROR_INTERNAL (-900)

// A value in no group.
#define ARR_CATEGORY_OTHER (-1)

// Success.
#define ARR_CATEGORY_OK 0

// -100 to -199: the call is wrong. Fix the program.
#define ARR_CATEGORY_USAGE 1

// -200 to -299: a time limit, a shutdown or the caller ended the call; or it has not ended yet.
#define ARR_CATEGORY_ENDED 2

// -300 to -399: the credential. Ask the user or the administrator.
#define ARR_CATEGORY_AUTHENTICATION 3

// -400 to -499: the network. Retry later.
#define ARR_CATEGORY_NETWORK 4

// -500 to -599: the service's reply.
#define ARR_CATEGORY_SERVICE 5

// -600 to -699: the session has ended or failed. Create another.
#define ARR_CATEGORY_SESSION 6

// -700 to -799: the journal. The message says what to do: for example, free space or use another folder.
#define ARR_CATEGORY_STORAGE 7

// -800 to -899: threads, files, sockets or handles. Free some and retry.
#define ARR_CATEGORY_RESOURCES 8

// -900 to -999: a defect in this library. Report it.
#define ARR_CATEGORY_INTERNAL 9

// Nothing.
#define ARR_LOG_LEVEL_OFF 0

// Failures that could not be recovered from.
#define ARR_LOG_LEVEL_ERROR 1

// Failures that are retried, and settings that are probably wrong.
#define ARR_LOG_LEVEL_WARNING 2

// What was done: tokens fetched, sessions created, extended and stopped.
#define ARR_LOG_LEVEL_INFO 3

// Every request.
#define ARR_LOG_LEVEL_DEBUG 4

// REST v1, under the path /v1. The service chooses session ids.
#define ARR_API_VERSION_V1 1

// REST 2021-01-01, the latest. The client chooses session ids, so a create can be retried safely. Leases are whole
// minutes, at most a day.
#define ARR_API_VERSION_2021_01_01 2

// The platform's store if it can be used, otherwise the bundled list. A library built for Android or UWP always uses
// the bundled list.
#define ARR_TRUST_AUTO 0

// The platform's store. Calls that send a request (not arr_client_new()) fail with ARR_ERROR_TLS where there is no
// usable store, and with ARR_ERROR_UNSUPPORTED in a library built for Android or UWP.
#define ARR_TRUST_PLATFORM 1

// Mozilla's list as of the build of this library.
#define ARR_TRUST_BUNDLED 2

// Sessions that this client created, recovered with ARR_CLAIM_OURS, or reused from its journal. Excludes sessions that
// it only opened, and any that already existed under an id that the application chose.
#define ARR_STOP_SCOPE_OWN 0

// All sessions of the account, including those that other people may be using.
#define ARR_STOP_SCOPE_ACCOUNT 1

// The service did not say, or named a size that this library does not know.
#define ARR_SESSION_SIZE_UNKNOWN 0

// Up to 20 million primitives.
#define ARR_SESSION_SIZE_STANDARD 1

// No fixed limit.
#define ARR_SESSION_SIZE_PREMIUM 2

// The service named a status that this library does not know. Not final.
#define ARR_SESSION_STATUS_UNKNOWN 0

// The service is finding and starting a server. Takes seconds to minutes and costs nothing yet.
#define ARR_SESSION_STATUS_STARTING 1

// The server is running and costs money, even if no client is connected to it.
#define ARR_SESSION_STATUS_READY 2

// The session was stopped. Final.
#define ARR_SESSION_STATUS_STOPPED 3

// The lease has ended. Final.
#define ARR_SESSION_STATUS_EXPIRED 4

// The session failed; the message says why. Final.
#define ARR_SESSION_STATUS_ERROR 5

// The session was stopped and its server is being released. Not final.
#define ARR_SESSION_STATUS_STOPPING 6

// Not a recovered session.
#define ARR_CLAIM_NONE 0

// Ours: an earlier run of this application created it. Its id is in the journal.
#define ARR_CLAIM_OURS 1

// Candidate: an earlier run lost the reply to a create, and this session matches the request and the time. It may
// belong to another user, or to a running client that has lost the reply to a create.
#define ARR_CLAIM_CANDIDATE 2

// The only candidate for the lost create, and not a candidate for any other lost create of this process or in the
// journal. If the create has made a session that still exists, it is the session listed here; otherwise the session
// listed here belongs to another user. But within a minute of being sent, the create may still reach the service
// and make a session that is not listed yet.
#define ARR_CLAIM_ONLY_CANDIDATE 3

// It has not ended.
#define ARR_OPERATION_RUNNING 0

// It has succeeded. The arr_operation_get_... function for its kind returns the result.
#define ARR_OPERATION_SUCCEEDED 1

// It has failed. arr_operation_get_error() says why.
#define ARR_OPERATION_FAILED 2

// It was cancelled, or its client was shut down or freed.
#define ARR_OPERATION_CANCELLED 3

// Not about an operation.
#define ARR_OPERATION_KIND_NONE 0

// arr_client_get_token_start(). Result: arr_operation_get_token().
#define ARR_OPERATION_KIND_GET_TOKEN 1

// arr_client_list_sessions_start(). Result: arr_operation_get_list().
#define ARR_OPERATION_KIND_LIST_SESSIONS 2

// arr_client_recover_sessions_start(). Result: arr_operation_get_list().
#define ARR_OPERATION_KIND_RECOVER_SESSIONS 3

// arr_client_stop_all_start(). Result: arr_operation_get_stop_all().
#define ARR_OPERATION_KIND_STOP_ALL 4

// arr_session_create_start(). Result: arr_operation_get_session().
#define ARR_OPERATION_KIND_CREATE 5

// arr_session_open_start(). Result: arr_operation_get_session().
#define ARR_OPERATION_KIND_OPEN 6

// arr_session_reuse_or_create_start(). Result: arr_operation_get_session().
#define ARR_OPERATION_KIND_REUSE_OR_CREATE 7

// arr_session_get_properties_start(). Result: arr_operation_get_properties().
#define ARR_OPERATION_KIND_GET_PROPERTIES 8

// arr_session_update_lease_start(). Result: arr_operation_get_properties().
#define ARR_OPERATION_KIND_UPDATE_LEASE 9

// arr_session_wait_until_ready_start(). Result: arr_operation_get_properties().
#define ARR_OPERATION_KIND_WAIT_UNTIL_READY 10

// arr_session_stop_start(). Result: arr_operation_get_stop().
#define ARR_OPERATION_KIND_STOP 11

// No event.
#define ARR_EVENT_NONE 0

// A started operation has ended (operation, operation_kind, user_data, status).
#define ARR_EVENT_OPERATION_ENDED 1

// The status of a watched session has changed (session_status).
#define ARR_EVENT_SESSION_STATUS_CHANGED 2

// Keep-alive has extended the lease of a session, and a read has confirmed it (max_lease_seconds).
#define ARR_EVENT_LEASE_EXTENDED 3

// The lease of a watched session ends in remaining_seconds.
#define ARR_EVENT_LEASE_EXPIRING 4

// Keep-alive could not extend the lease of a session (status), and will retry. ARR_ERROR_UNEXPECTED_REPLY has two
// meanings. If max_lease_seconds is not 0: the service accepted the longer lease, but a read shows that the lease has
// not grown. If max_lease_seconds is 0: the service has never reported the lease, so keep-alive cannot extend it until
// arr_session_update_lease() has set it.
//
// If the reply to an extension was lost, the next successful read decides between this event and
// ARR_EVENT_LEASE_EXTENDED. If no read succeeds before the retry, this event comes first, and ARR_EVENT_LEASE_EXTENDED
// may follow.
#define ARR_EVENT_LEASE_NOT_EXTENDED 5

// The lease of a session has reached cap_seconds. Keep-alive no longer extends it.
#define ARR_EVENT_LEASE_CAP_REACHED 6

// The lease would now be extended, but the application has neither pulled events nor called arr_session_touch() for
// liveness_ms. Until it does either, the lease is not extended.
#define ARR_EVENT_KEEP_ALIVE_PAUSED 7

// The application's token expires soon or was refused: pass a new one to arr_client_set_token().
#define ARR_EVENT_TOKEN_NEEDED 8

// The machine slept, or arr_client_resume() was called. All watched sessions have been read since.
#define ARR_EVENT_RESUMED 9

// The reply to a create that was started by a _start function was lost. One event is posted for each session that
// this create may have made: session_id names the session, index and count number the events. If the create made a
// session that still exists, it is one of those named. The events of several lost creates, even of other clients, may
// name the same session.
//
// A count of 1 means that no other lost create of this process or in the journal may have made the session. If one may,
// a second event (count 2) has an empty session_id: this create may have made no session.
//
// If there is nothing to name, a single event has an empty session_id and a count of 0. If its status is ARR_OK, no
// session matches yet; otherwise the sessions could not be determined.
//
// The library stops none of the sessions named; that decision is the application's. The create may still
// reach the service within a minute of being sent, so the create's record stays in the journal for
// arr_client_recover_sessions() of the next run. A blocking create posts no event; it returns
// ARR_ERROR_OUTCOME_UNKNOWN.
#define ARR_EVENT_CREATE_LOST 10

// A create was cancelled or freed, or its client was shut down or freed, but the create still made a session
// (session_id). Stopping that session failed, so it may be running.
#define ARR_EVENT_SESSION_LEFT_RUNNING 11

// All reads of a watched session have failed for two poll intervals or a minute, whichever is longer (status: the
// latest failure). The cached properties become stale (arr_snapshot.age_ms). Polling continues.
#define ARR_EVENT_READS_FAILING 12

// A read has succeeded after ARR_EVENT_READS_FAILING.
#define ARR_EVENT_READS_RECOVERED 13

// A read found a watched session still starting, 15 minutes or more after this client first knew of it
// (arr_snapshot.starting_for_ms). Sessions usually take less than 3 minutes. It may still become ready.
#define ARR_EVENT_STARTING_LONG 14

// Does nothing: the session keeps running, and its lease may end during the suspension.
#define ARR_ON_SUSPEND_LEAVE 0

// If less than suspend_lease_seconds remains, extends the lease once, to suspend_lease_seconds from now but not beyond
// keep-alive's cap. No read verifies that the service granted the extension (see arr_session_update_lease()).
#define ARR_ON_SUSPEND_EXTEND 1

// Stops the session.
#define ARR_ON_SUSPEND_STOP 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns the ABI version of the loaded library.
//
// Check once, at startup, that it equals ARR_ABI_VERSION: otherwise the loaded library does not match this header.
//
// Does not block. Thread-safe.
ARR_API uint32_t ARR_CALL arr_abi_version(void);

// Returns the version of the loaded library, for example "0.1.0". The string is static: never free it.
//
// Does not block. Thread-safe.
ARR_API const char *ARR_CALL arr_version_string(void);

// Returns the version of the loaded library as a number: major * 1000000 + minor * 1000 + patch, so 1002003 is 1.2.3.
//
// Does not block. Thread-safe.
ARR_API uint32_t ARR_CALL arr_version_number(void);

// Returns the name of a status, for example "ARR_ERROR_TIMEOUT", or "ARR_ERROR_UNKNOWN" for a value that this version
// does not know. The string is static: never free it.
//
// Does not block. Thread-safe.
ARR_API const char *ARR_CALL arr_status_name(arr_status status);

// Returns the group of a status, an ARR_CATEGORY_... value. Accepts every int32_t.
//
// Does not block. Thread-safe.
ARR_API arr_category ARR_CALL arr_status_category(arr_status status);

// Initializes a struct: `arr_error_info_init(&info, sizeof info)`.
//
//   info  Out. Exactly `size` bytes are written.
//   size  The struct's size as the caller compiled it, ARR_ERROR_INFO_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `info` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_error_info_init(struct arr_error_info *info, size_t size);

// Initializes a struct: `arr_log_entry_init(&entry, sizeof entry)`.
//
//   entry  Out. Exactly `size` bytes are written.
//   size   The struct's size as the caller compiled it, ARR_LOG_ENTRY_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `entry` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_log_entry_init(struct arr_log_entry *entry, size_t size);

// Initializes a struct with the defaults and no strings: `arr_client_options_init(&options, sizeof options)`.
//
//   options  Out. Exactly `size` bytes are written.
//   size     The struct's size as the caller compiled it, ARR_CLIENT_OPTIONS_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_client_options_init(struct arr_client_options *options, size_t size);

// Creates a client. Checks the options, reads ca_file and opens the journal. Sends nothing and starts no thread.
//
//   options  The options. They may be freed after the call.
//   client   Out. Free it with arr_client_free(). NULL on failure.
//   error    Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is missing, malformed or out of range; ARR_ERROR_UNSUPPORTED if a
// field is set that this version does not know; ARR_ERROR_STORAGE if the journal cannot be used.
// Blocks on the disk only. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_new(
    const struct arr_client_options *options,
    struct arr_client **client,
    struct arr_error_info *error);

// Gets an access token for the account, cached or fetched, for use by the rendering connection.
//
// A cached token with at least half a minute left is returned without a request. In a token's last five minutes the
// library fetches the next one in the background. (For a short-lived token both times are shorter.)
//
// The lifetime is measured by the token service's clock: the date of its reply. This machine's clock is used if the
// reply has no date, and for an access_token of the application.
//
//   client             The client.
//   buffer             Out. The token and a final NUL. NULL with a `capacity` of 0 queries the size. The token is a
//                      secret: keep it out of logs, and wipe the buffer.
//   capacity           Size of the buffer in bytes; 4096 is enough for the public service's tokens.
//   needed             Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
//   remaining_seconds  Out, may be NULL. How long the token is valid; ARR_TOKEN_EXPIRY_UNKNOWN if the token does not
//                      say. A token that the application supplied may have 0 seconds left: the library uses it
//                      until the service refuses it, because this machine's clock may be wrong.
//   timeout_ms         Time limit; see Timeouts.
//   error              Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `buffer` is NULL and `capacity` is not 0; ARR_ERROR_BUFFER_TOO_SMALL if the
// token does not fit (the buffer is unchanged, the token stays cached); ARR_ERROR_UNAUTHORIZED if the credential is
// refused.
// REST: GET `https://sts.{account domain}/accounts/{account}/token`. Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_get_token(
    struct arr_client *client,
    char *buffer,
    size_t capacity,
    size_t *needed,
    uint32_t *remaining_seconds,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Initializes a struct: `arr_stop_all_result_init(&result, sizeof result)`.
//
//   result  Out. Exactly `size` bytes are written.
//   size    The struct's size as the caller compiled it, ARR_STOP_ALL_RESULT_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `result` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_stop_all_result_init(struct arr_stop_all_result *result, size_t size);

// Stops many sessions, up to eight at a time. A stop that fails does not delay the others; a stop that gets no reply
// delays the others by 1 s.
//
//   client      The client.
//   scope       ARR_STOP_SCOPE_OWN or ARR_STOP_SCOPE_ACCOUNT.
//   result      Out, may be NULL. Set even if the call fails because some sessions could not be stopped, or not stopped in
//               time.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL. On failure it describes the first session that could not be stopped.
//
// Errors: the status of the first failed stop; that session may still be running. If the account's sessions could not
// be listed, the status of the list request; then none was stopped, and `result` keeps its values.
// REST: the request of arr_session_stop() for each session; with ARR_STOP_SCOPE_ACCOUNT, before them those of
// arr_client_list_sessions(). Blocks.
// Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_stop_all(
    struct arr_client *client,
    arr_stop_scope scope,
    struct arr_stop_all_result *result,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Returns the oldest line of the client's log. See log_level.
//
// The log holds 512 lines. Beyond that the oldest are dropped and counted in `lost`.
//
//   client      The client.
//   entry       Out. The line.
//   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit. arr_client_wake()
//               ends the wait.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if there is no line; ARR_ERROR_SHUT_DOWN once the client has been shut down and all lines
// are pulled.
// Blocks up to timeout_ms; with 0 it neither blocks nor allocates if there is no line. Thread-safe: each line goes to
// one caller.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_next_log(
    struct arr_client *client,
    struct arr_log_entry *entry,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Ends one wait of arr_client_next_event() and one of arr_client_next_log() with ARR_ERROR_TIMEOUT. Use it when the
// waiting thread has other work to do.
//
// If no thread is in such a wait, the next wait of that kind ends at once. Several wakes before that count as one.
// Pulling with a timeout of 0, or when something is queued, is not a wait.
//
//   client  The client.
//   error   Out, may be NULL.
//
// Does not block or allocate. Thread-safe.
ARR_API arr_status ARR_CALL arr_client_wake(struct arr_client *client, struct arr_error_info *error);

// Frees a client. Shuts it down like arr_client_shutdown(), but does not wait. Its remaining events and log lines are
// lost.
//
// Afterwards, calls on its sessions that need the service fail with ARR_ERROR_SHUT_DOWN. In the background, requests
// in flight finish, stops already started with a _start function are still sent, and sessions watched with
// stop_on_shutdown are stopped. All other sessions keep running.
//
// Handles of its sessions, operations and lists stay valid until they are freed. Results of operations and lists can
// still be read, and so can the cached state of sessions: arr_session_get_id(), arr_session_get_message(),
// arr_session_get_reply(), arr_session_snapshot(), and arr_session_get_properties() with ARR_READ_KNOWN.
// arr_session_touch() succeeds and has no effect.
//
//   client  The client. NULL or a freed handle is ignored.
//
// Does not block. Thread-safe, even while calls are in progress.
ARR_API void ARR_CALL arr_client_free(struct arr_client *client);

// Initializes a struct: `arr_session_properties_init(&properties, sizeof properties)`.
//
//   properties  Out. Exactly `size` bytes are written.
//   size        The struct's size as the caller compiled it, ARR_SESSION_PROPERTIES_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `properties` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_session_properties_init(struct arr_session_properties *properties, size_t size);

// Initializes a struct with the defaults and no strings: `arr_session_create_options_init(&options, sizeof options)`.
//
//   options  Out. Exactly `size` bytes are written.
//   size     The struct's size as the caller compiled it, ARR_SESSION_CREATE_OPTIONS_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_session_create_options_init(struct arr_session_create_options *options, size_t size);

// Creates a session. Its server costs money from the moment it is ready until it is stopped or its lease ends.
//
// If the application passed a session_id, and a session with that id and the same settings already exists, that
// session is opened, and this client does not own it (see ARR_STOP_SCOPE_OWN). If the reply to a first attempt was
// lost, and the client cannot tell whether that attempt created the session, the client does not own it either.
//
// With REST v1, a create is retried only if no part of it was sent, or after a 429. If its reply is lost, it fails
// with ARR_ERROR_OUTCOME_UNKNOWN: a session may be running. Its id is unknown, and arr_client_list_sessions() shows it
// among others. With 2021-01-01, a create is retried like any other call. It fails with ARR_ERROR_OUTCOME_UNKNOWN only
// if the outcome is still unknown after the last attempt; the message names the id.
//
// If the client is shut down or freed during the call, the new session is stopped before the call
// returns (see Timeouts).
//
//   client      The client.
//   options     The options.
//   session     Out. Free it with arr_session_free(), which does not stop the session. NULL on failure.
//   properties  Out, may be NULL. At least the id, the status, the size and the lease.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_OUTCOME_UNKNOWN; ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support;
// ARR_ERROR_CONFLICT if session_id belongs to a session with other settings, or to one that has ended;
// ARR_ERROR_STORAGE if the journal cannot record the create.
// REST: POST /sessions/create (v1), PUT /sessions/{id} (2021-01-01). Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_create(
    struct arr_client *client,
    const struct arr_session_create_options *options,
    struct arr_session **session,
    struct arr_session_properties *properties,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Opens an existing session by its id, for example one that another process created.
//
//   client      The client.
//   session_id  1 to 256 letters, digits, hyphens and underscores.
//   session     Out. Free it with arr_session_free(). NULL on failure.
//   properties  Out, may be NULL.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_NOT_FOUND if the service does not know the session.
// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01). Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_open(
    struct arr_client *client,
    const char *session_id,
    struct arr_session **session,
    struct arr_session_properties *properties,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Copies the session's id to a buffer.
//
//   session   The session.
//   buffer    Out. The id and a final NUL. NULL with a `capacity` of 0 queries the size.
//   capacity  Size of the buffer in bytes; 257 is always enough.
//   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
//   error     Out, may be NULL.
//
// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged).
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_get_id(
    struct arr_session *session,
    char *buffer,
    size_t capacity,
    size_t *needed,
    struct arr_error_info *error);

// Copies the full message of the cached properties to a buffer: why the session failed or ended. Empty if there is
// none. At most 4096 bytes are kept; control characters are replaced by spaces.
//
//   session   The session.
//   buffer    Out. The message and a final NUL. NULL with a `capacity` of 0 queries the size.
//   capacity  Size of the buffer in bytes.
//   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
//   error     Out, may be NULL.
//
// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged).
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_get_message(
    struct arr_session *session,
    char *buffer,
    size_t capacity,
    size_t *needed,
    struct arr_error_info *error);

// Copies the session's JSON from the last reply, to read members that this library does not know, such as what your
// own renderer needs to connect.
//
// The JSON is as received, up to 64 KiB, without a byte order mark and with U+FFFD for bytes that are not UTF-8. If
// the last reply was a list, as for a watched session, it is the session's entry. It is empty until a reply contains
// the session; with REST v1, the reply to a create does not contain it. arr_snapshot.revision does not count changes
// of members that this library does not know.
//
//   session   The session.
//   buffer    Out. The JSON and a final NUL. NULL with a `capacity` of 0 queries the size.
//   capacity  Size of the buffer in bytes; 65537 is always enough.
//   needed    Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
//   error     Out, may be NULL.
//
// Errors: ARR_ERROR_BUFFER_TOO_SMALL if it does not fit (the buffer is unchanged); ARR_ERROR_UNEXPECTED_REPLY if the
// last reply had more than 64 KiB of JSON for the session (each U+FFFD counts as 3 bytes): none of it is kept.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_get_reply(
    struct arr_session *session,
    char *buffer,
    size_t capacity,
    size_t *needed,
    struct arr_error_info *error);

// Reads the session's properties.
//
// The service may throttle an account that reads too often (ARR_ERROR_THROTTLED): the documentation of REST v1 asks
// for 5 to 10 s between reads. Waits, watching and ARR_READ_CACHED keep to the poll intervals.
//
//   session     The session.
//   flags       ARR_READ_FRESH, ARR_READ_CACHED or ARR_READ_KNOWN: one of them, they cannot be combined.
//   properties  Out.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_NOT_FOUND if the service no longer knows the session; ARR_ERROR_UNSUPPORTED for other flags.
// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01). Blocks, except with ARR_READ_KNOWN.
// Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_get_properties(
    struct arr_session *session,
    uint32_t flags,
    struct arr_session_properties *properties,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Sets the session's total lease, counted from the moment it became ready. A lease can only grow: to add an hour to a
// lease of one hour, set 7200.
//
// After rounding, max_lease_seconds is compared with the cached lease: if they are equal, the call succeeds without a
// request. Otherwise, ARR_OK means that the service accepted the new lease: it replied with success. Only a read shows
// whether the service also granted the lease.
//
//   session            The session.
//   max_lease_seconds  Total lease: 1 to 31536000 (365 days); with ARR_API_VERSION_2021_01_01 up to 86400, rounded up
//                      to whole minutes.
//   properties         Out, may be NULL. The cached properties after the update. With REST v1: the accepted lease, and
//                      all else as last read (age_ms). With 2021-01-01: those in the reply.
//   timeout_ms         Time limit; see Timeouts.
//   error              Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if the lease is shorter than the cached one; ARR_ERROR_BAD_REQUEST (v1) or
// ARR_ERROR_CONFLICT (2021-01-01) if it is not longer than the service's; ARR_ERROR_SESSION_ENDED or
// ARR_ERROR_CONFLICT if the session has ended.
// REST: PATCH /sessions/{id}. Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_update_lease(
    struct arr_session *session,
    uint32_t max_lease_seconds,
    struct arr_session_properties *properties,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Waits until the session is ready. Polls its properties every poll_interval_ms.
//
// May be called in short slices, to show progress. The schedule and the request in flight belong to the session, so
// slices send no extra requests: a wait of 60 s and 240 waits of 250 ms send the same. Transient failures do not end
// the wait.
//
// A session that the service reported as ready less than ready_poll_interval_ms ago counts as ready without a request;
// see age_ms.
//
//   session     The session.
//   properties  Out, may be NULL. The latest properties; set on ARR_OK, and on failure with ARR_ERROR_TIMEOUT,
//               ARR_ERROR_SESSION_ENDED and ARR_ERROR_SESSION_FAILED.
//   timeout_ms  Time limit. 0 does not wait, but starts a read if one is due; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT
//               have no limit.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if it is not ready yet; ARR_ERROR_SESSION_ENDED or ARR_ERROR_SESSION_FAILED if it will
// never be ready; ARR_ERROR_SHUT_DOWN once the client is shut down or freed. A failure that is not transient (an
// unknown session, a refused credential, an untrusted certificate, an invalid reply) ends all waits for that session.
// REST: GET /sessions/{id}/properties (v1), GET /sessions/{id} (2021-01-01), at each poll. Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_wait_until_ready(
    struct arr_session *session,
    struct arr_session_properties *properties,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Stops the session: its server is released and no longer costs money. A session that has already ended counts as
// stopped: the call returns ARR_OK. If the call fails, the session may still be running: stop it again.
//
//   session       The session. The handle stays valid until it is freed, to read the final properties.
//   already_gone  Out, may be NULL. 1 if the service replied that the session had already ended (409, 410, or 404 twice),
//                 else 0. After an earlier stop request whose reply was lost, it is 0, because that request may have
//                 ended the session.
//   timeout_ms    Time limit; see Timeouts.
//   error         Out, may be NULL.
//
// REST: DELETE /sessions/{id} (v1), POST /sessions/{id}/:stop (2021-01-01). Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_stop(
    struct arr_session *session,
    int32_t *already_gone,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Frees a session's handle. Does NOT stop the session: that is arr_session_stop().
//
// Ends watching, keep-alive and stop_on_shutdown that were requested with this handle.
//
//   session  The session. NULL or a freed handle is ignored.
//
// Does not block. Thread-safe, even while calls with the handle are in progress: they finish.
ARR_API void ARR_CALL arr_session_free(struct arr_session *session);

// Lists the account's sessions that have not ended, including those of other clients.
//
//   client      The client.
//   list        Out. Free it with arr_session_list_free(). NULL on failure.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// REST: GET /sessions; with 2021-01-01 page by page. Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_list_sessions(
    struct arr_client *client,
    struct arr_session_list **list,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Recovers the sessions that earlier clients recorded in the journal and left running, for example because the
// application crashed. Returns those that the service still has. Those with ARR_CLAIM_OURS now belong to this client,
// as if it had created them; candidates do not (see ARR_STOP_SCOPE_OWN).
//
// Sessions that a running client, in this process or another, is known to have created are never included. But a
// candidate may be the result of a running client's lost create: it is then ARR_CLAIM_CANDIDATE. Only service_endpoint
// and trusted_endpoints are contacted. A session that cannot be checked, because it is at another endpoint or its
// endpoint does not reply, stays in the journal for the next call, and the log says why. If none can be checked, the
// call fails with the first reason. A journal without sessions gives an empty list.
//
//   client      The client, created with a journal_folder.
//   list        Out. Free it with arr_session_list_free(). NULL on failure. arr_session_list_get_session() returns
//               handles of the sessions. `claim` says whether a session is certainly or only possibly this
//               application's.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if the client has no journal; ARR_ERROR_STORAGE if the journal cannot be read or
// written, or has sessions only at endpoints that are not trusted.
// REST: the request of arr_session_open() for each session in the journal; those of arr_client_list_sessions() for each
// whose id is unknown. Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_recover_sessions(
    struct arr_client *client,
    struct arr_session_list **list,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Returns the number of sessions in a list.
//
//   list   The list.
//   count  Out.
//   error  Out, may be NULL.
//
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_list_count(
    struct arr_session_list *list,
    size_t *count,
    struct arr_error_info *error);

// Returns the properties of a session in a list. To use the session, open it by its session_id; in a list of recovered
// sessions, call arr_session_list_get_session().
//
//   list        The list.
//   index       0 to count - 1.
//   properties  Out. `known_to_client` is 1 if this client created or opened the session.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `index` is out of range.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_list_get(
    struct arr_session_list *list,
    size_t index,
    struct arr_session_properties *properties,
    struct arr_error_info *error);

// Returns a handle of a recovered session. Each call returns a new handle.
//
//   list     A list from arr_client_recover_sessions().
//   index    0 to count - 1.
//   session  Out. Free it with arr_session_free(). NULL on failure.
//   error    Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `index` is out of range, or the list is not one of recovered sessions: open
// the session by its id instead.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_list_get_session(
    struct arr_session_list *list,
    size_t index,
    struct arr_session **session,
    struct arr_error_info *error);

// Frees a list.
//
//   list  The list. NULL or a freed handle is ignored.
//
// Does not block. Thread-safe.
ARR_API void ARR_CALL arr_session_list_free(struct arr_session_list *list);

// Returns the state of an operation. Cheap enough to call in every frame.
//
//   operation  The operation.
//   state      Out.
//   error      Out, may be NULL.
//
// Does not block or allocate. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_poll(
    struct arr_operation *operation,
    arr_operation_state *state,
    struct arr_error_info *error);

// Waits until an operation has ended. On ARR_ERROR_TIMEOUT, `state` is ARR_OPERATION_RUNNING.
//
//   operation   The operation.
//   state       Out, may be NULL.
//   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if it is still running. ARR_OK if it has ended, even by failing.
// Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_wait(
    struct arr_operation *operation,
    arr_operation_state *state,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Cancels an operation. When this function returns, the operation is ARR_OPERATION_CANCELLED, unless it had already
// ended. Its event is posted as usual.
//
// A request in flight continues and its reply is dropped. If a cancelled create still receives a session, the library
// stops that session. Cancelling a stop that has not been sent prevents the stop. If you just do not need its result,
// free the operation instead: then the stop continues.
//
//   operation  The operation.
//   error      Out, may be NULL.
//
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_operation_cancel(struct arr_operation *operation, struct arr_error_info *error);

// Returns the outcome of an operation: the status and `error` that the blocking function would have returned.
//
//   operation  The operation.
//   error      Out, may be NULL.
//
// Errors: ARR_ERROR_PENDING while it is running; ARR_ERROR_CANCELLED if it was cancelled; otherwise its own status.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_operation_get_error(struct arr_operation *operation, struct arr_error_info *error);

// Returns the session of a create, an open or a reuse. Each call returns a new handle.
//
//   operation   From arr_session_create_start(), arr_session_open_start() or arr_session_reuse_or_create_start().
//   session     Out. Free it with arr_session_free(). NULL on failure.
//   properties  Out, may be NULL. The cached properties of the session.
//   reused      Out, may be NULL. 1 if the session existed already, even if a create opened it under the given id; 0 if
//               it was created.
//   error       Out, may be NULL.
//
// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_session(
    struct arr_operation *operation,
    struct arr_session **session,
    struct arr_session_properties *properties,
    int32_t *reused,
    struct arr_error_info *error);

// Returns the properties from a read, a wait or a lease update.
//
//   operation   From arr_session_get_properties_start(), arr_session_wait_until_ready_start() or
//               arr_session_update_lease_start().
//   properties  Out.
//   error       Out, may be NULL.
//
// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_properties(
    struct arr_operation *operation,
    struct arr_session_properties *properties,
    struct arr_error_info *error);

// Returns the sessions of a list or a recovery. Each call returns a new list.
//
//   operation  From arr_client_list_sessions_start() or arr_client_recover_sessions_start().
//   list       Out. Free it with arr_session_list_free(). NULL on failure.
//   error      Out, may be NULL.
//
// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_list(
    struct arr_operation *operation,
    struct arr_session_list **list,
    struct arr_error_info *error);

// Returns the access token that was fetched. See arr_client_get_token().
//
//   operation          From arr_client_get_token_start().
//   buffer             Out. The token and a final NUL. NULL with a `capacity` of 0 queries the size. The token is a
//                      secret.
//   capacity           Size of the buffer in bytes; 4096 is enough for the public service's tokens.
//   needed             Out, may be NULL. The required size with the NUL, on ARR_OK and ARR_ERROR_BUFFER_TOO_SMALL.
//   remaining_seconds  Out, may be NULL. How long the token was valid when the operation ended: 0 if it had expired,
//                      ARR_TOKEN_EXPIRY_UNKNOWN if the token does not say.
//   error              Out, may be NULL.
//
// Errors: those of arr_operation_get_error(); ARR_ERROR_BUFFER_TOO_SMALL if the token does not fit (the buffer is
// unchanged); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_token(
    struct arr_operation *operation,
    char *buffer,
    size_t capacity,
    size_t *needed,
    uint32_t *remaining_seconds,
    struct arr_error_info *error);

// Returns the result of a stop.
//
//   operation     From arr_session_stop_start().
//   already_gone  Out, may be NULL. As for arr_session_stop().
//   error         Out, may be NULL.
//
// Errors: those of arr_operation_get_error(); ARR_ERROR_INVALID_ARGUMENT for an operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_stop(
    struct arr_operation *operation,
    int32_t *already_gone,
    struct arr_error_info *error);

// Returns the result of stopping many sessions.
//
//   operation  From arr_client_stop_all_start().
//   result     Out, may be NULL. Also set if the call fails because some sessions could not be stopped.
//   error      Out, may be NULL. On failure it describes the first session that could not be stopped.
//
// Errors: those of arr_operation_get_error(); the status of the first failed stop; ARR_ERROR_INVALID_ARGUMENT for an
// operation of another kind.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_stop_all(
    struct arr_operation *operation,
    struct arr_stop_all_result *result,
    struct arr_error_info *error);

// Frees an operation and removes its event from the queue. If it is running, cancels it like arr_operation_cancel();
// but a stop (of one session or of many) continues.
//
//   operation  The operation. NULL or a freed handle is ignored.
//
// Does not block. Thread-safe.
ARR_API void ARR_CALL arr_operation_free(struct arr_operation *operation);

// Returns which function started an operation.
//
//   operation  The operation.
//   kind       Out.
//   error      Out, may be NULL.
//
// Does not block or allocate. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_operation_get_kind(
    struct arr_operation *operation,
    arr_operation_kind *kind,
    struct arr_error_info *error);

// Starts arr_client_get_token(). Result: arr_operation_get_token().
//
// Calls started at about the same time share one request.
//
//   client      The client.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_get_token_start(
    struct arr_client *client,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_client_list_sessions(). Result: arr_operation_get_list().
//
// Calls started at about the same time share one request.
//
//   client      The client.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_list_sessions_start(
    struct arr_client *client,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_client_recover_sessions(). Result: arr_operation_get_list().
//
//   client      The client, created with a journal_folder.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT if the client has no journal.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_recover_sessions_start(
    struct arr_client *client,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_client_stop_all(). Result: arr_operation_get_stop_all().
//
// Stopping never waits for other operations, and continues when the operation is freed or the client is shut down or
// freed.
//
//   client      The client.
//   scope       ARR_STOP_SCOPE_OWN or ARR_STOP_SCOPE_ACCOUNT.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_stop_all_start(
    struct arr_client *client,
    arr_stop_scope scope,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_create(). Result: arr_operation_get_session().
//
// If the operation is cancelled or freed while it runs, any session that it creates is stopped. If the reply is lost,
// ARR_EVENT_CREATE_LOST reports the sessions that the create may have made.
//
//   client      The client.
//   options     The options. They may be freed after the call.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_create_start(
    struct arr_client *client,
    const struct arr_session_create_options *options,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_open(). Result: arr_operation_get_session().
//
//   client      The client.
//   session_id  1 to 256 letters, digits, hyphens and underscores.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_open_start(
    struct arr_client *client,
    const char *session_id,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_get_properties() with ARR_READ_FRESH. Result: arr_operation_get_properties().
//
// Reads of one session that are started at about the same time share one request.
//
//   session     The session.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_get_properties_start(
    struct arr_session *session,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_update_lease(). Result: arr_operation_get_properties().
//
// The update does not wait for other operations, only for a pause that the service has asked for (Retry-After).
//
//   session            The session.
//   max_lease_seconds  Total lease, as for arr_session_update_lease().
//   user_data          Any value; returned in arr_event.user_data.
//   operation          Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms         Time limit, not 0; see Timeouts.
//   error              Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_update_lease_start(
    struct arr_session *session,
    uint32_t max_lease_seconds,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_wait_until_ready(). Result: arr_operation_get_properties().
//
// All waits for a session share their requests. A wait occupies no thread.
//
//   session     The session.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_wait_until_ready_start(
    struct arr_session *session,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_stop(). Result: arr_operation_get_stop().
//
// The stop never waits for other operations, and continues when the operation is freed or the client is shut down or
// freed.
//
//   session     The session.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_stop_start(
    struct arr_session *session,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Initializes a struct: `arr_event_init(&event, sizeof event)`.
//
//   event  Out. Exactly `size` bytes are written.
//   size   The struct's size as the caller compiled it, ARR_EVENT_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `event` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_event_init(struct arr_event *event, size_t size);

// Returns the next event: an operation has ended, or a watched session has changed.
//
// A frame loop calls it with a timeout of 0 until it returns ARR_ERROR_TIMEOUT. Events of one type about the same
// operation or session are merged until they are pulled, so they cannot pile up.
// ARR_EVENT_CREATE_LOST and ARR_EVENT_SESSION_LEFT_RUNNING are the exceptions: up to 256 of them in all are kept;
// beyond that the oldest are dropped and counted in `lost`.
//
//   client      The client.
//   event       Out.
//   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit. arr_client_wake()
//               ends the wait.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if there is no event; ARR_ERROR_SHUT_DOWN once the client has been shut down and all
// events are pulled.
// Blocks up to timeout_ms; with 0 it neither blocks nor allocates. Thread-safe, but pull from one thread at a
// time: see Threads and process.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_next_event(
    struct arr_client *client,
    struct arr_event *event,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Initializes a struct: `arr_snapshot_init(&snapshot, sizeof snapshot)`.
//
//   snapshot  Out. Exactly `size` bytes are written.
//   size      The struct's size as the caller compiled it, ARR_SNAPSHOT_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `snapshot` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_snapshot_init(struct arr_snapshot *snapshot, size_t size);

// Returns the session's current numbers: the service's last report, advanced by the time since then. Cheap enough to
// call in every frame. arr_session_watch() keeps them current.
//
//   session   The session.
//   snapshot  Out.
//   error     Out, may be NULL.
//
// Does not block or allocate. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_snapshot(
    struct arr_session *session,
    struct arr_snapshot *snapshot,
    struct arr_error_info *error);

// Initializes a struct with the defaults: `arr_watch_options_init(&options, sizeof options)`.
//
//   options  Out. Exactly `size` bytes are written.
//   size     The struct's size as the caller compiled it, ARR_WATCH_OPTIONS_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_watch_options_init(struct arr_watch_options *options, size_t size);

// Initializes a struct with the defaults: `arr_keep_alive_options_init(&options, sizeof options)`. Then set
// cap_seconds.
//
//   options  Out. Exactly `size` bytes are written.
//   size     The struct's size as the caller compiled it, ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_keep_alive_options_init(struct arr_keep_alive_options *options, size_t size);

// Watches a session: polls it in the background, reports changes as events, and keeps arr_session_snapshot() current.
//
// Events: ARR_EVENT_SESSION_STATUS_CHANGED, ARR_EVENT_LEASE_EXPIRING, ARR_EVENT_READS_FAILING,
// ARR_EVENT_READS_RECOVERED, ARR_EVENT_STARTING_LONG.
//
// Call again to change the options. Watching belongs to this handle: when it is freed, watching, keep-alive and
// stop_on_shutdown end. If another handle of the same session starts watching, it takes over, and keep-alive ends.
//
//   session    The session.
//   options    The options. NULL ends watching and keep-alive.
//   user_data  Any value; returned in arr_event.user_data.
//   error      Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is out of range; ARR_ERROR_SHUT_DOWN; ARR_ERROR_OUT_OF_RESOURCES if
// no thread can be started. A failure changes nothing: a session that was not watched stays unwatched, so
// stop_on_shutdown does not apply to it; one that was watched keeps its previous options.
// Background REST: while the session starts, as arr_session_get_properties(), every poll_interval_ms; while it is
// ready, as arr_client_list_sessions(), every ready_poll_interval_ms, one list for all watched sessions. Does not
// block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_watch(
    struct arr_session *session,
    const struct arr_watch_options *options,
    uint64_t user_data,
    struct arr_error_info *error);

// Extends the lease of a session whenever it runs low, up to a cap. The session must be watched with this handle.
//
// Events: ARR_EVENT_LEASE_EXTENDED, ARR_EVENT_LEASE_NOT_EXTENDED, ARR_EVENT_LEASE_CAP_REACHED,
// ARR_EVENT_KEEP_ALIVE_PAUSED.
//
// Keep-alive relies on the elapsed time that the service reports. After each extension the session is read: the lease
// counts as extended only if it has grown. Two extensions are at least ready_poll_interval_ms or a minute apart,
// whichever is shorter. Each is long enough to last until the next.
//
//   session  The session.
//   options  The options. NULL ends keep-alive; watching continues.
//   error    Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if an option is out of range or the session is not watched with this handle.
// Background REST: the requests of arr_session_update_lease() and arr_session_get_properties(). Does not block.
// Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_keep_alive(
    struct arr_session *session,
    const struct arr_keep_alive_options *options,
    struct arr_error_info *error);

// Marks the application as responding, for keep-alive: see liveness_ms. An application that pulls events does not need
// this call; pulling does the same for all sessions of the client.
//
//   session  The session.
//   error    Out, may be NULL.
//
// Does not block or allocate. Thread-safe.
ARR_API arr_status ARR_CALL arr_session_touch(struct arr_session *session, struct arr_error_info *error);

// Initializes a struct with the defaults: `arr_reuse_options_init(&options, sizeof options)`.
//
//   options  Out. Exactly `size` bytes are written.
//   size     The struct's size as the caller compiled it, ARR_REUSE_OPTIONS_SIZE_V1 to 65536.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `options` is NULL or `size` is out of range.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_reuse_options_init(struct arr_reuse_options *options, size_t size);

// Reuses a suitable session if there is one; otherwise creates one.
//
// It first checks the session with the id in `reuse`; then, newest first, those in the journal that were created by
// this client or by a client that is no longer running. It skips those that arr_client_recover_sessions() would return
// as ARR_CLAIM_CANDIDATE or ARR_CLAIM_ONLY_CANDIDATE. A session is suitable if it is at this endpoint, has the
// requested size, is starting or ready, and has enough lease left.
//
//   client      The client. Without a journal_folder only the given id is checked.
//   options     Options of a new session.
//   reuse       Which session may be reused.
//   session     Out. Free it with arr_session_free(). NULL on failure.
//   properties  Out, may be NULL. The cached properties of the session.
//   reused      Out, may be NULL. 1 if a session was reused or existed under the id of `options`; 0 if one was
//               created.
//   timeout_ms  Time limit; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: those of arr_session_create(). If a session cannot be checked, the call fails with the error of that check
// and creates none.
// REST: the request of arr_session_open() for each session that is checked; if none is suitable, that of
// arr_session_create(). Blocks.
// Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_reuse_or_create(
    struct arr_client *client,
    const struct arr_session_create_options *options,
    const struct arr_reuse_options *reuse,
    struct arr_session **session,
    struct arr_session_properties *properties,
    int32_t *reused,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Starts arr_session_reuse_or_create(). Result: arr_operation_get_session().
//
//   client      The client. Without a journal_folder only the given id is checked.
//   options     Options of a new session. They may be freed after the call.
//   reuse       Which session may be reused.
//   user_data   Any value; returned in arr_event.user_data.
//   operation   Out. Free it with arr_operation_free(). NULL on failure.
//   timeout_ms  Time limit, not 0; see Timeouts.
//   error       Out, may be NULL.
//
// Errors: see Operations. ARR_ERROR_INVALID_ARGUMENT for options that the REST version does not support.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_session_reuse_or_create_start(
    struct arr_client *client,
    const struct arr_session_create_options *options,
    const struct arr_reuse_options *reuse,
    uint64_t user_data,
    struct arr_operation **operation,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Shuts a client down, and waits until its work is done and its threads have ended.
//
// These stops are still sent: those that a _start function has started, and those of sessions watched with
// stop_on_shutdown. All other operations are cancelled. Blocking calls to the service fail with ARR_ERROR_SHUT_DOWN,
// even arr_session_stop(), arr_client_stop_all() and arr_session_wait_until_ready(). After ARR_OK no thread of the
// client is left, except those of name lookups, which the system cannot cancel.
//
// The handle stays valid until it is freed: the remaining events and log lines can still be pulled. Cached state of
// its sessions stays readable as after arr_client_free().
//
// If a started create has already succeeded, shutting down does not stop its session unless the session is watched with
// stop_on_shutdown. Afterwards this client cannot stop it. So, before shutting down, get the session with
// arr_operation_get_session(), then stop it or watch it with stop_on_shutdown.
//
//   client      The client.
//   timeout_ms  Time limit. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if the work has not finished; call the function again. Requests in flight end within
// attempt_timeout_ms. If the client has ended but a stop failed, returns the status of the first failed stop; that
// session may still be running. If the client has ended but the journal could not be written, returns
// ARR_ERROR_STORAGE.
// Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_shutdown(
    struct arr_client *client,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Shuts down all clients of the process concurrently, as arr_client_shutdown() does, including those whose handles
// were freed. New clients may be created afterwards.
//
//   timeout_ms  Time limit for all of them together. 0 does not wait; ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no
//               limit.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_TIMEOUT if a client has not finished; call the function again. Otherwise the first failure that
// arr_client_shutdown() would return.
// Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_shutdown(uint32_t timeout_ms, struct arr_error_info *error);

// Prepares for the suspension of the application, as when a headset is taken off. Flushes the journal, then does with
// each watched session what its on_suspend says.
//
// Polling and keep-alive stop until arr_client_resume(), or until the library notices that the machine slept. So an
// extension made here is not verified: the service has accepted it, but no read shows whether it was granted (see
// arr_session_update_lease()).
//
//   client      The client.
//   timeout_ms  Time limit. 0 starts the work without waiting: if there is any, the call returns ARR_ERROR_TIMEOUT.
//               ARR_WAIT_FOREVER and ARR_TIMEOUT_DEFAULT have no limit.
//   error       Out, may be NULL.
//
// Errors: ARR_ERROR_SHUT_DOWN; ARR_ERROR_TIMEOUT if not everything was done in time: the rest continues as far as the
// system permits. Otherwise the status of the first failure.
// Blocks. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_suspend(
    struct arr_client *client,
    uint32_t timeout_ms,
    struct arr_error_info *error);

// Resumes after a suspension. Drops pooled connections, which are dead, and renews an expired token. Reads the
// watched sessions before it reports anything about them; then comes ARR_EVENT_RESUMED.
//
// While it watches sessions or runs operations, the library does this automatically after a sleep of a minute or more.
// After a sleep of 30 s to a minute it may do so; after a shorter one it does not.
//
//   client  The client.
//   error   Out, may be NULL.
//
// Errors: ARR_ERROR_SHUT_DOWN; ARR_ERROR_OUT_OF_RESOURCES if no thread can be started.
// Does not block. Thread-safe.
ARR_API arr_status ARR_CALL arr_client_resume(struct arr_client *client, struct arr_error_info *error);

// Supplies a new token of the kind that the client was created with, in reply to ARR_EVENT_TOKEN_NEEDED. Calls that
// wait for a token continue. Sends nothing.
//
//   client  The client.
//   token   The token. The library wipes its copy when it no longer needs it.
//   error   Out, may be NULL.
//
// Errors: ARR_ERROR_INVALID_ARGUMENT if `token` cannot be a token, or the client was created with an account key.
// Does not block. Thread-safe.
ARR_NODISCARD ARR_API arr_status ARR_CALL arr_client_set_token(
    struct arr_client *client,
    const char *token,
    struct arr_error_info *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ARR_SESSION_H */
