// What is known of a session. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace arr {

/// What the service said of a session: an arr_session_properties. Views of it live as long as it does. Allocates nothing.
class SessionProperties {
public:
    /// Nothing known.
    SessionProperties() noexcept { arr_session_properties_init(&raw_, sizeof raw_); }

    SessionStatus status() const noexcept { return static_cast<SessionStatus>(raw_.status); }
    SessionSize size() const noexcept { return static_cast<SessionSize>(raw_.size); }
    /// The session's id.
    std::string_view session_id() const noexcept { return detail::text_in(raw_.session_id); }
    /// The host that renders; empty while the session is not ready.
    std::string_view hostname() const noexcept { return detail::text_in(raw_.hostname); }
    /// The port of the ARR inspector on the host; 0 if there is none.
    int arr_inspector_port() const noexcept { return raw_.arr_inspector_port; }
    /// The port of the rendering connection's handshake on the host; 0 if there is none.
    int handshake_port() const noexcept { return raw_.handshake_port; }
    /// The whole lease, counted from when the session became ready; 0 if the service did not say.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// How much of it is used; 0 also if the service did not say. With REST 2021-01-01 whole minutes.
    std::chrono::seconds elapsed() const noexcept { return std::chrono::seconds(raw_.elapsed_seconds); }
    /// How much of it was left when the service answered.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// How long ago the service said all this.
    std::chrono::milliseconds age() const noexcept { return std::chrono::milliseconds(raw_.age_ms); }
    /// Whether this client created or opened the session.
    bool known_to_client() const noexcept { return raw_.known_to_client != 0; }
    /// In a list of recovered sessions: how certain it is that it is ours.
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
    /// The computing power of its server; 0 until it has one, and with REST v1.
    double teraflops() const noexcept { return raw_.teraflops; }
    /// The service's code for why it failed; empty with REST v1.
    std::string_view error_code() const noexcept { return detail::text_in(raw_.error_code); }
    /// Why it failed or ended, where the service says so, cut to 511 bytes: Session::message() has all of it.
    std::string_view message() const noexcept { return detail::text_in(raw_.message); }
    /// How long the message was before it was cut.
    std::size_t message_length() const noexcept { return raw_.message_length; }

    const arr_session_properties& raw() const noexcept { return raw_; }
    /// For a call of a C function.
    arr_session_properties* out() noexcept { return &raw_; }

private:
    arr_session_properties raw_;
};

/// A session in numbers, as it is now: an arr_snapshot.
class Snapshot {
public:
    /// Nothing known.
    Snapshot() noexcept { arr_snapshot_init(&raw_, sizeof raw_); }

    SessionStatus status() const noexcept { return static_cast<SessionStatus>(raw_.status); }
    SessionSize size() const noexcept { return static_cast<SessionSize>(raw_.size); }
    /// As in SessionProperties.
    int arr_inspector_port() const noexcept { return raw_.arr_inspector_port; }
    /// As in SessionProperties.
    int handshake_port() const noexcept { return raw_.handshake_port; }
    /// The whole lease, counted from when the session became ready; 0 if it is not known.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// How much of it is used by now.
    std::chrono::seconds elapsed() const noexcept { return std::chrono::seconds(raw_.elapsed_seconds); }
    /// What is left of it by now; 0 if the lease is not known.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// How long ago the service told this.
    std::chrono::milliseconds age() const noexcept { return std::chrono::milliseconds(raw_.age_ms); }
    /// Counts what has changed besides the time: when it is another than in the last frame, Session::properties() with
    /// Read::known has new texts.
    std::uint64_t revision() const noexcept { return raw_.revision; }

    const arr_snapshot& raw() const noexcept { return raw_; }
    /// For a call of a C function.
    arr_snapshot* out() noexcept { return &raw_; }

private:
    arr_snapshot raw_;
};

/// What became of many sessions: an arr_stop_all_result.
class StopAllResult {
public:
    StopAllResult() noexcept { arr_stop_all_result_init(&raw_, sizeof raw_); }

    /// How many were stopped.
    std::uint32_t stopped() const noexcept { return raw_.stopped; }
    /// How many had ended already.
    std::uint32_t already_gone() const noexcept { return raw_.already_gone; }
    /// How many may still be running.
    std::uint32_t failed() const noexcept { return raw_.failed; }

    const arr_stop_all_result& raw() const noexcept { return raw_; }
    /// For a call of a C function.
    arr_stop_all_result* out() noexcept { return &raw_; }

private:
    arr_stop_all_result raw_;
};

/// What a stop has brought.
struct StopResult {
    /// From what the C functions give.
    explicit StopResult(std::int32_t gone = 0) noexcept : already_gone(gone != 0) {}

    /// Whether the service said that the session had ended before.
    bool already_gone;
};

}  // namespace arr
