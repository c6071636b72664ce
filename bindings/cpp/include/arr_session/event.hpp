// Something that happened. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "handle.hpp"
#include "text.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace arr {

/// Something that happened: an arr_event. Views of it live as long as it does. Allocates nothing.
class Event {
public:
    /// Nothing.
    Event() noexcept { arr_event_init(&raw_, sizeof raw_); }

    EventType type() const noexcept { return static_cast<EventType>(raw_.type); }
    /// What was given when the operation was started, or the session watched.
    std::uint64_t user_data() const noexcept { return raw_.user_data; }
    /// The operation that it is about, or null. It belongs to whoever has the arr::Operation.
    arr_operation* operation() const noexcept { return raw_.operation; }
    /// The session that it is about, or null. It belongs to whoever has the arr::Session.
    arr_session* session() const noexcept { return raw_.session; }
    /// Whether it is about this operation, or this handle of a session.
    template <typename Derived, typename Raw>
    bool is_about(const detail::Owner<Derived, Raw>& owner) const noexcept {
        return owner && (static_cast<const void*>(owner.get()) == raw_.operation
                         || static_cast<const void*>(owner.get()) == raw_.session);
    }
    /// Status::ok, or why something failed; Operation::result() and the log tell more.
    Status status() const noexcept { return static_cast<Status>(raw_.status); }
    /// Of several events that belong together: which one this is, from 0.
    std::uint32_t index() const noexcept { return raw_.index; }
    /// How many they are.
    std::uint32_t count() const noexcept { return raw_.count; }
    /// The status as it is now, for events about a session that is watched.
    SessionStatus session_status() const noexcept { return static_cast<SessionStatus>(raw_.session_status); }
    /// Its whole lease as it is now.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// How much of it is left now.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// How many events without a handle were lost before this one, because nobody pulled them in time.
    std::uint64_t lost() const noexcept { return raw_.lost; }
    /// The id of the session that it is about; empty if there is none.
    std::string_view session_id() const noexcept { return detail::text_in(raw_.session_id); }

    const arr_event& raw() const noexcept { return raw_; }
    /// For a call of a C function.
    arr_event* out() noexcept { return &raw_; }

private:
    arr_event raw_;
};

}  // namespace arr
