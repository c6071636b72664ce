// The enumerations of arr_session.h. SPDX-License-Identifier: MIT OR Apache-2.0
//
// A newer library may give values that this header does not have. They survive as their number: compare them, hand them on,
// and give every switch a default. to_string() says "unknown" for them.
#pragma once

#include <arr_session.h>

#include <cstdint>

namespace arr {

/// How a call ended. See arr_status.
enum class Status : std::int32_t {
    ok = ARR_OK,
    invalid_argument = ARR_ERROR_INVALID_ARGUMENT,
    invalid_handle = ARR_ERROR_INVALID_HANDLE,
    buffer_too_small = ARR_ERROR_BUFFER_TOO_SMALL,
    unsupported = ARR_ERROR_UNSUPPORTED,
    shut_down = ARR_ERROR_SHUT_DOWN,
    timeout = ARR_ERROR_TIMEOUT,
    cancelled = ARR_ERROR_CANCELLED,
    pending = ARR_ERROR_PENDING,
    unauthorized = ARR_ERROR_UNAUTHORIZED,
    forbidden = ARR_ERROR_FORBIDDEN,
    invalid_token = ARR_ERROR_INVALID_TOKEN,
    network = ARR_ERROR_NETWORK,
    name_resolution = ARR_ERROR_NAME_RESOLUTION,
    tls = ARR_ERROR_TLS,
    bad_request = ARR_ERROR_BAD_REQUEST,
    not_found = ARR_ERROR_NOT_FOUND,
    conflict = ARR_ERROR_CONFLICT,
    throttled = ARR_ERROR_THROTTLED,
    service_failure = ARR_ERROR_SERVICE_FAILURE,
    unexpected_reply = ARR_ERROR_UNEXPECTED_REPLY,
    outcome_unknown = ARR_ERROR_OUTCOME_UNKNOWN,
    session_ended = ARR_ERROR_SESSION_ENDED,
    session_failed = ARR_ERROR_SESSION_FAILED,
    storage = ARR_ERROR_STORAGE,
    internal = ARR_ERROR_INTERNAL,
};

/// What kind of thing to do about a status. See arr_category.
enum class Category : std::int32_t {
    /// In no group: a status that this library does not know.
    other = ARR_CATEGORY_OTHER,
    ok = ARR_CATEGORY_OK,
    /// The call is wrong: mend the program.
    usage = ARR_CATEGORY_USAGE,
    /// Ended by time, by shutdown or by the caller; or not ended.
    ended = ARR_CATEGORY_ENDED,
    /// The credential: ask the user, or whoever set it up.
    authentication = ARR_CATEGORY_AUTHENTICATION,
    /// Try again later.
    network = ARR_CATEGORY_NETWORK,
    /// The service's answer.
    service = ARR_CATEGORY_SERVICE,
    /// What became of the session: create another.
    session = ARR_CATEGORY_SESSION,
    /// This machine's disk: free space, or give another path.
    storage = ARR_CATEGORY_STORAGE,
    /// A defect of the library: report it.
    internal = ARR_CATEGORY_INTERNAL,
};

/// How much is logged. See arr_log_level.
enum class LogLevel : std::int32_t {
    off = ARR_LOG_LEVEL_OFF,
    error = ARR_LOG_LEVEL_ERROR,
    warning = ARR_LOG_LEVEL_WARNING,
    info = ARR_LOG_LEVEL_INFO,
    debug = ARR_LOG_LEVEL_DEBUG,
};

/// A version of the service's REST API. See arr_api_version.
enum class ApiVersion : std::int32_t {
    v1 = ARR_API_VERSION_V1,
    v2021_01_01 = ARR_API_VERSION_2021_01_01,
};

/// Which certificate authorities are trusted besides those that the options add. See arr_trust.
enum class Trust : std::int32_t {
    automatic = ARR_TRUST_AUTO,
    platform = ARR_TRUST_PLATFORM,
    bundled = ARR_TRUST_BUNDLED,
};

/// Whose sessions Client::stop_all() stops. See arr_stop_scope.
enum class StopScope : std::int32_t {
    /// Those that this client created.
    own = ARR_STOP_SCOPE_OWN,
    /// All of the account: other people may be using them.
    account = ARR_STOP_SCOPE_ACCOUNT,
};

/// The size of a rendering server. See arr_session_size.
enum class SessionSize : std::int32_t {
    unknown = ARR_SESSION_SIZE_UNKNOWN,
    standard = ARR_SESSION_SIZE_STANDARD,
    premium = ARR_SESSION_SIZE_PREMIUM,
};

/// Where a session is in its life. See arr_session_status.
enum class SessionStatus : std::int32_t {
    /// The service named one that this library does not know. It is not final.
    unknown = ARR_SESSION_STATUS_UNKNOWN,
    starting = ARR_SESSION_STATUS_STARTING,
    ready = ARR_SESSION_STATUS_READY,
    stopped = ARR_SESSION_STATUS_STOPPED,
    expired = ARR_SESSION_STATUS_EXPIRED,
    error = ARR_SESSION_STATUS_ERROR,
    stopping = ARR_SESSION_STATUS_STOPPING,
};

/// How certain it is that a session that was found again is ours. See arr_claim.
enum class Claim : std::int32_t {
    none = ARR_CLAIM_NONE,
    ours = ARR_CLAIM_OURS,
    candidate = ARR_CLAIM_CANDIDATE,
};

/// How far an operation is. See arr_operation_state.
enum class OperationState : std::int32_t {
    running = ARR_OPERATION_RUNNING,
    succeeded = ARR_OPERATION_SUCCEEDED,
    failed = ARR_OPERATION_FAILED,
    cancelled = ARR_OPERATION_CANCELLED,
};

/// What happened. See arr_event_type.
enum class EventType : std::int32_t {
    none = ARR_EVENT_NONE,
    operation_ended = ARR_EVENT_OPERATION_ENDED,
    session_status_changed = ARR_EVENT_SESSION_STATUS_CHANGED,
    lease_extended = ARR_EVENT_LEASE_EXTENDED,
    lease_expiring = ARR_EVENT_LEASE_EXPIRING,
    lease_not_extended = ARR_EVENT_LEASE_NOT_EXTENDED,
    lease_cap_reached = ARR_EVENT_LEASE_CAP_REACHED,
    keep_alive_paused = ARR_EVENT_KEEP_ALIVE_PAUSED,
    token_needed = ARR_EVENT_TOKEN_NEEDED,
    resumed = ARR_EVENT_RESUMED,
    create_lost = ARR_EVENT_CREATE_LOST,
    session_left_running = ARR_EVENT_SESSION_LEFT_RUNNING,
};

/// What Client::suspend() does with a session. See arr_on_suspend.
enum class OnSuspend : std::int32_t {
    leave = ARR_ON_SUSPEND_LEAVE,
    extend = ARR_ON_SUSPEND_EXTEND,
    stop = ARR_ON_SUSPEND_STOP,
};

/// How new what is read has to be.
enum class Read : std::uint32_t {
    /// Ask the service.
    fresh = ARR_READ_FRESH,
    /// What it said less than a poll interval ago will do.
    cached = ARR_READ_CACHED,
    /// What it said last will do, however old. Sends nothing and waits for nothing.
    known = ARR_READ_KNOWN,
};

/// Its name as in arr_session.h, for example "ARR_ERROR_TIMEOUT"; "ARR_ERROR_UNKNOWN" for one that the library does not have.
inline const char* to_string(Status status) noexcept {
    return arr_status_name(static_cast<arr_status>(status));
}

/// The group of a status; it answers for values that this header does not have, too.
inline Category category_of(Status status) noexcept {
    return static_cast<Category>(arr_status_category(static_cast<arr_status>(status)));
}

constexpr const char* to_string(Category category) noexcept {
    switch (category) {
    case Category::other: return "other";
    case Category::ok: return "ok";
    case Category::usage: return "usage";
    case Category::ended: return "ended";
    case Category::authentication: return "authentication";
    case Category::network: return "network";
    case Category::service: return "service";
    case Category::session: return "session";
    case Category::storage: return "storage";
    case Category::internal: return "internal";
    }
    return "unknown";
}

constexpr const char* to_string(LogLevel level) noexcept {
    switch (level) {
    case LogLevel::off: return "off";
    case LogLevel::error: return "error";
    case LogLevel::warning: return "warning";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
    }
    return "unknown";
}

constexpr const char* to_string(ApiVersion version) noexcept {
    switch (version) {
    case ApiVersion::v1: return "v1";
    case ApiVersion::v2021_01_01: return "2021-01-01";
    }
    return "unknown";
}

constexpr const char* to_string(Trust trust) noexcept {
    switch (trust) {
    case Trust::automatic: return "automatic";
    case Trust::platform: return "platform";
    case Trust::bundled: return "bundled";
    }
    return "unknown";
}

constexpr const char* to_string(StopScope scope) noexcept {
    switch (scope) {
    case StopScope::own: return "own";
    case StopScope::account: return "account";
    }
    return "unknown";
}

constexpr const char* to_string(SessionSize size) noexcept {
    switch (size) {
    case SessionSize::unknown: return "unknown";
    case SessionSize::standard: return "standard";
    case SessionSize::premium: return "premium";
    }
    return "unknown";
}

constexpr const char* to_string(SessionStatus status) noexcept {
    switch (status) {
    case SessionStatus::unknown: return "unknown";
    case SessionStatus::starting: return "starting";
    case SessionStatus::ready: return "ready";
    case SessionStatus::stopped: return "stopped";
    case SessionStatus::expired: return "expired";
    case SessionStatus::error: return "error";
    case SessionStatus::stopping: return "stopping";
    }
    return "unknown";
}

constexpr const char* to_string(Claim claim) noexcept {
    switch (claim) {
    case Claim::none: return "none";
    case Claim::ours: return "ours";
    case Claim::candidate: return "candidate";
    }
    return "unknown";
}

constexpr const char* to_string(OperationState state) noexcept {
    switch (state) {
    case OperationState::running: return "running";
    case OperationState::succeeded: return "succeeded";
    case OperationState::failed: return "failed";
    case OperationState::cancelled: return "cancelled";
    }
    return "unknown";
}

constexpr const char* to_string(EventType type) noexcept {
    switch (type) {
    case EventType::none: return "none";
    case EventType::operation_ended: return "operation ended";
    case EventType::session_status_changed: return "session status changed";
    case EventType::lease_extended: return "lease extended";
    case EventType::lease_expiring: return "lease expiring";
    case EventType::lease_not_extended: return "lease not extended";
    case EventType::lease_cap_reached: return "lease cap reached";
    case EventType::keep_alive_paused: return "keep-alive paused";
    case EventType::token_needed: return "token needed";
    case EventType::resumed: return "resumed";
    case EventType::create_lost: return "create lost";
    case EventType::session_left_running: return "session left running";
    }
    return "unknown";
}

constexpr const char* to_string(OnSuspend what) noexcept {
    switch (what) {
    case OnSuspend::leave: return "leave";
    case OnSuspend::extend: return "extend";
    case OnSuspend::stop: return "stop";
    }
    return "unknown";
}

constexpr const char* to_string(Read how) noexcept {
    switch (how) {
    case Read::fresh: return "fresh";
    case Read::cached: return "cached";
    case Read::known: return "known";
    }
    return "unknown";
}

/// Whether a session with this status is over for good.
constexpr bool is_final(SessionStatus status) noexcept {
    return status == SessionStatus::stopped || status == SessionStatus::expired || status == SessionStatus::error;
}

}  // namespace arr
