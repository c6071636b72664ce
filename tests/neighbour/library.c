/*
 * Makes the library panic with a system clock that fails, and checks that the panic does not leave the library. (Real clocks
 * do not fail.) The program's own function replaces the system's for everything that is linked into it.
 */
#ifdef _WIN32
/* With this, windows.h declares the functions as this program's own, not as a DLL's. */
#define _KERNEL32_
#else
#define _GNU_SOURCE
#endif
#include <arr_session.h>

#include <stdio.h>

int library_catches_its_panic(void);

static int broken;

#ifdef _WIN32
#include <windows.h>

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *now)
{
    now->QuadPart = (LONGLONG)GetTickCount64() * 10000;
    return !broken;
}

/* Some code calls a DLL's function through a pointer of this name. */
BOOL(WINAPI *__imp_QueryPerformanceCounter)(LARGE_INTEGER *) = QueryPerformanceCounter;
#else
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (broken) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}
#endif

/* 1 if the call that panics reports that, and the next calls work. */
int library_catches_its_panic(void)
{
    arr_client_options options;
    arr_client *client = NULL;
    arr_event event;
    arr_error_info error;
    arr_status made, panicked, after, ended;

    arr_error_info_init(&error, sizeof error);
    arr_event_init(&event, sizeof event);
    arr_client_options_init(&options, sizeof options);
    options.account_id = "11111111-2222-3333-4444-555555555555";
    options.access_token = "a.b.c";
    options.account_domain = options.service_endpoint = "http://127.0.0.1:9";
    made = arr_client_new(&options, &client, &error);
    broken = 1;
    panicked = arr_client_next_event(client, &event, 1, &error);
    broken = 0;
    after = arr_client_next_event(client, &event, 1, &error);
    ended = arr_client_shutdown(client, ARR_WAIT_FOREVER, &error);
    arr_client_free(client);
    printf("%s, %s, %s, %s\n", arr_status_name(made), arr_status_name(panicked), arr_status_name(after), arr_status_name(ended));
    return made == ARR_OK && panicked == ARR_ERROR_INTERNAL && after == ARR_ERROR_TIMEOUT && ended == ARR_OK;
}
