/* SPDX-License-Identifier: Apache-2.0 */
/* A whole connection, from the peer's bytes to handlers of calls and back, for fuzz targets. */
#ifndef VTS_TESTS_FUZZ_CONN_H
#define VTS_TESTS_FUZZ_CONN_H

#include <stddef.h>
#include <stdint.h>

/* The first four bytes choose what handlers, clock and peer do in between; the rest is what the
 * peer sends. Aborts when a call ends twice, never, or hears what it must not, and when anything is
 * left. alpn is what a handshake has chosen, or NULL: there is no TLS. */
void fuzz_conn_run(const char *alpn, const uint8_t *bytes, size_t len);

#endif
