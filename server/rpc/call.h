/* SPDX-License-Identifier: Apache-2.0 */
/* One RPC as its handler sees it: messages in, messages out, metadata both ways, a deadline, an
 * outcome. Which dialect and codec carry it, the handler never knows.
 *
 * Loop thread only, vts_call_post() excepted. Whoever answers later keeps the pointer until on_end,
 * or, in another thread, a vts_call_ref. */
#ifndef VTS_RPC_CALL_H
#define VTS_RPC_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "common/wire/error_json.h"
#include "common/wire/rpc_code.h"
#include "server/guard/limits.h"
#include "server/http/exchange.h"

struct vts_call;

/* What a method does. Only on_message is needed. */
struct vts_call_handler {
    /* The head of the request is there. For methods whose client streams. */
    void (*on_start)(struct vts_call *call);
    /* A request message. Methods with one request get it when the client has said all, and may look
     * at it until the call is over or vts_call_keep(); others until this returns. */
    void (*on_message)(struct vts_call *call, const ProtobufCMessage *request);
    /* The client has said all. For methods whose client streams. */
    void (*on_half_close)(struct vts_call *call);
    /* The message last sent is with the peer's flow control: another may be sent. */
    void (*on_writable)(struct vts_call *call);
    /* The call is over and takes nothing any more, whoever ended it: the last call, made once,
     * where the handler's data is to be freed. After the handler's own vts_call_finish() it comes
     * later. */
    void (*on_end)(struct vts_call *call);
    /* The server is about to stop; a call that begins after that is told right after its first
     * event. Without it, calls go on for as long as the drain lasts. */
    void (*on_drain)(struct vts_call *call);
    /* One that takes so many things at once that a request message may have a multiple of the limit
     * "message_elements"; 0: it does not. */
    unsigned elements_factor;
};

/* ---- what is known of a call ------------------------------------------------------------- */

/* The service row's context. */
void *vts_call_context(const struct vts_call *call);
/* Whatever the handler keeps for this call; NULL at first. */
void *vts_call_data(const struct vts_call *call);
void vts_call_set_data(struct vts_call *call, void *data);
/* Such as "/grpc.health.v1.Health/Check". */
const char *vts_call_path(const struct vts_call *call);
/* When the client will have given up, as vts_exchange_now_ns(); INT64_MAX: never. */
int64_t vts_call_deadline_ns(const struct vts_call *call);
/* As the client asked for it; negative when it did not. */
int64_t vts_call_timeout_ns(const struct vts_call *call);
int64_t vts_call_now_ns(const struct vts_call *call);
/* Which of the program's loops the call is in, as it numbered them. */
unsigned vts_call_loop_index(const struct vts_call *call);
/* As vts_exchange_peer_number(). */
uint64_t vts_call_peer_number(const struct vts_call *call);
void vts_call_write_peer(const struct vts_call *call, char ret_text[VTS_PEER_TEXT_BYTES]);
/* All fields of the request, in order, or NULL and 0 once the response has begun. The values of
 * names in "-bin" are base64. */
const struct vts_header *vts_call_headers(const struct vts_call *call, size_t *ret_count);
/* The query of a Connect GET; a NULL ptr otherwise. */
struct vts_str vts_call_query(const struct vts_call *call);
/* Whether the request message came compressed. */
bool vts_call_was_compressed(const struct vts_call *call);
/* Counts that a limit of the server was met. */
void vts_call_hit_limit(const struct vts_call *call, enum vts_limit limit);
/* Whether the outcome is fixed; nothing more can be sent then. */
bool vts_call_is_over(const struct vts_call *call);

/* A timer of the handler's, which it stops in on_end at the latest. */
void vts_call_set_timer(struct vts_call *call, struct vts_timer *timer, int64_t due_ns);
void vts_call_stop_timer(struct vts_call *call, struct vts_timer *timer);

/* ---- receiving --------------------------------------------------------------------------- */

/* The call will stay open for long without work: its request message and all its memory are let go,
 * and where one answer is due, it is the handler's to see that it comes. watches_count is as in
 * vts_exchange_keep(). VTS_ERR_LIMIT when its connection has too many of the kind: then the call is
 * the handler's to end. */
VTS_MUST_CHECK enum vts_err vts_call_keep(struct vts_call *call, uint32_t watches_count);
/* Between these no message is delivered, and before long the client cannot send any. What has
 * waited is delivered before vts_call_resume() returns, and the call may be over then. */
void vts_call_pause(struct vts_call *call);
void vts_call_resume(struct vts_call *call);

