/* SPDX-License-Identifier: Apache-2.0 */
/* A loop, a listener and transports without a system below them: in place of server/io/loop.c,
 * listener.c and transport.c in programs that link this before vts_io. The test plays the peer, the
 * kernel's buffer and the clock.
 *
 * One listener a loop, and one without TLS; one thread. */
#ifndef VTS_TESTS_FAKE_IO_H
#define VTS_TESTS_FAKE_IO_H

#include "common/base/buf.h"
#include "server/io/transport.h"

/* A connection to the loop's listener, whose handshake is done with that protocol chosen. NULL when
 * the server would not have it. It lives until a turn finds that both sides have ended it, or that
 * the server has aborted it. */
struct vts_transport *fake_connect(struct vts_loop *loop, const char *alpn);
/* The same without TLS, to the listener that was made second. */
struct vts_transport *fake_connect_insecure(struct vts_loop *loop);

/* Runs what is due and closes what is to be closed. */
void fake_loop_turn(struct vts_loop *loop);
/* Moves the clock in steps, from timer to timer. */
void fake_loop_move_clock(struct vts_loop *loop, int64_t by_ns);
/* How many connections there are. */
unsigned fake_loop_transports_count(const struct vts_loop *loop);

/* Gives the server bytes of the peer's, as one record; thrown away when it reads no more. */
void fake_transport_give(struct vts_transport *transport, struct vts_str bytes);
/* Whether bytes are read now: not while output waits. */
bool fake_transport_is_reading(const struct vts_transport *transport);
/* The peer's end, in good order or not. */
void fake_transport_hang_up(struct vts_transport *transport, enum vts_transport_end end);
/* What the server has sent and nobody has taken. */
struct vts_str fake_transport_output(const struct vts_transport *transport);
/* The peer takes so many bytes of it: there is room for others. */
void fake_transport_take(struct vts_transport *transport, size_t len);
/* How many bytes the peer lets wait before the server is held back; SIZE_MAX at first. */
void fake_transport_set_room(struct vts_transport *transport, size_t bytes);
/* Whether the server has ended the connection, in good order or not. */
bool fake_transport_is_ended(const struct vts_transport *transport);

#endif
