/* SPDX-License-Identifier: Apache-2.0 */
/* h2_stream.c - the life of one HTTP/2 stream, and the accounting of its header block.
 *
 * Header values are kept by reference to nghttp2's own buffers. Every field counts, kept or not:
 * a few octets of HPACK may refer to a large entry thousands of times.
 */
#include "server/http/h2_stream.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

enum { IDLE_STREAMS_MAX = 512, FIELD_OVERHEAD_BYTES = 32 };

struct vts_h2_stream *vts_h2_stream_new(struct vts_conn *conn, int32_t id)
{
    struct vts_http_server *server = conn->server;
    struct vts_h2_stream *stream;

    if (vts_list_is_empty(&server->idle_streams)) {
        stream = vts_mem_alloc(sizeof(*stream));
        if (stream == NULL)
            return NULL;
    } else {
        stream = VTS_CONTAINER_OF(server->idle_streams.next, struct vts_h2_stream, link);
        vts_list_remove(&stream->link);
        server->idle_streams_count--;
    }
    memset((char *)stream + sizeof(stream->exchange), 0,
           offsetof(struct vts_h2_stream, held) - sizeof(stream->exchange));
    vts_list_init(&stream->link);
    stream->conn = conn;
    stream->id = id;
    return stream;
}

void vts_h2_stream_drop_head(struct vts_h2_stream *stream)
{
    while (stream->held_count > 0)
        nghttp2_rcbuf_decref(stream->held[--stream->held_count]);
    for (int i = 0; i < VTS_FIELD_COUNT; i++) {
        vts_mem_free(stream->joined[i]);
        stream->joined[i] = NULL;
    }
}

void vts_h2_stream_free(struct vts_h2_stream *stream)
{
    struct vts_http_server *server = stream->conn->server;

    vts_exchange_fini(&stream->exchange);
    vts_h2_stream_drop_head(stream);
    vts_list_remove(&stream->link);
    if (server->idle_streams_count >= IDLE_STREAMS_MAX) {
        vts_mem_free(stream);
        return;
    }
    vts_list_push_back(&server->idle_streams, &stream->link);
    server->idle_streams_count++;
}

void vts_h2_stream_free_idle(struct vts_http_server *server)
{
    while (!vts_list_is_empty(&server->idle_streams)) {
        struct vts_list *link = server->idle_streams.next;

        vts_list_remove(link);
        vts_mem_free(VTS_CONTAINER_OF(link, struct vts_h2_stream, link));
    }
}

void vts_h2_stream_set_state(struct vts_h2_stream *stream, enum vts_h2_stream_state next)
{
    VTS_ASSERT(next > stream->state);
    stream->state = next;
}

static struct vts_str hold(struct vts_h2_stream *stream, nghttp2_rcbuf *value)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(value);

    VTS_ASSERT(stream->held_count < VTS_H2_HELD_MAX);
    nghttp2_rcbuf_incref(value);
    stream->held[stream->held_count++] = value;
    return vts_str_make(bytes.base, bytes.len);
}

/* nghttp2 lets each pseudo-header through once only. */
static void add_pseudo_header(struct vts_h2_stream *stream, struct vts_str name,
                              nghttp2_rcbuf *value)
{
    struct vts_request *request = &stream->exchange.request;

    if (vts_str_equals_text(name, ":method"))
        request->method = vts_method_parse(hold(stream, value));
    else if (vts_str_equals_text(name, ":path"))
        vts_request_set_target(request, hold(stream, value));
    else if (vts_str_equals_text(name, ":authority"))
        request->authority = hold(stream, value);
}

static void keep_field(struct vts_h2_stream *stream, struct vts_str name, nghttp2_rcbuf *value)
{
    enum vts_field field = vts_field_find(name);
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(value);
    struct vts_str *known;

    if (field == VTS_FIELD_COUNT)
        return;
    known = &stream->exchange.request.fields[field];
    if (known->ptr == NULL)
        *known = hold(stream, value);
    else if (vts_field_join(known, vts_str_make(bytes.base, bytes.len), &stream->joined[field]) !=
             VTS_OK)
        stream->is_head_too_large = true;
}

enum vts_err vts_h2_stream_add_field(struct vts_h2_stream *stream, nghttp2_rcbuf *name,
                                     nghttp2_rcbuf *value, enum vts_limit *ret_limit)
{
    const struct vts_limits *limits = stream->conn->server->limits;
    nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
    size_t value_len = nghttp2_rcbuf_get_buf(value).len;

    stream->header_fields++;
    stream->header_bytes += (uint32_t)(name_bytes.len + value_len + FIELD_OVERHEAD_BYTES);
    if (stream->header_bytes > vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES_HARD)) {
        *ret_limit = VTS_LIMIT_HEADER_BYTES_HARD;
        return VTS_ERR_LIMIT;
    }
    if (stream->header_fields > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS_HARD)) {
        *ret_limit = VTS_LIMIT_HEADER_FIELDS_HARD;
        return VTS_ERR_LIMIT;
    }
    if (stream->header_bytes > vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES) ||
        stream->header_fields > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS))
        stream->is_head_too_large = true;
    if (stream->is_head_too_large)
        return VTS_OK;
    if (name_bytes.base[0] == ':')
        add_pseudo_header(stream, vts_str_make(name_bytes.base, name_bytes.len), value);
    else
        keep_field(stream, vts_str_make(name_bytes.base, name_bytes.len), value);
    return VTS_OK;
}
