/* SPDX-License-Identifier: Apache-2.0 */
/* What the handler of an h1_bench does, by the path of a request. */
#ifndef VTS_TESTS_H1_ACTS_H
#define VTS_TESTS_H1_ACTS_H

#include "tests/unit/server/http/h1_bench.h"

void h1_acts_init(struct h1_bench *bench);
/* As vts_http_handler. */
void h1_acts_begin(void *bench, struct vts_exchange *exchange);
void h1_acts_handle(void *bench, struct vts_exchange *exchange);

/* What a user that waits is told to do; for h1_bench_run(). */

/* Starts the response, if it has not, and ends it. */
void h1_acts_finish(struct h1_bench *bench);
/* Consumes what it has kept, and from now on whatever comes. */
void h1_acts_consume(struct h1_bench *bench);
void h1_acts_reset(struct h1_bench *bench);

#endif
