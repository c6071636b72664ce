/*
 * A rendering session in an application that draws 60 frames a second and must not block: the loop creates, watches, keeps
 * alive and stops the session. At the end the program prints what the calls have cost the frame thread.
 *
 * It reads the same variables as quickstart.c, and:
 *
 *   ARR_FRAMES             number of frames to draw once the session is ready; default 300
 *   ARR_FRAME_PAUSE_MS     how long a frame sleeps; default 16; 0: as many frames as possible
 *   ARR_JOURNAL            journal folder, to find the session again after a crash; default: no journal
 */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 199309L /* clock_gettime and nanosleep, also with -std=c99 */
#endif

#include <arr_session.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <windows.h>
#endif

/* The lease is short and grows while this program runs, so a crash costs at most a quarter of an hour. */
#define LEASE_SECONDS 300u
#define AMOUNT_SECONDS 900u
#define CAP_SECONDS 7200u

/* ---- the cost of calls ------------------------------------------------------------------------------------------- */

enum { NEXT_EVENT, POLL, SNAPSHOT, READ_KNOWN, START, TAKE, CALLS };

static const char *const call_names[CALLS] = {
    "arr_client_next_event", "arr_operation_poll", "arr_session_snapshot",
    "arr_session_get_properties", "arr_..._start", "arr_operation_get_..., watch, free",
};

#define LONGEST_US 10000u

static struct cost {
    unsigned long count;
    double cpu_us, most_cpu_us, most_wall_us;
    unsigned long wall_us[LONGEST_US + 1u]; /* the number of calls that took this long */
} costs[CALLS];

