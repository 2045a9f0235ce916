/* SPDX-License-Identifier: Apache-2.0 */
/* A real vtstatusd for tests in C: started on a port of the kernel's choice, watched, ended.
 *
 * The program comes from the environment variable VTSTATUSD, or from the build. A thread reads its
 * log all the time, so whoever waits for a line has a deadline and never sleeps. What a test leaves
 * running is killed, by its own pid, when the test program ends. */
#ifndef VTS_TESTS_SERVER_PROCESS_H
#define VTS_TESTS_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct vts_server_process;

/* Folders of throw-away certificates, made at the first call and removed at exit: those of
 * certs/make-dev-certs.sh, a second set of another CA, and those of
 * tests/support/make_odd_certs.sh. NULL when they cannot be made, after saying why on stderr. */
const char *vts_test_certs(void);
const char *vts_test_other_certs(void);
const char *vts_test_odd_certs(void);

/* FOLDER/NAME, in one of a few static buffers that are used in turn. */
const char *vts_test_path(const char *folder, const char *name);

/* Runs a program to its end; returns its exit code, or -1. argv ends with NULL; argv[0] is looked
 * up in PATH. */
int vts_test_run_program(const char *const argv[]);

struct vts_server_setup {
    const char *cert;         /* file; NULL: server.pem of vts_test_certs() */
    const char *key;          /* file; NULL: its key */
    uint16_t port;            /* 0: the kernel chooses */
    const char *const *flags; /* further ones, ended by NULL; or NULL */
};

/* Starts a server and waits until it listens. setup NULL means the defaults and no further flags.
 * Its log level is debug, so that each request leaves a line. NULL, after saying why on stderr,
 * when it does not come to listen. */
struct vts_server_process *vts_server_process_start(const struct vts_server_setup *setup);

uint16_t vts_server_process_port(const struct vts_server_process *server);
/* https://localhost:PORT */
const char *vts_server_process_url(const struct vts_server_process *server);

/* The lines of its log that hold every one of up to two texts (part2 may be NULL); all of them once
 * the server has been stopped. */
unsigned vts_server_process_count(struct vts_server_process *server, const char *part1,
                                  const char *part2);
/* Waits until there are at least `count` such lines. False after a deadline, or when the server
 * ends without them. */
bool vts_server_process_wait(struct vts_server_process *server, unsigned count, const char *part1,
                             const char *part2);
/* A counter of /metrics, fetched with curl on a connection of its own; negative when that fails. */
double vts_server_process_metric(struct vts_server_process *server, const char *name);

/* Sends TERM and waits for the end. True when it left with 0 and wrote nothing but its log: a
 * sanitizer's report makes it false. */
bool vts_server_process_stop(struct vts_server_process *server);
/* Ends it without a chance to say goodbye. */
void vts_server_process_kill(struct vts_server_process *server);
/* Kills it when it still runs. NULL is accepted. */
void vts_server_process_free(struct vts_server_process *server);

#endif
