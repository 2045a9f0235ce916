/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that waits for the signals that end us, and counts seconds meanwhile. No handler runs:
 * the signals are blocked and taken one by one, so what answers them may do anything. */
#ifndef VTS_CLI_SIGNALS_H
#define VTS_CLI_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

struct vts_cli_signals {
    sigset_t set;
    sigset_t old_mask;
    pthread_t thread;
    bool is_once;
    int caught; /* the first one that ends us; 0 for none. Read it after the stop */
    void (*on_signal)(void *context);
    void (*on_second)(void *context);
    void *context;
};

/* Starts the thread, which calls the two functions: on_signal for each signal, but when is_once a
 * second SIGINT ends the process the usual way. False when there can be no thread. */
bool vts_cli_signals_start(struct vts_cli_signals *signals, bool is_once,
                           void (*on_signal)(void *context), void (*on_second)(void *context),
                           void *context);
/* Ends the thread and returns the signal that came, or 0. */
int vts_cli_signals_stop(struct vts_cli_signals *signals);

#endif
