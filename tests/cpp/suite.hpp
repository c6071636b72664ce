// Shared by the C++ tests: cases that register themselves, checks that report and continue, and the emulator.
//
// All files of this folder except other_version.cpp are one program. Each includes the headers it needs.
#pragma once

#include <arr_session.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace suite {

using namespace std::chrono_literals;

/// The limit for what must happen soon.
inline constexpr auto soon = 20s;

struct Case {
    const char* file;
    const char* name;
    void (*run)();
};

inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

struct Registered {
    Registered(const char* file, const char* name, void (*run)()) { cases().push_back({file, name, run}); }
};

inline int checks_made = 0;
inline int checks_failed = 0;

inline void check(bool good, const char* file, int line, const char* what) {
    ++checks_made;
    if (!good) {
        ++checks_failed;
        std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
}

inline const arr::Error& error_of(const arr::Error& error) { return error; }
template <typename T>
const arr::Error& error_of(const arr::Result<T>& result) {
    return result.error();
}

/// Shows an unexpected status with the library's message.
template <typename Outcome>
void check_status(const Outcome& outcome, arr::Status expected, const char* file, int line, const char* what) {
    const arr::Error& error = error_of(outcome);
    ++checks_made;
    if (error.status() != expected) {
        ++checks_failed;
        std::fprintf(stderr, "%s:%d: failed: %s is %s, not %s: %s\n", file, line, what, to_string(error.status()),
                     to_string(expected), error.what());
    }
}

inline std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) {
        std::fprintf(stderr, "%s is not set: these tests need an emulator\n", name);
        std::exit(EXIT_FAILURE);
    }
    return value;
}

/// Whether the tests run against REST 2021-01-01; else against v1.
inline bool speaks_2021() { return environment("ARR_API_VERSION") == "2021-01-01"; }

/// The options for the emulator that the environment specifies.
inline arr::ClientOptions emulator_options() {
    arr::ClientOptions options;
    options.account_id(environment("ARR_ACCOUNT_ID"))
        .account_key(environment("ARR_ACCOUNT_KEY"))
        .account_domain(environment("ARR_ACCOUNT_DOMAIN"))
        .service_endpoint(environment("ARR_SERVICE_ENDPOINT"))
        .api_version(speaks_2021() ? arr::ApiVersion::v2021_01_01 : arr::ApiVersion::v1)
        .poll_interval(std::chrono::milliseconds(std::atoi(environment("ARR_POLL_INTERVAL_MS").data())));
    if (const char* ca_file = std::getenv("ARR_CA_FILE")) {
        options.ca_file(ca_file);
    }
    return options;
}

inline arr::Client emulator_client() {
    auto client = arr::Client::create(emulator_options());
    check_status(client, arr::Status::ok, __FILE__, __LINE__, "a client of the emulator");
    return std::move(client).value();
}

inline arr::SessionOptions ten_minutes() { return arr::SessionOptions().max_lease(10min); }

}  // namespace suite

#define TEST(name)                                                                   \
    static void name();                                                              \
    static const suite::Registered name##_is_registered(__FILE__, #name, name);      \
    static void name()

#define CHECK(condition) suite::check(static_cast<bool>(condition), __FILE__, __LINE__, #condition)
#define CHECK_STATUS(outcome, expected) suite::check_status((outcome), (expected), __FILE__, __LINE__, #outcome)
