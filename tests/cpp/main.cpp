// Runs all cases, or those whose names contain one of the arguments.
#include "suite.hpp"

#include <cstring>

static bool is_wanted(const char* name, int count, char** words) {
    for (int i = 1; i < count; ++i) {
        if (std::strstr(name, words[i]) != nullptr) {
            return true;
        }
    }
    return count < 2;
}

int main(int count, char** words) {
    int run = 0;
    for (const suite::Case& each : suite::cases()) {
        if (!is_wanted(each.name, count, words)) {
            continue;
        }
        ++run;
        const int failed_before = suite::checks_failed;
        each.run();
        if (suite::checks_failed != failed_before) {
            std::fprintf(stderr, "FAILED: %s (%s)\n", each.name, each.file);
        }
    }
    std::printf("%d cases, %d checks, %d failed\n", run, suite::checks_made, suite::checks_failed);
    return suite::checks_failed == 0 && suite::checks_made > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
