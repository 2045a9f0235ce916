/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_tail.c - what moves between revisions, as fields behind the encoded ones.
 */
#include <string.h>

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

/* At least so many digits. Written by hand, for each reading does it. */
static size_t append_number(char *text, size_t len, uint64_t number, int least_digits)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || count < least_digits);
    while (count > 0)
        text[len++] = digits[--count];
    return len;
}

/* text is a literal. */
static size_t append_text(char *tail, size_t len, struct vts_str text)
{
    memcpy(tail + len, text.ptr, text.len);
    return len + text.len;
}

static size_t write_json_hint(int64_t poll_after_ns, char *ret_tail)
{
    uint64_t ms = (uint64_t)(poll_after_ns / VTS_NS_PER_MS);
    size_t len;

    if (poll_after_ns < 0)
        return 0;
    len = append_text(ret_tail, 0, vts_str_of(",\"pollAfter\":\""));
    len = append_number(ret_tail, len, ms / 1000, 1);
    if (ms % 1000 != 0) {
        ret_tail[len++] = '.';
        len = append_number(ret_tail, len, ms % 1000, 3);
    }
    return append_text(ret_tail, len, vts_str_of("s\""));
}

size_t vts_snapshot_json_tail(struct vts_snapshot *snapshot, int64_t poll_after_ns,
                              char ret_tail[VTS_SNAPSHOT_TAIL_MAX])
{
    int32_t position = vts_snapshot_queue_position(snapshot);
    size_t len = write_json_hint(poll_after_ns, ret_tail);

    if (position > 0) {
        len = append_text(ret_tail, len, vts_str_of(",\"queuePosition\":"));
        len = append_number(ret_tail, len, (uint64_t)position, 1);
    }
    ret_tail[len++] = '}';
    return len;
}
