/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: its transport, the protocol chosen for it, its deadlines, its end.
 * Inside server/http only; loop thread only. */
#ifndef VTS_HTTP_CONN_H
#define VTS_HTTP_CONN_H

#include "common/base/list.h"
#include "common/base/rng.h"
#include "server/http/http_server.h"
#include "server/io/transport.h"

struct vts_conn;
struct vts_h2_memory;

/* So many bytes are made for one connection in a turn, and one answer more: some milliseconds of
 * work, if it is the costliest there is. */
enum { VTS_TURN_BYTES = 256 * 1024 };

/* Plain output of one turn is gathered here and encrypted at once; room for a frame over a record.
 */
enum { VTS_GATHER_BYTES = 16 * 1024, VTS_GATHER_ROOM_BYTES = 2 * VTS_GATHER_BYTES + 64 };

/* How a protocol works a connection. Functions that find the connection beyond help call
 * vts_conn_end(). */
struct vts_conn_ops {
    const char *name; /* for logs: "h2", "http/1.1" */
    /* Sets conn->protocol. */
    enum vts_err (*start)(struct vts_conn *conn);
    void (*free)(struct vts_conn *conn);
    void (*on_data)(struct vts_conn *conn, const char *bytes, size_t len);
    /* Fills at most VTS_GATHER_ROOM_BYTES, stopping soon after VTS_GATHER_BYTES; 0: nothing now. */
    size_t (*produce)(struct vts_conn *conn, char *out);
    /* Whether nothing more is to be read or written. */
    bool (*is_finished)(const struct vts_conn *conn);
    /* Acts on deadlines that have passed and returns the next one; INT64_MAX for none. */
    int64_t (*check_deadlines)(struct vts_conn *conn, int64_t now_ns);
    /* The server stops: take no more requests than are on their way. */
    void (*drain)(struct vts_conn *conn);
};

extern const struct vts_conn_ops vts_h2_ops;
extern const struct vts_conn_ops vts_h1_ops;
/* Without TLS, until the first bytes tell which of the two it is; then it gives way to that. */
extern const struct vts_conn_ops vts_preface_ops;

/* What accepting waits for. */
enum vts_pause {
    VTS_PAUSE_NONE,
    VTS_PAUSE_CONNECTIONS, /* a tenth of the connections to end */
    VTS_PAUSE_HANDSHAKES,  /* one handshake to end */
};

struct vts_http_server {
    struct vts_loop *loop;
    struct vts_http_shared *shared;
    struct vts_limits *limits;
    struct vts_http_handler handler;
    struct vts_tls_ctx *tls;
    struct vts_listener *listener;
    struct vts_listener *insecure_listener; /* without TLS; NULL: none was asked for */
    struct vts_list shaking_hands;          /* connections in the handshake, oldest first */
    struct vts_list conns;                  /* all others */
    uint64_t conns_count;                   /* in both */
    uint64_t conns_most;                    /* since memory was given back last */
    struct vts_timer trim_timer;
    uint64_t handshakes;
    enum vts_pause pause;
    struct vts_timer pause_timer;
    bool is_draining;
    struct vts_timer drain_timer;
    struct vts_timer drain_share_timer;
    uint64_t drain_left;  /* connections still to be told to go */
    uint64_t drain_share; /* how many of them at a time */
    vts_drained_fn on_drained;
    void *drained_context;
    struct vts_rng rng; /* for jitter */
    int64_t date_second;
    char date[64]; /* the Date field's value, once a second */
    char gather[VTS_GATHER_ROOM_BYTES];
    struct vts_h2_memory *h2_memory;
    struct vts_list scheduled; /* connections with something to write, outside their turns */
    struct vts_timer scheduled_timer;
    struct vts_list idle_streams; /* h2_stream.c keeps some for reuse */
    size_t idle_streams_count;
    struct vts_list idle_heads;
    size_t idle_heads_count;
};

/* A connection only ever moves down this list:
 *
 *   SHAKING_HANDS  TLS is being set up; without TLS it begins below
 *   OPEN           requests are served
 *   DRAINING       the server stops: the connection ends as soon as it can without loss
 *   ENDING         nothing more is read; what is written leaves
 *   LEAVING        the protocol is gone; the socket waits for the peer's end
 */
