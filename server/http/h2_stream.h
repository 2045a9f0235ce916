/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/2 stream: the exchange it carries and what its request has cost so far.
 * Inside server/http only. */
#ifndef VTS_HTTP_H2_STREAM_H
#define VTS_HTTP_H2_STREAM_H

#include <nghttp2/nghttp2.h>

#include "server/http/conn.h"

/* A stream only ever moves down this list:
 *
 *   HEADERS   its request's header block is coming
 *   BODY      its request's body is coming, and is thrown away: no route takes one
 *   HANDLED   the request is with its handler
 *   ANSWERED  the response is with nghttp2
 *   SENT      the response is out before the request was complete; the rest of it is thrown away
 */
enum vts_h2_stream_state {
    VTS_H2_STREAM_HEADERS,
    VTS_H2_STREAM_BODY,
    VTS_H2_STREAM_HANDLED,
    VTS_H2_STREAM_ANSWERED,
    VTS_H2_STREAM_SENT,
};

/* Values kept of a request: :method, :path and :authority, and the fields somebody reads. */
enum { VTS_H2_HELD_MAX = 3 + VTS_FIELD_COUNT };

struct vts_h2_stream {
    struct vts_exchange exchange;
    struct vts_list link;
    struct vts_conn *conn;
    int32_t id;
    enum vts_h2_stream_state state;
    bool has_ended; /* the peer has sent its END_STREAM */
    bool is_head_too_large;
    uint32_t header_bytes;
    uint32_t header_fields;
    uint32_t trailer_fields;
    uint32_t empty_frames; /* in a row */
    uint64_t body_bytes;
    uint64_t body_mark_bytes; /* body_bytes when the rate was last looked at */
    int64_t body_mark_ns;
    char code_text[3];
    size_t sent;      /* of the response's body */
    size_t sent_mark; /* sent when progress was last seen */
    int64_t sent_mark_ns;
    char *joined[VTS_FIELD_COUNT]; /* values of fields that came more than once */
    unsigned held_count;
    nghttp2_rcbuf *held[VTS_H2_HELD_MAX];
};

/* A stream for a request that begins; NULL without memory. */
struct vts_h2_stream *vts_h2_stream_new(struct vts_conn *conn, int32_t id);
/* Gives back all it holds. */
void vts_h2_stream_free(struct vts_h2_stream *stream);
/* Gives back the request's header values: nobody may look at them once it is answered. */
void vts_h2_stream_drop_head(struct vts_h2_stream *stream);
void vts_h2_stream_set_state(struct vts_h2_stream *stream, enum vts_h2_stream_state next);
/* Takes one field of the request into account and keeps it if somebody reads it.
 * VTS_ERR_LIMIT past the hard limits, which *ret_limit then names. */
VTS_MUST_CHECK enum vts_err vts_h2_stream_add_field(struct vts_h2_stream *stream,
                                                    nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                                                    enum vts_limit *ret_limit);
#endif
