/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_tail.c - what moves between revisions, as fields behind the encoded ones.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "server/jobs/snapshot.h"

enum { POLL_AFTER_TAG = 5 << 3 | 2, QUEUE_POSITION_TAG = 12 << 3 };

static size_t write_proto_hint(int64_t poll_after_ns, char *ret_tail)
{
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    size_t len;

    if (poll_after_ns < 0)
        return 0;
    duration.seconds = poll_after_ns / VTS_NS_PER_S;
    duration.nanos = (int32_t)(poll_after_ns % VTS_NS_PER_S);
    /* Two numbers: at most 22 bytes, so the length is one byte. */
    len = google__protobuf__duration__pack(&duration, (uint8_t *)ret_tail + 2);
    ret_tail[0] = POLL_AFTER_TAG;
    ret_tail[1] = (char)len;
    return len + 2;
}

size_t vts_snapshot_proto_tail(struct vts_snapshot *snapshot, int64_t poll_after_ns,
                               char ret_tail[VTS_SNAPSHOT_TAIL_MAX])
{
    uint32_t position = (uint32_t)vts_snapshot_queue_position(snapshot);
    size_t len = write_proto_hint(poll_after_ns, ret_tail);

    if (position == 0)
        return len;
    ret_tail[len++] = QUEUE_POSITION_TAG;
    for (; position >= 0x80; position >>= 7)
        ret_tail[len++] = (char)(position | 0x80);
    ret_tail[len++] = (char)position;
    return len;
}

static int write_json_hint(int64_t poll_after_ns, char *ret_tail)
{
    int64_t ms = poll_after_ns / VTS_NS_PER_MS;

    if (poll_after_ns < 0)
        return 0;
    if (ms % 1000 == 0)
        return snprintf(ret_tail, VTS_SNAPSHOT_TAIL_MAX, ",\"pollAfter\":\"%llds\"",
                        (long long)ms / 1000);
    return snprintf(ret_tail, VTS_SNAPSHOT_TAIL_MAX, ",\"pollAfter\":\"%lld.%03llds\"",
                    (long long)ms / 1000, (long long)ms % 1000);
}

size_t vts_snapshot_json_tail(struct vts_snapshot *snapshot, int64_t poll_after_ns,
                              char ret_tail[VTS_SNAPSHOT_TAIL_MAX])
{
    int32_t position = vts_snapshot_queue_position(snapshot);
    int len = write_json_hint(poll_after_ns, ret_tail);

    if (position > 0)
        len += snprintf(ret_tail + len, VTS_SNAPSHOT_TAIL_MAX - (size_t)len,
                        ",\"queuePosition\":%d", (int)position);
    ret_tail[len++] = '}';
    return (size_t)len;
}
