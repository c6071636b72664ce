/* A call needs at most 32 KiB of its caller's stack, even on a new thread with a small stack. */
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

enum { SOON_MS = 20000, STACK = 256 * 1024, MOST = 32 * 1024, PAINT = 0xa5 };

static arr_client *client;
static arr_session *session;

static void make_client(void)
{
    arr_client_options options;
    emulator_options(&options);
    options.journal_folder = from_environment("ARR_JOURNAL");
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
}

static void recover(void)
{
    arr_session_list *found = NULL;
    CHECK_STATUS(arr_client_recover_sessions(client, &found, SOON_MS, NULL), ARR_OK);
    arr_session_list_free(found);
}

/* Uses the platform's certificates, which do not include the emulator's. */
static void fail(void)
{
    static arr_error_info error;
    arr_client_options options;
    arr_client *other = NULL;
    arr_session_list *found = NULL;
    emulator_options(&options);
    options.ca_file = NULL;
    options.account_id = "11111111-2222-3333-4444-555555555555";
    arr_error_info_init(&error, sizeof error);
    CHECK_STATUS(arr_client_new(&options, &other, NULL), ARR_OK);
    CHECK(arr_client_list_sessions(other, &found, SOON_MS, &error) != ARR_OK);
    arr_client_free(other);
}

static void fetch_first_token(void)
{
    static char token[4096];
    CHECK_STATUS(arr_client_get_token(client, token, sizeof token, NULL, NULL, SOON_MS, NULL), ARR_OK);
}

static void create(void)
{
    arr_session_create_options options;
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, SOON_MS, NULL), ARR_OK);
}

static void wait_until_ready(void)
{
    CHECK_STATUS(arr_session_wait_until_ready(session, NULL, SOON_MS, NULL), ARR_OK);
}

static void list(void)
{
    arr_session_list *found = NULL;
    CHECK_STATUS(arr_client_list_sessions(client, &found, SOON_MS, NULL), ARR_OK);
    arr_session_list_free(found);
}

static void stop(void)
{
    CHECK_STATUS(arr_session_stop(session, NULL, SOON_MS, NULL), ARR_OK);
}

static void start_and_pull(void)
{
    arr_operation *operation = NULL;
    arr_event event;
    arr_event_init(&event, sizeof event);
    CHECK_STATUS(arr_client_list_sessions_start(client, 0, &operation, SOON_MS, NULL), ARR_OK);
    do {
        CHECK_STATUS(arr_client_next_event(client, &event, SOON_MS, NULL), ARR_OK);
    } while (event.type != ARR_EVENT_OPERATION_ENDED);
    arr_operation_free(operation);
}

static void end(void)
{
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_session_free(session);
    arr_client_free(client);
}

struct call {
    const char *name;
    void (*make)(void);
    char *top;
};

static void *run(void *argument)
{
    struct call *call = (struct call *)argument;
    char here;
    call->top = &here;
    call->make();
    return NULL;
}

/* Runs on a new thread whose stack has a pattern: bytes that lost the pattern were used. */
static size_t needed(struct call *call)
{
    static unsigned char *stack;
    pthread_attr_t attributes;
    pthread_t thread;
    size_t at = 0;

    if (stack == NULL) {
        stack = (unsigned char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    memset(stack, PAINT, STACK);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, run, call) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
    while (at < STACK && stack[at] == PAINT) {
        at++;
    }
    return (size_t)(call->top - (char *)(stack + at));
}

int main(void)
{
    struct call calls[] = {
        {"arr_client_new", make_client, NULL},
        {"the first token", fetch_first_token, NULL},
        {"a call that fails", fail, NULL},
        {"arr_client_recover_sessions", recover, NULL},
        {"arr_session_create", create, NULL},
        {"arr_session_wait_until_ready", wait_until_ready, NULL},
        {"arr_client_list_sessions", list, NULL},
        {"arr_session_stop", stop, NULL},
        {"a start and its event", start_and_pull, NULL},
        {"arr_client_shutdown", end, NULL},
    };
    size_t i;
    for (i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t bytes = needed(&calls[i]);
        printf("%s needs %.1f KiB of stack\n", calls[i].name, (double)bytes / 1024.0);
        CHECK(bytes <= MOST);
    }
    return checks_result("stack");
}
#else
int main(void) { return 0; }
#endif
