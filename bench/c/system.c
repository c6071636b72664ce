/*
 * What the system itself takes for work that the library has to do: a part of its figures that no change to it can save.
 * CPU is in microseconds.
 *
 *   system wakes N             waking a thread that waits
 *   system appends FOLDER N    for each of N records: appending a line, flushing it, and appending another, as a create does
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int changes;

static double thread_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

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

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
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
        before = thread_us();
        pthread_mutex_lock(&mutex);
        changes++;
        pthread_mutex_unlock(&mutex);
        pthread_cond_signal(&changed);
        costs[i] = thread_us() - before;
    }
    pthread_join(thread, NULL);
    qsort(costs, (size_t)count, sizeof *costs, by_size);
    printf("p50_us %.3f\np99_us %.3f\n", costs[count / 2], costs[count * 99 / 100]);
    free(costs);
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
    before = cpu_us();
    for (i = 0; i < count; i++) {
        append(file, line, sizeof line);
        if (fdatasync(file) != 0) {
            exit(EXIT_FAILURE);
        }
        append(file, line, sizeof line);
    }
    printf("cpu_us %.3f\n", (cpu_us() - before) / count);
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
