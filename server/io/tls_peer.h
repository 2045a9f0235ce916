/* SPDX-License-Identifier: Apache-2.0 */
/* Who a client is, by the certificate that it has shown and that was checked. */
#ifndef VTS_IO_TLS_PEER_H
#define VTS_IO_TLS_PEER_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "server/io/transport.h"

/* As vts_transport_peer_name(). Names that are too long, or have a NUL inside, are passed over. */
bool vts_tls_peer_name(const SSL *ssl, char ret_name[VTS_PEER_NAME_BYTES]);

#endif
