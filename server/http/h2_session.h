/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/2 session of one connection, as its files share it.
 *
 *   h2.c            feeds bytes to nghttp2; the session's life
 *   h2_request.c    from header fields to a request with its handler
 *   h2_pace.c       when its user hears of a complete one
 *   h2_response.c   from a response to frames
 *   h2_deadlines.c  what may not take for ever
 *   h2_end.c        how a connection is told to go
 *
 * Inside server/http only; loop thread only. */
#ifndef VTS_HTTP_H2_SESSION_H
#define VTS_HTTP_H2_SESSION_H

#include "server/http/frame_guard.h"
#include "server/http/h2_memory.h"
#include "server/http/h2_stream.h"

/* Where our own end stands:
 *
 *   VTS_H2_SERVING     requests are taken
 *   VTS_H2_POSTPONED   a graceful GOAWAY waits for a quiet moment; requests are taken
 *   VTS_H2_NOTICED     GOAWAY 2^31-1 and a PING are out; requests on their way are still taken
 *   VTS_H2_LEFT        the GOAWAY with the last request's id is out; what is open finishes
 */
enum vts_h2_leaving { VTS_H2_SERVING, VTS_H2_POSTPONED, VTS_H2_NOTICED, VTS_H2_LEFT };

struct vts_h2 {
    struct vts_conn *conn;
    nghttp2_session *session;
    void *page;      /* for vts_h2_memory_trim(); NULL when there is none */
    bool is_trimmed; /* since the last request */
    bool is_sparse;  /* the last request came after a quiet time */
    struct vts_frame_guard guard;
    struct vts_list streams;
    struct vts_h2_stream *recent; /* the stream found last; NULL when it is closed */
    size_t unconsumed_bytes;      /* of the connection's window, in this turn */
    uint32_t open_count;
    uint32_t kept_count;           /* of those, open for long without work */
    uint32_t watches_count;        /* what these wait for news of */
    uint32_t idle_bodies_count;    /* requests whose body is coming and nobody takes */
    uint64_t awaited_header_bytes; /* of requests whose body is coming */
    uint64_t kept_header_bytes;    /* of those open for long and not answered yet */
    uint64_t held_bytes;           /* of bodies, with attached users */
    uint64_t charged_bytes;        /* made for the peer, and kept */
    uint64_t turn_bytes;           /* made for it in this turn */
    struct vts_list waiting;       /* streams whose users are still to hear of the request's end */
    int64_t go_on_ns;              /* when the first of them may */
    enum vts_h2_leaving leaving;
    int64_t leaving_ns; /* when `leaving` last changed */
    const char *notice; /* what the graceful GOAWAY, still to be sent, shall say */
    bool has_settings;  /* the peer's first SETTINGS came */
    bool has_ack;       /* the peer acknowledged ours */
    int64_t started_ns;
    int64_t header_since_ns; /* 0: no header block is under way */
    int64_t heard_ns;        /* when bytes last came */
    int64_t pinged_ns;       /* when we last asked for some; heard_ns is later once they came */
    int64_t age_due_ns;      /* when it is too old; INT64_MAX: never */
    bool is_old;             /* it is, and has been asked to leave */
};

enum {
    VTS_H2_QUIET_MS = 1000, /* without requests for so long, memory is given back */
    VTS_H2_NOTICE_MAX = 32,
};

static inline struct vts_h2 *vts_h2_of(const struct vts_conn *conn)
{
    return conn->protocol;
}

/* The stream; NULL when it is closed. Frames come in rows of the same stream, so the one found last
 * is looked at first. */
static inline struct vts_h2_stream *vts_h2_find_stream(struct vts_h2 *h2, int32_t id)
{
    if (h2->recent != NULL && h2->recent->id == id)
        return h2->recent;
    h2->recent = nghttp2_session_get_stream_user_data(h2->session, id);
    return h2->recent;
}

/* h2_memory.c */

/* Makes a server session whose memory comes from here. VTS_ERR_NOMEM. *ret_page is for
 * vts_h2_memory_trim(); NULL when the session has none. */
