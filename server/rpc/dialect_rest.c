/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_rest.c - content negotiation and conditional GET over bytes that exist already. */
#include "server/rpc/dialect_rest.h"

#include "common/base/macros.h"
#include "common/wire/accept.h"
#include "common/wire/etag.h"
#include "server/rpc/outcome.h"

/* JSON first: it answers those who say nothing. Protobuf goes by several names. */
static const char *const offers[] = {"application/json", "application/x-protobuf",
                                     "application/protobuf", "application/vnd.google.protobuf"};

static const char *const content_types[] = {
    [VTS_REST_JSON] = "application/json", [VTS_REST_PROTO] = "application/x-protobuf"};

enum vts_err vts_rest_negotiate(struct vts_exchange *exchange, enum vts_rest_form *ret_form)
{
    int choice = vts_accept_choose(exchange->request.fields[VTS_FIELD_ACCEPT], offers,
                                   VTS_ARRAY_LEN(offers));

    if (choice < 0) {
        vts_response_add_text(&exchange->response, "vary", "accept");
        vts_outcome_send_http(exchange, 406, VTS_RPC_INVALID_ARGUMENT,
                              "this resource comes as application/json or application/x-protobuf");
        return VTS_ERR_INVALID;
    }
    *ret_form = choice == 0 ? VTS_REST_JSON : VTS_REST_PROTO;
    return VTS_OK;
}

void vts_rest_send(struct vts_exchange *exchange, enum vts_rest_form form,
                   const struct vts_rest_resource *resource)
{
    struct vts_response *response = &exchange->response;
    struct vts_str if_none_match = exchange->request.fields[VTS_FIELD_IF_NONE_MATCH];

    response->release = resource->release;
    response->owner = resource->owner;
    vts_response_add(response, "etag", resource->etag);
    vts_response_add_text(response, "vary", "accept");
    vts_response_add_text(response, "cache-control", "no-cache");
    if (resource->retry_after_s > 0)
        vts_response_add_number(response, "retry-after", (uint64_t)resource->retry_after_s);
    if (if_none_match.ptr != NULL && vts_etag_is_listed(if_none_match, resource->etag)) {
        response->code = 304;
        response->tail_len = 0;
    } else {
        response->code = 200;
        vts_response_add_text(response, "content-type", content_types[form]);
        response->body = resource->body;
    }
    vts_exchange_send(exchange);
}

void vts_rest_send_text(struct vts_exchange *exchange, int code, const char *content_type,
                        struct vts_str text, vts_release_fn release, void *owner)
{
    struct vts_response *response = &exchange->response;

    response->code = code;
    vts_response_add_text(response, "content-type", content_type);
    vts_response_add_text(response, "cache-control", "no-store");
    response->body = text;
    response->release = release;
    response->owner = owner;
    vts_exchange_send(exchange);
}
