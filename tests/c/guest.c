/*
 * The library in a process that cancels threads, closes libraries or exits while work is in flight, and that runs out of files
 * or memory.
 */
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SOON_MS = 20000, EXITS = 10, CHILD_SECONDS = 60, EXIT_CODE = 7, MEMORY = 1 << 20, CLIENTS = 100000 };

/* A cancelled thread ends at the next cancellation point, of which these calls have many. */
static void *call_though_cancelled(void *argument)
{
    arr_client **client = (arr_client **)argument;
    arr_session_list *list = NULL;
    CHECK(pthread_cancel(pthread_self()) == 0);
    *client = emulator_client();
    CHECK_STATUS(arr_client_list_sessions(*client, &list, SOON_MS, NULL), ARR_OK);
    arr_session_list_free(list);
    CHECK_STATUS(arr_client_shutdown(*client, SOON_MS, NULL), ARR_OK);
    arr_client_free(*client);
    *client = NULL;
    pthread_testcancel();
    return NULL;
}

static void a_cancelled_thread_ends_after_its_call(void)
{
    arr_client *client = (arr_client *)(size_t)1;
    pthread_t thread;
    void *result = NULL;

    CHECK(pthread_create(&thread, NULL, call_though_cancelled, &client) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(client == NULL && result == PTHREAD_CANCELED);
}

/* Starts some of everything and leaves it running. */
static void begin_work(arr_client *client)
{
    arr_session_create_options create;
    arr_watch_options watch;
    arr_session *session = NULL;
    arr_operation *operation = NULL;
    uint64_t i;

    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, SOON_MS, NULL), ARR_OK);
    arr_watch_options_init(&watch, sizeof watch);
    CHECK_STATUS(arr_session_watch(session, &watch, 0, NULL), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready_start(session, 0, &operation, ARR_WAIT_FOREVER, NULL), ARR_OK);
    for (i = 0; i < 20; i++) {
        CHECK_STATUS(arr_client_list_sessions_start(client, i, &operation, SOON_MS, NULL), ARR_OK);
    }
    CHECK_STATUS(arr_session_stop_start(session, 0, &operation, SOON_MS, NULL), ARR_OK);
}

static void a_process_with_work_in_flight_exits_normally(void)
{
    int i;
    for (i = 0; i < EXITS; i++) {
        int status = -1;
        pid_t child;
        fflush(NULL);
        child = fork();
        if (child == 0) {
            alarm(CHILD_SECONDS);
            begin_work(emulator_client());
            exit(checks_failed == 0 ? EXIT_CODE : EXIT_FAILURE);
        }
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE);
    }
}

/* The functions of a library that is loaded at run time. */
struct loaded {
    void *library;
    arr_status (*client_options_init)(arr_client_options *, size_t);
    arr_status (*client_new)(const arr_client_options *, arr_client **, arr_error_info *);
    arr_status (*list_start)(arr_client *, uint64_t, arr_operation **, uint32_t, arr_error_info *);
    arr_status (*operation_wait)(arr_operation *, arr_operation_state *, uint32_t, arr_error_info *);
    arr_status (*client_shutdown)(arr_client *, uint32_t, arr_error_info *);
};

