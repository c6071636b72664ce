// Options of clients and sessions. SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each is a builder that owns its strings: it accepts temporaries, and can be copied, moved and reused. Its defaults are the
// library's. If a value cannot be passed to the library (a negative time, a string with an embedded NUL), the call that uses
// the options fails with Status::invalid_argument. The library checks everything else.
#pragma once

#include "enums.hpp"
#include "result.hpp"
#include "secret.hpp"
#include "text.hpp"
#include "time.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace arr {
namespace detail {

/// The first value that the C struct cannot hold.
class Refusal {
public:
    /// `what` is a literal.
    void note(const char* what) noexcept {
        if (what_ == nullptr) {
            what_ = what;
        }
    }
    template <typename Period>
    std::uint32_t units(WholeUnits<Period> length, const char* what) noexcept {
        if (!length.fits()) {
            note(what);
        }
        return length.count();
    }
    /// Wiped, because a key, a password or a URL's signature may be in any text.
    Secret text(std::string_view text, const char* what) {
        if (!is_whole_in_c(text)) {
            note(what);
        }
        return Secret(text);
    }
    explicit operator bool() const noexcept { return what_ != nullptr; }
    Error error(const char* function) const noexcept {
        return Error::of_usage(Status::invalid_argument, function, what_);
    }

private:
    const char* what_ = nullptr;
};

}  // namespace detail

/// Options of a Client: an arr_client_options. Required: account_id, account_domain, service_endpoint and exactly
/// one of account_key, entra_token and access_token.
///
/// Its copies of the texts are wiped when it is destroyed: destroy it once the client is created.
class ClientOptions {
public:
    ClientOptions() noexcept { arr_client_options_init(&raw_, sizeof raw_); }

