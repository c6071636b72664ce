// A rendering session from beginning to end: creates it, waits until it is ready, extends its lease, lists the account's
// sessions, stops it. Does the same as examples/c/quickstart.c, which lists the environment variables.
//
// It needs neither exceptions nor RTTI (-fno-exceptions -fno-rtti). Compile it with:
//
//   c++ -std=c++17 -Iinclude -Ibindings/cpp/include examples/cpp/quickstart.cpp
//       -Ltarget/release -larr_session -Wl,-rpath,$PWD/target/release
#include <arr_session.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace std::chrono_literals;

namespace {

constexpr auto lease = 30min;  // bounds what a forgotten session costs
constexpr auto longer_lease = 1h;
constexpr auto patience = 10min;
constexpr auto slice = 250ms;

int failed(const arr::Error& error) {
    std::fprintf(stderr, "\nerror: %s\n       %s", error.what(), to_string(error.status()));
    if (error.http_status() != 0) {
        std::fprintf(stderr, ", HTTP %d", error.http_status());
    }
    if (!error.correlation_vector().empty()) {
        std::fprintf(stderr, ", MS-CV %s", error.correlation_vector().data());
    }
    std::fprintf(stderr, "\n");
    return EXIT_FAILURE;
}

std::string_view from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

arr::Result<arr::Client> new_client_from_environment() {
    arr::ClientOptions options;
    options.account_id(from_environment("ARR_ACCOUNT_ID"))
        .account_key(from_environment("ARR_ACCOUNT_KEY"))
        .account_domain(from_environment("ARR_ACCOUNT_DOMAIN"))
        .service_endpoint(from_environment("ARR_SERVICE_ENDPOINT"))
        .ca_file(from_environment("ARR_CA_FILE"));
    if (const std::string_view version = from_environment("ARR_API_VERSION"); version == "2021-01-01") {
        options.api_version(arr::ApiVersion::v2021_01_01);
    } else if (version.data() != nullptr && version != "v1") {
        options.api_version(static_cast<arr::ApiVersion>(-1));  // the library's error lists the versions
    }
    if (const char* interval = std::getenv("ARR_POLL_INTERVAL_MS")) {
        options.poll_interval(std::chrono::milliseconds(std::strtoul(interval, nullptr, 10)));
    }
    return arr::Client::create(options);
}

// Waits in short slices to show progress: a dot a second. Slices send no extra requests.
arr::Result<void> wait_until_ready(const arr::Session& session, arr::SessionProperties& properties) {
    arr::Result<void> ready;
    std::chrono::milliseconds waited = 0ms;

    std::printf("  starting ");
    do {
        if (waited % 1s == 0s) {
            std::printf(".");
            std::fflush(stdout);
        }
        ready = session.wait_until_ready(slice, properties);
        waited += slice;
    } while (ready.status() == arr::Status::timeout && waited < patience);
    std::printf(" %s after about %u s\n", to_string(properties.status()), static_cast<unsigned>(waited / 1s));
    return ready;
}

void print(const arr::SessionProperties& properties) {
    std::printf("  status     %s\n", to_string(properties.status()));
    std::printf("  hostname   %s\n", properties.hostname().data());
    std::printf("  ports      %d handshake, %d inspector\n", properties.handshake_port(), properties.arr_inspector_port());
    std::printf("  lease      %lld s, of which %lld s are left\n", static_cast<long long>(properties.max_lease().count()),
                static_cast<long long>(properties.remaining().count()));
}

// Everything between create and stop. If anything fails here, the session is still stopped, because it costs money.
arr::Result<void> use(const arr::Session& session, arr::SessionProperties& properties) {
    std::printf("Waiting until it is ready\n");
    if (auto ready = wait_until_ready(session, properties); !ready) {
        return ready;
    }
    print(properties);

    std::printf("Extending its lease to an hour in all\n");
    if (auto extended = session.update_lease(longer_lease); !extended) {
        return extended.error();
    }
    std::printf("Reading its properties\n");
    auto read = session.properties();
    if (!read) {
        return read.error();
    }
    print(*read);
    return {};
}

// Lists all sessions that the account pays for, including those of other clients.
arr::Result<void> list(const arr::Client& client) {
    std::printf("Listing the account's sessions\n");
    auto sessions = client.list_sessions();
    if (!sessions) {
        return sessions.error();
    }
    for (const arr::SessionProperties& each : *sessions) {
        std::printf("  %s   %s, %s\n", each.session_id().data(), to_string(each.status()),
                    each.known_to_client() ? "ours" : "another client's");
    }
    return {};
}

int run(const arr::Client& client) {
    arr::SessionProperties properties;
    int result = EXIT_SUCCESS;

    std::printf("Creating a rendering session\n");
    auto session = client.create_session(
        arr::SessionOptions().size(arr::SessionSize::standard).max_lease(lease), properties);
    if (!session) {
        return failed(session.error());
    }
    std::printf("  id         %s\n", properties.session_id().data());

    auto used = use(*session, properties);
    if (used) {
        used = list(client);
    }
    if (!used) {
        result = failed(used.error());
    }

    std::printf("Stopping it\n");
    if (auto stopped = session->stop(); !stopped) {
        result = failed(stopped.error());
    } else if (auto last = session->properties(); !last) {
        result = failed(last.error());
    } else {
        std::printf("  status     %s\n", to_string(last->status()));
    }
    return result;
}

}  // namespace

int main() {
#ifdef SIGPIPE
    std::signal(SIGPIPE, SIG_IGN);  // if the reader of the output is gone, the session is still stopped
#endif
    if (auto fits = arr::check_version(); !fits) {
        return failed(fits.error());
    }
    std::printf("arr_session %s\n", arr::version().data());
    if (std::getenv("ARR_ACCOUNT_ID") == nullptr) {
        std::fprintf(stderr, "error: ARR_ACCOUNT_ID is not set; set the variables listed in examples/c/quickstart.c\n");
        return EXIT_FAILURE;
    }
    auto client = new_client_from_environment();
    if (!client) {
        return failed(client.error());
    }
    return run(*client);
}
