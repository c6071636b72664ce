// What clients and sessions are made from. SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each is a builder that owns its texts: it may be given temporaries, copied, moved, kept and used again. Its defaults are the
// library's. What cannot be told to the library (a negative time, a text with a NUL inside) is remembered, and the call that
// uses the options fails with Status::invalid_argument; every other check is the library's own.
#pragma once

#include "enums.hpp"
#include "result.hpp"
#include "secret.hpp"
#include "text.hpp"
#include "time.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arr {
namespace detail {

/// The first setting that cannot be told to the library.
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
    template <typename Copy = std::string>
    Copy text(std::string_view text, const char* what) {
        if (!is_whole_in_c(text)) {
            note(what);
        }
        return Copy(text);
    }
    explicit operator bool() const noexcept { return what_ != nullptr; }
    Error error(const char* function) const noexcept {
        return Error::of_usage(Status::invalid_argument, function, what_);
    }

private:
    const char* what_ = nullptr;
};

}  // namespace detail

/// What a Client is made from: an arr_client_options. Give account_id, account_domain, service_endpoint and exactly one of
/// account_key, entra_token and access_token. Its copy of the credential is wiped when it ends: let it end when the client is made.
class ClientOptions {
public:
    ClientOptions() noexcept { arr_client_options_init(&raw_, sizeof raw_); }

    /// The account's id, a GUID.
    ClientOptions& account_id(std::string_view id) { return set(account_id_, id, "account_id has a NUL inside"); }
    /// Where the account was made: its account domain, or just the region ("westus2"), or the URL of a token service.
    ClientOptions& account_domain(std::string_view domain) {
        return set(account_domain_, domain, "account_domain has a NUL inside");
    }
    /// Where sessions run: a region, the session service's host, or its URL.
    ClientOptions& service_endpoint(std::string_view endpoint) {
        return set(service_endpoint_, endpoint, "service_endpoint has a NUL inside");
    }
    /// The account's key. For development: never ship it in an application.
    ClientOptions& account_key(std::string_view key) { return set(account_key_, key, "account_key has a NUL inside"); }
    /// A token of Microsoft Entra ID.
    ClientOptions& entra_token(std::string_view token) {
        return set(entra_token_, token, "entra_token has a NUL inside");
    }
    /// A ready access token of the token service, for example from a server of your own.
    ClientOptions& access_token(std::string_view token) {
        return set(access_token_, token, "access_token has a NUL inside");
    }
    /// The path, in UTF-8, of a PEM file with further certificate authorities to trust.
    ClientOptions& ca_file(std::string_view path) { return set(ca_file_, path, "ca_file has a NUL inside"); }
    /// The same as text.
    ClientOptions& ca_pem(std::string_view pem) { return set(ca_pem_, pem, "ca_pem has a NUL inside"); }
    /// "system" (the default), "none", or `http://host:port`.
    ClientOptions& proxy(std::string_view proxy) { return set(proxy_, proxy, "proxy has a NUL inside"); }
    /// Text to add to the User-Agent header: up to 128 printable ASCII characters.
    ClientOptions& user_agent_suffix(std::string_view suffix) {
        return set(user_agent_suffix_, suffix, "user_agent_suffix has a NUL inside");
    }
    /// The path, in UTF-8, of a file that remembers which sessions were created: Client::recover_sessions() finds them after
    /// a crash.
    ClientOptions& journal_path(std::string_view path) {
        return set(journal_path_, path, "journal_path has a NUL inside");
    }
    ClientOptions& api_version(ApiVersion version) noexcept {
        raw_.api_version = static_cast<arr_api_version>(version);
        return *this;
    }
    ClientOptions& trust(Trust trust) noexcept {
        raw_.trust = static_cast<arr_trust>(trust);
        return *this;
    }
    /// What is written to the log that Client::pump_log() hands out. Default off.
    ClientOptions& log_level(LogLevel level) noexcept {
        raw_.log_level = static_cast<arr_log_level>(level);
        return *this;
    }
    /// How long a REST call may take in all, repetitions included. 1 ms to a day; 0: the default, a minute.
    ClientOptions& call_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.call_timeout_ms, time, "call_timeout is no time from 0 to a day");
    }
    /// How long one request may take. 1 ms to a day; 0: the default, 15 s.
    ClientOptions& attempt_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.attempt_timeout_ms, time, "attempt_timeout is no time from 0 to a day");
    }
    /// How long connecting may take. 1 ms to a day; 0: the default, 5 s.
    ClientOptions& connect_timeout(WholeMilliseconds time) noexcept {
        return set(raw_.connect_timeout_ms, time, "connect_timeout is no time from 0 to a day");
    }
    /// How often a session that starts is read while it is waited for. A second to a day, towards this machine from 1 ms; 0:
    /// the default, as the service asks.
    ClientOptions& poll_interval(WholeMilliseconds time) noexcept {
        return set(raw_.poll_interval_ms, time, "poll_interval is no time from 0 to a day");
    }
    /// How long what was read of a ready session counts as current. The same range; 0: the default, 30 s.
    ClientOptions& ready_poll_interval(WholeMilliseconds time) noexcept {
        return set(raw_.ready_poll_interval_ms, time, "ready_poll_interval is no time from 0 to a day");
    }
    /// How often a request that failed for a passing reason is repeated: 1 to 100; 0: the default, 4.
    ClientOptions& max_retries(std::int32_t retries) noexcept {
        raw_.max_retries = retries;
        return *this;
    }
    /// Every failure is told at once.
    ClientOptions& no_retries() noexcept { return max_retries(ARR_RETRIES_NONE); }
    /// How long the first repetition waits. 100 ms to a day, towards this machine from 1 ms; 0: the default, 500 ms.
    ClientOptions& retry_delay(WholeMilliseconds time) noexcept {
        return set(raw_.retry_delay_ms, time, "retry_delay is no time from 0 to a day");
    }
    /// Whether the application answers EventType::token_needed by Client::set_token(). Only with entra_token or access_token.
    ClientOptions& token_on_request(bool on = true) noexcept {
        raw_.token_on_request = on ? 1 : 0;
        return *this;
    }

    /// Gives the C struct to `use(const arr_client_options*)`, which gives a Result: or fails for `function` at once.
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        // The pointers are made for this moment: so the object can be copied and moved.
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
        raw.journal_path = journal_path_.c_str();
        return use(&raw);
    }

