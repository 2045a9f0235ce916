/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the library share of a client. */
#ifndef VTS_CLIENT_CLIENT_H
#define VTS_CLIENT_CLIENT_H

#include <vtstatus/client.h>

#include "client/src/counters.h"
#include "client/src/ladder.h"
#include "client/src/log.h"
#include "client/src/origin.h"
#include "client/src/retry.h"
#include "client/src/status_cache.h"
#include "client/src/transport_curl.h"

struct vts_client {
    struct vts_origin origin;
    struct vts_log log;
    vts_request_fn on_request; /* NULL: none */
    void *request_context;
    double request_timeout;
    struct vts_transport *transport;
    struct vts_status_cache cache;
    struct vts_counters counters;
    struct vts_ladder_memory ladder_memory;
    struct vts_retry_budget retry_budget;
    int cancel_fd; /* becomes readable with vts_client_cancel(), and stays so */
};

/* One question's result. */
struct vts_fetch {
    struct vts_status *status; /* the caller's; NULL unless VTS_CLIENT_OK */
    double hint; /* s until the server wants to be asked again; negative: it did not say */
};

/* VTS_CLIENT_USAGE when it is no job's id; NULL and "" are ids, of the job "default". */
VTS_MUST_CHECK enum vts_client_code vts_client_check_job_id(const char *job_id,
                                                            struct vts_client_error *error);

/* The id itself, or "default" for NULL and "". */
const char *vts_client_job_id(const char *job_id);

/* Asks for a job's status once, within timeout seconds. *ret_fetch is written on every outcome:
 * a refusal may carry a Retry-After. job_id must be one; error must not be NULL. */
VTS_MUST_CHECK enum vts_client_code vts_client_fetch(struct vts_client *client, const char *job_id,
                                                     double timeout, struct vts_fetch *ret_fetch,
                                                     struct vts_client_error *error);

/* Reads a complete HTTP answer to the question for a job's status; has_etag: the question had the
 * tag of one that is known. *ret_status is the caller's; NULL with VTS_CLIENT_OK: it is the known
 * one. error is not NULL. */
VTS_MUST_CHECK enum vts_client_code vts_client_read_status(const struct vts_client *client,
                                                           const char *job_id, bool has_etag,
                                                           const struct vts_answer *answer,
                                                           struct vts_status **ret_status,
                                                           struct vts_client_error *error);

/* Turns a complete HTTP answer that is no success into an error; job_id is NULL when the question
 * was not about a job. */
enum vts_client_code vts_client_refusal(const struct vts_origin *origin, const char *job_id,
                                        const struct vts_answer *answer,
                                        struct vts_client_error *error);

#endif
