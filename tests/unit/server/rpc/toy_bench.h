/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime with the toy service on an exchange without HTTP: a test plays client, connection and
 * clock. */
#ifndef VTS_TESTS_TOY_BENCH_H
#define VTS_TESTS_TOY_BENCH_H

#include <pthread.h>

#include "common/wire/gzip.h"
#include "server/rpc/router.h"
#include "tests/unit/server/fake_exchange.h"
#include "tests/unit/server/rpc/toy.h"

struct toy_bench {
    struct vts_limits limits;
    struct toy toy;
    struct vts_service_row services[1];
    struct vts_rpc *rpc;
    struct vts_rpc_loop *loop;
    struct vts_router router;
    struct fake_exchange fake;
    char message[FAKE_FIELD_MAX_BYTES]; /* of the last outcome */
    /* How the present exchange writes messages. */
    const char *content_type; /* "" for none */
    bool has_envelopes;
    bool is_text;
    bool is_json;
    size_t step; /* bytes of a request's body at a time; SIZE_MAX at first */
    size_t cap;  /* bytes of a response's body at a time; 16 KiB at first */
    /* What the runtime posted to the loop, from any thread, and has not been run. */
    pthread_mutex_t lock;
    unsigned posts_count;
    void (*posted)(void *argument);
    void *posted_argument;
    enum vts_err post_err; /* what posting returns */
};

/* script may be NULL. */
void toy_bench_open(struct toy_bench *bench, const struct toy_script *script);
/* As above; limits as for `--limit`, origins as in vts_rpc_options; either may be NULL. */
void toy_bench_open_with(struct toy_bench *bench, const struct toy_script *script,
                         const char *limits, const char *origins);
/* Closes the present exchange and checks that no call is left. */
void toy_bench_close(struct toy_bench *bench);

/* Closes the exchange before and makes another: a POST of the toy's method,
 * or of any path that begins with "/". The toy has heard nothing. content_type may be NULL. */
void toy_bench_make(struct toy_bench *bench, const char *method, const char *content_type);
/* The same as a GET; query is without its "?". */
void toy_bench_make_get(struct toy_bench *bench, const char *method, const char *query);
/* Hands the exchange to the router, as the head of a request. */
void toy_bench_begin(struct toy_bench *bench);
/* Makes and begins. */
void toy_bench_start(struct toy_bench *bench, const char *method, const char *content_type);
/* The request is complete; the router has it when nobody is attached. */
void toy_bench_end(struct toy_bench *bench);
/* Reads the response to its end, or as far as it goes. */
void toy_bench_read(struct toy_bench *bench);
/* As the loop would in its next turn; returns how many there were. */
unsigned toy_bench_run_posts(struct toy_bench *bench);

/* Appends an Ask in the exchange's codec. */
void toy_bench_encode(const struct toy_bench *bench, const char *text, size_t body_bytes,
                      struct vts_buf *out);
/* Appends a payload as it goes over the wire, in an envelope where the dialect has them. */
void toy_bench_write(const struct toy_bench *bench, uint8_t flags, struct vts_str payload,
                     struct vts_buf *out);
/* Gives a payload, in an envelope where the dialect has them; returns whether all of it went. */
bool toy_bench_give(struct toy_bench *bench, uint8_t flags, struct vts_str payload);
/* Gives bytes of the body as they are; base64 in text form. */
bool toy_bench_give_raw(struct toy_bench *bench, struct vts_str bytes);
/* Encodes and gives an Ask. */
bool toy_bench_ask(struct toy_bench *bench, const char *text, size_t body_bytes);
/* One message, the end, and the whole answer. */
void toy_bench_call(struct toy_bench *bench, const char *text);

/* What a body that the exchange has sent says. */
struct toy_answer {
    unsigned messages;
    unsigned compressed;
    char text[TOY_TEXT_BYTES]; /* of all messages, joined by "," */
    size_t body_bytes;
    uint8_t end_flags;              /* of the envelope that is no message; 0: there was none */
    char end[FAKE_FIELD_MAX_BYTES]; /* what it says */
};

/* Reads the body; fails the test when it is not what the dialect has. */
void toy_bench_look(struct toy_bench *bench, struct toy_answer *ret_answer);
/* The rpc code of the outcome, from wherever the dialect has it; -1: there is none. */
int toy_bench_code(struct toy_bench *bench);
/* Its message as the dialect writes it, valid until the next look at a field; "(none)". */
const char *toy_bench_message(struct toy_bench *bench);

#endif
