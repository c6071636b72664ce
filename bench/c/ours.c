/*
 * The measured work through arr_session. Prints `name value` lines; CPU is in microseconds, from when the work is warm.
 *
 *   ours calls N              properties calls, one after the other
 *   ours lists N              lists of the account's sessions
 *   ours lifecycle            create, wait, properties, extend, list, stop
 *   ours first                the first call of a client that trusts the platform's store
 *   ours idle SECONDS WHAT    a `create` or `read` after idleness
 *   ours opens N              opens of N different sessions, all started at once
 *   ours starts N             the caller's cost of starting a read
 *   ours frames N             the frame calls, in nanoseconds
 *   ours journal FOLDER N     creates with a journal (FOLDER `-`: without) that has N sessions of this client already
 *   ours watched N SECONDS    N sessions, watched while they start
 *   ours sleeps SECONDS       wake-ups of a process whose client watches one ready session
 *   ours memory N             allocated memory: a client, its first call, N watched sessions
 */
#define _GNU_SOURCE
#include <arr_session.h>

#include "cost.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE 3600u

static arr_error_info error;
static arr_client *client;
static arr_session *session;
static arr_session_properties properties;

static void check(arr_status status, const char *what)
{
    if (status != ARR_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, arr_status_name(status), error.message);
        exit(EXIT_FAILURE);
    }
}
#define CHECK(call) check((call), #call)

static void new_client(const char *journal, arr_trust trust)
{
    const char *poll = getenv("ARR_POLL_INTERVAL_MS");
    arr_client_options options;
    arr_client_options_init(&options, sizeof options);
    options.account_id = getenv("ARR_ACCOUNT_ID");
    options.account_key = getenv("ARR_ACCOUNT_KEY");
    options.account_domain = getenv("ARR_ACCOUNT_DOMAIN");
    options.service_endpoint = getenv("ARR_SERVICE_ENDPOINT");
    options.ca_file = getenv("ARR_CA_FILE");
    options.trust = trust;
    options.journal_folder = journal;
    options.call_timeout_ms = 300000u;
    if (poll != NULL) {
        options.poll_interval_ms = (uint32_t)atoi(poll);
    }
    CHECK(arr_client_new(&options, &client, &error));
}

static void session_id(char *text, int number)
{
    sprintf(text, "00000000-0000-4000-8000-%012d", number);
}

static arr_session *open_session(int number)
{
    arr_session *opened = NULL;
    char id[40];
    session_id(id, number);
    CHECK(arr_session_open(client, id, &opened, &properties, ARR_TIMEOUT_DEFAULT, &error));
    return opened;
}

static void create(void)
{
    arr_session_create_options options;
    arr_session_create_options_init(&options, sizeof options);
    options.size = ARR_SESSION_SIZE_STANDARD;
    options.max_lease_seconds = LEASE;
    CHECK(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, &error));
}

static void read_fresh(void)
{
    CHECK(arr_session_get_properties(session, ARR_READ_FRESH, &properties, ARR_TIMEOUT_DEFAULT, &error));
}

static void calls(int count)
{
    double before;
    int i;
    session = open_session(0);
    read_fresh();
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < count; i++) {
        read_fresh();
    }
    print("cpu_us", (cpu_us(RUSAGE_SELF) - before) / count);
}

static size_t list(void)
{
    arr_session_list *sessions = NULL;
    size_t count = 0;
    CHECK(arr_client_list_sessions(client, &sessions, ARR_TIMEOUT_DEFAULT, &error));
    CHECK(arr_session_list_count(sessions, &count, &error));
    arr_session_list_free(sessions);
    return count;
}

static void lists(int count)
{
    double before;
    size_t entries = list();
    int i;
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < count; i++) {
        list();
    }
    print("cpu_us", (cpu_us(RUSAGE_SELF) - before) / count);
    print("entries", (double)entries);
}

