/* SPDX-License-Identifier: Apache-2.0 */
/* h2_deadlines.c - what may not take for ever on an HTTP/2 connection. */
#include "common/base/assert.h"
#include "common/base/clock.h"
#include "server/http/h2_session.h"

enum { PROGRESS_BYTES = 1024, STREAM_CHECK_MS = 1000 };

/* RFC 9113 6.8: the notice gives a round trip's grace, and the answered PING tells when it is over.
 * For peers that do not answer: libcurl does not look at a connection it does not use, and has
 * nothing to lose on it then. */
static const int64_t notice_grace_ns = INT64_C(5) * VTS_NS_PER_S;
static const int64_t idle_notice_grace_ns = VTS_NS_PER_S;

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

static void check_body_rate(struct vts_h2 *h2, struct vts_h2_stream *stream, int64_t now_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;
    uint64_t least_bytes = vts_limits_get(limits, VTS_LIMIT_BODY_RATE) *
                           vts_limits_get(limits, VTS_LIMIT_BODY_RATE_MS) / 1000;

    if (now_ns - stream->body_mark_ns < vts_limits_get_ns(limits, VTS_LIMIT_BODY_RATE_MS))
        return;
    if (stream->body_bytes - stream->body_mark_bytes < least_bytes) {
        vts_limits_hit(limits, VTS_LIMIT_BODY_RATE);
        if (stream->state == VTS_H2_STREAM_BODY)
            vts_h2_handle(h2, stream, 408, "the request's body comes too slowly");
        else
            vts_h2_break_off(h2, stream, NGHTTP2_CANCEL);
        return;
    }
    stream->body_mark_bytes = stream->body_bytes;
    stream->body_mark_ns = now_ns;
}

/* A window of zero, or of a byte now and then, must not hold a response for ever
 * (CVE-2019-9511, CVE-2019-9517). */
static void check_stall(struct vts_h2 *h2, struct vts_h2_stream *stream, int64_t now_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;

    if (stream->sent - stream->sent_mark >= PROGRESS_BYTES) {
        stream->sent_mark = stream->sent;
        stream->sent_mark_ns = now_ns;
    }
    if (now_ns - stream->sent_mark_ns < vts_limits_get_ns(limits, VTS_LIMIT_WRITE_STALL_MS))
        return;
    vts_limits_hit(limits, VTS_LIMIT_WRITE_STALL_MS);
    stream->sent_mark_ns = now_ns; /* once is enough */
    vts_h2_reset_stream(h2, stream->id, NGHTTP2_CANCEL);
}

/* The rest of an answered request need not come (RFC 9113 8.1). It is given a moment all the same:
 * libcurl 7.88 loses an answer that a RST_STREAM follows at once. */
static void check_rest(struct vts_h2 *h2, struct vts_h2_stream *stream, int64_t now_ns)
{
    int64_t patience_ns = vts_limits_get_ns(h2->conn->server->limits, VTS_LIMIT_LINGER_MS);

    if (now_ns - stream->sent_mark_ns < patience_ns)
        return;
    stream->sent_mark_ns = now_ns; /* once is enough */
    vts_h2_reset_stream(h2, stream->id, NGHTTP2_NO_ERROR);
}

/* Whether a body is coming that ought to come at some speed. */
static bool has_body_due(const struct vts_h2_stream *stream)
{
    if (stream->exchange.user_ops == NULL)
        return stream->state == VTS_H2_STREAM_BODY;
    return stream->exchange.is_body_due && !stream->has_ended &&
           stream->state != VTS_H2_STREAM_SENT;
}

/* Whether the peer could take what there is of the response, and does not. */
static bool has_output_due(const struct vts_h2_stream *stream)
{
    return stream->state == VTS_H2_STREAM_ANSWERED && !stream->is_deferred;
}

/* Returns whether a stream is in a state that a deadline bounds. */
static bool check_streams(struct vts_h2 *h2, int64_t now_ns)
{
    struct vts_list *link = h2->streams.next;
    bool is_bounded = false;

    while (link != &h2->streams) {
        struct vts_h2_stream *stream = VTS_CONTAINER_OF(link, struct vts_h2_stream, link);
        bool is_in = has_body_due(stream);
        bool is_out = has_output_due(stream);

        link = link->next;
        is_bounded |= is_in || is_out || stream->state == VTS_H2_STREAM_SENT;
        if (is_in)
            check_body_rate(h2, stream, now_ns);
        if (is_out)
            check_stall(h2, stream, now_ns);
        else if (stream->state == VTS_H2_STREAM_SENT)
            check_rest(h2, stream, now_ns);
    }
    return is_bounded;
}

/* Ends when since_ns + limit has passed; returns when that is, if it is before due_ns. */
static int64_t bound(struct vts_h2 *h2, enum vts_limit limit, int64_t since_ns, int64_t now_ns,
                     int64_t due_ns)
{
    int64_t limit_due_ns = since_ns + vts_limits_get_ns(h2->conn->server->limits, limit);

    if (now_ns >= limit_due_ns)
        vts_h2_end_by_limit(h2, limit);
    return earlier(limit_due_ns, due_ns);
}

/* The two steps of leaving. What they send may need a turn of its own to be written, and a deadline
 * that has passed makes one. */
