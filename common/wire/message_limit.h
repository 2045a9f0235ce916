/* SPDX-License-Identifier: Apache-2.0 */
/* Which limit a message was past, as the detail of a struct vts_error. */
#ifndef VTS_WIRE_MESSAGE_LIMIT_H
#define VTS_WIRE_MESSAGE_LIMIT_H

#include <stddef.h>

#include "common/base/err.h"

enum vts_message_limit {
    VTS_MESSAGE_LIMIT_OTHER, /* bytes, or memory */
    VTS_MESSAGE_LIMIT_DEPTH,
    VTS_MESSAGE_LIMIT_ELEMENTS,
};

/* Adds it to an error whose text is set, and which may be NULL. Returns VTS_ERR_LIMIT. */
static inline enum vts_err vts_message_limit_met(struct vts_error *error,
                                                 enum vts_message_limit limit)
{
    if (error != NULL)
        error->detail = (int)limit;
    return VTS_ERR_LIMIT;
}

#endif
