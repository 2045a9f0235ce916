/* SPDX-License-Identifier: Apache-2.0 */
/* pb_time.c - seconds with nanoseconds, which protobuf keeps apart, and as one number. */
#include "common/wire/pb_time.h"

#include "common/base/clock.h"

enum { MAX_NANOS = VTS_NS_PER_S - 1 };

/* 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
static const int64_t min_stamp_seconds = INT64_C(-62135596800);
static const int64_t max_stamp_seconds = INT64_C(253402300799);
/* 10,000 years. */
static const int64_t max_span_seconds = INT64_C(315576000000);

bool vts_pb_timestamp_is_valid(int64_t seconds, int32_t nanos)
{
    return seconds >= min_stamp_seconds && seconds <= max_stamp_seconds && nanos >= 0 &&
           nanos <= MAX_NANOS;
}

bool vts_pb_duration_is_valid(int64_t seconds, int32_t nanos)
{
    bool has_one_sign = (seconds >= 0 || nanos <= 0) && (seconds <= 0 || nanos >= 0);

    return seconds >= -max_span_seconds && seconds <= max_span_seconds && nanos >= -MAX_NANOS &&
           nanos <= MAX_NANOS && has_one_sign;
}

static int64_t to_ns(int64_t seconds, int32_t nanos)
{
    /* nanos, even of a message that was never looked at, is less than three seconds. */
    const int64_t max_seconds = INT64_MAX / VTS_NS_PER_S - 3;

    if (seconds > max_seconds)
        return INT64_MAX;
    if (seconds < -max_seconds)
        return INT64_MIN;
    return seconds * VTS_NS_PER_S + nanos;
}

int64_t vts_pb_timestamp_ns(const Google__Protobuf__Timestamp *stamp)
{
    return to_ns(stamp->seconds, stamp->nanos);
}

int64_t vts_pb_duration_ns(const Google__Protobuf__Duration *duration)
{
    return to_ns(duration->seconds, duration->nanos);
}

void vts_pb_timestamp_set(Google__Protobuf__Timestamp *stamp, int64_t ns)
{
    stamp->seconds = ns / VTS_NS_PER_S;
    stamp->nanos = (int32_t)(ns % VTS_NS_PER_S);
    if (stamp->nanos >= 0)
        return;
    stamp->nanos += VTS_NS_PER_S;
    stamp->seconds--;
}
