/*
 * The cost of a frame loop: the example, frame after frame without a pause, with every allocation counted.
 *
 * The budget is 200 microseconds of the thread's CPU time for any call. Calls made in every frame never allocate, and 999 of
 * 1000 do not block. Wall time also depends on what else runs here; it is printed but not judged.
 *
 * A blocking read is not made in a frame, but its allocations and its instructions are bounded too.
 */
#if defined(__linux__) && defined(__GNUC__)
#define COUNTS_ALLOCATIONS 1
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/resource.h>
#define ON_THREAD __thread
#else
#define COUNTS_ALLOCATIONS 0
#define ON_THREAD
#endif

#include "check.h"

#define BUDGET_US 200.0
/* A thread's CPU time includes the machine's interrupts, which hit calls at random. The library's own cost and allocations
   occur every time, so each call must be within the budget in one of these tries. */
#define TRIES 6

/* The call that this thread is in, plus 1. */
static ON_THREAD int measured_call;
static unsigned long allocations[8], waits[8];
/* Of all threads. */
static unsigned long all_allocations;

/* What a read of a session allocates, the HTTP library's part included: one more must be worth it. */
#define READ_ALLOCATIONS (speaks_2021() ? 75u : 73u)
#define READS 100u
/* What it takes in instructions of all threads, over TLS. Today 142,700 to 146,700, depending on which thread waits for which: a
   tenth more must fail. */
#define READ_INSTRUCTIONS 150000u

/* How often this thread has waited. */
static unsigned long thread_waits(void)
{
#if COUNTS_ALLOCATIONS
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (unsigned long)usage.ru_nvcsw : 0u;
#else
    return 0u;
#endif
}

#define BEFORE_CALL(call) (measured_call = (call) + 1, waits[call] -= thread_waits())
#define AFTER_CALL(call) (waits[call] += thread_waits(), measured_call = 0)
#define main frame_loop
#include "../../examples/c/frame_loop.c"
#undef main

#if COUNTS_ALLOCATIONS
/* The program's functions replace the C library's, also for the library under test. Assembler names are used because compilers
   have special knowledge of the real ones. */
#ifdef __cplusplus
extern "C" {
#endif
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *counted_malloc(size_t size) __asm__("malloc");
void *counted_calloc(size_t count, size_t size) __asm__("calloc");
void *counted_realloc(void *old, size_t size) __asm__("realloc");
int counted_posix_memalign(void **place, size_t alignment, size_t size) __asm__("posix_memalign");
#ifdef __cplusplus
}
#endif

static void count(void)
{
    __atomic_fetch_add(&all_allocations, 1u, __ATOMIC_RELAXED);
    if (measured_call != 0) {
        allocations[measured_call - 1]++;
    }
}

void *counted_malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *counted_calloc(size_t number, size_t size)
{
    count();
    return __libc_calloc(number, size);
}

void *counted_realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}

int counted_posix_memalign(void **place, size_t alignment, size_t size)
{
    count();
    *place = __libc_memalign(alignment, size);
    return *place == NULL;
}
#endif

/* Under valgrind, whose time is not real time, and which counts allocations itself. */
static int slow(void)
{
    return getenv("ARR_SLOW") != NULL;
}

/* The smallest maximum of the tries. */
static double most_cpu[CALLS];

static int within_budget(int tries)
{
    double most = 0.0;
    int call;
    for (call = 0; call < CALLS; call++) {
        if (tries == 0 || costs[call].most_cpu_us < most_cpu[call]) {
            most_cpu[call] = costs[call].most_cpu_us;
        }
        most = most_cpu[call] > most ? most_cpu[call] : most;
    }
    printf("most CPU time of a call %.1f us, in the best of %d\n", most, tries + 1);
    return most <= BUDGET_US;
}

static void frame_calls_stay_within_the_budget(void)
{
    unsigned long frames = slow() ? 1u : 10000u;
    int within = 0, tries;
    for (tries = 0; tries < (slow() ? 1 : TRIES) && !within; tries++) {
        memset(&app, 0, sizeof app);
        memset(costs, 0, sizeof costs);
        CHECK(frame_loop() == EXIT_SUCCESS);
        within = within_budget(tries);
        CHECK(costs[NEXT_EVENT].count >= frames && costs[SNAPSHOT].count >= frames && costs[POLL].count > 0u);
    }
    CHECK(within || slow());
}

static void frame_calls_do_not_block(void)
{
    printf("waits: %lu by next_event, %lu by poll, %lu by snapshot\n", waits[NEXT_EVENT], waits[POLL], waits[SNAPSHOT]);
    CHECK(waits[NEXT_EVENT] <= costs[NEXT_EVENT].count / 1000u || slow());
    CHECK(waits[POLL] <= costs[POLL].count / 1000u || slow());
    CHECK(waits[SNAPSHOT] <= costs[SNAPSHOT].count / 1000u || slow());
}

static void frame_calls_do_not_allocate(void)
{
    printf("allocations: %lu by next_event, %lu by poll, %lu by snapshot, %lu by %lu cached reads, %lu by start\n",
           allocations[NEXT_EVENT], allocations[POLL], allocations[SNAPSHOT], allocations[READ_KNOWN], costs[READ_KNOWN].count,
           allocations[START]);
    CHECK(allocations[NEXT_EVENT] == 0u);
    CHECK(allocations[POLL] == 0u);
    CHECK(allocations[SNAPSHOT] == 0u);
    CHECK(allocations[READ_KNOWN] == 0u && costs[READ_KNOWN].count > 0u);
    /* Checks the counter: starting an operation allocates. */
    CHECK(allocations[START] > 0u || !COUNTS_ALLOCATIONS || slow());
}

