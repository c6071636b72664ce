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
/// Its end frees it: calls of its sessions fail with Status::shut_down from then on, what was promised for the shutdown is
/// done by the library's threads, and nothing is waited for. shutdown() waits for that.
///
/// Functions without start_ that take a CallTimeout talk with the service, and block: keep them off a frame's thread. Threads:
/// any, for all functions; events are pulled by one thread at a time.
class Client : public detail::Owner<Client, arr_client> {
public:
    /// No client.
    Client() noexcept = default;

    /// Makes a client, if the loaded library is the one that this program was compiled for (see check_version()). Checks the
    /// options; sends nothing and starts no thread.
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

    /// Creates a rendering session: a server that costs money from when it is ready until it is stopped or its lease ends.
    /// Status::outcome_unknown if the answer was lost: then one may be running, which list_sessions() shows.
    Result<Session> create_session(const SessionOptions& options, CallTimeout timeout = {}) const {
        return create_session(options, nullptr, timeout);
    }

    /// The same; `properties` receives what is known: at least the id, the status, the size and the lease.
    Result<Session> create_session(const SessionOptions& options, SessionProperties& properties,
                                   CallTimeout timeout = {}) const {
        return create_session(options, properties.out(), timeout);
    }

    /// Opens a session that exists, by its id. Status::not_found if the service does not know it.
    Result<Session> open_session(std::string_view session_id, CallTimeout timeout = {}) const {
        return open_session(session_id, nullptr, timeout);
    }

    /// The same; `properties` receives its properties.
    Result<Session> open_session(std::string_view session_id, SessionProperties& properties, CallTimeout timeout = {}) const {
        return open_session(session_id, properties.out(), timeout);
    }

    /// Creates a session, unless there is one to go on with: the one whose id is given, or one that the journal has.
    Result<ResumedSession> resume_or_create_session(const SessionOptions& options, const ResumeOptions& resume = {},
                                                    CallTimeout timeout = {}) const {
        constexpr const char* function = "arr_session_resume_or_create";
        return options.with_raw(function, [&](const arr_session_create_options* raw) {
            return resume.with_raw(function, [&](const arr_resume_options* raw_resume) {
                return detail::resumed_session([&](arr_session** session, arr_session_properties* properties,
                                                   std::int32_t* resumed, arr_error_info* error) {
                    return arr_session_resume_or_create(get(), raw, raw_resume, session, properties, resumed, timeout.raw(),
                                                        error);
                });
            });
        });
    }

