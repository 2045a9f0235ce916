/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - sigtimedwait() in a thread of its own; SIGUSR1, sent by ourselves, ends it.
 *
 * Where one signal is to be enough, a second SIGINT finds the signal unblocked and ends the process
 * the usual way, should the first one not get through.
 */
#include "client/cli/signals.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

/* nohup and background jobs start us with signals ignored; those stay so. */
static void add_unless_ignored(sigset_t *set, int number)
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        (void)sigaddset(set, number); /* the number is one */
}

static void unblock_interrupt(struct vts_cli_signals *signals)
{
    sigset_t interrupt;

    (void)sigdelset(&signals->set, SIGINT);
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

static void *watch(void *context)
{
    struct vts_cli_signals *signals = context;

    for (;;) {
        const struct timespec second = {.tv_sec = 1};
        int number = sigtimedwait(&signals->set, NULL, &second);

        if (number == SIGUSR1)
            return NULL;
        if (number > 0) {
            signals->caught = signals->caught != 0 ? signals->caught : number;
            if (signals->is_once)
                unblock_interrupt(signals);
            signals->on_signal(signals->context);
        } else if (errno == EAGAIN) {
            signals->on_second(signals->context);
        }
    }
}

bool vts_cli_signals_start(struct vts_cli_signals *signals, bool is_once,
                           void (*on_signal)(void *context), void (*on_second)(void *context),
                           void *context)
{
    *signals = (struct vts_cli_signals){
        .is_once = is_once, .on_signal = on_signal, .on_second = on_second, .context = context};
    (void)sigemptyset(&signals->set);
    (void)sigaddset(&signals->set, SIGUSR1);
    add_unless_ignored(&signals->set, SIGINT);
    add_unless_ignored(&signals->set, SIGTERM);
    add_unless_ignored(&signals->set, SIGHUP);
    /* Before there is another thread: each inherits the mask. */
    (void)pthread_sigmask(SIG_BLOCK, &signals->set, &signals->old_mask);
    if (pthread_create(&signals->thread, NULL, watch, signals) == 0)
        return true;
    (void)pthread_sigmask(SIG_SETMASK, &signals->old_mask, NULL);
    return false;
}

int vts_cli_signals_stop(struct vts_cli_signals *signals)
{
    (void)pthread_kill(signals->thread, SIGUSR1); /* it runs until it is joined */
    (void)pthread_join(signals->thread, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &signals->old_mask, NULL);
    return signals->caught;
}
