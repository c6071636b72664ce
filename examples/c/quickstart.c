/*
 * A rendering session from beginning to end: creates it, waits until it is ready, extends its lease, lists the account's
 * sessions, stops it.
 *
 * `cargo xtask demo` builds and runs it against the emulator. Against any other service, set these variables:
 *
 *   ARR_ACCOUNT_ID         GUID of the account
 *   ARR_ACCOUNT_KEY        primary or secondary key of the account
 *   ARR_ACCOUNT_DOMAIN     where the account was created: a region, the account domain, or the URL of the token service
 *   ARR_SERVICE_ENDPOINT   where the session runs: a region, or the URL of the session service
 *   ARR_CA_FILE            PEM file with the authority of a private certificate; default: the platform's authorities
 *   ARR_API_VERSION        "v1" (default) or "2021-01-01"
 *   ARR_POLL_INTERVAL_MS   how often a starting session is polled; default: the library's
 *
 * Compile it with:  cc -Iinclude examples/c/quickstart.c -Ltarget/release -larr_session -Wl,-rpath,$PWD/target/release
 */
#include <arr_session.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_AN_HOUR 1800u /* seconds: bounds what a forgotten session costs */
#define AN_HOUR 3600u
#define PATIENCE_MS 600000u
#define SLICE_MS 250u

static int failed(const arr_error_info *error)
{
    fprintf(stderr, "\nerror: %s\n       %s", error->message, arr_status_name(error->status));
    if (error->http_status != 0) {
        fprintf(stderr, ", HTTP %d", (int)error->http_status);
    }
    if (error->correlation_vector[0] != '\0') {
        fprintf(stderr, ", MS-CV %s", error->correlation_vector);
    }
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
}

static const char *status_word(arr_session_status status)
{
    switch (status) {
    case ARR_SESSION_STATUS_STARTING: return "starting";
    case ARR_SESSION_STATUS_READY: return "ready";
    case ARR_SESSION_STATUS_STOPPING: return "stopping";
    case ARR_SESSION_STATUS_STOPPED: return "stopped";
    case ARR_SESSION_STATUS_EXPIRED: return "expired";
    case ARR_SESSION_STATUS_ERROR: return "error";
    default: return "unknown";
    }
}

static arr_status new_client_from_environment(arr_client **client, arr_error_info *error)
{
    const char *version = getenv("ARR_API_VERSION");
    const char *poll_interval = getenv("ARR_POLL_INTERVAL_MS");
    arr_client_options options;

    arr_client_options_init(&options, sizeof options);
    options.account_id = getenv("ARR_ACCOUNT_ID");
    options.account_key = getenv("ARR_ACCOUNT_KEY");
    options.account_domain = getenv("ARR_ACCOUNT_DOMAIN");
    options.service_endpoint = getenv("ARR_SERVICE_ENDPOINT");
    options.ca_file = getenv("ARR_CA_FILE");
    if (version != NULL && strcmp(version, "v1") != 0) {
        /* For any other, the library's error lists the versions. */
        options.api_version = strcmp(version, "2021-01-01") == 0 ? ARR_API_VERSION_2021_01_01 : -1;
    }
    if (poll_interval != NULL) {
        options.poll_interval_ms = (uint32_t)strtoul(poll_interval, NULL, 10);
    }
    return arr_client_new(&options, client, error);
}

/* Waits in short slices to show progress: a dot a second. Slices send no extra requests. */
static arr_status wait_until_ready(arr_session *session, arr_session_properties *properties, arr_error_info *error)
{
    arr_status status = ARR_ERROR_TIMEOUT;
    uint32_t waited_ms;

    printf("  starting ");
    for (waited_ms = 0; status == ARR_ERROR_TIMEOUT && waited_ms < PATIENCE_MS; waited_ms += SLICE_MS) {
        if (waited_ms % 1000u == 0u) {
            printf(".");
            fflush(stdout);
        }
        status = arr_session_wait_until_ready(session, properties, SLICE_MS, error);
    }
    printf(" %s after about %u s\n", status_word(properties->status), (unsigned)(waited_ms / 1000u));
    return status;
}

