// Builders that own their texts, and durations that fit or do not.
#include "suite.hpp"

#include <limits>
#include <memory>
#include <utility>

namespace options {

using namespace suite;
using std::chrono::duration;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Settings: rounded up, and refused if they do not fit.
static_assert(arr::WholeSeconds(90min).count() == 5400 && arr::WholeSeconds(1500ms).count() == 2);
static_assert(arr::WholeMilliseconds(1ns).count() == 1 && arr::WholeMilliseconds(2ms).count() == 2);
static_assert(arr::WholeSeconds(0s).fits() && arr::WholeSeconds(0s).count() == 0);
static_assert(arr::WholeSeconds(seconds(UINT32_MAX)).count() == UINT32_MAX);
static_assert(!arr::WholeSeconds(seconds(1LL << 32)).fits() && !arr::WholeSeconds(-1s).fits());
static_assert(!arr::WholeMilliseconds(hours::max()).fits() && !arr::WholeMilliseconds(hours::min()).fits());
static_assert(arr::WholeMilliseconds(duration<double>(0.25)).count() == 250);

// Timeouts: a negative one is zero, one that does not fit is no limit.
static_assert(arr::WaitTimeout(-5s).raw() == 0 && arr::no_wait.raw() == 0);
static_assert(arr::WaitTimeout(50 * 24h).raw() == ARR_WAIT_FOREVER && arr::forever.raw() == ARR_WAIT_FOREVER);
static_assert(arr::WaitTimeout(hours::max()).raw() == ARR_WAIT_FOREVER && arr::WaitTimeout(hours::min()).raw() == 0);
static_assert(arr::WaitTimeout(49 * 24h).raw() == 49u * 24u * 3600u * 1000u && arr::WaitTimeout(1us).raw() == 1);
static_assert(arr::CallTimeout().raw() == ARR_TIMEOUT_DEFAULT);
static_assert(arr::CallTimeout(0s).raw() == 0 && arr::CallTimeout(-1h).raw() == 0);
// No duration becomes ARR_TIMEOUT_DEFAULT by accident.
static_assert(arr::CallTimeout(milliseconds(ARR_TIMEOUT_DEFAULT)).raw() == ARR_WAIT_FOREVER);
static_assert(arr::CallTimeout(milliseconds(ARR_TIMEOUT_DEFAULT - 1)).raw() == ARR_TIMEOUT_DEFAULT - 1);
static_assert(arr::CallTimeout(milliseconds::max()).raw() == UINT32_MAX);

/// A temporary text, too long for the small-string buffer.
std::string temporary(std::string_view text) { return std::string(text); }

arr::ClientOptions built_from_temporaries() {
    return arr::ClientOptions()
        .account_id(temporary("d0ca11ed-0000-4000-8000-a0ca7a57e0de"))
        .account_key(temporary("YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ="))
        .account_domain(temporary("https://sts.example.com/a/long/enough/path"))
        .service_endpoint(temporary("https://rendering.example.com/a/long/enough/path"))
        .proxy(temporary("http://proxy.example.com:8080"))
        .user_agent_suffix(temporary("AnApplicationWithALongName/1.2.3.4"))
        .journal_folder(temporary("a/folder/that/is/not/there/journal"))
        .trusted_endpoints(temporary("westus2,https://rendering.example.com"))
        .call_timeout(90s)
        .max_retries(3);
}

bool is_whole(const arr::ClientOptions& options) {
    return options
        .with_raw("test",
                  [](const arr_client_options* raw) -> arr::Result<bool> {
                      return std::string_view(raw->account_id) == "d0ca11ed-0000-4000-8000-a0ca7a57e0de"
                             && std::string_view(raw->account_key) == "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ="
                             && std::string_view(raw->account_domain) == "https://sts.example.com/a/long/enough/path"
                             && std::string_view(raw->service_endpoint) == "https://rendering.example.com/a/long/enough/path"
                             && std::string_view(raw->proxy) == "http://proxy.example.com:8080"
                             && std::string_view(raw->user_agent_suffix) == "AnApplicationWithALongName/1.2.3.4"
                             && std::string_view(raw->journal_folder) == "a/folder/that/is/not/there/journal"
                             && std::string_view(raw->trusted_endpoints) == "westus2,https://rendering.example.com"
                             && raw->entra_token[0] == '\0' && raw->ca_file[0] == '\0'
                             && raw->struct_size == sizeof *raw && raw->call_timeout_ms == 90000 && raw->max_retries == 3;
                  })
        .value_or(false);
}

TEST(a_duration_that_is_not_finite_is_refused) {
    CHECK(!arr::WholeMilliseconds(duration<double>(std::numeric_limits<double>::quiet_NaN())).fits());
    CHECK(!arr::WholeMilliseconds(duration<double>(std::numeric_limits<double>::infinity())).fits());
    CHECK(!arr::WholeSeconds(duration<double>(-std::numeric_limits<double>::infinity())).fits());
}

TEST(a_builder_keeps_the_texts_of_temporaries) {
    CHECK(is_whole(built_from_temporaries()));
}

TEST(a_builder_can_be_copied_and_moved) {
    auto original = std::make_unique<arr::ClientOptions>(built_from_temporaries());
    arr::ClientOptions copy = *original;
    original->account_id("another");
    arr::ClientOptions moved = std::move(*original);
    original.reset();
    CHECK(is_whole(copy) && !is_whole(moved));
    arr::ClientOptions assigned;
    assigned = std::move(copy);
    CHECK(is_whole(assigned));
    const arr::ClientOptions& itself = assigned;
    assigned = itself;
    CHECK(is_whole(assigned));
}

TEST(a_part_of_a_text_can_be_passed) {
    const std::string_view line = "id=d0ca11ed;key";
    const arr::Result<bool> good = arr::ClientOptions().account_id(line.substr(3, 8)).with_raw(
        "test", [](const arr_client_options* raw) -> arr::Result<bool> {
            return std::string_view(raw->account_id) == "d0ca11ed";
        });
    CHECK(good && *good);
}

TEST(models_and_texts_of_a_session_are_kept) {
    arr::SessionOptions options;
    for (int i = 0; i < 100; ++i) {
        options.add_model(temporary("https://example.com/a/model/that/is/long/" + std::to_string(i)));
    }
    options.extra_json(temporary(R"({"something":"that is long enough for the heap"})")).size(arr::SessionSize::premium);
    const arr::SessionOptions copy = options;
    options = arr::SessionOptions();
    const arr::Result<bool> good =
        copy.with_raw("test", [](const arr_session_create_options* raw) -> arr::Result<bool> {
            bool same = raw->model_count == 100 && raw->session_id == nullptr && raw->size == ARR_SESSION_SIZE_PREMIUM;
            for (std::size_t i = 0; same && i < raw->model_count; ++i) {
                same = raw->models[i] == "https://example.com/a/model/that/is/long/" + std::to_string(i);
            }
            return same && std::string_view(raw->extra_json).size() == 48;
        });
    CHECK(good && *good);
}

TEST(values_that_c_cannot_hold_are_refused_by_name) {
    using namespace std::string_view_literals;
    const auto nul = arr::Client::create(built_from_temporaries().account_domain("west\0us2"sv));
    CHECK_STATUS(nul, arr::Status::invalid_argument);
    CHECK(nul.error().message() == "arr_client_new: account_domain has an embedded NUL");

    // The first one is reported.
    const auto negative = arr::Client::create(built_from_temporaries().call_timeout(-1ms).ca_pem("\0"sv));
    CHECK_STATUS(negative, arr::Status::invalid_argument);
    CHECK(negative.error().message() == "arr_client_new: call_timeout is not a time from 0 to a day");
    CHECK_STATUS(arr::Client::create(built_from_temporaries().retry_delay(hours::max())), arr::Status::invalid_argument);

    // The wrapper refuses these itself, before it needs a client.
    const arr::Client client;
    const arr::Session session;
    CHECK_STATUS(client.create_session(arr::SessionOptions().max_lease(-1s)), arr::Status::invalid_argument);
    CHECK_STATUS(client.start_create_session(arr::SessionOptions().session_id("a\0b"sv)), arr::Status::invalid_argument);
    CHECK_STATUS(client.open_session("a\0b"sv), arr::Status::invalid_argument);
    CHECK_STATUS(client.start_open_session("a\0b"sv), arr::Status::invalid_argument);
    CHECK_STATUS(client.set_token("a\0b"sv), arr::Status::invalid_argument);
    CHECK_STATUS(client.reuse_or_create_session(ten_minutes(), arr::ReuseOptions().min_remaining(-1s)),
                 arr::Status::invalid_argument);
    CHECK_STATUS(session.update_lease(seconds::max()), arr::Status::invalid_argument);
    CHECK_STATUS(session.start_update_lease(-1s), arr::Status::invalid_argument);
    CHECK_STATUS(session.watch(arr::WatchOptions().warn_before(-1s)), arr::Status::invalid_argument);
    CHECK_STATUS(session.keep_alive(arr::KeepAliveOptions().cap(1h).liveness(hours::max())),
                 arr::Status::invalid_argument);
}

TEST(the_library_refuses_bad_options) {
    const arr::Client client = emulator_client();
    const auto no_lease = client.create_session(arr::SessionOptions());
    CHECK_STATUS(no_lease, arr::Status::invalid_argument);
    CHECK(no_lease.error().message().find("`max_lease` of 0 s") != std::string_view::npos);
    CHECK_STATUS(client.create_session(arr::SessionOptions().max_lease(24h * 366)), arr::Status::invalid_argument);
    CHECK_STATUS(arr::Client::create(emulator_options().trust(static_cast<arr::Trust>(9))),
                 arr::Status::invalid_argument);
}

TEST(messages_use_the_cpp_names_of_options) {
    const auto refused = arr::Client::create(emulator_options().call_timeout(48h));
    CHECK_STATUS(refused, arr::Status::invalid_argument);
    const std::string_view message = refused.error().message();
    CHECK(message.find("`call_timeout` of 172800000 ms") != std::string_view::npos);
    CHECK(refused.error().message_length() == message.size());

    // REST 2021-01-01 rounds leases up to minutes, so only v1 warns about such a short one.
    const auto options = emulator_options().log_level(arr::LogLevel::warning).api_version(arr::ApiVersion::v1);
    const arr::Client client = arr::Client::create(options).value();
    CHECK_STATUS(client.create_session(arr::SessionOptions().max_lease(30s)), arr::Status::ok);
    bool found = false;
    CHECK(client.pump_log([&](const arr::LogEntry& entry) {
        found |= entry.message().find("`max_lease` of 30 s") == 0 && entry.message_length() == entry.message().size();
    }));
    arr::LogEntry entry;
    CHECK_STATUS(client.create_session(arr::SessionOptions().max_lease(31s)), arr::Status::ok);
    CHECK_STATUS(client.next_log(entry, arr::no_wait), arr::Status::ok);
    CHECK(found && entry.message().find("`max_lease` of 31 s") == 0);
}

}  // namespace options
