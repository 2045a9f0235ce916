/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its response: all that the rest of the server sees of HTTP.
 * Loop thread only. */
#ifndef VTS_HTTP_EXCHANGE_H
#define VTS_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/assert.h"
#include "common/base/str.h"
#include "server/io/timer.h"

enum { VTS_PEER_TEXT_BYTES = 64 };

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

/* The request fields that somebody reads, by the length of their names. */
enum vts_field {
    VTS_FIELD_HOST,
    VTS_FIELD_ACCEPT,
    VTS_FIELD_EXPECT,
    VTS_FIELD_ORIGIN,
    VTS_FIELD_PREFER,
    VTS_FIELD_IF_MATCH,
    VTS_FIELD_CONTENT_TYPE,
    VTS_FIELD_GRPC_TIMEOUT,
    VTS_FIELD_GRPC_ENCODING,
    VTS_FIELD_IF_NONE_MATCH,
    VTS_FIELD_LAST_EVENT_ID,
    VTS_FIELD_ACCEPT_ENCODING,
    VTS_FIELD_CONTENT_ENCODING,
    VTS_FIELD_CONNECT_TIMEOUT_MS,
    VTS_FIELD_GRPC_ACCEPT_ENCODING,
    VTS_FIELD_CONNECT_ACCEPT_ENCODING,
    VTS_FIELD_CONNECT_CONTENT_ENCODING,
    VTS_FIELD_CONNECT_PROTOCOL_VERSION,
    VTS_FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    VTS_FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    VTS_FIELD_COUNT,
};

struct vts_header {
    struct vts_str name; /* lower case */
    struct vts_str value;
};

/* Everything is borrowed and lives until the head of the response is sent. */
struct vts_request {
    enum vts_method method;
    struct vts_str target; /* as sent: path and query */
    struct vts_str path;   /* raw, before any "?" */
    struct vts_str query;  /* after the "?"; empty when there is none */
    struct vts_str authority;
    struct vts_str *fields; /* VTS_FIELD_COUNT; NULL when absent; repeated lists are joined */
    /* All fields in their order, for requests that may carry metadata: those with POST or a query.
     * Of others nothing is kept but the above. */
    const struct vts_header *headers;
    size_t headers_count;
    /* Set when HTTP itself asks for a refusal: the code to answer with, and why. Otherwise 0. */
    int fault;
    const char *fault_text;
};

enum {
    VTS_RESPONSE_HEADERS_MAX = 12,
    VTS_RESPONSE_MORE_MAX = 64, /* of more_headers, and of trailers */
    VTS_RESPONSE_TAIL_MAX = 64,
    VTS_RESPONSE_SCRATCH = 384,
};

/* What a request and its response need only until the head of the response is out: kept apart so
 * that an open stream costs less. */
struct vts_exchange_head {
    struct vts_str fields[VTS_FIELD_COUNT];
    struct vts_header headers[VTS_RESPONSE_HEADERS_MAX];
    char scratch[VTS_RESPONSE_SCRATCH];
};

/* A body of unknown length, as vts_response.length says. */
enum { VTS_LENGTH_UNKNOWN = -1 };

typedef void (*vts_release_fn)(void *owner);

struct vts_response {
    int code;
    size_t headers_count;
    struct vts_header *headers; /* up to VTS_RESPONSE_HEADERS_MAX; names are literals */
    /* More of them, after those above; borrowed until the head is out. */
    const struct vts_header *more_headers;
    size_t more_headers_count;
    size_t scratch_len;
    char *scratch; /* VTS_RESPONSE_SCRATCH: for header values made here */

    /* With vts_exchange_send(): `body` followed by `tail`, so that bytes shared by many answers
     * need no copy. */
    struct vts_str body;
    size_t tail_len;
    char tail[VTS_RESPONSE_TAIL_MAX];

    /* With vts_exchange_start(): the user's read() makes the body. The trailers, which only HTTP/2
     * carries, are looked at when it has said that the body is over, and borrowed until the
     * exchange closes. */
    int64_t length; /* of the body, or VTS_LENGTH_UNKNOWN */
    /* Nobody reads what is left of the request's body. Where the connection must end for that, the
     * head says so, lest the peer use it once more. */
    bool ends_request;
    const struct vts_header *trailers;
    size_t trailers_count;

