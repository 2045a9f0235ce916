/* SPDX-License-Identifier: Apache-2.0 */
/* google.protobuf.Timestamp and Duration as ProtoJSON writes them. For json_*.c only. */
#ifndef VTS_WIRE_JSON_TIME_H
#define VTS_WIRE_JSON_TIME_H

#include "common/base/buf.h"

struct vts_json_time {
    int64_t seconds;
    int32_t nanos;
};

/* Each is VTS_ERR_INVALID for what is out of range or of another shape; the writers append a
 * quoted string, the readers take it without its quotes. */
VTS_MUST_CHECK enum vts_err vts_json_timestamp_write(struct vts_buf *buf,
                                                     struct vts_json_time time);
VTS_MUST_CHECK enum vts_err vts_json_duration_write(struct vts_buf *buf, struct vts_json_time time);
/* Takes any offset and up to nine digits of a second; "T" and "Z" in upper case. */
VTS_MUST_CHECK enum vts_err vts_json_timestamp_read(struct vts_str text,
                                                    struct vts_json_time *ret_time);
VTS_MUST_CHECK enum vts_err vts_json_duration_read(struct vts_str text,
                                                   struct vts_json_time *ret_time);

#endif
