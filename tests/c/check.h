/* Shared by the C tests: a check that reports its place and condition, and continues. */
#ifndef CHECK_H
#define CHECK_H

#include <arr_session.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_made;
static int checks_failed;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        checks_made++;                                                                                       \
        if (!(condition)) {                                                                                  \
            checks_failed++;                                                                                 \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                          \
        }                                                                                                    \
    } while (0)

/* Shows an unexpected status by its name. */
#define CHECK_STATUS(call, expected)                                                                         \
    do {                                                                                                     \
        arr_status check_status_ = (call);                                                                   \
        checks_made++;                                                                                       \
        if (check_status_ != (expected)) {                                                                   \
            checks_failed++;                                                                                 \
            fprintf(stderr, "%s:%d: failed: %s is %s, not %s\n", __FILE__, __LINE__, #call,                  \
                    arr_status_name(check_status_), #expected);                                              \
        }                                                                                                    \
    } while (0)

/* The exit code of the program. */
static int checks_result(const char *program)
{
    printf("%s: %d checks, %d failed\n", program, checks_made, checks_failed);
    return checks_failed == 0 && checks_made > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: this program needs an emulator\n", name);
        exit(EXIT_FAILURE);
    }
    return value;
}

/* Whether the programs run against REST 2021-01-01; else against v1. */
static inline int speaks_2021(void)
{
    return strcmp(from_environment("ARR_API_VERSION"), "2021-01-01") == 0;
}

/* The options for the emulator that the environment specifies. */
static void emulator_options(arr_client_options *options)
{
    CHECK_STATUS(arr_client_options_init(options, sizeof *options), ARR_OK);
    options->api_version = speaks_2021() ? ARR_API_VERSION_2021_01_01 : ARR_API_VERSION_V1;
    options->account_id = from_environment("ARR_ACCOUNT_ID");
    options->account_key = from_environment("ARR_ACCOUNT_KEY");
    options->account_domain = from_environment("ARR_ACCOUNT_DOMAIN");
    options->service_endpoint = from_environment("ARR_SERVICE_ENDPOINT");
    options->ca_file = getenv("ARR_CA_FILE");
    options->poll_interval_ms = (uint32_t)strtoul(from_environment("ARR_POLL_INTERVAL_MS"), NULL, 10);
}

/* A client of the emulator. (Inline, because not every program uses it.) */
static inline arr_client *emulator_client(void)
{
    arr_client_options options;
    arr_client *client = NULL;
    emulator_options(&options);
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    return client;
}

#endif
