// Handles: moved, released, adopted, freed early, and misused.
#include "suite.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace handles {

using namespace suite;

template <typename T>
constexpr bool is_move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>
                              && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>
                              && std::is_nothrow_default_constructible_v<T> && std::is_nothrow_destructible_v<T>;

static_assert(is_move_only<arr::Client> && is_move_only<arr::Session> && is_move_only<arr::Operation>);
static_assert(is_move_only<arr::SessionList>);
static_assert(std::is_nothrow_move_constructible_v<arr::Token> && !std::is_copy_constructible_v<arr::Token>);
static_assert(std::is_nothrow_move_assignable_v<arr::Token> && std::is_nothrow_move_assignable_v<arr::ClientOptions>);
static_assert(sizeof(arr::Client) == sizeof(void*) && sizeof(arr::Session) == sizeof(void*));
static_assert(sizeof(arr::Operation) == sizeof(void*) && sizeof(arr::SessionList) == sizeof(void*));
// Results of handles can only be moved; results of values can also be copied.
static_assert(std::is_move_constructible_v<arr::Result<arr::Session>> && !std::is_copy_constructible_v<arr::Result<arr::Session>>);
static_assert(std::is_copy_constructible_v<arr::Result<arr::Snapshot>>);
// A bool must not convert to a number by accident.
static_assert(!std::is_convertible_v<arr::Client, bool> && !std::is_convertible_v<arr::Result<void>, bool>);

/// A client with a handle, without a service.
arr::Client client_without_service() {
    auto client = arr::Client::create(arr::ClientOptions()
                                          .account_id("d0ca11ed-0000-4000-8000-a0ca7a57e0de")
                                          .account_key("a2V5")
                                          .account_domain("westus2")
                                          .service_endpoint("westus2"));
    CHECK_STATUS(client, arr::Status::ok);
    return std::move(client).value();
}

bool answers(const arr::Client& client) {
    arr::LogEntry entry;
    return client.next_log(entry, arr::no_wait).status() == arr::Status::timeout;
}

TEST(a_moved_from_object_is_empty) {
    arr::Client first = client_without_service();
    arr_client* const raw = first.get();
    arr::Client second = std::move(first);
    CHECK(second && second.get() == raw && answers(second));
    CHECK(!first && first.get() == nullptr);
    CHECK_STATUS(first.list_sessions(), arr::Status::invalid_handle);

    first = std::move(second);
    CHECK(first.get() == raw && !second && answers(first));
}

TEST(a_move_onto_a_handle_frees_what_it_held) {
    arr::Client first = client_without_service();
    arr_client* const freed = first.get();
    first = client_without_service();
    CHECK(answers(first) && first.get() != freed);
    CHECK(arr_client_next_log(freed, arr::LogEntry().out(), 0, nullptr) == ARR_ERROR_INVALID_HANDLE);
}

TEST(a_move_onto_itself_changes_nothing) {
    arr::Client client = client_without_service();
    arr_client* const raw = client.get();
    arr::Client& the_same = client;  // compilers warn of what is plain to see
    client = std::move(the_same);
    CHECK(client.get() == raw && answers(client));
}

TEST(a_released_handle_is_not_freed) {
    arr::Client client = client_without_service();
    arr_client* const raw = client.release();
    CHECK(raw != nullptr && !client);
    CHECK_STATUS(client.get_token(), arr::Status::invalid_handle);
    client.reset();  // there is nothing to free
    CHECK(arr_client_next_log(raw, arr::LogEntry().out(), 0, nullptr) == ARR_ERROR_TIMEOUT);

    const arr::Client taken = arr::Client::adopt(raw);
    CHECK(answers(taken));
}

TEST(an_adopted_handle_is_freed) {
    arr_client* raw = nullptr;
    {
        const arr::Client client = client_without_service();
        raw = client.get();
    }
    CHECK(arr_client_next_log(raw, arr::LogEntry().out(), 0, nullptr) == ARR_ERROR_INVALID_HANDLE);
    // A second owner of a freed handle is harmless.
    { const arr::Client stale = arr::Client::adopt(raw); }
    { const arr::Client nothing = arr::Client::adopt(nullptr); }
}

