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

/// A handle of a rendering session. It may outlive its Client object. Handles of the same session share its state.
///
/// Its destructor frees the handle and ends watching. **It does not stop the session**, which costs money until it
/// is stopped or its lease ends: see stop() and WatchOptions::stop_on_shutdown().
///
/// Functions without start_ that take a CallTimeout call the service and block: keep them off the frame thread. All
/// functions are thread-safe.
class Session : public detail::Owner<Session, arr_session> {
public:
    /// An empty handle.
    Session() noexcept = default;

    /// The session's id. Does not block.
    Result<std::string> id() const {
        return detail::text_from<std::string>(sizeof arr_session_properties::session_id,
                                              [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                  arr_error_info* error) {
                                                  return arr_session_get_id(get(), buffer, capacity, needed, error);
                                              });
    }

    /// Why the session failed or ended, in full; empty if there is no reason. Does not block.
    Result<std::string> message() const {
        return detail::text_from<std::string>(sizeof arr_session_properties::message,
                                              [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                  arr_error_info* error) {
                                                  return arr_session_get_message(get(), buffer, capacity, needed, error);
                                              });
    }

    /// The session's JSON from the last reply, for members that this library does not know: as received, without a
    /// byte order mark. From a list, it is the session's entry. Empty until a reply has it.
    ///
    /// Status::unexpected_reply if it was longer than 64 KiB and was therefore not kept. Does not block.
    Result<std::string> reply() const {
        return detail::text_from<std::string>(std::size_t{1024},
                                              [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                  arr_error_info* error) {
                                                  return arr_session_get_reply(get(), buffer, capacity, needed, error);
                                              });
    }

    /// Reads the properties. With Read::known it sends nothing and does not block.
    Result<SessionProperties> properties(Read how = Read::fresh, CallTimeout timeout = {}) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_get_properties(get(), static_cast<std::uint32_t>(how), properties, timeout.raw(), error);
        });
    }

    /// Sets the total lease, counted from the moment the session became ready: 1 s to 365 days. It can only grow.
    /// Returns the cached properties after the update, with the lease that the service accepted; only a read shows
    /// whether the service granted it.
    Result<SessionProperties> update_lease(WholeSeconds max_lease, CallTimeout timeout = {}) const {
        if (!max_lease.fits()) {
            return lease_refused("arr_session_update_lease");
        }
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_update_lease(get(), max_lease.count(), properties, timeout.raw(), error);
        });
    }

    /// Waits until the session is ready. May be called in short slices, which send no extra requests.
    /// Status::timeout if it is not ready yet; Status::session_ended or Status::session_failed if it will never be.
    /// Blocks.
    Result<SessionProperties> wait_until_ready(WaitTimeout timeout) const {
        return detail::filled_struct<SessionProperties>([&](arr_session_properties* properties, arr_error_info* error) {
            return arr_session_wait_until_ready(get(), properties, timeout.raw(), error);
        });
    }

    /// As above; also sets `last` to the latest properties, even on Status::timeout, session_ended and session_failed.
    Result<void> wait_until_ready(WaitTimeout timeout, SessionProperties& last) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_session_wait_until_ready(get(), last.out(), timeout.raw(), error);
        });
    }

    /// Stops the session: its server is released and no longer costs money. A session that has already ended counts as
    /// stopped. If the call fails, the session may still be running: stop it again.
    Result<StopResult> stop(CallTimeout timeout = {}) const {
        return detail::filled<StopResult>(std::int32_t{0}, [&](std::int32_t* already_gone, arr_error_info* error) {
            return arr_session_stop(get(), already_gone, timeout.raw(), error);
        });
    }

    /// The session's current numbers. Cheap enough to call in every frame: does not block or allocate.
    Result<Snapshot> snapshot() const {
        return detail::filled_struct<Snapshot>([&](arr_snapshot* snapshot, arr_error_info* error) {
            return arr_session_snapshot(get(), snapshot, error);
        });
    }

    /// Polls the session in the background and reports changes as events. Call again to change the options. Watching,
    /// keep-alive and stop_on_shutdown end with this handle. A failure changes nothing. Does not block.
    Result<void> watch(const WatchOptions& options = {}, std::uint64_t user_data = 0) const {
        return options.with_raw("arr_session_watch", [&](const arr_watch_options* raw) {
            return detail::attempt([&](arr_error_info* error) {
                return arr_session_watch(get(), raw, user_data, error);
            });
        });
    }

    /// Ends watching and keep-alive.
    Result<void> end_watch() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_watch(get(), nullptr, 0, error); });
    }

    /// Extends the lease whenever it runs low, up to a cap. The session must be watched with this handle. Does not
    /// block.
    Result<void> keep_alive(const KeepAliveOptions& options) const {
        return options.with_raw("arr_session_keep_alive", [&](const arr_keep_alive_options* raw) {
            return detail::attempt([&](arr_error_info* error) { return arr_session_keep_alive(get(), raw, error); });
        });
    }

    /// Ends keep-alive; watching continues.
    Result<void> end_keep_alive() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_keep_alive(get(), nullptr, error); });
    }

    /// Shows that the application is alive, if it does not pull events. Does not block or allocate.
    Result<void> touch() const {
        return detail::attempt([&](arr_error_info* error) { return arr_session_touch(get(), error); });
    }

    /// Starts properties(). Result: Operation::properties().
    Result<Operation> start_properties(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_get_properties_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts update_lease(). Result: Operation::properties().
    Result<Operation> start_update_lease(WholeSeconds max_lease, std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        if (!max_lease.fits()) {
            return lease_refused("arr_session_update_lease_start");
        }
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_update_lease_start(get(), max_lease.count(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts wait_until_ready(). Result: Operation::properties().
    Result<Operation> start_wait_until_ready(std::uint64_t user_data = 0, WaitTimeout timeout = forever) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_wait_until_ready_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts stop(). Result: Operation::stop_result(). It continues when the operation is freed or the client
    /// ends.
    Result<Operation> start_stop(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_session_stop_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

private:
    static Error lease_refused(const char* function) noexcept {
        return Error::of_usage(Status::invalid_argument, function, "max_lease is not a time from 1 s to 365 days");
    }
};

static_assert(sizeof(Session) == sizeof(void*), "a Session is as large as its handle");

/// A session that was reused or created.
struct ReusedSession {
    Session session;
    SessionProperties properties;
    /// Whether it already existed.
    bool reused = false;
};

namespace detail {

/// call(arr_session**, arr_session_properties*, int32_t* reused, arr_error_info*)
template <typename Call>
Result<ReusedSession> reused_session(Call&& call) {
    arr_error_info error = error_info();
    ReusedSession all;
    arr_session* session = nullptr;
    std::int32_t reused = 0;
    if (call(&session, all.properties.out(), &reused, &error) != ARR_OK) {
        return Error(error);
    }
    all.session = Session::adopt(session);
    all.reused = reused != 0;
    return all;
}

}  // namespace detail

inline Result<Session> Operation::session() const {
    return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
        return arr_operation_get_session(get(), session, nullptr, nullptr, error);
    });
}

inline Result<ReusedSession> Operation::reused_session() const {
    return detail::reused_session([&](arr_session** session, arr_session_properties* properties, std::int32_t* reused,
                                       arr_error_info* error) {
        return arr_operation_get_session(get(), session, properties, reused, error);
    });
}

}  // namespace arr
