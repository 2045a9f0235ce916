/* SPDX-License-Identifier: Apache-2.0 */
/* /status as a resource, as its files share it.
 *
 *   status_service.c  the status at once, and which way to wait
 *   status_poll.c     an answer that is held back: Prefer: wait
 *   status_events.c   a stream of events
 *
 * Inside server/service only; loop thread only. */
#ifndef VTS_SERVICE_STATUS_REST_H
#define VTS_SERVICE_STATUS_REST_H

#include "server/rpc/dialect_rest.h"
#include "server/rpc/rpc_loop.h"
#include "server/service/status_message.h"
#include "server/service/status_service.h"
#include "server/service/status_waiter.h"

/* A request that may wait, whose job is there. */
struct vts_status_request {
    const struct vts_status_service *service;
    struct vts_rpc_loop *loop;
    struct vts_exchange *exchange;
    enum vts_rest_form form;
    struct vts_str job_id;
};

/* Answers with the view, whose snapshot is adopted and whose hint is spread, or 304. */
void vts_status_send_view(const struct vts_status_service *service, struct vts_exchange *exchange,
                          enum vts_rest_form form, const struct vts_status_view *view);

/* Each attaches to the exchange or answers it. The view is what was just found, and its snapshot
 * adopted. */

/* wait_s is how long the client would wait. */
void vts_status_begin_poll(const struct vts_status_request *request,
                           const struct vts_status_view *view, uint64_t wait_s);
void vts_status_begin_events(const struct vts_status_request *request,
                             const struct vts_status_view *view);

/* Keeps the exchange, and begins to wait for news of the job after the revision. The waiter is the
 * caller's to free. VTS_ERR_LIMIT, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_status_wait(const struct vts_status_request *request,
                                            uint64_t revision, enum vts_status_until until,
                                            vts_status_news_fn on_news, void *context,
                                            struct vts_status_waiter **ret_waiter);
/* For on_body of those who wait: nobody wants the body of a GET. */
void vts_status_throw_away(struct vts_exchange *exchange, struct vts_str bytes);

#endif