TEST(every_call_fails_on_an_empty_handle) {
    const arr::Client client;
    const arr::Session session;
    const arr::Operation operation;
    const arr::SessionList list;
    arr::Event event;
    arr::LogEntry entry;
    arr::SessionProperties properties;
    arr::StopAllResult counts;
    constexpr auto invalid = arr::Status::invalid_handle;

    CHECK_STATUS(client.create_session(ten_minutes()), invalid);
    CHECK_STATUS(client.create_session(ten_minutes(), properties), invalid);
    CHECK_STATUS(client.open_session("an-id"), invalid);
    CHECK_STATUS(client.open_session("an-id", properties), invalid);
    CHECK_STATUS(client.reuse_or_create_session(ten_minutes()), invalid);
    CHECK_STATUS(client.list_sessions(), invalid);
    CHECK_STATUS(client.recover_sessions(), invalid);
    CHECK_STATUS(client.stop_all(arr::StopScope::own, counts), invalid);
    CHECK_STATUS(client.get_token(), invalid);
    CHECK_STATUS(client.set_token("token"), invalid);
    CHECK_STATUS(client.start_create_session(ten_minutes()), invalid);
    CHECK_STATUS(client.start_open_session("an-id"), invalid);
    CHECK_STATUS(client.start_reuse_or_create_session(ten_minutes()), invalid);
    CHECK_STATUS(client.start_list_sessions(), invalid);
    CHECK_STATUS(client.start_recover_sessions(), invalid);
    CHECK_STATUS(client.start_stop_all(arr::StopScope::own), invalid);
    CHECK_STATUS(client.start_get_token(), invalid);
    CHECK_STATUS(client.next_event(event, arr::no_wait), invalid);
    CHECK_STATUS(client.pump([](const arr::Event&) {}), invalid);
    CHECK_STATUS(client.next_log(entry, arr::no_wait), invalid);
    CHECK_STATUS(client.pump_log([](const arr::LogEntry&) {}), invalid);
    CHECK_STATUS(client.suspend(arr::no_wait), invalid);
    CHECK_STATUS(client.resume(), invalid);
    CHECK_STATUS(client.shutdown(arr::no_wait), invalid);

    CHECK_STATUS(session.id(), invalid);
    CHECK_STATUS(session.message(), invalid);
    CHECK_STATUS(session.properties(), invalid);
    CHECK_STATUS(session.update_lease(1h), invalid);
    CHECK_STATUS(session.wait_until_ready(arr::no_wait), invalid);
    CHECK_STATUS(session.wait_until_ready(arr::no_wait, properties), invalid);
    CHECK_STATUS(session.stop(), invalid);
    CHECK_STATUS(session.snapshot(), invalid);
    CHECK_STATUS(session.watch(), invalid);
    CHECK_STATUS(session.end_watch(), invalid);
    CHECK_STATUS(session.keep_alive(arr::KeepAliveOptions().cap(1h)), invalid);
    CHECK_STATUS(session.end_keep_alive(), invalid);
    CHECK_STATUS(session.touch(), invalid);
    CHECK_STATUS(session.start_properties(), invalid);
    CHECK_STATUS(session.start_update_lease(1h), invalid);
    CHECK_STATUS(session.start_wait_until_ready(), invalid);
    CHECK_STATUS(session.start_stop(), invalid);

    CHECK_STATUS(operation.poll(), invalid);
    CHECK_STATUS(operation.wait(arr::no_wait), invalid);
    CHECK_STATUS(operation.cancel(), invalid);
    CHECK_STATUS(operation.result(), invalid);
    CHECK_STATUS(operation.session(), invalid);
    CHECK_STATUS(operation.reused_session(), invalid);
    CHECK_STATUS(operation.properties(), invalid);
    CHECK_STATUS(operation.list(), invalid);
    CHECK_STATUS(operation.token(), invalid);
    CHECK_STATUS(operation.stop_result(), invalid);
    CHECK_STATUS(operation.stop_all_result(counts), invalid);

    CHECK_STATUS(list.count(), invalid);
    CHECK_STATUS(list.at(0), invalid);
    CHECK_STATUS(list.session(0), invalid);
    CHECK(list.begin() == list.end());
    // An empty event is not about an empty handle.
    CHECK(!event.is_about(session) && !event.is_about(operation));
}

TEST(handles_live_in_containers) {
    std::vector<arr::Client> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(client_without_service());
    }
    clients.erase(clients.begin() + 1);
    for (const arr::Client& each : clients) {
        CHECK(answers(each));
    }
    const auto shared = std::make_shared<arr::Client>(std::move(clients.front()));
    CHECK(answers(*shared) && !clients.front());
}

}  // namespace handles
