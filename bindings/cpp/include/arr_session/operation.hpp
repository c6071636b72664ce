// A started operation. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "handle.hpp"
#include "properties.hpp"
#include "result.hpp"
#include "time.hpp"
#include "token.hpp"

#include <cstddef>
#include <cstdint>

namespace arr {

class Session;
class SessionList;
struct ReusedSession;

/// An operation started by a start_ function. It ends exactly once.
///
/// Keep it until it has ended: EventType::operation_ended, poll() or wait() report that. Freeing a running operation
/// cancels it, but a stop continues. Its result may be taken any number of times. All functions are thread-safe.
class Operation : public detail::Owner<Operation, arr_operation> {
public:
    /// An empty handle.
    Operation() noexcept = default;

    /// Which function started it.
    Result<OperationKind> kind() const {
        return detail::filled<OperationKind>(arr_operation_kind{}, [&](arr_operation_kind* kind, arr_error_info* error) {
            return arr_operation_get_kind(get(), kind, error);
        });
    }

    /// Its state. Cheap enough to call in every frame: does not block or allocate.
    Result<OperationState> poll() const {
        return detail::filled<OperationState>(arr_operation_state{}, [&](arr_operation_state* state, arr_error_info* error) {
            return arr_operation_poll(get(), state, error);
        });
    }

    /// Waits until it has ended, even by failing. Status::timeout if it is still running. Blocks.
    Result<OperationState> wait(WaitTimeout timeout) const {
        arr_error_info error = detail::error_info();
        arr_operation_state state{};
        const arr_status status = arr_operation_wait(get(), &state, timeout.raw(), &error);
        if (status != ARR_OK) {
            return detail::quiet_error(status, error);
        }
        return static_cast<OperationState>(state);
    }

    /// Cancels it immediately. If a cancelled create still receives a session, the library stops that session. Does
    /// not block.
    Result<void> cancel() const {
        return detail::attempt([&](arr_error_info* error) { return arr_operation_cancel(get(), error); });
    }

    /// Its outcome: what the blocking function would have returned. Status::pending while it is running.
    Result<void> result() const {
        return detail::attempt([&](arr_error_info* error) { return arr_operation_get_error(get(), error); });
    }

    /// The session of a create, an open or a reuse. Each call returns a new handle. Defined in session.hpp.
    Result<Session> session() const;

    /// The same with its cached properties, and whether it already existed. Defined in session.hpp.
    Result<ReusedSession> reused_session() const;

    /// The properties from a read, a wait or a lease update.
    Result<SessionProperties> properties() const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_operation_get_properties(get(), properties, error);
        });
    }

    /// The sessions of a list or a recovery. Each call returns a new list. Defined in session_list.hpp.
    Result<SessionList> list() const;

    /// The access token of Client::start_get_token().
    Result<Token> token() const {
        return detail::token_from([&](char* buffer, std::size_t capacity, std::size_t* needed,
                                      std::uint32_t* remaining_seconds, arr_error_info* error) {
            return arr_operation_get_token(get(), buffer, capacity, needed, remaining_seconds, error);
        });
    }

    /// The result of Session::start_stop().
    Result<StopResult> stop_result() const {
        return detail::filled<StopResult>(std::int32_t{0}, [&](std::int32_t* already_gone, arr_error_info* error) {
            return arr_operation_get_stop(get(), already_gone, error);
        });
    }

    /// The result of Client::start_stop_all(). Sets `counts` even if some sessions could not be stopped.
    Result<void> stop_all_result(StopAllResult& counts) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_operation_get_stop_all(get(), counts.out(), error);
        });
    }
};

static_assert(sizeof(Operation) == sizeof(void*), "an Operation is as large as its handle");

}  // namespace arr