private:
    template <typename Text>
    ClientOptions& set(Text& place, std::string_view text, const char* refusal) {
        place = refusal_.text<Text>(text, refusal);
        return *this;
    }
    ClientOptions& set(std::uint32_t& place, WholeMilliseconds time, const char* refusal) noexcept {
        place = refusal_.units(time, refusal);
        return *this;
    }

    arr_client_options raw_;
    // Empty is absent.
    std::string account_id_, account_domain_, service_endpoint_, ca_file_, ca_pem_, proxy_, user_agent_suffix_, journal_path_;
    detail::Secret account_key_, entra_token_, access_token_;
    detail::Refusal refusal_;
};

/// What a new session shall be: an arr_session_create_options. Give the lease.
class SessionOptions {
public:
    SessionOptions() noexcept { arr_session_create_options_init(&raw_, sizeof raw_); }

    /// Default SessionSize::standard.
    SessionOptions& size(SessionSize size) noexcept {
        raw_.size = static_cast<arr_session_size>(size);
        return *this;
    }
    /// After how long ready the session ends by itself: a second to 365 days; with REST 2021-01-01 up to a day, rounded up to
    /// minutes. No default: it bounds what a forgotten session costs.
    SessionOptions& max_lease(WholeSeconds lease) noexcept {
        raw_.max_lease_seconds = refusal_.units(lease, "max_lease is no time from 1 s to 365 days");
        return *this;
    }
    /// The id that the session shall have. Only with REST 2021-01-01; not given: a new GUID.
    SessionOptions& session_id(std::string_view id) {
        session_id_ = refusal_.text(id, "session_id has a NUL inside");
        return *this;
    }
    /// A model to load before the session is ready: the URL of its asset container. Only with REST v1; at most 1000.
    SessionOptions& add_model(std::string_view url) {
        models_.push_back(refusal_.text(url, "a model's URL has a NUL inside"));
        return *this;
    }
    /// Further members for the request, as a JSON object of at most 64 KiB.
    SessionOptions& extra_json(std::string_view json) {
        extra_json_ = refusal_.text(json, "extra_json has a NUL inside");
        return *this;
    }