    /// GUID of the account.
    ClientOptions& account_id(std::string_view id) { return set(account_id_, id, "account_id has an embedded NUL"); }
    /// Where the account was created: its account domain, just the region ("westus2"), or the URL of a token
    /// service.
    ClientOptions& account_domain(std::string_view domain) {
        return set(account_domain_, domain, "account_domain has an embedded NUL");
    }
    /// Where sessions run: a region, which may differ from the account's, or the host of the session service, or its
    /// URL.
    ClientOptions& service_endpoint(std::string_view endpoint) {
        return set(service_endpoint_, endpoint, "service_endpoint has an embedded NUL");
    }
    /// Key of the account. For development only: never ship it in an application.
    ClientOptions& account_key(std::string_view key) { return set(account_key_, key, "account_key has an embedded NUL"); }
    /// Microsoft Entra ID token.
    ClientOptions& entra_token(std::string_view token) {
        return set(entra_token_, token, "entra_token has an embedded NUL");
    }
    /// Access token of the token service, for example from your own server.
    ClientOptions& access_token(std::string_view token) {
        return set(access_token_, token, "access_token has an embedded NUL");
    }
    /// Path, in UTF-8, of a PEM file with additional certificate authorities to trust.
    ClientOptions& ca_file(std::string_view path) { return set(ca_file_, path, "ca_file has an embedded NUL"); }
    /// Like ca_file(), but the PEM text itself.
    ClientOptions& ca_pem(std::string_view pem) { return set(ca_pem_, pem, "ca_pem has an embedded NUL"); }
    /// HTTP proxy: "system" (the default: HTTPS_PROXY and the like, or the system's settings), "none", or
    /// `http://host:port`.
    ClientOptions& proxy(std::string_view proxy) { return set(proxy_, proxy, "proxy has an embedded NUL"); }
    /// Text to add to the User-Agent header: up to 128 printable ASCII characters.
    ClientOptions& user_agent_suffix(std::string_view suffix) {
        return set(user_agent_suffix_, suffix, "user_agent_suffix has an embedded NUL");
    }
    /// Journal folder, in UTF-8. The journal records created sessions, so that Client::recover_sessions() finds
    /// them after a crash. Calls wait for its disk without a limit.
    ClientOptions& journal_folder(std::string_view path) {
        return set(journal_folder_, path, "journal_folder has an embedded NUL");
    }
    /// Additional session services that Client::recover_sessions() may contact, separated by commas.
    ClientOptions& trusted_endpoints(std::string_view endpoints) {
        return set(trusted_endpoints_, endpoints, "trusted_endpoints has an embedded NUL");
    }
    ClientOptions& api_version(ApiVersion version) noexcept {
        raw_.api_version = static_cast<arr_api_version>(version);
        return *this;
    }
    ClientOptions& trust(Trust trust) noexcept {
        raw_.trust = static_cast<arr_trust>(trust);
        return *this;
    }
    /// What to log for Client::pump_log(). Default off.
    ClientOptions& log_level(LogLevel level) noexcept {
        raw_.log_level = static_cast<arr_log_level>(level);
        return *this;
    }
    /// Time limit of a call without a CallTimeout, retries included. 1 ms to a day; 0 is the default, 60 s.
    ClientOptions& call_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.call_timeout_ms, time, "call_timeout is not a time from 0 to a day");
    }
    /// Time limit of one request. 1 ms to a day; 0 is the default, 15 s.
    ClientOptions& attempt_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.attempt_timeout_ms, time, "attempt_timeout is not a time from 0 to a day");
    }
    /// Time limit of connecting. 1 ms to a day; 0 is the default, 5 s.
    ClientOptions& connect_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.connect_timeout_ms, time, "connect_timeout is not a time from 0 to a day");
    }
    /// Interval between reads of a starting session, while it is waited for or watched. 1 s to a day; 1 ms to a day if
    /// the service is on this machine. After a failure, the next read respects Retry-After.
    ///
    /// 0 is the default: 10 s; 2 s for a standard session with REST 2021-01-01; 250 ms if the service is on this
    /// machine.
    ClientOptions& poll_interval(WholeMilliseconds time) noexcept {
        return set(raw_.poll_interval_ms, time, "poll_interval is not a time from 0 to a day");
    }
    /// How long the cached properties of a ready session count as current, and the interval at which watched ones are
    /// listed. Same range; 0 is the default, 30 s.
    ClientOptions& ready_poll_interval(WholeMilliseconds time) noexcept {
        return set(raw_.ready_poll_interval_ms, time, "ready_poll_interval is not a time from 0 to a day");
    }
    /// Maximum number of retries after transient failures: 1 to 100; 0 is the default, 4.
    ClientOptions& max_retries(std::int32_t retries) noexcept {
        raw_.max_retries = retries;
        return *this;
    }
    /// Reports every failure immediately.
    ClientOptions& no_retries() noexcept { return max_retries(ARR_RETRIES_NONE); }
    /// Delay before the first retry. 100 ms to a day; 1 ms to a day if the service is on this machine; 0 is the
    /// default, 500 ms.
    ClientOptions& retry_delay(WholeMilliseconds time) noexcept {
        return set(raw_.retry_delay_ms, time, "retry_delay is not a time from 0 to a day");
    }
    /// Whether the application answers EventType::token_needed with Client::set_token(). Has no effect with
    /// account_key.
    ClientOptions& token_on_request(bool on = true) noexcept {
        raw_.token_on_request = on ? 1 : 0;
        return *this;
    }

    /// Passes the C struct to `use(const arr_client_options*)` and returns its Result; or fails for `function` if a
    /// value does not fit.
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        // Pointers are set only here, so the object can be copied and moved.
        arr_client_options raw = raw_;
        raw.account_id = account_id_.c_str();
        raw.account_domain = account_domain_.c_str();
        raw.service_endpoint = service_endpoint_.c_str();
        raw.account_key = account_key_.c_str();
        raw.entra_token = entra_token_.c_str();
        raw.access_token = access_token_.c_str();
        raw.ca_file = ca_file_.c_str();
        raw.ca_pem = ca_pem_.c_str();
        raw.proxy = proxy_.c_str();
        raw.user_agent_suffix = user_agent_suffix_.c_str();
        raw.journal_folder = journal_folder_.c_str();
        raw.trusted_endpoints = trusted_endpoints_.c_str();
        return use(&raw);
    }

