/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_glance.c - what a glance sees is what decoding says, and of all else it sees nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "client/src/status_glance.h"
#include "common/base/macros.h"
#include "common/base/rng.h"
#include "tests/support/suite.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { ROOM_BYTES = 512 };

static Vtstatus__V1__Progress progress = {
    .base = PROTOBUF_C_MESSAGE_INIT(&vtstatus__v1__progress__descriptor),
    .percent = 42.5F,
    .phase = (char *)(uintptr_t) "encode",
    .phase_index = 5,
    .phase_count = 6,
    .message = (char *)(uintptr_t) "almost"};

static Vtstatus__V1__JobStatus make_status(const char *id, bool is_done, uint64_t revision)
{
    Vtstatus__V1__JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;

    status.job_id = (char *)(uintptr_t)id;
    status.done = is_done;
    status.revision = revision;
    status.progress = &progress;
    status.attempt = 3;
    status.output_uri = (char *)(uintptr_t)(is_done ? "file:///out.mp4" : "");
    return status;
}

static struct vts_str pack(Vtstatus__V1__JobStatus *status, char room[ROOM_BYTES])
{
    Vtstatus__V1__WatchStatusesResponse response = VTSTATUS__V1__WATCH_STATUSES_RESPONSE__INIT;

    response.status = status;
    CU_ASSERT_FATAL(protobuf_c_message_get_packed_size(&response.base) <= ROOM_BYTES);
    return vts_str_make(room, protobuf_c_message_pack(&response.base, (uint8_t *)room));
}

static void a_status_is_seen_as_it_is(void)
{
    static const struct {
        const char *id;
        bool is_done;
        uint64_t revision;
    } rows[] = {{"a", false, 1}, {"job-9999", true, 130}, {"x~y.z", false, UINT64_MAX}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        Vtstatus__V1__JobStatus status = make_status(rows[i].id, rows[i].is_done, rows[i].revision);
        struct vts_status_glance glance;
        char room[ROOM_BYTES];

        CU_ASSERT_FATAL(vts_status_glance(pack(&status, room), &glance));
        CU_ASSERT(vts_str_equals_text(glance.job_id, rows[i].id));
        CU_ASSERT_EQUAL(glance.is_done, rows[i].is_done);
        CU_ASSERT_EQUAL(glance.revision, rows[i].revision);
    }
}

static void what_is_no_plain_status_is_left_to_decoding(void)
{
    Vtstatus__V1__JobStatus nameless = make_status("", false, 1);
    Vtstatus__V1__JobStatus unborn = make_status("a", false, 0);
    Vtstatus__V1__WatchStatusesResponse removal = VTSTATUS__V1__WATCH_STATUSES_RESPONSE__INIT;
    struct vts_status_glance glance;
    char room[ROOM_BYTES];

    CU_ASSERT_FALSE(vts_status_glance(vts_str_make(NULL, 0), &glance));
    CU_ASSERT_FALSE(vts_status_glance(pack(&nameless, room), &glance));
    CU_ASSERT_FALSE(vts_status_glance(pack(&unborn, room), &glance));
    removal.removed_job_id = (char *)(uintptr_t) "a";
    CU_ASSERT_FALSE(vts_status_glance(
        vts_str_make(room, protobuf_c_message_pack(&removal.base, (uint8_t *)room)), &glance));
}

/* Each prefix ends where its memory does, so that a sanitizer sees what is read behind it. */
static void what_is_cut_off_is_no_status(void)
{
    Vtstatus__V1__JobStatus status = make_status("job", true, 300);
    char room[ROOM_BYTES];
    struct vts_str whole = pack(&status, room);
    char *copy = malloc(whole.len);

    if (copy == NULL)
        abort();
    for (size_t len = 0; len < whole.len; len++) {
        char *part = copy + whole.len - len;
        struct vts_status_glance glance;

        memcpy(part, whole.ptr, len);
        CU_ASSERT_FALSE(vts_status_glance(vts_str_make(part, len), &glance));
    }
    free(copy);
}

/* Whatever a hostile server sends: what is seen lies inside of it. */
static void noise_is_survived(void)
{
    enum { TRIES = 200000 };
    struct vts_rng rng;
    Vtstatus__V1__JobStatus status = make_status("job", false, 7);

    vts_rng_init(&rng, 11);
    for (int i = 0; i < TRIES; i++) {
        struct vts_status_glance glance;
        char room[ROOM_BYTES];
        struct vts_str bytes = pack(&status, room);

        for (int changes = 0; changes < 1 + i % 4; changes++)
            room[vts_rng_next(&rng) % bytes.len] = (char)vts_rng_next(&rng);
        if (vts_status_glance(bytes, &glance))
            CU_ASSERT(glance.job_id.ptr > bytes.ptr && glance.job_id.len > 0 &&
                      glance.job_id.ptr + glance.job_id.len <= bytes.ptr + bytes.len);
    }
}

static const struct vts_test tests[] = {
    {"a_status_is_seen_as_it_is", a_status_is_seen_as_it_is},
    {"what_is_no_plain_status_is_left_to_decoding", what_is_no_plain_status_is_left_to_decoding},
    {"what_is_cut_off_is_no_status", what_is_cut_off_is_no_status},
    {"noise_is_survived", noise_is_survived},
};

int main(void)
{
    return vts_test_run("test_status_glance", tests, VTS_ARRAY_LEN(tests));
}
