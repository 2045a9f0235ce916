/* SPDX-License-Identifier: Apache-2.0 */
/* app_signals.c - the main thread sleeps in sigtimedwait, so no handler ever runs. */
#include "server/app/app_signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

static void fill_set(sigset_t *set)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

    (void)sigemptyset(set); /* these fail for invalid numbers only */
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaddset(set, signals[i]);
}

void vts_signals_block(void)
{
    sigset_t set;

    fill_set(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* fails for an invalid `how` only */
    (void)signal(SIGPIPE, SIG_IGN);
}

int vts_signals_wait(int64_t deadline_ns)
{
    sigset_t set;
    int number;

    fill_set(&set);
    if (deadline_ns == INT64_MAX) {
        while ((number = sigwaitinfo(&set, NULL)) < 0 && errno == EINTR)
            continue;
        return number;
    }
    for (;;) {
        int64_t left_ns = deadline_ns - vts_clock_now_ns();
        struct timespec left = {.tv_sec = left_ns / VTS_NS_PER_S,
                                .tv_nsec = left_ns % VTS_NS_PER_S};

        if (left_ns <= 0)
            return 0;
        number = sigtimedwait(&set, NULL, &left);
        if (number > 0)
            return number;
    }
}

void vts_signals_wake_main(void)
{
    (void)kill(getpid(), SIGUSR1); /* to ourselves: always allowed */
}