private:
    ClientOptions& set(detail::Secret& place, std::string_view text, const char* refusal) {
        place = refusal_.text(text, refusal);
        return *this;
    }
    ClientOptions& set(std::uint32_t& place, WholeMilliseconds time, const char* refusal) noexcept {
        place = refusal_.units(time, refusal);
        return *this;
    }

    arr_client_options raw_;
    // Empty means absent.
    detail::Secret account_id_, account_domain_, service_endpoint_, account_key_, entra_token_, access_token_, ca_file_, ca_pem_,
        proxy_, user_agent_suffix_, journal_folder_, trusted_endpoints_;
    detail::Refusal refusal_;
};

/// Options of a new session: an arr_session_create_options. Required: max_lease.
class SessionOptions {
public:
    SessionOptions() noexcept { arr_session_create_options_init(&raw_, sizeof raw_); }

    /// Size of the server. Default SessionSize::standard.
    SessionOptions& size(SessionSize size) noexcept {
        raw_.size = static_cast<arr_session_size>(size);
        return *this;
    }
    /// Lease, counted from the moment the session is ready: 1 s to 365 days; with REST 2021-01-01 up to a day, rounded
    /// up to whole minutes. There is no default, because the lease bounds what a forgotten session costs.
    SessionOptions& max_lease(WholeSeconds lease) noexcept {
        raw_.max_lease_seconds = refusal_.units(lease, "max_lease is not a time from 1 s to 365 days");
        return *this;
    }
    /// Session id. Only with REST 2021-01-01. Empty or not set: a new GUID.
    SessionOptions& session_id(std::string_view id) {
        session_id_ = refusal_.text(id, "session_id has an embedded NUL");
        return *this;
    }
    /// Adds a model to load before the session is ready: the URL of its asset container. Only with REST v1; at most
    /// 1000.
    SessionOptions& add_model(std::string_view url) {
        models_.push_back(refusal_.text(url, "a model's URL has an embedded NUL"));
        return *this;
    }
    /// Additional members of the request, as a JSON object of at most 64 KiB and 16 levels.
    SessionOptions& extra_json(std::string_view json) {
        extra_json_ = refusal_.text(json, "extra_json has an embedded NUL");
        return *this;
    }

    /// Passes the C struct to `use(const arr_session_create_options*)` and returns its Result; or fails for
    /// `function` if a value does not fit.
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        std::vector<const char*> models;
        models.reserve(models_.size());
        for (const detail::Secret& model : models_) {
            models.push_back(model.c_str());
        }
        arr_session_create_options raw = raw_;
        raw.session_id = session_id_ ? session_id_->c_str() : nullptr;
        raw.models = models.empty() ? nullptr : models.data();
        raw.model_count = models.size();
        raw.extra_json = extra_json_ ? extra_json_->c_str() : nullptr;
        return use(&raw);
    }

private:
    arr_session_create_options raw_;
    std::optional<detail::Secret> session_id_, extra_json_;
    std::vector<detail::Secret> models_;
    detail::Refusal refusal_;
};

/// How to watch a session: an arr_watch_options.
class WatchOptions {
public:
    WatchOptions() noexcept { arr_watch_options_init(&raw_, sizeof raw_); }

