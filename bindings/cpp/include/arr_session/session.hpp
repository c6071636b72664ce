// A rendering session. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "handle.hpp"
#include "operation.hpp"
#include "options.hpp"
#include "properties.hpp"
#include "result.hpp"
#include "time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace arr {

/// A handle of a rendering session. It keeps what it needs of its client. Several handles of one session know the same.
///
/// Its end frees the handle and ends what was watched by it. **It does not stop the session**, which costs money until it is
/// stopped or its lease ends: that is stop(), or WatchOptions::stop_on_shutdown().
///
/// Functions without start_ that take a CallTimeout talk with the service, and block: keep them off a frame's thread. Threads:
/// any, for all of them.
class Session : public detail::Owner<Session, arr_session> {
public:
    /// No session.
    Session() noexcept = default;

    /// Its id. Sends nothing.
    Result<std::string> id() const {
        return detail::text_from<std::string>(sizeof arr_session_properties::session_id,
                                              [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                  arr_error_info* error) {
                                                  return arr_session_get_id(get(), buffer, capacity, needed, error);
                                              });
    }

    /// Why it failed or ended, as last read: all of it. Empty if there is nothing. Sends nothing.
    Result<std::string> message() const {
        return detail::text_from<std::string>(sizeof arr_session_properties::message,
                                              [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                  arr_error_info* error) {
                                                  return arr_session_get_message(get(), buffer, capacity, needed, error);
                                              });
    }

    /// Reads its properties. With Read::known nothing is sent, and nothing waits.
    Result<SessionProperties> properties(Read how = Read::fresh, CallTimeout timeout = {}) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_get_properties(get(), static_cast<std::uint32_t>(how), properties, timeout.raw(), error);
        });
    }

    /// Sets its whole lease, counted from when it became ready: it can only grow. A second to 365 days. Gives what is known
    /// afterwards.
    Result<SessionProperties> update_lease(WholeSeconds max_lease, CallTimeout timeout = {}) const {
        if (!max_lease.fits()) {
            return lease_refused("arr_session_update_lease");
        }
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_update_lease(get(), max_lease.count(), properties, timeout.raw(), error);
        });
    }

    /// Waits until it is ready. May be called in short slices, which costs no extra request. Status::timeout if it is not
    /// ready yet; Status::session_ended or Status::session_failed if it never will be.
    Result<SessionProperties> wait_until_ready(WaitTimeout timeout) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_wait_until_ready(get(), properties, timeout.raw(), error);
        });
    }

    /// The same; `last` receives what was read last, also on Status::timeout, session_ended and session_failed.
    Result<void> wait_until_ready(WaitTimeout timeout, SessionProperties& last) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_session_wait_until_ready(get(), last.out(), timeout.raw(), error);
        });
    }

    /// Stops it: its server is given back and costs no more. After a failure it may still be running: stop it again.
    Result<StopResult> stop(CallTimeout timeout = {}) const {
        return detail::filled<StopResult>(std::int32_t{0}, [&](std::int32_t* already_gone, arr_error_info* error) {
            return arr_session_stop(get(), already_gone, timeout.raw(), error);
        });
    }

    /// The session in numbers, as it is now. For every frame: it sends, waits and allocates nothing.
    Result<Snapshot> snapshot() const {
        return detail::filled_struct<Snapshot>([&](arr_snapshot* snapshot, arr_error_info* error) {
            return arr_session_snapshot(get(), snapshot, error);
        });
    }

    /// Has the library read it at the poll intervals, and tell by events what becomes of it. Calling it again changes the
    /// options. Ends with this handle. Does not block.
    Result<void> watch(const WatchOptions& options = {}, std::uint64_t user_data = 0) const {
        return options.with_raw("arr_session_watch", [&](const arr_watch_options* raw) {
            return detail::attempt([&](arr_error_info* error) {
                return arr_session_watch(get(), raw, user_data, error);
            });
        });
    }

    /// Ends watching and keeping alive.
    Result<void> end_watch() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_watch(get(), nullptr, 0, error); });
    }

    /// Has the library extend its lease whenever it runs low, up to a cap. It must be watched by this handle. Does not block.
    Result<void> keep_alive(const KeepAliveOptions& options) const {
        return options.with_raw("arr_session_keep_alive", [&](const arr_keep_alive_options* raw) {
            return detail::attempt([&](arr_error_info* error) { return arr_session_keep_alive(get(), raw, error); });
        });
    }

    /// Ends keeping alive; watching goes on.
    Result<void> end_keep_alive() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_keep_alive(get(), nullptr, error); });
    }

    /// Shows that the application is alive, for one that does not pull events. Neither waits nor allocates.
    Result<void> touch() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_touch(get(), error); });
    }

    /// Starts what properties() does; Operation::properties() gives them.
    Result<Operation> start_properties(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_get_properties_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts what update_lease() does; Operation::properties() gives what is known afterwards.
    Result<Operation> start_update_lease(WholeSeconds max_lease, std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        if (!max_lease.fits()) {
            return lease_refused("arr_session_update_lease_start");
        }
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_update_lease_start(get(), max_lease.count(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts what wait_until_ready() does; Operation::properties() gives the properties of the session that is ready.
    Result<Operation> start_wait_until_ready(std::uint64_t user_data = 0, WaitTimeout timeout = forever) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_wait_until_ready_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts what stop() does; Operation::stop_result() gives the result. It goes on when the operation is freed or the
    /// client ends.
    Result<Operation> start_stop(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_stop_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

private:
    static Error lease_refused(const char* function) noexcept {
        return Error::of_usage(Status::invalid_argument, function, "max_lease is no time from 1 s to 365 days");
    }
};

static_assert(sizeof(Session) == sizeof(void*), "a Session costs no more than its handle");

/// A session that was resumed, or created because there was none to resume.
struct ResumedSession {
    Session session;
    SessionProperties properties;
    /// Whether it was there before.
    bool resumed = false;
};

namespace detail {

/// call(arr_session**, arr_session_properties*, int32_t* resumed, arr_error_info*)
template <typename Call>
Result<ResumedSession> resumed_session(Call&& call) {
    Error error;
    ResumedSession all;
    arr_session* session = nullptr;
    std::int32_t resumed = 0;
    if (call(&session, all.properties.out(), &resumed, error.out()) != ARR_OK) {
        return error;
    }
    all.session = Session::adopt(session);
    all.resumed = resumed != 0;
    return all;
}

}  // namespace detail

inline Result<Session> Operation::session() const {
    return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
        return arr_operation_get_session(get(), session, nullptr, nullptr, error);
    });
}

inline Result<ResumedSession> Operation::resumed_session() const {
    return detail::resumed_session([&](arr_session** session, arr_session_properties* properties, std::int32_t* resumed,
                                       arr_error_info* error) {
        return arr_operation_get_session(get(), session, properties, resumed, error);
    });
}

}  // namespace arr
