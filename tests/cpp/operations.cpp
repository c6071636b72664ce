// Started operations.
#include "suite.hpp"

#include <thread>
#include <utility>

namespace operations {

using namespace suite;

/// Waits for the end of an operation that must succeed.
void succeeded(const arr::Result<arr::Operation>& operation) {
    CHECK_STATUS(operation, arr::Status::ok);
    const auto state = operation->wait(soon);
    CHECK(state && *state == arr::OperationState::succeeded);
    CHECK_STATUS(operation->result(), arr::Status::ok);
    CHECK(operation->poll().value() == arr::OperationState::succeeded);
}

TEST(every_call_can_be_started) {
    const arr::Client client = emulator_client();

    const auto create = client.start_create_session(ten_minutes(), 11, 30s);
    succeeded(create);
    const auto session = create->session();
    CHECK_STATUS(session, arr::Status::ok);
    const auto id = session->id().value();
    CHECK(create->reused_session()->properties.session_id() == id && !create->reused_session()->reused);

    const auto wait = session->start_wait_until_ready();
    succeeded(wait);
    CHECK(wait->properties()->status() == arr::SessionStatus::ready);
    const auto read = session->start_properties();
    succeeded(read);
    CHECK(read->properties()->max_lease() == 10min);
    const auto extend = session->start_update_lease(20min);
    succeeded(extend);
    CHECK(extend->properties()->max_lease() == 20min);

    const auto open = client.start_open_session(id);
    succeeded(open);
    CHECK(open->session()->id().value() == id);
    const auto reuse = client.start_reuse_or_create_session(ten_minutes(), arr::ReuseOptions().session_id(id).min_remaining(0s));
    succeeded(reuse);
    CHECK(reuse->reused_session()->reused && reuse->session()->id().value() == id);
    const auto list = client.start_list_sessions();
    succeeded(list);
    CHECK(list->list()->count().value() >= 1);
    const auto token = client.start_get_token();
    succeeded(token);
    CHECK(token->token()->text() == client.get_token()->text());

    const auto stop = session->start_stop();
    succeeded(stop);
    CHECK(!stop->stop_result()->already_gone);
    const auto stop_all = client.start_stop_all(arr::StopScope::own);
    succeeded(stop_all);
    arr::StopAllResult counts;
    CHECK_STATUS(stop_all->stop_all_result(counts), arr::Status::ok);
    CHECK(counts.failed() == 0);
    // It has no result of another kind.
    CHECK_STATUS(stop->token(), arr::Status::invalid_argument);
    CHECK_STATUS(stop->list(), arr::Status::invalid_argument);
    CHECK_STATUS(client.start_recover_sessions(), arr::Status::invalid_argument);
}

TEST(the_end_of_an_operation_is_an_event_with_its_user_data) {
    const arr::Client client = emulator_client();
    auto operation = client.start_list_sessions(UINT64_MAX);
    CHECK_STATUS(operation, arr::Status::ok);
    arr::Operation held = std::move(*operation);
    const arr::Operation another;

    arr::Event event;
    CHECK_STATUS(client.next_event(event, soon), arr::Status::ok);
    CHECK(event.type() == arr::EventType::operation_ended && event.user_data() == UINT64_MAX);
    CHECK(event.operation_kind() == arr::OperationKind::list_sessions && held.kind().value() == event.operation_kind());
    CHECK(event.is_about(held) && !event.is_about(another) && event.session() == nullptr);
    CHECK(event.status() == arr::Status::ok && event.lost() == 0);
    CHECK_STATUS(client.next_event(event, arr::no_wait), arr::Status::timeout);
    CHECK_STATUS(client.wake(), arr::Status::ok);
    CHECK_STATUS(client.next_event(event, arr::forever), arr::Status::timeout);
    held.reset();
    CHECK_STATUS(held.result(), arr::Status::invalid_handle);
}

TEST(a_cancelled_operation_has_ended_at_once) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes());
    const auto wait = session->start_wait_until_ready(5);
    CHECK_STATUS(wait->wait(arr::no_wait), arr::Status::timeout);
    CHECK_STATUS(wait->result(), arr::Status::pending);
    CHECK_STATUS(wait->properties(), arr::Status::pending);
    CHECK_STATUS(wait->cancel(), arr::Status::ok);
    CHECK(wait->poll().value() == arr::OperationState::cancelled);
    CHECK_STATUS(wait->result(), arr::Status::cancelled);
    CHECK_STATUS(wait->cancel(), arr::Status::ok);

    std::size_t cancelled = 0;
    const auto pumped = client.pump([&](const arr::Event& event) {
        cancelled += event.is_about(*wait) && event.status() == arr::Status::cancelled ? 1 : 0;
    });
    CHECK(pumped && cancelled == 1);
    CHECK_STATUS(session->stop(), arr::Status::ok);
}

TEST(a_freed_operation_has_no_event) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes());
    { const auto forgotten = session->start_wait_until_ready(); }
    CHECK_STATUS(session->wait_until_ready(soon), arr::Status::ok);
    const auto pumped = client.pump([](const arr::Event&) {});
    CHECK(pumped && *pumped == 0);
    // A stop continues without its handle.
    { const auto stop = session->start_stop(); }
    CHECK_STATUS(client.shutdown(soon), arr::Status::ok);
    CHECK(emulator_client().open_session(session->id().value()).value().properties()->status()
          != arr::SessionStatus::ready);
}

TEST(a_timeout_beyond_32_bits_is_no_limit) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes(), std::chrono::hours::max());
    CHECK_STATUS(session, arr::Status::ok);
    CHECK_STATUS(session->wait_until_ready(std::chrono::hours::max()), arr::Status::ok);
    const auto stop = session->start_stop(0, std::chrono::milliseconds::max());
    CHECK(stop->wait(std::chrono::hours(24 * 365 * 100)).value() == arr::OperationState::succeeded);
}

TEST(a_timeout_of_0_is_not_the_default) {
    const arr::Client client = emulator_client();
    CHECK_STATUS(client.list_sessions(0s), arr::Status::timeout);
    CHECK_STATUS(client.start_list_sessions(0, 0s), arr::Status::invalid_argument);
}

TEST(handles_are_used_from_many_threads) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes());
    std::vector<std::thread> threads;
    std::vector<int> good(4, 0);
    for (std::size_t i = 0; i < good.size(); ++i) {
        threads.emplace_back([&, i] {
            const bool ready = session->wait_until_ready(soon).has_value();
            good[i] = ready && session->snapshot() && client.list_sessions() && session->touch() ? 1 : 0;
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    CHECK(good == std::vector<int>(4, 1));
    CHECK_STATUS(session->stop(), arr::Status::ok);
}

}  // namespace operations
