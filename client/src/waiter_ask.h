/* SPDX-License-Identifier: Apache-2.0 */
/* What the requests of the lower rungs have in common, about one job or about many. */
#ifndef VTS_CLIENT_WAITER_ASK_H
#define VTS_CLIENT_WAITER_ASK_H

#include "client/src/waiter.h"

/* For at most so many jobs. NULL without memory. */
struct vts_waiter_ask *vts_ask_new(struct vts_waiter_group *group, size_t max_jobs);
void vts_ask_add_job(struct vts_waiter_ask *ask, struct vts_waiter_job *job);
/* The request could not even be made; frees the ask. */
void vts_ask_fail_to_start(struct vts_waiter *waiter, struct vts_waiter_ask *ask,
                           enum vts_client_code code, const struct vts_client_error *error);
/* Its transfer is over: takes it out of all books. The caller frees it. */
void vts_ask_detach(struct vts_waiter *waiter, struct vts_waiter_ask *ask);

/* Plans the next question about its jobs. */
void vts_ask_reschedule(const struct vts_waiter_ask *ask);
/* It failed: counts, goes down, gives up or plans the next try, as it is due. */
void vts_ask_note_failure(struct vts_waiter_ask *ask, const struct vts_client_error *error,
                          double retry_after);
/* When all that was to be sifted is, the stream may be opened. */
void vts_ask_end_sifting(struct vts_waiter_group *group);
/* No longer than until the deadline; s. */
double vts_ask_bound_timeout(const struct vts_waiter *waiter, double timeout);

/* Asks about those of the group that are due by then, in one request. */
void vts_ask_many(struct vts_waiter_group *group, int64_t due_ns);

#endif
