/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_bench.c - makes keepers, commands and time for the tests. */
#include "tests/unit/server/jobs/keeper_bench.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "server/store/store_memory.h"

_Atomic int64_t keeper_bench_wall_ns;
_Atomic int64_t keeper_bench_now_ns;

/* ---- the store --------------------------------------------------------------------------- */

struct bench_store {
    struct vts_store base;
    struct keeper_bench *bench;
};

static struct keeper_bench *bench_of(struct vts_store *store)
{
    return VTS_CONTAINER_OF(store, struct bench_store, base)->bench;
}

static enum vts_err store_load(struct vts_store *store, vts_store_load_fn load, void *context,
                               struct vts_error *error)
{
    struct vts_store *records = bench_of(store)->records;

    return records->ops->load(records, load, context, error);
}

static enum vts_err commit(struct keeper_bench *bench, const struct vts_store_write *writes,
                           size_t count, struct vts_error *error)
{
    enum vts_err err;

    if (count == 0)
        return vts_error_set(error, VTS_ERR_INVALID, "a commit of nothing");
    if (bench->commits_left == 0)
        return vts_error_set(error, VTS_ERR_IO, "the disk is full");
    err = bench->records->ops->commit(bench->records, writes, count, error);
    if (err != VTS_OK)
        return err;
    if (bench->commits_left > 0)
        bench->commits_left--;
    bench->commits_count++;
    bench->writes_count += count;
    return VTS_OK;
}

static enum vts_err store_commit(struct vts_store *store, const struct vts_store_write *writes,
                                 size_t count, struct vts_error *error)
{
    struct keeper_bench *bench = bench_of(store);
    enum vts_err err;

    pthread_mutex_lock(&bench->gate);
    err = commit(bench, writes, count, error);
    pthread_mutex_unlock(&bench->gate);
    return err;
}

static void store_tidy(struct vts_store *store)
{
    bench_of(store)->tidied_count++;
}

static void store_close(struct vts_store *store)
{
    vts_mem_free(VTS_CONTAINER_OF(store, struct bench_store, base));
}

static const struct vts_store_ops bench_store_ops = {
    .name = "bench",
    .load = store_load,
    .commit = store_commit,
    .tidy = store_tidy,
    .close = store_close,
};

/* ---- the bench --------------------------------------------------------------------------- */

static int64_t read_wall(void)
{
    return keeper_bench_wall_ns;
}

static int64_t read_now(void)
{
    return keeper_bench_now_ns;
}

void keeper_bench_init(struct keeper_bench *bench)
{
    *bench = (struct keeper_bench){.commits_left = -1,
                                   .options = {.jobs_max = 100000,
                                               .commands_max = KEEPER_BENCH_COMMANDS_MAX,
                                               .wall_ns = read_wall,
                                               .now_ns = read_now}};
    (void)pthread_mutex_init(&bench->gate, NULL); /* cannot fail on Linux */
    keeper_bench_wall_ns = INT64_C(1700000000) * VTS_NS_PER_S;
    keeper_bench_now_ns = INT64_C(1000) * VTS_NS_PER_S;
    CU_ASSERT_EQUAL_FATAL(vts_store_memory_new(&bench->records), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench->board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_new(bench->board, 1, 10, 1000, &bench->hub), VTS_OK);
    bench->options.hub = bench->hub;
}

enum vts_err keeper_bench_try_open(struct keeper_bench *bench, struct vts_error *error)
{
    struct bench_store *store = vts_mem_zalloc(sizeof(*store));

    if (store == NULL)
        return VTS_ERR_NOMEM;
    store->base.ops = &bench_store_ops;
    store->bench = bench;
    bench->options.store = &store->base;
    return vts_keeper_new(&bench->options, &bench->keeper, error);
}

void keeper_bench_open(struct keeper_bench *bench)
{
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL_FATAL(keeper_bench_try_open(bench, &error), VTS_OK);
}

