// Results, errors and enumerations, also those of a library that is newer than the header.
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

TEST(a_success_has_a_value_and_an_error_that_says_so) {
    arr::Result<std::string> result = std::string("value");
    CHECK(result && result.has_value() && *result == "value" && result->size() == 5);
    CHECK(result.status() == arr::Status::ok && result.error().category() == arr::Category::ok);
    CHECK(result.error().message().empty());
    const std::string taken = std::move(result).value();
    CHECK(taken == "value");
    CHECK(arr::Result<void>().has_value());
}

TEST(a_failure_tells_all_that_the_library_knows) {
    arr::Error error;
    arr_error_info& info = *error.out();
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

    const arr::Result<arr::Snapshot> result = error;
    const arr::Error copy = result.error();
    CHECK(!result && copy.status() == arr::Status::throttled && copy.category() == arr::Category::service);
    CHECK(copy.http_status() == 429 && copy.retryable() && copy.outcome_unknown());
    CHECK(copy.retry_after() == std::chrono::milliseconds(4294967295LL));
    CHECK(copy.service_code() == "TooManyRequests" && copy.correlation_vector() == "abc.0");
    CHECK(copy.message().size() == 511 && copy.message_length() == 700 && std::strlen(copy.what()) == 511);
    // A text that fills its whole array, as no library writes it, is not read beyond it.
    std::memset(info.service_code, 'y', sizeof info.service_code);
    CHECK(error.service_code().size() == sizeof info.service_code);
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

TEST(a_missing_option_is_told) {
    const auto client = arr::Client::create(arr::ClientOptions());
    CHECK_STATUS(client, arr::Status::invalid_argument);
    CHECK(client.error().message().find("give one of account_key") != std::string_view::npos);
}

TEST(value_or_gives_the_other_value) {
    CHECK(arr::Result<int>(arr::Error::of_usage(arr::Status::timeout, "f", "x")).value_or(7) == 7);
    CHECK(arr::Result<int>(8).value_or(7) == 8);
}

TEST(a_result_without_a_value_never_says_that_all_is_well) {
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
TEST(taking_a_value_that_is_not_there_ends_the_program) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        // Its words are of no interest, and a core file neither.
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
TEST(with_exceptions_a_value_can_be_taken_or_thrown_about) {
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

TEST(an_exception_of_a_handler_comes_through_and_loses_nothing_else) {
    const arr::Client client = emulator_client();
    auto first = client.start_get_token(1);
    auto second = client.start_get_token(2);
    CHECK_STATUS(first->wait(soon), arr::Status::ok);
    CHECK_STATUS(second->wait(soon), arr::Status::ok);
    std::uint64_t told = 0;
    try {
        const auto pumped = client.pump([&](const arr::Event& event) {
            told += event.user_data();
            throw event.user_data();
        });
        CHECK(!pumped);
    } catch (std::uint64_t) {
        const auto rest = client.pump([&](const arr::Event& event) { told += event.user_data(); });
        CHECK(rest && *rest == 1);
    }
    CHECK(told == 3);
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
        CHECK(survives<arr::EventType>(number) && survives<arr::OperationState>(number));
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

TEST(the_library_is_the_one_that_the_header_describes) {
    CHECK_STATUS(arr::check_version(), arr::Status::ok);
    CHECK(arr::abi_version() == ARR_ABI_VERSION);
    CHECK(arr::version() == std::to_string(ARR_VERSION_MAJOR) + "." + std::to_string(ARR_VERSION_MINOR) + "."
                                + std::to_string(ARR_VERSION_PATCH));
}

}  // namespace errors
