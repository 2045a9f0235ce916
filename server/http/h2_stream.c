/* SPDX-License-Identifier: Apache-2.0 */
/* h2_stream.c - the life of one HTTP/2 stream, and the accounting of its header block.
 *
 * Small header values are copied, large ones kept by reference to nghttp2's own buffers. Every
 * field counts, kept or not: a few octets of HPACK may refer to a large entry thousands of times.
 * Streams and heads are used again, because most live for one turn only.
 */
#include "server/http/h2_stream.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

enum { IDLE_MAX = 512, FIELD_OVERHEAD_BYTES = 32 };

/* ---- streams and heads for reuse ---------------------------------------------------------- */

/* Something from a list of idle ones, the last one used, which the caches know; NULL when it is
 * empty.
 */
static struct vts_list *take_idle(struct vts_list *idle, size_t *count)
{
    struct vts_list *link = idle->prev;

    if (vts_list_is_empty(idle))
        return NULL;
    vts_list_remove(link);
    (*count)--;
    return link;
}

static struct vts_h2_head *head_new(struct vts_http_server *server)
{
    struct vts_list *link = take_idle(&server->idle_heads, &server->idle_heads_count);
    struct vts_h2_head *head;

    if (link != NULL)
        return VTS_CONTAINER_OF(link, struct vts_h2_head, link);
    head = vts_mem_alloc(sizeof(*head));
    if (head == NULL)
        return NULL;
    vts_list_init(&head->link);
    memset(head->joined, 0, sizeof(head->joined));
    head->has_joined = false;
    head->copies_len = head->held_count = head->headers_count = 0;
    head->held = head->held_inline;
    head->held_cap = VTS_H2_HELD_INLINE;
    head->headers = head->headers_inline;
    head->headers_cap = VTS_H2_HEADERS_INLINE;
    return head;
}

/* It holds nothing any more. */
static void head_free(struct vts_http_server *server, struct vts_h2_head *head)
{
    if (head == NULL)
        return;
    if (server->idle_heads_count >= IDLE_MAX) {
        vts_mem_free(head);
        return;
    }
    vts_list_push_back(&server->idle_heads, &head->link);
    server->idle_heads_count++;
}

struct vts_h2_stream *vts_h2_stream_new(struct vts_conn *conn, int32_t id)
{
    struct vts_http_server *server = conn->server;
    struct vts_list *link = take_idle(&server->idle_streams, &server->idle_streams_count);
    struct vts_h2_stream *stream = link == NULL
                                       ? vts_mem_alloc(sizeof(*stream))
                                       : VTS_CONTAINER_OF(link, struct vts_h2_stream, link);
    struct vts_h2_head *head = head_new(server);

    if (stream == NULL || head == NULL) {
        vts_mem_free(stream);
        head_free(server, head);
        return NULL;
    }
    memset((char *)stream + sizeof(stream->exchange), 0,
           sizeof(*stream) - sizeof(stream->exchange));
    vts_list_init(&stream->link);
    vts_list_init(&stream->waiting_link);
    stream->conn = conn;
    stream->id = id;
    stream->head = head;
    return stream;
}

void vts_h2_stream_free(struct vts_h2_stream *stream)
{
    struct vts_http_server *server = stream->conn->server;

    vts_exchange_detach(&stream->exchange);
    vts_h2_stream_drop_head(stream);
    vts_list_remove(&stream->link);
    vts_list_remove(&stream->waiting_link);
    if (server->idle_streams_count >= IDLE_MAX) {
        vts_mem_free(stream);
        return;
    }
    vts_list_push_back(&server->idle_streams, &stream->link);
    server->idle_streams_count++;
}

void vts_h2_stream_free_idle(struct vts_http_server *server)
{
    struct vts_list *link;

    while ((link = take_idle(&server->idle_streams, &server->idle_streams_count)) != NULL)
        vts_mem_free(VTS_CONTAINER_OF(link, struct vts_h2_stream, link));
    while ((link = take_idle(&server->idle_heads, &server->idle_heads_count)) != NULL)
        vts_mem_free(VTS_CONTAINER_OF(link, struct vts_h2_head, link));
}

void vts_h2_stream_drop_request(struct vts_h2_stream *stream)
{
    struct vts_h2_head *head = stream->head;

    if (head == NULL)
        return;
    while (head->held_count > 0)
        nghttp2_rcbuf_decref(head->held[--head->held_count]);
    head->copies_len = 0;
    for (int i = 0; i < VTS_FIELD_COUNT && head->has_joined; i++) {
        vts_mem_free(head->joined[i]);
        head->joined[i] = NULL;
    }
    head->has_joined = false;
    head->headers_count = 0;
    stream->exchange.request.headers_count = 0;
    if (head->held != head->held_inline)
        vts_mem_free(head->held);
    if (head->headers != head->headers_inline)
        vts_mem_free(head->headers);
    head->held = head->held_inline;
    head->held_cap = VTS_H2_HELD_INLINE;
    head->headers = head->headers_inline;
    head->headers_cap = VTS_H2_HEADERS_INLINE;
}

