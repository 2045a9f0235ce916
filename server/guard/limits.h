/* SPDX-License-Identifier: Apache-2.0 */
/* The table of every bound: its value, how often it was hit, and how an operator names it. */
#ifndef VTS_GUARD_LIMITS_H
#define VTS_GUARD_LIMITS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/buf.h"

enum vts_limit {
#define X(name, text, value, unit, why) VTS_LIMIT_##name,
#include "server/guard/limits.def"
#undef X
    VTS_LIMIT_COUNT
};

/* Values are fixed before threads start; counts may rise in any thread. */
struct vts_limits {
    uint64_t values[VTS_LIMIT_COUNT];
    _Atomic uint64_t hits[VTS_LIMIT_COUNT];
};

void vts_limits_init(struct vts_limits *limits);
/* Reads "name=value[,name=value...]". VTS_ERR_INVALID, with a text that names the fault, for an
 * unknown name, a value that is no number, or 0 for a limit whose default is not 0; earlier pairs
 * stay set. */
VTS_MUST_CHECK enum vts_err vts_limits_parse(struct vts_limits *limits, const char *pairs,
                                             struct vts_error *error);
static inline uint64_t vts_limits_get(const struct vts_limits *limits, enum vts_limit limit)
{
    return limits->values[limit];
}
/* A limit in milliseconds, as nanoseconds. */
int64_t vts_limits_get_ns(const struct vts_limits *limits, enum vts_limit limit);
/* Counts that the limit was met. */
void vts_limits_hit(struct vts_limits *limits, enum vts_limit limit);
/* The operator's name, such as "header_bytes". */
const char *vts_limits_name(enum vts_limit limit);
/* Appends the counts in the Prometheus text format. Callable from any thread. */
void vts_limits_write_metrics(const struct vts_limits *limits, struct vts_buf *buf);

#endif
