/* SPDX-License-Identifier: Apache-2.0 */
/* Hands lines to the log function of the program that uses the library. */
#ifndef VTS_CLIENT_LOG_H
#define VTS_CLIENT_LOG_H

#include <vtstatus/client.h>

#include "common/base/macros.h"

struct vts_log {
    vts_log_fn fn; /* NULL: nobody listens */
    void *context;
};

/* Formats one line, cut off at 512 bytes, and hands it on. */
void vts_log_write(const struct vts_log *log, const char *fmt, ...) VTS_PRINTF(2, 3);

#endif