static void lifecycle(void)
{
    int already_gone = 0;
    create();
    CHECK(arr_session_wait_until_ready(session, &properties, ARR_TIMEOUT_DEFAULT, &error));
    read_fresh();
    CHECK(arr_session_update_lease(session, 2u * LEASE, NULL, ARR_TIMEOUT_DEFAULT, &error));
    list();
    CHECK(arr_session_stop(session, &already_gone, ARR_TIMEOUT_DEFAULT, &error));
}

static void first(void)
{
    double thread = cpu_us(RUSAGE_THREAD), process = cpu_us(RUSAGE_SELF);
    session = open_session(0);
    print("thread_us", cpu_us(RUSAGE_THREAD) - thread);
    print("process_us", cpu_us(RUSAGE_SELF) - process);
}

static void idle(int seconds, const char *what)
{
    double before;
    session = open_session(0);
    sleep((unsigned)seconds);
    before = cpu_us(RUSAGE_SELF);
    if (strcmp(what, "create") == 0) {
        create();
    } else {
        read_fresh();
    }
    print("cpu_us", cpu_us(RUSAGE_SELF) - before);
}

/* Waits for the end of `count` operations. */
static void await(int count)
{
    arr_event event;
    arr_event_init(&event, sizeof event);
    while (count > 0) {
        CHECK(arr_client_next_event(client, &event, ARR_WAIT_FOREVER, &error));
        if (event.type == ARR_EVENT_OPERATION_ENDED) {
            check(event.status, "operation");
            count--;
        }
    }
}

static void opens(int count)
{
    arr_operation **operations = calloc((size_t)count, sizeof *operations);
    char id[40];
    double before;
    int i;
    session = open_session(0);
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < count; i++) {
        session_id(id, i + 1);
        CHECK(arr_session_open_start(client, id, 0, &operations[i], ARR_TIMEOUT_DEFAULT, &error));
    }
    await(count);
    print("cpu_us", cpu_us(RUSAGE_SELF) - before);
    for (i = 0; i < count; i++) {
        arr_operation_free(operations[i]);
    }
    free(operations);
}

static void starts(int count)
{
    double *costs = calloc((size_t)count, sizeof *costs);
    int i;
    session = open_session(0);
    for (i = 0; i < count; i++) {
        arr_operation *operation = NULL;
        double before = thread_ns();
        arr_status status =
            arr_session_get_properties_start(session, 0, &operation, ARR_TIMEOUT_DEFAULT, &error);
        costs[i] = thread_ns() - before;
        check(status, "arr_session_get_properties_start");
        await(1);
        arr_operation_free(operation);
    }
    print_costs(costs, count);
}

static void frames(int count)
{
    arr_operation *operation = NULL;
    arr_operation_state state;
    arr_snapshot snapshot;
    arr_event event;
    double before;
    int i;
    session = open_session(0);
    CHECK(arr_session_get_properties_start(session, 0, &operation, ARR_TIMEOUT_DEFAULT, &error));
    await(1);
    arr_event_init(&event, sizeof event);
    arr_snapshot_init(&snapshot, sizeof snapshot);

    before = thread_ns();
    for (i = 0; i < count; i++) {
        CHECK(arr_operation_poll(operation, &state, NULL));
    }
    print("poll_ns", (thread_ns() - before) / count);
    before = thread_ns();
    for (i = 0; i < count; i++) {
        if (arr_client_next_event(client, &event, 0, NULL) != ARR_ERROR_TIMEOUT) {
            exit(EXIT_FAILURE);
        }
    }
    print("next_event_ns", (thread_ns() - before) / count);
    before = thread_ns();
    for (i = 0; i < count; i++) {
        CHECK(arr_session_snapshot(session, &snapshot, NULL));
    }
    print("snapshot_ns", (thread_ns() - before) / count);
    arr_operation_free(operation);
}

static void journal(int sessions)
{
    enum { CREATES = 200 };
    double before;
    int i;
    for (i = 0; i < sessions + 1; i++) {
        create();
    }
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < CREATES; i++) {
        create();
    }
    print("cpu_us", (cpu_us(RUSAGE_SELF) - before) / CREATES);
}