void keeper_bench_close(struct keeper_bench *bench)
{
    vts_keeper_free(bench->keeper);
    bench->keeper = NULL;
}

void keeper_bench_fini(struct keeper_bench *bench)
{
    keeper_bench_close(bench);
    vts_watch_hub_free(bench->hub);
    vts_board_free(bench->board);
    bench->records->ops->close(bench->records);
    (void)pthread_mutex_destroy(&bench->gate); /* nobody holds it */
}

void keeper_bench_pass(int64_t ns)
{
    keeper_bench_wall_ns += ns;
    keeper_bench_now_ns += ns;
}

void keeper_bench_settle(struct keeper_bench *bench)
{
    for (int i = 0; i < 100 && vts_keeper_step(bench->keeper) == 0; i++) {
    }
}

/* ---- answers ----------------------------------------------------------------------------- */

static void take_answer(struct vts_keeper_command *command, void *context)
{
    struct keeper_answer *answer = context;

    answer->count++;
    answer->command = command;
}

void keeper_answer_fini(struct keeper_answer *answer)
{
    vts_keeper_command_free(answer->command);
    *answer = (struct keeper_answer){.count = 0};
}

struct vts_keeper_command *keeper_bench_command(enum vts_keeper_command_kind kind,
                                                struct keeper_answer *answer)
{
    struct vts_keeper_command *command = NULL;

    keeper_answer_fini(answer);
    CU_ASSERT_EQUAL_FATAL(vts_keeper_command_new(kind, take_answer, answer, &command), VTS_OK);
    return command;
}

void keeper_bench_submit(struct keeper_bench *bench, struct vts_keeper_command *command)
{
    CU_ASSERT_EQUAL_FATAL(vts_keeper_submit(bench->keeper, command), VTS_OK);
}

enum vts_keeper_refusal keeper_bench_run(struct keeper_bench *bench,
                                         struct vts_keeper_command *command)
{
    struct keeper_answer *answer = command->context;

    keeper_bench_submit(bench, command);
    (void)vts_keeper_step(bench->keeper); /* when it wants the next one */
    CU_ASSERT_EQUAL_FATAL(answer->count, 1);
    return answer->command->refusal;
}

uint64_t keeper_bench_last_revision(const struct vts_watch *watch)
{
    struct vts_snapshot *last = vts_watch_last(watch);
    uint64_t revision = last == NULL ? 0 : vts_snapshot_revision(last);

    vts_snapshot_unref(last);
    return revision;
}

