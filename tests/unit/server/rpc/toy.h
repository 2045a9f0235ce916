/* SPDX-License-Identifier: Apache-2.0 */
/* toy.v1.ToyService, whose handlers count what they hear and do what a test tells them to. */
#ifndef VTS_TESTS_TOY_H
#define VTS_TESTS_TOY_H

#include "server/rpc/service.h"

struct Toy__V1__Ask; /* of toy.pb-c.h, which the build makes */

/* toy.proto and all it imports, as a serialized google.protobuf.FileDescriptorSet. */
extern const unsigned char toy_set[];
extern const size_t toy_set_len;

enum { TOY_SMALL_MAX_BYTES = 64, TOY_TEXT_BYTES = 256 };

/* What handlers do, each after it has counted; NULL: nothing more. */
struct toy_script {
    void (*on_start)(struct vts_call *call);
    void (*on_message)(struct vts_call *call, const struct Toy__V1__Ask *ask);
    void (*on_half_close)(struct vts_call *call);
    void (*on_writable)(struct vts_call *call);
    void (*on_end)(struct vts_call *call);
    void (*on_drain)(struct vts_call *call);
};

/* One call at a time. Each checks that it hears of nothing before its beginning, after its end, or,
 * of messages, while it is paused. */
struct toy {
    struct toy_script script;
    struct vts_call *call; /* NULL when none has begun, or it is over */
    bool is_paused;
    unsigned starts;
    unsigned messages;
    unsigned half_closes;
    unsigned writables;
    unsigned drains;
    unsigned ends;
    char text[TOY_TEXT_BYTES]; /* the texts of all messages, joined by "," */
    size_t text_len;
    size_t body_bytes; /* of all messages */
};

/* The context is toy. */
struct vts_service_row toy_row(struct toy *toy);
struct toy *toy_of(const struct vts_call *call);

/* For scripts. */

void toy_pause(struct vts_call *call);
void toy_resume(struct vts_call *call);
/* Sends a Tell of the text, and that many bytes of 'x'. */
enum vts_err toy_tell(struct vts_call *call, const char *text, size_t body_bytes);
/* Echoes the message and finishes. As a script's on_message, for one answer. */
void toy_answer(struct vts_call *call, const struct Toy__V1__Ask *ask);
/* Echoes the message. As a script's on_message, for streams. */
void toy_echo(struct vts_call *call, const struct Toy__V1__Ask *ask);
/* Ends with OK. As a script's on_half_close, or any other event. */
void toy_finish(struct vts_call *call);
/* Sends what was heard and finishes. As a script's on_half_close, for one answer. */
void toy_sum_up(struct vts_call *call);

#endif
