// A library whose ABI version differs from the header's is refused with a message, before anything else is called.
//
// The program's functions take precedence over the shared library's.
#include "suite.hpp"

extern "C" uint32_t ARR_CALL arr_abi_version(void) { return ARR_ABI_VERSION + 1; }
extern "C" const char* ARR_CALL arr_version_string(void) { return "9.8.7"; }
extern "C" arr_status arr_client_new(const arr_client_options*, arr_client**, arr_error_info*) {
    std::fprintf(stderr, "an incompatible library was called\n");
    std::abort();
}

int main() {
    const auto fits = arr::check_version();
    CHECK_STATUS(fits, arr::Status::unsupported);
    CHECK(fits.error().category() == arr::Category::usage);
    const std::string_view message = fits.error().message();
    const std::string own = "for arr_session " + std::to_string(ARR_VERSION_MAJOR) + "." + std::to_string(ARR_VERSION_MINOR)
                            + "." + std::to_string(ARR_VERSION_PATCH) + " with ABI version " + std::to_string(ARR_ABI_VERSION);
    const std::string loaded = "is 9.8.7 with ABI version " + std::to_string(ARR_ABI_VERSION + 1);
    for (const std::string& part : {own, loaded, std::string("ship the library that belongs to the header")}) {
        CHECK(message.find(part) != std::string_view::npos);
    }
    CHECK(fits.error().message_length() == message.size());

    const auto client = arr::Client::create(suite::emulator_options());
    CHECK_STATUS(client, arr::Status::unsupported);
    std::printf("%d checks, %d failed\n", suite::checks_made, suite::checks_failed);
    return suite::checks_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
