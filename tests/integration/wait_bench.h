/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of waiting share: servers with simulated workers, clients of them, many jobs, and one
 * whose worker is the test. */
#ifndef VTS_TESTS_WAIT_BENCH_H
#define VTS_TESTS_WAIT_BENCH_H

#include <vtstatus/jobs.h>
#include <vtstatus/wait.h>

#include "tests/support/server_process.h"

enum { BENCH_MANY = 1500, BENCH_MODES = 4 };

/* Flags of servers. At rest: for a day, so that a status stays the same for minutes at a time. */
extern const char *const bench_at_rest[];
extern const char *const bench_soon_done[]; /* a slow machine sees no more than the end */
extern const char *const bench_many_workers[];

extern const enum vts_wait_mode bench_modes[BENCH_MODES];

/* Each ends the test program when it does not succeed. */
struct vts_server_process *bench_start(const char *const *flags);
struct vts_server_process *bench_start_at(const char *const *flags, uint16_t port);
/* Stops it, and sees that it left well. */
void bench_stop(struct vts_server_process *server);
struct vts_client *bench_connect(const struct vts_server_process *server);

/* A schedule of twenty questions a second. */
const struct vts_poll_options *bench_fast(void);

struct bench_jobs {
    char ids[BENCH_MANY][32]; /* "job-0" and so on */
    const char *names[BENCH_MANY];
};

void bench_submit(struct vts_client *client, struct bench_jobs *jobs, size_t count);
/* A job named "late", which nobody works on. */
void bench_submit_late(struct vts_client *client);

/* A job named "default" that is worked on by the test alone, so that whoever watches it has all the
 * time to see each step. The server must simulate nobody. */
struct bench_driven;

struct bench_driven *bench_drive(const struct vts_server_process *server);
/* It waits; then it runs; then it is completed, and stays so. */
void bench_drive_on(struct bench_driven *driven);
/* Belongs before the end of its server. */
void bench_drive_free(struct bench_driven *driven);

#endif
