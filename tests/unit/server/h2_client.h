/* SPDX-License-Identifier: Apache-2.0 */
/* A client of nghttp2's on a fake transport: what it is told to send goes, what comes is kept. */
#ifndef VTS_TESTS_H2_CLIENT_H
#define VTS_TESTS_H2_CLIENT_H

#include <nghttp2/nghttp2.h>

#include "common/base/str.h"
#include "tests/support/fake_io.h"

enum { H2_CLIENT_STREAMS = 300, H2_CLIENT_TEXT_BYTES = 1024 };

/* Of the C library's heap: a test may let the project's fail. */
struct h2_bytes {
    char *ptr;
    size_t len;
};

/* A stream as its client sees it. */
struct h2_reply {
    int code;                          /* 0: no head yet */
    char fields[H2_CLIENT_TEXT_BYTES]; /* "name=value;" of the head, but for :status and date */
    char trailers[H2_CLIENT_TEXT_BYTES];
    struct h2_bytes body;
    bool is_over;            /* END_STREAM came */
    bool is_closed;          /* nothing more comes */
    uint32_t error;          /* what it was closed with */
    struct h2_bytes request; /* what is still to be sent */
    bool is_request_over;
    bool is_deferred;
};

struct h2_client {
    struct vts_loop *loop;
    struct vts_transport *transport;
    nghttp2_session *session;
    bool keeps_windows; /* what comes is not consumed */
    bool is_held;       /* nothing goes either way */
    bool has_goaway;
    uint32_t goaway_error;
    struct h2_reply replies[H2_CLIENT_STREAMS]; /* by (id - 1) / 2 */
};

/* Connects and greets. */
void h2_client_open(struct h2_client *client, struct vts_loop *loop);
/* Hangs up, if it has not. */
void h2_client_close(struct h2_client *client);
void h2_client_hang_up(struct h2_client *client);
/* Lets bytes go both ways until nothing more happens in this moment. */
void h2_client_pump(struct h2_client *client);

/* POSTs a path; its body is still to come. Returns the stream's id. */
int32_t h2_client_post(struct h2_client *client, const char *path, const char *content_type);
/* Sends bytes of the body, as far as windows go, and perhaps its end. */
void h2_client_send(struct h2_client *client, int32_t id, struct vts_str bytes, bool is_end);
void h2_client_reset(struct h2_client *client, int32_t id);
/* Allows so many bytes more, on the stream, or on the connection with id 0. */
void h2_client_allow(struct h2_client *client, int32_t id, int32_t bytes);
struct h2_reply *h2_client_reply(struct h2_client *client, int32_t id);
/* What is left of a body that windows hold back. */
size_t h2_client_unsent(struct h2_client *client, int32_t id);

#endif
