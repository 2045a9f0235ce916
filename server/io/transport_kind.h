/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a transport share: the socket's part of it, and the kinds that there are. Not
 * for other folders. */
#ifndef VTS_IO_TRANSPORT_KIND_H
#define VTS_IO_TRANSPORT_KIND_H

#include "server/io/loop_uv.h"
#include "server/io/transport.h"

/* A transport only ever moves down this list:
 *
 *   HANDSHAKING  TLS is being set up; without TLS it begins below
 *   OPEN         bytes flow; the owner hears of them
 *   LINGERING    our end is sent; input is thrown away until the peer's end
 *   CLOSED       the handle is closing; memory goes with its last callback
 */
enum vts_transport_state {
    VTS_TRANSPORT_HANDSHAKING,
    VTS_TRANSPORT_OPEN,
    VTS_TRANSPORT_LINGERING,
    VTS_TRANSPORT_CLOSED,
};

/* What bytes on the socket are to the owner: one constant table a kind. */
struct vts_transport_kind {
    /* A transport of the kind, all zero but for what the kind needs. NULL without memory. tls is
     * borrowed. */
    struct vts_transport *(*make)(struct vts_loop *loop, struct vts_tls_ctx *tls);
    void (*free)(struct vts_transport *transport);
    /* len bytes came; they lie in the loop's read buffer. HANDSHAKING or OPEN. */
    void (*take)(struct vts_transport *transport, size_t len);
    /* Appends what bytes are on the socket to the loop's write buffer. VTS_ERR_CLOSED. */
    enum vts_err (*write)(struct vts_transport *transport, const char *bytes, size_t len);
    /* Nothing is taken or written after it: appends what tells the peer so, if it can be told, and
     * lets go of what only that needed. */
    void (*finish)(struct vts_transport *transport);
    /* As vts_transport_peer_name() and vts_transport_tls_version(). */
    bool (*peer_name)(const struct vts_transport *transport, char ret_name[VTS_PEER_NAME_BYTES]);
    const char *(*tls_version)(const struct vts_transport *transport);
    /* Whether a FIN by itself looks like an end in good order. */
    bool ends_by_fin;
};

extern const struct vts_transport_kind vts_transport_tls;
extern const struct vts_transport_kind vts_transport_plain;

struct vts_transport {
    uint32_t magic;
    enum vts_transport_state state;
    const struct vts_transport_kind *kind;
    int fd;
    bool is_shut;   /* our FIN is out */
    bool is_broken; /* output was lost; the end is on its way through the event loop */
    bool is_reading_off;
    uv_poll_t poll;
    int poll_events;
    struct vts_loop *loop;
    const struct vts_transport_ops *ops;
    void *owner;
    char *pending; /* bytes the socket did not take */
    size_t pending_len;
    size_t pending_sent;
    size_t progress_mark; /* pending_sent when progress was last seen */
    int64_t progress_ns;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t key_updates;
    uint64_t key_updates_max;
};

void vts_transport_set_state(struct vts_transport *transport, enum vts_transport_state next);
/* Tells the owner that it is over; once the owner let go, there is only the end. */
void vts_transport_end(struct vts_transport *transport, enum vts_transport_end why,
                       const char *detail);

#endif
