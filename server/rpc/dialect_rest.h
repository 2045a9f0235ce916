/* SPDX-License-Identifier: Apache-2.0 */
/* REST: a resource in the representation its reader likes best, conditional requests, and the heads
 * of answers that are waited for. */
#ifndef VTS_RPC_DIALECT_REST_H
#define VTS_RPC_DIALECT_REST_H

#include "server/http/exchange.h"

/* Which bytes answer. */
enum vts_rest_form {
    VTS_REST_JSON,
    VTS_REST_PROTO,
    VTS_REST_EVENTS, /* the resource as it changes: Server-Sent Events */
};

/* What a Content-Type names; false when it is neither JSON nor protobuf. */
bool vts_rest_form_of(struct vts_str content_type, enum vts_rest_form *ret_form);
/* A literal. */
const char *vts_rest_content_type(enum vts_rest_form form);

/* A resource at one revision. What it points at is given back by `release` when the exchange is
 * over, or at once when it is not needed. */
struct vts_rest_resource {
    struct vts_str etag;
    struct vts_str body;   /* in the chosen form */
    int64_t poll_after_ns; /* negative: there is no need to come back */
    vts_release_fn release;
    void *owner;
};

/* Chooses the form by the Accept field. VTS_ERR_INVALID after having answered 406. */
VTS_MUST_CHECK enum vts_err vts_rest_negotiate(struct vts_exchange *exchange,
                                               enum vts_rest_form *ret_form);
/* The same for what does not come as events. */
VTS_MUST_CHECK enum vts_err vts_rest_negotiate_whole(struct vts_exchange *exchange,
                                                     enum vts_rest_form *ret_form);
/* Whether that would be VTS_REST_EVENTS. */
bool vts_rest_wants_events(const struct vts_exchange *exchange);
/* Whether the reader has the revision already: If-None-Match names its entity tag. */
bool vts_rest_is_current(const struct vts_exchange *exchange, struct vts_str etag);
/* Says for how long an answer was, or might have been, waited for (RFC 7240 section 3). */
void vts_rest_add_wait(struct vts_exchange *exchange, uint64_t seconds);
/* Answers 200, or 304 when the reader has this revision already. The response's tail, if the caller
 * filled it, follows the body. */
void vts_rest_send(struct vts_exchange *exchange, enum vts_rest_form form,
                   const struct vts_rest_resource *resource);
/* Fills the head of a stream of events (https://html.spec.whatwg.org/#server-sent-events), code
 * and all; to send or start it is the caller's. */
void vts_rest_make_events_head(struct vts_exchange *exchange);

/* Answers 200 or another code with plain text, which is not to be stored. content_type is a
 * literal; the text is given back by `release`, which may be NULL. */
void vts_rest_send_text(struct vts_exchange *exchange, int code, const char *content_type,
                        struct vts_str text, vts_release_fn release, void *owner);

#endif
