/*
 * What a frame loop pays: the example itself, frame after frame without a pause, with every allocation counted.
 *
 * Its budget is 200 microseconds of the thread's CPU time for any call; what is called in every frame allocates nothing, and in
 * 999 of 1000 calls does not wait for anything either. How long a call takes by the clock also depends on what else runs here, and
 * is printed but not judged.
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
/* The machine may be busy with something else: its interrupts are in a thread's CPU time too, and meet now one call, now
   another. What the library itself costs, or allocates, it does every time. So each call has to be within the budget once. */
#define TRIES 6

/* The call that this thread is in, plus 1. */
static ON_THREAD int measured_call;
static unsigned long allocations[8], waits[8];

/* How often this thread has given up its processor to wait for something. */
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
/* The program's own functions stand before the C library's, also for the library under test. The names are given apart, as a
   compiler knows what is special about the real ones. */
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

/* Under valgrind, whose time is not the machine's, and which counts the allocations itself. */
static int slow(void)
{
    return getenv("ARR_SLOW") != NULL;
}

/* The least of what the tries have had as the most of a call. */
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

static void the_frame_thread_pays_next_to_nothing(void)
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

static void what_is_called_in_every_frame_waits_for_nothing(void)
{
    printf("waits: %lu by next_event, %lu by poll, %lu by snapshot\n", waits[NEXT_EVENT], waits[POLL], waits[SNAPSHOT]);
    CHECK(waits[NEXT_EVENT] <= costs[NEXT_EVENT].count / 1000u || slow());
    CHECK(waits[POLL] <= costs[POLL].count / 1000u || slow());
    CHECK(waits[SNAPSHOT] <= costs[SNAPSHOT].count / 1000u || slow());
}

static void what_is_called_in_every_frame_allocates_nothing(void)
{
    printf("allocations: %lu by next_event, %lu by poll, %lu by snapshot, %lu by start\n", allocations[NEXT_EVENT],
           allocations[POLL], allocations[SNAPSHOT], allocations[START]);
    CHECK(allocations[NEXT_EVENT] == 0u);
    CHECK(allocations[POLL] == 0u);
    CHECK(allocations[SNAPSHOT] == 0u);
    /* The counting works: starting an operation does allocate. */
    CHECK(allocations[START] > 0u || !COUNTS_ALLOCATIONS || slow());
}

int main(void)
{
    CHECK(strcmp(from_environment("ARR_FRAME_PAUSE_MS"), "0") == 0 || slow());
    the_frame_thread_pays_next_to_nothing();
    what_is_called_in_every_frame_waits_for_nothing();
    what_is_called_in_every_frame_allocates_nothing();
    return checks_result("frame_cost");
}
