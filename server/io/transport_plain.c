/* SPDX-License-Identifier: Apache-2.0 */
/* transport_plain.c - a socket without TLS: its bytes are the owner's.
 *
 * There is no handshake, so such a transport is open from the start. Whoever makes one sees to it
 * that both ends are on this machine.
 */
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/io/transport_kind.h"

static struct vts_transport *make(struct vts_loop *loop, struct vts_tls_ctx *tls)
{
    struct vts_transport *transport = vts_mem_zalloc(sizeof(*transport));

    (void)loop;
    (void)tls;
    if (transport != NULL)
        transport->state = VTS_TRANSPORT_OPEN;
    return transport;
}

static void free_plain(struct vts_transport *transport)
{
    vts_mem_free(transport);
}

static void take(struct vts_transport *transport, size_t len)
{
    transport->ops->on_data(transport->owner, vts_loop_buffers(transport->loop)->read, len);
    if (transport->state == VTS_TRANSPORT_OPEN)
        transport->ops->on_turn(transport->owner);
}

static enum vts_err write_bytes(struct vts_transport *transport, const char *bytes, size_t len)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);

    /* It is flushed before less than a record's room is left. */
    VTS_ASSERT(len <= sizeof(buffers->write) - buffers->write_len);
    memcpy(buffers->write + buffers->write_len, bytes, len);
    buffers->write_len += len;
    return VTS_OK;
}

static void finish(struct vts_transport *transport)
{
    (void)transport; /* the FIN says it all */
}

static bool peer_name(const struct vts_transport *transport, char ret_name[VTS_PEER_NAME_BYTES])
{
    (void)transport;
    (void)ret_name;
    return false;
}

static const char *tls_version(const struct vts_transport *transport)
{
    (void)transport;
    return "none";
}

const struct vts_transport_kind vts_transport_plain = {
    .make = make,
    .free = free_plain,
    .take = take,
    .write = write_bytes,
    .finish = finish,
    .peer_name = peer_name,
    .tls_version = tls_version,
    .ends_by_fin = true,
};
