// The enumerations of arr_session.h. SPDX-License-Identifier: MIT OR Apache-2.0
//
// Open enums: a newer library may return other values. They keep their number, so they can be compared and passed on. Give
// every switch a default. to_string() returns "unknown" for them.
#pragma once

#include <arr_session.h>

#include <cstdint>

namespace arr {

/// Result of a call. See arr_status.
enum class Status : std::int32_t {
    ok = ARR_OK,
    invalid_argument = ARR_ERROR_INVALID_ARGUMENT,
    invalid_handle = ARR_ERROR_INVALID_HANDLE,
    buffer_too_small = ARR_ERROR_BUFFER_TOO_SMALL,
    unsupported = ARR_ERROR_UNSUPPORTED,
    forked = ARR_ERROR_FORKED,
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
    service_full = ARR_ERROR_SERVICE_FULL,
    session_ended = ARR_ERROR_SESSION_ENDED,
    session_failed = ARR_ERROR_SESSION_FAILED,
    storage = ARR_ERROR_STORAGE,
    out_of_resources = ARR_ERROR_OUT_OF_RESOURCES,
    internal = ARR_ERROR_INTERNAL,
};

/// Group of a status: suggests how to react. See arr_category.
enum class Category : std::int32_t {
    /// A status in no group.
    other = ARR_CATEGORY_OTHER,
    ok = ARR_CATEGORY_OK,
    /// The call is wrong. Fix the program.
    usage = ARR_CATEGORY_USAGE,
    /// A time limit, a shutdown or the caller ended the call; or it has not ended yet.
    ended = ARR_CATEGORY_ENDED,
    /// The credential. Ask the user or the administrator.
    authentication = ARR_CATEGORY_AUTHENTICATION,
    /// The network. Retry later.
    network = ARR_CATEGORY_NETWORK,
    /// The service's reply.
    service = ARR_CATEGORY_SERVICE,
    /// The session has ended or failed. Create another.
    session = ARR_CATEGORY_SESSION,
    /// The disk of this machine. Free space, or use another folder.
    storage = ARR_CATEGORY_STORAGE,
    /// Threads, files, sockets or handles. Free some and retry.
    resources = ARR_CATEGORY_RESOURCES,
    /// A defect in the library. Report it.
    internal = ARR_CATEGORY_INTERNAL,
};

/// Amount of logging. See arr_log_level.
enum class LogLevel : std::int32_t {
    off = ARR_LOG_LEVEL_OFF,
    error = ARR_LOG_LEVEL_ERROR,
    warning = ARR_LOG_LEVEL_WARNING,
    info = ARR_LOG_LEVEL_INFO,
    debug = ARR_LOG_LEVEL_DEBUG,
};

/// Version of the service's REST API. See arr_api_version.
enum class ApiVersion : std::int32_t {
    v1 = ARR_API_VERSION_V1,
    v2021_01_01 = ARR_API_VERSION_2021_01_01,
};

/// Certificate authorities to trust besides ca_file and ca_pem. See arr_trust.
enum class Trust : std::int32_t {
    automatic = ARR_TRUST_AUTO,
    platform = ARR_TRUST_PLATFORM,
    bundled = ARR_TRUST_BUNDLED,
};

/// Which sessions Client::stop_all() stops. See arr_stop_scope.
enum class StopScope : std::int32_t {
    /// Sessions that this client created, recovered as Claim::ours, or reused from its journal.
    own = ARR_STOP_SCOPE_OWN,
    /// All sessions of the account, including those that other people may be using.
    account = ARR_STOP_SCOPE_ACCOUNT,
};

/// Size of a rendering server. See arr_session_size.
enum class SessionSize : std::int32_t {
    unknown = ARR_SESSION_SIZE_UNKNOWN,
    standard = ARR_SESSION_SIZE_STANDARD,
    premium = ARR_SESSION_SIZE_PREMIUM,
};

/// Status of a session. See arr_session_status.
enum class SessionStatus : std::int32_t {
    /// The service named a status that this library does not know. Not final.
    unknown = ARR_SESSION_STATUS_UNKNOWN,
    starting = ARR_SESSION_STATUS_STARTING,
    ready = ARR_SESSION_STATUS_READY,
    stopped = ARR_SESSION_STATUS_STOPPED,
    expired = ARR_SESSION_STATUS_EXPIRED,
    error = ARR_SESSION_STATUS_ERROR,
    stopping = ARR_SESSION_STATUS_STOPPING,
};

/// How certain it is that a recovered session is ours. See arr_claim.
enum class Claim : std::int32_t {
    none = ARR_CLAIM_NONE,
    ours = ARR_CLAIM_OURS,
    candidate = ARR_CLAIM_CANDIDATE,
    only_candidate = ARR_CLAIM_ONLY_CANDIDATE,
};

/// State of an operation. See arr_operation_state.
enum class OperationState : std::int32_t {
    running = ARR_OPERATION_RUNNING,
    succeeded = ARR_OPERATION_SUCCEEDED,
    failed = ARR_OPERATION_FAILED,
    cancelled = ARR_OPERATION_CANCELLED,
};

/// Which function started an operation. See arr_operation_kind.
enum class OperationKind : std::int32_t {
    none = ARR_OPERATION_KIND_NONE,
    get_token = ARR_OPERATION_KIND_GET_TOKEN,
    list_sessions = ARR_OPERATION_KIND_LIST_SESSIONS,
    recover_sessions = ARR_OPERATION_KIND_RECOVER_SESSIONS,
    stop_all = ARR_OPERATION_KIND_STOP_ALL,
    create = ARR_OPERATION_KIND_CREATE,
    open = ARR_OPERATION_KIND_OPEN,
    reuse_or_create = ARR_OPERATION_KIND_REUSE_OR_CREATE,
    get_properties = ARR_OPERATION_KIND_GET_PROPERTIES,
    update_lease = ARR_OPERATION_KIND_UPDATE_LEASE,
    wait_until_ready = ARR_OPERATION_KIND_WAIT_UNTIL_READY,
    stop = ARR_OPERATION_KIND_STOP,
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
    reads_failing = ARR_EVENT_READS_FAILING,
    reads_recovered = ARR_EVENT_READS_RECOVERED,
    starting_long = ARR_EVENT_STARTING_LONG,
};

/// What Client::suspend() does with a session. See arr_on_suspend.
enum class OnSuspend : std::int32_t {
    leave = ARR_ON_SUSPEND_LEAVE,
    extend = ARR_ON_SUSPEND_EXTEND,
    stop = ARR_ON_SUSPEND_STOP,
};

/// Which properties a read accepts.
enum class Read : std::uint32_t {
    /// Requests them from the service.
    fresh = ARR_READ_FRESH,
    /// Sends no request if the session has ended or the cached properties are younger than a poll interval.
    cached = ARR_READ_CACHED,
    /// Accepts cached properties of any age. Sends nothing and does not block.
    known = ARR_READ_KNOWN,
};

/// Name of a status as in arr_session.h, for example "ARR_ERROR_TIMEOUT", or "ARR_ERROR_UNKNOWN" for a value that
/// the library does not know.
inline const char* to_string(Status status) noexcept {
    return arr_status_name(static_cast<arr_status>(status));
}

/// Group of a status. Also accepts values that this header does not define.
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
    case Category::resources: return "resources";
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
    case Claim::only_candidate: return "only_candidate";
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

constexpr const char* to_string(OperationKind kind) noexcept {
    switch (kind) {
    case OperationKind::none: return "none";
    case OperationKind::get_token: return "get token";
    case OperationKind::list_sessions: return "list sessions";
    case OperationKind::recover_sessions: return "recover sessions";
    case OperationKind::stop_all: return "stop all";
    case OperationKind::create: return "create";
    case OperationKind::open: return "open";
    case OperationKind::reuse_or_create: return "reuse or create";
    case OperationKind::get_properties: return "get properties";
    case OperationKind::update_lease: return "update lease";
    case OperationKind::wait_until_ready: return "wait until ready";
    case OperationKind::stop: return "stop";
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
    case EventType::reads_failing: return "reads failing";
    case EventType::reads_recovered: return "reads recovered";
    case EventType::starting_long: return "starting long";
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

/// Whether the status is final.
constexpr bool is_final(SessionStatus status) noexcept {
    return status == SessionStatus::stopped || status == SessionStatus::expired || status == SessionStatus::error;
}

}  // namespace arr
