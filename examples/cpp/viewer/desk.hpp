// The viewer's session, for a frame loop that never blocks.
#pragma once

#include <arr_session.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace viewer {

using namespace std::chrono_literals;

/// Creates, watches, extends and stops one session. Only end() blocks.
class Desk {
public:
    /// What the screen shows.
    struct View {
        bool has_session = false;
        bool creating = false;
        bool stopping = false;
        arr::Snapshot now;
        arr::SessionProperties texts;
        /// The latest message.
        std::string notice;
        bool notice_is_failure = false;
    };

    explicit Desk(arr::ClientOptions options) : options_(std::move(options)) {}

    const View& view() const { return view_; }

    void create() {
        if (operation_ || (session_ && !is_final(view_.now.status()))) {
            return tell("There is already a session. Stop it first.");
        }
        // If the client could not be created, for example because a file was missing, tries again.
        if (!client_) {
            auto client = arr::Client::create(options_);
            if (!client) {
                return fail("No client", client.error());
            }
            client_ = std::move(*client);
        }
        auto create = client_.start_create_session(arr::SessionOptions().max_lease(lease));
        if (!create) {
            return fail("No session", create.error());
        }
        session_.reset();
        view_.has_session = false;
        operation_ = std::move(*create);
        view_.creating = true;
        tell("Requested a session. The frame loop continues.");
    }

    void extend() {
        if (!is_ready()) {
            return tell("Only a ready session can be extended.");
        }
        if (extension_) {
            return tell("An extension is in progress.");
        }
        auto extend = session_.start_update_lease(view_.now.max_lease() + extension);
        if (!extend) {
            return fail("Not extended", extend.error());
        }
        extension_ = std::move(*extend);
    }

    void stop() {
        if (view_.creating) {
            // If the create still returns a session, the library stops it.
            operation_.reset();
            view_.creating = false;
            return tell("Cancelled the requested session.");
        }
        if (!session_ || operation_ || is_final(view_.now.status())) {
            return tell("There is no session to stop.");
        }
        auto stop = session_.start_stop();
        if (!stop) {
            return fail("Not stopped", stop.error());
        }
        operation_ = std::move(*stop);
        view_.stopping = true;
        tell("Stopping the session.");
    }

    /// Called once a frame: pulls events and reads the session. It never blocks, and allocates only if there is something to do.
    void frame() {
        if (!client_) {
            return;
        }
        const auto pumped = client_.pump([this](const arr::Event& event) { handle(event); });
        if (!pumped) {
            fail("The client has ended", pumped.error());
            client_.reset();
        }
        look_at_session();
    }

    /// Ends the client within a time limit, which stops its session. Status::timeout if something is left.
    arr::Result<void> end(arr::WaitTimeout timeout) {
        if (view_.creating) {
            operation_.reset();
            view_.creating = false;
        }
        auto ended = client_ ? client_.shutdown(timeout) : arr::Result<void>();
        look_at_session();
        return ended;
    }

private:
    // The lease is short and grows while the viewer runs, so a crash costs at most a quarter of an hour.
    static constexpr auto lease = 15min;
    static constexpr auto extension = 15min;
    static constexpr auto cap = 4h;

    bool is_ready() const { return session_ && view_.now.status() == arr::SessionStatus::ready; }

    void handle(const arr::Event& event) {
        switch (event.type()) {
        case arr::EventType::operation_ended: return operation_ended(event);
        case arr::EventType::session_status_changed: return status_changed(event.session_status());
        case arr::EventType::lease_extended: return tell("The lease was extended.");
        case arr::EventType::lease_expiring: return tell("The lease ends soon.");
        case arr::EventType::lease_cap_reached: return tell("The lease has reached its cap and is no longer extended.");
        case arr::EventType::keep_alive_paused: return tell("Keep-alive is paused.");
        case arr::EventType::resumed: return tell("Resumed after sleep.");
        case arr::EventType::lease_not_extended:
            return fail(std::string("The lease could not be extended (") + to_string(event.status()) + "). It will be retried.");
        case arr::EventType::reads_failing:
            return fail(std::string("The session cannot be read (") + to_string(event.status()) + "). It will be retried.");
        case arr::EventType::starting_long: return tell("The session is taking unusually long to start.");
        case arr::EventType::reads_recovered: return tell("The session can be read again.");
        case arr::EventType::create_lost:
        case arr::EventType::session_left_running:
            if (event.session_id().empty()) {
                return;
            }
            return fail("A session may be running and costing money: " + std::string(event.session_id()));
        default: return tell(std::string("Event: ") + to_string(event.type()));
        }
    }

    void operation_ended(const arr::Event& event) {
        if (event.is_about(extension_)) {
            const auto extended = extension_.properties();
            extension_.reset();
            return extended ? tell("The lease was extended by a quarter of an hour.") : fail("Not extended", extended.error());
        }
        if (!event.is_about(operation_)) {
            return;
        }
        const arr::Operation ended = std::move(operation_);
        if (std::exchange(view_.creating, false)) {
            auto session = ended.session();
            return session ? look_after(std::move(*session)) : fail("No session", session.error());
        }
        view_.stopping = false;
        const auto stopped = ended.stop_result();
        return stopped ? tell("The session is stopped and no longer costs money.") : fail("Not stopped", stopped.error());
    }

    void look_after(arr::Session session) {
        session_ = std::move(session);
        view_.has_session = true;
        revision_ = 0;
        tell("The session was created. A server is starting.");
        // The session must not outlive this program.
        auto watched = session_.watch(arr::WatchOptions().stop_on_shutdown());
        if (watched) {
            watched = session_.keep_alive(arr::KeepAliveOptions().amount(extension).cap(cap));
        }
        if (!watched) {
            fail("The session is not kept alive", watched.error());
        }
    }

    void status_changed(arr::SessionStatus status) {
        switch (status) {
        case arr::SessionStatus::ready: return tell("The session is ready.");
        case arr::SessionStatus::expired: return fail("The lease has ended, and with it the session.");
        case arr::SessionStatus::error: return fail("The session has failed.");
        default: return tell(std::string("The session is ") + to_string(status) + ".");
        }
    }

    void look_at_session() {
        if (!session_) {
            return;
        }
        const auto now = session_.snapshot();
        if (!now) {
            return fail("The session cannot be read", now.error());
        }
        view_.now = *now;
        if (now->revision() == revision_) {
            return;
        }
        // Reads the texts only after a change.
        revision_ = now->revision();
        if (auto texts = session_.properties(arr::Read::known)) {
            view_.texts = *texts;
        }
    }

    void tell(std::string what) {
        view_.notice = std::move(what);
        view_.notice_is_failure = false;
    }

    void fail(std::string what) {
        view_.notice = std::move(what);
        view_.notice_is_failure = true;
    }

    void fail(std::string_view what, const arr::Error& error) {
        std::string text = std::string(what) + ". " + std::string(error.message()) + " (" + to_string(error.status());
        if (error.http_status() != 0) {
            text += ", HTTP " + std::to_string(error.http_status());
        }
        if (!error.correlation_vector().empty()) {
            text += ", MS-CV " + std::string(error.correlation_vector());
        }
        fail(text + ")");
    }

    arr::ClientOptions options_;
    // Destroyed in reverse order: the client last.
    arr::Client client_;
    arr::Session session_;
    /// The running create or stop, and the running extension.
    arr::Operation operation_, extension_;
    std::uint64_t revision_ = 0;
    View view_;
};

}  // namespace viewer
