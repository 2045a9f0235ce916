/* SPDX-License-Identifier: Apache-2.0 */
/* The status service on an exchange without HTTP: a test plays client, worker, connection, loop and
 * clock. There are the jobs "default", under way at revision 4, and "film", done at 9. */
#ifndef VTS_TESTS_STATUS_BENCH_H
#define VTS_TESTS_STATUS_BENCH_H

#include "server/service/status_service.h"
#include "tests/unit/server/fake_exchange.h"

enum { STATUS_BENCH_WATCHES_MAX = 3, STATUS_BENCH_MESSAGES_MAX = 16 };

struct status_bench {
    struct vts_limits limits;
    struct vts_board *board;
    struct vts_watch_hub *hub; /* for STATUS_BENCH_WATCHES_MAX watches */
    struct vts_status_service service;
    struct vts_service_row row;
    struct vts_rpc *rpc;
    struct vts_rpc_loop *loop;
    struct vts_route routes[2];
    struct vts_router router;
    struct fake_exchange fake;
    /* What was posted to the loop and has not been run. */
    unsigned posts_count;
    void (*posted)(void *argument);
    void *posted_argument;
};

void status_bench_open(struct status_bench *bench);
/* Closes the present exchange, and checks that nothing of it is left. */
void status_bench_close(struct status_bench *bench);
/* What a worker reports; the loop has its next turn then. */
void status_bench_publish(struct status_bench *bench, const char *id, enum vts_job_state state,
                          uint64_t revision);
/* Reports that the job "default" is under way. */
void status_bench_move(struct status_bench *bench, uint64_t revision);
/* How many watches may still be started. */
unsigned status_bench_watches_left(struct status_bench *bench);

/* Closes the exchange before and makes a GET. */
void status_bench_make(struct status_bench *bench, const char *target);
/* The request comes, head and end. */
void status_bench_begin(struct status_bench *bench);
/* Makes and begins a gRPC call of a method; timeout is a grpc-timeout or NULL. */
void status_bench_call(struct status_bench *bench, const char *method, const char *timeout,
                       const ProtobufCMessage *request);
/* Reads as much as there is. */
void status_bench_read(struct status_bench *bench);

/* Statuses in the answer of a call. */
struct status_bench_seen {
    unsigned count;
    struct {
        char job_id[16];
        uint64_t revision;
        bool is_done;
    } messages[STATUS_BENCH_MESSAGES_MAX];
};

void status_bench_look(struct status_bench *bench, struct status_bench_seen *ret_seen);
/* The call's outcome; -1: there is none yet. */
int status_bench_code(struct status_bench *bench);

#endif
