/* SPDX-License-Identifier: Apache-2.0 */
/* The options of <vtstatus/wait.h>, read with their defaults filled in, and checked. */
#ifndef VTS_CLIENT_WAIT_OPTIONS_H
#define VTS_CLIENT_WAIT_OPTIONS_H

#include <vtstatus/wait.h>

#include "common/base/macros.h"

/* options may be NULL, which means the defaults. *ret_schedule is what they say of polling.
 * VTS_CLIENT_USAGE with the reason in *error. */
VTS_MUST_CHECK enum vts_client_code vts_wait_options_read(const struct vts_wait_options *options,
                                                          struct vts_wait_options *ret_options,
                                                          struct vts_poll_options *ret_schedule,
                                                          struct vts_client_error *error);

#endif
