/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - reads envelopes one at a time, so that memory is bounded by the largest message.
 *
 * A stream is whole only with its last envelope: without one it broke off, however cleanly the
 * connection ended.
 */
#include "client/src/stream.h"

#include <stdio.h>
#include <string.h>

#include "client/src/details.h"
#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/request.h"
#include "client/src/rpc.h"
#include "client/src/rpc_error.h"

enum { MAX_MESSAGE_BYTES = 1 << 20 };

static const char stream_type[] = "application/connect+proto";

/* ---- the envelopes --------------------------------------------------------------------------- */

void vts_stream_reader_init(struct vts_stream_reader *reader, size_t max_bytes,
                            vts_stream_message_fn on_message, void *context)
{
    *reader = (struct vts_stream_reader){.on_message = on_message, .context = context};
    vts_envelope_reader_init(&reader->envelopes, max_bytes);
}

void vts_stream_reader_fini(struct vts_stream_reader *reader)
{
    vts_envelope_reader_fini(&reader->envelopes);
}

static void break_off(struct vts_stream_reader *reader, enum vts_err err, const char *why)
{
    reader->state = VTS_STREAM_BROKEN;
    reader->err = vts_error_set(&reader->why, err, "%s", why);
}

static void take_end(struct vts_stream_reader *reader, struct vts_str payload)
{
    bool is_error = false;

    if (vts_error_json_read_end(payload, &is_error, &reader->body) != VTS_OK)
        break_off(reader, VTS_ERR_PROTOCOL, "its last envelope is not readable");
    else
        reader->state = is_error ? VTS_STREAM_REFUSED : VTS_STREAM_ENDED;
    if (reader->state == VTS_STREAM_REFUSED && reader->log != NULL)
        vts_details_log(reader->log, payload);
}

static void take_message(struct vts_stream_reader *reader, struct vts_str payload)
{
    struct vts_error why = {.text = ""};
    enum vts_err err = reader->on_message(payload, reader->context, &why);

    if (err == VTS_ERR_CLOSED)
        reader->state = VTS_STREAM_STOPPED;
    else if (err != VTS_OK)
        break_off(reader, err, why.text);
}

static void take_envelope(struct vts_stream_reader *reader, const struct vts_envelope *envelope)
{
    /* No encoding was agreed on, so that nothing may be compressed. */
    if ((envelope->flags & ~VTS_ENVELOPE_CONNECT_END) != 0)
        break_off(reader, VTS_ERR_PROTOCOL, "an envelope has flags that nobody asked for");
    else if (envelope->flags == VTS_ENVELOPE_CONNECT_END)
        take_end(reader, envelope->payload);
    else
        take_message(reader, envelope->payload);
}

void vts_stream_reader_feed(struct vts_stream_reader *reader, struct vts_str bytes)
{
    while (reader->state == VTS_STREAM_OPEN) {
        struct vts_envelope envelope;
        size_t taken = vts_envelope_reader_feed(&reader->envelopes, bytes);
        enum vts_err err = vts_envelope_reader_get(&reader->envelopes, &envelope);

        bytes = vts_str_make(bytes.ptr + taken, bytes.len - taken);
        if (err == VTS_ERR_AGAIN)
            return;
        if (err == VTS_ERR_LIMIT)
            break_off(reader, err, "a message in it is too large");
        else if (err != VTS_OK)
            break_off(reader, err, "out of memory");
        else
            take_envelope(reader, &envelope);
        vts_envelope_reader_next(&reader->envelopes);
    }
}

/* ---- what its end means ---------------------------------------------------------------------- */

static enum vts_client_code judge_reader(const struct vts_client *client,
                                         const struct vts_stream_reader *reader, const char *job_id,
                                         struct vts_client_error *error)
{
    switch (reader->state) {
    case VTS_STREAM_ENDED:
        return VTS_CLIENT_OK;
    case VTS_STREAM_REFUSED:
        return vts_rpc_error_tell(&client->origin, job_id, 200, &reader->body, error);
    case VTS_STREAM_STOPPED:
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    case VTS_STREAM_BROKEN:
        return vts_rpc_undecodable(client, reader->err, reader->why.text, error);
    case VTS_STREAM_OPEN:
        break;
    }
    return vts_failure_set(error, VTS_CLIENT_CONNECT, "%s broke off before its stream ended",
                           client->origin.text);
}

