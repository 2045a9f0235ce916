/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_rest.c - content negotiation and conditional GET over bytes that exist already. */
#include "server/rpc/dialect_rest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/wire/accept.h"
#include "common/wire/etag.h"
#include "server/rpc/outcome.h"

enum { WAIT_TEXT_BYTES = 32 };

/* JSON first: it answers those who say nothing. Protobuf goes by several names. */
static const char *const offers[] = {"application/json", "application/x-protobuf",
                                     "application/protobuf", "application/vnd.google.protobuf",
                                     "text/event-stream"};

static const enum vts_rest_form forms[VTS_ARRAY_LEN(offers)] = {
    VTS_REST_JSON, VTS_REST_PROTO, VTS_REST_PROTO, VTS_REST_PROTO, VTS_REST_EVENTS};

static const char *const content_types[] = {[VTS_REST_JSON] = "application/json",
                                            [VTS_REST_PROTO] = "application/x-protobuf",
                                            [VTS_REST_EVENTS] = "text/event-stream"};

/* What never ends is for those who name it: "text" of any kind means something else. */
static bool names_events(struct vts_str accept)
{
    const char *name = content_types[VTS_REST_EVENTS];
    size_t len = strlen(name);

    for (size_t i = 0; i + len <= accept.len; i++)
        if (strncasecmp(accept.ptr + i, name, len) == 0)
            return true;
    return false;
}

/* An index into offers and forms, where events come last; -1 when nothing is acceptable. */
static int choose(const struct vts_exchange *exchange, bool has_events)
{
    struct vts_str accept = exchange->request.fields[VTS_FIELD_ACCEPT];

    return vts_accept_choose(accept, offers,
                             VTS_ARRAY_LEN(offers) - !(has_events && names_events(accept)));
}

static enum vts_err negotiate(struct vts_exchange *exchange, bool has_events, const char *refusal,
                              enum vts_rest_form *ret_form)
{
    int choice = choose(exchange, has_events);

    if (choice < 0) {
        vts_response_add_text(&exchange->response, "vary", "accept");
        vts_outcome_send_http(exchange, 406, VTS_RPC_INVALID_ARGUMENT, refusal);
        return VTS_ERR_INVALID;
    }
    *ret_form = forms[choice];
    return VTS_OK;
}

bool vts_rest_form_of(struct vts_str content_type, enum vts_rest_form *ret_form)
{
    struct vts_str name;

    if (!vts_str_split(&content_type, ';', &name))
        return false;
    name = vts_str_trim(name);
    for (size_t i = 0; i < VTS_ARRAY_LEN(offers) && forms[i] != VTS_REST_EVENTS; i++) {
        if (vts_str_equals_nocase(name, offers[i])) {
            *ret_form = forms[i];
            return true;
        }
    }
    return false;
}

const char *vts_rest_content_type(enum vts_rest_form form)
{
    return content_types[form];
}

enum vts_err vts_rest_negotiate(struct vts_exchange *exchange, enum vts_rest_form *ret_form)
{
    return negotiate(exchange, true,
                     "this resource comes as application/json, application/x-protobuf or "
                     "text/event-stream",
                     ret_form);
}

enum vts_err vts_rest_negotiate_whole(struct vts_exchange *exchange, enum vts_rest_form *ret_form)
{
    return negotiate(exchange, false,
                     "this resource comes as application/json or application/x-protobuf", ret_form);
}

bool vts_rest_wants_events(const struct vts_exchange *exchange)
{
    int choice;

    /* Every request comes by here, and few have this in them. */
    if (!names_events(exchange->request.fields[VTS_FIELD_ACCEPT]))
        return false;
    choice = choose(exchange, true);
    return choice >= 0 && forms[choice] == VTS_REST_EVENTS;
}

bool vts_rest_is_current(const struct vts_exchange *exchange, struct vts_str etag)
{
    struct vts_str if_none_match = exchange->request.fields[VTS_FIELD_IF_NONE_MATCH];

    return if_none_match.ptr != NULL && vts_etag_is_listed(if_none_match, etag);
}

void vts_rest_add_wait(struct vts_exchange *exchange, uint64_t seconds)
{
    char text[WAIT_TEXT_BYTES];

    (void)snprintf(text, sizeof(text), "wait=%llu", (unsigned long long)seconds);
    if (!vts_response_add_copy(&exchange->response, "preference-applied", vts_str_of(text)))
        return; /* an origin has taken the room; the reader will see for itself */
}

/* Rounded up: early questions are what the hint is there to avoid. */
static uint64_t to_whole_s(int64_t ns)
{
    return (uint64_t)(ns + VTS_NS_PER_S - 1) / VTS_NS_PER_S;
}

void vts_rest_send(struct vts_exchange *exchange, enum vts_rest_form form,
                   const struct vts_rest_resource *resource)
{
    struct vts_response *response = &exchange->response;

    response->release = resource->release;
    response->owner = resource->owner;
    vts_response_add(response, "etag", resource->etag);
    vts_response_add_text(response, "vary", "accept");
    vts_response_add_text(response, "cache-control", "no-cache");
    if (resource->poll_after_ns > 0)
        vts_response_add_number(response, "retry-after", to_whole_s(resource->poll_after_ns));
    if (vts_rest_is_current(exchange, resource->etag)) {
        response->code = 304;
        /* A body would tell it as finely. */
        if (resource->poll_after_ns > 0)
            vts_response_add_number(response, "poll-after-ms",
                                    (uint64_t)(resource->poll_after_ns / VTS_NS_PER_MS));
        response->tail_len = 0;
    } else {
        response->code = 200;
        vts_response_add_text(response, "content-type", content_types[form]);
        response->body = resource->body;
    }
    vts_exchange_send(exchange);
}

void vts_rest_make_events_head(struct vts_exchange *exchange)
{
    struct vts_response *response = &exchange->response;

    response->code = 200;
    vts_response_add_text(response, "content-type", content_types[VTS_REST_EVENTS]);
    vts_response_add_text(response, "vary", "accept");
    vts_response_add_text(response, "cache-control", "no-store");
    vts_response_add_text(response, "x-accel-buffering", "no"); /* proxies, too, pass it on */
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
