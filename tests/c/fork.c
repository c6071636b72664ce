/* A forked child: the parent's handles are refused there and stay valid in the parent, and a new client works. */
#ifndef _WIN32
#define _DEFAULT_SOURCE
#endif
#include "check.h"

#ifdef _WIN32

int main(void)
{
    CHECK(strcmp(arr_status_name(ARR_ERROR_FORKED), "ARR_ERROR_FORKED") == 0);
    return checks_result("fork, which Windows has not");
}

#else

#include <signal.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOON_MS = 20000, CHILD_SECONDS = 60 };

static arr_client *client;
static arr_session *session;
static arr_operation *operation;
static arr_session_list *list;

/* Whether the system keeps its promise to clear memory in a child. qemu's emulation of a process does not, so there the
 * library cannot distinguish a child from its parent. */
static int keeps_its_promise(void)
{
    int kept = 1;
#ifdef MADV_WIPEONFORK
    int status = 0;
    pid_t child;
    char *page = (char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != (char *)MAP_FAILED && madvise(page, 4096, MADV_WIPEONFORK) == 0) {
        *page = 1;
        child = fork();
        if (child == 0) {
            _exit(*page);
        }
        kept = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
#endif
    return kept;
}

static arr_client *client_with_journal(void)
{
    arr_client_options options;
    arr_client *made = NULL;
    emulator_options(&options);
    options.journal_folder = from_environment("ARR_JOURNAL");
    CHECK_STATUS(arr_client_new(&options, &made, NULL), ARR_OK);
    return made;
}

static arr_session *create(arr_client *with)
{
    arr_session_create_options options;
    arr_session *created = NULL;
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 600;
    CHECK_STATUS(arr_session_create(with, &options, &created, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    return created;
}

/* As a program's destructors do, also in the child. */
static void free_all(void)
{
    arr_session_list_free(list);
    arr_operation_free(operation);
    arr_session_free(session);
    arr_client_free(client);
}

static void the_parents_handles_are_refused(void)
{
    arr_error_info error;
    arr_event event;
    arr_snapshot snapshot;
    arr_session_properties properties;
    arr_operation *started = NULL;
    arr_session *created = NULL;
    arr_session_create_options options;
    arr_operation_state state;
    size_t count = 0;

    arr_error_info_init(&error, sizeof error);
    arr_event_init(&event, sizeof event);
    arr_snapshot_init(&snapshot, sizeof snapshot);
    arr_session_properties_init(&properties, sizeof properties);
    arr_session_create_options_init(&options, sizeof options);
    options.max_lease_seconds = 600;
    CHECK_STATUS(arr_client_next_event(client, &event, ARR_WAIT_FOREVER, &error), ARR_ERROR_FORKED);
    CHECK(error.category == ARR_CATEGORY_USAGE && strstr(error.message, "forked") != NULL);
    CHECK_STATUS(arr_session_snapshot(session, &snapshot, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_operation_poll(operation, &state, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_session_list_count(list, &count, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_session_create(client, &options, &created, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_session_get_properties(session, ARR_READ_KNOWN, &properties, 1000, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_session_stop_start(session, 0, &started, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, &error), ARR_ERROR_FORKED);
    free_all();
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, &error), ARR_ERROR_FORKED);
    CHECK_STATUS(arr_shutdown(SOON_MS, &error), ARR_OK);
}

static void a_new_client_works_and_recovers_nothing(void)
{
    arr_client *own = client_with_journal();
    arr_session *own_session = create(own);
    arr_session_list *found = NULL;
    size_t count = 77;

    CHECK_STATUS(arr_client_recover_sessions(own, &found, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_list_count(found, &count, NULL), ARR_OK);
    CHECK(count == 0);
    arr_session_list_free(found);
    CHECK_STATUS(arr_session_stop(own_session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    arr_session_free(own_session);
    CHECK_STATUS(arr_client_shutdown(own, SOON_MS, NULL), ARR_OK);
    arr_client_free(own);
}

/* How many sessions a new client recovers, all of which it stops. */
static size_t recovered(void)
{
    arr_client *own = client_with_journal();
    arr_session_list *found = NULL;
    size_t count = 77;
    CHECK_STATUS(arr_client_recover_sessions(own, &found, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_list_count(found, &count, NULL), ARR_OK);
    arr_session_list_free(found);
    CHECK_STATUS(arr_client_stop_all(own, ARR_STOP_SCOPE_OWN, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_client_shutdown(own, SOON_MS, NULL), ARR_OK);
    arr_client_free(own);
    return count;
}

/* The child has the file of its dead parent open, by inheritance. */
static void a_child_recovers_what_its_dead_parent_left_running(void)
{
    int ends[2], status = 0;
    char count = 77;
    pid_t parent;

    CHECK(pipe(ends) == 0);
    fflush(NULL);
    parent = fork();
    if (parent == 0) {
        pid_t itself = getpid();
        arr_client *left = client_with_journal();
        CHECK(create(left) != NULL);
        if (fork() == 0) {
            alarm(CHILD_SECONDS);
            while (getppid() == itself) {
                usleep(1000);
            }
            count = (char)recovered();
            CHECK(write(ends[1], &count, 1) == 1);
            _exit(EXIT_SUCCESS);
        }
        kill(itself, SIGKILL);
    }
    close(ends[1]);
    CHECK(waitpid(parent, &status, 0) == parent && WIFSIGNALED(status));
    CHECK(read(ends[0], &count, 1) == 1 && count == 1);
    close(ends[0]);
}

int main(void)
{
    arr_watch_options watch;
    pid_t child;
    int status = -1;

    if (!keeps_its_promise()) {
        CHECK(getenv("ARR_SLOW") != NULL);
        return checks_result("fork, skipped: this system does not clear memory as it promises");
    }
    client = client_with_journal();
    session = create(client);
    arr_watch_options_init(&watch, sizeof watch);
    CHECK_STATUS(arr_session_watch(session, &watch, 0, NULL), ARR_OK);
    CHECK_STATUS(arr_client_list_sessions(client, &list, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready_start(session, 0, &operation, ARR_WAIT_FOREVER, NULL), ARR_OK);
    atexit(free_all);
    fflush(NULL);

    child = fork();
    if (child == 0) {
        /* Ends the child if it waits for a lock held by a thread of the parent. */
        alarm(CHILD_SECONDS);
        the_parents_handles_are_refused();
        a_new_client_works_and_recovers_nothing();
        exit(checks_result("fork, the child"));
    }
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);

    a_child_recovers_what_its_dead_parent_left_running();

    /* The session still belongs to the parent. */
    a_new_client_works_and_recovers_nothing();
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    return checks_result("fork");
}

#endif