static int64_t check_leaving(struct vts_h2 *h2, int64_t now_ns)
{
    int64_t grace_ns = h2->open_count > 0 ? notice_grace_ns : idle_notice_grace_ns;

    switch (h2->leaving) {
    case VTS_H2_POSTPONED:
        return vts_h2_check_notice(h2, now_ns);
    case VTS_H2_NOTICED:
        if (now_ns >= h2->leaving_ns + grace_ns)
            vts_h2_leave(h2);
        return h2->leaving_ns + grace_ns;
    case VTS_H2_SERVING:
    case VTS_H2_LEFT:
        return INT64_MAX;
    }
    VTS_UNREACHABLE();
}

/* A peer that is gone without a word must not keep a request waiting for ever. */
static int64_t check_silence(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns)
{
    int64_t ping_due_ns =
        h2->heard_ns + vts_limits_get_ns(h2->conn->server->limits, VTS_LIMIT_PING_AFTER_MS);

    if (vts_transport_stalled_since_ns(h2->conn->transport) != 0) {
        h2->heard_ns = now_ns; /* while output waits, nothing is read: the silence is ours */
        return due_ns;
    }
    if (h2->open_count == 0)
        return due_ns;
    if (h2->pinged_ns > h2->heard_ns)
        return bound(h2, VTS_LIMIT_PING_TIMEOUT_MS, h2->pinged_ns, now_ns, due_ns);
    if (now_ns >= ping_due_ns) {
        vts_h2_ping(h2);
        h2->pinged_ns = now_ns;
    }
    return earlier(ping_due_ns, due_ns);
}

/* Old connections go, so that load finds its way to new servers (gRFC A9). */
static int64_t check_age(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;

    if (now_ns < h2->age_due_ns)
        return earlier(h2->age_due_ns, due_ns);
    if (h2->is_old) {
        vts_h2_end_by_limit(h2, VTS_LIMIT_MAX_AGE_GRACE_MS);
        return due_ns;
    }
    vts_limits_hit(limits, VTS_LIMIT_MAX_AGE_MS);
    h2->is_old = true;
    h2->age_due_ns = now_ns + vts_limits_get_ns(limits, VTS_LIMIT_MAX_AGE_GRACE_MS);
    if (h2->conn->end_reason == NULL)
        h2->conn->end_reason = "max_age";
    vts_h2_ask_to_leave(h2, "max_age");
    return now_ns;
}

/* A connection that has been quiet for a second may stay so for long, and one whose requests come
 * far apart, as a poller's do, is quiet again at once. */
static int64_t trim_when_quiet(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns)
{
    int64_t trim_due_ns = h2->conn->active_ns + (int64_t)VTS_H2_QUIET_MS * VTS_NS_PER_MS;

    if (h2->page == NULL || h2->is_trimmed || h2->open_count > 0)
        return due_ns;
    if (!h2->is_sparse && now_ns < trim_due_ns)
        return earlier(trim_due_ns, due_ns);
    vts_h2_memory_trim(h2->page);
    h2->is_trimmed = true;
    return due_ns;
}

static int64_t check_idle(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;
    int64_t idle_due_ns = h2->conn->active_ns + vts_limits_get_ns(limits, VTS_LIMIT_IDLE_MS);

    if (h2->open_count > 0)
        return due_ns;
    if (now_ns >= idle_due_ns) {
        vts_limits_hit(limits, VTS_LIMIT_IDLE_MS);
        vts_h2_end(h2, NGHTTP2_NO_ERROR, "max_idle");
    }
    return earlier(idle_due_ns, due_ns);
}

void vts_h2_start_deadlines(struct vts_h2 *h2)
{
    struct vts_http_server *server = h2->conn->server;
    int64_t age_ns = vts_limits_get_ns(server->limits, VTS_LIMIT_MAX_AGE_MS);

    h2->started_ns = h2->heard_ns = vts_conn_now_ns(h2->conn);
    h2->age_due_ns = INT64_MAX;
    /* Those that came together shall not all go together. */
    if (age_ns > 0)
        h2->age_due_ns = h2->started_ns + age_ns / 10 * 9 +
                         (int64_t)((double)age_ns / 5 * vts_rng_next_unit(&server->rng));
}

int64_t vts_h2_check_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    struct vts_h2 *h2 = vts_h2_of(conn);
    int64_t due_ns = check_age(h2, now_ns, check_leaving(h2, now_ns));

    if (!h2->has_settings)
        due_ns = bound(h2, VTS_LIMIT_PREFACE_MS, h2->started_ns, now_ns, due_ns);
    if (!h2->has_ack)
        due_ns = bound(h2, VTS_LIMIT_SETTINGS_ACK_MS, h2->started_ns, now_ns, due_ns);
    if (h2->header_since_ns != 0)
        due_ns = bound(h2, VTS_LIMIT_HEADER_MS, h2->header_since_ns, now_ns, due_ns);
    if (h2->open_count > 0 && check_streams(h2, now_ns))
        due_ns = earlier(now_ns + (int64_t)STREAM_CHECK_MS * VTS_NS_PER_MS, due_ns);
    due_ns = vts_h2_go_on(h2, now_ns, due_ns);
    due_ns = check_silence(h2, now_ns, due_ns);
    due_ns = trim_when_quiet(h2, now_ns, due_ns);
    return check_idle(h2, now_ns, due_ns);
}