    vts_release_fn release; /* gives back what body and header values lie in */
    void *owner;
};

struct vts_conn;
struct vts_exchange;

/* How a protocol carries out what the functions below say. */
struct vts_exchange_ops {
    bool is_duplex; /* request and response flow at once, and trailers are carried: HTTP/2 */
    struct vts_conn *(*find_conn)(const struct vts_exchange *exchange); /* for server/http only */
    void (*send)(struct vts_exchange *exchange);
    void (*start)(struct vts_exchange *exchange);
    void (*resume)(struct vts_exchange *exchange);
    void (*consume)(struct vts_exchange *exchange, size_t len);
    void (*release)(struct vts_exchange *exchange, size_t len);
    void (*charge)(struct vts_exchange *exchange, size_t len);
    void (*refund)(struct vts_exchange *exchange, size_t len);
    void (*reset)(struct vts_exchange *exchange);
    bool (*keep)(struct vts_exchange *exchange, uint32_t watches_count);
    int64_t (*now_ns)(const struct vts_exchange *exchange);
    void (*set_timer)(struct vts_exchange *exchange, struct vts_timer *timer, int64_t due_ns);
    void (*stop_timer)(struct vts_exchange *exchange, struct vts_timer *timer);
    uint64_t (*peer_number)(const struct vts_exchange *exchange);
    void (*write_peer)(const struct vts_exchange *exchange, char ret_text[VTS_PEER_TEXT_BYTES]);
};

/* Who works an exchange whose request or response comes in pieces. No function of it may end the
 * exchange's own memory; all of them may call the functions below. */
struct vts_exchange_user_ops {
    /* A piece of the request's body. The peer may send no more than the window, 64 KiB, beyond what
     * vts_exchange_consume() has given back. */
    void (*on_body)(void *user, struct vts_str bytes);
    void (*on_body_end)(
        void *user); /* perhaps later than the end came; see vts_exchange_charge() */
    /* Fills out with up to cap bytes of the response's body and returns how many; 0 before the end:
     * nothing now, vts_exchange_resume() tells when there is more. */
    size_t (*read)(void *user, char *out, size_t cap, bool *ret_is_end);
    /* The exchange is over, whether the response went out whole or the peer is gone: the last call,
     * always made. */
    void (*on_close)(void *user);
};

struct vts_exchange {
    const struct vts_exchange_ops *ops;
    const struct vts_exchange_user_ops *user_ops; /* NULL: nobody is attached */
    void *user;
    /* Set by the user while it waits for the peer's bytes: then the body must keep to the limits of
     * time. A stream between two messages may be silent. */
    bool is_body_due;
    struct vts_request request;
    struct vts_response response;
};

/* Answers a request: fills exchange->response and calls vts_exchange_send(). */
typedef void (*vts_exchange_fn)(void *context, struct vts_exchange *exchange);

/* Who answers the requests of a server. begin sees each request as soon as its head is there; when
 * it attaches a user, that user has the rest. Otherwise handle is called when the request is
 * complete, its body, if any, thrown away. */
struct vts_http_handler {
    vts_exchange_fn begin;
    vts_exchange_fn handle;
    void *context;
};

/* Sends the response whole; exactly once an exchange, unless it was started. The exchange may be
 * gone when it returns, except for an attached user. */
static inline void vts_exchange_send(struct vts_exchange *exchange)
{
    exchange->ops->send(exchange);
}

/* From now on the user has the exchange; within vts_http_handler.begin only. */
static inline void vts_exchange_attach(struct vts_exchange *exchange,
                                       const struct vts_exchange_user_ops *ops, void *user)
{
    exchange->user_ops = ops;
    exchange->user = user;
    exchange->is_body_due = true;
}

/* The rest is for attached users. */

/* Sends the head of the response; its body is read from the user as the peer takes it. */
static inline void vts_exchange_start(struct vts_exchange *exchange)
{
    exchange->ops->start(exchange);
}

/* After read() had nothing: there is more, or the end. Harmless otherwise. */
static inline void vts_exchange_resume(struct vts_exchange *exchange)
{
    exchange->ops->resume(exchange);
}

/* Lets the peer send as many bytes more: len of those that on_body() brought make room for them. */
static inline void vts_exchange_consume(struct vts_exchange *exchange, size_t len)
{
    exchange->ops->consume(exchange, len);
}

