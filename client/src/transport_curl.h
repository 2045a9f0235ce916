/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over one kept HTTP/2 connection, or over one of their own. For one thread at a time,
 * vts_transport_cancel excepted.
 *
 * Certificates are always verified, redirects never followed, and every answer is bounded in time
 * and size. */
#ifndef VTS_CLIENT_TRANSPORT_CURL_H
#define VTS_CLIENT_TRANSPORT_CURL_H

#include <vtstatus/jobs.h>

#include "client/src/answer.h"
#include "client/src/origin.h"

struct vts_transport;
struct vts_counters;
struct vts_easy_config;

enum vts_connection {
    /* The kept one. When it turns out to be dead, libcurl sends the request anew, a POST too. */
    VTS_CONNECTION_KEPT,
    /* A new one, so that the request is sent once at most; it is kept afterwards. */
    VTS_CONNECTION_NEW,
    /* A new one that ends with the request: libcurl tells a server nothing of a request that was
     * given up while its connection goes on, so one that may wait for long has its own. */
    VTS_CONNECTION_OWN,
};

/* Takes a piece of a body, borrowed. False: that is enough; the request ends as a success. */
typedef bool (*vts_piece_fn)(struct vts_str piece, void *context);

struct vts_request {
    const char *path;          /* starts with '/' */
    const char *accept;        /* media type; NULL: any */
    const char *if_none_match; /* an ETag; "" or NULL for none */
    double timeout;            /* s, from start to the answer's end; INFINITY: none */
    double header_timeout;     /* s, to the end of the answer's header; 0: as timeout */
    const char *content_type;  /* of the body, for a POST by the Connect protocol; NULL: a GET */
    struct vts_str body;       /* borrowed until the answer is there */
    const struct vts_pair *fields; /* further ones; checked by vts_call_options_read */
    size_t fields_count;
    bool tells_timeout;   /* the server hears of it, by Connect's header */
    unsigned prefer_wait; /* s that the server may hold the answer back; 0: none */
    bool is_once;         /* libcurl does not send it again when a kept connection is dead */
    bool needs_http2;     /* an answer by an older version is VTS_CLIENT_UNDECODABLE */
    enum vts_connection connection;
    vts_piece_fn on_piece; /* takes the body of a 200 in place of answer->body; NULL: none */
    void *context;         /* for on_piece */
};

/* origin and options are copied; the log function in options is called by name only; counters are
 * borrowed. Codes and texts as vts_client_new has them. */
VTS_MUST_CHECK enum vts_client_code vts_transport_new(const struct vts_origin *origin,
                                                      const struct vts_client_options *options,
                                                      struct vts_counters *counters,
                                                      struct vts_transport **ret_transport,
                                                      struct vts_client_error *error);
void vts_transport_free(struct vts_transport *transport);

/* Borrowed, and good for as long as the transport lives; it never changes. */
const struct vts_easy_config *vts_transport_config(const struct vts_transport *transport);

/* Sends a request and takes in its answer, into *answer, which the caller has initialised and
 * ends. VTS_CLIENT_OK means a complete HTTP answer of any code. */
VTS_MUST_CHECK enum vts_client_code vts_transport_send(struct vts_transport *transport,
                                                       const struct vts_request *request,
                                                       struct vts_answer *answer,
                                                       struct vts_client_error *error);

/* Sleeps for so many seconds: true; false at once when cancelled. */
VTS_MUST_CHECK bool vts_transport_wait(struct vts_transport *transport, double seconds);

/* From any thread: ends what goes on, and whatever comes later. */
void vts_transport_cancel(struct vts_transport *transport);
/* From any thread. */
bool vts_transport_is_cancelled(const struct vts_transport *transport);

#endif
