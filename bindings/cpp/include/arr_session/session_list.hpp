// The account's sessions as they were when they were listed. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "handle.hpp"
#include "operation.hpp"
#include "properties.hpp"
#include "result.hpp"
#include "session.hpp"

#include <cstddef>
#include <iterator>

namespace arr {

/// Sessions of an account as they were when they were listed, or recovered. Nothing here sends anything. Threads: any.
///
/// A loop goes over their properties:  `for (const arr::SessionProperties& each : list)`
class SessionList : public detail::Owner<SessionList, arr_session_list> {
public:
    /// No list.
    SessionList() noexcept = default;

    /// How many sessions it has.
    Result<std::size_t> count() const {
        return detail::filled<std::size_t>(std::size_t{0}, [&](std::size_t* count, arr_error_info* error) {
            return arr_session_list_count(get(), count, error);
        });
    }

    /// One of them, from 0 to the count less 1. SessionProperties::known_to_client() tells whether it is this client's.
    Result<SessionProperties> at(std::size_t index) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_list_get(get(), index, properties, error);
        });
    }

    /// A handle of one that Client::recover_sessions() has found; sessions of other lists are opened by their id.
    Result<Session> session(std::size_t index) const {
        return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
            return arr_session_list_get_session(get(), index, session, error);
        });
    }

    /// Goes over the properties. The list must outlive it.
    class Iterator {
    public:
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

static_assert(sizeof(SessionList) == sizeof(void*), "a SessionList costs no more than its handle");

inline Result<SessionList> Operation::list() const {
    return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
        return arr_operation_get_list(get(), list, error);
    });
}

}  // namespace arr
