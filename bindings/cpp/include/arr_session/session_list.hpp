// The account's sessions at one time. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "handle.hpp"
#include "operation.hpp"
#include "properties.hpp"
#include "result.hpp"
#include "session.hpp"

#include <cstddef>
#include <string>

namespace arr {

/// An account's sessions at the time of a list or recovery. Sends nothing. All functions are thread-safe.
///
/// A loop iterates over their properties: `for (const arr::SessionProperties& each : list)`
class SessionList : public detail::Owner<SessionList, arr_session_list> {
public:
    /// An empty handle.
    SessionList() noexcept = default;

    /// Number of sessions.
    Result<std::size_t> count() const {
        return detail::filled<std::size_t>(std::size_t{0}, [&](std::size_t* count, arr_error_info* error) {
            return arr_session_list_count(get(), count, error);
        });
    }

    /// Properties of a session, 0 to count() - 1. SessionProperties::known_to_client() says whether this client
    /// created or opened it.
    Result<SessionProperties> at(std::size_t index) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_list_get(get(), index, properties, error);
        });
    }

    /// A handle of a session from Client::recover_sessions(). Open sessions of other lists by their id.
    Result<Session> session(std::size_t index) const {
        return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
            return arr_session_list_get_session(get(), index, session, error);
        });
    }

    /// Iterates over the properties. The list must outlive it.
    class Iterator {
    public:
        // From <string>, which defines it too: <iterator> is large.
        using iterator_category = std::input_iterator_tag;
        using value_type = SessionProperties;
        using difference_type = std::ptrdiff_t;
        using pointer = const SessionProperties*;
        using reference = SessionProperties;

        Iterator(const SessionList& list, std::size_t index) noexcept : list_(&list), index_(index) {}
        SessionProperties operator*() const { return list_->at(index_).value(); }
        Iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const Iterator& a, const Iterator& b) noexcept { return !(a == b); }

    private:
        const SessionList* list_;
        std::size_t index_;
    };

    Iterator begin() const noexcept { return Iterator(*this, 0); }
    /// An empty handle has no sessions.
    Iterator end() const { return Iterator(*this, count().value_or(std::size_t{0})); }
};

static_assert(sizeof(SessionList) == sizeof(void*), "a SessionList is as large as its handle");

inline Result<SessionList> Operation::list() const {
    return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
        return arr_operation_get_list(get(), list, error);
    });
}

}  // namespace arr