VTS_MUST_CHECK enum vts_err vts_h2_memory_new_session(struct vts_h2_memory *memory,
                                                      const nghttp2_session_callbacks *callbacks,
                                                      const nghttp2_option *options, void *user,
                                                      nghttp2_session **ret_session,
                                                      void **ret_page);
/* h2_end.c */

/* Begins the graceful end: a GOAWAY that takes no request back, at a quiet moment. text, a literal,
 * tells the peer why. Only the first call counts. */
void vts_h2_ask_to_leave(struct vts_h2 *h2, const char *text);
/* While the GOAWAY is postponed: sends it if its time has come; returns when to ask again. */
int64_t vts_h2_check_notice(struct vts_h2 *h2, int64_t now_ns);
/* Sends the second GOAWAY: nothing new is taken, what is open finishes. */
void vts_h2_leave(struct vts_h2 *h2);
/* Asks a silent peer for a sign of life. */
void vts_h2_ping(struct vts_h2 *h2);
/* The peer answered a PING of ours. */
void vts_h2_on_ping_ack(struct vts_h2 *h2, const uint8_t opaque[8]);
/* Copies one frame that nghttp2 made. To a graceful GOAWAY it adds the text, which nghttp2 knows no
 * way to give, and has the PING follow. Returns the length, up to VTS_H2_NOTICE_MAX more than len.
 */
size_t vts_h2_copy_frame(struct vts_h2 *h2, char *out, const uint8_t *frame, size_t len);
/* Ends the connection with a reason the peer can read, a literal. */
void vts_h2_end(struct vts_h2 *h2, uint32_t error_code, const char *text);
/* Counts the limit and ends, mostly with ENHANCE_YOUR_CALM. */
void vts_h2_end_by_limit(struct vts_h2 *h2, enum vts_limit limit);
void vts_h2_obey(struct vts_h2 *h2, enum vts_verdict verdict);
void vts_h2_reset_stream(struct vts_h2 *h2, int32_t id, uint32_t error_code);
/* Resets a stream whose user is to hear no more of it but its close; harmless the second time. */
void vts_h2_break_off(struct vts_h2 *h2, struct vts_h2_stream *stream, uint32_t error_code);

/* h2_request.c */

void vts_h2_request_set_callbacks(nghttp2_session_callbacks *callbacks);
/* Hands the complete request to the handler; fault is the HTTP code it must be refused with, or 0.
 */
void vts_h2_handle(struct vts_h2 *h2, struct vts_h2_stream *stream, int fault,
                   const char *fault_text);

/* The request is complete, answered or gone. Harmless the second time. */
void vts_h2_stop_awaiting(struct vts_h2_stream *stream);

/* As vts_exchange_ops. */
void vts_h2_consume(struct vts_exchange *exchange, size_t len);
void vts_h2_release(struct vts_exchange *exchange, size_t len);

/* h2_pace.c */

/* The stream's request, which has a user, is complete: the user hears of it now or later. */
void vts_h2_end_request(struct vts_h2 *h2, struct vts_h2_stream *stream);
/* A turn is over: tells those who may hear of it by now; returns when to ask again, if it is before
 * due_ns. */
int64_t vts_h2_go_on(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns);
/* As vts_exchange_ops. */
void vts_h2_charge(struct vts_exchange *exchange, size_t len);
void vts_h2_refund(struct vts_exchange *exchange, size_t len);

/* h2_response.c */

/* The header of a stream that was open for long is needed no more, or the stream is gone. */
void vts_h2_forget_head(struct vts_h2 *h2, struct vts_h2_stream *stream);
extern const struct vts_exchange_ops vts_h2_exchange_ops;
void vts_h2_response_set_callbacks(nghttp2_session_callbacks *callbacks);
/* As vts_conn_ops.produce. */
size_t vts_h2_produce(struct vts_conn *conn, char *out);

/* h2_deadlines.c */

/* A connection begins. */
void vts_h2_start_deadlines(struct vts_h2 *h2);
/* As vts_conn_ops.check_deadlines. */
int64_t vts_h2_check_deadlines(struct vts_conn *conn, int64_t now_ns);

#endif
