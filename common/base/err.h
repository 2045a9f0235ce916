/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values: a code to branch on, and a text for people where one helps. */
#ifndef VTS_BASE_ERR_H
#define VTS_BASE_ERR_H

#include "common/base/macros.h"

enum vts_err {
    VTS_OK = 0,
#define X(code, text) VTS_ERR_##code,
#include "common/base/err.def"
#undef X
};

/* What went wrong, told where it was first seen. */
struct vts_error {
    char text[256];
    int detail; /* more than the code, as the header of who failed says; 0: nothing */
};

/* The code's meaning in English; never NULL. */
const char *vts_err_text(enum vts_err err);

/* Fills *error, without a detail, when error is not NULL, and returns err, so that a failure is one
 * statement. */
enum vts_err vts_error_set(struct vts_error *error, enum vts_err err, const char *fmt, ...)
    VTS_PRINTF(3, 4);

#endif