const char *keeper_answer_id(const struct keeper_answer *answer)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer->command);
    return answer->command->record == NULL ? "" : answer->command->record->job->id;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void *make(struct vts_keeper_command *command, const ProtobufCMessageDescriptor *type)
{
    void *message = vts_pb_arena_new(&command->arena, type);

    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

/* protobuf-c's strings are not const, and it does not write to them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

Vtstatus__V1__CreateJobRequest *keeper_bench_request(struct vts_keeper_command *command,
                                                     const char *id)
{
    Vtstatus__V1__CreateJobRequest *request =
        make(command, &vtstatus__v1__create_job_request__descriptor);

    request->job_id = borrow(id);
    request->spec = make(command, &vtstatus__v1__translation_spec__descriptor);
    request->spec->source_uri = borrow("https://example.com/a.mp4");
    request->spec->target_language = borrow("de");
    return request;
}

void keeper_bench_label(struct vts_keeper_command *command, const char *key, const char *value)
{
    Vtstatus__V1__CreateJobRequest *request =
        (Vtstatus__V1__CreateJobRequest *)(uintptr_t)command->create;
    Vtstatus__V1__CreateJobRequest__LabelsEntry **labels =
        vts_arena_alloc(&command->arena, (request->n_labels + 1) * sizeof(void *));

    CU_ASSERT_PTR_NOT_NULL_FATAL(labels);
    if (request->n_labels > 0)
        memcpy(labels, request->labels, request->n_labels * sizeof(void *));
    labels[request->n_labels] =
        make(command, &vtstatus__v1__create_job_request__labels_entry__descriptor);
    labels[request->n_labels]->key = borrow(key);
    labels[request->n_labels]->value = borrow(value);
    request->labels = labels;
    request->n_labels++;
}

struct vts_keeper_command *keeper_bench_create(struct keeper_answer *answer, const char *id)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_CREATE, answer);

    command->create = keeper_bench_request(command, id);
    return command;
}

struct vts_keeper_command *keeper_bench_get(struct keeper_answer *answer, const char *id)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_GET, answer);

    command->job_id = id;
    return command;
}

struct vts_keeper_command *keeper_bench_delete(struct keeper_answer *answer, const char *id)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_DELETE, answer);

    command->job_id = id;
    return command;
}

struct vts_keeper_command *keeper_bench_event(struct keeper_answer *answer, const char *id,
                                              enum vts_job_event_kind kind)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_EVENT, answer);

    command->job_id = id;
    command->event.kind = kind;
    command->event.reason = "";
    return command;
}

struct vts_keeper_command *keeper_bench_report(struct keeper_answer *answer,
                                               const struct keeper_answer *lease,
                                               enum vts_job_event_kind kind)
{
    struct vts_keeper_command *command = keeper_bench_event(answer, keeper_answer_id(lease), kind);

    command->event.token = lease->command->record->lease_token;
    command->event.output_uri = "https://example.com/a.de.mp4";
    return command;
}

struct vts_keeper_command *keeper_bench_lease(struct keeper_answer *answer, int64_t wait_ns)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_LEASE, answer);

    command->lease.worker_id = "w";
    command->lease.duration_ns = (int64_t)KEEPER_BENCH_LEASE_S * VTS_NS_PER_S;
    command->wait_ns = wait_ns;
    return command;
}

/* ---- whole steps ------------------------------------------------------------------------- */

void keeper_bench_make(struct keeper_bench *bench, const char *id)
{
    struct keeper_answer answer = {.count = 0};

    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, keeper_bench_create(&answer, id)), VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
}

void keeper_bench_take(struct keeper_bench *bench, struct keeper_answer *lease, const char *id)
{
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, keeper_bench_lease(lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL_FATAL(keeper_answer_id(lease), id);
}

void keeper_bench_make_done(struct keeper_bench *bench, const char *id)
{
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    keeper_bench_make(bench, id);
    keeper_bench_take(bench, &lease, id);
    CU_ASSERT_EQUAL_FATAL(
        keeper_bench_run(bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_COMPLETE)),
        VTS_KEEPER_OK);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
}

enum vts_keeper_refusal keeper_bench_look(struct keeper_bench *bench, const char *id)
{
    struct keeper_answer answer = {.count = 0};
    enum vts_keeper_refusal refusal = keeper_bench_run(bench, keeper_bench_get(&answer, id));

    CU_ASSERT_EQUAL(refusal == VTS_KEEPER_OK, answer.command->record != NULL);
    keeper_answer_fini(&answer);
    return refusal;
}

int keeper_bench_state(struct keeper_bench *bench, const char *id)
{
    struct keeper_answer answer = {.count = 0};
    int state = 0;

    if (keeper_bench_run(bench, keeper_bench_get(&answer, id)) == VTS_KEEPER_OK)
        state = (int)answer.command->record->job->status->state;
    keeper_answer_fini(&answer);
    return state;
}

uint64_t keeper_bench_revision(struct keeper_bench *bench, const char *id)
{
    struct vts_status_view view;
    uint64_t revision;

    if (vts_check_status(bench->board, vts_str_of(id), keeper_bench_now_ns, &view) != VTS_OK)
        return 0;
    revision = vts_snapshot_revision(view.snapshot);
    vts_snapshot_unref(view.snapshot);
    return revision;
}