enum vts_client_code vts_stream_judge(const struct vts_client *client,
                                      const struct vts_stream_reader *reader,
                                      const struct vts_answer *answer, const char *job_id,
                                      struct vts_stream_refusal *ret_refusal,
                                      struct vts_client_error *error)
{
    const struct vts_error_body *refusal = NULL;
    struct vts_error_body plain;
    enum vts_client_code code;

    if (answer->http_code != 200) {
        vts_details_log(&client->log, vts_buf_str(&answer->body));
        if (vts_error_json_read(vts_buf_str(&answer->body), &plain) == VTS_OK)
            refusal = &plain;
        code = vts_rpc_error_tell(&client->origin, job_id, answer->http_code, refusal, error);
    } else {
        if (reader->state == VTS_STREAM_REFUSED)
            refusal = &reader->body;
        code = judge_reader(client, reader, job_id, error);
    }
    if (ret_refusal != NULL) {
        ret_refusal->is_foreign = answer->http_code != 200 && refusal == NULL;
        ret_refusal->retry_after = refusal != NULL && refusal->retry_delay >= 0
                                       ? refusal->retry_delay
                                       : answer->retry_after;
    }
    return code;
}

/* ---- a call ---------------------------------------------------------------------------------- */

struct stream {
    const struct vts_answer *answer;
    const char *content_type;
    struct vts_stream_reader reader;
};

static bool on_piece(struct vts_str piece, void *context)
{
    struct stream *stream = context;

    if (strcmp(stream->answer->content_type, stream->content_type) != 0)
        break_off(&stream->reader, VTS_ERR_PROTOCOL, "it is no stream");
    vts_stream_reader_feed(&stream->reader, piece);
    return stream->reader.state == VTS_STREAM_OPEN;
}

static void add_prefix(struct vts_buf *body, size_t len)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];

    vts_envelope_write_prefix(0, len, prefix);
    vts_buf_append(body, prefix, sizeof(prefix));
}

void vts_stream_add(struct vts_buf *body, struct vts_str message)
{
    add_prefix(body, message.len);
    vts_buf_append_str(body, message);
}

void vts_stream_add_message(struct vts_buf *body, const ProtobufCMessage *message)
{
    add_prefix(body, protobuf_c_message_get_packed_size(message));
    vts_message_encode(body, message);
}

enum vts_client_code vts_stream_send(struct vts_client *client,
                                     const struct vts_stream_request *request, struct vts_str body,
                                     struct vts_client_error *error)
{
    const char *content_type = request->content_type != NULL ? request->content_type : stream_type;
    struct vts_answer answer;
    struct stream stream = {.answer = &answer, .content_type = content_type};
    struct vts_request post = {.path = request->path,
                               .timeout = request->timeout,
                               .header_timeout = client->request_timeout,
                               .content_type = content_type,
                               .body = body,
                               .fields = request->fields,
                               .fields_count = request->fields_count,
                               .connection = VTS_CONNECTION_OWN,
                               .needs_http2 = client->origin.is_tls,
                               .on_piece = on_piece,
                               .context = &stream};
    enum vts_client_code code;

    vts_failure_clear(error);
    vts_answer_init(&answer);
    vts_stream_reader_init(&stream.reader, MAX_MESSAGE_BYTES, request->on_message,
                           request->context);
    stream.reader.log = &client->log;
    code = vts_request_tell(client, &post, request->message, error);
    if (code == VTS_CLIENT_OK)
        code = vts_transport_send(client->transport, &post, &answer, error);
    error->http_code = answer.http_code;
    if (code == VTS_CLIENT_OK)
        code = vts_stream_judge(client, &stream.reader, &answer, NULL, NULL, error);
    vts_stream_reader_fini(&stream.reader);
    vts_answer_fini(&answer);
    return code;
}
