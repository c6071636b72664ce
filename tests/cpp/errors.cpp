// Results, errors and enumerations, also from a library newer than the header.
#include "heap.hpp"
#include "suite.hpp"

#include <cstring>

#if ARR_CPP_EXCEPTIONS
#include <typeinfo>
#endif

#ifdef __unix__
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace errors {

using namespace suite;

TEST(a_success_has_a_value_and_an_ok_error) {
    arr::Result<std::string> result = std::string("value");
    CHECK(result && result.has_value() && *result == "value" && result->size() == 5);
    CHECK(result.status() == arr::Status::ok && result.error().category() == arr::Category::ok);
    CHECK(result.error().message().empty());
    const std::string taken = std::move(result).value();
    CHECK(taken == "value");
    CHECK(arr::Result<void>().has_value());
}

TEST(a_failure_has_all_details) {
    arr_error_info info;
    arr_error_info_init(&info, sizeof info);
    info.status = ARR_ERROR_THROTTLED;
    info.category = ARR_CATEGORY_SERVICE;
    info.http_status = 429;
    info.retry_after_ms = UINT32_MAX;
    info.retryable = 1;
    info.outcome_unknown = 1;
    info.message_length = 700;
    std::strcpy(info.service_code, "TooManyRequests");
    std::strcpy(info.correlation_vector, "abc.0");
    std::memset(info.message, 'x', sizeof info.message - 1);

    const arr::Result<arr::Snapshot> result = arr::Error(info);
    const arr::Error copy = result.error();
    CHECK(!result && copy.status() == arr::Status::throttled && copy.category() == arr::Category::service);
    CHECK(copy.http_status() == 429 && copy.retryable() && copy.outcome_unknown());
    CHECK(copy.retry_after() == std::chrono::milliseconds(4294967295LL));
    CHECK(copy.service_code() == "TooManyRequests" && copy.correlation_vector() == "abc.0");
    CHECK(copy.message().size() == 511 && copy.message_length() == 700 && std::strlen(copy.what()) == 511);
    // A text without a NUL, which no library writes, is not read beyond its array.
    std::memset(info.service_code, 'y', sizeof info.service_code);
    CHECK(arr::Error(info).service_code().size() == sizeof info.service_code);
    const arr_error_info raw = arr::Error(info).raw();
    CHECK(std::memcmp(&info, &raw, sizeof info) == 0);
}

static_assert(sizeof(arr::Result<arr::Snapshot>) <= sizeof(arr::Snapshot) + 16, "a success does not carry an error");

TEST(a_failure_without_memory_keeps_its_status) {
    const arr::Error whole = arr::Error::of_usage(arr::Status::outcome_unknown, "f", "x");
    heap::exhausted = true;
    const arr::Error copy = whole;
    const arr::Result<int> made = arr::Error::of_usage(arr::Status::invalid_argument, "f", "x");
    const arr::Error unknown(static_cast<arr::Status>(-77));
    heap::exhausted = false;
    CHECK(copy.status() == arr::Status::outcome_unknown && copy.category() == category_of(copy.status()));
    CHECK(copy.message() == to_string(copy.status()) && copy.service_code().empty() && !copy.retryable());
    CHECK(copy.raw().status == ARR_ERROR_OUTCOME_UNKNOWN && copy.raw().message == copy.message());
    CHECK(!made && made.status() == arr::Status::invalid_argument && unknown.status() == static_cast<arr::Status>(-77));
    CHECK(whole.message() == "f: x");
}

TEST(an_error_that_is_moved_or_assigned_stays_one) {
    arr::Error first = arr::Error::of_usage(arr::Status::timeout, "f", "x");
    arr::Error second = std::move(first);
    CHECK(second.message() == "f: x" && first.status() == arr::Status::timeout);
    first = second;
    second = arr::Error();
    CHECK(first.message() == "f: x" && second.status() == arr::Status::ok && second.message().empty());
    first = *&first;
    CHECK(first.message() == "f: x");
}

TEST(a_refused_key_is_an_error_of_the_service) {
    auto client = arr::Client::create(emulator_options().account_key("d3Jvbmc="));
    CHECK_STATUS(client, arr::Status::ok);
    const auto session = client->create_session(ten_minutes());
    CHECK_STATUS(session, arr::Status::unauthorized);
    CHECK(session.error().http_status() == 401 && session.error().category() == arr::Category::authentication);
    CHECK(!session.error().correlation_vector().empty() && !session.error().retryable());
    CHECK(session.error().message().substr(0, 19) == "arr_session_create:");
}

TEST(a_missing_option_is_reported) {
    const auto client = arr::Client::create(arr::ClientOptions());
    CHECK_STATUS(client, arr::Status::invalid_argument);
    CHECK(client.error().message().find("one of `account_key`") != std::string_view::npos);
}

TEST(value_or_gives_the_other_value) {
    CHECK(arr::Result<int>(arr::Error::of_usage(arr::Status::timeout, "f", "x")).value_or(7) == 7);
    CHECK(arr::Result<int>(8).value_or(7) == 8);
}

TEST(a_result_without_a_value_is_never_ok) {
    const arr::Result<int> good = 1;
    const arr::Result<std::string> bad = good.error();
    CHECK_STATUS(bad, arr::Status::invalid_argument);
    CHECK(!bad && bad.error().message().substr(0, 12) == "arr::Result:");
}

TEST(an_error_of_the_wrapper_looks_like_one_of_the_library) {
    const std::string long_text(2000, 'z');
    const arr::Error error = arr::Error::of_usage(arr::Status::unsupported, "arr_f", long_text);
    CHECK(error.status() == arr::Status::unsupported && error.category() == arr::Category::usage);
    CHECK(error.category() == category_of(error.status()));
    CHECK(error.message().substr(0, 8) == "arr_f: z" && error.message().size() == 511);
    CHECK(error.message_length() == 2007 && error.raw().struct_size == sizeof(arr_error_info));
}

#ifdef __unix__
TEST(taking_a_missing_value_ends_the_program) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        // Discards its message.
        if (std::freopen("/dev/null", "w", stderr) == nullptr) {
            _exit(1);
        }
        const arr::Result<int> none = arr::Error::of_usage(arr::Status::timeout, "f", "x");
        _exit(*none);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

#if ARR_CPP_EXCEPTIONS
TEST(with_exceptions_a_missing_value_throws) {
    CHECK(arr::Result<int>(5).value_or_throw() == 5);
    arr::Result<void>().value_or_throw();
    int caught = 0;
    try {
        arr::Client::create(arr::ClientOptions()).value_or_throw();
    } catch (const arr::Exception& exception) {
        ++caught;
        CHECK(exception.error().status() == arr::Status::invalid_argument);
        CHECK(exception.error().message() == exception.what());
    }
    try {
        arr::Session().touch().value_or_throw();
    } catch (const std::exception& exception) {
        ++caught;
        CHECK(std::strstr(exception.what(), "arr_session_touch") != nullptr);
    }
    CHECK(caught == 2);
}

TEST(a_handlers_exception_propagates_and_loses_no_event) {
    const arr::Client client = emulator_client();
    auto first = client.start_get_token(1);
    auto second = client.start_get_token(2);
    CHECK_STATUS(first->wait(soon), arr::Status::ok);
    CHECK_STATUS(second->wait(soon), arr::Status::ok);
    std::uint64_t sum = 0;
    try {
        const auto pumped = client.pump([&](const arr::Event& event) {
            sum += event.user_data();
            throw event.user_data();
        });
        CHECK(!pumped);
    } catch (std::uint64_t) {
        const auto rest = client.pump([&](const arr::Event& event) { sum += event.user_data(); });
        CHECK(rest && *rest == 1);
    }
    CHECK(sum == 3);
}
#endif

template <typename Enumeration>
bool survives(std::int32_t number) {
    const auto value = static_cast<Enumeration>(number);
    return static_cast<std::int32_t>(value) == number && std::string_view(to_string(value)) == "unknown";
}

TEST(values_of_a_newer_library_survive) {
    for (const std::int32_t number : {1000, 77, -77, INT32_MAX, INT32_MIN}) {
        CHECK(survives<arr::SessionStatus>(number) && survives<arr::SessionSize>(number));
        CHECK(survives<arr::EventType>(number) && survives<arr::OperationState>(number)
              && survives<arr::OperationKind>(number));
        CHECK(survives<arr::Category>(number) && survives<arr::LogLevel>(number) && survives<arr::Claim>(number));
        CHECK(survives<arr::ApiVersion>(number) && survives<arr::Trust>(number) && survives<arr::StopScope>(number));
        CHECK(survives<arr::OnSuspend>(number));
        CHECK(std::string_view(to_string(static_cast<arr::Status>(number))) == "ARR_ERROR_UNKNOWN");
    }
    CHECK(std::string_view(to_string(static_cast<arr::Read>(9))) == "unknown");
    CHECK(category_of(static_cast<arr::Status>(-455)) == arr::Category::network);
    CHECK(category_of(static_cast<arr::Status>(1)) == arr::Category::other);

    arr::Event event;
    event.out()->type = 4711;
    event.out()->session_status = 99;
    CHECK(event.type() == static_cast<arr::EventType>(4711) && event.session_status() != arr::SessionStatus::unknown);
    CHECK(!is_final(event.session_status()));
}

TEST(enumerations_have_names) {
    CHECK(std::string_view(to_string(arr::Status::name_resolution)) == "ARR_ERROR_NAME_RESOLUTION");
    CHECK(std::string_view(to_string(arr::SessionStatus::stopping)) == "stopping");
    CHECK(std::string_view(to_string(arr::SessionStatus::unknown)) == "unknown");
    CHECK(std::string_view(to_string(arr::EventType::create_lost)) == "create lost");
    CHECK(std::string_view(to_string(arr::Category::authentication)) == "authentication");
    static_assert(is_final(arr::SessionStatus::expired) && !is_final(arr::SessionStatus::stopping));
    static_assert(static_cast<int>(arr::Status::throttled) == ARR_ERROR_THROTTLED);
}

TEST(the_library_matches_the_header) {
    CHECK_STATUS(arr::check_version(), arr::Status::ok);
    CHECK(arr::abi_version() == ARR_ABI_VERSION);
    CHECK(arr::version_number() == ARR_VERSION_MAJOR * 1000000u + ARR_VERSION_MINOR * 1000u + ARR_VERSION_PATCH);
    CHECK(arr::version() == std::to_string(ARR_VERSION_MAJOR) + "." + std::to_string(ARR_VERSION_MINOR) + "."
                                + std::to_string(ARR_VERSION_PATCH));
}

}  // namespace errors
