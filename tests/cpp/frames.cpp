// A frame loop: events, snapshots, logs, keep-alive, suspension, shutdown.
#include "heap.hpp"
#include "suite.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace frames {

using namespace suite;

/// Draws frames until the condition holds.
template <typename Frame>
bool draw_until(Frame&& frame) {
    const auto begun = std::chrono::steady_clock::now();
    while (!frame()) {
        if (std::chrono::steady_clock::now() - begun > soon) {
            return false;
        }
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

TEST(a_session_in_a_frame_loop) {
    constexpr std::uint64_t creating = 1, watching = 2, stopping = 3;
    const arr::Client client = emulator_client();
    arr::Operation create = client.start_create_session(ten_minutes(), creating).value();
    arr::Operation stop;
    arr::Session session;
    bool over = false;
    int changes = 0;

    const bool ended = draw_until([&] {
        const auto pumped = client.pump([&](const arr::Event& event) {
            if (event.is_about(create)) {
                CHECK(event.user_data() == creating);
                session = create.session().value();
                create.reset();
                CHECK_STATUS(session.watch(arr::WatchOptions().stop_on_shutdown().warn_before(1min), watching),
                             arr::Status::ok);
                CHECK_STATUS(session.keep_alive(arr::KeepAliveOptions().threshold(1min).amount(1min).cap(1h)),
                             arr::Status::ok);
            } else if (event.is_about(stop)) {
                CHECK(event.user_data() == stopping);
                CHECK_STATUS(stop.stop_result(), arr::Status::ok);
                over = true;
            } else if (event.type() == arr::EventType::session_status_changed) {
                CHECK(event.is_about(session) && event.user_data() == watching);
                CHECK(event.session_id() == session.id().value());
                ++changes;
            }
        });
        CHECK_STATUS(pumped, arr::Status::ok);
        if (session && !stop && session.snapshot()->status() == arr::SessionStatus::ready) {
            CHECK(session.snapshot()->remaining() > 9min);
            stop = session.start_stop(stopping).value();
        }
        return over;
    });
    CHECK(ended && changes >= 1);
    CHECK_STATUS(session.end_keep_alive(), arr::Status::ok);
    CHECK_STATUS(session.end_watch(), arr::Status::ok);
}

TEST(a_frame_with_nothing_to_do_allocates_nothing) {
    arr::ClientOptions options = emulator_options().log_level(arr::LogLevel::error);
    const arr::Client client = arr::Client::create(options).value();
    const auto session = client.create_session(ten_minutes());
    const auto operation = session->start_wait_until_ready();
    heap::counting = true;
    heap::allocations = 0;
    const auto still_running = operation->wait(arr::no_wait);
    heap::counting = false;
    CHECK(heap::allocations == 0);
    CHECK_STATUS(operation->wait(soon), arr::Status::ok);
    CHECK_STATUS(client.pump([](const arr::Event&) {}), arr::Status::ok);
    unsigned long calls = 0;
    arr::Event event;
    arr::LogEntry entry;
    const auto timeout = arr::Status::timeout;

    heap::counting = true;
    heap::allocations = 0;
    for (int frame = 0; frame < 1000; ++frame) {
        const auto events = client.pump([&](const arr::Event&) { ++calls; });
        const auto lines = client.pump_log([&](const arr::LogEntry&) { ++calls; });
        const auto state = operation->poll();
        const auto snapshot = session->snapshot();
        const auto known = session->properties(arr::Read::known);
        calls += events && lines && state && snapshot && known && session->touch() ? 0 : 1;
        const auto event_or_not = client.next_event(event, arr::no_wait);
        const auto line_or_not = client.next_log(entry, arr::no_wait);
        calls += event_or_not.status() == timeout && line_or_not.status() == timeout ? 0 : 1;
    }
    heap::counting = false;
    CHECK(calls == 0);
    CHECK(heap::allocations == 0);
    // Checks the counter.
    heap::counting = true;
    const auto text = session->id();
    heap::counting = false;
    CHECK(text && heap::allocations > 0);
    CHECK_STATUS(session->stop(), arr::Status::ok);
}

TEST(a_log_line_has_a_time_and_a_level) {
    const arr::Client client = arr::Client::create(emulator_options().log_level(arr::LogLevel::debug)).value();
    const auto session = client.create_session(ten_minutes());
    CHECK_STATUS(session->stop(), arr::Status::ok);
    std::size_t lines = 0, with_vector = 0;
    const auto pumped = client.pump_log([&](const arr::LogEntry& entry) {
        ++lines;
        with_vector += entry.correlation_vector().empty() ? 0 : 1;
        CHECK(!entry.message().empty() && entry.message_length() >= entry.message().size());
        CHECK(entry.level() >= arr::LogLevel::error && entry.level() <= arr::LogLevel::debug && entry.lost() == 0);
        const auto ago = std::chrono::system_clock::now() - entry.time();
        CHECK(ago > -1min && ago < 10min);
    });
    CHECK(pumped && *pumped == lines && lines > 0 && with_vector > 0);
    arr::LogEntry none;
    CHECK_STATUS(client.next_log(none, arr::no_wait), arr::Status::timeout);
}

TEST(suspend_and_resume) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes());
    CHECK_STATUS(session->watch(arr::WatchOptions().on_suspend(arr::OnSuspend::extend).suspend_lease(1min)),
                 arr::Status::ok);
    CHECK_STATUS(client.suspend(soon), arr::Status::ok);
    CHECK_STATUS(client.resume(), arr::Status::ok);
    bool resumed = false;
    CHECK(draw_until([&] {
        const auto pumped = client.pump([&](const arr::Event& event) {
            resumed |= event.type() == arr::EventType::resumed;
        });
        CHECK_STATUS(pumped, arr::Status::ok);
        return resumed;
    }));
    CHECK_STATUS(session->stop(), arr::Status::ok);
}

TEST(a_handler_may_end_its_client) {
    auto client = std::make_unique<arr::Client>(emulator_client());
    const arr::Operation operation = client->start_get_token().value();
    CHECK_STATUS(operation.wait(soon), arr::Status::ok);
    int calls = 0;
    const auto pumped = client->pump([&](const arr::Event&) {
        ++calls;
        client.reset();
    });
    CHECK(calls == 1 && (pumped.status() == arr::Status::invalid_handle || pumped.status() == arr::Status::shut_down));
}

TEST(a_shutdown_sends_the_promised_stops) {
    const arr::Client client = emulator_client();
    const arr::Client other = emulator_client();
    const auto session = client.create_session(ten_minutes());
    const auto id = session->id().value();
    CHECK_STATUS(session->watch(arr::WatchOptions().stop_on_shutdown()), arr::Status::ok);
    CHECK_STATUS(client.shutdown(soon), arr::Status::ok);
    CHECK(is_final(other.open_session(id)->properties()->status()));
    CHECK_STATUS(client.list_sessions(), arr::Status::shut_down);
    CHECK_STATUS(client.pump([](const arr::Event&) {}), arr::Status::shut_down);

    CHECK_STATUS(arr::shutdown_all(soon), arr::Status::ok);
    CHECK_STATUS(other.list_sessions(), arr::Status::shut_down);
    CHECK_STATUS(emulator_client().list_sessions(), arr::Status::ok);
}

}  // namespace frames
