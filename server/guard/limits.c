/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - the bounds of limits.def and their counters. */
#include "server/guard/limits.h"

#include "common/base/clock.h"
#include "server/obs/metrics.h"

static const struct {
    const char *name;
    uint64_t value;
} limit_rows[VTS_LIMIT_COUNT] = {
#define X(name, text, value, unit, why) [VTS_LIMIT_##name] = {text, value},
#include "server/guard/limits.def"
#undef X
};

void vts_limits_init(struct vts_limits *limits)
{
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        limits->values[i] = limit_rows[i].value;
        atomic_init(&limits->hits[i], 0);
    }
}

static enum vts_err parse_pair(struct vts_limits *limits, struct vts_str pair,
                               struct vts_error *error)
{
    /* Far above any sensible value and far below overflow when turned into nanoseconds. */
    const uint64_t max = UINT64_C(1000000000);
    struct vts_str whole = pair;
    struct vts_str name;
    uint64_t value;
    uint64_t min;

    (void)vts_str_split(&pair, '=', &name); /* a missing value is seen below */
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        if (!vts_str_equals_text(name, limit_rows[i].name))
            continue;
        min = limit_rows[i].value == 0 ? 0 : 1;
        if (vts_str_to_u64(pair, max, &value) != VTS_OK || value < min)
            return vts_error_set(error, VTS_ERR_INVALID,
                                 "limit \"%.*s\" is not NAME=NUMBER with a number from %d to 10^9",
                                 (int)whole.len, whole.ptr, (int)min);
        limits->values[i] = value;
        return VTS_OK;
    }
    return vts_error_set(error, VTS_ERR_INVALID,
                         "there is no limit named \"%.*s\"; docs/CONFIG.md lists them",
                         (int)name.len, name.ptr);
}

enum vts_err vts_limits_parse(struct vts_limits *limits, const char *pairs, struct vts_error *error)
{
    struct vts_str rest = vts_str_of(pairs);
    struct vts_str pair;

    while (vts_str_split(&rest, ',', &pair)) {
        enum vts_err err = parse_pair(limits, vts_str_trim(pair), error);

        if (err != VTS_OK)
            return err;
    }
    return VTS_OK;
}

int64_t vts_limits_get_ns(const struct vts_limits *limits, enum vts_limit limit)
{
    return (int64_t)limits->values[limit] * VTS_NS_PER_MS;
}

void vts_limits_hit(struct vts_limits *limits, enum vts_limit limit)
{
    atomic_fetch_add_explicit(&limits->hits[limit], 1, memory_order_relaxed);
}

const char *vts_limits_name(enum vts_limit limit)
{
    return limit_rows[limit].name;
}

void vts_limits_write_metrics(const struct vts_limits *limits, struct vts_buf *buf)
{
    vts_metrics_write_family(buf, "vts_limit_hits_total", "counter", "Times a limit was met");
    for (int i = 0; i < VTS_LIMIT_COUNT; i++)
        vts_buf_append_format(
            buf, "vts_limit_hits_total{limit=\"%s\"} %llu\n", limit_rows[i].name,
            (unsigned long long)atomic_load_explicit(&limits->hits[i], memory_order_relaxed));
}