    /// Lists the account's sessions that have not ended, whoever created them.
    Result<SessionList> list_sessions(CallTimeout timeout = {}) const {
        return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
            return arr_client_list_sessions(get(), list, timeout.raw(), error);
        });
    }

    /// Finds the sessions that earlier owners of the journal have left. They are this client's from now on.
    Result<SessionList> recover_sessions(CallTimeout timeout = {}) const {
        return detail::owned<SessionList>([&](arr_session_list** list, arr_error_info* error) {
            return arr_client_recover_sessions(get(), list, timeout.raw(), error);
        });
    }

    /// Stops many sessions. `counts` is filled also if some could not be stopped; the error is then about the first of them.
    Result<void> stop_all(StopScope scope, StopAllResult& counts, CallTimeout timeout = {}) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_client_stop_all(get(), static_cast<arr_stop_scope>(scope), counts.out(), timeout.raw(), error);
        });
    }

    /// An access token for the account, from the cache or fetched: what the rendering connection is made with.
    Result<Token> get_token(CallTimeout timeout = {}) const {
        return detail::token_from([&](char* buffer, std::size_t capacity, std::size_t* needed,
                                      std::uint32_t* remaining_seconds, arr_error_info* error) {
            return arr_client_get_token(get(), buffer, capacity, needed, remaining_seconds, timeout.raw(), error);
        });
    }

    /// Gives a new token, of the kind that the client was made with: the answer to EventType::token_needed. Sends nothing.
    Result<void> set_token(std::string_view token) const {
        return detail::with_text<detail::Secret>("arr_client_set_token", token, [&](const char* text) {
            return detail::attempt([&](arr_error_info* error) { return arr_client_set_token(get(), text, error); });
        });
    }

    /// Starts what create_session() does; Operation::session() gives the session. Cancelled, or freed, while it runs, the
    /// session that it may have made is stopped. Does not block.
    Result<Operation> start_create_session(const SessionOptions& options, std::uint64_t user_data = 0,
                                           CallTimeout timeout = {}) const {
        return options.with_raw("arr_session_create_start", [&](const arr_session_create_options* raw) {
            return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                return arr_session_create_start(get(), raw, user_data, operation, timeout.raw(), error);
            });
        });
    }

    /// Starts what open_session() does; Operation::session() gives the session. Does not block.
    Result<Operation> start_open_session(std::string_view session_id, std::uint64_t user_data = 0,
                                         CallTimeout timeout = {}) const {
        return detail::with_text("arr_session_open_start", session_id, [&](const char* id) {
            return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                return arr_session_open_start(get(), id, user_data, operation, timeout.raw(), error);
            });
        });
    }

    /// Starts what resume_or_create_session() does; Operation::resumed_session() gives the session. Does not block.
    Result<Operation> start_resume_or_create_session(const SessionOptions& options, const ResumeOptions& resume = {},
                                                     std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        constexpr const char* function = "arr_session_resume_or_create_start";
        return options.with_raw(function, [&](const arr_session_create_options* raw) {
            return resume.with_raw(function, [&](const arr_resume_options* raw_resume) {
                return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
                    return arr_session_resume_or_create_start(get(), raw, raw_resume, user_data, operation, timeout.raw(),
                                                              error);
                });
            });
        });
    }

    /// Starts what list_sessions() does; Operation::list() gives the list. Does not block.
    Result<Operation> start_list_sessions(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_list_sessions_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts what recover_sessions() does; Operation::list() gives the list. Does not block.
    Result<Operation> start_recover_sessions(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_recover_sessions_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Starts what stop_all() does; Operation::stop_all_result() gives the result. It goes on when the operation is freed or
    /// the client ends. Does not block.
    Result<Operation> start_stop_all(StopScope scope, std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_stop_all_start(get(), static_cast<arr_stop_scope>(scope), user_data, operation, timeout.raw(),
                                             error);
        });
    }

    /// Starts what get_token() does; Operation::token() gives the token. Does not block.
    Result<Operation> start_get_token(std::uint64_t user_data = 0, CallTimeout timeout = {}) const {
        return detail::owned<Operation>([&](arr_operation** operation, arr_error_info* error) {
            return arr_client_get_token_start(get(), user_data, operation, timeout.raw(), error);
        });
    }

    /// Takes the next event into `event`. Status::timeout if there is none within the time; Status::shut_down once the client
    /// has ended and all events are pulled. With no_wait it neither waits nor allocates.
    Result<void> next_event(Event& event, WaitTimeout timeout) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_client_next_event(get(), event.out(), timeout.raw(), error);
        });
    }

    /// Calls `handler(const Event&)` for each event that is there, on this thread, and gives how many they were: once a frame.
    /// With no event it neither waits nor allocates. The handler may do everything, also end this client.
    template <typename Handler>
    Result<std::size_t> pump(Handler&& handler) const {
        arr_client* const client = get();
        Event event;
        return pumped(event, handler, [&](arr_error_info* error) {
            return arr_client_next_event(client, event.out(), no_wait.raw(), error);
        });
    }

    /// Takes the oldest line of the log into `entry`. Status::timeout if there is none within the time.
    Result<void> next_log(LogEntry& entry, WaitTimeout timeout) const {
        return detail::attempt([&](arr_error_info* error) {
            return arr_client_next_log(get(), entry.out(), timeout.raw(), error);
        });
    }

    /// Calls `handler(const LogEntry&)` for each line of the log that is there, on this thread, and gives how many they were.
    /// There are lines only if ClientOptions::log_level() asked for them.
    template <typename Handler>
    Result<std::size_t> pump_log(Handler&& handler) const {
        arr_client* const client = get();
        LogEntry entry;
        return pumped(entry, handler, [&](arr_error_info* error) {
            return arr_client_next_log(client, entry.out(), no_wait.raw(), error);
        });
    }

    /// The application is about to be suspended: does with each watched session what its on_suspend says. Without time it
    /// starts that and returns at once.
    Result<void> suspend(WaitTimeout timeout) const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_suspend(get(), timeout.raw(), error); });
    }

    /// The application is back: EventType::resumed comes when everything was read anew. Does not block.
    Result<void> resume() const {
        return detail::attempt([&](arr_error_info* error) { return arr_client_resume(get(), error); });
    }

    /// Ends the client in good order, and waits for that: stops that were started or promised are made, all else is cancelled.
    /// Status::timeout if something is left: call it again. The events that are left can still be pulled.
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

    /// Takes until nothing is left. The handler may end the client: its object is not touched, and its handle cannot dangle.
    template <typename Item, typename Handler, typename Next>
    static Result<std::size_t> pumped(const Item& item, Handler& handler, Next&& next) {
        Error error;
        std::size_t count = 0;
        while (next(error.out()) == ARR_OK) {
            ++count;
            handler(item);
        }
        if (error.status() == Status::timeout) {
            return count;
        }
        return error;
    }
};

static_assert(sizeof(Client) == sizeof(void*), "a Client costs no more than its handle");

/// Ends every client of the process in good order, all at once, also those that were freed. See Client::shutdown().
inline Result<void> shutdown_all(WaitTimeout timeout) {
    return detail::attempt([&](arr_error_info* error) { return arr_shutdown(timeout.raw(), error); });
}

}  // namespace arr
