/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - error codes and their texts, both from err.def. */
#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/assert.h"

const char *vts_err_text(enum vts_err err)
{
    switch (err) {
    case VTS_OK:
        return "no error";
#define X(code, text)                                                                              \
    case VTS_ERR_##code:                                                                           \
        return text;
#include "common/base/err.def"
#undef X
    }
    VTS_UNREACHABLE();
}

enum vts_err vts_error_set(struct vts_error *error, enum vts_err err, const char *fmt, ...)
{
    va_list args;

    if (error == NULL)
        return err;
    error->detail = 0;
    va_start(args, fmt);
    /* Cut off at the field's size: a long path must not cost the whole message. */
    (void)vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);
    return err;
}
