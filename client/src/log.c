/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - the library keeps no log of its own; without a listener nothing is even formatted. */
#include "client/src/log.h"

#include <stdarg.h>
#include <stdio.h>

void vts_log_write(const struct vts_log *log, const char *fmt, ...)
{
    char line[512];
    va_list args;

    if (log->fn == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    log->fn(line, log->context);
}
