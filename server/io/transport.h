/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted socket with its TLS, if it has any: plain bytes in, plain bytes out. Loop thread
 * only.
 *
 * Output is pulled, never pushed: the owner writes when on_turn says so, as long as
 * vts_transport_can_write(), and stops when the peer does not take more. While output waits,
 * nothing is read, so a peer that does not read its answers cannot make us buffer requests. */
#ifndef VTS_IO_TRANSPORT_H
#define VTS_IO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/str.h"
#include "server/io/loop.h"
#include "server/io/tls_ctx.h"

struct vts_transport;

enum { VTS_PEER_NAME_BYTES = 256 };

enum vts_transport_end {
    VTS_TRANSPORT_END_PEER,  /* the peer closed */
    VTS_TRANSPORT_END_RESET, /* the connection broke */
    VTS_TRANSPORT_END_TLS,   /* the handshake failed or the TLS stream is corrupt */
};

struct vts_transport_ops {
    /* The handshake is done; alpn is "h2", "http/1.1" or empty. */
    void (*on_open)(void *owner, struct vts_str alpn);
    void (*on_data)(void *owner, const char *bytes, size_t len);
    /* All input of this turn was given, or waiting output went out: the time to write. */
    void (*on_turn)(void *owner);
    /* Nothing more comes; detail is for logs. The owner must close or abort now. */
    void (*on_end)(void *owner, enum vts_transport_end end, const char *detail);
    /* The socket is closed and the transport freed: the last call, some time after close or abort.
     */
    void (*on_gone)(void *owner);
};

/* Adopts fd, on failure too. Without tls (NULL) bytes are as they are on the socket: the transport
 * is open when it is made, and on_open is not called. VTS_ERR_NOMEM or VTS_ERR_IO. */
VTS_MUST_CHECK enum vts_err vts_transport_new(struct vts_loop *loop, int fd,
                                              struct vts_tls_ctx *tls,
                                              const struct vts_transport_ops *ops, void *owner,
                                              struct vts_transport **ret_transport);

/* Whether output may be written: the handshake is done and the peer took what came before. */
bool vts_transport_can_write(const struct vts_transport *transport);
/* Takes bytes, which are encrypted if there is TLS; they leave with the flush. At most 16 KiB at a
 * time, and only when output may be written. VTS_ERR_CLOSED when the connection is broken. */
VTS_MUST_CHECK enum vts_err vts_transport_write(struct vts_transport *transport, const char *bytes,
                                                size_t len);
/* Sends what was written. Must end every turn that wrote. */
void vts_transport_flush(struct vts_transport *transport);

/* Whether input is read, as it is from the start. What one read has taken already is still given;
 * the peer's end is noticed all the same, and what it sent before is lost then. */
void vts_transport_set_reading(struct vts_transport *transport, bool is_on);

/* Ends our side in good order: close_notify, then FIN, then the transport waits for the peer's end,
 * so that unread input does not turn the last answer into a reset. After it the owner hears on_gone
 * only, and bounds the wait by vts_transport_abort(). */
void vts_transport_close(struct vts_transport *transport);
/* Ends at once, closed before or not. What was not closed before ends in a way that the peer tells
 * from an end in good order: without close_notify, or by a reset where there is no TLS. */
void vts_transport_abort(struct vts_transport *transport);

/* Since when output has waited without progress: less than 1 KiB taken, and not all of it. 0 when
 * no output waits. */
int64_t vts_transport_stalled_since_ns(const struct vts_transport *transport);
/* How many TLS 1.3 key updates the peer may send (RFC 8446 4.6.3): they are work without a byte
 * for the owner. To be set in on_open. */
void vts_transport_set_key_updates_max(struct vts_transport *transport, uint64_t max);
/* Whether the peer has sent more; the owner must end the transport in the same turn. */
bool vts_transport_has_key_flood(const struct vts_transport *transport);
/* Whether the peer has sent what was not read yet: it is not the peer then who is slow. */
bool vts_transport_has_unread(const struct vts_transport *transport);
uint64_t vts_transport_bytes_in(const struct vts_transport *transport);
uint64_t vts_transport_bytes_out(const struct vts_transport *transport);
/* Who the client is, once the handshake is done: by its certificate, that is the first URI among
 * the alternative names, as "uri:spiffe://…", else the first DNS name, as "dns:…", else the SHA-256
 * of the certificate, as "sha256:…". Never the common name, which CAs do not agree on. Returns
 * false for one that has shown none. */
bool vts_transport_peer_name(const struct vts_transport *transport,
                             char ret_name[VTS_PEER_NAME_BYTES]);
/* Such as "TLSv1.3", or "none"; a constant. */
const char *vts_transport_tls_version(const struct vts_transport *transport);

#endif
