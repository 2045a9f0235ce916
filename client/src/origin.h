/* SPDX-License-Identifier: Apache-2.0 */
/* The server's address, as the user wrote it. */
#ifndef VTS_CLIENT_ORIGIN_H
#define VTS_CLIENT_ORIGIN_H

#include <stdbool.h>

#include "common/base/err.h"

struct vts_origin {
    bool is_tls;
    bool is_loopback;
    char host[256]; /* without the brackets of an IPv6 address */
    unsigned port;
    char text[300]; /* "https://localhost:5000", without a slash at the end */
};

/* Takes https://HOST[:PORT][/], and http:// for loopback addresses: credentials and statuses do not
 * travel in the clear. VTS_ERR_INVALID, with the reason in *error, for anything else. */
VTS_MUST_CHECK enum vts_err vts_origin_parse(const char *url, struct vts_origin *ret_origin,
                                             struct vts_error *error);

/* Whether a job id is one: 1 to 128 of [A-Za-z0-9._~-]. Those are the unreserved characters of RFC
 * 3986 section 2.3, so an id stands in a path as it is. */
bool vts_job_id_is_valid(const char *job_id);

#endif
