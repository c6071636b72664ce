// Properties of a session. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace arr {

/// Properties of a session: an arr_session_properties. Views of it live as long as the object. Allocates nothing.
class SessionProperties {
public:
    /// Empty.
    SessionProperties() noexcept { arr_session_properties_init(&raw_, sizeof raw_); }

    SessionStatus status() const noexcept { return static_cast<SessionStatus>(raw_.status); }
    SessionSize size() const noexcept { return static_cast<SessionSize>(raw_.size); }
    /// Session id.
    std::string_view session_id() const noexcept { return detail::text_in(raw_.session_id); }
    /// Host that renders; empty until the session is ready.
    std::string_view hostname() const noexcept { return detail::text_in(raw_.hostname); }
    /// Port of the ARR inspector on the host; 0 if there is none.
    int arr_inspector_port() const noexcept { return raw_.arr_inspector_port; }
    /// Port for the handshake of the rendering connection on the host; 0 if there is none.
    int handshake_port() const noexcept { return raw_.handshake_port; }
    /// Total lease, counted from the moment the session became ready; 0 if the service did not say.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// Used part of the lease; 0 if the service did not say. In properties from Client::list_sessions(), this is the
    /// value that the service reported (whole minutes with REST 2021-01-01). In all other properties, the time since
    /// that report is added while the session is ready, as in Snapshot.
    std::chrono::seconds elapsed() const noexcept { return std::chrono::seconds(raw_.elapsed_seconds); }
    /// Remaining part of the lease, as of the end of the call or operation.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// Age of the service's report.
    std::chrono::milliseconds age() const noexcept { return std::chrono::milliseconds(raw_.age_ms); }
    /// Whether this client created or opened the session.
    bool known_to_client() const noexcept { return raw_.known_to_client != 0; }
    /// In a list of recovered sessions: how certain it is that the session is ours.
    Claim claim() const noexcept { return static_cast<Claim>(raw_.claim); }
    /// When it was created, by the service's clock; nothing with REST v1.
    std::optional<std::chrono::system_clock::time_point> creation_time() const noexcept {
        if (raw_.creation_time_unix_ms == 0) {
            return std::nullopt;
        }
        const auto since_1970 = std::chrono::milliseconds(static_cast<std::int64_t>(raw_.creation_time_unix_ms));
        return std::chrono::system_clock::time_point(
            std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970));
    }
    /// Computing power of its server; 0 until it has one, and with REST v1.
    double teraflops() const noexcept { return raw_.teraflops; }
    /// The service's code for the failure; empty with REST v1.
    std::string_view error_code() const noexcept { return detail::text_in(raw_.error_code); }
    /// Why the session failed or ended, cut to 511 bytes; empty if the service did not say. Session::message()
    /// returns all of it.
    std::string_view message() const noexcept { return detail::text_in(raw_.message); }
    /// Length of the message before it was cut.
    std::size_t message_length() const noexcept { return raw_.message_length; }

    const arr_session_properties& raw() const noexcept { return raw_; }
    /// For C functions.
    arr_session_properties* out() noexcept { return &raw_; }

private:
    arr_session_properties raw_;
};

/// The numbers of a session, as of now: an arr_snapshot.
class Snapshot {
public:
    /// Empty.
    Snapshot() noexcept { arr_snapshot_init(&raw_, sizeof raw_); }

    SessionStatus status() const noexcept { return static_cast<SessionStatus>(raw_.status); }
    SessionSize size() const noexcept { return static_cast<SessionSize>(raw_.size); }
    /// As in SessionProperties.
    int arr_inspector_port() const noexcept { return raw_.arr_inspector_port; }
    /// As in SessionProperties.
    int handshake_port() const noexcept { return raw_.handshake_port; }
    /// Total lease, counted from the moment the session became ready; 0 if unknown.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// Used part of the lease now.
    std::chrono::seconds elapsed() const noexcept { return std::chrono::seconds(raw_.elapsed_seconds); }
    /// Remaining part of the lease now; 0 if the lease is unknown.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// Age of the service's report.
    std::chrono::milliseconds age() const noexcept { return std::chrono::milliseconds(raw_.age_ms); }
    /// How long the session has been starting: since this client created it, or first read it as starting. 0 if it
    /// is not starting.
    std::chrono::milliseconds starting_for() const noexcept { return std::chrono::milliseconds(raw_.starting_for_ms); }
    /// Counts changes other than the passing of time. If it has changed since the last frame, read the strings with
    /// Session::properties() and Read::known.
    std::uint64_t revision() const noexcept { return raw_.revision; }

    const arr_snapshot& raw() const noexcept { return raw_; }
    /// For C functions.
    arr_snapshot* out() noexcept { return &raw_; }

private:
    arr_snapshot raw_;
};

/// Result of stopping many sessions: an arr_stop_all_result.
class StopAllResult {
public:
    StopAllResult() noexcept { arr_stop_all_result_init(&raw_, sizeof raw_); }

    /// Sessions that were stopped.
    std::uint32_t stopped() const noexcept { return raw_.stopped; }
    /// Sessions that had already ended.
    std::uint32_t already_gone() const noexcept { return raw_.already_gone; }
    /// Sessions that may still be running.
    std::uint32_t failed() const noexcept { return raw_.failed; }

    const arr_stop_all_result& raw() const noexcept { return raw_; }
    /// For C functions.
    arr_stop_all_result* out() noexcept { return &raw_; }

private:
    arr_stop_all_result raw_;
};

/// Result of a stop.
struct StopResult {
    /// From the value of a C function.
    explicit StopResult(std::int32_t gone = 0) noexcept : already_gone(gone != 0) {}

    /// Whether the service replied that the session had already ended.
    bool already_gone;
};

}  // namespace arr
