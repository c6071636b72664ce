/*
 * Name lookups that hang: the calls end in time and leave at most the documented four lookup threads behind.
 * The program's getaddrinfo() replaces the system's, also for the library.
 */
#ifdef __linux__
#define _DEFAULT_SOURCE

#include "check.h"

#include <dirent.h>
#include <netdb.h>
#include <time.h>
#include <unistd.h>

#define HOSTS 8
#define CALL_MS 400u

static int lookups; /* changed by several threads */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    __sync_fetch_and_add(&lookups, 1);
    sleep(60); /* the point of this program; it ends long before */
    return EAI_AGAIN;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The number of threads of this process whose name begins like this; "" for all. */
static int threads(const char *name)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int count = 0;

    while ((task = readdir(tasks)) != NULL) {
        char path[300], found[32] = "";
        FILE *file;
        if (task->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "/proc/self/task/%.200s/comm", task->d_name);
        file = fopen(path, "r");
        if (file != NULL) {
            if (fgets(found, sizeof found, file) != NULL && strncmp(found, name, strlen(name)) == 0) {
                count++;
            }
            fclose(file);
        }
    }
    closedir(tasks);
    return count;
}

/* A client for a service whose name lookup hangs. */
static arr_client *client_of(int host, uint32_t attempt_timeout_ms)
{
    arr_client_options options;
    arr_client *client = NULL;
    char endpoint[64];

    snprintf(endpoint, sizeof endpoint, "https://host%d.invalid", host);
    emulator_options(&options);
    options.poll_interval_ms = 0;
    options.account_key = NULL;
    options.access_token = "a.b.c";
    options.service_endpoint = endpoint;
    options.proxy = "none";
    options.attempt_timeout_ms = attempt_timeout_ms;
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    return client;
}

static void a_call_with_a_hanging_lookup_ends(int host)
{
    arr_client *client = client_of(host, 0);
    arr_session_create_options create;
    arr_error_info error;
    arr_session *session = NULL;
    double before;
    arr_status status;

    arr_error_info_init(&error, sizeof error);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;
    before = seconds();
    status = arr_session_create(client, &create, &session, NULL, CALL_MS, &error);
    /* No connection was made, so nothing was sent and the outcome is known. The margin is for valgrind. */
    CHECK(status == ARR_ERROR_NETWORK || status == ARR_ERROR_NAME_RESOLUTION || status == ARR_ERROR_TIMEOUT);
    CHECK(error.outcome_unknown == 0 && error.retryable == 1);
    CHECK(seconds() - before < 10);
    before = seconds();
    arr_client_free(client);
    CHECK(seconds() - before < 2);
}

/* The caller of a started operation does not notice that it hangs, and shutdown reports it in time. */
static void an_operation_is_cancelled_at_once_and_shutdown_ends_in_time(void)
{
    static const uint32_t attempt_timeout_ms = 3000;
    arr_client *client = client_of(0, attempt_timeout_ms);
    arr_operation *operations[40];
    arr_operation_state state;
    arr_error_info error;
    double before, took, slowest = 0;
    int slow = getenv("ARR_SLOW") != NULL; /* valgrind's time is not the machine's */
    size_t i, at_once = 0;

    arr_error_info_init(&error, sizeof error);
    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        CHECK_STATUS(arr_client_list_sessions_start(client, i, &operations[i], 60000, &error), ARR_OK);
    }
    usleep(50000); /* until they hang */
    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        before = seconds();
        CHECK_STATUS(arr_operation_cancel(operations[i], &error), ARR_OK);
        CHECK_STATUS(arr_operation_wait(operations[i], &state, ARR_WAIT_FOREVER, &error), ARR_OK);
        took = seconds() - before;
        slowest = took > slowest ? took : slowest;
        at_once += took < 0.005;
        CHECK(state == ARR_OPERATION_CANCELLED);
        arr_operation_free(operations[i]);
    }
    /* Another program may run for a moment, but not often; waiting for the request would take longer. */
    CHECK((at_once > 35 && slowest < 1.0) || slow);

    CHECK_STATUS(arr_client_list_sessions_start(client, 1, &operations[0], 60000, &error), ARR_OK);
    usleep(50000); /* until it hangs */
    before = seconds();
    /* The requests would continue for nearly 3 s, even on a busy machine. */
    CHECK_STATUS(arr_client_shutdown(client, 200, &error), ARR_ERROR_TIMEOUT);
    took = seconds() - before;
    printf("lookup that hangs: cancel took %.3f ms at most, shutdown(200) %.3f s\n", slowest * 1e3, took);
    CHECK((took >= 0.2 && took < 1.0) || slow);
    CHECK_STATUS(arr_operation_get_error(operations[0], &error), ARR_ERROR_CANCELLED);
    arr_operation_free(operations[0]);
    CHECK_STATUS(arr_client_shutdown(client, 10000, &error), ARR_OK);
    CHECK(seconds() - before < attempt_timeout_ms / 1000.0 + 0.5 || slow);
    /* The library's count is 0; the system may take a moment longer to end them. */
    before = seconds();
    while (threads("arr-worker") + threads("arr-driver") > 0 && seconds() < before + 1) {
        usleep(1000);
    }
    CHECK(threads("arr-worker") == 0 && threads("arr-driver") == 0);
    arr_client_free(client);
}

int main(void)
{
    int own = threads(""); /* one, or more under an emulator */
    int host;
    double end;

    for (host = 0; host < HOSTS; host++) {
        a_call_with_a_hanging_lookup_ends(host);
    }
    CHECK(__sync_fetch_and_add(&lookups, 0) == 4);
    CHECK(threads("arr-dns") == 4);
    /* The HTTP clients' threads, and those that drop them, end once they notice that there is no caller. */
    end = seconds() + 30;
    while (threads("") > own + 4 && seconds() < end) {
        usleep(10000);
    }
    CHECK(threads("") == own + 4);
    an_operation_is_cancelled_at_once_and_shutdown_ends_in_time();
    return checks_result("hanging_lookup");
}
#else
int main(void) { return 0; }
#endif