static void a_refused_handle_does_not_allocate(void)
{
    const arr_status refused = ARR_ERROR_INVALID_HANDLE;
    arr_session_properties properties;
    arr_snapshot snapshot;
    arr_event event;
    arr_operation_state state;
    arr_error_info info, *infos[2];
    int i;
    infos[0] = NULL;
    infos[1] = &info;
    arr_session_properties_init(&properties, sizeof properties);
    arr_snapshot_init(&snapshot, sizeof snapshot);
    arr_event_init(&event, sizeof event);
    arr_error_info_init(&info, sizeof info);

    measured_call = CALLS + 1;
    for (i = 0; i < 2; i++) {
        /* The loop has freed its client and session. */
        CHECK_STATUS(arr_session_get_properties(app.session, ARR_READ_KNOWN, &properties, 0, infos[i]), refused);
        CHECK_STATUS(arr_session_snapshot(NULL, &snapshot, infos[i]), refused);
        CHECK_STATUS(arr_client_next_event(app.client, &event, 0, infos[i]), refused);
        CHECK_STATUS(arr_operation_poll((arr_operation *)(size_t)0x5a5a5a5a, &state, infos[i]), refused);
    }
    measured_call = 0;
    CHECK(allocations[CALLS] == 0u);
    CHECK(strstr(info.message, "arr_operation_poll: ") == info.message && strstr(info.message, "freed") != NULL);
    CHECK(info.message_length == strlen(info.message));
}

/* Reads a stopped session so often, and returns what the last READS of these allocate. The number does not depend on the time: a
   blocking client has no other work. */
static unsigned long read_often(unsigned long reads)
{
    arr_session_create_options options;
    arr_session_properties properties;
    arr_client *client = emulator_client();
    arr_session *session = NULL;
    unsigned long before = 0u, allocated, i;
    arr_session_create_options_init(&options, sizeof options);
    arr_session_properties_init(&properties, sizeof properties);
    options.max_lease_seconds = LEASE_SECONDS;
    CHECK_STATUS(arr_session_create(client, &options, &session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_wait_until_ready(session, &properties, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    CHECK_STATUS(arr_session_stop(session, NULL, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    /* The first reads connect, and the driver and its workers end their idle time. */
    for (i = 0; i < reads; i++) {
        if (i + READS == reads) {
            before = all_allocations;
        }
        CHECK_STATUS(arr_session_get_properties(session, ARR_READ_FRESH, &properties, ARR_TIMEOUT_DEFAULT, NULL), ARR_OK);
    }
    allocated = all_allocations - before;
    arr_session_free(session);
    arr_client_free(client);
    return allocated;
}

static void a_read_allocates_little(void)
{
    unsigned long allocated = read_often(2u * READS);
    printf("allocations: %.2f by a read, of all threads\n", (double)allocated / READS);
    /* Now and then a queue of the HTTP library grows. */
    if (allocated > READ_ALLOCATIONS * READS + READS / 2u) {
        fprintf(stderr, "find out what allocates (valgrind --tool=dhat), or raise READ_ALLOCATIONS if it must\n");
    }
    CHECK(allocated <= READ_ALLOCATIONS * READS + READS / 2u);
    CHECK(allocated > 0u || !COUNTS_ALLOCATIONS || slow());
}

#if COUNTS_ALLOCATIONS
/* The instructions of this program with so many reads. */
static double instructions(const char *valgrind, const char *program, unsigned reads)
{
    char command[4096], line[256];
    double collected = 0.0;
    FILE *output;
    snprintf(command, sizeof command, "'%s' --tool=callgrind --callgrind-out-file=/dev/null '%s' %u 2>&1", valgrind, program, reads);
    output = popen(command, "r");
    while (output != NULL && fgets(line, sizeof line, output) != NULL) {
        const char *found = strstr(line, "Collected : ");
        if (found != NULL) {
            collected = strtod(found + strlen("Collected : "), NULL);
        }
    }
    CHECK(output != NULL && pclose(output) == 0 && collected > 0.0);
    return collected;
}

/* ARR_VALGRIND is the path of valgrind. */
static void a_read_takes_few_instructions(const char *program)
{
    const char *valgrind = getenv("ARR_VALGRIND");
    double read = 0.0;
    int tries;
    if (valgrind == NULL) {
        return;
    }
    /* Threads that wait for each other otherwise than usual take a few more. */
    for (tries = 0; tries < 3 && (tries == 0 || read > READ_INSTRUCTIONS); tries++) {
        /* The difference is without the start, the first connection and the end. */
        read = (instructions(valgrind, program, 5u * READS) - instructions(valgrind, program, READS)) / (4.0 * READS);
        printf("instructions: %.0f by a read, of all threads\n", read);
    }
    if (read > READ_INSTRUCTIONS) {
        fprintf(stderr, "find out what takes them (valgrind --tool=callgrind '%s' 500), or raise READ_INSTRUCTIONS if it must\n",
                program);
    }
    CHECK(read <= READ_INSTRUCTIONS);
}
#else
static void a_read_takes_few_instructions(const char *program)
{
    (void)program;
}
#endif

/* With a number, makes only so many reads, to be watched by callgrind. */
int main(int count, char **arguments)
{
    if (count > 1) {
        read_often(strtoul(arguments[1], NULL, 10));
        return checks_result("frame_cost");
    }
    CHECK(strcmp(from_environment("ARR_FRAME_PAUSE_MS"), "0") == 0 || slow());
    frame_calls_stay_within_the_budget();
    frame_calls_do_not_block();
    frame_calls_do_not_allocate();
    a_refused_handle_does_not_allocate();
    a_read_allocates_little();
    a_read_takes_few_instructions(arguments[0]);
    return checks_result("frame_cost");
}
