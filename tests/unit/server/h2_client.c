/* SPDX-License-Identifier: Apache-2.0 */
/* h2_client.c - an nghttp2 session at the other end of a fake transport. */
#include "tests/unit/server/h2_client.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"

enum { ROUNDS_MAX = 10000 };

static void append(struct h2_bytes *to, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    to->ptr = realloc(to->ptr, to->len + len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to->ptr);
    memcpy(to->ptr + to->len, bytes, len);
    to->len += len;
}

static void drop_front(struct h2_bytes *from, size_t len)
{
    if (len == 0)
        return;
    from->len -= len;
    memmove(from->ptr, from->ptr + len, from->len);
}

struct h2_reply *h2_client_reply(struct h2_client *client, int32_t id)
{
    size_t index = (size_t)(id - 1) / 2;

    CU_ASSERT_FATAL(id > 0 && id % 2 == 1 && index < H2_CLIENT_STREAMS);
    return &client->replies[index];
}

size_t h2_client_unsent(struct h2_client *client, int32_t id)
{
    return h2_client_reply(client, id)->request.len;
}

/* ---- what nghttp2 tells -----------------------------------------------------------------------
 */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2_reply *reply = h2_client_reply(user, frame->hd.stream_id);
    bool is_head = frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
    char *text = is_head ? reply->fields : reply->trailers;
    size_t len = strlen(text);

    (void)session;
    (void)flags;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0)
        reply->code = (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
    else if (name_len != 4 || memcmp(name, "date", 4) != 0)
        (void)snprintf(text + len, H2_CLIENT_TEXT_BYTES - len, "%.*s=%.*s;", (int)name_len, name,
                       (int)value_len, value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    struct h2_client *client = user;

    (void)flags;
    append(&h2_client_reply(client, id)->body, bytes, len);
    if (!client->keeps_windows)
        CU_ASSERT_EQUAL(nghttp2_session_consume(session, id, len), 0);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *client = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->has_goaway = true;
        client->goaway_error = frame->goaway.error_code;
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        h2_client_reply(client, frame->hd.stream_id)->is_over = true;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct h2_reply *reply = h2_client_reply(user, id);

    (void)session;
    reply->is_closed = true;
    reply->error = error;
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct h2_reply *reply = source->ptr;
    size_t len = reply->request.len < cap ? reply->request.len : cap;

    (void)session;
    (void)id;
    (void)user;
    if (len == 0 && !reply->is_request_over) {
        reply->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (len > 0)
        memcpy(out, reply->request.ptr, len);
    drop_front(&reply->request, len);
    if (reply->request.len == 0 && reply->is_request_over)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

/* ---- the session ------------------------------------------------------------------------------
 */

static nghttp2_session *make_session(struct h2_client *client)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session;

    CU_ASSERT_EQUAL_FATAL(nghttp2_session_callbacks_new(&callbacks), 0);
    CU_ASSERT_EQUAL_FATAL(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    CU_ASSERT_EQUAL_FATAL(nghttp2_session_client_new2(&session, callbacks, client, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return session;
}

void h2_client_open(struct h2_client *client, struct vts_loop *loop)
{
    memset(client, 0, sizeof(*client));
    client->loop = loop;
    client->transport = fake_connect(loop, "h2");
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->transport);
    client->session = make_session(client);
    CU_ASSERT_EQUAL(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    h2_client_pump(client);
}

void h2_client_hang_up(struct h2_client *client)
{
    if (client->transport != NULL)
        fake_transport_hang_up(client->transport, VTS_TRANSPORT_END_RESET);
    client->transport = NULL;
    fake_loop_turn(client->loop);
}

void h2_client_close(struct h2_client *client)
{
    h2_client_hang_up(client);
    nghttp2_session_del(client->session);
    for (size_t i = 0; i < H2_CLIENT_STREAMS; i++) {
        free(client->replies[i].body.ptr);
        free(client->replies[i].request.ptr);
    }
}

/* Sends what there is, as one record; returns whether anything went. */
static bool send_some(struct h2_client *client)
{
    struct h2_bytes record = {NULL, 0};
    const uint8_t *bytes;
    ssize_t len;

    if (!fake_transport_is_reading(client->transport))
        return false;
    while ((len = nghttp2_session_mem_send(client->session, &bytes)) > 0)
        append(&record, bytes, (size_t)len);
    CU_ASSERT_EQUAL_FATAL(len, 0);
    if (record.len > 0)
        fake_transport_give(client->transport, vts_str_make(record.ptr, record.len));
    free(record.ptr);
    return record.len > 0;
}

static bool receive_some(struct h2_client *client)
{
    struct vts_str output = fake_transport_output(client->transport);

    if (output.len == 0)
        return false;
    CU_ASSERT_EQUAL(
        nghttp2_session_mem_recv(client->session, (const uint8_t *)output.ptr, output.len),
        (ssize_t)output.len);
    fake_transport_take(client->transport, output.len);
    return true;
}

/* It takes time, though little. */
static void turn(struct h2_client *client)
{
    fake_loop_move_clock(client->loop, 1);
}

void h2_client_pump(struct h2_client *client)
{
    bool goes_on = client->transport != NULL && !client->is_held;

    turn(client);
    for (int i = 0; goes_on; i++) {
        CU_ASSERT_FATAL(i < ROUNDS_MAX);
        goes_on = receive_some(client);
        goes_on |= send_some(client);
        if (fake_transport_is_ended(client->transport)) {
            (void)receive_some(client); /* its last */
            fake_transport_hang_up(client->transport, VTS_TRANSPORT_END_PEER);
            client->transport = NULL;
            goes_on = false;
        }
        turn(client);
        goes_on |= client->transport != NULL && fake_transport_output(client->transport).len > 0;
    }
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)(uintptr_t)value,
                        .valuelen = strlen(value)};
}

int32_t h2_client_post(struct h2_client *client, const char *path, const char *content_type)
{
    const nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "https"),
                                 field(":path", path),     field(":authority", "a.example"),
                                 field("te", "trailers"),  field("content-type", content_type)};
    int32_t next_id = (int32_t)nghttp2_session_get_next_stream_id(client->session);
    nghttp2_data_provider provider = {.source.ptr = h2_client_reply(client, next_id),
                                      .read_callback = read_body};
    int32_t id = nghttp2_submit_request(client->session, NULL, fields, VTS_ARRAY_LEN(fields),
                                        &provider, NULL);

    CU_ASSERT_EQUAL(id, next_id);
    h2_client_pump(client);
    return id;
}

void h2_client_send(struct h2_client *client, int32_t id, struct vts_str bytes, bool is_end)
{
    struct h2_reply *reply = h2_client_reply(client, id);

    append(&reply->request, bytes.ptr, bytes.len);
    reply->is_request_over = is_end;
    if (reply->is_deferred && !reply->is_closed)
        CU_ASSERT_EQUAL(nghttp2_session_resume_data(client->session, id), 0);
    reply->is_deferred = false;
    h2_client_pump(client);
}

void h2_client_reset(struct h2_client *client, int32_t id)
{
    CU_ASSERT_EQUAL(
        nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
    h2_client_pump(client);
}

void h2_client_allow(struct h2_client *client, int32_t id, int32_t bytes)
{
    CU_ASSERT_EQUAL(nghttp2_submit_window_update(client->session, NGHTTP2_FLAG_NONE, id, bytes), 0);
    h2_client_pump(client);
}
