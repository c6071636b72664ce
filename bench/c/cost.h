/* The cost of work, as every program here measures it. */
#ifndef COST_H
#define COST_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* The CPU time of RUSAGE_SELF or RUSAGE_THREAD so far. */
static inline double cpu_us(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The same of this thread, for single calls. */
static inline double thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void print(const char *name, double value)
{
    printf("%s %.3f\n", name, value);
}

static inline int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Prints the percentiles of costs in nanoseconds, and frees them. */
static inline void print_costs(double *costs, int count)
{
    qsort(costs, (size_t)count, sizeof *costs, by_size);
    print("p50_us", costs[count / 2] / 1e3);
    print("p99_us", costs[count * 99 / 100] / 1e3);
    free(costs);
}

#endif
