/* SPDX-License-Identifier: Apache-2.0 */
/* A server stream by the Connect protocol
 * (https://connectrpc.com/docs/protocol/#streaming-response): envelopes with messages, and a last
 * one that says how it went. */
#ifndef VTS_CLIENT_STREAM_H
#define VTS_CLIENT_STREAM_H

#include <protobuf-c/protobuf-c.h>

#include "client/src/client.h"
#include "common/wire/envelope.h"
#include "common/wire/error_json.h"

/* Takes the bytes of one message, borrowed. VTS_OK: go on. VTS_ERR_CLOSED: no more of them.
 * Anything else: it is none, with the reason in *error. */
typedef enum vts_err (*vts_stream_message_fn)(struct vts_str message, void *context,
                                              struct vts_error *error);

/* ---- the envelopes, apart from where they come from -------------------------------------- */

/*   OPEN     more may come
 *   ENDED    the last envelope came, and told of no error
 *   REFUSED  it told of the one in body
 *   STOPPED  on_message wanted no more
 *   BROKEN   what came is no such stream; why says in what
 *
 * OPEN is the only state that is left for another one. */
enum vts_stream_state {
    VTS_STREAM_OPEN,
    VTS_STREAM_ENDED,
    VTS_STREAM_REFUSED,
    VTS_STREAM_STOPPED,
    VTS_STREAM_BROKEN,
};

struct vts_stream_reader {
    enum vts_stream_state state;
    struct vts_envelope_reader envelopes;
    vts_stream_message_fn on_message;
    void *context;
    const struct vts_log *log;  /* hears of an error's details; NULL: nobody does */
    struct vts_error_body body; /* REFUSED */
    enum vts_err err;           /* BROKEN */
    struct vts_error why;       /* BROKEN */
};

/* Messages, and the last envelope, may have max_bytes. */
void vts_stream_reader_init(struct vts_stream_reader *reader, size_t max_bytes,
                            vts_stream_message_fn on_message, void *context);
void vts_stream_reader_fini(struct vts_stream_reader *reader);
/* Takes the next bytes, and hands on the messages they complete. What follows the end is
 * dropped. */
void vts_stream_reader_feed(struct vts_stream_reader *reader, struct vts_str bytes);

/* What a server says of a refusal beside its reason. */
struct vts_stream_refusal {
    bool is_foreign;    /* it is not in the server's way of saying it: others stand between */
    double retry_after; /* s until it wants to be asked again; negative: it does not say */
};

/* What a complete HTTP answer means whose stream the reader was fed. VTS_CLIENT_OK: the server
 * ended the stream well. VTS_CLIENT_CANCELLED: on_message did. job_id as in struct vts_rpc_request;
 * *ret_refusal is written on every outcome, and may be NULL. error is not NULL. */
VTS_MUST_CHECK enum vts_client_code
vts_stream_judge(const struct vts_client *client, const struct vts_stream_reader *reader,
                 const struct vts_answer *answer, const char *job_id,
                 struct vts_stream_refusal *ret_refusal, struct vts_client_error *error);

/* ---- a call ------------------------------------------------------------------------------ */

struct vts_stream_request {
    const char *path; /* "/package.Service/Method" */
    /* What the body holds, for its JSON, when that is one message; NULL: the body is told as it is.
     */
    const ProtobufCMessage *message;
    const char *content_type;      /* NULL: that of binary messages */
    const struct vts_pair *fields; /* further ones of HTTP */
    size_t fields_count;
    double timeout; /* s for all of it; INFINITY: none */
    vts_stream_message_fn on_message;
    void *context; /* for on_message */
};

/* Sends a body of one envelope or more, all of it however soon the answers come, and takes in the
 * stream, on a connection of its own. The answer's header must come within the client's
 * request_timeout. As vts_stream_judge; VTS_CLIENT_CANCELLED by vts_client_cancel(), too. error is
 * not NULL. */
VTS_MUST_CHECK enum vts_client_code vts_stream_send(struct vts_client *client,
                                                    const struct vts_stream_request *request,
                                                    struct vts_str body,
                                                    struct vts_client_error *error);

/* Appends a message in its envelope. */
void vts_stream_add(struct vts_buf *body, struct vts_str message);
void vts_stream_add_message(struct vts_buf *body, const ProtobufCMessage *message);

#endif
