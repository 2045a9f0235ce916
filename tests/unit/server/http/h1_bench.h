/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server in a thread of its own, a handler that does what the path says, and a TLS client
 * that speaks HTTP/1.1 octet by octet. */
#ifndef VTS_TESTS_H1_BENCH_H
#define VTS_TESTS_H1_BENCH_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>

#include "common/base/buf.h"
#include "server/http/http_server.h"

enum { H1_WINDOW_BYTES = 64 * 1024, H1_INPUT_BYTES = 64 * 1024 };

/* What the handler does with a request. */
struct h1_act {
    const char *path;
    bool attaches;     /* a user; otherwise the handler answers when the request is complete */
    bool answers;      /* in begin, whole */
    bool starts;       /* the response in begin, and not only when the body has ended */
    bool resets;       /* in begin */
    bool waits;        /* for the test to go on by itself when the body has ended */
    bool is_early;     /* answers 413 at the first piece of the body */
    bool echoes;       /* the body */
    bool keeps;        /* what comes, without consuming it */
    bool hoards;       /* consumes what comes, and never releases it */
    bool is_patient;   /* the body is not due */
    bool has_length;   /* the response says its length beforehand */
    bool ends_request; /* the response says so */
    bool costs;        /* as much as a turn may */
    int code;          /* 0: 200 */
    int64_t length;
    size_t reply_bytes; /* of 'x' */
    unsigned ticks;     /* of a timer; each has five bytes of the reply */
};

/* An attached user. In the loop's thread; a test looks at it by way of h1_bench_run(), or after
 * h1_bench_close(). */
struct h1_user {
    struct vts_exchange *exchange; /* NULL when closed */
    const struct h1_act *act;
    bool has_ended; /* its request's body */
    bool may_end;   /* its response: nothing is waited for */
    size_t taken;   /* of all bodies */
    size_t consumed;
    size_t given; /* of all replies */
    size_t read_most;
    size_t left; /* of this reply */
    unsigned ticks_left;
    struct vts_timer timer;
    struct vts_buf echo;
    unsigned begun;
    unsigned ends;
    int64_t end_ns;        /* the moment of the last one */
    unsigned ends_at_once; /* those in the same moment as the one before */
    unsigned closes;
};

struct h1_bench {
    bool is_open;
    struct vts_loop *loop;
    struct vts_limits limits;
    struct vts_tls_ctx *tls;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    uint16_t port;
    pthread_t thread;
    struct h1_user user;
    char headers[512]; /* of the last request: "name=value;" for each */
    sem_t begun;       /* rises with each user that is attached */
    sem_t closed;      /* rises with user.closes */
    sem_t full;        /* rises when a body has filled the window */
    SSL_CTX *client_ctx;
    SSL *client;
    int fd;
    char got[64 * 1024]; /* from the server, and not looked at yet */
    size_t got_len;
    int read_error; /* of OpenSSL, when nothing more came */
};

/* bench is static. What a test that failed has left open is closed first. limits may be NULL;
 * otherwise as for `--limit`. The client is connected. */
void h1_bench_open(struct h1_bench *bench, const char *limits);
/* Stops the server. */
void h1_bench_close(struct h1_bench *bench);

/* Runs fn(bench) in the loop's thread and waits for its end. */
void h1_bench_run(struct h1_bench *bench, void (*fn)(struct h1_bench *bench));
/* Wait until a user is attached, until it keeps a full window, and until it has been told that it
 * is over; once each. */
void h1_bench_await_begin(struct h1_bench *bench);
void h1_bench_await_full(struct h1_bench *bench);
void h1_bench_await_close(struct h1_bench *bench);

/* Ends the client's connection without a word of TLS. */
void h1_bench_hang_up(struct h1_bench *bench);
/* Hangs up and connects again. */
void h1_bench_reconnect(struct h1_bench *bench);
void h1_bench_send(struct h1_bench *bench, const char *text);
/* Sends a POST with `Transfer-Encoding: chunked` and then body, which is framed already. */
void h1_bench_post(struct h1_bench *bench, const char *path, const char *body);
/* Sends len bytes of 'x'. */
void h1_bench_send_much(struct h1_bench *bench, size_t len);
/* As above, but only until the socket takes no more for now; returns how much it took. The rest
 * must be sent before anything else. */
size_t h1_bench_flood(struct h1_bench *bench, size_t len);

/* Each of these reads what must come next, and nothing else. */
void h1_bench_expect(struct h1_bench *bench, const char *text);
/* A head with that code; but for its date, the fields must be those of text, CRLF behind each. */
void h1_bench_expect_head(struct h1_bench *bench, int code, const char *text);
/* A head with any fields; returns its code, and -1 when the connection ends first. */
int h1_bench_read_code(struct h1_bench *bench);
/* A chunked body; returns its length. */
size_t h1_bench_read_chunks(struct h1_bench *bench, size_t *ret_largest);
/* The end, in good order or not. */
void h1_bench_expect_end(struct h1_bench *bench, bool is_orderly);
/* As h1_bench_expect_end(), whatever comes before it. */
void h1_bench_expect_end_of_all(struct h1_bench *bench, bool is_orderly);

#endif
