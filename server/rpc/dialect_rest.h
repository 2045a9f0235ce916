/* SPDX-License-Identifier: Apache-2.0 */
/* REST: a resource in the representation its reader likes best, and conditional requests. */
#ifndef VTS_RPC_DIALECT_REST_H
#define VTS_RPC_DIALECT_REST_H

#include "server/http/exchange.h"

/* Which bytes answer. */
enum vts_rest_form { VTS_REST_JSON, VTS_REST_PROTO };

/* A resource at one revision. What it points at is given back by `release` when the exchange is
 * over, or at once when it is not needed. */
struct vts_rest_resource {
    struct vts_str etag;
    struct vts_str body;   /* in the chosen form */
    int64_t retry_after_s; /* sent when positive */
    vts_release_fn release;
    void *owner;
};

/* Chooses the form by the Accept field. VTS_ERR_INVALID after having answered 406. */
VTS_MUST_CHECK enum vts_err vts_rest_negotiate(struct vts_exchange *exchange,
                                               enum vts_rest_form *ret_form);
/* Answers 200, or 304 when the reader has this revision already. The response's tail, if the caller
 * filled it, follows the body. */
void vts_rest_send(struct vts_exchange *exchange, enum vts_rest_form form,
                   const struct vts_rest_resource *resource);

/* Answers 200 or another code with plain text, which is not to be stored. content_type is a
 * literal; the text is given back by `release`, which may be NULL. */
void vts_rest_send_text(struct vts_exchange *exchange, int code, const char *content_type,
                        struct vts_str text, vts_release_fn release, void *owner);

#endif
