/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 on one connection, as its files share it.
 *
 *   h1.c           what comes and what goes; the connection's life
 *   h1_request.c   from a header section to a request with its handler
 *   h1_body.c      a request's body on its way to an attached user
 *   h1_response.c  from a response to bytes
 *   h1_chunks.c    the chunked form of a body
 *   h1_strict.c    the form of a header section
 *
 * Inside server/http only; loop thread only. */
#ifndef VTS_HTTP_H1_H
#define VTS_HTTP_H1_H

#include "common/base/buf.h"
#include "server/http/conn.h"
#include "server/http/h1_chunks.h"

/* A connection goes round here, and leaves from anywhere to CLOSING:
 *
 *   READING    a header section is coming, or nothing yet
 *   HANDLED    the request is with its handler, or with an attached user
 *   STREAMING  the response's head is written; an attached user makes the body
 *   SENT       the response is written; an attached user hears when it is out
 *   CLOSING    the last response is written or being written
 */
enum vts_h1_state {
    VTS_H1_READING,
    VTS_H1_HANDLED,
    VTS_H1_STREAMING,
    VTS_H1_SENT,
    VTS_H1_CLOSING,
};

/* What is kept of a header section until the response's head is written. */
struct vts_h1_head {
    char *bytes;                   /* all of it; the request points into it */
    struct vts_header *headers;    /* NULL unless the request may carry metadata */
    char *joined[VTS_FIELD_COUNT]; /* values of fields that came more than once */
};

enum vts_h1_body_form {
    VTS_H1_BODY_NONE, /* or all of it was read */
    VTS_H1_BODY_LENGTH,
    VTS_H1_BODY_CHUNKED,
};

struct vts_h1_body {
    enum vts_h1_body_form form;
    bool was_due;  /* when its rate was last looked at */
    uint64_t left; /* with VTS_H1_BODY_LENGTH */
    struct vts_h1_chunks chunks;
    size_t window; /* what the user still takes before it consumes */
    uint64_t held_bytes;
    uint64_t bytes;
    uint64_t mark_bytes; /* bytes when the rate was last looked at */
    int64_t mark_ns;
    int64_t active_ns; /* when there was last some of it, or room for it */
};

/* How the peer sees where a streamed body ends. */
enum vts_h1_framing { VTS_H1_BY_CHUNKS, VTS_H1_BY_LENGTH, VTS_H1_BY_CLOSE };

struct vts_h1 {
    struct vts_conn *conn;
    enum vts_h1_state state;
    struct vts_exchange exchange;
    struct vts_exchange_head exchange_head;
    struct vts_h1_head head;
    struct vts_h1_body body;
    enum vts_h1_framing framing;
    uint64_t length_left; /* with VTS_H1_BY_LENGTH */
    bool is_deferred;     /* the user had nothing to send when it was asked */
    bool is_http_1_0;
    bool closes; /* after this response */
    bool is_first_done;
    size_t seen;             /* bytes of `in` known to hold no end of a header section */
    int64_t header_since_ns; /* when the present header section began */
    size_t turn_bytes;       /* made for the peer in this turn */
    int64_t go_on_ns;        /* when the next request may begin, after many; 0: now */
    struct vts_buf in;
    struct vts_buf out;
};

static inline struct vts_h1 *vts_h1_of(const struct vts_conn *conn)
{
    return conn->protocol;
}

/* h1.c */

void vts_h1_set_state(struct vts_h1 *h1, enum vts_h1_state next);
/* The response is out, or, without a user, written: on to the next request, or to the end. */
void vts_h1_end_exchange(struct vts_h1 *h1);

/* h1_request.c */

/* Takes the next request from `in` as far as its handler. Returns whether there was one. */
bool vts_h1_take_request(struct vts_h1 *h1);
/* Ends a request whose body went wrong: with the HTTP code `fault`, if there is still time to
 * answer, and else by breaking off. text is a literal. */
void vts_h1_refuse(struct vts_h1 *h1, int fault, const char *text);
/* Gives back the header section: nobody may look at the request once it is answered. */
void vts_h1_drop_request(struct vts_h1 *h1);

/* h1_body.c */

/* A body is announced; length is of use with VTS_H1_BODY_LENGTH only. */
void vts_h1_body_begin(struct vts_h1 *h1, enum vts_h1_body_form form, uint64_t length);
/* Passes on what `in` has of the body and the user's window lets through. */
void vts_h1_feed(struct vts_h1 *h1);
/* Refuses a body that comes too slowly; returns when to look again. */
int64_t vts_h1_check_body(struct vts_h1 *h1, int64_t now_ns);

/* As vts_exchange_ops. */
void vts_h1_consume(struct vts_exchange *exchange, size_t len);
void vts_h1_release(struct vts_exchange *exchange, size_t len);

/* h1_response.c */

extern const struct vts_exchange_ops vts_h1_exchange_ops;
/* Asks the user for up to cap bytes of a streamed response, with their framing. Returns how many
 * were written to out; 0 when there are none now. */
size_t vts_h1_read_piece(struct vts_h1 *h1, char *out, size_t cap);

#endif
