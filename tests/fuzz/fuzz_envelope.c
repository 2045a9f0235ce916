/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_envelope.c - however a stream is cut, the same envelopes come out.
 *
 * The first byte sets the largest payload, the second the cuts.
 */
#include "common/base/assert.h"
#include "common/base/rng.h"
#include "common/wire/envelope.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_BYTES = 2, MAX_LOG_BYTES = 4 << 20 };

/* How a stream ended. */
struct ending {
    enum vts_err err;
    bool is_between;
    size_t announced_bytes;
};

/* Takes what feeding `part` completes, writes it to the log as it was, and returns the reader's
 * last word: VTS_ERR_AGAIN when all of the part is taken. */
static enum vts_err feed(struct vts_envelope_reader *reader, struct vts_str part,
                         struct vts_buf *log)
{
    enum vts_err err = VTS_ERR_AGAIN;

    while (part.len > 0 && err == VTS_ERR_AGAIN) {
        size_t taken = vts_envelope_reader_feed(reader, part);
        uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
        struct vts_envelope envelope;

        VTS_ASSERT(taken > 0 && taken <= part.len);
        part = vts_str_make(part.ptr + taken, part.len - taken);
        err = vts_envelope_reader_get(reader, &envelope);
        if (err != VTS_OK)
            continue;
        vts_envelope_write_prefix(envelope.flags, envelope.payload.len, prefix);
        vts_buf_append(log, prefix, sizeof(prefix));
        vts_buf_append_str(log, envelope.payload);
        vts_envelope_reader_next(reader);
        err = VTS_ERR_AGAIN;
    }
    return err;
}

/* Feeds the stream in parts of at most max_part bytes. */
static struct ending read_stream(struct vts_str stream, size_t max_bytes, size_t max_part,
                                 struct vts_buf *log)
{
    struct vts_envelope_reader reader;
    struct ending ending = {.err = VTS_ERR_AGAIN};
    struct vts_rng rng;

    vts_rng_init(&rng, max_part);
    vts_envelope_reader_init(&reader, max_bytes);
    while (stream.len > 0 && ending.err == VTS_ERR_AGAIN) {
        size_t len = 1 + (size_t)(vts_rng_next(&rng) % max_part);

        if (len > stream.len)
            len = stream.len;
        ending.err = feed(&reader, vts_str_make(stream.ptr, len), log);
        stream = vts_str_make(stream.ptr + len, stream.len - len);
    }
    ending.is_between = vts_envelope_reader_is_between(&reader);
    ending.announced_bytes = vts_envelope_reader_announced_bytes(&reader);
    vts_envelope_reader_fini(&reader);
    return ending;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct vts_str stream;
    struct vts_buf whole;
    struct vts_buf cut;
    struct ending whole_end;
    struct ending cut_end;
    size_t max_bytes;

    if (len <= HEAD_BYTES)
        return 0;
    max_bytes = (size_t)1 << bytes[0] % 24;
    stream = vts_str_make(bytes + HEAD_BYTES, len - HEAD_BYTES);
    vts_buf_init(&whole, MAX_LOG_BYTES);
    vts_buf_init(&cut, MAX_LOG_BYTES);
    whole_end = read_stream(stream, max_bytes, SIZE_MAX, &whole);
    cut_end = read_stream(stream, max_bytes, 1U + bytes[1] % 32, &cut);

    VTS_ASSERT(vts_str_equals(vts_buf_str(&whole), vts_buf_str(&cut)));
    VTS_ASSERT(vts_str_equals(vts_buf_str(&whole), vts_str_make(stream.ptr, whole.len)));
    VTS_ASSERT(whole_end.err == VTS_ERR_AGAIN || whole_end.err == VTS_ERR_LIMIT);
    VTS_ASSERT(whole_end.err == cut_end.err && whole_end.is_between == cut_end.is_between);
    VTS_ASSERT(whole_end.announced_bytes == cut_end.announced_bytes);
    VTS_ASSERT(whole_end.is_between == (whole.len == stream.len));
    vts_buf_fini(&whole);
    vts_buf_fini(&cut);
    return 0;
}