/* ---- answering --------------------------------------------------------------------------- */

/* Metadata before the first message, and after the last. Both are copied. name is lower case; the
 * value of a name in "-bin" is base64 already. VTS_ERR_INVALID when it is no metadata, or the
 * protocol's own, or comes too late; VTS_ERR_LIMIT past 6 KiB or 60 of both; VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_call_add_header(struct vts_call *call, const char *name,
                                                struct vts_str value);
VTS_MUST_CHECK enum vts_err vts_call_add_trailer(struct vts_call *call, const char *name,
                                                 struct vts_str value);

/* Tells the entity tag of what the answer has, in quotes, weak, copied. If the request is a GET and
 * the client has it already, returns true and the call is answered. Dialects without tags, all but
 * Connect by GET and REST, go without. */
bool vts_call_is_current(struct vts_call *call, struct vts_str etag);

/* What only REST has words for; calls in other dialects go without. */
struct vts_call_hints {
    int http_code;           /* in the place of the outcome's own; 0: that */
    int64_t retry_after_s;   /* sent when positive */
    struct vts_str location; /* a path; empty: none */
};

/* Before the outcome; copied, without memory in vain. */
void vts_call_hint(struct vts_call *call, const struct vts_call_hints *hints);

enum vts_compress {
    VTS_COMPRESS_AUTO, /* when the client takes it and it pays */
    VTS_COMPRESS_NEVER,
    VTS_COMPRESS_ALWAYS, /* when the client takes it */
};

/* For the messages that follow. */
void vts_call_set_compress(struct vts_call *call, enum vts_compress compress);

/* Begins the response without a message: its metadata goes out now. For methods that stream. */
void vts_call_start(struct vts_call *call);
/* Whether a message can be sent now; if not, on_writable tells. */
bool vts_call_can_send(const struct vts_call *call);
/* Sends a message, of the method's output type; it is encoded before this returns. VTS_ERR_AGAIN:
 * the message before it is still on its way. VTS_ERR_CLOSED: the call is over. VTS_ERR_INVALID: the
 * method has one answer and has it, or JSON cannot say it. VTS_ERR_LIMIT: it is larger than 64 MiB.
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_call_send(struct vts_call *call, const ProtobufCMessage *message);

enum { VTS_CALL_LEAD_MAX = 16 };

/* An encoded message in pieces, so that bytes shared by many need no copy. */
struct vts_encoded {
    size_t lead_len; /* at most VTS_CALL_LEAD_MAX */
    char lead[VTS_CALL_LEAD_MAX];
    struct vts_str body;
    size_t tail_len;
    char tail[VTS_RESPONSE_TAIL_MAX];
    vts_release_fn release; /* gives body back; called in any case */
    void *owner;
};

/* As vts_call_send(), with a message that is protobuf already. */
VTS_MUST_CHECK enum vts_err vts_call_send_encoded(struct vts_call *call,
                                                  const struct vts_encoded *encoded);

/* Ends the call: messages sent before still go out. Harmless when it is over. message, which may be
 * NULL, is text for people and is copied. */
void vts_call_finish(struct vts_call *call, enum vts_rpc_code code, const char *message);

enum { VTS_CALL_DETAILS_MAX = 16 };

/* As vts_call_finish(), with details, at most VTS_CALL_DETAILS_MAX, which are copied. */
void vts_call_fail(struct vts_call *call, enum vts_rpc_code code, const char *message,
                   const struct vts_error_detail *details, size_t details_count);

/* ---- from other threads ------------------------------------------------------------------ */

struct vts_rpc_loop;

/* Names a call for ever: a call that is gone is found to be gone. */
struct vts_call_ref {
    struct vts_rpc_loop *loop;
    uint32_t slot;
    uint32_t generation;
};

/* VTS_ERR_NOMEM, or VTS_ERR_LIMIT when too many calls have one. */
VTS_MUST_CHECK enum vts_err vts_call_make_ref(struct vts_call *call, struct vts_call_ref *ret_ref);
/* Runs in the call's loop; call is NULL when it is over. */
typedef void (*vts_call_post_fn)(struct vts_call *call, void *context);
/* Has fn(call, context) run in the call's loop, soon. From any thread while the server lives.
 * VTS_ERR_NOMEM, or VTS_ERR_LIMIT when too much waits there; fn is not called then. */
VTS_MUST_CHECK enum vts_err vts_call_post(struct vts_call_ref ref, vts_call_post_fn fn,
                                          void *context);

#endif