/* Of all threads of this process whose name begins with `name`: CPU time in clock ticks, and voluntary waits. */
static void threads(const char *name, double *ticks, double *waits)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    *ticks = *waits = 0.0;
    while ((task = readdir(tasks)) != NULL) {
        char path[300], line[600] = "", *end;
        unsigned long user = 0, system = 0, count = 0;
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        file = fopen(path, "r");
        if (file == NULL) {
            continue;
        }
        if (fgets(line, sizeof line, file) != NULL && (end = strrchr(line, ')')) != NULL) {
            char *start = strchr(line, '(') + 1;
            if (strncmp(start, name, strlen(name)) == 0 &&
                sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) {
                *ticks += (double)(user + system);
                snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
                fclose(file);
                file = fopen(path, "r");
                while (file != NULL && fgets(line, sizeof line, file) != NULL) {
                    if (sscanf(line, "voluntary_ctxt_switches: %lu", &count) == 1) {
                        *waits += (double)count;
                    }
                }
            }
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(tasks);
}

static void watch(arr_session *watched)
{
    arr_watch_options options;
    arr_watch_options_init(&options, sizeof options);
    CHECK(arr_session_watch(watched, &options, 0, &error));
}

static void watch_many(int count)
{
    int i;
    for (i = 0; i < count; i++) {
        watch(open_session(i));
    }
}

static void watched(int count, int seconds)
{
    double ticks, ticks_before, waits;
    watch_many(count);
    threads("arr-driver", &ticks_before, &waits);
    sleep((unsigned)seconds);
    threads("arr-driver", &ticks, &waits);
    print("driver_us", (ticks - ticks_before) * 1e6 / (double)sysconf(_SC_CLK_TCK));
}

static void sleeps(int seconds)
{
    double ticks, before, after;
    watch(session = open_session(0));
    sleep(2);
    threads("arr-", &ticks, &before);
    sleep((unsigned)seconds);
    threads("arr-", &ticks, &after);
    print("wakeups", after - before);
}

/* Memory that this process has allocated and not freed, in KiB. */
static double heap_kib(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd) / 1024.0;
}

static void memory(int count)
{
    double before = heap_kib(), fresh, connected;
    new_client(NULL, ARR_TRUST_BUNDLED);
    fresh = heap_kib();
    watch(open_session(0));
    connected = heap_kib();
    watch_many(count);
    print("client_kib", fresh - before);
    print("first_call_kib", connected - fresh);
    print("session_kib", (heap_kib() - connected) / count);
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 0;
    arr_error_info_init(&error, sizeof error);
    arr_session_properties_init(&properties, sizeof properties);

    if (strcmp(work, "memory") == 0) {
        memory(number);
        return EXIT_SUCCESS;
    }
    new_client(strcmp(work, "journal") == 0 && strcmp(argv[2], "-") != 0 ? argv[2] : NULL,
               strcmp(work, "first") == 0 ? ARR_TRUST_PLATFORM : ARR_TRUST_BUNDLED);
    if (strcmp(work, "calls") == 0) {
        calls(number);
    } else if (strcmp(work, "lists") == 0) {
        lists(number);
    } else if (strcmp(work, "lifecycle") == 0) {
        lifecycle();
    } else if (strcmp(work, "first") == 0) {
        first();
    } else if (strcmp(work, "idle") == 0) {
        idle(number, argv[3]);
    } else if (strcmp(work, "opens") == 0) {
        opens(number);
    } else if (strcmp(work, "starts") == 0) {
        starts(number);
    } else if (strcmp(work, "frames") == 0) {
        frames(number);
    } else if (strcmp(work, "journal") == 0) {
        journal(atoi(argv[3]));
    } else if (strcmp(work, "watched") == 0) {
        watched(number, atoi(argv[3]));
    } else if (strcmp(work, "sleeps") == 0) {
        sleeps(number);
    } else {
        fprintf(stderr, "unknown work `%s`\n", work);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