    /// How long before the end of the lease EventType::lease_expiring comes. Default 5 minutes; 0: never.
    WatchOptions& warn_before(WholeSeconds time) noexcept {
        raw_.warn_before_seconds = refusal_.units(time, "warn_before is not a number of seconds that fits 32 bits");
        return *this;
    }
    /// Whether the session is stopped when its client is shut down or freed. Default no.
    WatchOptions& stop_on_shutdown(bool stop = true) noexcept {
        raw_.stop_on_shutdown = stop ? 1 : 0;
        return *this;
    }
    /// What Client::suspend() does with it. Default OnSuspend::leave.
    WatchOptions& on_suspend(OnSuspend what) noexcept {
        raw_.on_suspend = static_cast<arr_on_suspend>(what);
        return *this;
    }
    /// For OnSuspend::extend: the lease that must remain. Default 10 minutes.
    WatchOptions& suspend_lease(WholeSeconds time) noexcept {
        raw_.suspend_lease_seconds = refusal_.units(time, "suspend_lease is not a number of seconds that fits 32 bits");
        return *this;
    }

    /// See SessionOptions::with_raw().
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        return use(&raw_);
    }

private:
    arr_watch_options raw_;
    detail::Refusal refusal_;
};

/// How to keep a session alive: an arr_keep_alive_options. Required: cap.
class KeepAliveOptions {
public:
    KeepAliveOptions() noexcept { arr_keep_alive_options_init(&raw_, sizeof raw_); }

    /// The lease is extended when less than this remains: 1 s to 365 days. Default 5 minutes. Smaller values are
    /// raised to 2 minutes with REST 2021-01-01, and to 2 s with REST v1.
    KeepAliveOptions& threshold(WholeSeconds time) noexcept {
        raw_.threshold_seconds = refusal_.units(time, "threshold is not a time from 1 s to 365 days");
        return *this;
    }
    /// By how much the lease is extended: 1 s to 365 days. Default 15 minutes. Two extensions are at least
    /// ready_poll_interval or a minute apart, whichever is shorter: if this would not last until the next, a multiple
    /// of it is used.
    KeepAliveOptions& amount(WholeSeconds time) noexcept {
        raw_.amount_seconds = refusal_.units(time, "amount is not a time from 1 s to 365 days");
        return *this;
    }
    /// Limit of the total lease: 1 s to 365 days. There is no default, because it bounds what the session can cost.
    KeepAliveOptions& cap(WholeSeconds time) noexcept {
        raw_.cap_seconds = refusal_.units(time, "cap is not a time from 1 s to 365 days");
        return *this;
    }
    /// The lease is extended only if the application has pulled events or called Session::touch() within this time.
    /// Default 5 minutes; 0: no such check.
    KeepAliveOptions& liveness(WholeMilliseconds time) noexcept {
        raw_.liveness_ms = refusal_.units(time, "liveness is not a number of milliseconds that fits 32 bits");
        return *this;
    }

    /// See SessionOptions::with_raw().
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        return use(&raw_);
    }

private:
    arr_keep_alive_options raw_;
    detail::Refusal refusal_;
};

/// Which session may be reused: an arr_reuse_options.
class ReuseOptions {
public:
    ReuseOptions() noexcept { arr_reuse_options_init(&raw_, sizeof raw_); }

    /// Minimum remaining lease. Default 10 minutes.
    ReuseOptions& min_remaining(WholeSeconds time) noexcept {
        raw_.min_remaining_seconds = refusal_.units(time, "min_remaining is not a number of seconds that fits 32 bits");
        return *this;
    }
    /// Id of the session to check first, for example one that the application stored.
    ReuseOptions& session_id(std::string_view id) {
        session_id_ = refusal_.text(id, "session_id has an embedded NUL");
        return *this;
    }

    /// See SessionOptions::with_raw().
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        arr_reuse_options raw = raw_;
        raw.session_id = session_id_ ? session_id_->c_str() : nullptr;
        return use(&raw);
    }

private:
    arr_reuse_options raw_;
    std::optional<detail::Secret> session_id_;
    detail::Refusal refusal_;
};

}  // namespace arr