void vts_h2_stream_drop_head(struct vts_h2_stream *stream)
{
    vts_h2_stream_drop_request(stream);
    head_free(stream->conn->server, stream->head);
    stream->head = NULL;
}

void vts_h2_stream_set_state(struct vts_h2_stream *stream, enum vts_h2_stream_state next)
{
    VTS_ASSERT(next > stream->state);
    stream->state = next;
}

/* ---- what is kept of a header block ------------------------------------------------------- */

/* Doubles an array that is full and began inside the head. Growing is bounded by the limit of
 * fields. VTS_ERR_NOMEM. */
static enum vts_err grow(void **array, const void *array_inline, size_t size, size_t *cap)
{
    void *grown = vts_mem_alloc(2 * *cap * size);

    if (grown == NULL)
        return VTS_ERR_NOMEM;
    memcpy(grown, *array, *cap * size);
    if (*array != array_inline)
        vts_mem_free(*array);
    *array = grown;
    *cap *= 2;
    return VTS_OK;
}

/* The bytes of a buffer, which stays as long as the request does; NULL without memory. */
static struct vts_str hold(struct vts_h2_head *head, nghttp2_rcbuf *buffer)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
    char *copy = head->copies + head->copies_len;

    if (bytes.len <= VTS_H2_COPIES_BYTES - head->copies_len) {
        memcpy(copy, bytes.base, bytes.len);
        head->copies_len += bytes.len;
        return vts_str_make(copy, bytes.len);
    }
    if (head->held_count == head->held_cap &&
        grow((void **)&head->held, head->held_inline, sizeof(nghttp2_rcbuf *), &head->held_cap) !=
            VTS_OK)
        return vts_str_make(NULL, 0);
    nghttp2_rcbuf_incref(buffer);
    head->held[head->held_count++] = buffer;
    return vts_str_make(bytes.base, bytes.len);
}

/* nghttp2 lets each pseudo-header through once only. */
static void add_pseudo_header(struct vts_h2_stream *stream, struct vts_str name,
                              nghttp2_rcbuf *value)
{
    struct vts_request *request = &stream->exchange.request;

    if (vts_str_equals_text(name, ":method"))
        request->method = vts_method_parse(hold(stream->head, value));
    else if (vts_str_equals_text(name, ":path"))
        vts_request_set_target(request, hold(stream->head, value));
    else if (vts_str_equals_text(name, ":authority"))
        request->authority = hold(stream->head, value);
}

static enum vts_err keep_known(struct vts_h2_stream *stream, enum vts_field field,
                               struct vts_str value)
{
    struct vts_str *known = &stream->exchange.request.fields[field];

    if (known->ptr != NULL) {
        stream->head->has_joined = true;
        return vts_field_join(known, value, &stream->head->joined[field]);
    }
    *known = value;
    return VTS_OK;
}

/* Whether the request may carry metadata, so that all its fields are kept. Pseudo-headers come
 * first (RFC 9113 8.3). */
static bool has_metadata(const struct vts_request *request)
{
    return request->method == VTS_METHOD_POST || request->query.len > 0;
}

static enum vts_err keep_any(struct vts_h2_stream *stream, struct vts_str name,
                             struct vts_str value)
{
    struct vts_h2_head *head = stream->head;
    struct vts_request *request = &stream->exchange.request;

    if (head->headers_count == head->headers_cap &&
        grow((void **)&head->headers, head->headers_inline, sizeof(struct vts_header),
             &head->headers_cap) != VTS_OK)
        return VTS_ERR_NOMEM;
    head->headers[head->headers_count++] = (struct vts_header){name, value};
    request->headers = head->headers;
    request->headers_count = head->headers_count;
    return VTS_OK;
}

static enum vts_err keep_field(struct vts_h2_stream *stream, nghttp2_rcbuf *name,
                               nghttp2_rcbuf *value_buffer)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(name);
    enum vts_field field = vts_field_find(vts_str_make(bytes.base, bytes.len));
    bool is_kept = has_metadata(&stream->exchange.request);
    enum vts_err err = VTS_OK;
    struct vts_str lasting_name;
    struct vts_str value;

    if (field == VTS_FIELD_COUNT && !is_kept)
        return VTS_OK;
    value = hold(stream->head, value_buffer);
    if (value.ptr == NULL)
        return VTS_ERR_NOMEM;
    if (field != VTS_FIELD_COUNT)
        err = keep_known(stream, field, value);
    if (err != VTS_OK || !is_kept)
        return err;
    lasting_name = field == VTS_FIELD_COUNT ? hold(stream->head, name) : vts_field_name(field);
    return lasting_name.ptr == NULL ? VTS_ERR_NOMEM : keep_any(stream, lasting_name, value);
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
    else if (keep_field(stream, name, value) != VTS_OK)
        stream->is_head_too_large = true;
    return VTS_OK;
}
