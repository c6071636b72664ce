// An event. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "handle.hpp"
#include "text.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace arr {

/// An event: an arr_event. Views of it live as long as the object. Allocates nothing.
class Event {
public:
    /// No event.
    Event() noexcept { arr_event_init(&raw_, sizeof raw_); }

    EventType type() const noexcept { return static_cast<EventType>(raw_.type); }
    /// The value that was passed when the operation was started or the session watched.
    std::uint64_t user_data() const noexcept { return raw_.user_data; }
    /// The operation that has ended, or null. Its arr::Operation keeps ownership.
    arr_operation* operation() const noexcept { return raw_.operation; }
    /// Which function started the operation that has ended; none for other events.
    OperationKind operation_kind() const noexcept { return static_cast<OperationKind>(raw_.operation_kind); }
    /// The handle that watches the session, or null. Its arr::Session keeps ownership.
    arr_session* session() const noexcept { return raw_.session; }
    /// Whether it is about this operation, or this handle of a session.
    template <typename Derived, typename Raw>
    bool is_about(const detail::Owner<Derived, Raw>& owner) const noexcept {
        return owner && (static_cast<const void*>(owner.get()) == raw_.operation
                         || static_cast<const void*>(owner.get()) == raw_.session);
    }
    /// Status::ok, or why something failed. Operation::result() and the log have the details.
    Status status() const noexcept { return static_cast<Status>(raw_.status); }
    /// Position of this event among related events, from 0.
    std::uint32_t index() const noexcept { return raw_.index; }
    /// Number of related events.
    std::uint32_t count() const noexcept { return raw_.count; }
    /// Current status of a watched session.
    SessionStatus session_status() const noexcept { return static_cast<SessionStatus>(raw_.session_status); }
    /// Its current total lease.
    std::chrono::seconds max_lease() const noexcept { return std::chrono::seconds(raw_.max_lease_seconds); }
    /// Its remaining lease, now.
    std::chrono::seconds remaining() const noexcept { return std::chrono::seconds(raw_.remaining_seconds); }
    /// create_lost and session_left_running events that were lost before this one because they were not pulled in time.
    std::uint64_t lost() const noexcept { return raw_.lost; }
    /// Id of the session concerned, also if the operation failed; empty if there is none or it is unknown.
    std::string_view session_id() const noexcept { return detail::text_in(raw_.session_id); }

    const arr_event& raw() const noexcept { return raw_; }
    /// For C functions.
    arr_event* out() noexcept { return &raw_; }

private:
    arr_event raw_;
};

}  // namespace arr
