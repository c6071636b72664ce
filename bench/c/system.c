/*
 * What the system itself takes for work that the library has to do: a part of its figures that no change to it can save.
 * CPU is in microseconds.
 *
 *   system wakes N             waking a thread that waits
 *   system appends FOLDER N    for each of N records: appending a line, flushing it, and appending another, as a create does
 */
#define _GNU_SOURCE
#include "cost.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int changes;

static void *wait_for_changes(void *last)
{
    int seen;
    pthread_mutex_lock(&mutex);
    for (seen = changes; seen < *(int *)last; seen = changes) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void wakes(int count)
{
    double *costs = calloc((size_t)count, sizeof *costs);
    pthread_t thread;
    int i;
    pthread_create(&thread, NULL, wait_for_changes, &count);
    for (i = 0; i < count; i++) {
        double before;
        /* Until it waits again. */
        usleep(1000);
        before = thread_ns();
        pthread_mutex_lock(&mutex);
        changes++;
        pthread_mutex_unlock(&mutex);
        pthread_cond_signal(&changed);
        costs[i] = thread_ns() - before;
    }
    pthread_join(thread, NULL);
    print_costs(costs, count);
}

static void append(int file, const char *line, size_t length)
{
    if (write(file, line, length) != (ssize_t)length) {
        exit(EXIT_FAILURE);
    }
}

static void appends(const char *folder, int count)
{
    /* As long as those of the journal. */
    char line[222], path[4096];
    int file, i;
    double before;
    memset(line, 'x', sizeof line);
    snprintf(path, sizeof path, "%s/appends", folder);
    file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    before = cpu_us(RUSAGE_SELF);
    for (i = 0; i < count; i++) {
        append(file, line, sizeof line);
        if (fdatasync(file) != 0) {
            exit(EXIT_FAILURE);
        }
        append(file, line, sizeof line);
    }
    print("cpu_us", (cpu_us(RUSAGE_SELF) - before) / count);
    close(file);
    unlink(path);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "wakes") == 0) {
        wakes(atoi(argv[2]));
    } else if (argc == 4 && strcmp(argv[1], "appends") == 0) {
        appends(argv[2], atoi(argv[3]));
    } else {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
