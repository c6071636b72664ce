// An operation that was started. SPDX-License-Identifier: MIT OR Apache-2.0
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
struct ResumedSession;

/// An operation that a function whose name begins with start_ has started. It reaches exactly one end.
///
/// Keep it until its end is told by EventType::operation_ended, poll() or wait(): an operation that is freed while it runs is
/// cancelled, but for a stop, which goes on. What it has brought can be taken as often as one likes. Threads: any.
class Operation : public detail::Owner<Operation, arr_operation> {
public:
    /// No operation.
    Operation() noexcept = default;

    /// How far it is. Neither waits nor allocates: for every frame.
    Result<OperationState> poll() const {
        return detail::filled<OperationState>(arr_operation_state{}, [&](arr_operation_state* state, arr_error_info* error) {
            return arr_operation_poll(get(), state, error);
        });
    }

    /// Waits until it has ended, however. Fails with Status::timeout if it is still running. Blocks.
    Result<OperationState> wait(WaitTimeout timeout) const {
        return detail::filled<OperationState>(arr_operation_state{}, [&](arr_operation_state* state, arr_error_info* error) {
            return arr_operation_wait(get(), state, timeout.raw(), error);
        });
    }

    /// Ends it at once; a session whose id comes back to a cancelled create is stopped. Neither waits nor blocks.
    Result<void> cancel() const {
        return detail::attempt([&](arr_error_info* error) { return arr_operation_cancel(get(), error); });
    }

    /// How it has ended: what the blocking function would have returned. Status::pending while it is running.
    Result<void> result() const {
        return detail::attempt([&](arr_error_info* error) { return arr_operation_get_error(get(), error); });
    }

    /// The session that a create, an open or a resume has brought. Each call gives a handle of its own. Defined in session.hpp.
    Result<Session> session() const;

    /// The same with what is known of it, and whether it was there before. Defined in session.hpp.
    Result<ResumedSession> resumed_session() const;

    /// The properties that a read, a wait or an update of the lease has brought.
    Result<SessionProperties> properties() const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_operation_get_properties(get(), properties, error);
        });
    }

    /// The sessions that a list or a recovery has brought. Each call gives a list of its own. Defined in session_list.hpp.
    Result<SessionList> list() const;

    /// The access token that Client::start_get_token() has brought.
    Result<Token> token() const {
        return detail::token_from([&](char* buffer, std::size_t capacity, std::size_t* needed,
                                      std::uint32_t* remaining_seconds, arr_error_info* error) {
            return arr_operation_get_token(get(), buffer, capacity, needed, remaining_seconds, error);
        });
    }

    /// What Session::start_stop() has brought.
    Result<StopResult> stop_result() const {
        return detail::filled<StopResult>(std::int32_t{0}, [&](std::int32_t* already_gone, arr_error_info* error) {
            return arr_operation_get_stop(get(), already_gone, error);
        });
    }

    /// What Client::start_stop_all() has brought: `counts` is filled also if some sessions could not be stopped.
    Result<void> stop_all_result(StopAllResult& counts) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_operation_get_stop_all(get(), counts.out(), error);
        });
    }
};

static_assert(sizeof(Operation) == sizeof(void*), "an Operation costs no more than its handle");

}  // namespace arr
