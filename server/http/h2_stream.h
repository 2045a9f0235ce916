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
 *   OFFERED   the handler sees the head, or an attached user has the exchange
 *   BODY      its request's body is coming, and is thrown away: nobody takes it
 *   HANDLED   the complete request is with its handler
 *   ANSWERED  the response's head is with nghttp2; an attached user may still get the body
 *   SENT      the response is out before the request was complete, or the stream was broken off;
 *             what still comes is thrown away
 */
enum vts_h2_stream_state {
    VTS_H2_STREAM_HEADERS,
    VTS_H2_STREAM_OFFERED,
    VTS_H2_STREAM_BODY,
    VTS_H2_STREAM_HANDLED,
    VTS_H2_STREAM_ANSWERED,
    VTS_H2_STREAM_SENT,
};

enum { VTS_H2_COPIES_BYTES = 512, VTS_H2_HELD_INLINE = 8, VTS_H2_HEADERS_INLINE = 20 };

/* What is kept of a request's header block until the response's head is out: copies while there is
 * room, which is cheapest, and references to nghttp2's own buffers for the rest. */
struct vts_h2_head {
    struct vts_exchange_head exchange_head;
    struct vts_list link; /* while it waits for its next use */
    bool has_joined;
    char *joined[VTS_FIELD_COUNT]; /* values of fields that came more than once */
    size_t copies_len;
    size_t held_count;
    size_t held_cap;
    nghttp2_rcbuf **held; /* held_inline, or the heap */
    size_t headers_count;
    size_t headers_cap;
    struct vts_header *headers; /* headers_inline, or the heap */
    nghttp2_rcbuf *held_inline[VTS_H2_HELD_INLINE];
    struct vts_header headers_inline[VTS_H2_HEADERS_INLINE];
    char copies[VTS_H2_COPIES_BYTES];
};

struct vts_h2_stream {
    struct vts_exchange exchange;
    struct vts_list link;
    struct vts_list waiting_link; /* while its user is still to hear of the request's end */
    struct vts_conn *conn;
    struct vts_h2_head *head; /* NULL once the response's head is out */
    int32_t id;
    enum vts_h2_stream_state state;
    bool has_ended; /* the peer has sent its END_STREAM */
    bool is_head_too_large;
    bool is_awaited;   /* counts among the connection's requests whose body is coming */
    bool is_deferred;  /* the user had nothing to send when nghttp2 asked */
    bool is_kept;      /* counts among those open for long */
    bool is_head_kept; /* so does its header, which stays until there is an answer */
    char code_text[3];
    uint32_t header_bytes;
    uint32_t header_fields;
    uint32_t trailer_fields;
    uint32_t empty_frames;  /* in a row */
    uint32_t watches_count; /* of what it waits for news, while it is kept */
    uint64_t body_bytes;
    uint64_t body_mark_bytes; /* body_bytes when the rate was last looked at */
    int64_t body_mark_ns;
    uint64_t held_bytes; /* of the body, with an attached user */
    uint64_t sent;       /* of the response's body */
    uint64_t sent_mark;  /* sent when progress was last seen */
    int64_t sent_mark_ns;
};

/* A stream for a request that begins; NULL without memory. */
struct vts_h2_stream *vts_h2_stream_new(struct vts_conn *conn, int32_t id);
/* Gives back all it holds and tells an attached user. */
void vts_h2_stream_free(struct vts_h2_stream *stream);
/* Gives back the request's header values: nobody may look at them once it is answered. */
void vts_h2_stream_drop_request(struct vts_h2_stream *stream);
/* Gives back the rest of the head, too: the response's is out. */
void vts_h2_stream_drop_head(struct vts_h2_stream *stream);
void vts_h2_stream_set_state(struct vts_h2_stream *stream, enum vts_h2_stream_state next);
/* Takes one field of the request into account and keeps it if somebody reads it.
 * VTS_ERR_LIMIT past the hard limits, which *ret_limit then names. */
VTS_MUST_CHECK enum vts_err vts_h2_stream_add_field(struct vts_h2_stream *stream,
                                                    nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                                                    enum vts_limit *ret_limit);
#endif