#ifdef _WIN32
static double wall_us(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static double cpu_us(void)
{
    FILETIME created, exited, kernel, user;
    GetThreadTimes(GetCurrentThread(), &created, &exited, &kernel, &user);
    return ((double)kernel.dwLowDateTime + (double)user.dwLowDateTime) / 10.0;
}

static void pause_ms(unsigned long milliseconds)
{
    Sleep((DWORD)milliseconds);
}
#else
static double microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double wall_us(void)
{
    return microseconds(CLOCK_MONOTONIC);
}

static double cpu_us(void)
{
    return microseconds(CLOCK_THREAD_CPUTIME_ID);
}

static void pause_ms(unsigned long milliseconds)
{
    struct timespec pause;
    pause.tv_sec = (time_t)(milliseconds / 1000u);
    pause.tv_nsec = (long)(milliseconds % 1000u) * 1000000;
    nanosleep(&pause, NULL);
}
#endif

/* A test counts allocations between these two. */
#ifndef BEFORE_CALL
#define BEFORE_CALL(call) ((void)(call))
#define AFTER_CALL(call) ((void)(call))
#endif

static double wall_before_us, cpu_before_us;

static void before(int call)
{
    BEFORE_CALL(call);
    wall_before_us = wall_us();
    cpu_before_us = cpu_us();
}

static arr_status after(int call, arr_status status)
{
    double cpu = cpu_us() - cpu_before_us;
    double wall = wall_us() - wall_before_us;
    struct cost *cost = &costs[call];
    AFTER_CALL(call);
    cost->count++;
    cost->cpu_us += cpu;
    cost->most_cpu_us = cpu > cost->most_cpu_us ? cpu : cost->most_cpu_us;
    cost->most_wall_us = wall > cost->most_wall_us ? wall : cost->most_wall_us;
    cost->wall_us[wall < LONGEST_US ? (unsigned)wall : LONGEST_US]++;
    return status;
}

/* Calls the library and records the cost. */
#define TIMED(call, expression) (before(call), after((call), (expression)))

/* The time within which 99.9 % of the calls returned. */
static unsigned p999_us(const struct cost *cost)
{
    unsigned long left = cost->count / 1000u;
    unsigned us = LONGEST_US;
    while (us > 0u && cost->wall_us[us] <= left) {
        left -= cost->wall_us[us];
        us--;
    }
    return us + 1u;
}

static void print_costs(unsigned long frames)
{
    int call;
    printf("\nCost of the library for the frame thread in %lu frames, in microseconds\n", frames);
    printf("  %-36s %9s %9s %9s %11s %9s\n", "call", "calls", "CPU mean", "CPU most", "wall 99.9 %", "wall most");
    for (call = 0; call < CALLS; call++) {
        const struct cost *cost = &costs[call];
        if (cost->count != 0u) {
            printf("  %-36s %9lu %9.1f %9.1f %11u %9.1f\n", call_names[call], cost->count,
                   cost->cpu_us / (double)cost->count, cost->most_cpu_us, p999_us(cost), cost->most_wall_us);
        }
    }
}

/* ---- the application --------------------------------------------------------------------------------------------- */

enum { CREATING = 1, WATCHING, STOPPING, OVER };

static struct application {
    int state;
    arr_client *client;
    arr_session *session;
    arr_operation *operation; /* the running create or stop */
    uint64_t revision;
    unsigned long frames, frames_with_session, frames_wanted;
    int failed;
} app;

static void fail(const arr_error_info *error)
{
    fprintf(stderr, "error: %s\n       %s\n", error->message, arr_status_name(error->status));
    app.failed = 1;
}

static void stop_session(arr_error_info *error)
{
    printf("frame %6lu: stopping it\n", app.frames);
    app.state = STOPPING;
    if (TIMED(START, arr_session_stop_start(app.session, STOPPING, &app.operation, ARR_TIMEOUT_DEFAULT, error)) != ARR_OK) {
        fail(error);
        app.state = OVER;
    }
}

/* From here on the library polls the session, reports changes, and extends its lease. */
static void look_after_session(arr_error_info *error)
{
    arr_watch_options watch;
    arr_keep_alive_options keep_alive;

    arr_watch_options_init(&watch, sizeof watch);
    watch.stop_on_shutdown = 1; /* if this program ends without stopping it */
    arr_keep_alive_options_init(&keep_alive, sizeof keep_alive);
    keep_alive.amount_seconds = AMOUNT_SECONDS;
    keep_alive.cap_seconds = CAP_SECONDS;
    if (TIMED(TAKE, arr_session_watch(app.session, &watch, WATCHING, error)) != ARR_OK
        || TIMED(TAKE, arr_session_keep_alive(app.session, &keep_alive, error)) != ARR_OK) {
        fail(error);
        stop_session(error);
    }
}

static void operation_ended(const arr_event *event, arr_error_info *error)
{
    if (event->user_data == CREATING) {
        arr_status taken = TIMED(TAKE, arr_operation_get_session(event->operation, &app.session, NULL, NULL, error));
        app.state = WATCHING;
        if (taken != ARR_OK) {
            fail(error);
            app.state = OVER;
        } else {
            printf("frame %6lu: session %s was created\n", app.frames, event->session_id);
            look_after_session(error);
        }
    } else {
        if (TIMED(TAKE, arr_operation_get_stop(event->operation, NULL, error)) != ARR_OK) {
            fail(error);
        } else {
            printf("frame %6lu: it was stopped\n", app.frames);
        }
        app.state = OVER;
    }
    before(TAKE);
    arr_operation_free(app.operation);
    after(TAKE, ARR_OK);
    app.operation = NULL;
}

static void handle(const arr_event *event, arr_error_info *error)
{
    switch (event->type) {
    case ARR_EVENT_OPERATION_ENDED:
        operation_ended(event, error);
        break;
    case ARR_EVENT_SESSION_STATUS_CHANGED:
        printf("frame %6lu: its status is now %d\n", app.frames, (int)event->session_status);
        if (event->session_status != ARR_SESSION_STATUS_READY && app.state == WATCHING) {
            fprintf(stderr, "error: the session has ended\n");
            app.failed = 1;
            app.state = OVER;
        }
        break;
    case ARR_EVENT_LEASE_EXTENDED:
        printf("frame %6lu: its lease is now %u s, of which %u s are left\n", app.frames,
               (unsigned)event->max_lease_seconds, (unsigned)event->remaining_seconds);
        break;
    case ARR_EVENT_LEASE_NOT_EXTENDED:
        printf("frame %6lu: its lease could not be extended: %s\n", app.frames, arr_status_name(event->status));
        break;
    case ARR_EVENT_LEASE_EXPIRING:
        printf("frame %6lu: its lease ends in %u s\n", app.frames, (unsigned)event->remaining_seconds);
        break;
    case ARR_EVENT_STARTING_LONG:
        printf("frame %6lu: the session is taking unusually long to start\n", app.frames);
        break;
    case ARR_EVENT_READS_FAILING:
        printf("frame %6lu: the session cannot be read: %s\n", app.frames, arr_status_name(event->status));
        break;
    case ARR_EVENT_READS_RECOVERED:
        printf("frame %6lu: the session can be read again\n", app.frames);
        break;
    default: /* open enum: a newer library may return others */
        printf("frame %6lu: event %d\n", app.frames, (int)event->type);
        break;
    }
}

/* Everything that a frame does besides drawing. It never blocks, and allocates only if there is something to do. */
static void frame(arr_event *event, arr_snapshot *snapshot, arr_session_properties *properties, arr_error_info *error)
{
    arr_operation_state state = ARR_OPERATION_RUNNING;

    app.frames++;
    while (TIMED(NEXT_EVENT, arr_client_next_event(app.client, event, 0, error)) == ARR_OK) {
        handle(event, error);
    }
    if (app.operation != NULL) {
        /* An alternative to the event. */
        TIMED(POLL, arr_operation_poll(app.operation, &state, error));
    }
    if (app.session == NULL || TIMED(SNAPSHOT, arr_session_snapshot(app.session, snapshot, error)) != ARR_OK) {
        return;
    }
    if (snapshot->revision != app.revision) {
        /* Reads the texts only after a change. */
        TIMED(READ_KNOWN, arr_session_get_properties(app.session, ARR_READ_KNOWN, properties, 0, error));
        app.revision = snapshot->revision;
        if (properties->status == ARR_SESSION_STATUS_READY && properties->hostname[0] != '\0') {
            printf("frame %6lu: render on %s\n", app.frames, properties->hostname);
        }
    }
    if (snapshot->status == ARR_SESSION_STATUS_READY && app.state == WATCHING) {
        app.frames_with_session++;
        if (app.frames_with_session == app.frames_wanted) {
            stop_session(error);
        }
    }
}

static unsigned long number_from_environment(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoul(value, NULL, 10);
}

static arr_status new_client_from_environment(arr_client **client, arr_error_info *error)
{
    const char *version = getenv("ARR_API_VERSION");
    arr_client_options options;

    arr_client_options_init(&options, sizeof options);
    options.account_id = getenv("ARR_ACCOUNT_ID");
    options.account_key = getenv("ARR_ACCOUNT_KEY");
    options.account_domain = getenv("ARR_ACCOUNT_DOMAIN");
    options.service_endpoint = getenv("ARR_SERVICE_ENDPOINT");
    options.ca_file = getenv("ARR_CA_FILE");
    options.journal_folder = getenv("ARR_JOURNAL");
    if (version != NULL && strcmp(version, "v1") != 0) {
        options.api_version = strcmp(version, "2021-01-01") == 0 ? ARR_API_VERSION_2021_01_01 : -1;
    }
    options.poll_interval_ms = (uint32_t)number_from_environment("ARR_POLL_INTERVAL_MS", 0);
    return arr_client_new(&options, client, error);
}

int main(void)
{
    unsigned long pause = number_from_environment("ARR_FRAME_PAUSE_MS", 16);
    arr_session_create_options create;
    arr_session_properties properties;
    arr_snapshot snapshot;
    arr_event event;
    arr_error_info error;

#ifdef SIGPIPE
    /* If the reader of the output is gone, the session is still stopped. */
    signal(SIGPIPE, SIG_IGN);
#endif
    arr_error_info_init(&error, sizeof error);
    arr_event_init(&event, sizeof event);
    arr_snapshot_init(&snapshot, sizeof snapshot);
    arr_session_properties_init(&properties, sizeof properties);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = LEASE_SECONDS;

    if (getenv("ARR_ACCOUNT_ID") == NULL) {
        fprintf(stderr, "error: ARR_ACCOUNT_ID is not set; set the variables listed in this file and in quickstart.c\n");
        return EXIT_FAILURE;
    }
    if (new_client_from_environment(&app.client, &error) != ARR_OK) {
        fail(&error);
        return EXIT_FAILURE;
    }
    app.frames_wanted = number_from_environment("ARR_FRAMES", 300);
    app.state = CREATING;
    printf("Creating a rendering session; the loop continues\n");
    if (TIMED(START, arr_session_create_start(app.client, &create, CREATING, &app.operation, ARR_TIMEOUT_DEFAULT, &error))
        != ARR_OK) {
        fail(&error);
        app.state = OVER;
    }
    while (app.state != OVER) {
        frame(&event, &snapshot, &properties, &error);
        /* ... draw the frame here ... */
        if (pause != 0u) {
            pause_ms(pause);
        }
    }
    /* The only call that blocks. If the session is still running, stop_on_shutdown stops it here. */
    if (arr_client_shutdown(app.client, 5000, &error) != ARR_OK) {
        fail(&error);
    }
    arr_operation_free(app.operation);
    arr_session_free(app.session);
    arr_client_free(app.client);
    print_costs(app.frames);
    return app.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
