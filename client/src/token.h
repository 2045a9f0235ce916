/* SPDX-License-Identifier: Apache-2.0 */
/* A bearer token (RFC 6750) out of a file that may change.
 *
 * It is never logged, and wiped from memory when it is not needed any more. */
#ifndef VTS_CLIENT_TOKEN_H
#define VTS_CLIENT_TOKEN_H

#include <vtstatus/client.h>

#include "client/src/log.h"
#include "common/base/macros.h"

struct vts_token {
    const char *path; /* borrowed; NULL: there is no token */
    char *field;      /* "Authorization: Bearer ...": the last one that was good */
};

/* Whether the file at path, which may be NULL, has a token: VTS_CLIENT_TLS when it has none that is
 * good. VTS_CLIENT_NO_MEMORY. */
VTS_MUST_CHECK enum vts_client_code vts_token_check(const char *path,
                                                    struct vts_client_error *error);

/* Nothing is read before the first refresh. path is borrowed. */
void vts_token_init(struct vts_token *token, const char *path);
void vts_token_fini(struct vts_token *token);

/* Reads the file again; what is no good does not replace what was, and is told to the log. */
void vts_token_refresh(struct vts_token *token, const struct vts_log *log);

/* The field of HTTP that carries it, until it is refreshed or ended; NULL: none. */
const char *vts_token_field(const struct vts_token *token);

#endif
