/* SPDX-License-Identifier: Apache-2.0 */
/* A call, as the files of the runtime share it.
 *
 *   call.c      its life: begin, outcome, end
 *   call_in.c   from the request's body to messages
 *   call_out.c  from messages to the response's body
 *   dialect_*   how it is written on HTTP
 *   codec.c     how a message is written in bytes
 *
 * Inside server/rpc only; loop thread only. */
#ifndef VTS_RPC_CALL_PARTS_H
#define VTS_RPC_CALL_PARTS_H

#include "common/base/arena.h"
#include "common/base/list.h"
#include "common/wire/envelope.h"
#include "server/rpc/call.h"
#include "server/rpc/codec.h"
#include "server/rpc/rpc.h"

struct vts_dialect;
struct vts_rest_binding;

/* A call only ever moves down this list; OPEN may just as well jump to OVER.
 *
 *   OPEN         request bytes may still arrive
 *   HALF_CLOSED  the client has said all; only we may send
 *   OVER         the outcome is fixed; late events are dropped
 */
enum vts_call_state { VTS_CALL_OPEN, VTS_CALL_HALF_CLOSED, VTS_CALL_OVER };

/* So does its reply:
 *
 *   NONE    nothing is sent; a single answer may be held here until the outcome is known
 *   OPEN    the head is out, messages follow
 *   ENDING  the outcome is being written
 *   ENDED   all of the response's body was read
 */
enum vts_reply_state { VTS_REPLY_NONE, VTS_REPLY_OPEN, VTS_REPLY_ENDING, VTS_REPLY_ENDED };

/* How a body or message was or is to be compressed. */
enum vts_encoding { VTS_ENCODING_IDENTITY, VTS_ENCODING_GZIP };

/* What is on its way out, or held until the outcome is known: a message, or the end of the body. */
struct vts_outgoing {
    bool is_there;
    bool is_gzip;
    uint8_t prefix_len;
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    struct vts_encoded bytes;
    size_t sent; /* of prefix, lead, body and tail */
};

/* Peers keep a header or trailer section below 8 KiB, gRPC's default maximum, with 32 bytes for
 * each field. An outcome that comes first has all metadata in one section, and some room stays for
 * what the protocols say themselves. */
enum {
    VTS_SECTION_MAX_BYTES = 8 * 1024 - 512,
    VTS_METADATA_MAX_BYTES = 6 * 1024,
    VTS_FIELD_EXTRA_BYTES = 32,
};

struct vts_call_metadata {
    struct vts_header *items; /* in the call's notes */
    size_t count;
    size_t cap;
    size_t bytes; /* as they count in a section */
};

struct vts_call {
    uint32_t magic;
    enum vts_call_state state;
    enum vts_reply_state reply;
    enum vts_rpc_code code; /* the outcome, once it is fixed */
    struct vts_exchange *exchange;
    struct vts_rpc_loop *loop;
    struct vts_list link; /* in the loop's calls, or among its idle ones */
    const struct vts_rpc_method *method;
    struct vts_rpc_counts *counts; /* of the method */
    const struct vts_dialect *dialect;
    const struct vts_rest_binding *binding; /* of REST; NULL otherwise */
    const struct vts_call_hints *hints;     /* the handler's, in the notes; NULL: none */
    const struct vts_call_handler *handler; /* NULL before its first event and after its last */
    void *data;                             /* the handler's */
    enum vts_codec codec;
    const char *content_type; /* of the answer's messages */
    enum vts_encoding request_encoding;
    enum vts_compress compress;
    bool takes_gzip;       /* the client */
    bool names_encodings;  /* the client, in its request */
    bool is_get;           /* of Connect */
    bool is_kept;          /* open for long; the handler sees to its end */
    bool is_capped;        /* the deadline is not the client's but ours */
    bool is_paused;        /* the handler takes no message now */
    bool is_working;       /* on the request's body: whoever would begin anew need not */
    bool is_body_complete; /* though a part of it may wait */
    bool was_compressed;   /* the last request message that was delivered */
    bool has_only;         /* the request of methods with one is there */
    bool is_only_compressed;
    uint8_t text_len; /* base64 of gRPC-Web that does not make whole bytes yet */
    char text[4];
    int http_code;     /* for the outcome; 0: the dialect's own */
    uint32_t ref_slot; /* 0: no vts_call_ref was made */
    struct vts_timer timer;
    int64_t timeout_ns;
    int64_t deadline_ns;

    struct vts_arena arena; /* the request */
    struct vts_arena notes; /* metadata and the outcome's texts */
    struct vts_envelope_reader reader;
    struct vts_buf raw;  /* what waits while the handler is paused; a body without envelopes */
    size_t held_bytes;   /* of the exchange's body, not released yet */
    size_t owed_bytes;   /* taken, not given back to the peer's window yet */
    struct vts_buf only; /* the request of methods with one, until the client has said all */

    struct vts_outgoing out;
    struct vts_call_metadata headers;
    struct vts_call_metadata trailers;
    const char *message; /* the outcome's, in the notes; NULL: none */
    const struct vts_error_detail *details;
    size_t details_count;
};

/* ---- call.c ---- */

/* Begins a call on an exchange that nobody has answered, and attaches to it. NULL without memory.
 */
struct vts_call *vts_call_new(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                              const struct vts_rpc_method *method,
                              const struct vts_dialect *dialect, enum vts_codec codec,
                              const char *content_type);
/* It is a GET: its message is in the query, and nothing comes behind it. */
void vts_call_set_get(struct vts_call *call);
/* Ends it on the runtime's own account: the handler hears of it at once. */
void vts_call_break(struct vts_call *call, enum vts_rpc_code code, const char *message);
/* The handler, for its next event; NULL when the call is over for it. */
const struct vts_call_handler *vts_call_handler_of(struct vts_call *call);
/* Sees to it that the deadline, if there is one, is kept. */
void vts_call_arm_deadline(struct vts_call *call);
/* Has the handler know of a drain, if there is one and it wants to. */
void vts_call_tell_drain(struct vts_call *call);
/* The handler has the request and answers later: not for ever, where one answer is due. */
void vts_call_bound(struct vts_call *call);

/* ---- call_in.c ---- */

/* As vts_exchange_user_ops. */
void vts_call_on_body(void *call, struct vts_str bytes);
void vts_call_on_body_end(void *call);
/* Takes a message from elsewhere than the body, and the end with it. */
void vts_call_take_only_message(struct vts_call *call, struct vts_str bytes, bool is_compressed);
/* Gives back all that is kept of the request's body, and what was made of it. */
void vts_call_drop_body(struct vts_call *call);

/* ---- call_out.c ---- */

/* As vts_exchange_user_ops. */
size_t vts_call_read(void *call, char *out, size_t cap, bool *ret_is_end);
/* Drops what is on its way out; false when a part of it is gone already. */
bool vts_call_drop_outgoing(struct vts_call *call);
/* Puts an envelope in the way out, which is free. The payload is adopted. */
void vts_call_put_envelope(struct vts_call *call, uint8_t flags, struct vts_buf *payload);
/* How many bytes are on their way out. */
size_t vts_call_outgoing_bytes(const struct vts_call *call);
/* Copies text into the call's notes; a NULL ptr without memory. */
struct vts_str vts_call_note(struct vts_call *call, struct vts_str text);

#endif
