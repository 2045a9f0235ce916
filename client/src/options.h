/* SPDX-License-Identifier: Apache-2.0 */
/* The option structs of the public API: read with their defaults filled in, and checked. */
#ifndef VTS_CLIENT_OPTIONS_H
#define VTS_CLIENT_OPTIONS_H

#include <vtstatus/client.h>

#include "client/src/backoff.h"
#include "common/base/macros.h"

/* Copies what the caller's size covers over the defaults, and checks it. VTS_CLIENT_USAGE with the
 * reason in *error; *ret_options is then unspecified. */
VTS_MUST_CHECK enum vts_client_code
vts_client_options_read(const struct vts_client_options *options,
                        struct vts_client_options *ret_options, struct vts_client_error *error);

/* The same; options may be NULL, which means the defaults. */
VTS_MUST_CHECK enum vts_client_code vts_poll_options_read(const struct vts_poll_options *options,
                                                          struct vts_poll_options *ret_options,
                                                          struct vts_client_error *error);

/* The schedule in options that were read. */
struct vts_backoff vts_poll_options_backoff(const struct vts_poll_options *options);

#endif
