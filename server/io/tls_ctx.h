/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS settings of a server: certificate, key, client CA, versions, ALPN. */
#ifndef VTS_IO_TLS_CTX_H
#define VTS_IO_TLS_CTX_H

#include "common/base/err.h"

/* Immutable and shared; each connection keeps it alive until it ends. */
struct vts_tls_ctx;

struct vts_tls_files {
    const char *cert;      /* PEM: the certificate, then the chain */
    const char *key;       /* PEM */
    const char *client_ca; /* PEM, or NULL: clients need no certificate */
};

/* Reads and checks the files: the key belongs to the certificate, which is valid now. On failure
 * error names the file and what is wrong with it. Callable from any thread. */
VTS_MUST_CHECK enum vts_err vts_tls_ctx_new(const struct vts_tls_files *files,
                                            struct vts_tls_ctx **ret_ctx, struct vts_error *error);
/* Both callable from any thread; NULL is accepted by unref. */
struct vts_tls_ctx *vts_tls_ctx_ref(struct vts_tls_ctx *ctx);
void vts_tls_ctx_unref(struct vts_tls_ctx *ctx);

#endif
