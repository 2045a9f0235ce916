/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its response: all that the rest of the server sees of HTTP.
 * Loop thread only. */
#ifndef VTS_HTTP_EXCHANGE_H
#define VTS_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/assert.h"
#include "common/base/str.h"

enum vts_method {
    VTS_METHOD_GET,
    VTS_METHOD_HEAD,
    VTS_METHOD_POST,
    VTS_METHOD_PUT,
    VTS_METHOD_DELETE,
    VTS_METHOD_PATCH,
    VTS_METHOD_OPTIONS,
    VTS_METHOD_OTHER,
};

/* The request fields that somebody reads; nothing is kept of any other. */
enum vts_field {
    VTS_FIELD_ACCEPT,
    VTS_FIELD_CONTENT_TYPE,
    VTS_FIELD_EXPECT,
    VTS_FIELD_HOST,
    VTS_FIELD_IF_NONE_MATCH,
    VTS_FIELD_COUNT,
};

/* Everything is borrowed and lives until the response is sent. */
struct vts_request {
    enum vts_method method;
    struct vts_str target; /* as sent: path and query */
    struct vts_str path;   /* raw, before any "?" */
    struct vts_str query;  /* after the "?"; empty when there is none */
    struct vts_str authority;
    struct vts_str fields[VTS_FIELD_COUNT]; /* NULL when absent; repeated lists are joined */
    /* Set when HTTP itself asks for a refusal: the code to answer with, and why. Otherwise 0. */
    int fault;
    const char *fault_text;
};

enum { VTS_RESPONSE_HEADERS_MAX = 10, VTS_RESPONSE_TAIL_MAX = 64, VTS_RESPONSE_SCRATCH = 32 };

struct vts_header {
    struct vts_str name; /* a lower-case literal */
    struct vts_str value;
};

typedef void (*vts_release_fn)(void *owner);

/* The body is `body` followed by `tail`, so that bytes shared by many answers need no copy. */
struct vts_response {
    int code;
    size_t headers_count;
    struct vts_header headers[VTS_RESPONSE_HEADERS_MAX];
    struct vts_str body;
    size_t tail_len;
    char tail[VTS_RESPONSE_TAIL_MAX];
    size_t scratch_len;
    char scratch[VTS_RESPONSE_SCRATCH]; /* for header values made here */
    vts_release_fn release;             /* gives back what body and header values lie in */
    void *owner;
};

struct vts_exchange;

struct vts_exchange_ops {
    void (*send)(struct vts_exchange *exchange);
};

struct vts_exchange {
    const struct vts_exchange_ops *ops;
    struct vts_request request;
    struct vts_response response;
};

/* Answers a request: fills exchange->response and calls vts_exchange_send(). */
typedef void (*vts_exchange_fn)(void *context, struct vts_exchange *exchange);

/* Sends the response; exactly once an exchange. The exchange may be gone when it returns. */
static inline void vts_exchange_send(struct vts_exchange *exchange)
{
    exchange->ops->send(exchange);
}

void vts_exchange_init(struct vts_exchange *exchange, const struct vts_exchange_ops *ops);
/* Gives back what the response borrowed. */
void vts_exchange_fini(struct vts_exchange *exchange);

/* name is a lower-case literal; value lives until the exchange ends, and so is no field of the
 * request. */
static inline void vts_response_add(struct vts_response *response, const char *name,
                                    struct vts_str value)
{
    VTS_ASSERT(response->headers_count < VTS_RESPONSE_HEADERS_MAX);
    response->headers[response->headers_count++] = (struct vts_header){vts_str_of(name), value};
}

static inline void vts_response_add_text(struct vts_response *response, const char *name,
                                         const char *value)
{
    vts_response_add(response, name, vts_str_of(value));
}

/* Up to three numbers a response; each may have 10 digits. */
void vts_response_add_number(struct vts_response *response, const char *name, uint64_t value);
size_t vts_response_body_len(const struct vts_response *response);
/* Whether a code allows a body (RFC 9110 6.4.1). */
bool vts_response_can_have_body(int code);

enum vts_method vts_method_parse(struct vts_str name);
const char *vts_method_name(enum vts_method method);
/* VTS_FIELD_COUNT for a field that nobody reads. The name is lower-case already. */
enum vts_field vts_field_find(struct vts_str name);
/* Appends another line of a list field to what is known of it: both mean the same as joined by a
 * comma (RFC 9110 5.3). *memory, NULL or what the last call left there, holds the joined list and
 * is the caller's to free. Past 1 KiB the rest of a list is left out, which makes an answer less
 * well negotiated at worst. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_field_join(struct vts_str *list, struct vts_str value,
                                           char **memory);
/* Splits target into path and query. */
void vts_request_set_target(struct vts_request *request, struct vts_str target);

#endif