/* len bytes of on_body() are no longer kept; the sum kept for one connection is bounded. */
static inline void vts_exchange_release(struct vts_exchange *exchange, size_t len)
{
    exchange->ops->release(exchange, len);
}

/* len bytes were made for the peer, and are kept until as many are refunded: those of an answer
 * until it is taken. While there are many, the connection's next requests wait, and when many are
 * made in one turn, for another one. */
static inline void vts_exchange_charge(struct vts_exchange *exchange, size_t len)
{
    exchange->ops->charge(exchange, len);
}

/* At the latest when the exchange closes. */
static inline void vts_exchange_refund(struct vts_exchange *exchange, size_t len)
{
    exchange->ops->refund(exchange, len);
}

/* Breaks the exchange off, without a word to the peer's application. on_close() follows, later. */
static inline void vts_exchange_reset(struct vts_exchange *exchange)
{
    exchange->ops->reset(exchange);
}

/* The exchange will stay open for long without work, for news of so many things; it may say so
 * again, of as many. False when its connection has too many of the kind already, or of what they
 * watch. */
static inline bool vts_exchange_keep(struct vts_exchange *exchange, uint32_t watches_count)
{
    return exchange->ops->keep(exchange, watches_count);
}

/* As vts_loop_now_ns(). */
static inline int64_t vts_exchange_now_ns(const struct vts_exchange *exchange)
{
    return exchange->ops->now_ns(exchange);
}

/* The timer must be stopped before the exchange closes. */
static inline void vts_exchange_set_timer(struct vts_exchange *exchange, struct vts_timer *timer,
                                          int64_t due_ns)
{
    exchange->ops->set_timer(exchange, timer, due_ns);
}

static inline void vts_exchange_stop_timer(struct vts_exchange *exchange, struct vts_timer *timer)
{
    exchange->ops->stop_timer(exchange, timer);
}

/* Stands for the peer's address: the same number on all its connections. For telling callers apart
 * cheaply; two of them may share one. */
static inline uint64_t vts_exchange_peer_number(const struct vts_exchange *exchange)
{
    return exchange->ops->peer_number(exchange);
}

/* The peer's numeric address, without its port. */
static inline void vts_exchange_write_peer(const struct vts_exchange *exchange,
                                           char ret_text[VTS_PEER_TEXT_BYTES])
{
    exchange->ops->write_peer(exchange, ret_text);
}

/* head is borrowed, and need not be clean. */
void vts_exchange_init(struct vts_exchange *exchange, const struct vts_exchange_ops *ops,
                       struct vts_exchange_head *head);
/* Gives back what the response borrowed. */
void vts_exchange_fini(struct vts_exchange *exchange);
/* Tells the user, if there is one, that it is over, and gives back what the response borrowed. The
 * request stays, and may be answered anew. */
void vts_exchange_detach(struct vts_exchange *exchange);

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

/* As vts_response_add, with a copy of the value; false, and nothing added, when it is too long. */
VTS_MUST_CHECK bool vts_response_add_copy(struct vts_response *response, const char *name,
                                          struct vts_str value);
/* Up to three numbers a response; each may have 10 digits. */
void vts_response_add_number(struct vts_response *response, const char *name, uint64_t value);
size_t vts_response_body_len(const struct vts_response *response);
/* Whether a code allows a body (RFC 9110 6.4.1). */
bool vts_response_can_have_body(int code);

enum vts_method vts_method_parse(struct vts_str name);
const char *vts_method_name(enum vts_method method);
/* VTS_FIELD_COUNT for a field that nobody reads. The name is lower-case already. */
enum vts_field vts_field_find(struct vts_str name);
/* A literal. */
struct vts_str vts_field_name(enum vts_field field);
/* Appends another line of a list field to what is known of it: both mean the same as joined by a
 * comma (RFC 9110 5.3). *memory, NULL or what the last call left there, holds the joined list and
 * is the caller's to free. Past 1 KiB the rest of a list is left out, which makes an answer less
 * well negotiated at worst. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_field_join(struct vts_str *list, struct vts_str value,
                                           char **memory);
/* Splits target into path and query. */
void vts_request_set_target(struct vts_request *request, struct vts_str target);

#endif
