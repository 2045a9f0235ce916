/* SPDX-License-Identifier: Apache-2.0 */
/* odd_world.c - stands before getaddrinfo() and the clocks of the C library.
 *
 * The clocks are read by the system call itself: sanitizers start before their own wrappers work.
 */
#include "tests/support/odd_world.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *,
                              struct addrinfo **);

static atomic_long failures_left;
static atomic_int_fast64_t wall_offset_s;
static atomic_int_fast64_t monotonic_offset_s;

static pthread_mutex_t hold_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hold_ended = PTHREAD_COND_INITIALIZER;
static bool is_held;

/* ---- names ----------------------------------------------------------------------------------- */

void odd_world_fail_names(long count)
{
    atomic_store(&failures_left, count);
}

static void set_hold(bool hold)
{
    (void)pthread_mutex_lock(&hold_lock);
    is_held = hold;
    (void)pthread_cond_broadcast(&hold_ended);
    (void)pthread_mutex_unlock(&hold_lock);
}

void odd_world_hold_names(void)
{
    set_hold(true);
}

void odd_world_let_go_names(void)
{
    set_hold(false);
}

static bool is_ours(const char *name)
{
    static const char suffix[] = ".example";
    size_t len = name != NULL ? strlen(name) : 0;

    return len >= sizeof(suffix) - 1 && strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

static void wait_until_let_go(void)
{
    (void)pthread_mutex_lock(&hold_lock);
    while (is_held)
        (void)pthread_cond_wait(&hold_ended, &hold_lock);
    (void)pthread_mutex_unlock(&hold_lock);
}

static bool takes_failure(void)
{
    long left = atomic_load(&failures_left);

    while (left > 0 && !atomic_compare_exchange_weak(&failures_left, &left, left - 1))
        continue;
    return left != 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_addresses)
{
    getaddrinfo_fn next;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

    memcpy(&next, &symbol, sizeof(next)); /* ISO C has no cast for this */
    if (!is_ours(name))
        return next(name, service, hints, ret_addresses);
    wait_until_let_go();
    if (takes_failure())
        return EAI_AGAIN;
    return next("127.0.0.1", service, hints, ret_addresses);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

void odd_world_set_wall(int64_t seconds)
{
    atomic_store(&wall_offset_s, seconds);
}

void odd_world_set_monotonic(int64_t seconds)
{
    atomic_store(&monotonic_offset_s, seconds);
}

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int result = (int)syscall(SYS_clock_gettime, id, ret_time);

    if (result != 0)
        return result;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        ret_time->tv_sec += atomic_load(&wall_offset_s);
    if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW || id == CLOCK_MONOTONIC_COARSE)
        ret_time->tv_sec += atomic_load(&monotonic_offset_s);
    return 0;
}

time_t time(time_t *ret_seconds)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return (time_t)-1;
    if (ret_seconds != NULL)
        *ret_seconds = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
    struct timespec now;

    (void)zone; /* nobody has asked for it in decades */
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    *ret_time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