static void look_up(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

/* A copy of the library that this program is linked with, because no dlclose unloads that one. */
static void copy_library(const char *path)
{
    static char bytes[1 << 16];
    Dl_info info;
    void *function;
    arr_status (*own)(arr_client *, uint32_t, arr_error_info *) = arr_client_shutdown;
    FILE *from, *to;
    size_t count;

    memcpy(&function, &own, sizeof function);
    function = dlsym(RTLD_DEFAULT, "arr_client_shutdown");
    CHECK(dladdr(function, &info) != 0);
    from = fopen(info.dli_fname, "rb");
    to = fopen(path, "wb");
    CHECK(from != NULL && to != NULL);
    while ((count = fread(bytes, 1, sizeof bytes, from)) > 0) {
        CHECK(fwrite(bytes, 1, count, to) == count);
    }
    fclose(from);
    CHECK(fclose(to) == 0);
}

/* Loads a copy of the library from this path. Returns whether that worked. */
static int load_copy(const char *path, struct loaded *loaded)
{
    copy_library(path);
    loaded->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(loaded->library != NULL);
    if (loaded->library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 0;
    }
    look_up(loaded->library, "arr_client_options_init", &loaded->client_options_init);
    look_up(loaded->library, "arr_client_new", &loaded->client_new);
    look_up(loaded->library, "arr_client_list_sessions_start", &loaded->list_start);
    look_up(loaded->library, "arr_operation_wait", &loaded->operation_wait);
    look_up(loaded->library, "arr_client_shutdown", &loaded->client_shutdown);
    return 1;
}

static void a_closed_library_finishes_its_work(void)
{
    struct loaded loaded;
    arr_client_options options;
    arr_client *client = NULL;
    arr_operation *operations[20];
    arr_operation_state state = ARR_OPERATION_RUNNING;
    char path[4096];
    size_t i;

    snprintf(path, sizeof path, "%s-copy-%d.so", from_environment("ARR_JOURNAL"), (int)getpid());
    if (!load_copy(path, &loaded)) {
        return;
    }
    emulator_options(&options);
    CHECK_STATUS(loaded.client_new(&options, &client, NULL), ARR_OK);
    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        CHECK_STATUS(loaded.list_start(client, i, &operations[i], SOON_MS, NULL), ARR_OK);
    }
    CHECK(dlclose(loaded.library) == 0);
    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        CHECK_STATUS(loaded.operation_wait(operations[i], &state, SOON_MS, NULL), ARR_OK);
        CHECK(state == ARR_OPERATION_SUCCEEDED);
    }
    CHECK_STATUS(loaded.client_shutdown(client, SOON_MS, NULL), ARR_OK);
    /* The library is still loaded. */
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == loaded.library);
    unlink(path);
}

/* It keeps memory for the life of the process. If it were unloaded, each cycle would leave some behind. */
static void a_library_that_made_a_client_stays_loaded(void)
{
    struct loaded loaded;
    arr_client_options options;
    arr_client *client = NULL;
    char path[4096];

    snprintf(path, sizeof path, "%s-unused-%d.so", from_environment("ARR_JOURNAL"), (int)getpid());
    if (!load_copy(path, &loaded)) {
        return;
    }
    emulator_options(&options);
    CHECK_STATUS(loaded.client_new(&options, &client, NULL), ARR_OK);
    CHECK_STATUS(loaded.client_shutdown(client, SOON_MS, NULL), ARR_OK);
    CHECK(dlclose(loaded.library) == 0);
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == loaded.library);
    unlink(path);
}

/* Sets the limit of open files; returns the previous limit. */
static rlim_t no_more_files(void)
{
    struct rlimit limit;
    rlim_t before;
    int next = open("/dev/null", O_RDONLY);
    CHECK(next >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    close(next);
    before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return before;
}

static void files_up_to(rlim_t number)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = number;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void names_the_limit(arr_status status, const arr_error_info *error)
{
    CHECK_STATUS(status, ARR_ERROR_OUT_OF_RESOURCES);
    CHECK(strstr(error->message, "open files") != NULL && strstr(error->message, "ulimit -n") != NULL);
    if (strstr(error->message, "open files") == NULL) {
        fprintf(stderr, "%s\n", error->message);
    }
}

static void out_of_files_a_call_names_the_limit_and_the_next_one_works(void)
{
    arr_client_options options;
    arr_client *client = NULL;
    arr_session_create_options create;
    arr_session_list *list = NULL;
    arr_session *session = NULL;
    arr_error_info error[3];
    arr_status status[3];
    rlim_t before;
    int first;

    for (first = 1; first >= 0; first--) {
        emulator_options(&options);
        options.max_retries = ARR_RETRIES_NONE;
        if (first && options.ca_file != NULL) {
            /* The system's certificates, here the emulator's, are read at the first request; if that fails, at the next. */
            CHECK(setenv("SSL_CERT_FILE", options.ca_file, 1) == 0);
            options.ca_file = NULL;
        }
        CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
        if (!first) {
            CHECK_STATUS(arr_client_list_sessions(client, &list, SOON_MS, NULL), ARR_OK);
            arr_session_list_free(list);
        }
        arr_session_create_options_init(&create, sizeof create);
        create.max_lease_seconds = 60;
        arr_error_info_init(&error[0], sizeof error[0]);
        error[1] = error[0];
        before = no_more_files();
        status[0] = arr_session_create(client, &create, &session, NULL, SOON_MS, &error[0]);
        status[1] = first ? arr_client_list_sessions(client, &list, SOON_MS, &error[1]) : status[0];
        files_up_to(before);
        names_the_limit(status[0], &error[0]);
        if (first) {
            names_the_limit(status[1], &error[1]);
        }
        CHECK_STATUS(arr_client_list_sessions(client, &list, SOON_MS, NULL), ARR_OK);
        arr_session_list_free(list);
        CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
        arr_client_free(client);
    }
}

/* A create is recorded before it is sent. If the record gets no file, nothing is sent. */
static void without_a_file_for_the_journal_nothing_is_created(void)
{
    arr_client_options options;
    arr_client *client = NULL;
    arr_session_create_options create;
    arr_session *session = NULL;
    arr_error_info error;
    arr_status status;
    rlim_t before;

    emulator_options(&options);
    options.journal_folder = from_environment("ARR_JOURNAL");
    CHECK_STATUS(arr_client_new(&options, &client, NULL), ARR_OK);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;
    arr_error_info_init(&error, sizeof error);
    before = no_more_files();
    status = arr_session_create(client, &create, &session, NULL, SOON_MS, &error);
    files_up_to(before);
    CHECK_STATUS(status, ARR_ERROR_OUT_OF_RESOURCES);
    CHECK(session == NULL && strstr(error.message, "open files") != NULL && strstr(error.message, "ulimit -n") != NULL);
    CHECK_STATUS(arr_session_create(client, &create, &session, NULL, SOON_MS, NULL), ARR_OK);
    CHECK_STATUS(arr_session_stop(session, NULL, SOON_MS, NULL), ARR_OK);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_client_free(client);
}

/* Without memory, the library neither hangs nor continues. (qemu does not limit memory.) */
static void a_process_without_memory_is_aborted(void)
{
    int status = -1;
    pid_t child;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        arr_client_options options;
        arr_client *client = NULL;
        int i;
        alarm(CHILD_SECONDS);
        emulator_options(&options);
        if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_AS, &none) != 0) {
            _exit(EXIT_FAILURE);
        }
        if (mmap(NULL, MEMORY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
            _exit(EXIT_CODE);
        }
        for (i = 0; i < CLIENTS && arr_client_new(&options, &client, NULL) == ARR_OK; i++) {
        }
        _exit(EXIT_FAILURE);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE));
}