static void print(const arr_session_properties *properties)
{
    printf("  status     %s\n", status_word(properties->status));
    printf("  hostname   %s\n", properties->hostname);
    printf("  ports      %d handshake, %d inspector\n", (int)properties->handshake_port,
           (int)properties->arr_inspector_port);
    printf("  lease      %u s, of which %u s are left\n", (unsigned)properties->max_lease_seconds,
           (unsigned)properties->remaining_seconds);
}

/* Everything between create and stop. If anything fails here, the session is still stopped, because it costs money. */
static arr_status use(arr_session *session, arr_session_properties *properties, arr_error_info *error)
{
    arr_status status;

    printf("Waiting until it is ready\n");
    status = wait_until_ready(session, properties, error);
    if (status != ARR_OK) {
        return status;
    }
    print(properties);

    printf("Extending its lease to an hour in all\n");
    status = arr_session_update_lease(session, AN_HOUR, NULL, ARR_TIMEOUT_DEFAULT, error);
    if (status != ARR_OK) {
        return status;
    }
    printf("Reading its properties\n");
    status = arr_session_get_properties(session, ARR_READ_FRESH, properties, ARR_TIMEOUT_DEFAULT, error);
    if (status == ARR_OK) {
        print(properties);
    }
    return status;
}

/* Lists all sessions that the account pays for, including those of other clients. */
static arr_status list(arr_client *client, arr_error_info *error)
{
    arr_session_list *sessions = NULL;
    arr_session_properties entry;
    arr_status status;
    size_t count = 0, i;

    printf("Listing the account's sessions\n");
    arr_session_properties_init(&entry, sizeof entry);
    status = arr_client_list_sessions(client, &sessions, ARR_TIMEOUT_DEFAULT, error);
    if (status == ARR_OK) {
        status = arr_session_list_count(sessions, &count, error);
    }
    for (i = 0; status == ARR_OK && i < count; i++) {
        status = arr_session_list_get(sessions, i, &entry, error);
        if (status == ARR_OK) {
            printf("  %s   %s, %s\n", entry.session_id, status_word(entry.status),
                   entry.known_to_client ? "ours" : "another client's");
        }
    }
    arr_session_list_free(sessions);
    return status;
}

static int run(arr_client *client, arr_session_properties *properties, arr_error_info *error)
{
    arr_session_create_options options;
    arr_session *session = NULL;
    int result = EXIT_SUCCESS;

    printf("Creating a rendering session\n");
    arr_session_create_options_init(&options, sizeof options);
    options.size = ARR_SESSION_SIZE_STANDARD;
    options.max_lease_seconds = HALF_AN_HOUR;
    if (arr_session_create(client, &options, &session, properties, ARR_TIMEOUT_DEFAULT, error) != ARR_OK) {
        return failed(error);
    }
    printf("  id         %s\n", properties->session_id);

    if (use(session, properties, error) != ARR_OK || list(client, error) != ARR_OK) {
        result = failed(error);
    }

    printf("Stopping it\n");
    if (arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, error) != ARR_OK) {
        result = failed(error);
    } else if (arr_session_get_properties(session, ARR_READ_FRESH, properties, ARR_TIMEOUT_DEFAULT, error)
               != ARR_OK) {
        result = failed(error);
    } else {
        printf("  status     %s\n", status_word(properties->status));
    }
    arr_session_free(session);
    return result;
}

int main(void)
{
    arr_client *client = NULL;
    arr_session_properties properties;
    arr_error_info error;
    int result;

#ifdef SIGPIPE
    /* If the reader of the output is gone, the session is still stopped. */
    signal(SIGPIPE, SIG_IGN);
#endif
    if (arr_abi_version() != ARR_ABI_VERSION) {
        fprintf(stderr, "error: this program was built for another ABI version than that of arr_session %s\n", arr_version_string());
        return EXIT_FAILURE;
    }
    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);

    printf("arr_session %s\n", arr_version_string());
    if (getenv("ARR_ACCOUNT_ID") == NULL) {
        fprintf(stderr, "error: ARR_ACCOUNT_ID is not set; run `cargo xtask demo`, or set the variables listed in this file\n");
        return EXIT_FAILURE;
    }
    if (new_client_from_environment(&client, &error) != ARR_OK) {
        return failed(&error);
    }
    result = run(client, &properties, &error);
    arr_client_free(client);
    return result;
}
