/* SPDX-License-Identifier: Apache-2.0 */
/* test_line.c - places in a line, and what of them snapshots tell. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/wire/pb_heap.h"
#include "common/wire/pb_time.h"
#include "server/jobs/snapshot.h"
#include "tests/support/suite.h"

enum { MEMBERS = 3000, READS = 20000 };

struct member {
    struct vts_tree_node node;
    struct vts_job_place place;
    uint32_t count;
};

static struct member members[MEMBERS];

static int order(const void *key, const struct vts_tree_node *node)
{
    const struct vts_job_place *place = key;
    const struct vts_job_place *other = &VTS_CONTAINER_OF(node, const struct member, node)->place;

    if (place->priority != other->priority)
        return place->priority > other->priority ? -1 : 1;
    return (place->create_ns > other->create_ns) - (place->create_ns < other->create_ns);
}

static uint32_t rank(const struct vts_tree_node *node)
{
    const struct member *member = VTS_CONTAINER_OF(node, const struct member, node);

    return (uint32_t)(member - members) * UINT32_C(2654435761);
}

static uint32_t *count(struct vts_tree_node *node)
{
    return &VTS_CONTAINER_OF(node, struct member, node)->count;
}

static const struct vts_tree_ops ops = {.order = order, .rank = rank, .count = count};

static struct vts_line *make_line(void)
{
    struct vts_line *line = vts_line_new(&ops);

    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    return line;
}

static struct member *add(struct vts_line *line, int number, int16_t priority)
{
    struct member *member = &members[number];

    member->place = (struct vts_job_place){.priority = priority, .create_ns = number};
    vts_line_add(line, &member->place, &member->node);
    return member;
}

static void take_out(struct vts_line *line, struct member *member)
{
    vts_line_remove(line, &member->place, &member->node);
}

static int32_t position(struct vts_line *line, int number, vts_line_known *known)
{
    return vts_line_position(line, &members[number].place, known);
}

static void place_is_by_priority_and_then_by_age(void)
{
    struct vts_line *line = make_line();
    vts_line_known known[4] = {0};

    add(line, 0, 0);
    add(line, 1, 0);
    CU_ASSERT_EQUAL(position(line, 0, &known[0]), 1);
    CU_ASSERT_EQUAL(position(line, 1, &known[1]), 2);
    add(line, 2, 5);
    CU_ASSERT_EQUAL(position(line, 0, &known[0]), 2);
    CU_ASSERT_EQUAL(position(line, 1, &known[1]), 3);
    CU_ASSERT_EQUAL(position(line, 2, &known[2]), 1);
    take_out(line, &members[0]);
    CU_ASSERT_EQUAL(position(line, 1, &known[1]), 2);
    CU_ASSERT_EQUAL(position(line, 0, &known[0]), 2); /* where it would stand */
    vts_line_clear(line);
    CU_ASSERT_EQUAL(position(line, 1, &known[1]), 1);
    vts_line_unref(line);
    vts_line_unref(NULL);
}

/* The reader's place only rises from 1 to all, or it was read half way through a change. Returns
 * NULL when that is not so. */
static void *read_on(void *context)
{
    struct vts_line *line = context;
    vts_line_known known = 0;
    int32_t last = 1;

    for (int i = 0; i < READS; i++) {
        int32_t now = position(line, MEMBERS - 1, &known);

        if (now < last || now > MEMBERS)
            return NULL;
        last = now;
    }
    return line;
}

static void readers_of_other_threads_see_whole_changes(void)
{
    struct vts_line *line = make_line();
    vts_line_known known = 0;
    pthread_t thread;
    void *result = NULL;

    add(line, MEMBERS - 1, 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_on, line), 0);
    for (int i = 0; i < MEMBERS - 1; i++)
        add(line, i, 0);
    CU_ASSERT_EQUAL(pthread_join(thread, &result), 0);
    CU_ASSERT_PTR_EQUAL(result, line);
    CU_ASSERT_EQUAL(position(line, MEMBERS - 1, &known), MEMBERS);
    vts_line_clear(line);
    vts_line_unref(line);
}

/* ---- snapshots --------------------------------------------------------------------------- */

static struct vts_snapshot *make_snapshot(struct vts_line *line, const struct member *member)
{
    const struct vts_snapshot_extras extras = {.line = line};
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Vtstatus__V1__JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Job job = VTSTATUS__V1__JOB__INIT;
    struct vts_snapshot *snapshot = NULL;

    status.job_id = (char *)(uintptr_t) "a";
    status.revision = 1;
    vts_pb_timestamp_set(&stamp, member->place.create_ns);
    job.status = &status;
    job.create_time = &stamp;
    job.priority = member->place.priority;
    CU_ASSERT_EQUAL_FATAL(vts_snapshot_of_job(&job, &extras, &snapshot), VTS_OK);
    return snapshot;
}

static void expect_told(struct vts_snapshot *snapshot, int32_t place)
{
    struct vts_str body = vts_snapshot_proto(snapshot);
    char text[64];
    char tail[VTS_SNAPSHOT_TAIL_MAX];
    uint8_t bytes[256];
    size_t len = vts_snapshot_proto_tail(snapshot, VTS_NS_PER_S, tail);
    Vtstatus__V1__JobStatus *status;

    memcpy(bytes, body.ptr, body.len);
    memcpy(bytes + body.len, tail, len);
    status = vtstatus__v1__job_status__unpack(vts_pb_heap_plain(), body.len + len, bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL(status->queue_position, place);
    CU_ASSERT_PTR_NOT_NULL(status->poll_after);
    vtstatus__v1__job_status__free_unpacked(status, vts_pb_heap_plain());
    len = vts_snapshot_json_tail(snapshot, VTS_NS_PER_S, tail);
    (void)snprintf(text, sizeof(text), ",\"pollAfter\":\"1s\",\"queuePosition\":%d}", (int)place);
    CU_ASSERT(vts_str_equals_text(vts_str_make(tail, len), text));
}

static void a_snapshot_tells_the_place_as_it_is_now(void)
{
    struct vts_line *line = make_line();
    struct vts_snapshot *snapshot;

    for (int i = 0; i < MEMBERS; i++)
        add(line, i, 0);
    snapshot = make_snapshot(line, &members[MEMBERS - 1]);
    expect_told(snapshot, MEMBERS);
    for (int i = 0; i < MEMBERS - 1; i++) {
        take_out(line, &members[i]);
        if (i % 500 == 0)
            expect_told(snapshot, MEMBERS - 1 - i);
    }
    expect_told(snapshot, 1);
    vts_line_clear(line);
    vts_line_unref(line); /* the snapshot has it still */
    CU_ASSERT_EQUAL(vts_snapshot_queue_position(snapshot), 1);
    vts_snapshot_unref(snapshot);
}

static const struct vts_test tests[] = {
    {"place_is_by_priority_and_then_by_age", place_is_by_priority_and_then_by_age},
    {"readers_of_other_threads_see_whole_changes", readers_of_other_threads_see_whole_changes},
    {"a_snapshot_tells_the_place_as_it_is_now", a_snapshot_tells_the_place_as_it_is_now},
};

int main(void)
{
    return vts_test_run("test_line", tests, VTS_ARRAY_LEN(tests));
}
