/* SPDX-License-Identifier: Apache-2.0 */
/* job_end.c - a report as one number. It is kept on disk, so it must not change with the build:
 * FNV-1a of 64 bits over texts with their ends and over integers in a fixed order of bytes.
 */
#include "server/jobs/job_end.h"

#include <string.h>

#include "common/base/macros.h"

/* An error is fed by protobuf-c's packing, so that nothing needs to be packed anywhere. */
struct hasher {
    ProtobufCBuffer base;
    uint64_t hash;
};

static void add_bytes(ProtobufCBuffer *buffer, size_t len, const uint8_t *bytes)
{
    struct hasher *hasher = VTS_CONTAINER_OF(buffer, struct hasher, base);

    for (size_t i = 0; i < len; i++)
        hasher->hash = (hasher->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void add_number(struct hasher *hasher, uint64_t number)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    add_bytes(&hasher->base, sizeof(bytes), bytes);
}

/* NULL is as good as empty. */
static void add_text(struct hasher *hasher, const char *text)
{
    text = text == NULL ? "" : text;
    add_bytes(&hasher->base, strlen(text) + 1, (const uint8_t *)text);
}

bool vts_job_is_end(const struct vts_job_event *event)
{
    return event->kind == VTS_JOB_EVENT_COMPLETE || event->kind == VTS_JOB_EVENT_FAIL ||
           event->kind == VTS_JOB_EVENT_RELEASE;
}

uint64_t vts_job_end_digest(const struct vts_job_event *event)
{
    struct hasher hasher = {.base = {.append = add_bytes}, .hash = UINT64_C(0xcbf29ce484222325)};

    add_text(&hasher, event->token);
    /* Not the numbers of our enum, which may move. */
    if (event->kind == VTS_JOB_EVENT_COMPLETE) {
        add_text(&hasher, "complete");
        add_text(&hasher, event->output_uri);
    } else if (event->kind == VTS_JOB_EVENT_FAIL) {
        add_text(&hasher, "fail");
        add_number(&hasher, event->is_retryable);
        add_number(&hasher,
                   event->retry_delay_ns < 0 ? UINT64_MAX : (uint64_t)event->retry_delay_ns);
        if (event->error != NULL)
            (void)google__rpc__status__pack_to_buffer(event->error, &hasher.base);
    } else {
        add_text(&hasher, "release");
    }
    return hasher.hash != 0 ? hasher.hash : 1;
}
