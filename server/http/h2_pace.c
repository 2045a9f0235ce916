/* SPDX-License-Identifier: Apache-2.0 */
/* h2_pace.c - how fast complete requests of one connection get to their users.
 *
 * A small request may have a large answer. So what is made for a connection is counted, and when it
 * is much, in one turn or because the peer does not take it, the requests that follow wait for
 * another turn, or for room. They wait in their order; how many there can be, and how large, is
 * bounded by the limits of streams and bodies.
 */
#include "server/http/h2_session.h"

static bool is_full(const struct vts_h2 *h2)
{
    return h2->charged_bytes >= vts_limits_get(h2->conn->server->limits, VTS_LIMIT_ANSWER_MEMORY);
}

static bool may_begin(const struct vts_h2 *h2)
{
    return h2->turn_bytes < VTS_TURN_BYTES && !is_full(h2) && h2->conn->state < VTS_CONN_ENDING;
}

void vts_h2_charge(struct vts_exchange *exchange, size_t len)
{
    struct vts_h2 *h2 = vts_h2_of(exchange->ops->find_conn(exchange));
    bool was_full = is_full(h2);

    h2->charged_bytes += len;
    h2->turn_bytes += len;
    if (!was_full && is_full(h2))
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_ANSWER_MEMORY);
}

void vts_h2_refund(struct vts_exchange *exchange, size_t len)
{
    struct vts_h2 *h2 = vts_h2_of(exchange->ops->find_conn(exchange));

    VTS_ASSERT(len <= h2->charged_bytes);
    h2->charged_bytes -= len; /* the turn's end looks whether that is enough to go on */
}

static void tell_end(struct vts_h2_stream *stream)
{
    struct vts_exchange *exchange = &stream->exchange;

    vts_h2_stop_awaiting(stream);
    if (exchange->user_ops != NULL && stream->state != VTS_H2_STREAM_SENT)
        exchange->user_ops->on_body_end(exchange->user);
}

void vts_h2_end_request(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    if (vts_list_is_empty(&h2->waiting) && may_begin(h2)) {
        tell_end(stream);
        return;
    }
    if (vts_list_is_empty(&h2->waiting))
        h2->go_on_ns = vts_conn_now_ns(h2->conn) + 1;
    vts_list_push_back(&h2->waiting, &stream->waiting_link);
}

int64_t vts_h2_go_on(struct vts_h2 *h2, int64_t now_ns, int64_t due_ns)
{
    if (!vts_list_is_empty(&h2->waiting) && now_ns < h2->go_on_ns)
        return h2->go_on_ns < due_ns ? h2->go_on_ns : due_ns;
    h2->turn_bytes = 0;
    if (vts_list_is_empty(&h2->waiting) || is_full(h2))
        return due_ns;
    while (!vts_list_is_empty(&h2->waiting) && may_begin(h2)) {
        struct vts_list *link = h2->waiting.next;

        vts_list_remove(link);
        tell_end(VTS_CONTAINER_OF(link, struct vts_h2_stream, waiting_link));
    }
    h2->go_on_ns = now_ns + 1; /* the loop's other work comes first */
    return now_ns;             /* what was answered is yet to be written */
}
