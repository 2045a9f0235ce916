/* SPDX-License-Identifier: Apache-2.0 */
/* An exchange without HTTP, which remembers what it was told to send.
 *
 * It is as strict as a connection may be: the request is gone once the head of the response is out,
 * bytes of a body lie in memory of just their size, the peer keeps to its window, and whoever has
 * had nothing to send is not asked again before it resumes. What breaks a rule aborts. */
#ifndef VTS_TESTS_FAKE_EXCHANGE_H
#define VTS_TESTS_FAKE_EXCHANGE_H

#include "server/http/exchange.h"

enum {
    FAKE_BODY_MAX_BYTES = 256 * 1024,
    FAKE_FIELD_MAX_BYTES = 8 * 1024,
    FAKE_HEADERS_MAX = 64,
    FAKE_COPIES_MAX = 256,
    FAKE_WINDOW_BYTES = 65535,
};

struct fake_exchange {
    struct vts_exchange_head head;
    struct vts_exchange exchange; /* its response stays readable until fake_exchange_fini() */
    size_t body_len;
    char body[FAKE_BODY_MAX_BYTES]; /* as a client would get it; ends in a NUL */
    char field[FAKE_FIELD_MAX_BYTES];

    struct vts_header headers[FAKE_HEADERS_MAX]; /* of the request */
    char *copies[FAKE_COPIES_MAX];               /* what the request points at */
    size_t copies_count;

    unsigned sent_count;

    /* With an attached user. */
    unsigned started_count;
    unsigned resets_count;
    bool is_deferred;   /* the user had nothing to send and has not resumed */
    bool is_over;       /* the response is whole */
    bool is_full;       /* the connection keeps no more exchanges */
    size_t given_bytes; /* of the request's body */
    size_t consumed_bytes;
    size_t released_bytes;
    size_t kept_most_bytes; /* the most that were given and not released */
    size_t charged_bytes;   /* and not refunded */
    int64_t now_ns;
    struct vts_timer_heap timers;
    struct vts_exchange_ops ops;
};

/* A GET of the target, a literal, unless method is another one; over HTTP/2. */
void fake_exchange_init(struct fake_exchange *fake, enum vts_method method, const char *target);
/* The protocol carries no trailers, and the response follows the request. */
void fake_exchange_set_http1(struct fake_exchange *fake);
/* Sets a request field to a literal. */
void fake_exchange_set(struct fake_exchange *fake, enum vts_field field, const char *value);
/* Adds a field to the request, as fake_exchange_set() too when it is one that somebody reads. */
void fake_exchange_add_header(struct fake_exchange *fake, const char *name, const char *value);
/* Closes the exchange, if that has not been. */
void fake_exchange_fini(struct fake_exchange *fake);
/* The response field's value, valid until the next call; "(none)" without it, "(many)" when it
 * came more than once. */
const char *fake_exchange_field(struct fake_exchange *fake, const char *name);
/* The same of the trailers. */
const char *fake_exchange_trailer(struct fake_exchange *fake, const char *name);

/* The rest is for exchanges with a user. */

/* Whether somebody is attached who will hear of what happens. */
bool fake_exchange_is_open(const struct fake_exchange *fake);
/* How many bytes the peer may send. */
size_t fake_exchange_window(const struct fake_exchange *fake);
/* Gives bytes of the body in pieces of up to step bytes, as far as the window goes; returns how
 * many. What comes after the response is whole, or was broken off, is thrown away. */
size_t fake_exchange_give(struct fake_exchange *fake, struct vts_str bytes, size_t step);
void fake_exchange_give_end(struct fake_exchange *fake);
/* Asks the user once for up to cap bytes of the response's body; returns how many came. Nobody is
 * asked before the response has started, or once it is over. */
size_t fake_exchange_read(struct fake_exchange *fake, size_t cap);
/* Reads until nothing more comes. */
void fake_exchange_read_all(struct fake_exchange *fake, size_t cap);
void fake_exchange_move_clock(struct fake_exchange *fake, int64_t by_ns);
/* The exchange is over, as when the client goes away. Harmless the second time. */
void fake_exchange_close(struct fake_exchange *fake);

#endif