    /// Gives the C struct to `use(const arr_session_create_options*)`, which gives a Result: or fails for `function` at once.
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        std::vector<const char*> models;
        models.reserve(models_.size());
        for (const std::string& model : models_) {
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
    std::optional<std::string> session_id_, extra_json_;
    std::vector<std::string> models_;
    detail::Refusal refusal_;
};

/// How a session is watched: an arr_watch_options.
class WatchOptions {
public:
    WatchOptions() noexcept { arr_watch_options_init(&raw_, sizeof raw_); }

    /// How long before its lease ends EventType::lease_expiring comes. Default 5 minutes; 0: it does not come.
    WatchOptions& warn_before(WholeSeconds time) noexcept {
        raw_.warn_before_seconds = refusal_.units(time, "warn_before is no time in seconds that fits 32 bits");
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
    /// With OnSuspend::extend: how much of the lease is to be left at least. Default 10 minutes.
    WatchOptions& suspend_lease(WholeSeconds time) noexcept {
        raw_.suspend_lease_seconds = refusal_.units(time, "suspend_lease is no time in seconds that fits 32 bits");
        return *this;
    }

    /// As SessionOptions::with_raw().
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

/// How a session is kept alive: an arr_keep_alive_options. Give the cap.
class KeepAliveOptions {
public:
    KeepAliveOptions() noexcept { arr_keep_alive_options_init(&raw_, sizeof raw_); }

    /// Extend when less than this is left of the lease: a second to 365 days. Default 5 minutes.
    KeepAliveOptions& threshold(WholeSeconds time) noexcept {
        raw_.threshold_seconds = refusal_.units(time, "threshold is no time from 1 s to 365 days");
        return *this;
    }
    /// By how much: a second to 365 days. Default 15 minutes.
    KeepAliveOptions& amount(WholeSeconds time) noexcept {
        raw_.amount_seconds = refusal_.units(time, "amount is no time from 1 s to 365 days");
        return *this;
    }
    /// The most that the whole lease may become, a second to 365 days: what the session can cost. No default.
    KeepAliveOptions& cap(WholeSeconds time) noexcept {
        raw_.cap_seconds = refusal_.units(time, "cap is no time from 1 s to 365 days");
        return *this;
    }
    /// Extend only while the application has pulled events, or called Session::touch(), within this time. Default 5 minutes;
    /// 0: as long as the process lives.
    KeepAliveOptions& liveness(WholeMilliseconds time) noexcept {
        raw_.liveness_ms = refusal_.units(time, "liveness is no time in milliseconds that fits 32 bits");
        return *this;
    }

    /// As SessionOptions::with_raw().
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

/// Which session is fit to go on with: an arr_resume_options.
class ResumeOptions {
public:
    ResumeOptions() noexcept { arr_resume_options_init(&raw_, sizeof raw_); }

    /// How much of its lease must be left at least. Default 10 minutes.
    ResumeOptions& min_remaining(WholeSeconds time) noexcept {
        raw_.min_remaining_seconds = refusal_.units(time, "min_remaining is no time in seconds that fits 32 bits");
        return *this;
    }
    /// The id of the session to look at first, for example one that the application has kept itself.
    ResumeOptions& session_id(std::string_view id) {
        session_id_ = refusal_.text(id, "session_id has a NUL inside");
        return *this;
    }

    /// As SessionOptions::with_raw().
    template <typename Use>
    auto with_raw(const char* function, Use&& use) const -> decltype(use(nullptr)) {
        if (refusal_) {
            return refusal_.error(function);
        }
        arr_resume_options raw = raw_;
        raw.session_id = session_id_ ? session_id_->c_str() : nullptr;
        return use(&raw);
    }

private:
    arr_resume_options raw_;
    std::optional<std::string> session_id_;
    detail::Refusal refusal_;
};

}  // namespace arr