enum vts_conn_state {
    VTS_CONN_SHAKING_HANDS,
    VTS_CONN_OPEN,
    VTS_CONN_DRAINING,
    VTS_CONN_ENDING,
    VTS_CONN_LEAVING,
};

struct vts_conn {
    uint32_t magic;
    enum vts_conn_state state;
    struct vts_list link;           /* in one of the server's lists */
    struct vts_list scheduled_link; /* empty unless the connection is scheduled */
    bool is_in_turn;                /* a pump follows anyway */
    bool is_broken_off;             /* the end must not look like one in good order */
    struct vts_http_server *server;
    struct vts_transport *transport;
    const struct vts_conn_ops *ops;
    void *protocol; /* of ops */
    struct vts_timer timer;
    int64_t opened_ns;
    int64_t active_ns;  /* when a request last began or ended */
    int64_t waiting_ns; /* while LEAVING: when output was last known to wait */
    const char *end_reason;
    struct vts_address peer;
    uint64_t peer_number;          /* as vts_exchange_peer_number() */
    struct vts_identity *identity; /* of its client certificate; NULL: it has none */
    uint32_t held_count;           /* streams that wait for news */
    uint64_t requests;
    uint64_t resets_received;
    uint64_t resets_sent;
    uint64_t glitches;
};

/* Both adopt fd; the server has counted the connection already. The first shakes hands, which
 * counts as a handshake; the second speaks HTTP at once, without TLS. */
void vts_conn_accept(struct vts_http_server *server, int fd, const struct vts_address *peer);
void vts_conn_accept_insecure(struct vts_http_server *server, int fd,
                              const struct vts_address *peer);
/* Lets the peer have what is written and closes, at the end of the turn. reason is a literal, for
 * logs; of several calls the first one counts. */
void vts_conn_end(struct vts_conn *conn, const char *reason);
/* Counts the limit and ends. */
void vts_conn_end_by_limit(struct vts_conn *conn, enum vts_limit limit);
/* As vts_conn_end(), at once and without TLS's own end: what the peer has of a response is seen to
 * be cut off. Outside turns, too. */
void vts_conn_break_off(struct vts_conn *conn, const char *reason);
/* Writes what the protocol has and acts on what has become of the connection: the end of a turn. */
void vts_conn_pump(struct vts_conn *conn);
/* Something was submitted, perhaps outside a turn: sees to it that a pump follows. */
void vts_conn_schedule(struct vts_conn *conn);
void vts_conn_drain(struct vts_conn *conn);
/* Closes at once, without a word to the peer. */
void vts_conn_abort(struct vts_conn *conn, const char *reason);
/* Counts a stream that waits for news, unless its client has too many. */
bool vts_conn_hold(struct vts_conn *conn);
/* It waits no more. */
void vts_conn_let_go(struct vts_conn *conn);
int64_t vts_conn_now_ns(const struct vts_conn *conn);

/* conn_exchange.c */

/* A request was answered: counts it and writes the access line. */
void vts_conn_count_response(struct vts_conn *conn, const struct vts_exchange *exchange);
/* Pass a request to the server's handler: its head, and when complete. */
void vts_conn_begin(struct vts_conn *conn, struct vts_exchange *exchange);
void vts_conn_handle(struct vts_conn *conn, struct vts_exchange *exchange);
/* The value of the Date field (RFC 9110 6.6.1); lives as long as the server. */
struct vts_str vts_conn_date(struct vts_conn *conn);
/* As vts_exchange_ops, of every protocol. */
int64_t vts_conn_exchange_now_ns(const struct vts_exchange *exchange);
void vts_conn_exchange_set_timer(struct vts_exchange *exchange, struct vts_timer *timer,
                                 int64_t due_ns);
void vts_conn_exchange_stop_timer(struct vts_exchange *exchange, struct vts_timer *timer);
uint64_t vts_conn_exchange_peer_number(const struct vts_exchange *exchange);
void vts_conn_exchange_write_peer(const struct vts_exchange *exchange,
                                  char ret_text[VTS_PEER_TEXT_BYTES]);

/* Frees the streams that h2_stream.c keeps for reuse. */
void vts_h2_stream_free_idle(struct vts_http_server *server);

/* http_server.c keeps these counts and resumes accepting when they fall. */
void vts_http_server_handshake_over(struct vts_http_server *server);
void vts_http_server_conn_gone(struct vts_http_server *server);

#endif