#ifdef __GLIBC__
static volatile sig_atomic_t clock_was_reset;

/* Takes the place of the C library's, also for the library. */
int __NTH(clock_gettime(clockid_t clock, struct timespec *now))
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock_was_reset && clock == CLOCK_REALTIME) {
        now->tv_sec = -100000;
    }
    return failed;
}

/* The certificate is not valid yet, and the clock is to blame. Without TLS the calls work. */
static void a_clock_before_1970_is_an_error_of_its_own(void)
{
    arr_client_options options;
    arr_session_create_options create;
    arr_client *client = NULL;
    arr_session_list *list = NULL;
    arr_session *session = NULL;
    arr_error_info error[2];
    arr_status status[2];
    int i;

    emulator_options(&options);
    arr_session_create_options_init(&create, sizeof create);
    create.max_lease_seconds = 60;
    arr_error_info_init(&error[0], sizeof error[0]);
    error[1] = error[0];
    clock_was_reset = 1;
    CHECK_STATUS(arr_client_new(&options, &client, &error[0]), ARR_OK);
    status[0] = arr_client_list_sessions(client, &list, SOON_MS, &error[0]);
    status[1] = arr_session_create(client, &create, &session, NULL, SOON_MS, &error[1]);
    for (i = 0; i < 2; i++) {
        if (strncmp(options.service_endpoint, "https:", 6) == 0) {
            CHECK_STATUS(status[i], ARR_ERROR_TLS);
            CHECK(strstr(error[i].message, "clock says Thu, 01 Jan 1970") != NULL);
        } else {
            CHECK_STATUS(status[i], ARR_OK);
        }
    }
    if (session != NULL) {
        CHECK_STATUS(arr_session_stop(session, NULL, SOON_MS, NULL), ARR_OK);
    }
    clock_was_reset = 0;
    arr_session_free(session);
    arr_session_list_free(list);
    CHECK_STATUS(arr_client_shutdown(client, SOON_MS, NULL), ARR_OK);
    arr_client_free(client);
}
#endif

int main(void)
{
    /* These come first: their children must inherit no state of the library. */
    a_process_with_work_in_flight_exits_normally();
    a_process_without_memory_is_aborted();
    a_cancelled_thread_ends_after_its_call();
    a_closed_library_finishes_its_work();
    a_library_that_made_a_client_stays_loaded();
    out_of_files_a_call_names_the_limit_and_the_next_one_works();
    without_a_file_for_the_journal_nothing_is_created();
#ifdef __GLIBC__
    a_clock_before_1970_is_an_error_of_its_own();
#endif
    return checks_result("guest");
}
#else
int main(void) { return 0; }
#endif
