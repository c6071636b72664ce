// One account at one session service. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "event.hpp"
#include "handle.hpp"
#include "log.hpp"
#include "operation.hpp"
#include "options.hpp"
#include "properties.hpp"
#include "result.hpp"
#include "secret.hpp"
#include "session.hpp"
#include "session_list.hpp"
#include "time.hpp"
#include "token.hpp"
#include "version.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arr {

/// One account at one session service.
///
/// Its destructor frees it without waiting. From then on, calls of its sessions that need the service fail with
/// Status::shut_down, and sessions with stop_on_shutdown are stopped in the background. shutdown() waits for that.
/// Cached state of its sessions stays readable: id(), message(), reply(), snapshot(), and properties() with
/// Read::known.
///
/// Functions without start_ that take a CallTimeout call the service and block: keep them off the frame thread. All
/// functions are thread-safe; one thread at a time pulls events.
class Client : public detail::Owner<Client, arr_client> {
public:
    /// An empty handle.
    Client() noexcept = default;

    /// Creates a client, if the loaded library matches this program (see check_version()). Checks the options, reads
    /// ca_file and opens the journal. Sends nothing and starts no thread.
    static Result<Client> create(const ClientOptions& options) {
        if (auto fits = check_version(); !fits) {
            return fits.error();
        }
        return options.with_raw("arr_client_new", [](const arr_client_options* raw) {
            return detail::owned<Client>([&](arr_client** client, arr_error_info* error) {
                return arr_client_new(raw, client, error);
            });
        });
    }

    /// Creates a session. Its server costs money from the moment it is ready until it is stopped or its lease ends.
    ///
    /// Status::outcome_unknown if the reply was lost: a session may be running. list_sessions() shows it among others;
    /// with REST 2021-01-01 the message names its id. Only start_create_session() also reports EventType::create_lost.
    Result<Session> create_session(const SessionOptions& options, CallTimeout timeout = {}) const {
        return create_session(options, nullptr, timeout);
    }

    /// As above; also sets `properties`: at least the id, the status, the size and the lease.
    Result<Session> create_session(const SessionOptions& options, SessionProperties& properties,
                                   CallTimeout timeout = {}) const {
        return create_session(options, properties.out(), timeout);
    }

    /// Opens an existing session by its id. Status::not_found if the service does not know it.
    Result<Session> open_session(std::string_view session_id, CallTimeout timeout = {}) const {
        return open_session(session_id, nullptr, timeout);
    }

    /// As above; also sets `properties`.
    Result<Session> open_session(std::string_view session_id, SessionProperties& properties, CallTimeout timeout = {}) const {
        return open_session(session_id, properties.out(), timeout);
    }

    /// Reuses a suitable session if there is one, by the given id or from the journal; otherwise creates one.
    Result<ReusedSession> reuse_or_create_session(const SessionOptions& options, const ReuseOptions& reuse = {},
                                                    CallTimeout timeout = {}) const {
        constexpr const char* function = "arr_session_reuse_or_create";
        return options.with_raw(function, [&](const arr_session_create_options* raw) {
            return reuse.with_raw(function, [&](const arr_reuse_options* raw_reuse) {
                return detail::reused_session([&](arr_session** session, arr_session_properties* properties,
                                                   std::int32_t* reused, arr_error_info* error) {
                    return arr_session_reuse_or_create(get(), raw, raw_reuse, session, properties, reused, timeout.raw(),
                                                        error);
                });
            });
        });
    }

