// Sessions in blocking calls.
#include "heap.hpp"
#include "suite.hpp"

#include <cstdio>
#include <utility>

namespace sessions {

using namespace suite;

TEST(a_session_from_beginning_to_end) {
    const arr::Client client = emulator_client();
    arr::SessionProperties properties;
    const auto session = client.create_session(ten_minutes(), properties, 30s);
    CHECK_STATUS(session, arr::Status::ok);
    CHECK(properties.status() == arr::SessionStatus::starting && properties.size() == arr::SessionSize::standard);
    CHECK(properties.max_lease() == 10min && !properties.session_id().empty());
    CHECK(session->id().value() == properties.session_id());

    const auto ready = session->wait_until_ready(soon);
    CHECK_STATUS(ready, arr::Status::ok);
    CHECK(ready->status() == arr::SessionStatus::ready && !ready->hostname().empty());
    CHECK(ready->handshake_port() > 0 && ready->arr_inspector_port() > 0);
    CHECK(ready->creation_time().has_value() == speaks_2021());
    if (const auto created = ready->creation_time()) {
        const auto ago = std::chrono::system_clock::now() - *created;
        CHECK(ago > -1min && ago < 10min);
    }
    CHECK(ready->teraflops() > 0.0 || !speaks_2021());

    const auto snapshot = session->snapshot();
    CHECK(snapshot && snapshot->status() == arr::SessionStatus::ready && snapshot->max_lease() == 10min);
    // Each is rounded down separately.
    const auto sum = snapshot->remaining() + snapshot->elapsed();
    CHECK(sum >= 10min - 1s && sum <= 10min && snapshot->revision() > 0);

    // In cached properties, as in a snapshot, the lease is used up without a read.
    arr::Event event;
    while (session->snapshot()->elapsed() < 2s) {
        CHECK_STATUS(client.next_event(event, 50ms), arr::Status::timeout);
    }
    const auto known = session->properties(arr::Read::known);
    CHECK(known && known->elapsed() >= 2s && known->remaining() <= 10min - 2s);

    CHECK_STATUS(session->update_lease(20min), arr::Status::ok);
    CHECK_STATUS(session->update_lease(10min), arr::Status::invalid_argument);
    CHECK(session->properties(arr::Read::known)->max_lease() == 20min);
    CHECK(session->properties(arr::Read::cached)->max_lease() == 20min);
    CHECK_STATUS(session->properties(static_cast<arr::Read>(99)), arr::Status::unsupported);

    CHECK(session->reply().value().find("\"Ready\"") != std::string::npos);

    const auto stopped = session->stop();
    CHECK(stopped && !stopped->already_gone);
    // Stopping a stopped session succeeds; already_gone has the service's reply.
    CHECK_STATUS(session->stop(), arr::Status::ok);
    CHECK(arr::StopResult(1).already_gone && !arr::StopResult(0).already_gone);
    CHECK_STATUS(session->wait_until_ready(soon), arr::Status::session_ended);
    CHECK(session->message().value().empty());
}

TEST(an_ended_wait_returns_the_cached_properties) {
    const arr::Client client = emulator_client();
    const auto session = client.create_session(ten_minutes());
    arr::SessionProperties last;
    CHECK_STATUS(session->wait_until_ready(1ms, last), arr::Status::timeout);
    CHECK(last.status() == arr::SessionStatus::starting && last.session_id() == session->id().value());
    CHECK_STATUS(session->wait_until_ready(soon, last), arr::Status::ok);
    CHECK(last.status() == arr::SessionStatus::ready);
    CHECK_STATUS(session->stop(), arr::Status::ok);
}

TEST(a_session_outlives_the_object_of_its_client) {
    arr::Session session;
    {
        arr::Client client = emulator_client();
        session = client.create_session(ten_minutes()).value();
        CHECK_STATUS(session.stop(), arr::Status::ok);
    }
    CHECK_STATUS(session.properties(), arr::Status::shut_down);
    // Cached state stays readable, and no call blocks.
    CHECK_STATUS(session.snapshot(), arr::Status::ok);
}

TEST(a_running_session_is_listed_and_opened_by_its_id) {
    const arr::Client client = emulator_client();
    const arr::Client other = emulator_client();
    arr::SessionProperties properties;
    const auto session = client.create_session(ten_minutes(), properties);
    const auto list = other.list_sessions();
    CHECK_STATUS(list, arr::Status::ok);
    std::size_t found = 0, all = 0;
    for (const arr::SessionProperties& each : *list) {
        ++all;
        if (each.session_id() == properties.session_id()) {
            ++found;
            CHECK(!each.known_to_client() && each.claim() == arr::Claim::none);
        }
    }
    CHECK(found == 1 && all == list->count().value());
    // A temporary list lives as long as the loop.
    std::size_t again = 0;
    for (const auto& each : *other.list_sessions()) {
        again += each.session_id() == properties.session_id() ? 1 : 0;
    }
    for (const auto& each : other.list_sessions().value()) {
        again += each.session_id() == properties.session_id() ? 1 : 0;
    }
    CHECK(again == 2);
    CHECK_STATUS(list->at(all), arr::Status::invalid_argument);
    CHECK_STATUS(list->session(0), arr::Status::invalid_argument);

    arr::SessionProperties seen;
    const auto opened = other.open_session(properties.session_id(), seen);
    CHECK(opened && seen.session_id() == properties.session_id());
    CHECK_STATUS(other.open_session("an-unknown-session"), arr::Status::not_found);

    arr::StopAllResult counts;
    CHECK_STATUS(client.stop_all(arr::StopScope::own, counts), arr::Status::ok);
    CHECK(counts.stopped() == 1 && counts.failed() == 0);
    CHECK(opened->properties()->status() != arr::SessionStatus::ready);
}

TEST(a_token_is_complete_and_can_be_a_credential) {
    const arr::Client client = emulator_client();
    auto token = client.get_token();
    CHECK_STATUS(token, arr::Status::ok);
    CHECK(token->text().size() > 100 && token->text().data()[token->text().size()] == '\0');
    CHECK(token->remaining() && *token->remaining() > 1h);

    const arr::Token moved = std::move(*token);
    CHECK(token->text().empty() && moved.text().size() > 100);
    arr::ClientOptions options = emulator_options();
    options.account_key("").access_token(moved.text()).token_on_request();
    const auto other = arr::Client::create(options);
    CHECK_STATUS(other, arr::Status::ok);
    CHECK_STATUS(other->list_sessions(), arr::Status::ok);
    CHECK_STATUS(other->set_token(moved.text()), arr::Status::ok);
    CHECK_STATUS(client.set_token(moved.text()), arr::Status::invalid_argument);

    CHECK_STATUS(other->set_token("h.eyJleHAiOjF9.s"), arr::Status::ok);
    CHECK(other->get_token()->remaining() == 0s);
    CHECK_STATUS(other->set_token("h.e30.s"), arr::Status::ok);
    CHECK(!other->get_token()->remaining());
}

TEST(no_secret_is_left_in_freed_memory) {
    const std::string token(emulator_client().get_token()->text());
    const std::string url = "http://guest:" + token + "@127.0.0.1:9";
    heap::hunted = token;
    heap::found = 0;
    {
        arr::ClientOptions options = emulator_options().account_key("").access_token(token).proxy(url);
        arr::ClientOptions copy = options;
        const arr::ClientOptions moved = std::move(options);
        copy = moved;
        const arr::Client client = arr::Client::create(copy.access_token("another").access_token(token)).value();
        CHECK_STATUS(client.set_token(token), arr::Status::ok);
        CHECK(client.get_token()->text() == token && client.start_get_token()->wait(soon));
        auto held = client.get_token();
        *held = client.get_token().value();
        CHECK(held->text() == token);
        arr::SessionOptions session;
        session.add_model(url).add_model(url).extra_json(url);
        const arr::SessionOptions another = session;
    }
    CHECK(heap::found == 0);
    // Checks the search.
    { const std::string left = token; }
    heap::hunted = {};
    CHECK(heap::found == 1);
}

TEST(a_short_buffer_is_filled_at_the_second_attempt) {
    int calls = 0;
    const auto text = arr::detail::text_from<std::string>(
        3, [&](char* buffer, std::size_t capacity, std::size_t* needed, arr_error_info* error) -> arr_status {
            ++calls;
            *needed = 6;
            if (capacity < 6) {
                error->status = ARR_ERROR_BUFFER_TOO_SMALL;
                return ARR_ERROR_BUFFER_TOO_SMALL;
            }
            std::snprintf(buffer, capacity, "hello");
            return ARR_OK;
        });
    CHECK(text && *text == "hello" && calls == 2);
}

/// A new folder for each run, from the test runner.
std::string_view journal() { return environment("ARR_JOURNAL"); }

TEST(a_session_is_found_again_and_reused) {
    arr::ClientOptions with_journal = emulator_options().journal_folder(journal());
    std::string id;
    {
        const auto client = arr::Client::create(with_journal);
        const auto session = client->create_session(ten_minutes());
        CHECK_STATUS(session, arr::Status::ok);
        id = session->id().value();
        CHECK_STATUS(client->shutdown(soon), arr::Status::ok);
    }
    const auto client = arr::Client::create(with_journal);
    auto recovered = client->recover_sessions();
    CHECK_STATUS(recovered, arr::Status::ok);
    CHECK(recovered->count().value() == 1 && recovered->at(0)->session_id() == id);
    CHECK(recovered->at(0)->claim() == arr::Claim::ours);
    CHECK(recovered->session(0)->id().value() == id);

    auto reused = client->reuse_or_create_session(ten_minutes(), arr::ReuseOptions().min_remaining(1min).session_id(id));
    CHECK(reused && reused->reused && reused->session.id().value() == id && reused->properties.session_id() == id);
    auto created = client->reuse_or_create_session(ten_minutes(), arr::ReuseOptions().min_remaining(1h));
    CHECK(created && !created->reused && created->session.id().value() != id);
    CHECK_STATUS(created->session.stop(), arr::Status::ok);
    CHECK_STATUS(reused->session.stop(), arr::Status::ok);
    CHECK_STATUS(emulator_client().recover_sessions(), arr::Status::invalid_argument);
}

}  // namespace sessions
