/* SPDX-License-Identifier: Apache-2.0 */
/* google.protobuf.Timestamp and Duration, what they may say, and as nanoseconds
 * (https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp, #duration). */
#ifndef VTS_WIRE_PB_TIME_H
#define VTS_WIRE_PB_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

/* From the year 1 to the year 9999; nanoseconds count forward. */
bool vts_pb_timestamp_is_valid(int64_t seconds, int32_t nanos);
/* Up to 10,000 years either way; seconds and nanoseconds of the same sign. */
bool vts_pb_duration_is_valid(int64_t seconds, int32_t nanos);

/* Nanoseconds since the Unix epoch, and in all. What 64 bits cannot say, past 292 years, is the
 * last that they can. */
int64_t vts_pb_timestamp_ns(const Google__Protobuf__Timestamp *stamp);
int64_t vts_pb_duration_ns(const Google__Protobuf__Duration *duration);
/* Sets a message that is initialised. */
void vts_pb_timestamp_set(Google__Protobuf__Timestamp *stamp, int64_t ns);

#endif