    /// Lists the account's sessions that have not ended, including those of other clients.
    Result<SessionList> list_sessions(CallTimeout timeout = {}) const {
        return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
            return arr_client_list_sessions(get(), list, timeout.raw(), error);
        });
    }

    /// Recovers the sessions that earlier clients recorded in the journal and left running. Those with Claim::ours now
    /// belong to this client; candidates do not.
    Result<SessionList> recover_sessions(CallTimeout timeout = {}) const {
        return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
            return arr_client_recover_sessions(get(), list, timeout.raw(), error);
        });
    }

    /// Stops many sessions. Sets `counts` even if some could not be stopped; the error describes the first of them.
    Result<void> stop_all(StopScope scope, StopAllResult& counts, CallTimeout timeout = {}) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_client_stop_all(get(), static_cast<arr_stop_scope>(scope), counts.out(), timeout.raw(), error);
        });
    }

    /// Gets an access token for the account, cached or fetched, for use by the rendering connection.
    Result<Token> get_token(CallTimeout timeout = {}) const {
        return detail::token_from([&](char* buffer, std::size_t capacity, std::size_t* needed,
                                      std::uint32_t* remaining_seconds, arr_error_info* error) {
            return arr_client_get_token(get(), buffer, capacity, needed, remaining_seconds, timeout.raw(), error);
        });
    }

    /// Supplies a new token of the kind that the client was created with, in reply to EventType::token_needed. Does
    /// not block.
    Result<void> set_token(std::string_view token) const {
        return detail::with_text<detail::Secret>("arr_client_set_token", token, [&](const char* text) {
            return detail::attempt([&](arr_error_info* error) { return arr_client_set_token(get(), text, error); });
        });
    }

    /// Starts create_session(). Result: Operation::session(). If the operation is cancelled or freed while it runs, any
    /// session that it creates is stopped. Does not block.
    Result<Operation> start_create_session(const SessionOptions& options, std::uint64_t user_data = 0,
                                           CallTimeout timeout = {}) const {
        return options.with_raw("arr_session_create_start", [&](const arr_session_create_options* raw) {
            return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                return arr_session_create_start(get(), raw, user_data, operation, timeout.raw(), error);
            });
        });
    }

    /// Starts open_session(). Result: Operation::session(). Does not block.
    Result<Operation> start_open_session(std::string_view session_id, std::uint64_t user_data = 0,
                                         CallTimeout timeout = {}) const {
        return detail::with_text("arr_session_open_start", session_id, [&](const char* id) {
            return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                return arr_session_open_start(get(), id, user_data, operation, timeout.raw(), error);
            });
        });
    }

    /// Starts reuse_or_create_session(). Result: Operation::reused_session(). Does not block.
    Result<Operation> start_reuse_or_create_session(const SessionOptions& options, const ReuseOptions& reuse = {},
                                                     std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        constexpr const char* function = "arr_session_reuse_or_create_start";
        return options.with_raw(function, [&](const arr_session_create_options* raw) {
            return reuse.with_raw(function, [&](const arr_reuse_options* raw_reuse) {
                return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                    return arr_session_reuse_or_create_start(get(), raw, raw_reuse, user_data, operation, timeout.raw(),
                                                              error);
                });
            });
        });
    }

    /// Starts list_sessions(). Result: Operation::list(). Does not block.
    Result<Operation> start_list_sessions(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_list_sessions_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts recover_sessions(). Result: Operation::list(). Does not block.
    Result<Operation> start_recover_sessions(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_recover_sessions_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts stop_all(). Result: Operation::stop_all_result(). It continues when the operation is freed or the
    /// client ends. Does not block.
    Result<Operation> start_stop_all(StopScope scope, std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_stop_all_start(get(), static_cast<arr_stop_scope>(scope), user_data, operation, timeout.raw(),
                                             error);
        });
    }

    /// Starts get_token(). Result: Operation::token(). Does not block.
    Result<Operation> start_get_token(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_get_token_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Sets `event` to the next event. Status::timeout if there is none; Status::shut_down once the client has
    /// ended and all events are pulled. With no_wait it neither blocks nor allocates.
    Result<void> next_event(Event& event, WaitTimeout timeout) const {
        arr_error_info error = detail::error_info();
        return detail::quiet_error(arr_client_next_event(get(), event.out(), timeout.raw(), &error), error);
    }

    /// Calls `handler(const Event&)` on this thread for each pending event, and returns their number. Call it once
    /// a frame: without events it neither blocks nor allocates. The handler may call anything, and may end this
    /// client.
    template <typename Handler>
    Result<std::size_t> pump(Handler&& handler) const {
        arr_client* const client = get();
        Event event;
        return pumped(event, handler, [&](arr_error_info* error) {
            return arr_client_next_event(client, event.out(), no_wait.raw(), error);
        });
    }

    /// Sets `entry` to the oldest line of the log. Status::timeout if there is none.
    Result<void> next_log(LogEntry& entry, WaitTimeout timeout) const {
        arr_error_info error = detail::error_info();
        return detail::quiet_error(next_line(get(), entry, timeout, &error), error);
    }

    /// Calls `handler(const LogEntry&)` on this thread for each pending line of the log, and returns their number.
    /// ClientOptions::log_level() must be set.
    template <typename Handler>
    Result<std::size_t> pump_log(Handler&& handler) const {
        arr_client* const client = get();
        LogEntry entry;
        return pumped(entry, handler, [&](arr_error_info* error) {
            return next_line(client, entry, no_wait, error);
        });
    }

    /// Ends one wait of next_event() and one of next_log() with Status::timeout. If no thread is waiting, the next wait
    /// ends immediately instead.
    Result<void> wake() const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_wake(get(), error); });
    }

    /// Prepares for the suspension of the application: does with each watched session what its on_suspend says. With
    /// no_wait it starts that and returns immediately. An extension made here is not verified: no read shows whether
    /// the service granted it.
    Result<void> suspend(WaitTimeout timeout) const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_suspend(get(), timeout.raw(), error); });
    }

    /// Resumes after a suspension. EventType::resumed comes when all watched sessions have been read. Does not
    /// block.
    Result<void> resume() const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_resume(get(), error); });
    }

    /// Shuts the client down, and waits until its work is done and its threads have ended. Stops that were started, and
    /// those of stop_on_shutdown, are still sent; all else is cancelled. If a started create has already succeeded, its
    /// session is not stopped unless that is watched with stop_on_shutdown: get it first with Operation::session().
    /// Status::timeout if the work has not finished: call shutdown() again. The remaining events can still be pulled.
    Result<void> shutdown(WaitTimeout timeout) const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_shutdown(get(), timeout.raw(), error); });
    }

