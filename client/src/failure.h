/* SPDX-License-Identifier: Apache-2.0 */
/* The client's error values, made in one place. */
#ifndef VTS_CLIENT_FAILURE_H
#define VTS_CLIENT_FAILURE_H

#include <vtstatus/client.h>

#include "common/base/macros.h"

/* Fills *error, when it is not NULL, and returns code. The text is cut off at the field's size, and
 * what would not be one line of UTF-8 on a terminal becomes '?', since parts of it may come from a
 * peer. http_code is kept as it is. */
enum vts_client_code vts_failure_set(struct vts_client_error *error, enum vts_client_code code,
                                     const char *fmt, ...) VTS_PRINTF(3, 4);

/* Makes *error say that nothing went wrong yet. */
void vts_failure_clear(struct vts_client_error *error);

/* Whether the same question may succeed later (see vts_poll_status). */
bool vts_failure_may_pass(const struct vts_client_error *error);

#endif
