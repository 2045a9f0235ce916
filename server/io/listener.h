/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket of one loop. Loop thread only, binding excepted. */
#ifndef VTS_IO_LISTENER_H
#define VTS_IO_LISTENER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "server/io/loop.h"

struct vts_listener;

/* Where somebody is: an IPv4 or IPv6 address and a port. Small, since each connection has one. */
struct vts_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } of;
    socklen_t len;
};

enum { VTS_ADDRESS_TEXT_BYTES = 64 };

/* Reads "127.0.0.1:5000", "[::1]:5000" or "localhost:5000". VTS_ERR_INVALID with a text that names
 * the fault. */
VTS_MUST_CHECK enum vts_err vts_address_parse(const char *text, struct vts_address *ret_address,
                                              struct vts_error *error);
/* The same for an address that only this machine reaches, of 127.0.0.0/8 or ::1. A name is refused
 * when any of the addresses it has is another. */
VTS_MUST_CHECK enum vts_err vts_address_parse_loopback(const char *text,
                                                       struct vts_address *ret_address,
                                                       struct vts_error *error);
/* Writes the numeric address without its port. */
void vts_address_format(const struct vts_address *address, char ret_text[VTS_ADDRESS_TEXT_BYTES]);
uint16_t vts_address_port(const struct vts_address *address);

/* Opens count sockets that listen on one address and share its connections (SO_REUSEPORT).
 *
 * An address that anybody else has is refused with VTS_ERR_CONFLICT, although SO_REUSEPORT would
 * share it. Port 0 lets the kernel choose; *address then holds the choice. On failure nothing stays
 * open. VTS_ERR_IO with a text otherwise. option is what the operator chooses the address by, for
 * that text. */
VTS_MUST_CHECK enum vts_err vts_listener_bind(struct vts_address *address, const char *option,
                                              unsigned count, int ret_fds[],
                                              struct vts_error *error);

/* A new connection; fd is the callee's, non-blocking and closed on exec. */
typedef void (*vts_accept_fn)(void *context, int fd, const struct vts_address *peer);

/* Adopts fd, on failure too, and starts accepting. VTS_ERR_NOMEM or VTS_ERR_IO. */
VTS_MUST_CHECK enum vts_err vts_listener_new(struct vts_loop *loop, int fd, vts_accept_fn on_accept,
                                             void *context, struct vts_listener **ret_listener);
/* While paused, connections wait in the kernel's queue. May be called from on_accept. */
void vts_listener_set_paused(struct vts_listener *listener, bool is_paused);
/* Stops listening and frees; NULL is accepted. */
void vts_listener_close(struct vts_listener *listener);

#endif