private:
    Result<Session> create_session(const SessionOptions& options, arr_session_properties* properties,
                                   CallTimeout timeout) const {
        return options.with_raw("arr_session_create", [&](const arr_session_create_options* raw) {
            return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
                return arr_session_create(get(), raw, session, properties, timeout.raw(), error);
            });
        });
    }

    Result<Session> open_session(std::string_view session_id, arr_session_properties* properties, CallTimeout timeout) const {
        return detail::with_text("arr_session_open", session_id, [&](const char* id) {
            return detail::owned<Session>([&](arr_session** session, arr_error_info* error) {
                return arr_session_open(get(), id, session, properties, timeout.raw(), error);
            });
        });
    }

    static arr_status next_line(arr_client* client, LogEntry& entry, WaitTimeout timeout, arr_error_info* error) {
        const arr_status status = arr_client_next_log(client, entry.out(), timeout.raw(), error);
        if (status == ARR_OK) {
            detail::name_options(*entry.out());
        }
        return status;
    }

    /// Pulls until nothing is left. The handler may end the client: this does not access the object, and its handle
    /// cannot dangle.
    template <typename Item, typename Handler, typename Next>
    static Result<std::size_t> pumped(const Item& item, Handler& handler, Next&& next) {
        arr_error_info error = detail::error_info();
        std::size_t count = 0;
        while (next(&error) == ARR_OK) {
            ++count;
            handler(item);
        }
        if (error.status == ARR_ERROR_TIMEOUT) {
            return count;
        }
        return Error(error);
    }
};

static_assert(sizeof(Client) == sizeof(void*), "a Client is as large as its handle");

/// Ends all clients of the process concurrently, including those that were freed. See Client::shutdown().
inline Result<void> shutdown_all(WaitTimeout timeout) {
    return detail::attempt([&](arr_error_info* error) { return arr_shutdown(timeout.raw(), error); });
}

}  // namespace arr
