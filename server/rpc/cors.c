/* SPDX-License-Identifier: Apache-2.0 */
/* cors.c - leave for pages of other origins.
 *
 * The origin is echoed, and credentials are never allowed: so a page reads no more than anybody in
 * its browser's place.
 */
#include "server/rpc/cors.h"

#include "common/base/mem.h"

/* Past the latter, a page does not see an application's metadata. */
enum { REQUESTED_MAX_BYTES = 1024, EXPOSED_MAX_BYTES = 2048 };

static const char exposed[] =
    "grpc-status,grpc-message,grpc-status-details-bin,etag,location,retry-after,"
    "poll-after-ms,preference-applied";

static bool is_allowed(const struct vts_rpc *rpc, const struct vts_rpc_method *method,
                       struct vts_str origin)
{
    bool is_guarded = method != NULL && method->is_guarded;
    struct vts_str rest = vts_str_of(rpc->options.origins);
    struct vts_str one;

    while (vts_str_split(&rest, ',', &one)) {
        one = vts_str_trim(one);
        if (vts_str_equals_text(one, "*") || (one.len > 0 && vts_str_equals(one, origin)) ||
            (vts_str_equals_text(one, "reads") && !is_guarded))
            return true;
    }
    return false;
}

/* Returns whether the origin may read the response, which is not the same for all of them. */
static bool add_origin(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                       const struct vts_rpc_method *method)
{
    struct vts_str origin = exchange->request.fields[VTS_FIELD_ORIGIN];

    if (rpc->options.origins == NULL)
        return false;
    vts_response_add_text(&exchange->response, "vary", "origin");
    return origin.ptr != NULL && is_allowed(rpc, method, origin) &&
           vts_response_add_copy(&exchange->response, "access-control-allow-origin", origin);
}

/* What the page wants to send, which is for the call to judge. */
static void add_requested(struct vts_exchange *exchange)
{
    struct vts_str wanted = exchange->request.fields[VTS_FIELD_ACCESS_CONTROL_REQUEST_HEADERS];
    struct vts_response *response = &exchange->response;
    char *copy;

    if (wanted.ptr == NULL || wanted.len > REQUESTED_MAX_BYTES)
        return;
    copy = vts_mem_strndup(wanted.ptr, wanted.len);
    if (copy == NULL)
        return; /* the page asks again */
    response->release = vts_mem_free;
    response->owner = copy;
    vts_response_add(response, "access-control-allow-headers", vts_str_make(copy, wanted.len));
}

bool vts_cors_answer_preflight(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                               const struct vts_rpc_method *method, struct vts_str verbs)
{
    const struct vts_request *request = &exchange->request;
    struct vts_response *response = &exchange->response;

    if (request->method != VTS_METHOD_OPTIONS || request->fields[VTS_FIELD_ORIGIN].ptr == NULL ||
        request->fields[VTS_FIELD_ACCESS_CONTROL_REQUEST_METHOD].ptr == NULL)
        return false;
    response->code = 204;
    if (add_origin(rpc, exchange, method) &&
        vts_response_add_copy(response, "access-control-allow-methods", verbs)) {
        vts_response_add_text(response, "access-control-max-age", "7200");
        vts_response_add_text(response, "vary",
                              "access-control-request-method, access-control-request-headers");
        add_requested(exchange);
    }
    vts_exchange_send(exchange);
    return true;
}

void vts_cors_add(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                  const struct vts_rpc_method *method)
{
    if (add_origin(rpc, exchange, method))
        vts_response_add_text(&exchange->response, "access-control-expose-headers", exposed);
}

static bool is_first_of_its_name(const struct vts_call_metadata *metadata, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (vts_str_equals(metadata->items[i].name, metadata->items[index].name))
            return false;
    return true;
}

/* The names of metadata, each behind a comma. */
static void append_names(struct vts_buf *list, const char *prefix,
                         const struct vts_call_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        if (!is_first_of_its_name(metadata, i))
            continue;
        vts_buf_append_text(list, prefix);
        vts_buf_append_str(list, metadata->items[i].name);
    }
}

void vts_cors_add_to_call(struct vts_call *call, const struct vts_rpc *rpc)
{
    struct vts_response *response = &call->exchange->response;
    struct vts_buf list;
    struct vts_str copy = vts_str_of(exposed);

    if (!add_origin(rpc, call->exchange, call->method))
        return;
    if (call->headers.count + call->trailers.count > 0) {
        vts_buf_init(&list, EXPOSED_MAX_BYTES);
        vts_buf_append_text(&list, exposed);
        append_names(&list, ",", &call->headers);
        append_names(&list, ",", &call->trailers);
        append_names(&list, ",trailer-", &call->trailers);
        if (vts_buf_check(&list) == VTS_OK)
            copy = vts_call_note(call, vts_buf_str(&list));
        vts_buf_fini(&list);
    }
    if (copy.ptr != NULL)
        vts_response_add(response, "access-control-expose-headers", copy);
}

void vts_cors_check(struct vts_call *call, const struct vts_rpc *rpc)
{
    struct vts_str origin = call->exchange->request.fields[VTS_FIELD_ORIGIN];
    bool is_others = origin.ptr != NULL && call->method->is_guarded;

    if (is_others && (rpc->options.origins == NULL || !is_allowed(rpc, call->method, origin)))
        vts_call_break(call, VTS_RPC_PERMISSION_DENIED,
                       "pages of this origin may not call that; --allow-origin names who may");
}
